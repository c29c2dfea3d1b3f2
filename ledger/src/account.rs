//! A reference to one account of the chart: a role and whose it is.

use std::fmt;

use crate::chart::{Floor, Role};
use crate::entry::Side;
use crate::error::AccountError;

/// The longest value of a dimension, in characters.
const DIMENSION_MAX: usize = 80;

/// A role with its dimensions, e.g. `vendor_payable:ven_1:pending`.
///
/// Parsed and checked against the chart, so whoever holds one holds an account that can be.
/// The currency is not part of it: an account exists once per currency.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountRef {
    role: Role,
    path: String,
}

impl AccountRef {
    /// Reads a path.
    ///
    /// # Errors
    /// An unknown role, a missing or additional dimension, a value outside its words, or an
    /// id with other characters than letters, digits, `_`, `-` and `.`.
    pub fn parse(path: &str) -> Result<AccountRef, AccountError> {
        let mut parts = path.split(':');
        let name = parts.next().unwrap_or_default();
        let role =
            Role::parse(name).ok_or_else(|| AccountError::UnknownRole { role: shorten(name) })?;
        let values: Vec<&str> = parts.collect();
        AccountRef::new(role, &values)
    }

    /// Makes the reference from its parts.
    ///
    /// # Errors
    /// As [`AccountRef::parse`].
    pub fn new(role: Role, values: &[&str]) -> Result<AccountRef, AccountError> {
        let line = role.line();
        if values.len() != line.dimensions.len() {
            let path = std::iter::once(line.name).chain(values.iter().copied());
            let path = path.collect::<Vec<_>>().join(":");
            return Err(AccountError::WrongShape { path: shorten(&path), expected: line.form() });
        }
        for (dimension, value) in line.dimensions.iter().zip(values) {
            let is_id = !value.is_empty()
                && value.len() <= DIMENSION_MAX
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            let fits = match dimension.words {
                [] => is_id,
                words => words.contains(value),
            };
            if !fits {
                return Err(AccountError::WrongValue {
                    role: line.name,
                    dimension: dimension.name,
                    value: shorten(value),
                    allowed: match dimension.words {
                        [] => format!("1 to {DIMENSION_MAX} letters, digits, `_`, `-`, `.`"),
                        words => words.join(", "),
                    },
                });
            }
        }
        Ok(AccountRef::from_parts(role, values))
    }

    /// For values that are already parts of a reference or words of the chart.
    pub(crate) fn from_parts(role: Role, values: &[&str]) -> AccountRef {
        let mut path = role.line().name.to_owned();
        for value in values {
            path.push(':');
            path.push_str(value);
        }
        AccountRef { role, path }
    }

    /// The role.
    pub fn role(&self) -> Role {
        self.role
    }

    /// The path, as stored.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of the n-th dimension.
    pub fn dimension(&self, n: usize) -> Option<&str> {
        self.path.split(':').nth(n + 1)
    }

    /// The dimensions with their names, in the order of the path.
    pub fn dimensions(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = self.role.line().dimensions.iter().map(|dimension| dimension.name);
        names.zip(self.path.split(':').skip(1))
    }

    /// The side that may not fall below the other.
    pub fn floor_side(&self) -> Option<Side> {
        let line = self.role.line();
        (line.floor == Floor::Zero).then(|| line.class.normal_side())
    }
}

/// An input is repeated in an error only as far as it helps.
fn shorten(text: &str) -> String {
    text.chars().take(DIMENSION_MAX).collect()
}

impl fmt::Display for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

impl fmt::Debug for AccountRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_fits_the_chart_is_an_account() {
        let account = AccountRef::parse("vendor_payable:ven_1:pending").unwrap();
        assert_eq!(account.role(), Role::VendorPayable);
        assert_eq!(account.dimension(0), Some("ven_1"));
        assert_eq!(account.floor_side(), Some(Side::Credit));
        assert_eq!(AccountRef::parse("deferred_commission").unwrap().floor_side(), None);
    }

    #[test]
    fn what_does_not_fit_is_refused_and_says_what_would() {
        for (path, says) in [
            ("vendor_payble:x:pending", "is not a role"),
            ("vendor_payable:x", "should read `vendor_payable:{vendor}:{bucket}`"),
            ("vendor_payable:x:pending:y", "should read"),
            ("vendor_payable:x:later", "use pending, available, reserve, held"),
            ("vendor_payable::pending", "1 to 80 letters"),
            ("bank:a b", "1 to 80 letters"),
            ("", "is not a role"),
        ] {
            let refusal = AccountRef::parse(path).unwrap_err().to_string();
            assert!(refusal.contains(says), "{path}: {refusal}");
        }
    }
}

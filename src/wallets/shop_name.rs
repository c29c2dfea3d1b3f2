//! The shop's own word for a customer, an affiliate or a code.

use std::fmt;
use std::str::FromStr;

/// 1 to 80 letters, digits, `_`, `.` or `-`: what can be a dimension of an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShopName(String);

/// A text that cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 80 letters, digits, `_`, `.` or `-`")]
pub struct ShopNameError;

impl ShopName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShopName {
    type Err = ShopNameError;

    fn from_str(text: &str) -> Result<Self, ShopNameError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        match (1..=80).contains(&text.len()) && text.bytes().all(plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(ShopNameError),
        }
    }
}

impl fmt::Display for ShopName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

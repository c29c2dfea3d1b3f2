//! Codes of banks and branches, and the account numbers beside them.

use std::fmt;

use super::{Fault, IdentifierError, compact, fits};

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// The characters, without blanks.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}

texts! {
    /// A bank: four letters, its country, its place, perhaps a branch.
    Bic;
    /// A branch of a bank in India: four letters, a zero, six letters or digits.
    Ifsc;
    /// A bank in the USA: nine digits, the last of which checks the others.
    AbaRouting;
    /// A branch of a bank in the United Kingdom: six digits.
    SortCode;
    /// An account in India's UPI, such as `shop@bank`.
    UpiId;
}

impl Bic {
    /// Reads a BIC of 8 or 11 characters.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<Bic, IdentifierError> {
        let text = compact(text);
        let pattern = if text.chars().count() > 8 { "aaaaaaccccc" } else { "aaaaaacc" };
        fits("BIC", &text, pattern).map(|()| Bic(text))
    }

    /// The bank's country, ISO 3166.
    pub fn country(&self) -> &str {
        &self.0[4..6]
    }
}

impl Ifsc {
    /// Reads an IFSC.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<Ifsc, IdentifierError> {
        let text = compact(text);
        fits("IFSC", &text, "aaaa0cccccc").map(|()| Ifsc(text))
    }
}

impl AbaRouting {
    /// Reads a routing number.
    ///
    /// # Errors
    /// The check that failed, with the digit that was expected.
    pub fn parse(text: &str) -> Result<AbaRouting, IdentifierError> {
        const KIND: &str = "ABA routing number";
        let text = compact(text);
        fits(KIND, &text, "nnnnnnnnn")?;
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
        let sum: u32 = digits.iter().zip([3, 7, 1].iter().cycle()).map(|(d, w)| d * w).sum();
        if !sum.is_multiple_of(10) || sum == 0 {
            let others = sum - digits[8];
            let expected = ((10 - others % 10) % 10).to_string();
            let found = digits[8].to_string();
            let fault = Fault::Check { part: "digit", expected, found };
            return Err(IdentifierError { kind: KIND, fault });
        }
        Ok(AbaRouting(text))
    }
}

impl SortCode {
    /// Reads a sort code, with hyphens or without.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<SortCode, IdentifierError> {
        let text = compact(text).replace('-', "");
        fits("sort code", &text, "nnnnnn").map(|()| SortCode(text))
    }
}

impl UpiId {
    /// Reads an id such as `shop@bank`.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<UpiId, IdentifierError> {
        let text = text.trim();
        let name = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let fine = text.split_once('@').is_some_and(|(account, handle)| {
            (2..=256).contains(&account.len())
                && account.chars().all(name)
                && (2..=64).contains(&handle.len())
                && handle.starts_with(|c: char| c.is_ascii_alphabetic())
                && handle.chars().all(|c| c.is_ascii_alphanumeric())
        });
        if !fine {
            let expected = "a name of 2 to 256 letters, digits, `.`, `-`, `_`, then @ and a handle";
            return Err(IdentifierError { kind: "UPI id", fault: Fault::Form { expected } });
        }
        Ok(UpiId(text.to_owned()))
    }
}

/// Reads an account number beside a code of its bank; eight digits beside a sort code.
///
/// # Errors
/// The check that failed.
pub fn account_number(text: &str, digits: Option<usize>) -> Result<String, IdentifierError> {
    const KIND: &str = "account number";
    let text = compact(text).replace('-', "");
    if let Some(digits) = digits {
        fits(KIND, &text, &"n".repeat(digits))?;
    }
    if !(4..=34).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let expected = "4 to 34 letters and digits";
        return Err(IdentifierError { kind: KIND, fault: Fault::Form { expected } });
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_banks_are_told_from_others() {
        assert_eq!(Bic::parse("ebilaead").unwrap().country(), "AE");
        assert_eq!(Bic::parse("DEUTDEFF500").unwrap().as_str(), "DEUTDEFF500");
        assert_eq!(Ifsc::parse("HDFC0001234").unwrap().as_str(), "HDFC0001234");
        assert_eq!(AbaRouting::parse("231380104").unwrap().as_str(), "231380104");
        assert_eq!(AbaRouting::parse("021000021").unwrap().as_str(), "021000021");
        assert_eq!(SortCode::parse("60-16-13").unwrap().as_str(), "601613");
        assert_eq!(UpiId::parse("shop.1@okhdfc").unwrap().as_str(), "shop.1@okhdfc");
        assert_eq!(account_number("3192 6819", Some(8)).unwrap(), "31926819");
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        let says = |error: Option<IdentifierError>| error.map(|it| it.to_string()).unwrap();
        for (said, expected) in [
            (says(Bic::parse("EBIL1EAD").err()), "character 5 must be a letter A to Z"),
            (says(Bic::parse("EBILAEADXX").err()), "has 10 characters and must have 11"),
            (says(Ifsc::parse("HDFC1001234").err()), "character 5 must be a zero"),
            (says(AbaRouting::parse("231380105").err()), "check digit should be 4 and is 5"),
            (says(AbaRouting::parse("000000000").err()), "check digit"),
            (says(SortCode::parse("60-16-1").err()), "has 5 characters and must have 6"),
            (says(UpiId::parse("shop").err()), "then @ and a handle"),
            (says(account_number("1234567", Some(8)).err()), "must have 8"),
            (says(account_number("12#4567", None).err()), "4 to 34 letters and digits"),
        ] {
            assert!(said.contains(expected), "{said} / {expected}");
        }
    }
}

//! Identifiers of bank accounts, banks and taxpayers: parsed, checked, and refused with a reason.
//!
//! | type | what | checked by |
//! |---|---|---|
//! | [`Iban`] | a bank account, ISO 13616 | length and structure of the country, mod 97 |
//! | [`Bic`] | a bank, ISO 9362 | form |
//! | [`Ifsc`] | a branch of a bank in India | form |
//! | [`AbaRouting`] | a bank in the USA | weighted sum |
//! | [`SortCode`] | a branch of a bank in the United Kingdom | form |
//! | [`UpiId`] | an account in India's UPI | form |
//! | [`Gstin`] | a taxpayer of India's GST | state, PAN, check character |
//! | [`Pan`] | a taxpayer of India | form and kind of holder |
//! | [`UaeTrn`] | a taxpayer of the UAE's VAT | form |
//! | [`KsaVat`] | a taxpayer of Saudi Arabia's VAT | form |
//!
//! A check of the form is no proof that the account exists, or whose it is.

mod bank;
mod error;
mod iban;
mod tax;

pub use bank::{AbaRouting, Bic, Ifsc, SortCode, UpiId, account_number};
pub use error::{Fault, IdentifierError};
pub use iban::Iban;
pub use tax::{Gstin, KsaVat, Pan, TaxId, TaxIdType, UaeTrn};

/// What people write between groups goes away, and letters become upper-case.
fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

/// Holds a text to a pattern of letters for each character: `n` a digit, `a` an upper-case
/// letter, `c` either; anything else is itself.
fn fits(kind: &'static str, text: &str, pattern: &str) -> Result<(), IdentifierError> {
    let (found, expected) = (text.chars().count(), pattern.len());
    if found != expected {
        return Err(IdentifierError { kind, fault: Fault::Length { expected, found } });
    }
    for (at, (c, wanted)) in text.chars().zip(pattern.chars()).enumerate() {
        let expected = match wanted {
            'n' if !c.is_ascii_digit() => "a digit",
            'a' if !c.is_ascii_uppercase() => "a letter A to Z",
            'c' if !(c.is_ascii_digit() || c.is_ascii_uppercase()) => "a letter or a digit",
            '0' if c != '0' => "a zero",
            'Z' if c != 'Z' => "the letter Z",
            '3' if c != '3' => "the digit 3",
            _ => continue,
        };
        return Err(IdentifierError { kind, fault: Fault::Character { at: at + 1, expected } });
    }
    Ok(())
}

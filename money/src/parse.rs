//! Reads an amount in major units from text, strictly.

use crate::{Currency, Money};

/// Above the longest amount there is: a sign, 19 digits and a point are 21 characters.
const LENGTH_MAX: usize = 24;

/// Why a text is not an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ParseAmountError {
    /// No text at all.
    #[error("an amount is missing; write it in major units such as \"52.50\"")]
    Empty,
    /// More characters than any amount has.
    #[error("an amount has at most {LENGTH_MAX} characters, this text has {length}")]
    TooLong {
        /// Bytes in the text.
        length: usize,
    },
    /// A character stands where it may not: signs, spaces, exponents, separators, a lone point.
    #[error(
        "an amount is digits with an optional point between digits, as in \"52.50\"; \
         the character at position {position} does not fit"
    )]
    Malformed {
        /// Counted from 1.
        position: usize,
    },
    /// A superfluous zero in front: some readers take `010` for eight.
    #[error("an amount does not start with extra zeros; write \"1.50\", not \"01.50\"")]
    LeadingZero,
    /// More decimals than the currency has, even if they are zeros.
    #[error("{currency} has {allowed} decimals, the amount has {found}")]
    TooManyDecimals {
        /// Digits after the point in the text.
        found: usize,
        /// Digits the currency allows.
        allowed: u32,
        /// The currency asked for.
        currency: Currency,
    },
    /// A minus sign before zero.
    #[error("zero has no sign; write it without the minus")]
    NegativeZero,
    /// Outside 64 bits of minor units.
    #[error("the amount is outside what 64 bits of {currency} minor units hold")]
    Overflow {
        /// The currency asked for.
        currency: Currency,
    },
}

/// Reads major units such as `52.50`, `52.5`, `52` or `-0.01`; the result is exact.
///
/// Fewer decimals than the currency has are unambiguous and allowed. More are refused even when
/// they are zeros: `10.000` in a currency with two decimals is more likely ten thousand with a
/// separator than ten. Only ASCII digits count.
///
/// # Errors
/// Names what is wrong and never repeats the text.
pub fn parse_amount(text: &str, currency: Currency) -> Result<Money, ParseAmountError> {
    if text.is_empty() {
        return Err(ParseAmountError::Empty);
    }
    if text.len() > LENGTH_MAX {
        return Err(ParseAmountError::TooLong { length: text.len() });
    }

    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let negative = unsigned.len() < text.len();
    let (whole, decimals) = split(unsigned, text.len() - unsigned.len())?;
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(ParseAmountError::LeadingZero);
    }
    let allowed = currency.exponent();
    let missing = (allowed as usize)
        .checked_sub(decimals.len())
        .ok_or(ParseAmountError::TooManyDecimals { found: decimals.len(), allowed, currency })?;

    // At most 24 digits and 4 zeros: 128 bits hold them.
    let digits = whole.bytes().chain(decimals.bytes()).chain(std::iter::repeat_n(b'0', missing));
    let minor = digits.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    if negative && minor == 0 {
        return Err(ParseAmountError::NegativeZero);
    }
    let signed = if negative { -minor } else { minor };
    Money::from_wide(signed, currency).map_err(|_| ParseAmountError::Overflow { currency })
}

/// Splits at the point, once both sides are known to be digits and neither is empty.
///
/// `offset` counts the bytes before `text`, so that a fault is reported at its real position.
fn split(text: &str, offset: usize) -> Result<(&str, &str), ParseAmountError> {
    let malformed = |index: usize| ParseAmountError::Malformed { position: offset + index + 1 };
    let first_fault = |part: &str| part.bytes().position(|byte| !byte.is_ascii_digit());

    let (whole, decimals) = match text.split_once('.') {
        Some((whole, "")) => return Err(malformed(whole.len())),
        Some((whole, decimals)) => (whole, decimals),
        None => (text, ""),
    };
    if whole.is_empty() {
        return Err(malformed(0));
    }
    if let Some(index) = first_fault(whole) {
        return Err(malformed(index));
    }
    match first_fault(decimals) {
        Some(index) => Err(malformed(whole.len() + 1 + index)),
        None => Ok((whole, decimals)),
    }
}

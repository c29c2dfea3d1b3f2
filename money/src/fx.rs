//! A rate of exchange as it was told, and conversion by it with one rounding.

use std::fmt;
use std::str::FromStr;

use crate::{Currency, Money, MoneyError, Rounding};

/// Decimals a rate may have.
const DECIMALS_MAX: usize = 12;
/// Digits before the point a rate may have.
const WHOLE_MAX: usize = 9;

/// How many units of one currency a unit of another costs, exactly as it was told.
///
/// A rate is never inverted: the way back divides by the full rate, so nothing is rounded but
/// the amount that comes out.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FxRate {
    /// Without zeros at the end.
    digits: i128,
    scale: u32,
}

/// Why a text is not a rate of exchange.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FxRateError {
    /// Not a plain decimal number: signs, spaces, exponents, a lone point, zeros in front.
    #[error("a rate of exchange is plain digits such as \"3.6725\", without a sign")]
    Malformed,
    /// More decimals or digits than a rate keeps.
    #[error(
        "a rate of exchange has at most {WHOLE_MAX} digits before and {DECIMALS_MAX} after the \
         point"
    )]
    TooLong,
    /// Nothing costs nothing.
    #[error("a rate of exchange is above zero")]
    Zero,
}

impl FxRate {
    /// Reads a rate: `"3.6725"` units for one. Zeros at the end say nothing and are dropped.
    ///
    /// # Errors
    /// [`FxRateError`]; the text is not repeated.
    pub fn parse(text: &str) -> Result<Self, FxRateError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(FxRateError::Malformed),
            Some(parts) => parts,
            None => (text, ""),
        };
        let are_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let extra_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || extra_zero || !are_digits(whole) || !are_digits(decimals) {
            return Err(FxRateError::Malformed);
        }
        if whole.len() > WHOLE_MAX || decimals.len() > DECIMALS_MAX {
            return Err(FxRateError::TooLong);
        }
        let decimals = decimals.trim_end_matches('0');
        let all = whole.bytes().chain(decimals.bytes());
        let digits = all.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        if digits == 0 {
            return Err(FxRateError::Zero);
        }
        // At most twelve.
        Ok(Self { digits, scale: u32::try_from(decimals.len()).unwrap_or_default() })
    }

    /// What `amount` of the rate's base is in its quote: multiplied by the full rate, then
    /// rounded once, halves to even.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn convert(self, amount: Money, quote: Currency) -> Result<Money, MoneyError> {
        let (up, down) = (quote.minor_per_major(), amount.currency().minor_per_major());
        fraction(amount, quote, (self.digits, up), (self.ten_to_scale(), down))
    }

    /// What `amount` of the rate's quote is in its base: divided by the full rate, then rounded
    /// once, halves to even.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn convert_back(self, amount: Money, base: Currency) -> Result<Money, MoneyError> {
        let (up, down) = (base.minor_per_major(), amount.currency().minor_per_major());
        fraction(amount, base, (self.ten_to_scale(), up), (self.digits, down))
    }

    /// At most 10^12.
    const fn ten_to_scale(self) -> i128 {
        10_i128.pow(self.scale)
    }
}

/// `amount` times the product of `above` divided by that of `below`.
fn fraction(
    amount: Money,
    into: Currency,
    above: (i128, i64),
    below: (i128, i64),
) -> Result<Money, MoneyError> {
    let overflow = || MoneyError::Overflow { currency: into };
    let product = |a: i128, b: i64| a.checked_mul(i128::from(b)).ok_or_else(overflow);
    let numerator = product(above.0, above.1)?;
    let numerator = numerator.checked_mul(i128::from(amount.minor())).ok_or_else(overflow)?;
    let minor = Rounding::HalfEven.divide(numerator, product(below.0, below.1)?);
    Money::from_wide(minor, into)
}

impl fmt::Display for FxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_unit = self.ten_to_scale();
        let (whole, rest) = (self.digits / per_unit, self.digits % per_unit);
        match self.scale as usize {
            0 => write!(f, "{whole}"),
            decimals => write!(f, "{whole}.{rest:0decimals$}"),
        }
    }
}

impl fmt::Debug for FxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FxRate {
    type Err = FxRateError;

    fn from_str(text: &str) -> Result<Self, FxRateError> {
        Self::parse(text)
    }
}

//! An amount in minor units of one currency, with checked arithmetic.

use std::cmp::Ordering;
use std::fmt;

use rust_decimal::Decimal;

use crate::{Currency, Rounding};

/// A whole number of minor units of one currency: 5250 fils are `52.50 AED`.
///
/// It has no order of its own, because 1 AED and 1 USD have none: compare with
/// [`Money::try_cmp`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an operation on amounts has no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoneyError {
    /// Two amounts of different currencies met; only an exchange may bring them together.
    #[error("{left} and {right} cannot meet in one sum; convert one of them first")]
    CurrencyMismatch {
        /// The currency of the amount the method was called on.
        left: Currency,
        /// The currency of the other amount.
        right: Currency,
    },
    /// The result needs more than 64 bits of minor units.
    #[error("the result is outside the amounts of {currency} that 64 bits of minor units hold")]
    Overflow {
        /// The currency of the result.
        currency: Currency,
    },
    /// A decimal has more digits than the currency; rounding it would change the amount.
    #[error("{value} has more than the {} decimals of {currency}; round it first",
        currency.exponent())]
    Inexact {
        /// The figure in major units.
        value: Decimal,
        /// The currency it should have fitted.
        currency: Currency,
    },
}

impl Money {
    /// An amount of `minor` units of `currency`; every whole number is one.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The amount in minor units of [`Money::currency`].
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency the amount is in.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Above zero.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Below zero.
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// The same amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the lowest amount, which has no counterpart.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// The amount `times` over, for instance a unit price times a quantity.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, times: i64) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_mul(times))
    }

    /// Compares two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`].
    pub fn try_cmp(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    /// Adds up amounts of `currency`; none of them make zero.
    ///
    /// Only the final sum has to fit: the order of the amounts does not decide the outcome.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn sum(
        currency: Currency,
        amounts: impl IntoIterator<Item = Self>,
    ) -> Result<Self, MoneyError> {
        let zero = Self::zero(currency);
        let mut total = 0_i128;
        for amount in amounts {
            zero.same_currency(amount)?;
            total += i128::from(amount.minor);
        }
        Self::from_wide(total, currency)
    }

    /// The amount in major units: `52.50` for 5250 fils.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.minor, self.currency.exponent())
    }

    /// Reads a figure in major units that is a whole number of minor units.
    ///
    /// # Errors
    /// [`MoneyError::Inexact`] if digits would be lost, [`MoneyError::Overflow`].
    pub fn from_decimal_exact(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let down = Self::from_decimal_rounded(value, currency, Rounding::Down)?;
        if down.to_decimal() == value {
            Ok(down)
        } else {
            Err(MoneyError::Inexact { value, currency })
        }
    }

    /// Rounds a figure in major units to minor units, once.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn from_decimal_rounded(
        value: Decimal,
        currency: Currency,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        // A decimal's mantissa has 96 bits and its scale is at most 28, so neither the product
        // with four decimals nor the divisor leaves 128 bits.
        let minor_times_scale = value.mantissa() * i128::from(currency.minor_per_major());
        let minor = rounding.divide(minor_times_scale, 10_i128.pow(value.scale()));
        Self::from_wide(minor, currency)
    }

    /// The major units with exactly the currency's decimals: `52.50`, `1000`, `-0.005`.
    pub fn major_string(self) -> String {
        let sign = if self.minor < 0 { "-" } else { "" };
        let per_major = self.currency.minor_per_major().unsigned_abs();
        let units = self.minor.unsigned_abs();
        let (major, rest) = (units / per_major, units % per_major);
        match self.currency.exponent() as usize {
            0 => format!("{sign}{major}"),
            decimals => format!("{sign}{major}.{rest:0decimals$}"),
        }
    }

    pub(crate) fn from_wide(minor: i128, currency: Currency) -> Result<Self, MoneyError> {
        match i64::try_from(minor) {
            Ok(minor) => Ok(Self::new(minor, currency)),
            Err(_) => Err(MoneyError::Overflow { currency }),
        }
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        let currency = self.currency;
        minor.map(|minor| Self::new(minor, currency)).ok_or(MoneyError::Overflow { currency })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{} {}", self.major_string(), self.currency))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

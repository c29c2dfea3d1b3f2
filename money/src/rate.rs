//! A percentage between nothing and everything, such as a tax or a commission.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::{RefOr, Type, schema::Object, schema::Schema};

use crate::{Money, MoneyError, Rounding};

/// Decimals a percentage may have.
const DECIMALS_MAX: usize = 6;
/// 10^6: a rate is held in millionths of a percent, so that every step is whole numbers.
const MILLIONTHS_PER_PERCENT: u32 = 1_000_000;
/// 100 %.
const WHOLE: u32 = 100 * MILLIONTHS_PER_PERCENT;

/// A percentage from 0 to 100 with at most six decimals.
///
/// Written and read as the text of the percentage: `"10"`, `"2.9"`. Laws and contracts change
/// rates, so a rate is data with a date, never a constant of the program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    percent_millionths: u32,
}

/// Why a text is not a rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RateError {
    /// Not a plain decimal number: signs, spaces, exponents, `%`, a lone point, extra zeros.
    #[error("a rate is a percentage in plain digits such as \"2.9\", without a sign or a unit")]
    Malformed,
    /// More decimals than a rate keeps.
    #[error("a rate has at most {DECIMALS_MAX} decimals, this one has {found}")]
    TooManyDecimals {
        /// Digits after the point.
        found: usize,
    },
    /// Above 100 %.
    #[error("a rate is at most 100 percent")]
    AboveHundred,
}

impl Rate {
    /// 0 %.
    pub const ZERO: Self = Self { percent_millionths: 0 };

    /// Reads a percentage: `"10"` is one tenth.
    ///
    /// # Errors
    /// [`RateError`]; the text is not repeated.
    pub fn percent(text: &str) -> Result<Self, RateError> {
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return Err(RateError::Malformed),
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let extra_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || extra_zero || !digits(whole) || !digits(decimals) {
            return Err(RateError::Malformed);
        }
        if decimals.len() > DECIMALS_MAX {
            return Err(RateError::TooManyDecimals { found: decimals.len() });
        }
        // Three digits reach 999: longer texts need no reading to be too much.
        if whole.len() > 3 {
            return Err(RateError::AboveHundred);
        }

        let zeros = std::iter::repeat_n(b'0', DECIMALS_MAX - decimals.len());
        let percent_millionths = whole
            .bytes()
            .chain(decimals.bytes())
            .chain(zeros)
            .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        if percent_millionths > WHOLE {
            return Err(RateError::AboveHundred);
        }
        Ok(Self { percent_millionths })
    }

    /// The percentage without superfluous zeros: `"10"`, `"2.9"`.
    pub fn as_percent_string(self) -> String {
        let whole = self.percent_millionths / MILLIONTHS_PER_PERCENT;
        match self.percent_millionths % MILLIONTHS_PER_PERCENT {
            0 => whole.to_string(),
            rest => {
                let decimals = format!("{rest:0width$}", width = DECIMALS_MAX);
                format!("{whole}.{}", decimals.trim_end_matches('0'))
            }
        }
    }

    /// Half of it: two offices of one tax take as much each. An odd millionth is dropped.
    #[must_use]
    pub const fn half(self) -> Self {
        Self { percent_millionths: self.percent_millionths / 2 }
    }

    /// Exactly 0 %.
    pub const fn is_zero(self) -> bool {
        self.percent_millionths == 0
    }

    /// This share of `base`, rounded once: 5 % of 100.00 AED is 5.00 AED.
    ///
    /// # Errors
    /// [`MoneyError`] as all arithmetic on amounts; a share of at most 100 % always fits.
    pub fn of(self, base: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        self.share(base, i128::from(WHOLE), rounding)
    }

    /// The part of an inclusive price that is this rate on the rest of it: 5 % VAT in 105.00 AED
    /// is 5.00 AED.
    ///
    /// Take the net price as the difference. Rounding the net price first and the tax from it
    /// makes parts that do not add up to the price: 0.10 would become 0.10 and 0.01.
    ///
    /// # Errors
    /// [`MoneyError`] as all arithmetic on amounts; a part of the price always fits.
    pub fn contained_in(self, gross: Money, rounding: Rounding) -> Result<Money, MoneyError> {
        let whole_and_rate = i128::from(WHOLE) + i128::from(self.percent_millionths);
        self.share(gross, whole_and_rate, rounding)
    }

    fn share(self, of: Money, whole: i128, rounding: Rounding) -> Result<Money, MoneyError> {
        // 64 bits times 27 bits: the product is exact.
        let numerator = i128::from(of.minor()) * i128::from(self.percent_millionths);
        Money::from_wide(rounding.divide(numerator, whole), of.currency())
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_percent_string())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} %")
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::percent(text)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::percent(&text).map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Rate {
    fn schema() -> RefOr<Schema> {
        Object::builder()
            .schema_type(Type::String)
            .pattern(Some(r"^(0|[1-9][0-9]?|100)(\.[0-9]{1,6})?$"))
            .description(Some("A percentage from 0 to 100 with at most six decimals"))
            .examples(["2.9"])
            .into()
    }
}

impl utoipa::ToSchema for Rate {}

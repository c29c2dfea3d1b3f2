//! What an amount comes to in another currency, by a rate that is an exact decimal.

use std::fmt;

use mizan_money::{Currency, Money, Rounding};

/// Digits before and after the point at most.
const WHOLE_MAX: usize = 9;
const DECIMALS_MAX: usize = 12;

/// Units of the balance's currency for one unit of what the payee receives: `3.7100` AED for
/// one USD.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FxRate {
    text: String,
    digits: i128,
    decimals: u32,
}

impl FxRate {
    /// Reads a decimal above zero, such as `3.7100`.
    pub fn parse(text: &str) -> Option<FxRate> {
        let (whole, decimals) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (text, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let fine = (1..=WHOLE_MAX).contains(&whole.len())
            && decimals.len() <= DECIMALS_MAX
            && digits(whole)
            && digits(decimals)
            && (whole.len() == 1 || !whole.starts_with('0'));
        let value: i128 = format!("{whole}{decimals}").parse().ok()?;
        let places = u32::try_from(decimals.len()).ok()?;
        (fine && value > 0).then(|| FxRate {
            text: text.to_owned(),
            digits: value,
            decimals: places,
        })
    }

    /// What `amount` comes to, half-even on the target; none where it does not fit.
    pub fn convert(&self, amount: Money, into: Currency) -> Option<Money> {
        let ten = |power: u32| 10_i128.checked_pow(power);
        let scale = ten(into.exponent() + self.decimals)?;
        let numerator = i128::from(amount.minor()).checked_mul(scale)?;
        let denominator = self.digits.checked_mul(ten(amount.currency().exponent())?)?;
        let minor = Rounding::HalfEven.divide(numerator, denominator);
        Some(Money::new(i64::try_from(minor).ok()?, into))
    }
}

impl fmt::Display for FxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn conversions_are_exact_and_halves_go_to_the_even_neighbour() {
        let converts = |rate: &str, minor, from, into| {
            FxRate::parse(rate).unwrap().convert(Money::new(minor, from), into).unwrap().minor()
        };
        let (aed, usd) = (Currency::AED, Currency::USD);
        assert_eq!(converts("3.7100", 367_250, aed, usd), 98_989);
        assert_eq!(converts("2", 1, aed, usd), 0);
        assert_eq!(converts("2", 3, aed, usd), 2);
        assert_eq!(converts("12.0000", 12_350, Currency::AED, Currency::KWD), 10_292);
        assert_eq!(converts("0.0245", 1_000, aed, Currency::JPY), 408);
        assert_eq!(converts("1", i64::MAX, aed, aed), i64::MAX);
    }

    #[test]
    fn only_plain_decimals_above_zero_are_rates() {
        for text in ["", "0", "0.0", "-1", "1e3", "1.", ".5", "01", "1,5", "1.1234567890123"] {
            assert!(FxRate::parse(text).is_none(), "{text}");
        }
        assert_eq!(FxRate::parse("3.7100").unwrap().to_string(), "3.7100");
    }
}

//! PayTabs' amounts: decimals in major units with the digits of ISO 4217, both ways.
//!
//! A request holds a JSON number, an answer a text; neither ever becomes a float. The list of
//! currencies and the bounds are those of docs.paytabs.com (`cart_currency`, `cart_amount`).

use mizan_money::{Currency, Money};
use serde_json::value::RawValue;

use crate::amount::{WireAmountError, from_decimal, to_decimal};
use crate::error::BuildError;

/// Currencies that PayTabs takes.
pub const CURRENCIES: &[&str] = &[
    "AED", "BHD", "EGP", "EUR", "GBP", "HKD", "IDR", "INR", "IQD", "JOD", "JPY", "KWD", "MAD",
    "OMR", "PKR", "QAR", "SAR", "USD",
];

/// An amount as it stands in a request.
#[derive(Debug, Clone)]
pub struct WireAmount {
    /// In major units: `12.50`.
    pub number: Box<RawValue>,
    /// Upper case.
    pub currency: &'static str,
}

/// The number of decimals of a currency; none where PayTabs does not take it.
pub fn exponent(currency: Currency) -> Option<u32> {
    CURRENCIES.contains(&currency.code()).then(|| currency.exponent())
}

/// Least and greatest amount in minor units, for so many decimals: 0.01 to 9,999,999,999.99.
const fn bounds(decimals: u32) -> (i64, i64) {
    match decimals {
        0 => (1, 9_999_999_999),
        3 => (10, 9_999_999_999_990),
        _ => (1, 999_999_999_999),
    }
}

/// Our minor units → PayTabs' number.
///
/// # Errors
/// [`BuildError::Amount`] when the currency is not taken there or the amount is outside the
/// bounds.
pub fn to_wire_amount(money: Money) -> Result<WireAmount, BuildError> {
    let refuse = |rule| BuildError::Amount { provider: "paytabs", amount: money.to_string(), rule };
    let decimals =
        exponent(money.currency()).ok_or_else(|| refuse("it does not take this currency"))?;
    let (least, greatest) = bounds(decimals);
    if !(least..=greatest).contains(&money.minor()) {
        return Err(refuse("an amount is 0.01 to 9999999999.99"));
    }
    let text = to_decimal(money, decimals).map_err(|_| refuse("it cannot be said exactly"))?;
    let number = RawValue::from_string(text).map_err(|_| refuse("it cannot be said in JSON"))?;
    Ok(WireAmount { number, currency: money.currency().code() })
}

/// PayTabs' decimal → our minor units. Signs are kept; the code is read without case.
///
/// # Errors
/// When the currency is not known there, or the amount is no decimal, finer or larger than ours.
pub fn from_wire_amount(text: &str, code: &str) -> Result<Money, WireAmountError> {
    let known = Currency::parse(&code.to_ascii_uppercase()).ok();
    let known = known.filter(|currency| exponent(*currency).is_some());
    from_decimal(text, known.ok_or_else(|| WireAmountError::currency(code))?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap())
    }

    fn wire(minor: i64, code: &str) -> Option<String> {
        to_wire_amount(money(minor, code)).ok().map(|wire| wire.number.get().to_owned())
    }

    #[test]
    fn decimals_are_those_of_iso_4217() {
        for code in CURRENCIES {
            let expected = match *code {
                "BHD" | "IQD" | "JOD" | "KWD" | "OMR" => 3,
                "JPY" => 0,
                _ => 2,
            };
            assert_eq!(exponent(Currency::parse(code).unwrap()), Some(expected), "{code}");
        }
    }

    #[test]
    fn an_amount_is_a_decimal_both_ways() {
        for (minor, code, text) in [
            (50_000, "USD", "500.00"),
            (1, "AED", "0.01"),
            (12_345, "KWD", "12.345"),
            (10, "KWD", "0.010"),
            (500, "JPY", "500"),
            (999_999_999_999, "SAR", "9999999999.99"),
        ] {
            assert_eq!(wire(minor, code).as_deref(), Some(text));
            assert_eq!(from_wire_amount(text, code), Ok(money(minor, code)));
        }
        assert_eq!(from_wire_amount("1", "sar"), Ok(money(100, "SAR")));
        assert_eq!(from_wire_amount("1.500", "AED"), Ok(money(150, "AED")));
    }

    #[test]
    fn what_is_outside_the_bounds_or_not_taken_is_refused() {
        for (minor, code) in [
            (0, "AED"),
            (-1, "AED"),
            (9, "KWD"),
            (1_000_000_000_000, "AED"),
            (10_000_000_000, "JPY"),
            (9_999_999_999_991, "KWD"),
            (100, "AFN"),
        ] {
            assert_eq!(wire(minor, code), None, "{minor} {code}");
        }
        for (text, code) in [("1.005", "AED"), ("1", "ZZZ"), ("1", "AFN"), ("1e3", "AED")] {
            assert!(from_wire_amount(text, code).is_err(), "{text} {code}");
        }
    }

    proptest! {
        #[test]
        fn what_can_be_sent_comes_back_the_same(
            minor in 1_i64..=10_000_000_000_000,
            which in 0_usize..400,
        ) {
            let all: Vec<Currency> = Currency::all().collect();
            let asked = Money::new(minor, all[which % all.len()]);
            if let Ok(wire) = to_wire_amount(asked) {
                prop_assert_eq!(from_wire_amount(wire.number.get(), wire.currency), Ok(asked));
            }
        }
    }
}

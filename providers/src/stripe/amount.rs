//! Stripe's amounts: its own exponents, both ways, refusing whatever would lose precision.
//!
//! Stripe's exponents are not those of ISO 4217 (docs.stripe.com/currencies): ISK and UGX have
//! two decimals there that must be zero, MGA has none, and amounts with three decimals must end
//! in 0. Every currency not listed there has two decimals.

use mizan_money::{Currency, Money};

use crate::amount::{Fault, WireAmountError, rescale};
use crate::error::BuildError;

/// Currencies that Stripe counts in whole units.
const ZERO_DECIMAL: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];

/// Currencies that Stripe counts in thousandths, the last digit being zero.
const THREE_DECIMAL: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];

/// Currencies that Stripe counts in hundredths though they have none: multiples of 100 only.
const WHOLE_UNITS_IN_HUNDREDTHS: &[&str] = &["ISK", "UGX"];

/// Currencies that Stripe pays out in whole units only.
const PAID_OUT_IN_WHOLE_UNITS: &[&str] = &["HUF", "TWD"];

/// The most digits an amount may have at Stripe.
const MAX_WIRE_AMOUNT: i64 = 999_999_999_999;

/// An amount as Stripe counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireAmount {
    /// In Stripe's unit of the currency.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
}

/// The number of decimals Stripe counts a currency in.
pub fn exponent(currency: Currency) -> u32 {
    let code = currency.code();
    if ZERO_DECIMAL.contains(&code) {
        0
    } else if THREE_DECIMAL.contains(&code) {
        3
    } else {
        2
    }
}

/// The step in which Stripe takes amounts of a currency, in ISO 4217 minor units.
pub fn step(currency: Currency) -> i64 {
    match THREE_DECIMAL.contains(&currency.code()) {
        true => 10,
        false => 10_i64.pow(currency.exponent().saturating_sub(exponent(currency))),
    }
}

/// Our minor units → Stripe's unit.
///
/// # Errors
/// [`BuildError::Amount`] when it is not greater than zero, has more than twelve digits there, or
/// would lose precision.
pub fn to_wire_amount(money: Money) -> Result<WireAmount, BuildError> {
    let refuse = |rule| BuildError::Amount { provider: "stripe", amount: money.to_string(), rule };
    let currency = money.currency();
    if !money.is_positive() {
        return Err(refuse("an amount is greater than zero"));
    }
    let amount = rescale(money.minor(), currency.exponent(), exponent(currency)).map_err(
        |fault| match fault {
            Fault::Finer => refuse("it has fewer decimals for this currency"),
            Fault::TooLarge => refuse("an amount has at most twelve digits"),
        },
    )?;
    if THREE_DECIMAL.contains(&currency.code()) && amount % 10 != 0 {
        return Err(refuse("the third decimal of this currency must be 0"));
    }
    if WHOLE_UNITS_IN_HUNDREDTHS.contains(&currency.code()) && amount % 100 != 0 {
        return Err(refuse("only whole units of this currency"));
    }
    if amount > MAX_WIRE_AMOUNT {
        return Err(refuse("an amount has at most twelve digits"));
    }
    Ok(WireAmount { amount, currency: currency.code().to_ascii_lowercase() })
}

/// The amount of a payout: some currencies are paid out in whole units only.
///
/// # Errors
/// As [`to_wire_amount`], and [`BuildError::Amount`] for a part of a unit of those.
pub fn to_payout_amount(money: Money) -> Result<WireAmount, BuildError> {
    let wire = to_wire_amount(money)?;
    if PAID_OUT_IN_WHOLE_UNITS.contains(&money.currency().code()) && wire.amount % 100 != 0 {
        let rule = "it pays out whole units of this currency only";
        return Err(BuildError::Amount { provider: "stripe", amount: money.to_string(), rule });
    }
    Ok(wire)
}

/// Stripe's unit → our minor units. Signs are kept: balance rows and returned fees are negative.
///
/// # Errors
/// When the currency is not known, or the amount is finer or larger than ours can be.
pub fn from_wire_amount(amount: i64, code: &str) -> Result<Money, WireAmountError> {
    let currency =
        Currency::parse(&code.to_ascii_uppercase()).map_err(|_| WireAmountError::currency(code))?;
    let minor = rescale(amount, exponent(currency), currency.exponent())
        .map_err(|fault| fault.of(amount, currency))?;
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap())
    }

    fn wire(minor: i64, code: &str) -> Result<i64, BuildError> {
        to_wire_amount(money(minor, code)).map(|wire| wire.amount)
    }

    #[test]
    fn the_tables_are_those_that_stripe_documents() {
        let text = include_str!("../../fixtures/stripe/currency_exponents.json");
        let documented: Value = serde_json::from_str(text).unwrap();
        let list = |name: &str| -> Vec<String> {
            serde_json::from_value(documented[name].clone()).unwrap()
        };
        assert_eq!(list("zero_decimal"), ZERO_DECIMAL);
        assert_eq!(list("three_decimal_last_digit_must_be_zero"), THREE_DECIMAL);
        let special = list("two_decimal_but_must_be_multiple_of_100");
        assert_eq!(special, WHOLE_UNITS_IN_HUNDREDTHS);
    }

    #[test]
    fn stripes_exponents_win_over_those_of_iso() {
        for (minor, code, expected) in [
            (52_500, "AED", 52_500),
            (500, "JPY", 500),
            (5, "ISK", 500),
            (5, "UGX", 500),
            (500, "MGA", 5),
            (5_120, "KWD", 5_120),
        ] {
            assert_eq!(wire(minor, code), Ok(expected), "{code}");
            assert_eq!(from_wire_amount(expected, code), Ok(money(minor, code)), "{code}");
        }
    }

    #[test]
    fn what_would_lose_precision_is_refused() {
        for (minor, code) in [(5_124, "KWD"), (501, "MGA"), (0, "AED"), (-1, "AED")] {
            assert!(wire(minor, code).is_err(), "{minor} {code}");
        }
        for (amount, code) in [(501, "isk"), (499, "ugx")] {
            assert!(from_wire_amount(amount, code).is_err(), "{amount} {code}");
        }
        assert!(wire(1_000_000_000_000, "AED").is_err());
        assert!(from_wire_amount(1, "zzz").is_err() && from_wire_amount(1, "").is_err());
        assert!(from_wire_amount(i64::MAX, "mga").is_err());
    }

    #[test]
    fn some_currencies_are_paid_out_in_whole_units() {
        for (minor, code, fits) in [(500, "HUF", true), (550, "TWD", false), (550, "AED", true)] {
            assert_eq!(to_payout_amount(money(minor, code)).is_ok(), fits, "{minor} {code}");
        }
    }

    proptest! {
        #[test]
        fn what_can_be_sent_comes_back_the_same(
            minor in 1_i64..=1_000_000_000_000,
            which in 0_usize..400,
        ) {
            let all: Vec<Currency> = Currency::all().collect();
            let asked = Money::new(minor, all[which % all.len()]);
            if let Ok(wire) = to_wire_amount(asked) {
                prop_assert_eq!(from_wire_amount(wire.amount, &wire.currency), Ok(asked));
            }
        }

        #[test]
        fn any_amount_is_read_exactly_or_refused(amount: i64, which in 0_usize..400) {
            let all: Vec<Currency> = Currency::all().collect();
            let currency = all[which % all.len()];
            if let Ok(money) = from_wire_amount(amount, currency.code()) {
                let back = rescale(money.minor(), currency.exponent(), exponent(currency));
                prop_assert_eq!(back.ok(), Some(amount));
            }
        }
    }
}

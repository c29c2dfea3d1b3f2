//! Razorpay's amounts: its own exponents, both ways, refusing whatever would lose precision.
//!
//! Its list of currencies (razorpay.com/docs/payments/international-payments) is closed: a code
//! that is not on it cannot be charged. Amounts with three decimals must end in 0. Unlike at
//! Stripe, ISK and UGX have no decimals and MGA has two.

use mizan_money::{Currency, Money};

use crate::amount::{Fault, WireAmountError, rescale};
use crate::error::BuildError;

/// Currencies that Razorpay counts in whole units.
const ZERO_DECIMAL: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];

/// Currencies that Razorpay counts in hundredths.
const TWO_DECIMAL: &[&str] = &[
    "AED", "ALL", "AMD", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BMD", "BND", "BOB",
    "BRL", "BSD", "BTN", "BWP", "BZD", "CAD", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK",
    "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD", "GBP", "GHS", "GIP", "GMD", "GTQ", "GYD",
    "HKD", "HNL", "HRK", "HTG", "HUF", "IDR", "ILS", "INR", "JMD", "KES", "KGS", "KHR", "KYD",
    "KZT", "LAK", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MUR",
    "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PEN", "PGK",
    "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SCR", "SEK", "SGD", "SLL", "SOS",
    "SVC", "SZL", "THB", "TRY", "TTD", "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "XCD", "YER",
    "ZAR", "ZMW",
];

/// Currencies that Razorpay counts in thousandths, the last digit being zero.
const THREE_DECIMAL: &[&str] = &["BHD", "IQD", "JOD", "KWD", "OMR", "TND"];

/// The least an order in rupees may be, in paise (razorpay.com/docs/api/orders/create).
const INR_MIN: i64 = 100;

/// An amount as Razorpay counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireAmount {
    /// In Razorpay's unit of the currency.
    pub amount: i64,
    /// Upper case.
    pub currency: &'static str,
}

/// The number of decimals Razorpay counts a currency in; none where it does not take it.
pub fn exponent(currency: Currency) -> Option<u32> {
    let code = currency.code();
    [(ZERO_DECIMAL, 0), (TWO_DECIMAL, 2), (THREE_DECIMAL, 3)]
        .into_iter()
        .find_map(|(list, exponent)| list.contains(&code).then_some(exponent))
}

/// The step in which Razorpay takes amounts of a currency, in ISO 4217 minor units.
pub fn step(currency: Currency) -> i64 {
    let theirs = exponent(currency).unwrap_or(currency.exponent());
    match THREE_DECIMAL.contains(&currency.code()) {
        true => 10,
        false => 10_i64.pow(currency.exponent().saturating_sub(theirs)),
    }
}

/// Our minor units → Razorpay's unit.
///
/// # Errors
/// [`BuildError::Amount`] when it is not greater than zero, the currency is not taken there, or
/// it would lose precision.
pub fn to_wire_amount(money: Money) -> Result<WireAmount, BuildError> {
    let refuse =
        |rule| BuildError::Amount { provider: "razorpay", amount: money.to_string(), rule };
    let currency = money.currency();
    if !money.is_positive() {
        return Err(refuse("an amount is greater than zero"));
    }
    let theirs = exponent(currency).ok_or_else(|| refuse("it does not take this currency"))?;
    let amount =
        rescale(money.minor(), currency.exponent(), theirs).map_err(|fault| match fault {
            Fault::Finer => refuse("it has fewer decimals for this currency"),
            Fault::TooLarge => refuse("it is too large"),
        })?;
    if theirs == 3 && amount % 10 != 0 {
        return Err(refuse("the third decimal of this currency must be 0"));
    }
    Ok(WireAmount { amount, currency: currency.code() })
}

/// The amount of an order, which has a least amount where it is in rupees.
///
/// # Errors
/// As [`to_wire_amount`], and [`BuildError::Amount`] below 1.00 INR.
pub fn to_order_amount(money: Money) -> Result<WireAmount, BuildError> {
    let wire = to_wire_amount(money)?;
    if wire.currency == "INR" && wire.amount < INR_MIN {
        let rule = "an order is for at least 1.00 INR";
        return Err(BuildError::Amount { provider: "razorpay", amount: money.to_string(), rule });
    }
    Ok(wire)
}

/// The amount of a payout or a transfer, in paise: both are in rupees, from 1.00 INR on.
///
/// # Errors
/// As [`to_order_amount`], and [`BuildError::Amount`] for another currency.
pub fn to_rupees(money: Money) -> Result<i64, BuildError> {
    let wire = to_order_amount(money)?;
    if wire.currency != "INR" {
        let rule = "payouts and transfers are in INR";
        return Err(BuildError::Amount { provider: "razorpay", amount: money.to_string(), rule });
    }
    Ok(wire.amount)
}

/// Razorpay's unit → our minor units. Signs are kept.
///
/// # Errors
/// When the currency is not known, or the amount is finer or larger than ours can be.
pub fn from_wire_amount(amount: i64, code: &str) -> Result<Money, WireAmountError> {
    let known = Currency::parse(&code.to_ascii_uppercase()).ok();
    let known = known.and_then(|currency| Some((currency, exponent(currency)?)));
    let (currency, theirs) = known.ok_or_else(|| WireAmountError::currency(code))?;
    let minor =
        rescale(amount, theirs, currency.exponent()).map_err(|fault| fault.of(amount, currency))?;
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap())
    }

    fn wire(minor: i64, code: &str) -> Option<i64> {
        to_wire_amount(money(minor, code)).ok().map(|wire| wire.amount)
    }

    #[test]
    fn the_tables_are_those_that_razorpay_documents() {
        let text = include_str!("../../fixtures/razorpay/currency_exponents.json");
        let documented: Value = serde_json::from_str(text).unwrap();
        let documented: BTreeMap<String, u32> =
            serde_json::from_value(documented["exponents"].clone()).unwrap();
        let ours: BTreeMap<String, u32> = [(ZERO_DECIMAL, 0), (TWO_DECIMAL, 2), (THREE_DECIMAL, 3)]
            .into_iter()
            .flat_map(|(list, exponent)| list.iter().map(move |code| ((*code).into(), exponent)))
            .collect();
        assert_eq!(ours, documented);
    }

    #[test]
    fn razorpays_exponents_are_its_own() {
        for (minor, code, expected) in [
            (52_500, "INR", 52_500),
            (52_500, "AED", 52_500),
            (500, "JPY", 500),
            (5, "ISK", 5),
            (5, "UGX", 5),
            (500, "MGA", 500),
            (5_120, "KWD", 5_120),
        ] {
            assert_eq!(wire(minor, code), Some(expected), "{code}");
            assert_eq!(from_wire_amount(expected, code), Ok(money(minor, code)), "{code}");
        }
    }

    #[test]
    fn what_would_lose_precision_or_is_not_taken_is_refused() {
        for (minor, code) in [(99_991, "KWD"), (0, "INR"), (-1, "INR"), (100, "AFN")] {
            assert_eq!(wire(minor, code), None, "{minor} {code}");
        }
        assert!(to_order_amount(money(99, "INR")).is_err());
        assert!(to_order_amount(money(100, "INR")).is_ok());
        assert!(to_order_amount(money(1, "AED")).is_ok());
        assert!(to_rupees(money(100, "INR")).is_ok() && to_rupees(money(100, "AED")).is_err());
        for code in ["ZZZ", "", "AFN"] {
            assert!(from_wire_amount(1, code).is_err(), "{code}");
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
                prop_assert_eq!(from_wire_amount(wire.amount, wire.currency), Ok(asked));
            }
        }
    }
}

//! PayPal's amounts: decimal text in major units, refusing whatever would lose precision.
//!
//! The list of currencies is closed (developer.paypal.com/api/rest/reference/currency-codes). HUF,
//! JPY and TWD take no decimals, though HUF and TWD have two in ISO 4217. The currencies of the
//! Gulf are not on the list.

use mizan_money::{Currency, Money};
use serde::Serialize;

use crate::amount::{Fault, WireAmountError, from_decimal, to_decimal};
use crate::error::BuildError;

/// Currencies that PayPal takes no decimals of.
const NO_DECIMALS: &[&str] = &["HUF", "JPY", "TWD"];

/// Currencies that PayPal takes two decimals of; CNY and INR inside their countries only.
const TWO_DECIMALS: &[&str] = &[
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "ILS", "INR", "MXN",
    "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "USD",
];

/// An amount as orders say it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WireAmount {
    /// Upper case.
    pub currency_code: &'static str,
    /// In major units.
    pub value: String,
}

/// The number of decimals PayPal takes of a currency; none where it does not take it.
pub fn exponent(currency: Currency) -> Option<u32> {
    let code = currency.code();
    [(NO_DECIMALS, 0), (TWO_DECIMALS, 2)]
        .into_iter()
        .find_map(|(list, exponent)| list.contains(&code).then_some(exponent))
}

/// Our minor units → PayPal's text.
///
/// # Errors
/// [`BuildError::Amount`] when it is not greater than zero or would lose precision;
/// [`BuildError::Unsupported`] when the currency is not taken there.
pub fn to_wire_amount(money: Money) -> Result<WireAmount, BuildError> {
    let refuse = |rule| BuildError::Amount { provider: "paypal", amount: money.to_string(), rule };
    let currency = money.currency();
    let what = "a payment in this currency";
    let theirs = exponent(currency).ok_or(BuildError::Unsupported { provider: "paypal", what })?;
    if !money.is_positive() {
        return Err(refuse("an amount is greater than zero"));
    }
    let value = to_decimal(money, theirs).map_err(|fault| match fault {
        Fault::Finer => refuse("it takes no decimals of this currency"),
        Fault::TooLarge => refuse("it is too large"),
    })?;
    Ok(WireAmount { currency_code: currency.code(), value })
}

/// PayPal's text → our minor units, with any number of decimals and a sign. Text in major units is
/// plain in every currency of ISO 4217, so no list is asked.
///
/// # Errors
/// When the currency is not known, or the text is no amount that ours can be.
pub fn from_wire_amount(value: &str, code: &str) -> Result<Money, WireAmountError> {
    let currency = Currency::parse(code).map_err(|_| WireAmountError::currency(code))?;
    from_decimal(value, currency)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap())
    }

    #[test]
    fn paypals_decimals_are_its_own() {
        for (minor, code, text) in [
            (10_000, "USD", "100.00"),
            (5, "EUR", "0.05"),
            (1_500, "JPY", "1500"),
            (4_900, "HUF", "49"),
            (10_000, "TWD", "100"),
        ] {
            let wire = to_wire_amount(money(minor, code)).unwrap();
            assert_eq!((wire.value.as_str(), wire.currency_code), (text, code));
            assert_eq!(from_wire_amount(text, code), Ok(money(minor, code)));
        }
    }

    #[test]
    fn what_would_lose_precision_or_is_not_taken_is_refused() {
        let code = |minor, code| to_wire_amount(money(minor, code)).unwrap_err().code();
        assert_eq!(code(4_990, "HUF"), "amount_not_representable");
        assert_eq!(code(1, "TWD"), "amount_not_representable");
        assert_eq!(code(0, "USD"), "amount_not_representable");
        assert_eq!(code(-1, "USD"), "amount_not_representable");
        for gulf in ["AED", "SAR", "QAR", "KWD", "BHD", "OMR", "JOD", "EGP"] {
            assert_eq!(code(1_000, gulf), "unsupported_by_provider", "{gulf}");
        }
    }

    #[test]
    fn incoming_texts_have_any_number_of_decimals_and_a_sign() {
        for (text, minor) in
            [("1.0", 100), ("2.5", 250), ("12", 1_200), ("0", 0), ("-13.79", -1_379)]
        {
            assert_eq!(from_wire_amount(text, "USD"), Ok(money(minor, "USD")), "{text}");
        }
        for (text, code) in
            [("1.005", "USD"), ("1.5", "JPY"), ("1", "usd"), ("1", "ZZZ"), ("", "USD")]
        {
            assert!(from_wire_amount(text, code).is_err(), "{text} {code}");
        }
    }

    proptest! {
        #[test]
        fn what_can_be_sent_comes_back_the_same(minor in 1_i64..=i64::MAX, which in 0_usize..400) {
            let all: Vec<Currency> = Currency::all().collect();
            let asked = Money::new(minor, all[which % all.len()]);
            if let Ok(wire) = to_wire_amount(asked) {
                prop_assert_eq!(from_wire_amount(&wire.value, wire.currency_code), Ok(asked));
            }
        }
    }
}

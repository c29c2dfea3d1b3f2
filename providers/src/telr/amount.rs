//! Telr's amounts: decimal text in major units, with as many decimals as ISO 4217 gives.
//!
//! What Telr does with a third decimal is published nowhere; its own shop plug-ins round every
//! currency to two, or send what the shop has. So all of ISO's decimals are sent, unless the
//! connection says that its account takes two: then what would be lost is refused.

use mizan_money::{Currency, Money};

use crate::amount::{Fault, WireAmountError, from_decimal, to_decimal};
use crate::error::BuildError;

/// The currencies that Telr's own plug-in for WooCommerce offers.
pub const CURRENCIES: &[&str] = &[
    "AED", "BHD", "CAD", "EGP", "EUR", "GBP", "IDR", "INR", "JOD", "JPY", "KHR", "KWD", "MYR",
    "OMR", "PHP", "QAR", "SAR", "SGD", "THB", "USD", "VND",
];

/// How many decimals are sent; none where Telr does not take the currency.
pub fn exponent(currency: Currency, two_decimals: bool) -> Option<u32> {
    let bound = if two_decimals { 2 } else { u32::MAX };
    CURRENCIES.contains(&currency.code()).then(|| currency.exponent().min(bound))
}

/// An amount as it is sent.
///
/// # Errors
/// When it is not greater than zero, Telr does not take the currency, or digits would be lost.
pub fn to_wire(money: Money, two_decimals: bool) -> Result<String, BuildError> {
    let refuse = |rule| BuildError::Amount { provider: "telr", amount: money.to_string(), rule };
    if !money.is_positive() {
        return Err(refuse("an amount is greater than zero"));
    }
    let decimals = exponent(money.currency(), two_decimals)
        .ok_or_else(|| refuse("it does not take this currency"))?;
    to_decimal(money, decimals).map_err(|fault| match fault {
        Fault::Finer => refuse("the account takes two decimals only"),
        Fault::TooLarge => refuse("it is too large"),
    })
}

/// An amount as it came, in a currency that Telr takes.
///
/// # Errors
/// When the currency is not one of those, or the text is no amount in it.
pub fn from_wire(text: &str, code: &str) -> Result<Money, WireAmountError> {
    let code = code.trim();
    let currency = Currency::parse(code).ok().filter(|_| CURRENCIES.contains(&code));
    from_decimal(text.trim(), currency.ok_or_else(|| WireAmountError::currency(code))?)
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
    fn an_amount_has_the_decimals_of_its_currency() {
        for (minor, code, text) in [
            (5_450, "AED", "54.50"),
            (1_234, "KWD", "1.234"),
            (500, "JPY", "500"),
            (5, "IDR", "0.05"),
        ] {
            assert_eq!(to_wire(money(minor, code), false).unwrap(), text);
            assert_eq!(from_wire(text, code).unwrap(), money(minor, code));
        }
        assert_eq!(to_wire(money(1_230, "KWD"), true).unwrap(), "1.23");
        assert_eq!(from_wire("1.23", "KWD").unwrap(), money(1_230, "KWD"));
    }

    #[test]
    fn what_would_be_lost_or_is_not_taken_is_refused() {
        for (money, two) in [
            (money(1_234, "BHD"), true),
            (money(0, "AED"), false),
            (money(-1, "AED"), false),
            (money(100, "ZAR"), false),
        ] {
            assert_eq!(to_wire(money, two).unwrap_err().code(), "amount_not_representable");
        }
        for (text, code) in
            [("1.005", "AED"), ("1,00", "AED"), ("1", "ZAR"), ("1", "aed"), ("", "AED")]
        {
            assert!(from_wire(text, code).is_err(), "{text} {code}");
        }
    }

    #[test]
    fn every_currency_of_the_table_is_one() {
        let exponents = CURRENCIES.iter().map(|code| Currency::parse(code).unwrap().exponent());
        assert_eq!(exponents.sum::<u32>(), 42 - 2 * 2 + 4);
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_back(
            minor in 1_i64..=i64::MAX,
            which in 0..CURRENCIES.len(),
            two: bool,
        ) {
            let asked = money(minor, CURRENCIES[which]);
            if let Ok(text) = to_wire(asked, two) {
                prop_assert_eq!(from_wire(&text, asked.currency().code()), Ok(asked));
            }
        }
    }
}

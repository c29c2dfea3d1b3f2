//! Amounts as PayPal writes them: decimal text in major units, with the digits PayPal allows.
//!
//! HUF, JPY and TWD have no decimals here, whatever ISO 4217 says; all others have two.

use mizan_money::Currency;
use serde_json::{Value, json};

use super::error::Error;

/// The currencies that PayPal takes. Those of the Gulf are not among them.
const CURRENCIES: [&str; 25] = [
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR",
    "JPY", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD",
];
/// Sold for INR only within India, which this account is not in.
const DOMESTIC: &str = "INR";
const WITHOUT_DECIMALS: [&str; 3] = ["HUF", "JPY", "TWD"];
const CHARS_MAX: usize = 32;

/// How many decimals PayPal writes.
fn decimals(currency: Currency) -> usize {
    if WITHOUT_DECIMALS.contains(&currency.code()) { 0 } else { 2 }
}

/// The units that PayPal can write of one major unit.
pub fn units_per_major(currency: Currency) -> i64 {
    if decimals(currency) == 0 { 1 } else { 100 }
}

/// How many minor units the smallest amount that PayPal can write has.
pub fn minor_per_unit(currency: Currency) -> i64 {
    (currency.minor_per_major() / units_per_major(currency)).max(1)
}

/// Minor units as decimal text, with a sign below zero.
pub fn write(minor: i64, currency: Currency) -> String {
    let units = minor / minor_per_unit(currency);
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    match decimals(currency) {
        0 => format!("{sign}{units}"),
        _ => format!("{sign}{}.{:02}", units / 100, units % 100),
    }
}

/// An amount of the newer APIs.
pub fn money(minor: i64, currency: Currency) -> Value {
    json!({ "currency_code": currency.code(), "value": write(minor, currency) })
}

/// An amount of payouts.
pub fn older(minor: i64, currency: Currency) -> Value {
    json!({ "currency": currency.code(), "value": write(minor, currency) })
}

/// A currency that PayPal takes.
fn currency(amount: &Value, field: &str) -> Result<Currency, Error> {
    let name = if amount["currency_code"].is_null() { "currency" } else { "currency_code" };
    let field = format!("{field}/{name}");
    let code = amount[name].as_str().ok_or_else(|| Error::missing_field(&field))?;
    let unknown = || {
        let text = "Currency code is invalid or is not currently supported.";
        Error::invalid("INVALID_CURRENCY_CODE", &field, text)
    };
    let known = Currency::parse(code).map_err(|_| unknown())?;
    if !CURRENCIES.contains(&code) || code == DOMESTIC {
        let text = "Currency code is not currently supported.";
        return Err(Error::issue("CURRENCY_NOT_SUPPORTED", text).at(&field));
    }
    Ok(known)
}

/// An amount above zero, in minor units, with its currency.
pub fn read(amount: &Value, field: &str) -> Result<(i64, Currency), Error> {
    let (minor, currency) = read_any(amount, field)?;
    if minor == 0 {
        let text = "Must be greater than zero.";
        return Err(Error::issue("CANNOT_BE_ZERO_OR_NEGATIVE", text).at(&format!("{field}/value")));
    }
    Ok((minor, currency))
}

/// An amount, which may be zero.
pub fn read_any(amount: &Value, field: &str) -> Result<(i64, Currency), Error> {
    if !amount.is_object() {
        return Err(Error::missing_field(field));
    }
    let currency = currency(amount, field)?;
    let field = format!("{field}/value");
    let text = amount["value"].as_str().ok_or_else(|| Error::missing_field(&field))?;
    let malformed = || {
        let text = "The value of a field does not conform to the expected format.";
        Error::invalid("INVALID_PARAMETER_SYNTAX", &field, text)
    };
    if let Some(rest) = text.strip_prefix('-')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        let text = "Must be greater than zero.";
        return Err(Error::issue("CANNOT_BE_ZERO_OR_NEGATIVE", text).at(&field));
    }
    let (major, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let dangles = text.ends_with('.');
    let fits = text.len() <= CHARS_MAX && !dangles && !major.is_empty();
    if !fits || !digits(major) || !digits(rest) {
        return Err(malformed());
    }
    if decimals(currency) == 0 && !rest.is_empty() {
        let text = "Currency does not support decimals.";
        return Err(Error::issue("DECIMALS_NOT_SUPPORTED", text).at(&field));
    }
    if rest.len() > decimals(currency) {
        let text = "The value of the field should not be more than two decimal places.";
        return Err(Error::issue("DECIMAL_PRECISION", text).at(&field));
    }
    let padded = format!("{major}{rest:0<width$}", width = decimals(currency));
    let units: i64 = padded.parse().map_err(|_| malformed())?;
    let minor = units.checked_mul(minor_per_unit(currency)).ok_or_else(malformed)?;
    Ok((minor, currency))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_minor_units_and_text_again() {
        let cases = [
            ("USD", "100.00", 10_000, "100.00"),
            ("USD", "1.0", 100, "1.00"),
            ("USD", "12", 1_200, "12.00"),
            ("JPY", "1500", 1_500, "1500"),
            ("HUF", "49", 4_900, "49"),
            ("TWD", "7", 700, "7"),
        ];
        for (code, text, minor, again) in cases {
            let amount = json!({ "currency_code": code, "value": text });
            let (read, currency) = read(&amount, "/amount").unwrap();
            assert_eq!(read, minor, "{code} {text}");
            assert_eq!(write(minor, currency), again);
        }
        assert_eq!(write(-1_379, Currency::USD), "-13.79");
        assert_eq!(write(-5, Currency::USD), "-0.05");
    }

    #[test]
    fn what_paypal_cannot_write_is_refused_with_its_own_words() {
        let cases = [
            ("JPY", "10.00", "DECIMALS_NOT_SUPPORTED"),
            ("HUF", "49.90", "DECIMALS_NOT_SUPPORTED"),
            ("USD", "1.001", "DECIMAL_PRECISION"),
            ("USD", "0.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
            ("USD", "-1.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
            ("USD", "1,000.00", "INVALID_PARAMETER_SYNTAX"),
            ("USD", "1.", "INVALID_PARAMETER_SYNTAX"),
            ("USD", "", "INVALID_PARAMETER_SYNTAX"),
            ("AED", "10.00", "CURRENCY_NOT_SUPPORTED"),
            ("KWD", "10.000", "CURRENCY_NOT_SUPPORTED"),
            ("INR", "10.00", "CURRENCY_NOT_SUPPORTED"),
            ("usd", "10.00", "INVALID_CURRENCY_CODE"),
        ];
        for (code, text, issue) in cases {
            let refused = read(&json!({ "currency_code": code, "value": text }), "/amount");
            assert!(refused.unwrap_err().names(issue), "{code} {text}");
        }
    }
}

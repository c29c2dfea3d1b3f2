//! Which amounts Stripe takes in which currency.

use mizan_money::Currency;

use super::wire::error::StripeError;

const LARGEST: i64 = 99_999_999;

const NO_DECIMALS: &[&str] = &[
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
    "XOF", "XPF",
];
const THREE_DECIMALS: &[&str] = &["BHD", "JOD", "KWD", "OMR", "TND"];
/// Two decimals on the wire, none in life.
const WHOLE_ONLY: &[&str] = &["ISK", "UGX"];

/// The smallest charge, in minor units, where Stripe's currency page has one.
const SMALLEST: &[(&str, i64)] = &[
    ("USD", 50),
    ("EUR", 50),
    ("AUD", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("NZD", 50),
    ("SGD", 50),
    ("INR", 50),
    ("ZAR", 50),
    ("GBP", 30),
    ("AED", 200),
    ("MYR", 200),
    ("PLN", 200),
    ("RON", 200),
    ("HKD", 400),
    ("JPY", 50),
    ("KRW", 50),
    ("THB", 1000),
    ("MXN", 1000),
    ("HUF", 17_500),
    ("CZK", 1500),
    ("DKK", 250),
    ("NOK", 300),
    ("SEK", 300),
];

/// How many minor units one major unit has on the wire, by Stripe's rules and not by ISO's.
pub fn minor_per_major(code: &str) -> i64 {
    let code = code.to_ascii_uppercase();
    if NO_DECIMALS.contains(&code.as_str()) {
        1
    } else if THREE_DECIMALS.contains(&code.as_str()) {
        1000
    } else {
        100
    }
}

/// A currency code as Stripe writes it, in lower case.
///
/// # Errors
/// Not an active ISO 4217 code.
pub fn currency(text: &str) -> Result<String, StripeError> {
    let upper = text.to_ascii_uppercase();
    match Currency::parse(&upper) {
        Ok(_) => Ok(upper.to_ascii_lowercase()),
        Err(_) => {
            let message = format!("Invalid currency: {text}");
            Err(StripeError::param("currency", "parameter_invalid", &message))
        }
    }
}

/// Checks an amount to be charged, in minor units.
///
/// # Errors
/// Too small, too large, or finer than the currency allows.
pub fn check_charge(amount: i64, currency: &str) -> Result<(), StripeError> {
    let code = currency.to_ascii_uppercase();
    let smallest = SMALLEST.iter().find(|(other, _)| *other == code).map_or(1, |(_, least)| *least);
    if amount < smallest {
        let message = format!("The amount has to be at least {smallest} for {currency}.");
        return Err(StripeError::param("amount", "amount_too_small", &message));
    }
    if amount > LARGEST {
        let message = format!("The amount may be at most {LARGEST}.");
        return Err(StripeError::param("amount", "amount_too_large", &message));
    }
    check_step(amount, currency, "amount")
}

/// Checks that an amount is not finer than the currency allows.
///
/// # Errors
/// ISK and UGX that are not whole, three-decimal amounts whose last digit is not 0.
pub fn check_step(amount: i64, currency: &str, param: &str) -> Result<(), StripeError> {
    let code = currency.to_ascii_uppercase();
    if WHOLE_ONLY.contains(&code.as_str()) && amount % 100 != 0 {
        let message = format!("Amounts in {code} have to be divisible by 100.");
        let error = "invalid_charge_amount_no_decimal_compatible";
        return Err(StripeError::param(param, error, &message));
    }
    if THREE_DECIMALS.contains(&code.as_str()) && amount % 10 != 0 {
        let message = format!("Amounts in {code} have to end in 0.");
        return Err(StripeError::param(param, "parameter_invalid_integer", &message));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_steps_follow_the_currency() {
        let refused = |amount, currency: &str| {
            let refusal = check_charge(amount, currency).unwrap_err().envelope();
            refusal["error"]["code"].as_str().unwrap().to_owned()
        };
        assert_eq!(refused(199, "aed"), "amount_too_small");
        assert_eq!(refused(100_000_000, "aed"), "amount_too_large");
        assert_eq!(refused(550, "isk"), "invalid_charge_amount_no_decimal_compatible");
        assert_eq!(refused(550, "ugx"), "invalid_charge_amount_no_decimal_compatible");
        assert_eq!(refused(5124, "kwd"), "parameter_invalid_integer");
        for (amount, currency) in [(200, "aed"), (50, "jpy"), (5120, "kwd"), (500, "isk")] {
            assert!(check_charge(amount, currency).is_ok(), "{amount} {currency}");
        }
    }

    #[test]
    fn exponents_are_stripes_own() {
        assert_eq!(minor_per_major("mga"), 1);
        assert_eq!(minor_per_major("isk"), 100);
        assert_eq!(minor_per_major("kwd"), 1000);
    }
}

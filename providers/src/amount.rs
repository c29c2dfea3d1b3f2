//! Amounts on the wire: moving the decimal point exactly, or refusing.
//!
//! Each gateway has its own exponent table; what is done with the exponent is done here.

use mizan_money::{Currency, Money};

/// Why an amount of a gateway's cannot be told in ISO 4217 minor units.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireAmountError {
    /// Not a currency the gateway takes, or no active ISO 4217 currency with an exponent.
    #[error("the currency {code:?} is not known")]
    Currency {
        /// What came, cut to 10 characters.
        code: String,
    },
    /// Finer than the currency's own minor unit.
    #[error("{amount} is not a whole number of minor units of {currency}")]
    Finer {
        /// What came, cut to 40 characters.
        amount: String,
        /// The currency.
        currency: Currency,
    },
    /// Larger than can be held.
    #[error("{amount} {currency} is too large")]
    TooLarge {
        /// What came, cut to 40 characters.
        amount: String,
        /// The currency.
        currency: Currency,
    },
    /// Not a decimal number.
    #[error("an amount in {currency} is no decimal number")]
    NoNumber {
        /// The currency.
        currency: Currency,
    },
}

impl WireAmountError {
    /// A currency that is not known, by what came.
    pub fn currency(code: &str) -> Self {
        Self::Currency { code: code.chars().take(10).collect() }
    }
}

/// Why the decimal point could not be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Digits would be lost.
    Finer,
    /// It would not fit.
    TooLarge,
}

impl Fault {
    /// The same, with what could not be read.
    pub fn of(self, amount: impl ToString, currency: Currency) -> WireAmountError {
        let amount = amount.to_string().chars().take(40).collect();
        match self {
            Self::Finer => WireAmountError::Finer { amount, currency },
            Self::TooLarge => WireAmountError::TooLarge { amount, currency },
        }
    }
}

/// Moves the decimal point from `from` to `to` decimals, exactly or not at all.
///
/// # Errors
/// When digits would be lost or it would not fit.
pub fn rescale(amount: i64, from: u32, to: u32) -> Result<i64, Fault> {
    let shift = 10_i64.checked_pow(from.abs_diff(to)).ok_or(Fault::TooLarge)?;
    if to >= from {
        amount.checked_mul(shift).ok_or(Fault::TooLarge)
    } else if amount % shift == 0 {
        Ok(amount / shift)
    } else {
        Err(Fault::Finer)
    }
}

/// Minor units as decimal text in major units with `decimals` decimals: `12.50`, `-0.05`, `7`.
///
/// # Errors
/// When digits would be lost or it would not fit.
pub fn to_decimal(money: Money, decimals: u32) -> Result<String, Fault> {
    let amount = rescale(money.minor(), money.currency().exponent(), decimals)?;
    let sign = if amount < 0 { "-" } else { "" };
    let width = usize::try_from(decimals).map_err(|_| Fault::TooLarge)?;
    let digits = format!("{:0>1$}", amount.unsigned_abs(), width + 1);
    let (whole, part) = digits.split_at(digits.len() - width);
    Ok(if width == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

/// Decimal text in major units as minor units: any number of decimals, as long as those the
/// currency does not have are zero. No exponent, no separators, no blanks.
///
/// # Errors
/// When it is no decimal number, finer than the currency or too large.
pub fn from_decimal(text: &str, currency: Currency) -> Result<Money, WireAmountError> {
    let no_number = || WireAmountError::NoNumber { currency };
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && part.is_empty() || !digits(whole) || !digits(part) || text.len() > 40 {
        return Err(no_number());
    }
    let kept = usize::try_from(currency.exponent()).map_err(|_| no_number())?;
    let (part, rest) = part.split_at(part.len().min(kept));
    if rest.bytes().any(|b| b != b'0') {
        return Err(Fault::Finer.of(text, currency));
    }
    let all = format!("{whole}{part:0<kept$}");
    let too_large = |_| Fault::TooLarge.of(text, currency);
    let minor: i64 =
        format!("{}{all}", if negative { "-" } else { "" }).parse().map_err(too_large)?;
    Ok(Money::new(minor, currency))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn text_has_the_decimals_that_are_asked_for() {
        for (minor, code, decimals, text) in [
            (1_250, "AED", 2, "12.50"),
            (5, "AED", 2, "0.05"),
            (-5, "AED", 2, "-0.05"),
            (12_345, "KWD", 3, "12.345"),
            (500, "JPY", 0, "500"),
            (4_900, "HUF", 0, "49"),
            (0, "USD", 2, "0.00"),
        ] {
            let money = Money::new(minor, currency(code));
            assert_eq!(to_decimal(money, decimals).unwrap(), text);
            assert_eq!(from_decimal(text, currency(code)).unwrap(), money);
        }
        assert_eq!(to_decimal(Money::new(4_990, currency("HUF")), 0), Err(Fault::Finer));
    }

    #[test]
    fn texts_of_other_lengths_are_read_and_what_is_finer_is_refused() {
        let aed = currency("AED");
        for (text, minor) in [("1", 100), ("1.0", 100), ("2.5", 250), ("+1.500", 150), (".5", 50)] {
            assert_eq!(from_decimal(text, aed).unwrap().minor(), minor, "{text}");
        }
        for text in ["", ".", "-", "1,00", "1e3", " 1", "1.005", "--1", "1.0.0", "١"] {
            assert!(from_decimal(text, aed).is_err(), "{text}");
        }
        assert!(from_decimal("99999999999999999999", aed).is_err());
        assert_eq!(from_decimal("-92233720368547758.08", aed).unwrap().minor(), i64::MIN);
    }

    proptest! {
        #[test]
        fn whatever_can_be_said_is_read_back(minor in any::<i64>(), which in 0_usize..400) {
            let all: Vec<Currency> = Currency::all().collect();
            let money = Money::new(minor, all[which % all.len()]);
            let text = to_decimal(money, money.currency().exponent()).unwrap();
            prop_assert_eq!(from_decimal(&text, money.currency()), Ok(money));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,45}") {
            let _ = from_decimal(&text, currency("KWD"));
        }
    }
}

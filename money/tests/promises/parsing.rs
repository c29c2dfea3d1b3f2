//! Which texts are amounts, and which are not.

use mizan_money::{Currency, Money, ParseAmountError, parse_amount};
use proptest::prelude::*;

use crate::{any_currency, any_money};

const AED: Currency = Currency::AED;

fn fault(text: &str, currency: Currency) -> ParseAmountError {
    match parse_amount(text, currency) {
        Ok(amount) => panic!("{text:?} was read as {amount}"),
        Err(error) => error,
    }
}

#[test]
fn major_units_are_read_exactly() {
    let clf = Currency::parse("CLF").unwrap();
    let amounts = [
        ("52.50", AED, 5250),
        ("52.5", AED, 5250),
        ("52", AED, 5200),
        ("0", AED, 0),
        ("0.00", AED, 0),
        ("0.01", AED, 1),
        ("-0.01", AED, -1),
        ("-92233720368547758.08", AED, i64::MIN),
        ("9223372036854775807", Currency::JPY, i64::MAX),
        ("0.005", Currency::KWD, 5),
        ("1.2345", clf, 12_345),
    ];
    for (text, currency, minor) in amounts {
        assert_eq!(parse_amount(text, currency), Ok(Money::new(minor, currency)), "{text}");
    }
}

#[test]
fn signs_spaces_exponents_separators_and_lone_points_are_refused() {
    let malformed = [
        ("1e3", 2),
        ("+1", 1),
        (" 1", 1),
        ("1 ", 2),
        ("1.", 2),
        (".5", 1),
        (".", 1),
        ("-", 2),
        ("--1", 2),
        ("-.5", 2),
        ("1,000.00", 2),
        ("1.2.3", 4),
        ("1.5-", 4),
        ("0x10", 2),
        ("NaN", 1),
        ("inf", 1),
        ("1_000", 2),
        ("\u{0661}", 1),
        ("1\n", 2),
        ("1\0", 2),
    ];
    for (text, position) in malformed {
        assert_eq!(fault(text, AED), ParseAmountError::Malformed { position }, "{text:?}");
    }
}

#[test]
fn each_other_fault_has_its_own_answer() {
    assert_eq!(fault("", AED), ParseAmountError::Empty);
    assert_eq!(fault("01", AED), ParseAmountError::LeadingZero);
    assert_eq!(fault("00", AED), ParseAmountError::LeadingZero);
    assert_eq!(fault("-01.50", AED), ParseAmountError::LeadingZero);
    for zero in ["-0", "-0.0", "-0.00"] {
        assert_eq!(fault(zero, AED), ParseAmountError::NegativeZero);
    }
    let decimals = |found, currency: Currency| ParseAmountError::TooManyDecimals {
        found,
        allowed: currency.exponent(),
        currency,
    };
    assert_eq!(fault("1.005", AED), decimals(3, AED));
    assert_eq!(fault("1.000", AED), decimals(3, AED));
    assert_eq!(fault("1.0", Currency::JPY), decimals(1, Currency::JPY));
    assert_eq!(fault("1.0005", Currency::KWD), decimals(4, Currency::KWD));
}

#[test]
fn more_than_the_books_hold_is_refused_at_any_length() {
    let overflow = ParseAmountError::Overflow { currency: AED };
    assert_eq!(fault("92233720368547758.08", AED), overflow);
    assert_eq!(fault("-92233720368547758.09", AED), overflow);
    assert_eq!(fault("12345678901234567890", AED), overflow);
    assert_eq!(fault(&"9".repeat(24), AED), overflow);
    assert_eq!(fault(&"9".repeat(25), AED), ParseAmountError::TooLong { length: 25 });
    assert_eq!(fault(&"9".repeat(100_000), AED), ParseAmountError::TooLong { length: 100_000 });
}

#[test]
fn a_refusal_never_repeats_the_text() {
    let message = fault("4242-4242", AED).to_string();
    assert_eq!(
        message,
        "an amount is digits with an optional point between digits, as in \"52.50\"; \
         the character at position 5 does not fit"
    );
}

proptest! {
    #[test]
    fn what_is_shown_is_read_back_as_the_same_amount(amount in any_money()) {
        prop_assert_eq!(parse_amount(&amount.major_string(), amount.currency()), Ok(amount));
    }

    #[test]
    fn any_text_is_an_amount_or_an_error(text in ".{0,30}", currency in any_currency()) {
        if let Ok(amount) = parse_amount(&text, currency) {
            prop_assert!(amount.major_string().starts_with(&text));
        }
    }

    #[test]
    fn any_text_of_amount_characters_is_an_amount_or_an_error(
        text in "[-+.0-9e ]{0,26}",
        currency in any_currency(),
    ) {
        if let Ok(amount) = parse_amount(&text, currency) {
            prop_assert!(amount.major_string().starts_with(&text));
        }
    }
}

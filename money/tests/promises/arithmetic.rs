//! Sums, differences, comparison and rounding of amounts.

use std::cmp::Ordering;

use mizan_money::{Currency, Money, MoneyError, Rounding};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{aed, any_currency, any_money, money};

const AED: Currency = Currency::AED;
const OVERFLOW: MoneyError = MoneyError::Overflow { currency: AED };

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

#[test]
fn an_amount_is_shown_with_exactly_the_decimals_of_its_currency() {
    let shown = [
        (Money::new(5250, AED), "52.50 AED"),
        (Money::new(-5, AED), "-0.05 AED"),
        (Money::new(0, AED), "0.00 AED"),
        (Money::new(1000, Currency::JPY), "1000 JPY"),
        (Money::new(-1, Currency::KWD), "-0.001 KWD"),
        (Money::new(12_345, Currency::parse("CLF").unwrap()), "1.2345 CLF"),
        (Money::new(i64::MIN, AED), "-92233720368547758.08 AED"),
        (Money::new(i64::MAX, Currency::JPY), "9223372036854775807 JPY"),
    ];
    for (amount, text) in shown {
        assert_eq!(amount.to_string(), text);
        assert_eq!(format!("{amount:?}"), text);
        assert_eq!(amount.major_string(), text[..text.len() - 4]);
    }
    assert_eq!(format!("{:>12}", aed("1.00")), "    1.00 AED");
}

#[test]
fn two_currencies_never_meet() {
    let (left, right) = (aed("1.00"), money("1.00", Currency::USD));
    let mismatch = MoneyError::CurrencyMismatch { left: AED, right: Currency::USD };

    assert_eq!(left.checked_add(right), Err(mismatch));
    assert_eq!(left.checked_sub(right), Err(mismatch));
    assert_eq!(left.try_cmp(right), Err(mismatch));
    assert_eq!(Money::sum(AED, [left, right]), Err(mismatch));
    assert_eq!(
        mismatch.to_string(),
        "AED and USD cannot meet in one sum; convert one of them first"
    );
}

#[test]
fn what_does_not_fit_is_an_error_and_never_wraps() {
    let (lowest, highest, unit) =
        (Money::new(i64::MIN, AED), Money::new(i64::MAX, AED), Money::new(1, AED));

    assert_eq!(highest.checked_add(unit), Err(OVERFLOW));
    assert_eq!(lowest.checked_sub(unit), Err(OVERFLOW));
    assert_eq!(lowest.checked_neg(), Err(OVERFLOW));
    assert_eq!(highest.checked_mul(2), Err(OVERFLOW));
    assert_eq!(lowest.checked_mul(-1), Err(OVERFLOW));
    assert_eq!(Money::sum(AED, [highest, unit]), Err(OVERFLOW));
    assert_eq!(
        Money::from_decimal_exact(Decimal::MAX, AED),
        Err(OVERFLOW),
        "the largest decimal has 29 digits before the point"
    );
}

#[test]
fn only_the_final_sum_has_to_fit() {
    let highest = Money::new(i64::MAX, AED);
    let down = highest.checked_neg().unwrap();

    assert_eq!(Money::sum(AED, [highest, highest, down]), Ok(highest));
    assert_eq!(Money::sum(AED, []), Ok(Money::zero(AED)));
}

#[test]
fn signs_are_told_apart() {
    assert!(aed("0.01").is_positive() && !aed("0.01").is_negative());
    assert!(aed("-0.01").is_negative() && !aed("-0.01").is_positive());
    let zero = Money::zero(AED);
    assert!(zero.is_zero() && !zero.is_positive() && !zero.is_negative());
    assert_eq!(aed("-1.00").try_cmp(aed("1.00")), Ok(Ordering::Less));
}

#[test]
fn a_decimal_becomes_an_amount_only_if_no_digit_is_lost() {
    assert_eq!(Money::from_decimal_exact(decimal("52.5"), AED), Ok(aed("52.50")));
    assert_eq!(Money::from_decimal_exact(decimal("52.5000000"), AED), Ok(aed("52.50")));
    assert_eq!(Money::from_decimal_exact(-Decimal::ZERO, AED), Ok(Money::zero(AED)));

    let inexact = Money::from_decimal_exact(decimal("1.005"), AED).unwrap_err();
    assert_eq!(inexact, MoneyError::Inexact { value: decimal("1.005"), currency: AED });
    assert_eq!(inexact.to_string(), "1.005 has more than the 2 decimals of AED; round it first");
    let tiny = decimal("0.0000000000000000000000000001");
    assert!(Money::from_decimal_exact(tiny, AED).is_err());
}

#[test]
fn directed_rounding_is_mirrored_at_zero() {
    let round = |text, rounding| Money::from_decimal_rounded(decimal(text), AED, rounding).unwrap();

    assert_eq!(round("0.121", Rounding::Up), aed("0.13"));
    assert_eq!(round("-0.121", Rounding::Up), aed("-0.13"));
    assert_eq!(round("0.129", Rounding::Down), aed("0.12"));
    assert_eq!(round("-0.129", Rounding::Down), aed("-0.12"));
    assert_eq!(round("0.12", Rounding::Up), aed("0.12"));
    assert_eq!(round("-0.001", Rounding::HalfUp), Money::zero(AED));
}

fn any_rounding() -> impl Strategy<Value = Rounding> {
    proptest::sample::select(vec![
        Rounding::HalfUp,
        Rounding::HalfEven,
        Rounding::Down,
        Rounding::Up,
    ])
}

proptest! {
    #[test]
    fn arithmetic_is_exact_or_an_error(a in any_money(), b in any::<i64>()) {
        let currency = a.currency();
        let other = Money::new(b, currency);
        let (wide_a, wide_b) = (i128::from(a.minor()), i128::from(b));
        let expect = |minor: i128| match i64::try_from(minor) {
            Ok(minor) => Ok(Money::new(minor, currency)),
            Err(_) => Err(MoneyError::Overflow { currency }),
        };

        prop_assert_eq!(a.checked_add(other), expect(wide_a + wide_b));
        prop_assert_eq!(a.checked_sub(other), expect(wide_a - wide_b));
        prop_assert_eq!(a.checked_mul(b), expect(wide_a * wide_b));
        prop_assert_eq!(a.checked_neg(), expect(-wide_a));
        prop_assert_eq!(Money::sum(currency, [a, other]), expect(wide_a + wide_b));
    }

    #[test]
    fn an_amount_survives_the_way_through_a_decimal(amount in any_money()) {
        let decimal = amount.to_decimal();
        prop_assert_eq!(decimal.to_string(), amount.major_string());
        prop_assert_eq!(Money::from_decimal_exact(decimal, amount.currency()), Ok(amount));
    }

    #[test]
    fn rounding_moves_less_than_one_unit_and_at_most_half_to_the_nearest(
        mantissa in -1_000_000_000_000_i64..1_000_000_000_000,
        scale in 0_u32..=12,
        currency in any_currency(),
        rounding in any_rounding(),
    ) {
        let exact = Decimal::new(mantissa, scale);
        let rounded = Money::from_decimal_rounded(exact, currency, rounding).unwrap();

        let unit = Money::new(1, currency).to_decimal();
        let moved = rounded.to_decimal() - exact;
        prop_assert!(moved.abs() < unit);
        match rounding {
            Rounding::HalfUp | Rounding::HalfEven => {
                prop_assert!(moved.abs() * Decimal::TWO <= unit);
            }
            Rounding::Down => prop_assert!(rounded.to_decimal().abs() <= exact.abs()),
            Rounding::Up => prop_assert!(rounded.to_decimal().abs() >= exact.abs()),
        }
    }

    #[test]
    fn any_decimal_rounds_or_is_refused_without_a_panic(
        (low, mid, high) in any::<(u32, u32, u32)>(),
        negative in any::<bool>(),
        scale in 0_u32..=28,
        currency in any_currency(),
        rounding in any_rounding(),
    ) {
        let value = Decimal::from_parts(low, mid, high, negative, scale);
        if let Ok(exact) = Money::from_decimal_exact(value, currency) {
            prop_assert_eq!(Money::from_decimal_rounded(value, currency, rounding), Ok(exact));
        }
    }
}

//! Percentages and what they take from an amount.

use mizan_money::{Currency, Money, Rate, RateError, Rounding};
use proptest::prelude::*;
use utoipa::PartialSchema;

use crate::{aed, any_money};

fn percent(text: &str) -> Rate {
    Rate::percent(text).unwrap()
}

#[test]
fn a_rate_is_read_and_written_as_its_percentage() {
    for text in ["0", "5", "10", "2.9", "0.000001", "99.999999", "100"] {
        assert_eq!(percent(text).as_percent_string(), text);
        assert_eq!(serde_json::to_string(&percent(text)).unwrap(), format!("\"{text}\""));
        assert_eq!(text.parse(), Ok(percent(text)));
    }
    assert_eq!(percent("10.500000").as_percent_string(), "10.5");
    assert_eq!(percent("0.0"), Rate::ZERO);
    assert!(Rate::ZERO.is_zero() && !percent("0.000001").is_zero());
    assert_eq!(serde_json::from_str::<Rate>("\"2.90\"").unwrap(), percent("2.9"));
    assert!(serde_json::from_str::<Rate>("2.9").is_err(), "a number may be binary");
}

#[test]
fn what_is_not_a_percentage_is_refused() {
    for text in ["", "-1", "+1", " 5", "5 ", "5%", "5.", ".5", "1e1", "05", "00", "1.2.3", "٥"] {
        assert_eq!(Rate::percent(text), Err(RateError::Malformed), "{text:?}");
    }
    assert_eq!(Rate::percent("1.0000001"), Err(RateError::TooManyDecimals { found: 7 }));
    for text in ["100.000001", "101", "999", "1000", "99999999999999999999"] {
        assert_eq!(Rate::percent(text), Err(RateError::AboveHundred), "{text}");
    }
}

#[test]
fn a_share_is_rounded_once_in_the_direction_asked_for() {
    let base = aed("1.00");
    assert_eq!(percent("12.5").of(base, Rounding::HalfUp), Ok(aed("0.13")));
    assert_eq!(percent("12.5").of(base, Rounding::HalfEven), Ok(aed("0.12")));
    assert_eq!(percent("12.5").of(base, Rounding::Down), Ok(aed("0.12")));
    assert_eq!(percent("12.1").of(base, Rounding::Up), Ok(aed("0.13")));
    assert_eq!(percent("12.5").of(aed("-1.00"), Rounding::HalfUp), Ok(aed("-0.13")));
}

#[test]
fn vat_by_line_and_vat_by_document_differ_and_both_are_exact() {
    let vat = |net| percent("5").of(aed(net), Rounding::HalfUp).unwrap();
    let lines = ["1.09", "1.10", "1.10", "1.10"].map(vat);

    assert_eq!(Money::sum(Currency::AED, lines), Ok(aed("0.23")));
    assert_eq!(vat("4.39"), aed("0.22"));
}

#[test]
fn the_vat_inside_a_small_price_is_not_rounded_up_to_more_than_the_price() {
    let price = aed("0.10");
    assert_eq!(percent("5").contained_in(price, Rounding::HalfUp), Ok(aed("0.00")));
}

#[test]
fn the_schema_of_a_rate_is_a_string() {
    let schema = serde_json::to_value(Rate::schema()).unwrap();
    assert_eq!(schema["type"], "string");
}

fn any_rate() -> impl Strategy<Value = Rate> {
    (0..=100_000_000_u32).prop_map(|millionths| {
        let (whole, rest) = (millionths / 1_000_000, millionths % 1_000_000);
        Rate::percent(&format!("{whole}.{rest:06}")).unwrap()
    })
}

proptest! {
    #[test]
    fn a_rate_survives_being_written_down(rate in any_rate()) {
        prop_assert_eq!(Rate::percent(&rate.as_percent_string()), Ok(rate));
        let json = serde_json::to_string(&rate).unwrap();
        prop_assert_eq!(serde_json::from_str::<Rate>(&json).unwrap(), rate);
    }

    #[test]
    fn a_share_always_fits_and_is_never_more_than_the_whole(
        rate in any_rate(),
        base in any_money(),
    ) {
        for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up] {
            for share in [rate.of(base, rounding), rate.contained_in(base, rounding)] {
                let share = share.unwrap();
                prop_assert!(share.minor().unsigned_abs() <= base.minor().unsigned_abs());
                prop_assert!(share.is_zero() || share.is_negative() == base.is_negative());
            }
        }
    }

    #[test]
    fn a_refund_takes_back_what_its_charge_gave(rate in any_rate(), minor in 0..=i64::MAX) {
        let charge = Money::new(minor, Currency::AED);
        let refund = charge.checked_neg().unwrap();
        for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down, Rounding::Up] {
            let given = rate.of(charge, rounding).unwrap();
            prop_assert_eq!(rate.of(refund, rounding), given.checked_neg());
        }
    }

    #[test]
    fn tax_inside_a_price_is_the_tax_on_the_rest_of_it(
        net in 0..1_000_000_000_000_i64,
        rate in any_rate(),
    ) {
        let net = Money::new(net, Currency::AED);
        let tax = rate.of(net, Rounding::HalfUp).unwrap();
        let gross = net.checked_add(tax).unwrap();
        let found = rate.contained_in(gross, Rounding::HalfUp).unwrap();
        prop_assert!(found.checked_sub(tax).unwrap().minor().abs() <= 1);
    }
}

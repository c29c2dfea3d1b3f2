//! Rates of exchange: read exactly, used whole, rounded once.

use mizan_money::{Currency, FxRate, FxRateError, Money, MoneyError};
use proptest::prelude::*;

use crate::{any_currency, money};

fn rate(text: &str) -> FxRate {
    FxRate::parse(text).unwrap()
}

#[test]
fn a_rate_is_kept_as_it_was_told() {
    for text in ["1", "3.6725", "0.2723", "0.000000000001", "999999999.999999999999"] {
        assert_eq!(rate(text).to_string(), text);
        assert_eq!(text.parse(), Ok(rate(text)));
    }
    assert_eq!(rate("3.672500"), rate("3.6725"));
    for text in ["", "-1", "+1", " 1", "1 ", "1.", ".5", "1e1", "01", "1,5", "1.2.3", "٥"] {
        assert_eq!(FxRate::parse(text), Err(FxRateError::Malformed), "{text:?}");
    }
    for text in ["1.0000000000001", "1000000000"] {
        assert_eq!(FxRate::parse(text), Err(FxRateError::TooLong), "{text}");
    }
    for text in ["0", "0.000"] {
        assert_eq!(FxRate::parse(text), Err(FxRateError::Zero), "{text}");
    }
}

#[test]
fn a_half_goes_to_the_even_neighbour_on_either_side_of_zero() {
    for (minor, told) in [(1, "0"), (3, "2"), (5, "2"), (7, "4"), (-1, "0"), (-3, "-2")] {
        let converted = rate("50").convert(Money::new(minor, Currency::AED), Currency::JPY);
        assert_eq!(converted.unwrap().major_string(), told, "{minor}");
    }
}

#[test]
fn the_way_back_divides_by_the_full_rate() {
    let aed = money("3672.50", Currency::AED);
    assert_eq!(rate("3.6725").convert_back(aed, Currency::USD).unwrap().to_string(), "1000.00 USD");
    // An inverted and rounded rate would make 1000.02 of it.
    assert_eq!(rate("0.2723").convert(aed, Currency::USD).unwrap().to_string(), "1000.02 USD");
    let paid = money("3672.50", Currency::AED);
    assert_eq!(rate("3.71").convert_back(paid, Currency::USD).unwrap().to_string(), "989.89 USD");
}

#[test]
fn what_does_not_fit_is_refused() {
    let most = Money::new(i64::MAX, Currency::AED);
    let refused = rate("999999999.999999999999").convert(most, Currency::USD);
    assert_eq!(refused, Err(MoneyError::Overflow { currency: Currency::USD }));
}

fn any_rate() -> impl Strategy<Value = FxRate> {
    (0..10_000_u32, 0..1_000_000_000_000_u64)
        .prop_filter_map("zero", |(whole, rest)| FxRate::parse(&format!("{whole}.{rest:012}")).ok())
}

proptest! {
    #[test]
    fn a_conversion_is_within_half_a_unit_of_the_exact_figure(
        minor in -1_000_000_000_000_i64..1_000_000_000_000, rate in any_rate(),
        from in any_currency(), into in any_currency(),
    ) {
        let text = rate.to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let digits: i128 = format!("{whole}{decimals}").parse().unwrap();
        let below = 10_i128.pow(u32::try_from(decimals.len()).unwrap())
            * i128::from(from.minor_per_major());
        let exact = i128::from(minor) * digits * i128::from(into.minor_per_major());
        let Ok(told) = rate.convert(Money::new(minor, from), into) else { return Ok(()) };
        let off = (exact - i128::from(told.minor()) * below).abs() * 2;
        prop_assert!(off < below || (off == below && told.minor() % 2 == 0));
    }

    #[test]
    fn there_and_back_is_the_same_amount_where_no_unit_is_lost(
        minor in -1_000_000_000_i64..1_000_000_000, rate in any_rate(),
    ) {
        // From a rate of 1 on, a unit of the base is at least a unit of the quote.
        prop_assume!(!rate.to_string().starts_with("0."));
        let base = Money::new(minor, Currency::USD);
        let there = rate.convert(base, Currency::AED).unwrap();
        let back = rate.convert_back(there, Currency::USD).unwrap();
        prop_assert!((back.minor() - minor).abs() <= 1, "{base} {there} {back} at {rate}");
    }

    #[test]
    fn both_sides_of_zero_are_converted_alike(
        minor in 0..1_000_000_000_000_i64, rate in any_rate(), into in any_currency(),
    ) {
        let of = |minor| rate.convert(Money::new(minor, Currency::KWD), into);
        if let (Ok(above), Ok(below)) = (of(minor), of(-minor)) {
            prop_assert_eq!(above.minor(), -below.minor());
        }
    }
}

//! The worked vectors of the project, each of them run.

use mizan_money::{Currency, FxRate, Money, Rate, Rounding, allocate};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::money;

#[derive(Deserialize)]
struct Vectors {
    vat_inclusive: Vec<VatInclusive>,
    allocate_largest_remainder: Vec<Allocation>,
    convert: Vec<Conversion>,
    ties: Vec<Tie>,
}

#[derive(Deserialize)]
struct VatInclusive {
    gross: String,
    rate: Rate,
    currency: Currency,
    vat: String,
    net: String,
    rounding: String,
}

#[derive(Deserialize)]
struct Allocation {
    total: String,
    weights: Vec<String>,
    currency: Currency,
    parts: Vec<String>,
}

#[derive(Deserialize)]
struct Conversion {
    amount: String,
    from: Currency,
    rate: String,
    to: Currency,
    half_even: String,
    half_up: String,
}

#[derive(Deserialize)]
struct Tie {
    value: String,
    currency: Currency,
    half_up: String,
    half_even: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap()
}

fn decimal(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

#[test]
fn the_vat_inside_a_price_and_the_net_price_add_up_to_it() {
    for vector in vectors().vat_inclusive {
        assert_eq!(vector.rounding, "half_up");
        let gross = money(&vector.gross, vector.currency);

        let vat = vector.rate.contained_in(gross, Rounding::HalfUp).unwrap();

        assert_eq!(vat.major_string(), vector.vat, "vat in {gross}");
        assert_eq!(gross.checked_sub(vat).unwrap().major_string(), vector.net, "net of {gross}");
    }
}

#[test]
fn totals_are_split_by_largest_remainder() {
    for vector in vectors().allocate_largest_remainder {
        let total = money(&vector.total, vector.currency);
        // Only the proportion of the weights counts, so hundredths of them are as good.
        let hundredths = |weight: &String| {
            Money::from_decimal_exact(decimal(weight), Currency::AED).unwrap().minor()
        };
        let weights: Vec<i64> = vector.weights.iter().map(hundredths).collect();

        let parts = allocate(total, &weights).unwrap();

        let texts: Vec<_> = parts.into_iter().map(Money::major_string).collect();
        assert_eq!(texts, vector.parts, "parts of {total}");
    }
}

#[test]
fn a_conversion_uses_the_full_rate_and_rounds_once() {
    for vector in vectors().convert {
        let exact =
            money(&vector.amount, vector.from).to_decimal().checked_mul(decimal(&vector.rate));
        let round = |rounding| {
            Money::from_decimal_rounded(exact.unwrap(), vector.to, rounding).unwrap().major_string()
        };
        assert_eq!(round(Rounding::HalfEven), vector.half_even, "{} half-even", vector.amount);
        assert_eq!(round(Rounding::HalfUp), vector.half_up, "{} half-up", vector.amount);
        let rate = FxRate::parse(&vector.rate).unwrap();
        let converted = rate.convert(money(&vector.amount, vector.from), vector.to).unwrap();
        assert_eq!(converted.major_string(), vector.half_even, "{} at a rate", vector.amount);
    }
}

#[test]
fn exact_ties_go_away_from_zero_or_to_the_even_neighbour() {
    for vector in vectors().ties {
        let round = |rounding| {
            Money::from_decimal_rounded(decimal(&vector.value), vector.currency, rounding)
                .unwrap()
                .major_string()
        };
        assert_eq!(round(Rounding::HalfUp), vector.half_up, "{} half-up", vector.value);
        assert_eq!(round(Rounding::HalfEven), vector.half_even, "{} half-even", vector.value);
    }
}

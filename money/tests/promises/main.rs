//! What the crate promises its callers, checked from outside through the public names only.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod allocation;
mod arithmetic;
mod currencies;
mod fx;
mod ids;
mod parsing;
mod rates;
mod vectors;

use mizan_money::{Currency, Money, parse_amount};
use proptest::prelude::*;

fn money(text: &str, currency: Currency) -> Money {
    parse_amount(text, currency).unwrap()
}

fn aed(text: &str) -> Money {
    money(text, Currency::AED)
}

fn any_currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(Currency::all().collect::<Vec<_>>())
}

fn any_money() -> impl Strategy<Value = Money> {
    let minor =
        prop_oneof![any::<i64>(), -100_000..100_000_i64, Just(i64::MIN), Just(i64::MAX), Just(0),];
    (minor, any_currency()).prop_map(|(minor, currency)| Money::new(minor, currency))
}

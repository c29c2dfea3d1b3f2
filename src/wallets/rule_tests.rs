//! Which cashback rule grants how much.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mizan_money::id::PaymentIntentId;

use super::*;

fn t0() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn aed(minor: i64) -> Money {
    Money::new(minor, Currency::AED)
}

fn rule(percent: &str, change: impl FnOnce(&mut NewCashbackRule)) -> CashbackRule {
    let mut says = NewCashbackRule {
        name: percent.into(),
        percent: Rate::percent(percent).unwrap(),
        basis: Basis::Paid,
        cap: None,
        min_amount: None,
        currency: Some(Currency::AED),
        first_order: false,
        vest_days: 14,
        expiry_days: Some(90),
        valid_from: t0(),
        valid_until: None,
    };
    change(&mut says);
    let id = CashbackRuleId::generate(t0());
    CashbackRule { id, says, created_at: t0(), created_by: "test".into() }
}

fn order(paid: i64, price: i64) -> Delivered {
    Delivered {
        payment: PaymentIntentId::generate(t0()),
        order: "O1".into(),
        customer: "C1".into(),
        currency: Currency::AED,
        ordered_at: t0(),
        paid_by_gateway: aed(paid),
        price: aed(price),
        lines: Vec::new(),
    }
}

fn chosen(rules: &[CashbackRule], order: &Delivered, is_first: bool) -> Option<String> {
    best(rules, order, is_first).unwrap().map(|rule| rule.says.name.clone())
}

#[test]
fn the_rule_that_grants_most_counts_and_is_not_added_to_others() {
    let rules = [
        rule("5", |_| {}),
        rule("10", |it| it.cap = Some(1_000)),
        rule("50", |it| it.first_order = true),
        rule("60", |it| it.min_amount = Some(100_001)),
        rule("70", |it| it.valid_until = Some(t0())),
        rule("80", |it| it.currency = Some(Currency::USD)),
    ];
    assert_eq!(chosen(&rules, &order(10_000, 10_000), true).as_deref(), Some("50"));
    assert_eq!(chosen(&rules, &order(10_000, 10_000), false).as_deref(), Some("10"));
    assert_eq!(chosen(&rules, &order(100_000, 100_000), false).as_deref(), Some("5"));
    assert_eq!(chosen(&rules, &order(100_001, 100_001), false).as_deref(), Some("60"));
    assert_eq!(chosen(&[], &order(100_001, 100_001), false), None);
}

#[test]
fn deliveries_of_parts_add_up_to_the_cashback_of_the_whole() {
    let says = rule("5", |it| it.cap = Some(2_000)).says;
    let so_far = |paid| SoFar { paid: aed(paid), price: aed(paid) };
    // Three thirds of 10.10 by themselves would be 0.17 each, 0.51 in all.
    let granted: Vec<i64> =
        [337, 674, 1_010].map(|paid| says.grants(so_far(paid)).unwrap().minor()).to_vec();
    assert_eq!(granted, [17, 34, 51]);
    assert_eq!(says.grants(so_far(1_000_000)).unwrap(), aed(2_000), "the cap is for the order");
}

#[test]
fn the_basis_is_what_was_paid_or_the_price() {
    let (paid, price) = (aed(9_000), aed(10_500));
    let so_far = SoFar { paid, price };
    assert_eq!(rule("5", |_| {}).says.grants(so_far).unwrap(), aed(450));
    assert_eq!(rule("5", |it| it.basis = Basis::Price).says.grants(so_far).unwrap(), aed(525));
}

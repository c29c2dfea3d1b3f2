//! What is decided of payments, rules, connections and their health.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use mizan_money::Currency;
use mizan_providers::{ProviderName, webhook_reader};

use super::super::rule::{NewRule, RoutingRuleId};
use super::*;

fn now() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap())
}

fn want(amount: Money) -> Want<'static> {
    let (country, method) = (Some("AE"), Some("card"));
    let (capture, instrument) = (CaptureMethod::Automatic, Instrument::OnThePage);
    Want { amount, country, method, capture, instrument }
}

fn rule(priority: i32, connections: &[&str], change: impl FnOnce(&mut NewRule)) -> Rule {
    let mut says = NewRule {
        name: format!("priority {priority}"),
        priority,
        connections: connections.iter().map(|it| (*it).to_owned()).collect(),
        others: Others::Follow,
        currencies: Vec::new(),
        countries: Vec::new(),
        methods: Vec::new(),
        amount_min: None,
        amount_max: None,
        valid_from: now(),
        valid_until: None,
    };
    change(&mut says);
    let id = RoutingRuleId::generate(now());
    Rule { id, says, created_at: now(), created_by: "test".into() }
}

/// Connections named as their gateways, all of which work, but for changes.
fn decided(
    want: &Want<'_>,
    rules: &[Rule],
    change: impl Fn(&mut Candidate<'_>),
) -> (Option<String>, Vec<(String, &'static str)>) {
    let readers: Vec<_> = ProviderName::ALL.iter().map(|name| webhook_reader(*name)).collect();
    let mut candidates: Vec<Candidate<'_>> = readers
        .iter()
        .map(|provider| Candidate {
            connection: provider.name().as_str(),
            provider: provider.as_ref(),
            circuit: Some(Circuit::Closed),
            was_tried: false,
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.connection);
    candidates.iter_mut().for_each(change);
    let decision = decide(want, rules, &candidates, now());
    let all = decision.considered.iter().map(|one| (one.connection.clone(), one.reason));
    (decision.chosen().map(ToOwned::to_owned), all.collect())
}

#[test]
fn a_gateway_that_cannot_take_the_payment_is_out_with_the_reason() {
    let (chosen, all) = decided(&want(money(10_000, "AED")), &[], |_| {});
    assert_eq!(chosen.as_deref(), Some("paytabs"), "the first by name that can");
    assert!(all.contains(&("paypal".into(), "currency_not_taken")), "{all:?}");
    assert!(all.contains(&("stripe".into(), "needs_payment_method")), "{all:?}");
    let token = Want { instrument: Instrument::Token, ..want(money(10_000, "AED")) };
    assert_eq!(decided(&token, &[], |_| {}).0.as_deref(), Some("stripe"));
}

#[test]
fn the_highest_rule_that_fits_and_is_in_force_decides() {
    let rules = [
        rule(10, &["razorpay"], |_| {}),
        rule(20, &["telr", "paytabs"], |it| it.countries = vec!["AE".into()]),
        rule(30, &["paytabs"], |it| it.countries = vec!["SA".into()]),
        rule(40, &["paytabs"], |it| it.valid_until = Some(now())),
        rule(50, &["paytabs"], |it| {
            it.currencies = vec![Currency::parse("AED").unwrap()];
            it.amount_min = Some(10_001);
        }),
    ];
    let (chosen, _) = decided(&want(money(10_000, "AED")), &rules, |_| {});
    assert_eq!(chosen.as_deref(), Some("telr"));
    let (chosen, _) = decided(&want(money(10_001, "AED")), &rules, |_| {});
    assert_eq!(chosen.as_deref(), Some("paytabs"));
    let nowhere = Want { country: None, ..want(money(10_000, "AED")) };
    assert_eq!(decided(&nowhere, &rules, |_| {}).0.as_deref(), Some("razorpay"));
}

#[test]
fn a_rule_may_leave_all_others_out() {
    let rules = [rule(1, &["telr"], |it| it.others = Others::LeftOut)];
    let (chosen, all) = decided(&want(money(10_000, "AED")), &rules, |_| {});
    assert_eq!(chosen.as_deref(), Some("telr"));
    assert!(all.contains(&("paytabs".into(), "left_out_by_rule")), "{all:?}");
    let (chosen, _) = decided(&want(money(10_000, "AED")), &rules, |it| it.was_tried = true);
    assert_eq!(chosen, None, "what was tried is not tried again");
}

#[test]
fn an_open_circuit_comes_last_and_is_used_when_there_is_nothing_else() {
    let break_one = |name: &'static str| {
        move |it: &mut Candidate<'_>| {
            if it.connection == name {
                it.circuit = Some(Circuit::Open);
            }
        }
    };
    let rules = [rule(1, &["telr", "paytabs"], |_| {})];
    let aed = want(money(10_000, "AED"));
    let (chosen, all) = decided(&aed, &rules, break_one("telr"));
    assert_eq!(chosen.as_deref(), Some("paytabs"));
    assert!(all.contains(&("telr".into(), "circuit_open")), "{all:?}");
    let only = [rule(1, &["telr"], |it| it.others = Others::LeftOut)];
    assert_eq!(decided(&aed, &only, break_one("telr")).0.as_deref(), Some("telr"));
}

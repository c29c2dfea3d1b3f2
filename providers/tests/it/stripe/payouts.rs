//! Payouts of a connected account: requests on its behalf, every state, ends that come back.

use mizan_money::Money;
use mizan_providers::{
    CancelPayout, CreatePayout, EventSubject, Operation, PayoutDestination, Provider, Subject,
    SyncPayout,
};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{answered, never_a_success, operation, refused, said, with};
use crate::shop::{KEY_TEXT, key, money, parse, reference, stripe};

const PO: &str = "po_1Pgc79B7WZ01zgkWu1KToYf4";

fn our_payout() -> String {
    format!("po_{}", "0".repeat(31) + "8")
}

fn destination(account: &str) -> PayoutDestination {
    PayoutDestination::ConnectedAccount { account: account.to_owned(), bank: None }
}

fn new(amount: Money) -> CreatePayout {
    CreatePayout {
        payout: our_payout().parse().unwrap(),
        operation: operation(),
        amount,
        destination: destination("acct_1"),
        description: None,
    }
}

fn aed() -> Money {
    money(20_000, "AED")
}

fn sync() -> Operation {
    Operation::SyncPayout(SyncPayout {
        payout: our_payout().parse().unwrap(),
        provider_ref: reference(PO),
        amount: aed(),
        destination: destination("acct_1"),
    })
}

fn cancel() -> Operation {
    Operation::CancelPayout(CancelPayout {
        payout: our_payout().parse().unwrap(),
        provider_ref: reference(PO),
        amount: aed(),
        destination: destination("acct_1"),
    })
}

fn payout(status: &str) -> Value {
    json!({
        "id": PO, "object": "payout", "status": status, "amount": 20_000, "currency": "aed",
        "failure_code": null, "trace_id": {"status": "supported", "value": "0910"},
        "metadata": {"mizan_payout": our_payout()},
        "balance_transaction": {"id": "txn_1", "amount": -20_000, "fee": 25, "net": -20_025,
            "currency": "aed", "fee_details": [
                {"type": "stripe_fee", "amount": 20}, {"type": "tax", "amount": 5}]},
    })
}

#[test]
fn a_payout_is_made_on_the_connected_account() {
    let mut full = new(aed());
    full.description = Some("Vendor V-7".to_owned());
    full.destination = PayoutDestination::ConnectedAccount {
        account: "acct_1".to_owned(),
        bank: Some(reference("ba_1")),
    };
    let (ours, operation) = (our_payout(), operation());
    assert_eq!(
        said(&Operation::Payout(full)),
        format!(
            "POST /v1/payouts as acct_1\namount=20000\ncurrency=aed\ndestination=ba_1\n\
             expand[0]=balance_transaction\nmetadata[mizan_operation]={operation}\n\
             metadata[mizan_payout]={ours}\nmethod=standard\nstatement_descriptor=Vendor V-7"
        )
    );
    let expand = "\nexpand[0]=balance_transaction";
    assert_eq!(said(&sync()), format!("GET /v1/payouts/{PO} as acct_1{expand}"));
    assert_eq!(said(&cancel()), format!("POST /v1/payouts/{PO}/cancel as acct_1{expand}"));
    // The payee's account wins over the connection's own.
    let own = Some("acct_own".to_owned());
    let adapter = mizan_providers::stripe::Stripe::new(SecretString::from(KEY_TEXT), own).unwrap();
    let request = adapter.build(&sync(), &key()).unwrap();
    assert_eq!(request.headers.get_all("Stripe-Account").collect::<Vec<_>>(), ["acct_1"]);
}

#[test]
fn what_cannot_be_paid_out_is_refused() {
    let with = |change: fn(&mut CreatePayout)| {
        let mut it = new(aed());
        change(&mut it);
        refused(&Operation::Payout(it))
    };
    assert_eq!(with(|it| it.destination = destination("fa_1")), "invalid_field");
    assert_eq!(with(|it| it.destination = destination("acct_1/../x")), "invalid_field");
    let fund = |it: &mut CreatePayout| {
        it.destination = PayoutDestination::FundAccount(reference("fa_1"));
    };
    assert_eq!(with(fund), "invalid_field");
    assert_eq!(with(|it| it.description = Some("x".repeat(23))), "invalid_field");
    assert_eq!(with(|it| it.amount = money(0, "AED")), "amount_not_representable");
    assert_eq!(with(|it| it.amount = money(550, "TWD")), "amount_not_representable");
}

#[test]
fn every_state_of_a_payout_means_what_it_must() {
    let create = Operation::Payout(new(aed()));
    let failed = with(payout("failed"), "failure_code", json!("account_closed"));
    for (op, body, expected) in [
        (&create, payout("pending"), "pending pending"),
        (&create, payout("in_transit"), "pending in_transit"),
        (&create, payout("paid"), "done paid"),
        (&create, failed.clone(), "declined hard account_closed"),
        (&create, payout("new_word"), "unknown unknown_status"),
        (&sync(), failed, "done failed"),
        (&sync(), payout("pending"), "done pending"),
        (&cancel(), payout("canceled"), "done cancelled"),
        (&cancel(), payout("paid"), "unknown unexpected_status"),
        (&create, with(payout("paid"), "amount", json!(1)), "mismatch amount"),
        (&create, with(payout("paid"), "amount", json!(-20_000)), "unknown unreadable"),
        (&create, with(payout("paid"), "currency", json!("usd")), "mismatch currency"),
        (
            &create,
            with(payout("paid"), "metadata", json!({"mizan_payout": "x"})),
            "mismatch reference",
        ),
        (&sync(), with(payout("paid"), "id", json!("po_2")), "mismatch provider_ref"),
    ] {
        assert_eq!(answered(op, &body), expected, "{body}");
    }
    never_a_success(&create, &payout("paid"));
}

#[test]
fn a_payout_tells_its_fee_the_tax_on_it_and_the_banks_reference() {
    let outcome = parse(&sync(), 200, payout("paid").to_string());
    let Subject::Payout(facts) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!(facts.bank_reference.as_deref(), Some("0910"));
    assert_eq!(facts.reference, our_payout().parse().ok());
    let fee = facts.fee.clone().unwrap();
    let said = [fee.gross, fee.fee, fee.tax, fee.net].map(Money::minor);
    assert_eq!(said, [-20_000, 20, 5, -20_025]);
}

#[test]
fn a_payout_that_was_paid_and_failed_came_back() {
    let body = json!({
        "id": "evt_1", "object": "event", "type": "payout.failed", "created": 1_780_000_000,
        "account": "acct_1", "data": {"object": payout("failed"),
            "previous_attributes": {"status": "paid"}},
    });
    let events = stripe().events(body.to_string().as_bytes()).unwrap();
    assert_eq!(events[0].status(), Some("returned"));
    assert_eq!(events[0].account.as_deref(), Some("acct_1"));
    let EventSubject::Payout(facts) = &events[0].subject else { panic!() };
    assert_eq!(facts.reference, our_payout().parse().ok());
}

#[test]
fn a_refusal_after_an_attempt_that_may_have_worked_proves_nothing() {
    let poor = include_str!("../../../fixtures/stripe/error.400.balance_insufficient.json");
    let op = Operation::Payout(new(aed()));
    assert_eq!(super::brief(&parse(&op, 400, poor)), "rejected balance_insufficient");
    let mut answer = mizan_providers::HttpAnswer::new(400, Default::default(), poor);
    answer.prior = mizan_providers::Prior::MayHaveExecuted;
    assert_eq!(super::brief(&stripe().parse(&op, &answer)), "unknown after_earlier_attempt");
}

proptest! {
    #[test]
    fn one_spoiled_field_never_makes_another_payout(
        field in prop::sample::select(vec![
            "id", "object", "status", "amount", "currency", "metadata", "trace_id",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(0), json!(i64::MAX), json!(""), json!("paid"), json!({}), json!([]),
        ]),
    ) {
        let body = with(payout("paid"), field, value);
        let outcome = parse(&Operation::Payout(new(aed())), 200, body.to_string());
        if let Some(answer) = outcome.answer() {
            let Subject::Payout(facts) = &answer.subject else { panic!() };
            prop_assert_eq!(facts.amount, aed());
        }
    }
}

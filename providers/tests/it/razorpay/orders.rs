//! Orders with their payments: one payment of ours, however often the customer tried.

use mizan_money::Money;
use mizan_providers::{Operation, Outcome, PaymentAnswer, SyncRefund};
use serde_json::{Value, json};

use super::shop::{
    AMOUNT, PAY, answered, asked, capture, find, listed, never_a_success, order, parse, payment,
    reference, refund, refund_of, refunded, refused, said, sync, sync_refund, tried, with,
};

/// A payment with another id, made later.
fn second(status: &str) -> Value {
    with(with(payment(status), "id", json!("pay_second")), "created_at", json!(1_756_455_700))
}

fn facts(of: &Value) -> PaymentAnswer {
    let outcome = parse(&sync(), 200, listed(std::slice::from_ref(of)).to_string());
    let Outcome::Done(answer) = outcome else { panic!("{outcome:?}") };
    answer.payment().unwrap().clone()
}

#[test]
fn the_payment_that_went_furthest_tells_the_state() {
    for (payments, expected, charge) in [
        (vec![payment("failed"), second("captured")], "captured", Some("pay_second")),
        (vec![payment("captured"), second("failed")], "captured", Some(PAY)),
        (vec![payment("authorized"), second("failed")], "authorised", Some(PAY)),
        (vec![payment("failed"), second("created")], "processing", None),
        (vec![payment("failed"), second("failed")], "failed", None),
    ] {
        let found = facts(&tried("attempted", &payments));
        assert_eq!(found.status.as_str(), expected, "{payments:?}");
        assert_eq!(found.charge_ref, charge.map(reference), "{payments:?}");
    }
}

#[test]
fn a_failed_payment_is_never_the_one_to_capture_or_refund() {
    let reason = with(payment("failed"), "error_reason", json!("payment_cancelled"));
    let found = facts(&tried("attempted", &[reason]));
    assert_eq!(found.charge_ref, None);
    let error = found.last_error.unwrap();
    assert_eq!(error.decline_code.as_deref(), Some("payment_cancelled"));
    assert_eq!(error.charge_ref, Some(reference(PAY)));
}

#[test]
fn a_second_capture_of_the_same_order_is_seen_as_too_much() {
    let both = tried("paid", &[payment("captured"), second("captured")]);
    assert_eq!(answered(&sync(), &listed(&[both])), "mismatch captured");
}

#[test]
fn what_went_back_is_told_of_a_captured_payment_and_a_lapsed_hold_is_cancelled() {
    let part = with(payment("captured"), "amount_refunded", json!(5_000));
    let found = facts(&tried("paid", &[part]));
    assert_eq!(found.refunded.map(Money::minor), Some(5_000));
    assert_eq!(found.captured, asked());

    let all = with(payment("refunded"), "amount_refunded", json!(AMOUNT));
    let found = facts(&tried("paid", &[with(all.clone(), "captured", json!(true))]));
    assert_eq!((found.status.as_str(), found.captured), ("captured", asked()));
    assert_eq!(found.refunded, Some(asked()));

    let found = facts(&tried("attempted", &[with(all.clone(), "captured", json!(false))]));
    assert_eq!((found.status.as_str(), found.captured.minor()), ("cancelled", 0));
    assert_eq!(found.cancellation_reason.as_deref(), Some("not_captured_in_time"));

    let silent = tried("attempted", &[with(all, "captured", Value::Null)]);
    assert_eq!(answered(&sync(), &listed(&[silent])), "unknown unknown_status");
}

#[test]
fn an_order_that_contradicts_its_payments_is_not_believed() {
    let foreign = with(payment("captured"), "order_id", json!("order_other"));
    let euros = with(payment("captured"), "currency", json!("EUR"));
    let part = with(payment("captured"), "amount", json!(100));
    let odd = with(payment("failed"), "status", json!("new_word"));
    for (body, expected) in [
        (tried("paid", &[]), "unknown unreadable"),
        (tried("paid", &[payment("failed")]), "unknown unreadable"),
        (tried("paid", &[foreign]), "unknown unreadable"),
        (tried("paid", &[euros]), "mismatch currency"),
        (tried("paid", &[part]), "mismatch captured"),
        (tried("paid", &[payment("captured"), odd]), "unknown unknown_status"),
        (tried("new_word", &[]), "unknown unknown_status"),
    ] {
        assert_eq!(answered(&sync(), &listed(std::slice::from_ref(&body))), expected, "{body}");
    }
}

#[test]
fn an_order_is_found_by_our_receipt_among_others() {
    let other = with(tried("paid", &[]), "receipt", json!("Receipt #20"));
    let unnamed = with(tried("created", &[]), "receipt", Value::Null);
    let ours = tried("paid", &[payment("captured")]);
    let idle = with(tried("created", &[]), "id", json!("order_idle"));
    let again = with(ours.clone(), "id", json!("order_again"));
    let later = with(idle.clone(), "id", json!("order_later"));
    for (orders, expected) in [
        (vec![], "unknown not_found"),
        (vec![other.clone(), unnamed], "unknown not_found"),
        (vec![other, ours.clone()], "done captured"),
        // An account where receipts may repeat: the one that was tried counts.
        (vec![idle.clone(), ours.clone()], "done captured"),
        (vec![later, idle], "done requires_action"),
        (vec![ours, again], "unknown unreadable"),
    ] {
        assert_eq!(answered(&find(), &listed(&orders)), expected, "{orders:?}");
    }
}

#[test]
fn a_lost_refund_is_found_among_those_of_its_payment() {
    let op = Operation::Find(Box::new(refund()));
    assert_eq!(said(&op), format!("GET /v1/payments/{PAY}/refunds?count=100"));
    let other = with(with(refunded("processed"), "receipt", json!("#126")), "notes", json!([]));
    let noted = with(refunded("processed"), "receipt", Value::Null);
    let full = vec![other.clone(); 100];
    for (refunds, expected) in [
        (vec![], "unknown not_found"),
        (vec![other.clone()], "unknown not_found"),
        (vec![other.clone(), refunded("pending")], "pending pending"),
        (vec![other.clone(), noted], "done succeeded"),
        (vec![refunded("failed")], "declined refund_failed"),
        (vec![with(refunded("processed"), "amount", json!(1))], "mismatch amount"),
        (full, "unknown unreadable"),
    ] {
        assert_eq!(answered(&op, &listed(&refunds)), expected, "{refunds:?}");
    }
    let untold = refund_of(asked(), "order_1");
    assert_eq!(refused(&Operation::Find(Box::new(Operation::Refund(untold)))), "invalid_field");
    assert_eq!(refused(&Operation::Find(Box::new(capture()))), "unsupported_by_provider");
    never_a_success(&op, &listed(&[refunded("processed")]));
}

#[test]
fn a_sync_of_a_refund_is_held_to_the_payment_where_that_is_told() {
    let Operation::SyncRefund(it) = sync_refund() else { panic!() };
    let of = |charge: &str| {
        let charge_ref = Some(reference(charge));
        Operation::SyncRefund(SyncRefund { charge_ref, ..it.clone() })
    };
    assert_eq!(answered(&of(PAY), &refunded("processed")), "done succeeded");
    assert_eq!(answered(&of("pay_other"), &refunded("processed")), "mismatch payment_ref");
}

#[test]
fn an_order_by_itself_answers_a_sync_of_it_and_a_foreign_receipt_is_no_contradiction() {
    assert_eq!(answered(&sync(), &order("created")), "done requires_action");
    assert_eq!(
        answered(&sync(), &with(order("created"), "id", json!("order_x"))),
        "mismatch provider_ref"
    );
    let foreign = with(order("created"), "receipt", json!("Receipt #20"));
    assert_eq!(answered(&sync(), &foreign), "done requires_action");
    let other = with(order("created"), "receipt", json!(format!("pi_{}", "f".repeat(32))));
    assert_eq!(answered(&sync(), &other), "mismatch reference");
}

#[test]
fn a_sync_takes_the_order_it_asked_about_and_no_other() {
    let other = with(tried("paid", &[]), "id", json!("order_other"));
    assert_eq!(answered(&sync(), &listed(&[other])), "unknown not_found");
    let twice = with(tried("created", &[]), "amount", json!(AMOUNT + 1));
    assert_eq!(answered(&sync(), &listed(&[twice])), "mismatch amount");
}

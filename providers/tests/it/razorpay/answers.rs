//! Answers: total, never a success by mistake, and compared with what was asked.

use mizan_providers::{Headers, HttpAnswer, NextAction, Outcome, Provider};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shop::{
    AMOUNT, ORDER, PAY, all_operations, answered, asked, brief, capture, confirm, listed, money,
    order, our_payment, parse, payment, razorpay, reference, refund, refunded, sale, sync, sync_of,
    sync_refund, tried, void, with,
};

#[test]
fn every_status_means_what_it_must_for_the_operation_that_asked() {
    let one = |status: &str, of: &str| listed(&[tried(of, &[payment(status)])]);
    let by_itself = sync_of(asked(), PAY);
    for (op, body, expected) in [
        (sale(), order("created"), "done requires_action"),
        (sale(), order("attempted"), "unknown unexpected_status"),
        (sale(), order("paid"), "unknown unreadable"),
        (sale(), order("new_word"), "unknown unknown_status"),
        (capture(), payment("captured"), "done captured"),
        (capture(), payment("authorized"), "unknown unexpected_status"),
        (capture(), payment("created"), "unknown unexpected_status"),
        (capture(), payment("failed"), "unknown unexpected_status"),
        (capture(), payment("new_word"), "unknown unknown_status"),
        (sync(), listed(&[tried("created", &[])]), "done requires_action"),
        (sync(), one("created", "attempted"), "done processing"),
        (sync(), one("authorized", "attempted"), "done authorised"),
        (sync(), one("captured", "paid"), "done captured"),
        (sync(), one("failed", "attempted"), "done failed"),
        (sync(), one("new_word", "attempted"), "unknown unknown_status"),
        (by_itself.clone(), with(payment("captured"), "order_id", Value::Null), "done captured"),
        (by_itself, payment("authorized"), "done authorised"),
        (refund(), refunded("processed"), "done succeeded"),
        (refund(), refunded("pending"), "pending pending"),
        (refund(), refunded("failed"), "declined refund_failed"),
        (refund(), refunded("new_word"), "unknown unknown_status"),
        (sync_refund(), refunded("pending"), "done pending"),
        (sync_refund(), refunded("failed"), "done failed"),
        (confirm(), payment("captured"), "unknown unreadable"),
        (void(), payment("captured"), "unknown unreadable"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{op:?} {body}");
    }
}

#[test]
fn a_new_order_is_known_by_its_id_and_waits_for_the_checkout() {
    let outcome = parse(&sale(), 200, order("created").to_string());
    let facts = outcome.answer().unwrap().payment().unwrap();
    assert_eq!(facts.provider_ref, reference(ORDER));
    assert_eq!(facts.charge_ref, None);
    assert_eq!(facts.reference, our_payment().parse().ok());
    let kind = "razorpay_checkout".to_owned();
    assert_eq!(facts.next_action, Some(NextAction::Unsupported { kind }));
}

#[test]
fn a_capture_tells_the_payment_and_its_fee_without_the_tax() {
    let body = with(with(payment("captured"), "fee", json!(590)), "tax", json!(90));
    let outcome = parse(&capture(), 200, body.to_string());
    let facts = outcome.answer().unwrap().payment().unwrap().clone();
    assert_eq!((facts.provider_ref, facts.charge_ref), (reference(ORDER), Some(reference(PAY))));
    let fee = facts.fee.unwrap();
    let said = [fee.gross, fee.fee, fee.tax, fee.net].map(|money| money.to_string());
    assert_eq!(said, ["250.00 INR", "5.00 INR", "0.90 INR", "244.10 INR"]);
    assert_eq!(fee.balance_transaction, reference(PAY));
}

#[test]
fn the_fee_of_a_payment_in_another_currency_is_in_rupees() {
    let mut body = with(with(payment("captured"), "fee", json!(207)), "tax", json!(32));
    body["currency"] = json!("USD");
    let op = sync_of(money(AMOUNT, "USD"), PAY);
    let fee = |body: &Value| {
        let outcome = parse(&op, 200, body.to_string());
        outcome.answer().unwrap().payment().unwrap().fee.clone()
    };
    assert_eq!(fee(&body), None);
    body["base_amount"] = json!(7_129);
    let said = fee(&body).unwrap();
    let said = [said.gross, said.fee, said.tax, said.net].map(|money| money.to_string());
    assert_eq!(said, ["71.29 INR", "1.75 INR", "0.32 INR", "69.22 INR"]);
    // A tax above its fee, or a fee above the payment, is no fee.
    for (field, value) in [("tax", 208), ("fee", 7_130), ("fee", -1), ("base_amount", 0)] {
        assert_eq!(fee(&with(body.clone(), field, json!(value))), None, "{field} {value}");
    }
}

#[test]
fn an_echo_that_disagrees_is_a_mismatch_and_never_a_success() {
    let new = order("created");
    let paid = payment("captured");
    let back = refunded("processed");
    let of_another = json!({"mizan_payment_intent": format!("pi_{}", "f".repeat(32))});
    for (op, body, expected) in [
        (sale(), with(new.clone(), "amount", json!(AMOUNT + 1)), "mismatch amount"),
        (sale(), with(new.clone(), "currency", json!("USD")), "mismatch currency"),
        (sale(), with(new, "receipt", json!("Receipt #20")), "mismatch reference"),
        (capture(), with(paid.clone(), "amount", json!(1)), "mismatch amount"),
        (capture(), with(paid.clone(), "currency", json!("EUR")), "mismatch currency"),
        (capture(), with(paid.clone(), "id", json!("pay_other")), "mismatch provider_ref"),
        (capture(), with(paid.clone(), "order_id", json!("order_x")), "mismatch provider_ref"),
        (capture(), with(paid.clone(), "notes", of_another), "mismatch reference"),
        (sync_of(asked(), "pay_other"), paid, "mismatch provider_ref"),
        (refund(), with(back.clone(), "amount", json!(1)), "mismatch amount"),
        (refund(), with(back.clone(), "currency", json!("EUR")), "mismatch currency"),
        (refund(), with(back.clone(), "payment_id", json!("pay_x")), "mismatch payment_ref"),
        (
            refund(),
            with(back.clone(), "notes", json!({"mizan_refund": "re_1"})),
            "mismatch reference",
        ),
        (sync_refund(), with(back, "id", json!("rfnd_x")), "mismatch provider_ref"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{body}");
    }
}

#[test]
fn a_success_status_with_anything_but_a_success_inside_is_unknown() {
    let paid = payment("captured");
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>Welcome</html>".to_owned(), "unknown unreadable"),
        (200, "null".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, "{}".to_owned(), "unknown unreadable"),
        (200, json!({"error": {"code": "BAD_REQUEST_ERROR"}}).to_string(), "unknown error_inside"),
        (200, with(paid.clone(), "error", json!("x")).to_string(), "unknown error_inside"),
        (200, with(paid.clone(), "entity", json!("order")).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "currency", json!("ZZZ")).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount", json!(0)).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount", json!("25000")).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount", json!(250.5)).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount_refunded", json!(-1)).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "id", json!("pay_/../x")).to_string(), "unknown unreadable"),
        (302, paid.to_string(), "unknown redirect"),
        (100, paid.to_string(), "unknown unreadable"),
        (400, paid.to_string(), "unknown unreadable"),
        (503, paid.to_string(), "unknown server_error"),
    ] {
        let said = brief(&parse(&capture(), status, body.clone()));
        assert_eq!(said, expected, "{status} {body}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_an_outcome_and_none_of_them_a_success(
        status in 100_u16..600,
        body: Vec<u8>,
    ) {
        for op in all_operations() {
            let answer = HttpAnswer::new(status, Headers::new(), body.clone());
            let outcome = razorpay().parse(&op, &answer);
            prop_assert!(!matches!(outcome, Outcome::Done(_) | Outcome::Pending(_)));
        }
    }

    #[test]
    fn a_body_with_one_field_spoiled_never_becomes_another_amount(
        field in prop::sample::select(vec![
            "id", "entity", "amount", "currency", "status", "order_id", "captured", "notes",
            "amount_refunded", "fee", "created_at",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!(1), json!(i64::MAX), json!(1.5), json!(""),
            json!("captured"), json!("refunded"), json!([]), json!({}),
        ]),
    ) {
        let body = with(payment("captured"), field, value);
        if let Outcome::Done(answer) = parse(&capture(), 200, body.to_string()) {
            prop_assert_eq!(answer.payment().unwrap().captured, asked());
        }
    }
}

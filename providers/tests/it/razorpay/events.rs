//! Events: read by what they carry and never by their name, and set aside where nobody uses them.

use mizan_providers::{
    EventSubject, FundsMovement, Mode, PaymentAnswer, Provider, ProviderEvent, TranslateError,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::value;
use super::shop::{
    AMOUNT, ORDER, PAY, RFND, money, order, our_payment, our_refund, payment, razorpay, reference,
    refunded, with,
};

fn event(kind: &str, payload: &Value) -> Value {
    json!({
        "entity": "event", "account_id": "acc_1", "event": kind, "contains": [],
        "payload": payload, "created_at": 1_567_674_606,
    })
}

fn translated(body: &Value) -> Result<ProviderEvent, TranslateError> {
    let mut events = razorpay().events(body.to_string().as_bytes())?;
    assert_eq!(events.len(), 1, "{body}");
    Ok(events.remove(0))
}

fn told(kind: &str, payload: &Value) -> ProviderEvent {
    translated(&event(kind, payload)).unwrap()
}

fn paid(event: &ProviderEvent) -> &PaymentAnswer {
    let EventSubject::Payment(it) = &event.subject else { panic!("{event:?}") };
    it
}

#[test]
fn an_event_has_its_time_its_account_and_no_word_about_test_money() {
    let it = told("payment.captured", &json!({"payment": {"entity": payment("captured")}}));
    assert_eq!(it.occurred_at.map(|at| at.timestamp()), Some(1_567_674_606));
    assert_eq!((it.account.as_deref(), it.mode), (Some("acc_1"), Mode::Unstated));
    assert!(it.id.starts_with("sha256:"), "{}", it.id);
}

#[test]
fn the_entity_tells_the_state_and_not_the_name_of_the_event() {
    for kind in ["payment.authorized", "payment.captured", "payment.failed"] {
        for (status, expected) in
            [("authorized", "authorised"), ("captured", "captured"), ("new_word", "unknown")]
        {
            let it = told(kind, &json!({"payment": {"entity": payment(status)}}));
            assert_eq!(it.status(), Some(expected), "{kind}");
            assert_eq!(it.provider_ref(), Some(&reference(ORDER)), "{kind}");
        }
    }
}

#[test]
fn a_payment_without_an_order_is_known_by_itself() {
    let alone = with(payment("captured"), "order_id", Value::Null);
    let it = told("payment.captured", &json!({"payment": {"entity": alone}}));
    assert_eq!(it.provider_ref(), Some(&reference(PAY)));
}

#[test]
fn a_paid_order_tells_the_same_payment_as_its_capture_and_our_reference() {
    let capture = told("payment.captured", &json!({"payment": {"entity": payment("captured")}}));
    let both = json!({
        "payment": {"entity": payment("captured")}, "order": {"entity": order("paid")},
    });
    let order = told("order.paid", &both);
    assert_eq!(order.reference(), our_payment().parse().ok());
    let named = PaymentAnswer { reference: order.reference(), ..paid(&capture).clone() };
    assert_eq!(paid(&order), &named);
    assert_eq!(named.charge_ref, Some(reference(PAY)));

    let mut foreign = both;
    foreign["payment"]["entity"]["order_id"] = json!("order_other");
    assert!(translated(&event("order.paid", &foreign)).is_err());
}

#[test]
fn a_refund_is_found_by_its_payments_order_and_by_our_own_names() {
    let notes = json!({"mizan_refund": our_refund(), "mizan_payment_intent": our_payment()});
    let ours = with(refunded("processed"), "notes", notes);
    let both = json!({"refund": {"entity": ours}, "payment": {"entity": payment("captured")}});
    for kind in ["refund.created", "refund.processed", "refund.failed", "refund.speed_changed"] {
        let it = told(kind, &both);
        let EventSubject::Refund(facts) = &it.subject else { panic!("{it:?}") };
        assert_eq!(facts.status.as_str(), "succeeded", "{kind}");
        assert_eq!(facts.provider_ref, reference(RFND));
        assert_eq!(facts.payment_ref, Some(reference(ORDER)));
        assert_eq!(facts.charge_ref, Some(reference(PAY)));
        assert_eq!(facts.reference, our_refund().parse().ok());
        assert_eq!(it.reference(), our_payment().parse().ok());
    }
    // Without the payment beside it, or beside another one, only the payment's own id is known.
    let mut other = both;
    other["payment"]["entity"]["id"] = json!("pay_other");
    let it = told("refund.processed", &other);
    assert_eq!(it.payment_ref(), Some(&reference(PAY)));
}

#[test]
fn a_lost_dispute_tells_what_was_deducted_and_no_other_moves_money() {
    let sample = value("webhook.payment.dispute.won.json");
    let dispute = |status: &str, deducted: i64| {
        let mut payload = sample["payload"].clone();
        payload["dispute"]["entity"]["status"] = json!(status);
        payload["dispute"]["entity"]["amount_deducted"] = json!(deducted);
        let it = told("payment.dispute.lost", &payload);
        let EventSubject::Dispute(facts) = it.subject else { panic!("{it:?}") };
        facts
    };
    let lost = dispute("lost", 120_000);
    assert_eq!((lost.amount, lost.funds), (money(130_000, "INR"), FundsMovement::Withdrawn));
    assert_eq!(lost.rows.len(), 1);
    assert_eq!(
        (lost.rows[0].gross, lost.rows[0].net),
        (money(-120_000, "INR"), lost.rows[0].gross)
    );
    assert_eq!(lost.charge_ref, Some(reference("pay_EsIStomuIwFQ6U")));
    assert_eq!(lost.evidence_due_by.map(|at| at.timestamp()), Some(1_590_431_400));
    for (status, deducted, expected) in [
        ("lost", 0, "lost"),
        ("won", 0, "won"),
        ("closed", 0, "warning"),
        ("closed", 1, "unknown"),
        ("new_word", 0, "unknown"),
    ] {
        let it = dispute(status, deducted);
        assert_eq!((it.status.as_str(), it.funds), (expected, FundsMovement::None), "{status}");
        assert!(it.rows.is_empty(), "{status}");
    }
}

#[test]
fn a_paid_order_that_was_paid_twice_tells_both() {
    let paid = |amount: i64| {
        let order = with(order("paid"), "amount_paid", json!(amount));
        let parts = json!({"payment": {"entity": payment("captured")}, "order": {"entity": order}});
        let it = told("order.paid", &parts);
        let EventSubject::Payment(facts) = it.subject else { panic!("{it:?}") };
        (facts.amount.minor(), facts.captured.minor())
    };
    assert_eq!(paid(AMOUNT), (AMOUNT, AMOUNT));
    assert_eq!(paid(2 * AMOUNT), (AMOUNT, 2 * AMOUNT));
}

#[test]
fn a_failed_transfer_is_failed_whatever_its_entity_says() {
    let sample = value("webhook.transfer.processed.json")["payload"].clone();
    let status = |kind: &str, field: &str, value: Value| {
        let mut payload = sample.clone();
        payload["transfer"]["entity"][field] = value;
        told(kind, &payload).status()
    };
    assert_eq!(status("transfer.failed", "status", json!("processed")), Some("failed"));
    let error = json!({"code": "BAD_REQUEST_TRANSFER_INSUFFICIENT_BALANCE"});
    assert_eq!(status("transfer.processed", "error", error), Some("failed"));
    let nothing = json!({"code": "NA"});
    assert_eq!(status("transfer.processed", "error", nothing), Some("created"));
    let back = |amount: i64| status("transfer.processed", "amount_reversed", json!(amount));
    assert_eq!((back(1), back(100)), (Some("partially_reversed"), Some("reversed")));
}

#[test]
fn a_payout_that_came_back_says_why() {
    let mut payload = value("webhook.payout.processed.json")["payload"].clone();
    payload["payout"]["entity"]["status"] = json!("reversed");
    payload["payout"]["entity"]["status_details"]["reason"] = json!("bank_account_closed");
    let it = told("payout.reversed", &payload);
    let EventSubject::Payout(facts) = &it.subject else { panic!("{it:?}") };
    assert_eq!(facts.status.as_str(), "returned");
    assert_eq!(facts.reason.as_deref(), Some("bank_account_closed"));
}

#[test]
fn kinds_of_no_interest_are_set_aside_by_name() {
    for kind in ["payment.downtime.started", "payout.downtime.started", "token.confirmed", "x"] {
        let mut body = event(kind, &json!({"thing": {"entity": {"id": "thing_1"}}}));
        body["contains"] = json!(["thing"]);
        body.as_object_mut().unwrap().remove("created_at");
        let it = translated(&body).unwrap();
        assert_eq!((it.kind().as_str(), it.event_type.as_str()), ("other", kind));
        assert_eq!(it.provider_ref(), Some(&reference("thing_1")));
    }
}

#[test]
fn what_is_no_event_or_lacks_what_it_needs_is_parked_with_a_reason() {
    let good = event("payment.captured", &json!({"payment": {"entity": payment("captured")}}));
    let spoiled = |field: &str, value: Value| {
        let mut body = good.clone();
        body["payload"]["payment"]["entity"][field] = value;
        body
    };
    assert!(translated(&good).is_ok());
    for body in [
        json!(null),
        json!([]),
        json!({"event": "payment.captured"}),
        with(good.clone(), "entity", json!("payment")),
        with(good.clone(), "event", json!("")),
        with(good.clone(), "payload", json!({})),
        with(good.clone(), "payload", json!({"payment": {"entity": []}})),
        with(good.clone(), "created_at", Value::Null),
        with(good.clone(), "created_at", json!(i64::MAX)),
        spoiled("amount", json!(0)),
        spoiled("amount", json!("100")),
        spoiled("currency", json!("ZZZ")),
        spoiled("id", json!("pay_/..")),
        spoiled("amount_refunded", json!(AMOUNT + 1)),
        spoiled("status", Value::Null),
    ] {
        let error = translated(&body).unwrap_err().to_string();
        assert!(!error.contains("pay_/.."), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_translated_or_refused_without_a_panic(body: Vec<u8>, text in "\\PC{0,80}") {
        let _ = razorpay().events(&body);
        let kind = event(&text, &json!({"payment": {"entity": {"id": text.clone()}}}));
        let _ = razorpay().events(kind.to_string().as_bytes());
    }
}

//! Events: read by what they carry and never by their name, and set aside where nobody uses them.

use mizan_providers::paypal::{Environment, Paypal};
use mizan_providers::{
    EventKind, EventSubject, Mode, NextAction, PaymentAnswer, Provider, ProviderEvent,
    TranslateError,
};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::shop::{
    BATCH, CAPTURE, CLIENT, HOLD, ITEM, ORDER, REFUND, SECRET, asked, at, captured, money, order,
    our_payment, our_payout, our_refund, part, paypal, reference, refunded, taken, usd, with,
};

fn event(kind: &str, resource: &Value) -> Value {
    json!({
        "id": "WH-1", "event_type": kind, "create_time": "2026-01-02T03:04:05.678Z",
        "resource_type": "thing", "resource": resource,
    })
}

fn translated(body: &Value) -> Result<ProviderEvent, TranslateError> {
    let mut events = paypal().events(body.to_string().as_bytes())?;
    assert_eq!(events.len(), 1, "{body}");
    Ok(events.remove(0))
}

fn told(kind: &str, resource: &Value) -> ProviderEvent {
    translated(&event(kind, resource)).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

fn payment(kind: &str, resource: &Value) -> PaymentAnswer {
    let EventSubject::Payment(it) = told(kind, resource).subject else { panic!("{kind}") };
    *it
}

#[test]
fn an_event_has_its_id_its_time_and_the_world_of_its_connection() {
    let it = told("PAYMENT.CAPTURE.COMPLETED", &taken("COMPLETED", "100.00"));
    assert_eq!((it.id.as_str(), it.mode), ("WH-1", Mode::Test));
    assert_eq!(it.occurred_at, Some(at("2026-01-02T03:04:05.678Z")));
    // The thing's own time is the better one.
    let own = with(taken("COMPLETED", "1"), "update_time", json!("2018-08-15T12:13:29-07:00"));
    let it = told("PAYMENT.CAPTURE.COMPLETED", &own);
    assert_eq!(it.occurred_at, Some(at("2018-08-15T19:13:29Z")));
    let secret = SecretString::from(SECRET);
    let live = Paypal::new(CLIENT.to_owned(), secret, Environment::Live).unwrap();
    let body = event("CHECKOUT.ORDER.APPROVED", &order("APPROVED", "CAPTURE", &json!({})));
    assert_eq!(live.events(body.to_string().as_bytes()).unwrap()[0].mode, Mode::Live);
    let reader = Paypal::webhook_reader();
    assert_eq!(reader.events(body.to_string().as_bytes()).unwrap()[0].mode, Mode::Unstated);
}

#[test]
fn the_resource_tells_the_state_and_not_the_name_of_the_event() {
    for kind in ["COMPLETED", "PENDING", "DECLINED", "DENIED"] {
        for (status, expected) in [
            ("COMPLETED", "captured"),
            ("PENDING", "processing"),
            ("DECLINED", "failed"),
            ("REFUNDED", "captured"),
            ("NEW_WORD", "unknown"),
        ] {
            let it = told(&format!("PAYMENT.CAPTURE.{kind}"), &taken(status, "100.00"));
            assert_eq!(it.status(), Some(expected), "{kind} {status}");
        }
    }
    for (status, expected) in [("CREATED", "authorised"), ("VOIDED", "cancelled"), ("X", "unknown")]
    {
        let it = told("PAYMENT.AUTHORIZATION.CREATED", &part(HOLD, status, "100.00"));
        assert_eq!(it.status(), Some(expected), "{status}");
    }
    let hold = payment("PAYMENT.AUTHORIZATION.CREATED", &part(HOLD, "CREATED", "100.00"));
    assert_eq!((hold.capturable, hold.charge_ref), (asked(), Some(reference(HOLD))));
}

#[test]
fn a_capture_is_known_by_its_order_else_by_what_it_belongs_to() {
    let kind = "PAYMENT.CAPTURE.COMPLETED";
    let plain = taken("COMPLETED", "100.00");
    let beside = json!({"related_ids": {"order_id": ORDER}});
    let up = json!([{"rel": "up", "href": format!("https://x/v2/checkout/orders/{ORDER}")}]);
    for (resource, known) in [
        (with(plain.clone(), "supplementary_data", beside), ORDER),
        (with(plain.clone(), "links", up), ORDER),
        (plain.clone(), HOLD),
        (with(plain.clone(), "links", json!([])), CAPTURE),
    ] {
        let it = payment(kind, &resource);
        assert_eq!((it.provider_ref, it.charge_ref), (reference(known), Some(reference(CAPTURE))));
    }
    let by_custom = with(plain.clone(), "custom_id", json!(our_payment()));
    let invoice = json!(format!("{}-000000000007", our_payment()));
    let by_invoice = with(plain, "invoice_id", invoice);
    for resource in [by_custom, by_invoice] {
        assert_eq!(payment(kind, &resource).reference, our_payment().parse().ok());
    }
}

#[test]
fn an_approved_order_asks_us_and_takes_nothing() {
    let it = payment("CHECKOUT.ORDER.APPROVED", &order("APPROVED", "CAPTURE", &json!({})));
    assert_eq!(
        (it.status.as_str(), it.next_action),
        ("requires_action", Some(NextAction::Confirm))
    );
    assert_eq!((it.amount, it.captured.minor()), (asked(), 0));
    let empty = told("CHECKOUT.ORDER.COMPLETED", &order("COMPLETED", "CAPTURE", &json!({})));
    assert_eq!(empty.kind(), EventKind::Other);
    let full = payment("CHECKOUT.ORDER.COMPLETED", &captured("DECLINED"));
    assert_eq!(full.status.as_str(), "failed");
    let unit = json!([{"custom_id": our_payment(), "amount": usd("100.00")}]);
    let withdrawn = json!({"order_id": ORDER, "purchase_units": unit});
    let it = payment("CHECKOUT.PAYMENT-APPROVAL.REVERSED", &withdrawn);
    assert_eq!((it.status.as_str(), it.provider_ref), ("cancelled", reference(ORDER)));
    assert_eq!(it.cancellation_reason.as_deref(), Some("approval_reversed"));
}

#[test]
fn a_refunded_capture_tells_the_refund_and_a_reversed_one_that_it_was_taken_back() {
    let it = told("PAYMENT.CAPTURE.REFUNDED", &refunded("COMPLETED"));
    let EventSubject::Refund(facts) = it.subject else { panic!() };
    assert_eq!(facts.provider_ref, reference(REFUND));
    assert_eq!(
        (facts.charge_ref, facts.payment_ref),
        (Some(reference(CAPTURE)), Some(reference(CAPTURE)))
    );
    assert_eq!(facts.reference, our_refund().parse().ok());

    let minus = with(refunded("COMPLETED"), "amount", usd("-12.00"));
    for (resource, charge) in [(minus, CAPTURE), (part(CAPTURE, "REFUNDED", "12.00"), CAPTURE)] {
        let it = payment("PAYMENT.CAPTURE.REVERSED", &resource);
        assert_eq!((it.status.as_str(), it.captured), ("reversed", money(1_200, "USD")));
        assert_eq!((it.charge_ref, it.fee), (Some(reference(charge)), None));
        assert_eq!(it.provider_ref, reference(CAPTURE));
    }
}

#[test]
fn a_payout_is_told_by_its_item_and_by_a_batch_that_was_denied() {
    let asked_for =
        json!({"amount": {"currency": "USD", "value": "1.0"}, "sender_item_id": our_payout()});
    let item = |status: &str| {
        let asked_for = &asked_for;
        json!({"payout_item_id": ITEM, "transaction_status": status, "payout_item": asked_for})
    };
    for (name, status, expected) in [
        ("SUCCEEDED", "SUCCESS", "paid"),
        ("RETURNED", "RETURNED", "returned"),
        ("REFUNDED", "REFUNDED", "returned"),
        ("UNCLAIMED", "UNCLAIMED", "in_transit"),
        ("HELD", "ONHOLD", "in_transit"),
        ("FAILED", "FAILED", "failed"),
        ("CANCELED", "CANCELED", "cancelled"),
        ("SUCCEEDED", "NEW_WORD", "unknown"),
    ] {
        let it = told(&format!("PAYMENT.PAYOUTS-ITEM.{name}"), &item(status));
        assert_eq!(it.status(), Some(expected), "{name}");
        let EventSubject::Payout(facts) = it.subject else { panic!() };
        assert_eq!((facts.reference, facts.amount), (our_payout().parse().ok(), money(100, "USD")));
    }
    let sender = json!({"sender_batch_id": format!("{}-00000000000b", our_payout())});
    let header = json!({
        "payout_batch_id": BATCH, "batch_status": "DENIED", "sender_batch_header": sender,
        "amount": {"currency": "USD", "value": "100.00"},
    });
    let it = told("PAYMENT.PAYOUTSBATCH.DENIED", &json!({"batch_header": header}));
    assert_eq!(it.status(), Some("failed"));
    let EventSubject::Payout(facts) = it.subject else { panic!() };
    assert_eq!(facts.reference, our_payout().parse().ok());
    for name in ["PROCESSING", "SUCCESS"] {
        let it = told(&format!("PAYMENT.PAYOUTSBATCH.{name}"), &json!({"batch_header": header}));
        assert_eq!(it.kind(), EventKind::Other, "{name}");
    }
}

#[test]
fn every_event_of_the_vocabulary_is_read_and_every_other_is_kept() {
    for (name, kind) in paypal().vocabulary().events {
        // Each wants its own resource: an empty one is refused, never passed over.
        let empty = translated(&event(name, &json!({})));
        let passed =
            matches!(&empty, Ok(it) if it.kind() != EventKind::Other && it.kind() != *kind);
        assert!(empty.is_err() && !passed, "{name}");
    }
    for name in [
        "PAYMENT.SALE.COMPLETED",
        "PAYMENT.SALE.REFUNDED",
        "VAULT.PAYMENT-TOKEN.CREATED",
        "BILLING.PLAN.CREATED",
        "RISK.DISPUTE.CREATED",
        "payment.capture.completed",
        "PAYMENT.CAPTURE",
    ] {
        let it =
            told(name, &json!({"id": "8kk8451t", "amount": {"total": "-1", "currency": "USD"}}));
        let EventSubject::Other(other) = it.subject else { panic!("{name}") };
        assert_eq!(other.object.as_deref(), Some("thing"));
        assert_eq!(other.object_id, Some(reference("8kk8451t")), "{name}");
    }
}

#[test]
fn what_cannot_be_an_event_is_refused_without_quoting_it() {
    let kind = "PAYMENT.CAPTURE.COMPLETED";
    let good = taken("COMPLETED", "100.00");
    let spoiled = |field: &str, value: Value| event(kind, &with(good.clone(), field, value));
    for body in [
        json!(null),
        json!({}),
        with(event(kind, &good), "id", json!("")),
        with(event(kind, &good), "event_type", json!("x".repeat(256))),
        with(event(kind, &good), "create_time", json!("yesterday")),
        with(event(kind, &good), "resource", json!(null)),
        spoiled("id", json!("../secret")),
        spoiled("amount", Value::Null),
        spoiled("amount", usd("-1.00")),
        spoiled("amount", usd("1.001")),
        spoiled("amount", json!({"currency_code": "ZZZ", "value": "1"})),
        spoiled("status", Value::Null),
        // The first version of payments has a state and a total.
        event(
            "PAYMENT.AUTHORIZATION.CREATED",
            &json!({
                "id": "2DC87612EK520411B", "state": "authorized",
                "amount": {"total": "7.47", "currency": "USD"},
            }),
        ),
    ] {
        let error = translated(&body).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_translated_or_refused_without_a_panic(body: Vec<u8>, text in "\\PC{0,80}") {
        let _ = paypal().events(&body);
        for (name, _) in paypal().vocabulary().events {
            let resource = json!({"id": &text, "status": &text, "amount": &text});
            let _ = paypal().events(event(name, &resource).to_string().as_bytes());
        }
    }
}

//! Razorpay's messages: what is said when, signed how.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Rzp, WEBHOOK_SECRET};
use crate::support::{START, Sink};

pub fn hmac(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

async fn heard(older: &[&str]) -> (Rzp, Sink) {
    let sink = Sink::start().await;
    let older: Vec<_> = older.iter().map(|secret| (*secret).to_owned()).collect();
    let rzp = Rzp::with(|config| {
        config.webhook_url = Some(sink.url.clone());
        config.older_webhook_secrets = older;
    })
    .await;
    (rzp, sink)
}

#[tokio::test]
async fn a_life_is_told_in_order_and_every_body_is_signed() {
    let (rzp, sink) = heard(&[]).await;
    let payment = rzp.paid(50_000, "r-1").await;
    rzp.refund(&payment, &json!({ "amount": 10_000 })).await;
    rzp.post("/_sim/disputes", &json!({ "payment": payment })).await;
    rzp.payout(&rzp.payout_body(&rzp.fund_account().await, 5_000), "payout-1").await;
    rzp.clock.advance(60);
    rzp.post("/_sim/settle", &json!({})).await;
    rzp.sim.deliver_due().await;
    assert_eq!(
        sink.kinds(),
        [
            "payment.authorized",
            "payment.captured",
            "order.paid",
            "refund.created",
            "refund.processed",
            "payment.dispute.created",
            "payout.initiated",
            "transaction.created",
            "payout.processed",
            "settlement.processed",
        ]
    );
    let mut ids = std::collections::BTreeSet::new();
    for received in sink.all() {
        assert_eq!(received.signature, hmac(WEBHOOK_SECRET, &received.body));
        let id = received.headers["x-razorpay-event-id"].to_str().unwrap();
        assert!(ids.insert(id.to_owned()), "every event has an id of its own");
        let event = received.event();
        assert_eq!(event["entity"], "event");
        for name in event["contains"].as_array().unwrap() {
            assert!(event["payload"][name.as_str().unwrap()]["entity"].is_object());
        }
    }
    let captured = sink.all()[1].event()["payload"]["payment"]["entity"].clone();
    assert_eq!((&captured["id"], &captured["amount"]), (&json!(payment), &json!(50_000)));
    assert_eq!(captured["amount_refunded"], 0, "a message is as things were when it happened");
}

#[tokio::test]
async fn deliveries_are_falsified_skewed_and_signed_with_another_secret() {
    let (rzp, sink) = heard(&["older"]).await;
    rzp.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"clock_skew\"\nskew_s = -900\n\
         event = \"payment.authorized\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"key_rotation\"\nevent = \"payment.captured\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"unknown_status\"\nevent = \"order.paid\"",
    );
    rzp.paid(50_000, "r-1").await;
    rzp.sim.deliver_due().await;
    let all = sink.all();
    assert_eq!(all[0].event()["created_at"], START - 900);
    assert_eq!(all[0].signature, hmac(WEBHOOK_SECRET, &all[0].body));
    assert_eq!(all[1].signature, hmac("older", &all[1].body));
    let order: Value = all[2].event()["payload"]["order"]["entity"].clone();
    assert_eq!(order["status"], "simmering");
    assert_eq!(all[2].signature, hmac(WEBHOOK_SECRET, &all[2].body));
}

#[tokio::test]
async fn a_message_that_is_not_taken_is_tried_for_a_day() {
    let (rzp, sink) = heard(&[]).await;
    sink.answer(500);
    rzp.order(50_000, "r-1", "automatic").await;
    rzp.choose("r-1", &json!({ "outcome": "declined" })).await;
    for _ in 0..30 {
        rzp.sim.deliver_due().await;
        rzp.clock.advance(3600);
    }
    let deliveries = rzp.get("/_sim/webhooks").await.body["razorpay"].clone();
    assert_eq!(deliveries[0]["state"]["is"], "given_up");
    let ids: Vec<_> =
        sink.all().iter().map(|it| it.headers["x-razorpay-event-id"].clone()).collect();
    assert!(ids.len() > 5 && ids.iter().all(|id| *id == ids[0]), "the id stays the same");
}

#[tokio::test]
async fn a_payment_that_failed_may_be_captured_after_all() {
    let (rzp, sink) = heard(&[]).await;
    let order = rzp.order(50_000, "r-1", "automatic").await;
    let failed = rzp.choose(&order, &json!({ "outcome": "declined" })).await;
    let late = rzp.choose(&order, &json!({ "outcome": "paid_late" })).await;
    assert_eq!(late, failed);
    rzp.sim.deliver_due().await;
    let kinds = ["payment.failed", "payment.authorized", "payment.captured", "order.paid"];
    assert_eq!(sink.kinds(), kinds);
    let read = rzp.get(&format!("/v1/payments/{late}")).await;
    assert_eq!(
        (&read.body["status"], &read.body["error_code"]),
        (&json!("captured"), &json!(null))
    );
    rzp.assert_balanced();
}

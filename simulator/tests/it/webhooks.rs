//! Signed events, retries and the queue.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Bed, Received, SECRET, START, Sink};

async fn bed(sink: &Sink) -> Bed {
    Bed::with(|config| config.webhook_url = Some(sink.url.clone())).await
}

/// Checks a delivery the way the documentation says, with nothing of the simulator's.
fn is_signed_with(received: &Received, secret: &str, time: i64) -> bool {
    let parts: Vec<_> = received.signature.split(',').collect();
    assert_eq!(parts[0], format!("t={time}"));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.").as_bytes());
    mac.update(received.body.as_bytes());
    let expected = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
    parts.contains(&expected.as_str())
}

#[tokio::test]
async fn every_change_is_an_event_with_a_whole_envelope_and_a_good_signature() {
    let sink = Sink::start().await;
    let bed = bed(&sink).await;
    let held = bed.pay("5000", "pm_card_visa", "manual").await;
    let capture = format!("/v1/payment_intents/{}/capture", held.id());
    bed.try_post(&capture, &[], Some("key-1")).await.unwrap();
    bed.post("/v1/refunds", &[("payment_intent", held.id()), ("amount", "1000")]).await;
    bed.pay("5000", "pm_card_visa_chargeDeclined", "automatic").await;
    assert_eq!(bed.sim.deliver_due().await, 10);
    assert_eq!(
        sink.kinds(),
        [
            "payment_intent.created",
            "charge.succeeded",
            "payment_intent.amount_capturable_updated",
            "charge.captured",
            "payment_intent.succeeded",
            "charge.refunded",
            "refund.created",
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed",
        ]
    );
    for received in sink.all() {
        assert!(is_signed_with(&received, SECRET, START));
        let event = received.event();
        assert_eq!(event["object"], "event");
        assert_eq!(event["api_version"], "2026-06-24.dahlia");
        assert_eq!(event["created"], START);
        assert_eq!(event["pending_webhooks"], 1);
        assert!(event["request"]["id"].as_str().unwrap().starts_with("req_"));
    }
    let events: Vec<Value> = sink.all().iter().map(Received::event).collect();
    assert_eq!(events[2]["data"]["object"]["status"], "requires_capture", "a snapshot");
    assert_eq!(events[4]["request"]["idempotency_key"], "key-1");
    let previous = &events[5]["data"]["previous_attributes"];
    assert_eq!(previous, &json!({ "amount_refunded": 0 }));
}

#[tokio::test]
async fn while_secrets_rotate_every_active_one_signs() {
    let sink = Sink::start().await;
    let bed = Bed::with(|config| {
        config.webhook_url = Some(sink.url.clone());
        config.older_webhook_secrets = vec!["whsec_old".to_owned()];
    })
    .await;
    bed.pay("5000", "pm_card_visa", "automatic").await;
    bed.sim.deliver_due().await;
    let first = sink.all().remove(0);
    assert!(is_signed_with(&first, SECRET, START) && is_signed_with(&first, "whsec_old", START));
    assert!(!is_signed_with(&first, "whsec_other", START));
}

#[tokio::test]
async fn a_refused_delivery_comes_again_later_with_a_new_time_and_the_same_event() {
    let sink = Sink::start().await;
    let bed = bed(&sink).await;
    sink.answer(500);
    bed.pay("5000", "pm_card_visa", "automatic").await;
    assert_eq!(bed.sim.deliver_due().await, 3);
    assert_eq!(bed.sim.deliver_due().await, 0, "not due yet");
    let first = sink.all();
    sink.forget();
    bed.clock.advance(30);
    sink.answer(302);
    assert_eq!(bed.sim.deliver_due().await, 3, "a redirect is a failure too");
    bed.clock.advance(60);
    sink.answer(204);
    sink.forget();
    assert_eq!(bed.sim.deliver_due().await, 3);
    let last = sink.all();
    assert_eq!(first[0].body, last[0].body);
    assert_ne!(first[0].signature, last[0].signature);
    assert!(is_signed_with(&last[0], SECRET, START + 90));
    bed.clock.advance(86_400);
    assert_eq!(bed.sim.deliver_due().await, 0);

    let queue = bed.get("/_sim/webhooks").await.body;
    let statuses = queue["stripe"][0]["attempts"].as_array().unwrap().iter();
    let statuses: Vec<_> = statuses.map(|attempt| attempt["status"].clone()).collect();
    assert_eq!(statuses, [json!(500), json!(302), json!(204)]);
}

#[tokio::test]
async fn an_event_can_be_sent_again_by_hand() {
    let sink = Sink::start().await;
    let bed = bed(&sink).await;
    bed.pay("5000", "pm_card_visa", "automatic").await;
    let flushed = bed.post("/_sim/webhooks/flush", &[]).await;
    assert_eq!(flushed.body["attempts"], 3);
    let event = sink.all()[0].event();
    sink.forget();
    let id = event["id"].as_str().unwrap();
    bed.post(&format!("/_sim/webhooks/{id}/resend"), &[]).await;
    assert_eq!(sink.all()[0].event(), event);
    assert_eq!(bed.post("/_sim/webhooks/evt_nobody/resend", &[]).await.status, 404);
}

#[tokio::test]
async fn an_endpoint_set_later_gets_the_events_from_then_on() {
    let sink = Sink::start().await;
    let bed = Bed::new().await;
    bed.pay("5000", "pm_card_visa", "automatic").await;
    let url = format!("{}/_sim/webhooks/endpoint", bed.sim.url());
    let endpoint = json!({ "url": sink.url, "secrets": ["whsec_new"] });
    let set = bed.client.post(&url).json(&endpoint).send().await.unwrap();
    assert_eq!(set.status(), 204);
    bed.post("/v1/customers", &[]).await;
    assert_eq!(bed.sim.deliver_due().await, 1);
    assert!(is_signed_with(&sink.all()[0], "whsec_new", START));
}

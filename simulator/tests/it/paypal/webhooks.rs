//! PayPal's messages: what is said when, signed with which certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::certificates::Certificate;
use super::{Pal, WEBHOOK_ID, usd};
use crate::support::{Received, Sink, read};

async fn heard(older: &[&str]) -> (Pal, Sink) {
    let sink = Sink::start().await;
    let older: Vec<_> = older.iter().map(|secret| (*secret).to_owned()).collect();
    let pal = Pal::with(|config| {
        config.webhook_url = Some(sink.url.clone());
        config.older_webhook_secrets = older;
    })
    .await;
    (pal, sink)
}

fn header<'a>(received: &'a Received, name: &str) -> &'a str {
    received.headers[&format!("paypal-{name}")].to_str().unwrap()
}

/// CRC-32 by a table, as another hand would write it.
fn checksum(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256_u32)
        .map(|byte| {
            (0..8).fold(byte, |c, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 })
        })
        .collect();
    !bytes.iter().fold(u32::MAX, |c, byte| {
        table[usize::try_from((c ^ u32::from(*byte)) & 0xff).unwrap()] ^ (c >> 8)
    })
}

/// As a receiver does it: certificate, chain, names, text, signature.
async fn is_genuine(pal: &Pal, received: &Received, webhook_id: &str) -> bool {
    let url = header(received, "cert-url");
    assert!(url.starts_with(&format!("{}/v1/notifications/certs/CERT-", pal.sim.url())));
    let chain = read(pal.client.get(url)).await.unwrap();
    let chain = Certificate::all(chain.body.as_str().unwrap());
    let root = Certificate::all(pal.sim.webhook_root_pem().unwrap());
    assert!(chain[0].is_signed_by(&chain[1]) && chain[1].is_signed_by(&root[0]));
    assert!(root[0].is_signed_by(&root[0]));
    let name = "messageverificationcerts.sandbox.paypal.com";
    assert_eq!(chain[0].mentions(name), 2, "common name and alternative name");
    assert_eq!(header(received, "auth-algo"), "SHA256withRSA");
    let text = format!(
        "{}|{}|{webhook_id}|{}",
        header(received, "transmission-id"),
        header(received, "transmission-time"),
        checksum(received.body.as_bytes()),
    );
    let signature = STANDARD.decode(header(received, "transmission-sig")).unwrap();
    chain[0].verifies(text.as_bytes(), &signature)
}

#[tokio::test]
async fn a_life_is_told_in_order_and_every_body_is_signed() {
    let (pal, sink) = heard(&[]).await;
    let (order, capture) = pal.paid("50.00", "pay-1").await;
    let body = json!({ "amount": usd("10.00") });
    pal.post(&format!("/v2/payments/captures/{capture}/refund"), &body).await;
    let id = pal.authorised("20.00", "pay-2").await;
    pal.post(&format!("/v2/payments/authorizations/{id}/void"), &json!({})).await;
    let opened = pal.post("/_sim/disputes", &json!({ "payment": capture })).await;
    pal.post(&format!("/_sim/disputes/{}/win", opened.id()), &json!({})).await;
    pal.sim.deliver_due().await;
    assert_eq!(
        sink.kinds(),
        [
            "CHECKOUT.ORDER.APPROVED",
            "PAYMENT.CAPTURE.COMPLETED",
            "CHECKOUT.ORDER.COMPLETED",
            "PAYMENT.CAPTURE.REFUNDED",
            "CHECKOUT.ORDER.APPROVED",
            "PAYMENT.AUTHORIZATION.CREATED",
            "PAYMENT.AUTHORIZATION.VOIDED",
            "CUSTOMER.DISPUTE.CREATED",
            "CUSTOMER.DISPUTE.RESOLVED",
        ]
    );
    for received in sink.all() {
        assert!(is_genuine(&pal, &received, WEBHOOK_ID).await, "{}", received.body);
        assert!(!is_genuine(&pal, &received, "another").await);
    }
    let captured = sink.all()[1].event();
    assert_eq!(captured["resource"]["id"], capture.as_str());
    assert_eq!(captured["resource"]["custom_id"], "pay-1");
    let related = &captured["resource"]["supplementary_data"]["related_ids"];
    assert_eq!(related["order_id"], order.as_str());
    let refunded = sink.all()[3].event()["resource"].clone();
    assert_eq!((&refunded["amount"], &refunded["status"]), (&usd("10.00"), &json!("COMPLETED")));
    assert!(refunded["links"][1]["href"].as_str().unwrap().ends_with(&capture));
    let url = format!("{}/_sim/root.pem", pal.sim.url());
    let root = read(pal.client.get(url)).await.unwrap();
    assert_eq!(root.body.as_str(), pal.sim.webhook_root_pem());
}

#[tokio::test]
async fn what_waits_is_denied_taken_back_or_lapses_is_told() {
    let (pal, sink) = heard(&[]).await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    pal.choose(&order, &json!({ "outcome": "held" })).await;
    pal.capture(&order).await;
    pal.choose(&order, &json!({ "outcome": "declined" })).await;
    let order = pal.order("CAPTURE", "20.00", "pay-2").await;
    let choice = json!({ "outcome": "declined", "reason": "capture_declined" });
    pal.choose(&order, &choice).await;
    pal.capture(&order).await;
    pal.sim.deliver_due().await;
    let kinds = sink.kinds();
    assert_eq!(kinds[1..3], ["PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED"]);
    assert_eq!(kinds[4..], ["PAYMENT.CAPTURE.DECLINED"]);

    sink.forget();
    let (_, capture) = pal.paid("30.00", "pay-3").await;
    pal.choose(&capture, &json!({ "outcome": "reversed" })).await;
    let order = pal.order("CAPTURE", "20.00", "pay-4").await;
    pal.approve(&order).await;
    pal.clock.advance(3 * 3600);
    pal.sim.deliver_due().await;
    let kinds = sink.kinds();
    assert_eq!(kinds[3], "PAYMENT.CAPTURE.REVERSED");
    assert_eq!(kinds[5], "CHECKOUT.PAYMENT-APPROVAL.REVERSED");
    let reversed = sink.all()[3].event()["resource"].clone();
    assert_eq!(reversed["amount"], usd("30.00"));
    assert!(reversed["links"][1]["href"].as_str().unwrap().ends_with(&capture));
    assert_eq!(pal.status_of(&format!("/v2/payments/captures/{capture}")).await, "REFUNDED");
    pal.assert_balanced();
}

#[tokio::test]
async fn payouts_and_tokens_are_told() {
    let (pal, sink) = heard(&[]).await;
    let item = |receiver: &str, id: &str| {
        json!({ "receiver": receiver, "sender_item_id": id,
            "amount": { "value": "1.00", "currency": "USD" } })
    };
    let items = [item("v@example.com", "i-1"), item("unclaimed@example.com", "i-2")];
    let body = json!({ "sender_batch_header": { "sender_batch_id": "b-1" }, "items": items });
    pal.keyed("/v1/payments/payouts", &body, "b-1").await;
    pal.clock.advance(60);
    let id = pal.state().await["payouts"][1]["id"].as_str().unwrap().to_owned();
    pal.post(&format!("/v1/payments/payouts-item/{id}/cancel"), &json!({})).await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    pal.choose(&order, &json!({ "outcome": "paid", "save": true })).await;
    pal.capture(&order).await;
    let token = pal.state().await["tokens"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v3/vault/payment-tokens/{token}");
    read(pal.request("DELETE", &path)).await.unwrap();
    pal.sim.deliver_due().await;
    assert_eq!(
        sink.kinds(),
        [
            "PAYMENT.PAYOUTSBATCH.PROCESSING",
            "PAYMENT.PAYOUTS-ITEM.UNCLAIMED",
            "PAYMENT.PAYOUTS-ITEM.SUCCEEDED",
            "PAYMENT.PAYOUTSBATCH.SUCCESS",
            "PAYMENT.PAYOUTS-ITEM.CANCELED",
            "CHECKOUT.ORDER.APPROVED",
            "VAULT.PAYMENT-TOKEN.CREATED",
            "PAYMENT.CAPTURE.COMPLETED",
            "CHECKOUT.ORDER.COMPLETED",
            "VAULT.PAYMENT-TOKEN.DELETED",
        ]
    );
    let paid = sink.all()[2].event()["resource"].clone();
    assert_eq!(paid["transaction_status"], "SUCCESS");
    assert_eq!(paid["payout_item"]["amount"], json!({ "currency": "USD", "value": "1.00" }));
}

#[tokio::test]
async fn deliveries_are_skewed_falsified_and_signed_with_the_next_certificate() {
    let (pal, sink) = heard(&["5GP0OLDER"]).await;
    pal.faults(
        "[[rules]]\non = \"webhook\"\nkind = \"clock_skew\"\nskew_s = -900\n\
         event = \"CHECKOUT.ORDER.APPROVED\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"key_rotation\"\n\
         event = \"PAYMENT.CAPTURE.COMPLETED\"\n\
         [[rules]]\non = \"webhook\"\nkind = \"wrong_amount\"\n\
         event = \"CHECKOUT.ORDER.COMPLETED\"",
    );
    pal.paid("50.00", "pay-1").await;
    pal.sim.deliver_due().await;
    let all = sink.all();
    assert_eq!(header(&all[0], "transmission-time"), "2026-05-28T20:11:40Z");
    assert!(is_genuine(&pal, &all[0], WEBHOOK_ID).await);
    assert_ne!(header(&all[0], "cert-url"), header(&all[1], "cert-url"));
    assert!(is_genuine(&pal, &all[1], "5GP0OLDER").await);
    let amount = &all[2].event()["resource"]["purchase_units"][0]["amount"];
    assert_eq!(amount["value"], "51.00");
    assert!(is_genuine(&pal, &all[2], WEBHOOK_ID).await);
}

#[tokio::test]
async fn the_postback_says_success_only_for_the_bytes_that_were_sent() {
    let (pal, sink) = heard(&[]).await;
    pal.paid("50.00", "pay-1").await;
    pal.sim.deliver_due().await;
    let received = sink.all()[0].clone();
    let verdict = async |event: &str, webhook_id: &str, cert_url: &str| {
        let mut fields = json!({
            "auth_algo": header(&received, "auth-algo"), "cert_url": cert_url,
            "transmission_id": header(&received, "transmission-id"),
            "transmission_sig": header(&received, "transmission-sig"),
            "transmission_time": header(&received, "transmission-time"),
            "webhook_id": webhook_id,
        })
        .to_string();
        fields.pop();
        let body = format!("{fields},\"webhook_event\":{event}}}");
        let path = "/v1/notifications/verify-webhook-signature";
        let request = pal.request("POST", path).header("content-type", "application/json");
        read(request.body(body)).await.unwrap().body["verification_status"].clone()
    };
    let (body, url) = (received.body.as_str(), header(&received, "cert-url"));
    assert_eq!(verdict(body, WEBHOOK_ID, url).await, "SUCCESS");
    assert_eq!(verdict(body, "WEBHOOK_ID", url).await, "FAILURE");
    assert_eq!(verdict(&body.replace(':', ": "), WEBHOOK_ID, url).await, "FAILURE");
    assert_eq!(verdict(body, WEBHOOK_ID, "https://evil.example/CERT-1").await, "FAILURE");
    let path = "/v1/notifications/verify-webhook-signature";
    assert_eq!(pal.post(path, &json!({ "webhook_event": {} })).await.status, 400);
}

#[tokio::test]
async fn events_are_listed_and_sent_again_under_their_id() {
    let (pal, sink) = heard(&[]).await;
    sink.answer(500);
    pal.paid("50.00", "pay-1").await;
    pal.sim.deliver_due().await;
    let tried = sink.all().len();
    pal.clock.advance(3 * 24 * 3600 + 7 * 3600);
    for _ in 0..3 {
        pal.sim.deliver_due().await;
    }
    pal.renew().await;
    let deliveries = pal.get("/_sim/webhooks").await.body["paypal"].clone();
    assert_eq!(deliveries[0]["state"]["is"], "given_up");
    sink.answer(200);
    sink.forget();
    let path = "/v1/notifications/webhooks-events";
    let listed = pal.get(&format!("{path}?event_type=PAYMENT.CAPTURE.COMPLETED")).await.body;
    assert_eq!((tried, &listed["count"]), (3, &json!(1)));
    let id = listed["events"][0]["id"].as_str().unwrap();
    assert_eq!(pal.get(&format!("{path}/{id}")).await.body, listed["events"][0]);
    let again = pal.post(&format!("{path}/{id}/resend"), &json!({})).await;
    assert_eq!((again.status, again.id()), (202, id));
    pal.sim.deliver_due().await;
    let heard: Vec<Value> = sink.all().iter().map(Received::event).collect();
    assert_eq!(heard, [listed["events"][0].clone()]);
    assert_eq!(pal.get(&format!("{path}/WH-0")).await.status, 404);
    let first = pal.get(&format!("{path}?page_size=2")).await.body;
    assert_eq!((&first["count"], &first["links"][1]["rel"]), (&json!(2), &json!("next")));
}

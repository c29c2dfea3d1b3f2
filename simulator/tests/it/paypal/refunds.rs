//! Refunds: in parts, in full, slow ones, failed ones, refused ones.

use serde_json::json;

use super::{Pal, issue, usd};

#[tokio::test]
async fn a_capture_is_refunded_in_parts_until_nothing_is_left() {
    let pal = Pal::new().await;
    let (order, capture) = pal.paid("100.00", "pay-1").await;
    let path = format!("/v2/payments/captures/{capture}");
    let refund = format!("{path}/refund");
    let body = json!({ "amount": usd("12.34"), "invoice_id": "R-1", "note_to_payer": "Sorry" });
    let first = pal.post(&refund, &body).await;
    assert_eq!((first.status, &first.body["status"]), (201, &json!("COMPLETED")));
    assert!(first.body["amount"].is_null());
    let up = first.body["links"][1]["href"].as_str().unwrap();
    assert!(up.ends_with(&path), "the capture is only in the up link");
    assert_eq!(pal.status_of(&path).await, "PARTIALLY_REFUNDED");
    assert_eq!(issue(&pal.post(&refund, &body).await), "DUPLICATE_INVOICE_ID");
    let much = json!({ "amount": usd("87.67") });
    assert_eq!(issue(&pal.post(&refund, &much).await), "REFUND_AMOUNT_EXCEEDED");
    let euros = json!({ "amount": { "currency_code": "EUR", "value": "1.00" } });
    assert_eq!(issue(&pal.post(&refund, &euros).await), "REFUND_CAPTURE_CURRENCY_MISMATCH");

    let rest = pal.keyed(&refund, &json!({}), "rest").await.body;
    assert_eq!(rest["amount"], usd("87.66"));
    assert_eq!(rest["seller_payable_breakdown"]["total_refunded_amount"], usd("100.00"));
    assert_eq!(rest["seller_payable_breakdown"]["paypal_fee"], usd("0.00"));
    assert_eq!(pal.status_of(&path).await, "REFUNDED");
    assert_eq!(issue(&pal.post(&refund, &json!({})).await), "CAPTURE_FULLY_REFUNDED");
    let read = pal.get(&format!("/v2/payments/refunds/{}", first.id())).await.body;
    assert_eq!((&read["amount"], &read["note_to_payer"]), (&usd("12.34"), &json!("Sorry")));
    let order = pal.get(&format!("/v2/checkout/orders/{order}")).await.body;
    let refunds = order["purchase_units"][0]["payments"]["refunds"].as_array().unwrap().clone();
    assert_eq!((refunds.len(), &refunds[0]), (2, &read));
    pal.assert_balanced();
}

#[tokio::test]
async fn a_refund_to_a_bank_takes_its_time_and_may_fail() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "50.00", "pay-1").await;
    pal.choose(&order, &json!({ "outcome": "paid", "method": "bank" })).await;
    let taken = pal.capture(&order).await.body;
    let capture = taken["purchase_units"][0]["payments"]["captures"][0]["id"].clone();
    let path = format!("/v2/payments/captures/{}", capture.as_str().unwrap());
    let body = json!({ "amount": usd("10.00") });
    let slow = pal.post(&format!("{path}/refund"), &body).await;
    assert_eq!(slow.body["status"], "PENDING");
    let read = format!("/v2/payments/refunds/{}", slow.id());
    pal.clock.advance(60);
    assert_eq!(pal.status_of(&read).await, "COMPLETED");

    pal.faults("[[rules]]\non = \"refund\"\nkind = \"bounced_refund\"\ndelay_s = 30");
    let bounces = pal.post(&format!("{path}/refund"), &body).await;
    assert_eq!(bounces.body["status"], "PENDING");
    pal.clock.advance(30);
    assert_eq!(pal.status_of(&format!("/v2/payments/refunds/{}", bounces.id())).await, "FAILED");
    pal.post(&format!("/_sim/refunds/{}/bounce", slow.id()), &json!({})).await;
    assert_eq!(pal.status_of(&path).await, "COMPLETED", "both are back");
    pal.assert_balanced();
}

#[tokio::test]
async fn what_cannot_be_refunded_says_why() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "50.00", "pay-1").await;
    pal.choose(&order, &json!({ "outcome": "pending" })).await;
    let taken = pal.capture(&order).await.body;
    let pending = taken["purchase_units"][0]["payments"]["captures"][0]["id"].clone();
    let refund = async |capture: &str| {
        let path = format!("/v2/payments/captures/{capture}/refund");
        issue(&pal.post(&path, &json!({})).await).to_owned()
    };
    assert_eq!(refund(pending.as_str().unwrap()).await, "PENDING_CAPTURE");
    assert_eq!(refund("NOPE").await, "INVALID_RESOURCE_ID");

    let (_, capture) = pal.paid("50.00", "pay-2").await;
    let opened = pal.post("/_sim/disputes", &json!({ "payment": capture })).await;
    assert_eq!(refund(&capture).await, "TRANSACTION_DISPUTED");
    pal.post(&format!("/_sim/disputes/{}/lose", opened.id()), &json!({})).await;
    assert_eq!(refund(&capture).await, "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK");

    let (_, capture) = pal.paid("50.00", "pay-3").await;
    pal.clock.advance(181 * 24 * 3600);
    pal.renew().await;
    assert_eq!(refund(&capture).await, "REFUND_TIME_LIMIT_EXCEEDED");

    let (_, capture) = pal.paid("50.00", "pay-4").await;
    let body = json!({ "amount": -2_000_000_000_i64, "currency": "USD" });
    pal.post("/_sim/topup", &body).await;
    assert_eq!(refund(&capture).await, "REFUND_FAILED_INSUFFICIENT_FUNDS");
    pal.assert_balanced();
}

//! Authorisations: captured in parts, voided, renewed, run out.

use serde_json::json;

use super::{Pal, issue, usd};

const DAY_S: i64 = 24 * 3600;

#[tokio::test]
async fn an_authorisation_is_captured_in_parts_and_the_rest_is_voided() {
    let pal = Pal::new().await;
    let id = pal.authorised("100.00", "pay-1").await;
    let path = format!("/v2/payments/authorizations/{id}");
    let read = pal.get(&path).await.body;
    assert_eq!(read["expiration_time"], "2026-06-26T20:26:40Z");
    let body = json!({ "amount": usd("56.78"), "invoice_id": "PART-1" });
    let taken = pal.post(&format!("{path}/capture"), &body).await;
    assert_eq!((taken.status, &taken.body["status"]), (201, &json!("COMPLETED")));
    assert!(taken.body["amount"].is_null(), "the minimal answer has no amount");
    assert_eq!(pal.status_of(&path).await, "PARTIALLY_CAPTURED");
    let capture = pal.get(&format!("/v2/payments/captures/{}", taken.id())).await.body;
    assert_eq!(capture["amount"], usd("56.78"));
    assert_eq!(
        (&capture["invoice_id"], &capture["custom_id"]),
        (&json!("PART-1"), &json!("pay-1"))
    );
    assert_eq!(capture["supplementary_data"]["related_ids"]["authorization_id"], id.as_str());
    assert_eq!(capture["final_capture"], false);
    let body = json!({ "amount": usd("43.23") });
    let refused = pal.post(&format!("{path}/capture"), &body).await;
    assert_eq!(issue(&refused), "MAX_CAPTURE_AMOUNT_EXCEEDED");

    let voided = pal.post(&format!("{path}/void"), &json!({})).await;
    assert_eq!((voided.status, &voided.body), (204, &json!("")));
    assert_eq!(pal.status_of(&path).await, "VOIDED");
    assert_eq!(pal.status_of(&format!("/v2/payments/captures/{}", taken.id())).await, "COMPLETED");
    let again = pal.post(&format!("{path}/void"), &json!({})).await;
    assert_eq!(issue(&again), "PREVIOUSLY_VOIDED");
    let late = pal.post(&format!("{path}/capture"), &json!({})).await;
    assert_eq!(issue(&late), "AUTHORIZATION_VOIDED");
    pal.assert_balanced();
}

#[tokio::test]
async fn a_final_capture_closes_the_rest() {
    let pal = Pal::new().await;
    let id = pal.authorised("100.00", "pay-1").await;
    let path = format!("/v2/payments/authorizations/{id}");
    let body = json!({ "amount": usd("60.00"), "final_capture": true });
    let taken = pal.keyed(&format!("{path}/capture"), &body, "take").await;
    assert_eq!((taken.status, &taken.body["final_capture"]), (201, &json!(true)));
    assert_eq!(pal.status_of(&path).await, "CAPTURED");
    let more = pal.post(&format!("{path}/capture"), &json!({})).await;
    assert_eq!(issue(&more), "AUTHORIZATION_ALREADY_CAPTURED");
    let void = pal.post(&format!("{path}/void"), &json!({})).await;
    assert_eq!(issue(&void), "PREVIOUSLY_CAPTURED");
    pal.assert_balanced();
}

#[tokio::test]
async fn an_authorisation_that_is_untouched_is_voided_or_runs_out() {
    let pal = Pal::new().await;
    let id = pal.authorised("100.00", "pay-1").await;
    let path = format!("/v2/payments/authorizations/{id}");
    let voided = pal.keyed(&format!("{path}/void"), &json!({}), "void").await;
    assert_eq!((voided.status, &voided.body["status"]), (200, &json!("VOIDED")));
    let again = pal.keyed(&format!("{path}/void"), &json!({}), "void").await;
    assert_eq!(again.status, 200, "the same request id is no second void");

    let id = pal.authorised("100.00", "pay-2").await;
    let path = format!("/v2/payments/authorizations/{id}");
    pal.clock.advance(29 * DAY_S);
    pal.renew().await;
    assert_eq!(pal.status_of(&path).await, "EXPIRED");
    let late = pal.post(&format!("{path}/capture"), &json!({})).await;
    assert_eq!(issue(&late), "AUTHORIZATION_EXPIRED");
    pal.assert_balanced();
}

#[tokio::test]
async fn an_authorisation_is_renewed_after_its_honour_period() {
    let pal = Pal::new().await;
    let id = pal.authorised("100.00", "pay-1").await;
    let path = format!("/v2/payments/authorizations/{id}");
    let body = json!({ "amount": usd("115.00") });
    let soon = pal.post(&format!("{path}/reauthorize"), &body).await;
    assert_eq!(issue(&soon), "REAUTHORIZATION_TOO_SOON");
    pal.clock.advance(4 * DAY_S);
    pal.renew().await;
    let more = json!({ "amount": usd("115.01") });
    let much = pal.post(&format!("{path}/reauthorize"), &more).await;
    assert_eq!(much.status, 422);
    let renewed = pal.keyed(&format!("{path}/reauthorize"), &body, "again").await;
    assert_eq!((renewed.status, &renewed.body["amount"]), (201, &usd("115.00")));
    assert_ne!(renewed.id(), id);
    assert_eq!(pal.status_of(&path).await, "VOIDED");
    let path = format!("/v2/payments/authorizations/{}", renewed.id());
    let taken = pal.post(&format!("{path}/capture"), &json!({})).await;
    assert_eq!(taken.status, 201);
    assert_eq!(pal.state().await["references"]["pay-1"]["captured"], 11_500);
    pal.assert_balanced();
}

#[tokio::test]
async fn a_pending_authorisation_is_denied_or_goes_on() {
    let pal = Pal::new().await;
    for (end, status) in [("paid", "CREATED"), ("declined", "DENIED")] {
        let order = pal.order("AUTHORIZE", "10.00", end).await;
        pal.choose(&order, &json!({ "outcome": "pending", "reason": "OTHER" })).await;
        let made = pal.post(&format!("/v2/checkout/orders/{order}/authorize"), &json!({})).await;
        assert_eq!(made.body["status"], "COMPLETED");
        let made = made.body["purchase_units"][0]["payments"]["authorizations"][0].clone();
        assert_eq!(made["status"], "PENDING");
        let path = format!("/v2/payments/authorizations/{}", made["id"].as_str().unwrap());
        let early = pal.post(&format!("{path}/capture"), &json!({})).await;
        assert_eq!(issue(&early), "PENDING_AUTHORIZATION");
        pal.choose(&order, &json!({ "outcome": end })).await;
        assert_eq!(pal.status_of(&path).await, status);
    }
    let order = pal.order("AUTHORIZE", "10.00", "wrong").await;
    pal.approve(&order).await;
    assert_eq!(issue(&pal.capture(&order).await), "ACTION_DOES_NOT_MATCH_INTENT");
    pal.assert_balanced();
}

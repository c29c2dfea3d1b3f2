//! Deliveries: what they earn, once, and what they start.

use serde_json::json;

use crate::support_app::{TestApp, order};

#[tokio::test]
async fn a_delivery_earns_the_commission_once_however_often_it_is_said() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 52_500)]).await;
    let first = app.delivered(&id).await;
    assert_eq!(first.body["lines"][0]["release_at"], "2026-03-16T09:00:00Z", "{first:#?}");
    app.days(1).await;
    let again = app.delivered(&id).await;
    assert_eq!(again.body["lines"], first.body["lines"]);
    assert_eq!(app.holds("commission_revenue").await, "50.00 AED");
    assert_eq!(app.holds("deferred_commission").await, "0.00 AED");
    app.end().await;
}

#[tokio::test]
async fn lines_are_delivered_one_by_one_and_an_order_by_its_name() {
    let app = TestApp::new().await;
    let mut body = order(&[("V1", 10_500), ("V2", 21_000)]);
    body["order"] = json!("A-1");
    let id = app.create(body).await;
    let early = app.post("/v1/orders/A-1/deliveries", json!({ "status": "delivered" })).await;
    assert_eq!(early.problem(), (409, "wrong_state"), "{early:#?}");
    app.confirm(&id, "pm_card_visa").await;
    let said = json!({ "status": "delivered", "lines": [2] });
    let second = app.post("/v1/orders/A-1/deliveries", said).await;
    assert_eq!(second.body["lines"][0]["delivery"], json!(null), "{second:#?}");
    assert_eq!(app.holds("commission_revenue").await, "20.00 AED");
    app.delivered("A-1").await;
    assert_eq!(app.holds("commission_revenue").await, "30.00 AED");
    let unknown = json!({ "status": "delivered", "lines": [3] });
    let unknown = app.post("/v1/orders/A-1/deliveries", unknown).await;
    assert_eq!((unknown.problem(), unknown.text("param")), ((400, "invalid_field"), "lines"));
    let nobody = app.post("/v1/orders/B-1/deliveries", json!({ "status": "lost" })).await;
    assert_eq!(nobody.problem(), (404, "not_found"));
    app.end().await;
}

#[tokio::test]
async fn what_is_lost_or_returned_waits_and_may_be_delivered_after_all() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 52_500)]).await;
    app.delivered(&id).await;
    let path = format!("/v1/orders/{id}/deliveries");
    let back = app.post(&path, json!({ "status": "returned" })).await;
    assert_eq!(back.body["lines"][0]["release_at"], json!(null), "{back:#?}");
    app.days(20).await;
    assert_eq!(app.holds("vendor_payable:V1:available").await, "0");
    app.delivered(&id).await;
    app.days(14).await;
    assert_eq!(app.holds("vendor_payable:V1:available").await, "472.50 AED");
    assert_eq!(app.holds("commission_revenue").await, "50.00 AED");
    app.end().await;
}

#[tokio::test]
async fn a_refund_of_one_line_after_delivery_takes_back_what_was_earned() {
    let app = TestApp::new().await;
    let id = app.paid(&[("V1", 21_000), ("V1", 10_500)]).await;
    app.delivered(&id).await;
    let lines = json!({ "payment_intent": id, "lines": [{ "line": 2 }] });
    let refund = app.post("/v1/refunds", lines).await;
    assert_eq!((refund.status, refund.int("amount")), (200, 10_500), "{refund:#?}");
    assert_eq!(app.holds("commission_revenue").await, "20.00 AED");
    let more = json!({ "payment_intent": id, "lines": [{ "line": 2, "amount": 1 }] });
    let more = app.post("/v1/refunds", more).await;
    assert_eq!(more.problem(), (409, "amount_exceeds_rest"), "{more:#?}");
    app.days(14).await;
    assert_eq!(app.holds("vendor_payable:V1:available").await, "189.00 AED");
    assert_eq!(app.holds("vendor_payable:V1:pending").await, "0.00 AED");
    app.end().await;
}

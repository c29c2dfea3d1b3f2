//! `PayPal-Request-Id`: what the first call made, as it is now, for as long as it is remembered.

use std::time::Duration;

use serde_json::json;

use super::{Pal, issue, usd};

#[tokio::test]
async fn the_same_id_makes_one_order_and_shows_it_as_it_is_now() {
    let pal = Pal::new().await;
    let body = pal.order_body("CAPTURE", "20.00", "pay-1");
    let first = pal.keyed("/v2/checkout/orders", &body, "one").await;
    assert_eq!((first.status, &first.body["status"]), (200, &json!("PAYER_ACTION_REQUIRED")));
    pal.approve(first.id()).await;
    let again = pal.keyed("/v2/checkout/orders", &body, "one").await;
    assert_eq!((again.status, again.id()), (200, first.id()));
    assert_eq!(again.body["status"], "APPROVED", "not a frozen copy");

    let path = format!("/v2/checkout/orders/{}/capture", first.id());
    let taken = pal.keyed(&path, &json!({}), "take").await;
    let again = pal.keyed(&path, &json!({}), "take").await;
    assert_eq!((taken.status, again.status), (201, 200));
    assert_eq!(taken.body, again.body);
    pal.clock.advance(6 * 3600 + 1);
    let late = pal.keyed(&path, &json!({}), "take").await;
    assert_eq!((late.status, issue(&late)), (422, "ORDER_ALREADY_CAPTURED"), "forgotten");
    pal.assert_balanced();
}

#[tokio::test]
async fn captures_and_refunds_are_remembered_for_45_days() {
    let pal = Pal::new().await;
    let id = pal.authorised("100.00", "pay-1").await;
    let path = format!("/v2/payments/authorizations/{id}/capture");
    let body = json!({ "amount": usd("10.00") });
    let first = pal.keyed(&path, &body, "take").await;
    assert_eq!(pal.keyed(&path, &body, "take").await.id(), first.id());
    assert_ne!(pal.keyed(&path, &body, "more").await.id(), first.id());

    let path = format!("/v2/payments/captures/{}/refund", first.id());
    let part = json!({ "amount": usd("4.00") });
    let refund = pal.keyed(&path, &part, "back").await;
    pal.clock.advance(45 * 24 * 3600 - 1);
    pal.renew().await;
    assert_eq!(pal.keyed(&path, &part, "back").await.id(), refund.id());
    pal.clock.advance(1);
    assert_ne!(pal.keyed(&path, &part, "back").await.id(), refund.id());
    let long = pal.keyed(&path, &part, &"x".repeat(109)).await;
    assert_eq!(long.status, 400);
    pal.assert_balanced();
}

#[tokio::test]
async fn a_second_call_while_the_first_runs_has_to_wait() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    pal.approve(&order).await;
    pal.faults("[[rules]]\non = \"capture\"\nkind = \"delay\"\ndelay_ms = 400");
    let path = format!("/v2/checkout/orders/{order}/capture");
    let body = json!({});
    let first = pal.keyed(&path, &body, "take");
    let second = async {
        tokio::time::timeout(Duration::from_millis(100), std::future::pending::<()>()).await.ok();
        pal.keyed(&path, &body, "take").await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, 201);
    assert_eq!((second.status, &second.body["name"]), (409, &json!("RESOURCE_CONFLICT")));
    assert_eq!(issue(&second), "PREVIOUS_REQUEST_IN_PROGRESS");
    assert_eq!(pal.keyed(&path, &body, "take").await.body, first.body);
    pal.assert_balanced();
}

//! Refunds: full, partial, bounced, and kept for their key.

use serde_json::json;

use super::Rzp;

const HEADER: &str = "X-Refund-Idempotency";

#[tokio::test]
async fn a_payment_is_refunded_in_parts_and_never_more_than_captured() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(50_000, "r-1").await;
    let first = rzp.refund(&payment, &json!({ "amount": 20_000, "notes": { "a": "1" } })).await;
    assert_eq!(
        (&first.body["status"], &first.body["amount"]),
        (&json!("processed"), &json!(20_000))
    );
    let read = rzp.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(read.body["refund_status"], "partial");
    let much = rzp.refund(&payment, &json!({ "amount": 30_001 })).await;
    let text = "The refund amount provided is greater than amount captured.";
    assert_eq!((much.status, &much.body["error"]["description"]), (400, &json!(text)));
    rzp.refund(&payment, &json!({})).await;
    let read = rzp.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(
        (&read.body["status"], &read.body["refund_status"]),
        (&json!("refunded"), &json!("full"))
    );
    let more = rzp.refund(&payment, &json!({})).await;
    let text = "The payment has been fully refunded already.";
    assert_eq!(more.body["error"]["description"], text);
    let all = rzp.get(&format!("/v1/payments/{payment}/refunds")).await;
    assert_eq!((&all.body["count"], &all.body["items"][1]["id"]), (&json!(2), &first.body["id"]));
    assert_eq!(rzp.get(&format!("/v1/refunds/{}", first.id())).await.body, all.body["items"][1]);
    rzp.assert_balanced();
}

#[tokio::test]
async fn a_key_replays_its_refund_and_refuses_another_one() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(50_000, "r-1").await;
    let path = format!("/v1/payments/{payment}/refund");
    let key = Some((HEADER, "refund-key-1"));
    let body = json!({ "amount": 10_000 });
    let first = rzp.try_post(&path, &body, key).await.unwrap();
    let again = rzp.try_post(&path, &body, key).await.unwrap();
    assert_eq!(first.body, again.body);
    let other = rzp.try_post(&path, &json!({ "amount": 9_000 }), key).await.unwrap();
    assert_eq!((other.status, other.code()), (409, "BAD_REQUEST_ERROR"));
    let short = rzp.try_post(&path, &body, Some((HEADER, "short"))).await.unwrap();
    assert_eq!(short.status, 400, "a key has at least ten characters");
    assert_eq!(rzp.state().await["references"]["r-1"]["refunded"], 10_000);
}

#[tokio::test]
async fn a_refund_bounces_late_or_after_it_was_done_and_the_money_is_back() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(50_000, "r-1").await;
    rzp.faults(
        "[[rules]]\non = \"refund\"\nkind = \"bounced_refund\"\ndelay_s = 30\n\
         [[rules]]\non = \"refund\"\nkind = \"late_failure\"\ndelay_s = 30",
    );
    let bounced = rzp.refund(&payment, &json!({ "amount": 10_000 })).await;
    assert_eq!(bounced.body["status"], "pending");
    let failing = rzp.refund(&payment, &json!({ "amount": 5_000 })).await;
    assert_eq!(failing.body["status"], "processed");
    assert_eq!(rzp.state().await["references"]["r-1"]["refunded"], 15_000);
    rzp.clock.advance(30);
    for refund in [bounced, failing] {
        let read = rzp.get(&format!("/v1/refunds/{}", refund.id())).await;
        assert_eq!(read.body["status"], "failed");
    }
    assert_eq!(rzp.state().await["references"]["r-1"]["refunded"], 0);
    let third = rzp.refund(&payment, &json!({})).await;
    let bounce = format!("/_sim/refunds/{}/bounce", third.id());
    assert_eq!(rzp.post(&bounce, &json!({})).await.body["state"], "failed");
    assert_eq!(rzp.post(&bounce, &json!({})).await.status, 409);
    rzp.assert_balanced();
}

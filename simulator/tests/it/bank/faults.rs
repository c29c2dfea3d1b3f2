//! Every kind of fault of a call, and what it leaves behind.

use serde_json::{Value, json};

use crate::razorpay::Rzp;
use crate::support::Reply;

async fn orders(rzp: &Rzp) -> usize {
    rzp.state().await["orders"].as_array().unwrap().len()
}

/// Creates an order under one fault: the answer, and how many orders there are then.
async fn under(rule: &str) -> (Option<Reply>, usize, Rzp) {
    let rzp = Rzp::new().await;
    rzp.faults(&format!("[[rules]]\non = \"create\"\n{rule}"));
    let body = json!({ "amount": 5_000, "currency": "INR", "receipt": "r-1" });
    let answer = rzp.try_post("/v1/orders", &body, None).await.ok();
    let count = orders(&rzp).await;
    (answer, count, rzp)
}

#[tokio::test]
async fn the_caller_cannot_tell_whether_it_was_done() {
    for (rule, done) in [("kind = \"lost_answer\"", 1), ("kind = \"timeout\"\ndelay_ms = 20", 1)] {
        let (answer, count, _) = under(rule).await;
        assert!(answer.is_none(), "{rule}: the connection ends");
        assert_eq!(count, done, "{rule}");
    }
    let (answer, count, _) = under("kind = \"empty_body\"").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.body, count), (200, json!(""), 1));
    let (answer, count, _) = under("kind = \"http_500_after\"").await;
    assert_eq!((answer.unwrap().status, count), (500, 1));
}

#[tokio::test]
async fn an_answer_that_is_not_the_gateways_leaves_nothing() {
    let (answer, count, _) = under("kind = \"http_500\"").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.code(), count), (500, "SERVER_ERROR", 0));
    let (answer, count, _) = under("kind = \"error_in_200\"").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.code(), count), (200, "SERVER_ERROR", 0));
    let (answer, count, _) = under("kind = \"http_429\"\ndelay_s = 7").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, answer.header("retry-after"), count), (429, Some("7"), 0));
    let (answer, count, _) = under("kind = \"html\"").await;
    let answer = answer.unwrap();
    assert_eq!((answer.status, count), (200, 0));
    assert!(answer.body.as_str().unwrap().starts_with("<!doctype html>"));
    let (answer, count, _) = under("kind = \"redirect\"").await;
    assert_eq!((answer.unwrap().status, count), (302, 0));
}

#[tokio::test]
async fn a_falsified_answer_is_wrong_and_what_is_kept_is_right() {
    let cases = [
        ("wrong_amount", "amount", json!(5_100)),
        ("wrong_currency", "currency", json!("USD")),
        ("unknown_status", "status", json!("simmering")),
    ];
    for (kind, field, wrong) in cases {
        let (answer, _, rzp) = under(&format!("kind = \"{kind}\"")).await;
        let answer = answer.unwrap();
        assert_eq!(answer.body[field], wrong);
        let read: Value = rzp.get(&format!("/v1/orders/{}", answer.id())).await.body;
        assert_ne!(read[field], wrong);
    }
}

#[tokio::test]
async fn a_gateway_that_is_down_answers_nothing_until_its_time_is_over() {
    let (answer, count, rzp) = under("kind = \"down\"\ndelay_s = 60").await;
    assert_eq!((answer.unwrap().status, count), (503, 0));
    assert_eq!(rzp.get("/v1/payments").await.status, 503);
    rzp.clock.advance(59);
    assert_eq!(rzp.get("/v1/payments").await.status, 503);
    rzp.clock.advance(1);
    assert_eq!(rzp.get("/v1/payments").await.status, 200);
}

#[tokio::test]
async fn a_500_after_the_work_is_what_the_key_replays() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(50_000, "r-1").await;
    rzp.faults(
        "[[rules]]\non = \"refund\"\nkind = \"http_500_after\"\nmatch = { order_id = \"r-1\" }",
    );
    let path = format!("/v1/payments/{payment}/refund");
    for _ in 0..2 {
        let key = Some(("X-Refund-Idempotency", "refund-key-1"));
        let answer = rzp.try_post(&path, &json!({ "amount": 1_000 }), key).await.unwrap();
        assert_eq!(answer.status, 500);
    }
    assert_eq!(rzp.state().await["references"]["r-1"]["refunded"], 1_000);
}

#[tokio::test]
async fn a_key_whose_request_is_running_is_refused() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(50_000, "r-1").await;
    rzp.faults("[[rules]]\non = \"refund\"\nkind = \"delay\"\ndelay_ms = 300");
    let path = format!("/v1/payments/{payment}/refund");
    let body = json!({ "amount": 1_000 });
    let ask = || rzp.try_post(&path, &body, Some(("X-Refund-Idempotency", "refund-key-1")));
    let (one, other) = tokio::join!(ask(), ask());
    let mut statuses = [one.unwrap().status, other.unwrap().status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(rzp.state().await["references"]["r-1"]["refunded"], 1_000);
}

//! Transfers to linked accounts and back.

use serde_json::{Value, json};

use super::Rzp;

fn one(account: &str, amount: i64) -> Value {
    json!({ "account": account, "amount": amount, "currency": "INR" })
}

#[tokio::test]
async fn a_captured_payment_is_shared_out_and_no_more_than_is_left_after_fees() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(100_000, "r-1").await;
    let path = format!("/v1/payments/{payment}/transfers");
    let much = rzp.post(&path, &json!({ "transfers": [one("acc_1", 99_000)] })).await;
    assert_eq!(much.status, 400);
    let both = json!({ "transfers": [one("acc_1", 60_000), one("acc_2", 30_000)] });
    let made = rzp.post(&path, &both).await;
    assert_eq!(made.body["count"], 2);
    assert_eq!(
        (&made.body["items"][0]["fees"], &made.body["items"][0]["tax"]),
        (&json!(177), &json!(27))
    );
    let id = made.body["items"][0]["id"].as_str().unwrap();
    let reversals = format!("/v1/transfers/{id}/reversals");
    let part = rzp.post(&reversals, &json!({ "amount": 20_000 })).await;
    assert_eq!(part.body["transfer_id"], id);
    let read = rzp.get(&format!("/v1/transfers/{id}")).await;
    assert_eq!(read.body["status"], "partially_reversed");
    assert_eq!(rzp.post(&reversals, &json!({ "amount": 40_001 })).await.status, 400);
    rzp.post(&reversals, &json!({})).await;
    assert_eq!(rzp.get(&format!("/v1/transfers/{id}")).await.body["status"], "reversed");
    rzp.assert_balanced();
}

#[tokio::test]
async fn the_transfers_of_an_order_are_made_when_it_is_paid_and_go_back_with_a_refund() {
    let rzp = Rzp::new().await;
    let body = json!({
        "amount": 100_000, "currency": "INR", "receipt": "r-1", "transfers": [one("acc_1", 80_000)],
    });
    let order = rzp.post("/v1/orders", &body).await.id().to_owned();
    let payment = rzp.choose(&order, &json!({ "outcome": "paid" })).await;
    let made = rzp.get(&format!("/v1/payments/{payment}/transfers")).await;
    assert_eq!(made.body["items"][0]["amount"], 80_000);
    rzp.refund(&payment, &json!({ "reverse_all": true })).await;
    let made = rzp.get(&format!("/v1/payments/{payment}/transfers")).await;
    assert_eq!(made.body["items"][0]["status"], "reversed");
    rzp.assert_balanced();
}

#[tokio::test]
async fn a_direct_transfer_comes_from_the_balance_once_per_key() {
    let rzp = Rzp::new().await;
    assert_eq!(rzp.post("/v1/transfers", &one("acc_1", 1_000)).await.status, 400);
    rzp.paid(100_000, "r-1").await;
    let key = Some(("X-Transfer-Idempotency", "transfer 1"));
    let made = rzp.try_post("/v1/transfers", &one("acc_1", 1_000), key).await.unwrap();
    let again = rzp.try_post("/v1/transfers", &one("acc_1", 1_000), key).await.unwrap();
    assert_eq!((made.status, &made.body), (200, &again.body));
    assert_eq!(rzp.state().await["totals"]["INR"]["transferred"], 1_000);
    rzp.assert_balanced();
}

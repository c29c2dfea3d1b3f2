//! Payouts: once per key, queued without money, paid, returned with fee and tax.

use serde_json::json;

use super::{ACCOUNT_NUMBER, Rzp};

#[tokio::test]
async fn a_payout_is_made_once_per_key_and_paid_later() {
    let rzp = Rzp::new().await;
    let body = rzp.payout_body(&rzp.fund_account().await, 100_000);
    let missing = rzp.post("/v1/payouts", &body).await;
    assert_eq!(missing.body["error"]["field"], "X-Payout-Idempotency");
    let made = rzp.payout(&body, "payout-1").await;
    assert_eq!(made.body["status"], "processing");
    assert_eq!((&made.body["fees"], &made.body["tax"]), (&json!(590), &json!(90)));
    assert_eq!(rzp.payout(&body, "payout-1").await.body, made.body);
    let mut other = body.clone();
    other["amount"] = 1_000.into();
    let refused = rzp.payout(&other, "payout-1").await;
    assert_eq!(refused.status, 400);
    let text = "Different request body sent for the same Idempotency Header";
    assert_eq!(refused.body["error"]["description"], text);
    rzp.clock.advance(60);
    let list = format!("/v1/payouts?account_number={ACCOUNT_NUMBER}&reference_id=P-1");
    let found = rzp.get(&list).await;
    assert_eq!(
        (&found.body["count"], &found.body["items"][0]["status"]),
        (&json!(1), &json!("processed"))
    );
    rzp.assert_balanced();
}

#[tokio::test]
async fn a_payout_that_comes_back_brings_fee_and_tax_along() {
    let rzp = Rzp::with(|config| config.payout_float = 1_000_000).await;
    rzp.faults("[[rules]]\non = \"payout\"\nkind = \"returned_payout\"\ndelay_s = 3600");
    let made = rzp.payout(&rzp.payout_body(&rzp.fund_account().await, 100_000), "payout-1").await;
    let path = format!("/v1/payouts/{}", made.id());
    rzp.clock.advance(60);
    assert_eq!(rzp.get(&path).await.body["status"], "processed");
    assert_eq!(rzp.state().await["totals"]["INR"]["paid_out"], 100_000);
    rzp.clock.advance(3600);
    assert_eq!(rzp.get(&path).await.body["status"], "reversed");
    let book = rzp.get(&format!("/v1/transactions?account_number={ACCOUNT_NUMBER}")).await;
    let newest = &book.body["items"][0];
    assert_eq!((&newest["credit"], &newest["balance"]), (&json!(100_590), &json!(1_000_000)));
    assert_eq!(newest["source"]["entity"], "reversal");
    let second = rzp.payout(&rzp.payout_body(&rzp.fund_account().await, 5_000), "payout-2").await;
    let back = rzp.post(&format!("/_sim/payouts/{}/return", second.id()), &json!({})).await;
    assert_eq!(back.body["state"], "returned");
    rzp.assert_balanced();
}

#[tokio::test]
async fn without_money_a_payout_waits_is_cancelled_or_refused() {
    let rzp = Rzp::with(|config| config.payout_float = 0).await;
    let mut body = rzp.payout_body(&rzp.fund_account().await, 100_000);
    let queued = rzp.payout(&body, "payout-1").await;
    assert_eq!(queued.body["status"], "queued");
    assert_eq!(queued.body["status_details"]["reason"], "low_balance");
    let given_up = rzp.payout(&body, "payout-2").await;
    let cancel = format!("/v1/payouts/{}/cancel", given_up.id());
    assert_eq!(rzp.post(&cancel, &json!({})).await.body["status"], "cancelled");
    body["queue_if_low_balance"] = false.into();
    assert_eq!(rzp.payout(&body, "payout-3").await.status, 400);
    rzp.clock.advance(600);
    rzp.post("/_sim/topup", &json!({ "amount": 150_000, "currency": "INR" })).await;
    let path = format!("/v1/payouts/{}", queued.id());
    assert_eq!(rzp.get(&path).await.body["status"], "processing");
    assert_eq!(rzp.post(&cancel, &json!({})).await.status, 400);
    rzp.clock.advance(60);
    assert_eq!(rzp.get(&path).await.body["status"], "processed");
    rzp.assert_balanced();
}

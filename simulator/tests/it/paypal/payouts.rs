//! Payouts: batches, items that are paid, unclaimed, returned, cancelled.

use serde_json::{Value, json};

use super::{Pal, issue};
use crate::support::Reply;

fn item(receiver: &str, value: &str, id: &str) -> Value {
    json!({
        "recipient_type": "EMAIL", "receiver": receiver, "note": "Commission January",
        "amount": { "value": value, "currency": "USD" }, "sender_item_id": id,
    })
}

async fn send(pal: &Pal, batch: &str, items: &[Value]) -> Reply {
    let header = json!({ "sender_batch_id": batch, "email_subject": "You have a payout!" });
    let body = json!({ "sender_batch_header": header, "items": items });
    pal.keyed("/v1/payments/payouts", &body, batch).await
}

fn batch_id(made: &Reply) -> String {
    made.body["batch_header"]["payout_batch_id"].as_str().unwrap().to_owned()
}

async fn items(pal: &Pal, batch: &str) -> Value {
    pal.get(&format!("/v1/payments/payouts/{batch}")).await.body["items"].clone()
}

#[tokio::test]
async fn a_batch_is_worked_through_item_by_item() {
    let pal = Pal::new().await;
    let both =
        [item("vendor-a@example.com", "9.87", "i-1"), item("v-b@example.com", "5.32", "i-2")];
    let made = send(&pal, "batch-1", &both).await;
    assert_eq!((made.status, &made.body["batch_header"]["batch_status"]), (201, &json!("PENDING")));
    assert!(made.body["items"].is_null());
    let batch = batch_id(&made);
    let read = pal.get(&format!("/v1/payments/payouts/{batch}?total_required=true")).await.body;
    assert_eq!(read["batch_header"]["batch_status"], "PROCESSING");
    assert_eq!(read["batch_header"]["amount"]["value"], "15.19");
    assert_eq!((&read["total_items"], &read["total_pages"]), (&json!(2), &json!(1)));
    assert_eq!(read["items"][0]["transaction_status"], "PENDING");
    pal.clock.advance(60);
    let read = pal.get(&format!("/v1/payments/payouts/{batch}?page=2&page_size=1")).await.body;
    assert_eq!(read["batch_header"]["batch_status"], "SUCCESS");
    assert_eq!(read["items"].as_array().unwrap().len(), 1);
    let second = &read["items"][0];
    assert_eq!(
        (&second["transaction_status"], &second["payout_item"]["sender_item_id"]),
        (&json!("SUCCESS"), &json!("i-2"))
    );
    assert_eq!(second["payout_item_fee"], json!({ "currency": "USD", "value": "0.25" }));
    let path = format!("/v1/payments/payouts-item/{}", second["payout_item_id"].as_str().unwrap());
    assert_eq!(pal.get(&path).await.body, *second);

    let again = send(&pal, "batch-1", &both).await;
    assert_eq!((again.status, batch_id(&again)), (200, batch.clone()));
    let body = json!({ "sender_batch_header": { "sender_batch_id": "batch-1" }, "items": both });
    let refused = pal.keyed("/v1/payments/payouts", &body, "another").await;
    assert_eq!((refused.status, &refused.body["name"]), (400, &json!("USER_BUSINESS_ERROR")));
    assert!(refused.body["links"][0]["href"].as_str().unwrap().ends_with(&batch));
    pal.assert_balanced();
}

#[tokio::test]
async fn unclaimed_money_comes_back_by_call_or_by_time() {
    let pal = Pal::new().await;
    let waiting = ["i-1", "i-2", "i-3"].map(|id| item("unclaimed@example.com", "10.00", id));
    let batch = batch_id(&send(&pal, "batch-1", &waiting).await);
    let all = items(&pal, &batch).await;
    assert_eq!(all[0]["transaction_status"], "UNCLAIMED");
    assert_eq!(all[0]["errors"]["name"], "RECEIVER_UNREGISTERED");
    let id = all[0]["payout_item_id"].as_str().unwrap();
    let path = format!("/v1/payments/payouts-item/{id}/cancel");
    let cancelled = pal.post(&path, &json!({})).await;
    assert_eq!(cancelled.body["transaction_status"], "RETURNED");
    assert_eq!(pal.post(&path, &json!({})).await.status, 400);
    pal.post("/_sim/payouts/i-2/pay", &json!({})).await;
    pal.clock.advance(30 * 24 * 3600);
    pal.renew().await;
    let all = items(&pal, &batch).await;
    let status = |place: usize| all[place]["transaction_status"].clone();
    assert_eq!([status(0), status(1), status(2)], ["RETURNED", "SUCCESS", "RETURNED"]);
    pal.assert_balanced();
}

#[tokio::test]
async fn items_fail_are_blocked_and_come_back() {
    let pal = Pal::new().await;
    let four = ["i-1", "i-2", "i-3", "i-4"].map(|id| item("v@example.com", "10.00", id));
    let batch = batch_id(&send(&pal, "batch-1", &four).await);
    pal.post("/_sim/payouts/i-1/fail", &json!({ "reason": "RECEIVER_ACCOUNT_LOCKED" })).await;
    pal.post("/_sim/payouts/i-2/fail", &json!({ "reason": "BLOCKED" })).await;
    pal.clock.advance(60);
    pal.post("/_sim/payouts/i-3/return", &json!({ "reason": "REVERSED" })).await;
    let all = items(&pal, &batch).await;
    let status = |place: usize| all[place]["transaction_status"].clone();
    assert_eq!(
        [status(0), status(1), status(2), status(3)],
        ["FAILED", "BLOCKED", "REVERSED", "SUCCESS"]
    );

    pal.faults(
        "[[rules]]\non = \"payout\"\nkind = \"returned_payout\"\ndelay_s = 30\n\
                match = { sender_batch_id = \"batch-2\" }",
    );
    let batch = batch_id(&send(&pal, "batch-2", &[item("v@example.com", "10.00", "i-9")]).await);
    pal.clock.advance(60);
    assert_eq!(items(&pal, &batch).await[0]["transaction_status"], "SUCCESS");
    pal.clock.advance(30);
    assert_eq!(items(&pal, &batch).await[0]["transaction_status"], "RETURNED");
    pal.assert_balanced();
}

#[tokio::test]
async fn a_batch_that_the_balance_does_not_cover_is_denied() {
    let pal = Pal::with(|config| config.payout_float = 2_000).await;
    let both = ["i-1", "i-2"].map(|id| item("v@example.com", "10.00", id));
    let batch = batch_id(&send(&pal, "batch-1", &both).await);
    let read = pal.get(&format!("/v1/payments/payouts/{batch}")).await.body;
    assert_eq!(read["batch_header"]["batch_status"], "DENIED", "the fees are not covered");
    assert_eq!(read["items"][1]["transaction_status"], "FAILED");
    let id = read["items"][1]["payout_item_id"].as_str().unwrap();
    assert_eq!(pal.get(&format!("/v1/payments/payouts-item/{id}")).await.body, read["items"][1]);
    assert_eq!(pal.state().await["payouts"], json!([]));
    let wrong = send(&pal, "batch-2", &[item("v@example.com", "10.001", "i-1")]).await;
    assert_eq!(issue(&wrong), "DECIMAL_PRECISION");
    let empty = send(&pal, "batch-3", &[]).await;
    assert_eq!((empty.status, issue(&empty)), (400, "MISSING_REQUIRED_PARAMETER"));
    pal.assert_balanced();
}

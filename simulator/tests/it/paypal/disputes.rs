//! Disputes: opened, answered, decided, and the money that moves.

use serde_json::{Value, json};

use super::{Pal, usd};

async fn opened(pal: &Pal, capture: &str, body: Value) -> String {
    let mut body = body;
    body["payment"] = capture.into();
    pal.post("/_sim/disputes", &body).await.id().to_owned()
}

#[tokio::test]
async fn a_claim_is_answered_and_won() {
    let pal = Pal::new().await;
    let (_, capture) = pal.paid("50.00", "pay-1").await;
    let id = opened(&pal, &capture, json!({ "amount": 2_000 })).await;
    let path = format!("/v1/customer/disputes/{id}");
    let read = pal.get(&path).await.body;
    assert_eq!(read["status"], "WAITING_FOR_SELLER_RESPONSE");
    assert_eq!(read["disputed_transactions"][0]["seller_transaction_id"], capture.as_str());
    assert_eq!(read["dispute_amount"], usd("20.00"));
    assert!(read["seller_response_due_date"].is_string());
    let balances = pal.get("/v1/reporting/balances?currency_code=USD").await.body;
    assert_eq!(balances["balances"][0]["withheld_balance"], usd("20.00"));

    let empty = pal.post(&format!("{path}/provide-evidence"), &json!({})).await;
    assert_eq!(empty.status, 400);
    let evidence = json!({ "evidences": [{ "evidence_type": "PROOF_OF_FULFILLMENT" }] });
    let given = pal.post(&format!("{path}/provide-evidence"), &evidence).await;
    assert_eq!(given.status, 200);
    assert_eq!(pal.status_of(&path).await, "UNDER_REVIEW");
    let again = pal.post(&format!("{path}/provide-evidence"), &evidence).await;
    assert_eq!(again.status, 422);
    pal.post(&format!("/_sim/disputes/{id}/win"), &json!({})).await;
    let read = pal.get(&path).await.body;
    assert_eq!(read["dispute_outcome"]["outcome_code"], "RESOLVED_SELLER_FAVOUR");
    assert!(read["money_movements"].is_null());
    pal.assert_balanced();
}

#[tokio::test]
async fn an_inquiry_that_is_accepted_takes_the_money() {
    let pal = Pal::new().await;
    let (_, capture) = pal.paid("50.00", "pay-1").await;
    let reason = json!({ "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED" });
    let id = opened(&pal, &capture, reason).await;
    let path = format!("/v1/customer/disputes/{id}");
    let read = pal.get(&path).await.body;
    assert_eq!(
        (&read["status"], &read["dispute_life_cycle_stage"]),
        (&json!("OPEN"), &json!("INQUIRY"))
    );
    let before = pal.state().await["totals"]["USD"]["balance"].clone();
    assert_eq!(pal.post(&format!("{path}/accept-claim"), &json!({})).await.status, 200);
    let read = pal.get(&path).await.body;
    assert_eq!(read["dispute_outcome"]["outcome_code"], "RESOLVED_BUYER_FAVOUR");
    assert_eq!(read["money_movements"][0]["amount"], usd("50.00"));
    let after = pal.state().await["totals"]["USD"]["balance"].clone();
    assert_eq!(before.as_i64().unwrap() - after.as_i64().unwrap(), 5_000);
    assert_eq!(pal.post(&format!("{path}/accept-claim"), &json!({})).await.status, 422);
    pal.assert_balanced();
}

#[tokio::test]
async fn a_claim_that_the_buyer_gives_up_moves_nothing() {
    let pal = Pal::new().await;
    let (_, capture) = pal.paid("50.00", "pay-1").await;
    let id = opened(&pal, &capture, json!({})).await;
    pal.post(&format!("/_sim/disputes/{id}/close"), &json!({})).await;
    let read = pal.get(&format!("/v1/customer/disputes/{id}")).await.body;
    assert_eq!(read["dispute_outcome"]["outcome_code"], "CANCELED_BY_BUYER");
    assert!(read["money_movements"].is_null());
    assert_eq!(pal.post(&format!("/_sim/disputes/{id}/lose"), &json!({})).await.status, 409);
    pal.assert_balanced();
}

#[tokio::test]
async fn disputes_are_listed_by_pages_and_filters() {
    let pal = Pal::new().await;
    let mut captures = Vec::new();
    for place in 0..3 {
        let (_, capture) = pal.paid("50.00", &format!("pay-{place}")).await;
        opened(&pal, &capture, json!({})).await;
        captures.push(capture);
    }
    let first = pal.get("/v1/customer/disputes?page_size=2").await.body;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    assert_eq!(first["links"][2]["rel"], "next");
    let next = pal.get("/v1/customer/disputes?page_size=2&next_page_token=2").await.body;
    assert_eq!(next["items"].as_array().unwrap().len(), 1);
    assert!(next["links"][2].is_null());
    let path = format!("/v1/customer/disputes?disputed_transaction_id={}", captures[1]);
    assert_eq!(pal.get(&path).await.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(pal.get("/v1/customer/disputes?page_size=51").await.status, 400);
    assert_eq!(pal.get("/v1/customer/disputes/PP-0").await.status, 404);
}

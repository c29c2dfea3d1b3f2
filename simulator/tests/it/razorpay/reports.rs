//! Settlements with their rows, and disputes.

use serde_json::{Value, json};

use super::Rzp;
use crate::support::read;

const RECON: &str = "/v1/settlements/recon/combined?year=2026&month=5&count=1000";

fn sum(rows: &Value, name: &str) -> i64 {
    rows["items"].as_array().unwrap().iter().map(|row| row[name].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn a_settlement_is_the_sum_of_its_rows() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(100_000, "r-1").await;
    rzp.refund(&payment, &json!({ "amount": 10_000 })).await;
    rzp.paid(50_000, "r-2").await;
    rzp.clock.advance(1);
    let one = json!({ "account": "acc_1", "amount": 20_000, "currency": "INR" });
    let path = format!("/v1/payments/{payment}/transfers");
    assert_eq!(rzp.post(&path, &json!({ "transfers": [one] })).await.status, 200);
    rzp.post("/_sim/settle", &json!({})).await;
    let list = rzp.get("/v1/settlements").await;
    let settlement = list.body["items"][0].clone();
    let rows = rzp.get(RECON).await.body;
    assert_eq!(rows["count"], 4);
    assert_eq!(sum(&rows, "credit") - sum(&rows, "debit"), settlement["amount"].as_i64().unwrap());
    let first = &rows["items"][0];
    assert_eq!((&first["type"], &first["entity_id"]), (&json!("payment"), &json!(payment)));
    assert_eq!(first["credit"], 100_000 - first["fee"].as_i64().unwrap());
    assert_eq!(first["settlement_utr"], settlement["utr"]);
    assert_eq!(first["order_receipt"], "r-1");
    let page = rzp.get(&format!("{}&skip=3", RECON.replace("1000", "2"))).await;
    assert_eq!((&page.body["count"], &page.body["items"][0]), (&json!(1), &rows["items"][3]));
    let bad = rzp.get("/v1/settlements/recon/combined?year=2026&month=13").await;
    assert_eq!(bad.body["error"]["description"], "The month is not a valid month.");
    assert_eq!(rzp.state().await["totals"]["INR"]["balance"], 0);
    rzp.assert_balanced();
}

#[tokio::test]
async fn settlements_come_by_themselves_partial_and_with_drifting_fees() {
    let rzp = Rzp::new().await;
    rzp.paid(100_000, "r-1").await;
    rzp.paid(50_000, "r-2").await;
    rzp.faults(
        "[[rules]]\non = \"settlement\"\nkind = \"partial_settlement\"\n\
         [[rules]]\non = \"settlement\"\nkind = \"fee_drift\"",
    );
    rzp.clock.advance(2 * 24 * 3600);
    let state = rzp.state().await;
    let settlements = state["settlements"].as_array().unwrap();
    assert_eq!(settlements.len(), 1);
    assert_eq!(
        (&settlements[0]["partial"], &settlements[0]["gross"]),
        (&json!(true), &json!(100_000))
    );
    rzp.clock.advance(2 * 24 * 3600);
    let state = rzp.state().await;
    let second = &state["settlements"][1];
    let said = state["captures"][1]["fee"].as_i64().unwrap();
    assert_eq!(second["fee"], said + said / 10, "the settlement takes more than was said");
    rzp.assert_balanced();
}

#[tokio::test]
async fn a_dispute_takes_the_money_when_it_is_lost_and_a_won_one_never_does() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(100_000, "r-1").await;
    let open =
        |amount: i64| json!({ "payment": payment, "amount": amount, "reason": "chargeback" });
    let won = rzp.post("/_sim/disputes", &open(40_000)).await.id().to_owned();
    let lost = rzp.post("/_sim/disputes", &open(30_000)).await.id().to_owned();
    let evidence = json!({ "action": "submit", "amount": 40_000, "summary": "delivered" });
    let contest = rzp.request("PATCH", &format!("/v1/disputes/{won}/contest")).json(&evidence);
    let contested = read(contest).await.unwrap();
    assert_eq!(contested.body["status"], "under_review");
    assert_eq!(contested.body["evidence"]["summary"], "delivered");
    rzp.post(&format!("/_sim/disputes/{won}/win"), &json!({})).await;
    let accepted = rzp.post(&format!("/v1/disputes/{lost}/accept"), &json!({})).await;
    assert_eq!(
        (&accepted.body["status"], &accepted.body["amount_deducted"]),
        (&json!("lost"), &json!(30_000))
    );
    assert_eq!(rzp.get(&format!("/v1/disputes/{won}")).await.body["amount_deducted"], 0);
    assert_eq!(rzp.post(&format!("/v1/disputes/{won}/accept"), &json!({})).await.status, 400);
    assert_eq!(rzp.state().await["totals"]["INR"]["disputed"], 30_000);
    rzp.assert_balanced();
}

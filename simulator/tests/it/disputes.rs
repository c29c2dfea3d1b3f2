//! Disputes at Stripe: what each step says, and what it moves.

use serde_json::{Value, json};

use crate::support::{Bed, Reply, Sink, read};

const AMOUNT: i64 = 21_000;
const FEE: i64 = 5_500;

/// A paid order with a dispute of it.
struct Case {
    bed: Bed,
    sink: Sink,
    payment: String,
    id: String,
}

impl Case {
    async fn open(more: Value) -> Self {
        let (bed, sink) = (Bed::new().await, Sink::start().await);
        let paid = bed.pay("21000", "pm_card_visa", "automatic").await;
        let payment = paid.id().to_owned();
        bed.sim.set_webhook_url(Some(sink.url.clone()));
        let mut asked = json!({ "payment": payment });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let opened = control(&bed, "/_sim/disputes", &asked).await;
        assert_eq!(opened.status, 200, "{}", opened.body);
        let id = opened.id().to_owned();
        Self { bed, sink, payment, id }
    }

    async fn turn(&self, action: &str, body: Value) -> Reply {
        control(&self.bed, &format!("/_sim/disputes/{}/{action}", self.id), &body).await
    }

    /// The kinds of the events since the last look.
    async fn heard(&self) -> Vec<String> {
        self.bed.sim.deliver_due().await;
        let kinds = self.sink.kinds();
        self.sink.forget();
        kinds.into_iter().map(|kind| kind.replace("charge.dispute.", "")).collect()
    }

    async fn sum(&self, name: &str) -> i64 {
        assert!(self.bed.sim.imbalance().unwrap().is_empty());
        self.bed.state().await["totals"]["aed"][name].as_i64().unwrap()
    }

    async fn shown(&self) -> Value {
        self.bed.get(&format!("/v1/disputes/{}", self.id)).await.body
    }
}

async fn control(bed: &Bed, path: &str, body: &Value) -> Reply {
    read(bed.client.post(format!("{}{path}", bed.sim.url())).json(body)).await.unwrap()
}

#[tokio::test]
async fn an_opened_dispute_takes_the_amount_and_a_fee() {
    let case = Case::open(json!({ "fee": FEE, "reason": "product_not_received" })).await;
    assert_eq!(case.heard().await, ["created", "funds_withdrawn"]);
    let shown = case.shown().await;
    assert_eq!((&shown["status"], &shown["amount"]), (&json!("needs_response"), &json!(AMOUNT)));
    assert_eq!(shown["payment_intent"], json!(case.payment));
    let row = &shown["balance_transactions"][0];
    assert_eq!(
        (&row["amount"], &row["fee"], &row["net"], &row["reporting_category"]),
        (&json!(-AMOUNT), &json!(FEE), &json!(-AMOUNT - FEE), &json!("dispute"))
    );
    assert_eq!(case.sum("disputed").await, AMOUNT);
    let charge = shown["charge"].as_str().unwrap();
    assert_eq!(case.bed.get(&format!("/v1/charges/{charge}")).await.body["disputed"], true);
    let refund = case.bed.post("/v1/refunds", &[("charge", charge)]).await;
    assert_eq!(refund.code(), "charge_disputed");
}

#[tokio::test]
async fn a_won_dispute_gives_the_money_back_and_a_second_round_takes_it_again() {
    let case = Case::open(json!({ "fee": FEE })).await;
    let before = case.sum("balance").await;
    case.heard().await;
    case.turn("win", json!({ "fee": FEE })).await;
    assert_eq!(case.heard().await, ["funds_reinstated", "closed"]);
    assert_eq!(case.sum("balance").await, before + AMOUNT + FEE);
    assert_eq!(case.shown().await["balance_transactions"][1]["fee"], -FEE);

    case.turn("second_round", json!({})).await;
    assert_eq!(case.heard().await, ["updated", "funds_withdrawn"]);
    case.turn("lose", json!({})).await;
    assert_eq!(case.heard().await, ["closed"]);
    assert_eq!(case.shown().await["status"], "lost");
    assert_eq!(case.sum("disputed").await, AMOUNT);
    assert_eq!(case.turn("win", json!({})).await.status, 409);
}

#[tokio::test]
async fn an_inquiry_moves_nothing_until_it_is_escalated() {
    let case = Case::open(json!({ "inquiry": true })).await;
    assert_eq!(case.heard().await, ["created"]);
    assert_eq!(case.shown().await["status"], "warning_needs_response");
    assert_eq!(case.sum("disputed").await, 0);
    assert_eq!(case.turn("lose", json!({})).await.status, 409);
    case.turn("escalate", json!({ "fee": FEE })).await;
    assert_eq!(case.heard().await, ["updated", "funds_withdrawn"]);
    assert_eq!(case.sum("disputed").await, AMOUNT);

    let asked = Case::open(json!({ "inquiry": true })).await;
    asked.turn("close", json!({})).await;
    assert_eq!(asked.heard().await, ["created", "closed"]);
    assert_eq!(asked.shown().await["status"], "warning_closed");
}

#[tokio::test]
async fn the_money_can_be_taken_later_and_can_be_more_than_the_payment() {
    let case = Case::open(json!({ "funds_later": true, "amount": AMOUNT + 100 })).await;
    assert_eq!(case.heard().await, ["created"]);
    assert_eq!(case.sum("disputed").await, 0);
    case.turn("withdraw", json!({})).await;
    assert_eq!(case.heard().await, ["funds_withdrawn"]);
    assert_eq!(case.sum("disputed").await, AMOUNT + 100);
    assert_eq!(case.turn("withdraw", json!({})).await.status, 409);
}

#[tokio::test]
async fn the_shop_answers_or_gives_in() {
    let case = Case::open(json!({ "fee": FEE })).await;
    let path = format!("/v1/disputes/{}", case.id);
    let kept = case.bed.post(&path, &[("evidence[receipt]", "R-1"), ("submit", "false")]).await;
    assert_eq!((kept.status, &kept.body["status"]), (200, &json!("needs_response")));
    let sent = case.bed.post(&path, &[("evidence[uncategorized_text]", "signed")]).await;
    assert_eq!(sent.body["status"], "under_review");
    assert_eq!(sent.body["evidence"]["receipt"], "R-1");
    assert_eq!(sent.body["evidence_details"]["submission_count"], 1);
    let odd = case.bed.post(&path, &[("evidence[witness]", "me")]).await;
    assert_eq!(odd.code(), "parameter_unknown");
    let closed = case.bed.post(&format!("{path}/close"), &[]).await;
    assert_eq!(closed.body["status"], "lost");
    assert_eq!(case.bed.post(&format!("{path}/close"), &[]).await.status, 400);
    let listed = case.bed.get(&format!("/v1/disputes?payment_intent={}", case.payment)).await;
    assert_eq!(listed.body["data"][0]["id"], json!(case.id));
}

//! Money that goes back: refunds and disputes.

use serde_json::{Value, json};

use super::api::Body;
use super::{Done, Runner, Stop};
use crate::story::text::Statement;

/// How often a refund that the gateway still works on is looked at.
const PATIENCE: u32 = 4;
/// How long that takes each time, in seconds.
const PAUSE: i64 = 121;

impl Runner<'_> {
    pub async fn back(&mut self, verb: &str, it: &Statement) -> Done {
        match verb {
            "refund" => self.refund(it).await,
            "bounce" => self.bounce(it.name("refund")).await,
            "dispute of" => self.open_dispute(it).await,
            "accept dispute" => {
                let id = self.id(it.name("dispute"))?;
                self.post(&format!("/v1/disputes/{id}/accept"), Body::default()).await.map(drop)
            }
            "evidence for dispute" => {
                let id = self.id(it.name("dispute"))?;
                let evidence = json!({ "uncategorized_text": it.name("evidence") });
                let body = Body::default().set("evidence", evidence);
                self.post(&format!("/v1/disputes/{id}/evidence"), body).await.map(drop)
            }
            "dispute escalated" => self.decide(it, "escalate").await,
            "dispute funds withdrawn" => self.decide(it, "withdraw").await,
            "dispute second round" => self.decide(it, "second_round").await,
            _ => match it.name("outcome") {
                "won" => self.decide(it, "win").await,
                "closed" => self.decide(it, "close").await,
                _ => self.decide(it, "lose").await,
            },
        }
    }

    async fn refund(&mut self, it: &Statement) -> Done {
        let order = self.known_order(it.name("order"))?;
        let mut body =
            Body::default().set("payment_intent", order).fields(it, &["amount", "to", "reason"]);
        if !it.children.is_empty() {
            let line = |line: &Statement| Body::default().fields(line, &["line", "amount"]).value();
            body = body.set("lines", it.children.iter().map(line).collect::<Vec<Value>>());
        }
        let mut refund = self.post("/v1/refunds", body).await?;
        if let Some(name) = it.word("refund") {
            self.keep(name, &refund)?;
        }
        let path = format!("/v1/refunds/{}", refund["id"].as_str().unwrap_or_default());
        for _ in 0..PATIENCE {
            if it.has("left pending") || is_over(&refund) {
                break;
            }
            self.deliver().await;
            refund = self.get(&path).await?;
            if !is_over(&refund) {
                self.wait(PAUSE).await?;
                refund = self.get(&path).await?;
            }
        }
        let status = refund["status"].as_str().unwrap_or_default();
        if status == "succeeded" || it.has("left pending") {
            return Ok(());
        }
        let text = format!("the refund is {status}: {}", refund["failure_reason"]);
        Err(Stop::Refused { code: "refund_failed".to_owned(), text })
    }

    async fn bounce(&mut self, name: &str) -> Done {
        let refund = self.get(&format!("/v1/refunds/{}", self.id(name)?)).await?;
        let there = refund["provider_ref"].as_str();
        let there = there.ok_or_else(|| Stop::Broken("the gateway gave no id".to_owned()))?;
        let payment = refund["payment_intent"].as_str().unwrap_or_default();
        let intent = self.get(&format!("/v1/payment_intents/{payment}")).await?;
        let (gateway, _) = at_gateway(&intent)?;
        self.at_gateway(&gateway, &format!("/_sim/refunds/{there}/bounce"), json!({})).await?;
        Ok(())
    }

    async fn open_dispute(&mut self, it: &Statement) -> Done {
        let order = self.known_order(it.name("order"))?;
        let intent = self.get(&format!("/v1/payment_intents/{order}")).await?;
        let (gateway, payment) = at_gateway(&intent)?;
        let mut asked = Body::default()
            .set("payment", payment)
            .maybe("reason", it.word("reason"))
            .fields(it, &["amount", "fee"]);
        for (clause, field) in [("as inquiry", "inquiry"), ("funds later", "funds_later")] {
            if it.has(clause) {
                asked = asked.set(field, true);
            }
        }
        let opened = self.at_gateway(&gateway, "/_sim/disputes", asked.value()).await?;
        let there = opened["id"].as_str().unwrap_or_default().to_owned();
        self.disputes.insert(it.name("dispute").to_owned(), (gateway, there));
        self.what_is_due().await?;
        let newest = self.get("/v1/disputes?limit=1").await?;
        self.keep(it.name("dispute"), &newest["data"][0])
    }

    async fn decide(&mut self, it: &Statement, action: &str) -> Done {
        let name = it.name("dispute");
        let (gateway, there) =
            self.disputes.get(name).cloned().ok_or_else(|| {
                Stop::Broken(format!("there is no dispute {name} above this line"))
            })?;
        let path = format!("/_sim/disputes/{there}/{action}");
        let body = Body::default().fields(it, &["fee"]).value();
        self.at_gateway(&gateway, &path, body).await.map(drop)
    }
}

fn is_over(refund: &Value) -> bool {
    matches!(refund["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

/// The gateway that took the money, and its id of the payment.
fn at_gateway(intent: &Value) -> Result<(String, String), Stop> {
    let attempts = intent["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let paid = attempts.iter().rev().find(|it| it["status"] == "captured").or(attempts.last());
    let text = |field: &str| paid.and_then(|it| it[field].as_str()).map(str::to_owned);
    let both = text("provider").zip(text("provider_ref"));
    both.ok_or_else(|| Stop::Broken("no gateway took money for this order".to_owned()))
}

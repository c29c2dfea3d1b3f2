//! Money that goes back: refunds. Disputes are in `disputes.rs`.

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
            _ => self.dispute(verb, it).await,
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
}

fn is_over(refund: &Value) -> bool {
    matches!(refund["status"].as_str(), Some("succeeded" | "failed" | "cancelled"))
}

/// The gateway that took the money, and its id of the payment.
pub fn at_gateway(intent: &Value) -> Result<(String, String), Stop> {
    let attempts = intent["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let paid = attempts.iter().rev().find(|it| it["status"] == "captured").or(attempts.last());
    let text = |field: &str| paid.and_then(|it| it[field].as_str()).map(str::to_owned);
    let both = text("provider").zip(text("provider_ref"));
    both.ok_or_else(|| Stop::Broken("no gateway took money for this order".to_owned()))
}

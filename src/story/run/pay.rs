//! Payments: at a gateway's page or with a test card, captured, given up; and gateways' faults.

use std::collections::BTreeMap;

use mizan_providers::ProviderName;
use mizan_simulator::{FaultKind, FaultPlan, FaultPoint, FaultRule};
use serde_json::{Value, json};

use super::api::{Body, provider};
use super::{Done, Runner, Stop};
use crate::cli::gateways::connection;
use crate::story::text::{Statement, Story};

/// How often a fee or a payment that the gateway still works on is asked for.
const PATIENCE: u32 = 4;
/// How long it takes until it is worth asking, in seconds.
const PAUSE: i64 = 61;

/// The gateway at which each order is paid first.
pub fn gateways(story: &Story) -> BTreeMap<String, String> {
    let mut gateways = BTreeMap::new();
    for it in &story.statements {
        if let (Some(order), Some(gateway)) = (it.word("order"), it.word("gateway")) {
            gateways.entry(order.to_owned()).or_insert_with(|| gateway.to_owned());
        }
    }
    gateways
}

impl Runner<'_> {
    pub async fn payment(&mut self, verb: &str, it: &Statement) -> Done {
        let path = match it.word("order") {
            Some(order) => format!("/v1/payment_intents/{}", self.known_order(order)?),
            None => String::new(),
        };
        match verb {
            "pay by" | "authorise by" => self.pay(verb, it, &path).await,
            "pay from the wallet" => {
                let paid = self.post(&format!("{path}/confirm"), Body::default()).await?;
                ended(&paid, "succeeded")
            }
            "capture" => self.capture(it, &path).await,
            "cancel" => {
                let body = Body::default().maybe("cancellation_reason", it.word("reason"));
                self.post(&format!("{path}/cancel"), body).await.map(drop)
            }
            "sync" => self.post(&format!("{path}/sync"), Body::default()).await.map(drop),
            "trouble at on" => self.trouble(it),
            _ => self.repeat_webhooks(it.name("gateway")).await,
        }
    }

    async fn pay(&mut self, verb: &str, it: &Statement, path: &str) -> Done {
        let (gateway, with) = (it.name("gateway"), it.word("instrument").unwrap_or("card"));
        let mut body = Body::default();
        if gateway == "stripe" {
            body = body.set("payment_method", card(with)?);
        }
        if self.knows("ConfirmPaymentIntent", "connection") {
            body = body.set("connection", connection(provider(gateway)?));
        }
        self.tell_fee(it, gateway).await?;
        let confirmed = self.post(&format!("{path}/confirm"), body).await?;
        if confirmed["status"] == "requires_action" {
            self.act_as_buyer(gateway, with, &confirmed).await?;
        }
        let wanted = match (verb, with) {
            ("authorise by", _) => "requires_capture",
            (_, "bank_debit") => "processing",
            _ => "succeeded",
        };
        let mut intent = self.get(path).await?;
        for _ in 0..PATIENCE {
            if intent["status"] == wanted {
                break;
            }
            self.deliver().await;
            intent = self.post(&format!("{path}/sync"), Body::default()).await?;
            if intent["status"] != wanted {
                self.wait(PAUSE).await?;
                intent = self.get(path).await?;
            }
        }
        ended(&intent, wanted)?;
        self.learn_fee(it, gateway, path).await
    }

    async fn capture(&mut self, it: &Statement, path: &str) -> Done {
        let intent = self.get(path).await?;
        let attempts = intent["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let gateway = attempts.last().and_then(|it| it["provider"].as_str()).unwrap_or_default();
        self.tell_fee(it, gateway).await?;
        let body = Body::default().fields(it, &["amount"]);
        let captured = self.post(&format!("{path}/capture"), body).await?;
        let mut intent = captured;
        for _ in 0..PATIENCE {
            if intent["status"] == "succeeded" {
                break;
            }
            self.wait(PAUSE).await?;
            intent = self.get(path).await?;
        }
        ended(&intent, "succeeded")?;
        self.learn_fee(it, gateway, path).await
    }

    /// The gateway hears what it keeps for the next capture. PayPal knows one sum only.
    async fn tell_fee(&self, it: &Statement, gateway: &str) -> Done {
        let Some(fee) = it.money("fee") else { return Ok(()) };
        let tax = it.money("fee_tax").map_or(0, mizan_money::Money::minor);
        let told = match gateway {
            "paypal" => json!({ "fee": fee.minor() + tax }),
            _ => json!({ "fee": fee.minor(), "tax": tax }),
        };
        self.at_gateway(gateway, "/_sim/fees", told).await.map(drop)
    }

    /// Waits until the service knows the fee; books what a gateway tells only with its
    /// settlement, or in one sum, as finance would.
    async fn learn_fee(&mut self, it: &Statement, gateway: &str, path: &str) -> Done {
        let Some(fee) = it.money("fee") else { return Ok(()) };
        let tax = it.money("fee_tax");
        if !self.stage.tells_fees_at_once(provider(gateway)?) {
            return self.fee_by_journal(gateway, fee, tax, "told with the settlement").await;
        }
        for _ in 0..PATIENCE {
            let intent = self.get(path).await?;
            let attempts = intent["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
            if attempts.iter().any(|attempt| attempt["fee"].is_i64()) {
                return match tax.filter(|_| gateway == "paypal") {
                    Some(tax) => self.tax_in_fee(gateway, tax).await,
                    None => Ok(()),
                };
            }
            self.wait(PAUSE).await?;
        }
        Err(Stop::Broken(format!("{gateway} did not tell its fee")))
    }

    /// The buyer at the bank's or the gateway's page.
    async fn act_as_buyer(&mut self, gateway: &str, with: &str, confirmed: &Value) -> Done {
        if gateway == "stripe" {
            let page = confirmed.pointer("/next_action/url").and_then(Value::as_str);
            let page = page.ok_or_else(|| Stop::Broken("there is no page to go to".to_owned()))?;
            self.maker.approve(page, "").await?;
            return Ok(());
        }
        let attempts = confirmed["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let name = attempts.last().and_then(|it| it["provider_ref"].as_str());
        let name = name.ok_or_else(|| Stop::Broken("the gateway gave no id".to_owned()))?;
        let path = format!("/_sim/payments/{name}/pay");
        let outcomes: &[&str] = match with {
            "card" => &["paid"],
            "three_d_secure" => &["challenged", "paid"],
            "declined" | "insufficient_funds" => &["declined"],
            "abandoned" => &["cancelled"],
            other => return Err(unknown(gateway, other)),
        };
        for outcome in outcomes {
            self.at_gateway(gateway, &path, json!({ "outcome": outcome })).await?;
        }
        Ok(())
    }

    fn trouble(&self, it: &Statement) -> Done {
        let point: FaultPoint = serde_json::from_value(it.name("on").into())?;
        let kind: FaultKind = serde_json::from_value(it.name("kind").into())?;
        let mut rule = FaultRule::once(point, kind);
        rule.event = it.word("event").map(str::to_owned);
        if let Some(times) = it.whole("times") {
            rule.times = Some(u32::try_from(times)?);
        }
        if let Some(seconds) = it.whole("delay_s") {
            rule.delay_s = Some(u64::try_from(seconds)?);
        }
        let plan = FaultPlan::new(1, vec![rule])?;
        let name = provider(it.name("gateway"))?;
        for (other, simulator) in self.stage.gateways() {
            if other == name {
                simulator.set_faults(&plan);
            }
        }
        Ok(())
    }

    async fn repeat_webhooks(&self, gateway: &str) -> Done {
        let url = format!("{}/_sim/webhooks", self.simulator(gateway)?);
        let sent: Value = self.http.get(url).send().await?.json().await?;
        let sent = sent[gateway].as_array().cloned().unwrap_or_default();
        let mut events: Vec<&str> = sent.iter().filter_map(|it| it["event_id"].as_str()).collect();
        events.sort_unstable();
        events.dedup();
        for event in events {
            self.at_gateway(gateway, &format!("/_sim/webhooks/{event}/resend"), json!({})).await?;
        }
        Ok(())
    }

    /// The kind of instrument that leads to the order's gateway, while a confirmation cannot
    /// name it.
    pub fn kind_of(&self, order: &str) -> Option<String> {
        let by_name = self.knows("ConfirmPaymentIntent", "connection");
        let gateway = self.gateways.get(order).filter(|it| !by_name && *it != "stripe")?;
        Some(format!("by_{gateway}"))
    }

    /// Makes the rules for those kinds.
    pub async fn route_by_kind(&mut self) -> Done {
        if self.knows("ConfirmPaymentIntent", "connection") {
            return Ok(());
        }
        let others: Vec<ProviderName> = self.stage.others.keys().copied().collect();
        for of in others {
            let kind = format!("by_{of}");
            let rule = Body::default()
                .set("name", kind.as_str())
                .set("priority", 10)
                .set("connections", json!([connection(of)]))
                .set("only_these", true)
                .set("payment_method_types", json!([kind]));
            self.post("/v1/routing/rules", rule).await?;
        }
        Ok(())
    }
}

/// Stripe's test card for a word of the story.
fn card(with: &str) -> Result<&str, Stop> {
    Ok(match with {
        "card" => "pm_card_visa",
        "declined" => "pm_card_chargeDeclined",
        "insufficient_funds" => "pm_card_visa_chargeDeclinedInsufficientFunds",
        "three_d_secure" => "pm_card_threeDSecure2Required",
        "slow_refund" => "pm_card_pendingRefund",
        "bounced_refund" => "pm_card_refundFail",
        "bank_debit" => "pm_usBankAccount_success",
        token if token.starts_with("pm_") => token,
        other => return Err(unknown("stripe", other)),
    })
}

fn unknown(gateway: &str, with: &str) -> Stop {
    Stop::Broken(format!("{gateway} has no test instrument `{with}`"))
}

/// Whether the payment came to where it should; one that did not was declined.
fn ended(intent: &Value, wanted: &str) -> Done {
    let status = intent["status"].as_str().unwrap_or_default();
    if status == wanted {
        return Ok(());
    }
    let text = format!("the payment is {status}, not {wanted}: {}", intent["last_error"]);
    Err(Stop::Refused { code: "payment_declined".to_owned(), text })
}

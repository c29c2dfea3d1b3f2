//! The story: six things that happen to a marketplace, through the HTTP interface alone.
//!
//! | | what happens | what the books must show |
//! |---|---|---|
//! | A | two vendors, one order, 3-D Secure | the split at capture, the fee once it is known |
//! | B | a hold, captured in part | only what was captured |
//! | C | a part of A is refunded | the promise, then its confirmation |
//! | D | a webhook twice, another too late | nothing more than without them |
//! | E | the gateway's answer is lost | one charge, booked once |
//! | F | the same order at the other gateways | each gateway's money on its own account |

mod others;

use std::collections::BTreeMap;
use std::time::Duration;

use mizan::jobs;
use mizan_money::{Currency, Money};
use mizan_providers::ProviderName;
use mizan_simulator::{FaultKind, FaultPlan, FaultPoint, FaultRule, Simulator};
use serde_json::{Value, json};

use super::ear::{Ear, Heard, Verdict};
use super::timeline::Timeline;
use crate::cli::end::Failure;
use crate::cli::output::grouped;
use crate::stage::Stage;
use crate::stage::shop::{Reply, Shop};

/// How often a call is made before its outcome counts as unknown: once, and two retries.
const ATTEMPTS: u32 = 3;

/// Everybody who takes part.
pub struct Story<'a> {
    stage: &'a Stage,
    shop: Shop,
    ear: Ear,
    timeline: Timeline,
    /// The payments by their ids, as the reader knows them: `order A`.
    pub names: BTreeMap<String, String>,
}

/// A payment of the story, ready to be created.
struct Order {
    name: &'static str,
    card: &'static str,
    capture: &'static str,
    /// Vendors and prices in minor units, 5 % VAT included; the commission is 10 %.
    lines: &'static [(&'static str, i64)],
}

impl<'a> Story<'a> {
    /// A story on a stage that is set.
    pub fn new(stage: &'a Stage) -> Result<Self, Failure> {
        let shop = Shop::open(&stage.url, stage.key.key.secret())?;
        let timeline = Timeline::new(stage.app.clock.clone());
        Ok(Self { stage, shop, ear: Ear::default(), timeline, names: BTreeMap::new() })
    }

    /// Tells all of it.
    pub async fn tell(&mut self) -> Result<(), Failure> {
        self.timeline.title(crate::stage::MARKETPLACE)?;
        let order = self.two_vendors_with_three_d_secure().await?;
        self.manual_capture_in_part().await?;
        self.partial_refund(&order).await?;
        self.duplicated_and_reordered_webhooks().await?;
        self.answer_lost_after_success().await?;
        self.same_order_elsewhere().await
    }

    async fn two_vendors_with_three_d_secure(&mut self) -> Result<String, Failure> {
        self.timeline.chapter("A. An order from two vendors, paid with 3-D Secure")?;
        let lines = &[("ven_dates", 52_500), ("ven_oud", 21_000)];
        let card = "pm_card_threeDSecure2Required";
        let id = self.create(&Order { name: "A", card, capture: "automatic", lines }).await?;
        self.pay_with_three_d_secure(&id, "735.00 AED").await?;
        self.deliver_and_sum_up().await?;
        self.read(&id, "succeeded").await?;
        self.learn_fee(&id).await?;
        Ok(id)
    }

    async fn manual_capture_in_part(&mut self) -> Result<(), Failure> {
        self.timeline.chapter("B. A hold of 315.00, captured in part")?;
        let lines = &[("ven_oud", 31_500)];
        let card = "pm_card_visa";
        let id = self.create(&Order { name: "B", card, capture: "manual", lines }).await?;
        self.confirm(&id, 200, "requires_capture").await?;
        self.deliver_and_sum_up().await?;
        self.pass(60).await?;
        let path = format!("/v1/payment_intents/{id}/capture");
        let reply = self.shop.post(&path, "capture-B", &json!({ "amount": 21_000 })).await?;
        let reply = reply.expect(200, "succeeded")?;
        let (taken, rest) =
            (aed(reply.minor("/amount_captured")?), aed(reply.minor("/amount_voided")?));
        self.say_reply("captures 210.00", &reply, &format!("{taken} taken, {rest} released"))?;
        self.deliver_and_sum_up().await?;
        self.learn_fee(&id).await
    }

    async fn partial_refund(&mut self, order: &str) -> Result<(), Failure> {
        self.timeline.chapter("C. A part of order A goes back: 105.00")?;
        self.pass(3_600).await?;
        let asked = json!({ "payment_intent": order, "amount": 10_500 });
        let reply = self.shop.post("/v1/refunds", "refund-A", &asked).await?;
        let reply = reply.expect(200, "succeeded")?;
        self.names.insert(reply.text("/id")?.to_owned(), "refund of order A".to_owned());
        self.say_reply("refunds 105.00 of order A", &reply, "promised, sent, confirmed")?;
        self.deliver_and_sum_up().await?;
        let reply = self.read(order, "succeeded").await?;
        match reply.minor("/amount_refunded")? {
            10_500 => Ok(()),
            other => Err(format!("refunded are {other} minor units").into()),
        }
    }

    async fn duplicated_and_reordered_webhooks(&mut self) -> Result<(), Failure> {
        self.timeline.chapter("D. The gateway delivers one webhook twice, and another too late")?;
        let fault = |kind, event: &str| {
            let mut rule = FaultRule::once(FaultPoint::Webhook, kind);
            rule.event = Some(event.to_owned());
            of_order("D", rule)
        };
        let twice = fault(FaultKind::Duplicate, "payment_intent.succeeded");
        let late = fault(FaultKind::Reorder, "payment_intent.requires_action");
        self.stage.simulator.set_faults(&FaultPlan::new(1, vec![twice, late])?);
        let lines = &[("ven_oud", 5_250)];
        let card = "pm_card_threeDSecure2Required";
        let id = self.create(&Order { name: "D", card, capture: "automatic", lines }).await?;
        self.pay_with_three_d_secure(&id, "52.50 AED").await?;
        self.pass(2).await?;
        let heard = self.deliver().await?;
        for Heard { event, verdict } in &heard {
            self.timeline.line("webhook", event, &verdict.to_string())?;
        }
        let twice = |h: &Heard| h.verdict == Verdict::Duplicate;
        let late = |h: &Heard| matches!(h.verdict, Verdict::Stale(_));
        if !(heard.iter().any(twice) && heard.iter().any(late)) {
            return Err("the gateway did not deliver as it was told to".into());
        }
        self.read(&id, "succeeded").await?;
        self.learn_fee(&id).await
    }

    async fn answer_lost_after_success(&mut self) -> Result<(), Failure> {
        self.timeline.chapter("E. The gateway charges the card, and its answer is lost")?;
        let mut rule = FaultRule::once(FaultPoint::Create, FaultKind::LostAnswer);
        rule.times = Some(ATTEMPTS);
        self.stage.simulator.set_faults(&FaultPlan::new(1, vec![of_order("E", rule)])?);
        let lines = &[("ven_dates", 10_500)];
        let card = "pm_card_visa";
        let id = self.create(&Order { name: "E", card, capture: "automatic", lines }).await?;
        let reply = self.confirm(&id, 202, "processing").await?;
        let attempt = reply.text("/attempts/0/id")?.to_owned();
        let why = format!("{ATTEMPTS} connections ended without an answer");
        self.timeline.line("service", "does not know, so it does not guess", &why)?;
        self.pass(31).await?;
        jobs::tick(&self.stage.app).await?;
        self.timeline.line(
            "sweeper",
            "asks again with the same key",
            "the gateway replays its answer",
        )?;
        let reply = self.read(&id, "succeeded").await?;
        if reply.text("/attempts/0/id")? != attempt || reply.body["attempts"][1] != Value::Null {
            return Err("a second attempt was made".into());
        }
        self.deliver_and_sum_up().await?;
        let charges = self.charges_of("E").await?;
        self.timeline.line("gateway", "has charged the card", &format!("{charges} time"))?;
        match charges {
            1 => Ok(()),
            other => Err(format!("order E was charged {other} times").into()),
        }
    }

    async fn create(&mut self, order: &Order) -> Result<String, Failure> {
        self.pass(60).await?;
        let amount: i64 = order.lines.iter().map(|(_, price)| price).sum();
        let line = |(vendor, price): &(&str, i64)| {
            json!({
                "vendor": vendor, "amount": price,
                "tax_percent": "5", "commission_percent": "10",
            })
        };
        let body = json!({
            "amount": amount,
            "currency": "AED",
            "capture_method": order.capture,
            "payment_method": order.card,
            "return_url": "https://shop.example/thanks",
            "metadata": { "order": order.name },
            "lines": order.lines.iter().map(line).collect::<Value>(),
        });
        let key = format!("create-{}", order.name);
        let reply = self.shop.post("/v1/payment_intents", &key, &body).await?;
        let reply = reply.expect(201, "requires_confirmation")?;
        let id = reply.text("/id")?.to_owned();
        let parts: Vec<String> =
            order.lines.iter().map(|(vendor, price)| format!("{} {vendor}", aed(*price))).collect();
        self.say_reply(&format!("creates order {}", order.name), &reply, &parts.join(" + "))?;
        self.names.insert(id.clone(), format!("order {}", order.name));
        Ok(id)
    }

    async fn confirm(&mut self, id: &str, code: u16, status: &str) -> Result<Reply, Failure> {
        self.pass(5).await?;
        let path = format!("/v1/payment_intents/{id}/confirm");
        let reply = self.shop.post(&path, &format!("confirm-{id}"), &json!({})).await?;
        let reply = reply.expect(code, status)?;
        self.say_reply("confirms it", &reply, "")?;
        Ok(reply)
    }

    async fn pay_with_three_d_secure(&mut self, id: &str, amount: &str) -> Result<(), Failure> {
        let reply = self.confirm(id, 200, "requires_action").await?;
        let page = reply.text("/next_action/url")?;
        self.deliver_and_sum_up().await?;
        self.pass(25).await?;
        let back = self.shop.approve(page, amount).await?;
        let back = back.split('?').next().unwrap_or_default();
        self.timeline.line("buyer", &format!("approves {amount} on the bank's page"), back)?;
        Ok(())
    }

    /// Lets the gateway send what is due.
    async fn deliver(&mut self) -> Result<Vec<Heard>, Failure> {
        self.stage.simulator.deliver_due().await;
        let simulator = self.stage.simulator.url();
        self.ear.listen(&simulator, &self.stage.app.db).await
    }

    /// Lets the gateway send what is due, and tells what had an effect.
    async fn deliver_and_sum_up(&mut self) -> Result<(), Failure> {
        let heard = self.deliver().await?;
        self.sum_up(&heard)
    }

    fn sum_up(&self, heard: &[Heard]) -> Result<(), Failure> {
        let (applied, rest): (Vec<_>, Vec<_>) =
            heard.iter().partition(|heard| heard.verdict == Verdict::Applied);
        for Heard { event, verdict } in applied {
            self.timeline.line("webhook", event, &verdict.to_string())?;
        }
        match rest.len() {
            0 => {}
            n => self.timeline.line(
                "webhook",
                &format!("{n} more"),
                "told nothing new, no effect",
            )?,
        }
        Ok(())
    }

    async fn read(&mut self, id: &str, status: &str) -> Result<Reply, Failure> {
        let reply = self.shop.get(&format!("/v1/payment_intents/{id}")).await?;
        let reply = reply.expect(200, status)?;
        let mut figures = format!("{} captured", aed(reply.minor("/amount_captured")?));
        match reply.minor("/amount_refunded")? {
            0 => {}
            refunded => figures.push_str(&format!(", {} refunded", aed(refunded))),
        }
        self.say_reply("reads the order", &reply, &figures)?;
        Ok(reply)
    }

    /// Says what the gateway keeps for its work; asks for it first where that is not known.
    async fn learn_fee(&mut self, id: &str) -> Result<(), Failure> {
        let path = format!("/v1/payment_intents/{id}");
        let mut reply = self.shop.get(&path).await?;
        let (mut who, mut how) = ("gateway", "told its fee with the answer");
        if reply.body["attempts"][0]["fee"].is_null() {
            self.pass(31).await?;
            jobs::tick(&self.stage.app).await?;
            reply = self.shop.get(&path).await?;
            (who, how) = ("sweeper", "asks the gateway for its fee");
        }
        let (fee, tax) = (reply.minor("/attempts/0/fee")?, reply.minor("/attempts/0/fee_tax")?);
        self.timeline.line(who, how, &format!("{} and {} VAT", aed(fee), aed(tax)))?;
        Ok(())
    }

    fn say_reply(&self, what: &str, reply: &Reply, more: &str) -> Result<(), Failure> {
        let status = reply.body["status"].as_str().unwrap_or_default();
        let dot = if more.is_empty() { "" } else { " · " };
        self.timeline.line("shop", what, &format!("{} {status}{dot}{more}", reply.code))?;
        Ok(())
    }

    async fn pass(&self, seconds: u64) -> Result<(), Failure> {
        self.stage.app.clock.advance(Duration::from_secs(seconds))?;
        Ok(jobs::clock_moved(&self.stage.app).await?)
    }

    /// How many successful charges the gateway has for an order.
    async fn charges_of(&self, order: &str) -> Result<usize, Failure> {
        let state = gateway_state(ProviderName::Stripe, &self.stage.simulator).await?;
        let charges = state["charges"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of_order = |charge: &&Value| {
            charge["metadata"]["order"] == order && charge["status"] == "succeeded"
        };
        Ok(charges.iter().filter(of_order).count())
    }
}

/// Everything that a gateway knows.
pub async fn gateway_state(of: ProviderName, simulator: &Simulator) -> Result<Value, Failure> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let address = format!("{}/_sim/state", simulator.url());
    let mut state: Value = client.get(address).send().await?.json().await?;
    Ok(state[of.as_str()].take())
}

fn of_order(order: &str, mut rule: FaultRule) -> FaultRule {
    rule.metadata.insert("order".to_owned(), order.to_owned());
    rule
}

fn aed(minor: i64) -> String {
    grouped(Money::new(minor, Currency::AED))
}

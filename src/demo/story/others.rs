//! Chapter F: the same order at each gateway beside Stripe, from its page to a refund.

use mizan::jobs;
use mizan_money::{Currency, Money};
use mizan_providers::ProviderName;
use mizan_simulator::Simulator;
use serde_json::json;

use super::super::rules;
use super::Story;
use crate::cli::end::Failure;
use crate::cli::output::grouped;
use crate::cli::simulated::title;
use crate::stage::OTHERS;
use crate::stage::shop::Reply;

/// The price of the order in minor units, 5 % VAT included.
const PRICE: i64 = 10_500;
/// What is refunded of it.
const REFUND: i64 = 2_100;

/// Where the buyer comes back to.
const RETURN: &str = "https://shop.example/thanks";

/// A gateway and its order.
struct There<'a> {
    of: ProviderName,
    currency: Currency,
    simulator: &'a Simulator,
}

impl There<'_> {
    fn money(&self, minor: i64) -> String {
        format!("{} {}", grouped(Money::new(minor, self.currency)), self.currency)
    }

    /// Where the buyer pays. Razorpay has no address for it: its script opens on the shop's own
    /// page with the order's id, and the simulator has a page in the place of the script.
    fn page(&self, confirmed: &Reply) -> Result<String, Failure> {
        if self.of != ProviderName::Razorpay {
            return Ok(confirmed.text("/next_action/url")?.to_owned());
        }
        let (order, url) = (confirmed.text("/attempts/0/provider_ref")?, self.simulator.url());
        Ok(format!("{url}/hosted/{}/{order}?callback_url={RETURN}", self.of))
    }
}

impl Story<'_> {
    pub(super) async fn same_order_elsewhere(&mut self) -> Result<(), Failure> {
        self.timeline.chapter("F. The same order at the other gateways")?;
        self.pass(60).await?;
        let made = rules::make(&self.shop, &self.stage.app.clock).await?;
        let what = "says which gateway takes which kind";
        self.timeline.line("shop", what, &format!("{made} rules"))?;
        let stage = self.stage;
        for (of, currency) in OTHERS {
            let simulator = stage.others.get(&of).ok_or_else(|| format!("{of} is not here"))?;
            let there = There { of, currency, simulator };
            let id = self.order_at(&there).await?;
            self.pay_at(&there, &id).await?;
            self.refund_at(&there, &id).await?;
        }
        Ok(())
    }

    async fn order_at(&mut self, there: &There<'_>) -> Result<String, Failure> {
        self.pass(60).await?;
        let body = json!({
            "amount": PRICE,
            "currency": there.currency.code(),
            "payment_method_type": rules::kind(there.of),
            "return_url": RETURN,
            "metadata": { "order": "F" },
            "lines": [{
                "vendor": "ven_dates", "amount": PRICE,
                "tax_percent": "5", "commission_percent": "10",
            }],
        });
        let key = format!("create-F-{}", there.of);
        let reply = self.shop.post("/v1/payment_intents", &key, &body).await?;
        // Who pays with what is chosen on the gateway's page.
        let reply = reply.expect(201, "requires_payment_method")?;
        let id = reply.text("/id")?.to_owned();
        let name = format!("order F at {}", title(there.of));
        self.say_reply(&format!("creates {name}"), &reply, &there.money(PRICE))?;
        self.names.insert(id.clone(), name);
        Ok(id)
    }

    async fn pay_at(&mut self, there: &There<'_>, id: &str) -> Result<(), Failure> {
        let reply = self.confirm(id, 200, "requires_action").await?;
        let page = there.page(&reply)?;
        self.pass(25).await?;
        let amount = there.money(PRICE);
        let back = self.shop.pay(&page, &amount).await?;
        let back = back.split('?').next().unwrap_or_default();
        let what = format!("pays {amount} on {}'s page", title(there.of));
        self.timeline.line("buyer", &what, back)?;
        self.hear(there).await?;
        // The return proves nothing, so the shop has the gateway asked.
        let path = format!("/v1/payment_intents/{id}/sync");
        let reply = self.shop.post(&path, &format!("sync-{id}"), &json!({})).await?;
        let reply = reply.expect(200, "succeeded")?;
        let captured = there.money(reply.minor("/amount_captured")?);
        self.say_reply("syncs the order", &reply, &format!("{captured} captured"))?;
        self.hear(there).await?;
        if self.stage.tells_fees_at_once(there.of) { self.learn_fee(id).await } else { Ok(()) }
    }

    async fn refund_at(&mut self, there: &There<'_>, id: &str) -> Result<(), Failure> {
        self.pass(60).await?;
        let asked = json!({ "payment_intent": id, "amount": REFUND });
        let reply = self.shop.post("/v1/refunds", &format!("refund-{id}"), &asked).await?;
        let refund = reply.text("/id")?.to_owned();
        let name = format!("refund at {}", title(there.of));
        self.names.insert(refund.clone(), name);
        self.say_reply(&format!("refunds {}", there.money(REFUND)), &reply, "")?;
        self.hear(there).await?;
        self.refund_succeeded(&refund).await?.expect(200, "succeeded")?;
        let reply = self.shop.get(&format!("/v1/payment_intents/{id}")).await?;
        match reply.minor("/amount_refunded")? {
            REFUND => Ok(()),
            other => Err(format!("refunded are {other} minor units").into()),
        }
    }

    /// The refund, once the gateway was asked where it has not told yet.
    async fn refund_succeeded(&mut self, refund: &str) -> Result<Reply, Failure> {
        let path = format!("/v1/refunds/{refund}");
        let reply = self.shop.get(&path).await?;
        if reply.body["status"] == "succeeded" {
            return Ok(reply);
        }
        self.pass(120).await?;
        jobs::tick(&self.stage.app).await?;
        let reply = self.shop.get(&path).await?;
        let status = reply.body["status"].as_str().unwrap_or_default();
        self.timeline.line("sweeper", "asks what became of the refund", status)?;
        Ok(reply)
    }

    /// Lets a gateway send what is due, and tells what had an effect.
    async fn hear(&mut self, there: &There<'_>) -> Result<(), Failure> {
        there.simulator.deliver_due().await;
        let db = &self.stage.app.db;
        let heard = self.ear.overhear(there.of, &there.simulator.url(), db).await?;
        self.sum_up(&heard)
    }
}

//! The marketplace's settings, its people and its rules.

use serde_json::{Value, json};

use super::api::Body;
use super::{Done, Runner, Stop};
use crate::story::text::Statement;

impl Runner<'_> {
    pub async fn rules(&mut self, verb: &str, it: &Statement) -> Done {
        match verb {
            "marketplace" => self.marketplace(it).await,
            "tax" => {
                let dated = ["jurisdiction", "regime", "home_state", "tds_section"];
                let body = Body::default()
                    .set("percent", it.get("percent").map_or(json!("0"), super::api::plain))
                    .fields(it, &dated)
                    .fields(it, &["valid_from", "valid_until"])
                    .maybe("tcs_percent", it.get("tcs").map(super::api::plain))
                    .maybe("tds_percent", it.get("tds").map(super::api::plain));
                self.post("/v1/tax_policies", body).await.map(drop)
            }
            "commission" => self.commission(it).await,
            "vendor" => self.vendor(it).await,
            "customer in state" => {
                let (customer, state) = (it.name("customer"), it.name("state"));
                self.states.insert(customer.to_owned(), state.to_owned());
                Ok(())
            }
            "rate 1 =" => {
                let body = Body::default()
                    .fields(it, &["base", "quote", "rate"])
                    .set("source", it.word("source").unwrap_or("story"))
                    .set("at", self.stage.app.clock.now().to_rfc3339());
                self.post("/v1/fx_rates", body).await.map(drop)
            }
            "cashback of" => self.cashback(it).await,
            "end cashback" => {
                let id = self.id(&format!("cashback {}", it.name("name")))?;
                self.post(&format!("/v1/cashback_rules/{id}/end"), Body::default()).await.map(drop)
            }
            "give to" => {
                let path = format!("/v1/customers/{}/wallet/grants", it.name("customer"));
                let currency = currency(it, &["amount"]);
                let body = Body::default()
                    .fields(it, &["amount"])
                    .maybe("currency", currency)
                    .maybe("expires_at", it.get("expires").map(super::api::plain))
                    .set("reason", it.word("reason").unwrap_or("goodwill"));
                self.post(&path, body).await.map(drop)
            }
            "affiliate" => self.affiliate(it).await,
            "click" => {
                let body = Body::default().fields(it, &["code", "visitor", "customer"]);
                self.post("/v1/affiliate_clicks", body).await.map(drop)
            }
            other => Err(Stop::Broken(format!("nothing runs `{other}`"))),
        }
    }

    async fn marketplace(&mut self, it: &Statement) -> Done {
        if let Some(jurisdiction) = it.word("jurisdiction") {
            self.jurisdiction = jurisdiction.to_owned();
        }
        let body = Body::default()
            .fields(it, &["jurisdiction", "time_zone", "refund_tenders", "expired_credit"])
            .maybe("vat_percent", it.get("vat").map(super::api::plain))
            .maybe("wallet_top_up", it.word("wallet_top_up").map(|word| word == "on"));
        self.put("/v1/settings", body).await.map(drop)
    }

    async fn commission(&mut self, it: &Statement) -> Done {
        let name =
            it.word("name").map_or_else(|| format!("rule of line {}", it.line), str::to_owned);
        let body = Body::default()
            .set("name", name)
            .fields(it, &["percent", "base", "vendor", "category", "tier", "fixed", "min", "max"])
            .maybe("currency", currency(it, &["fixed", "min", "max"]))
            .fields(it, &["valid_from", "valid_until"]);
        self.post("/v1/commission_rules", body).await.map(drop)
    }

    async fn vendor(&mut self, it: &Statement) -> Done {
        let terms = ["supply_role", "jurisdiction", "state", "tier", "dispute_liability"];
        let mut body = Body::default()
            .fields(it, &terms)
            .fields(it, &["dispute_fee", "refund_commission", "valid_from"]);
        if let Some(days) = it.whole("days") {
            body = body.set("release", json!({ "after": it.name("after"), "days": days }));
        }
        if let Some(number) = it.word("tax_id") {
            let tax_id = json!({ "type": it.name("tax_id_type"), "value": number });
            body = body.set("tax_id", tax_id);
        }
        if let Some(reserve) = it.get("reserve") {
            let days = it.whole("reserve_days");
            let percent = super::api::plain(reserve);
            body = body.set("reserve", json!({ "percent": percent, "days": days }));
        }
        if it.has("no reserve") {
            body = body.set("reserve", Value::Null);
        }
        self.put(&format!("/v1/vendors/{}/terms", it.name("vendor")), body).await.map(drop)
    }

    async fn cashback(&mut self, it: &Statement) -> Done {
        let name = it.word("name").map_or_else(|| format!("cashback_{}", it.line), str::to_owned);
        let mut body = Body::default()
            .set("name", name.as_str())
            .fields(it, &["percent", "basis", "cap", "min_amount", "vest_days", "expiry_days"])
            .maybe("currency", currency(it, &["cap", "min_amount"]))
            .fields(it, &["valid_from", "valid_until"]);
        if it.has("first order") {
            body = body.set("first_order", true);
        }
        let rule = self.post("/v1/cashback_rules", body).await?;
        self.keep(&format!("cashback {name}"), &rule)
    }

    async fn affiliate(&mut self, it: &Statement) -> Done {
        let id = it.name("affiliate");
        let body = Body::default()
            .set("id", id)
            .fields(it, &["name", "percent"])
            .set("funded_by", it.word("funded_by").unwrap_or("platform"))
            .set("window_days", it.whole("window_days").unwrap_or(30))
            .set("release_days", it.whole("release_days").unwrap_or(14));
        self.post("/v1/affiliates", body).await?;
        for code in &it.children {
            let body = Body::default().fields(code, &["code"]);
            self.post(&format!("/v1/affiliates/{id}/codes"), body).await?;
        }
        Ok(())
    }
}

/// The currency of the first of these amounts that is there.
pub fn currency(it: &Statement, fields: &[&str]) -> Option<&'static str> {
    fields.iter().find_map(|field| it.money(field)).map(|money| money.currency().code())
}

//! Payouts, those who get them, and vendors' debts that are given up.

use serde_json::{Value, json};

use super::api::{Body, By, day, plain};
use super::rules::currency;
use super::{Done, Runner, Stop};
use crate::story::text::{Party, Statement};

/// The statements of this file.
pub const VERBS: &[&str] = &[
    "payee",
    "bank account of",
    "verify bank account of",
    "kyc of",
    "payout terms of",
    "block",
    "lift block of",
    "payout to",
    "payout",
    "approve payout",
    "submit payout",
    "cancel payout",
    "retry payout as",
    "payout run",
    "write off",
    "approve write off",
];

/// In which a payout is made unless something else is said.
const CURRENCY: &str = "AED";

/// A test account at Stripe.
const AT_STRIPE: &str = "acct_1StoryPayee00000";

/// Test accounts: their check digits are right, and nobody has them.
const IBANS: [(&str, &str, &str); 4] = [
    ("AED", "AE", "AE070331234567890123456"),
    ("EUR", "DE", "DE89370400440532013000"),
    ("SAR", "SA", "SA0380000000608010167519"),
    ("KWD", "KW", "KW81CBKU0000000000001234560101"),
];

impl Runner<'_> {
    pub async fn payouts(&mut self, verb: &str, it: &Statement) -> Done {
        match verb {
            "payee" => self.payee(it).await,
            "bank account of" => self.bank_account(it).await,
            "verify bank account of" => self.at_party(it, "bank_account/verify").await,
            "kyc of" => self.kyc(it).await,
            "payout terms of" => self.payout_terms(it).await,
            "block" => {
                let path = format!("{}/blocks", address(it)?);
                let reason = it.word("reason").unwrap_or("story");
                self.post(&path, Body::default().set("reason", reason)).await.map(drop)
            }
            "lift block of" => self.at_party(it, "blocks/lift").await,
            "payout to" => self.payout(it).await,
            "payout" => self.payout_outcome(it).await,
            "approve payout" => {
                let path = format!("/v1/payouts/{}/approve", self.id(it.name("payout"))?);
                self.post_by(approver(it), &path, json!({})).await.map(drop)
            }
            "submit payout" => self.on_payout(it, "submit").await,
            "cancel payout" => self.on_payout(it, "cancel").await,
            "retry payout as" => {
                let path = format!("/v1/payouts/{}/retry", self.id(it.name("payout"))?);
                let again = self.post(&path, Body::default()).await?;
                self.keep(it.name("again"), &again)?;
                self.send(it, &again).await
            }
            "payout run" => self.payout_run(it).await,
            "write off" => self.write_off(it).await,
            _ => {
                let path = format!("/v1/write_offs/{}/approve", self.id(it.name("name"))?);
                self.post_by(approver(it), &path, json!({})).await.map(drop)
            }
        }
    }

    async fn at_party(&mut self, it: &Statement, what: &str) -> Done {
        let path = format!("{}/{what}", address(it)?);
        self.post(&path, Body::default()).await.map(drop)
    }

    async fn on_payout(&mut self, it: &Statement, what: &str) -> Done {
        let path = format!("/v1/payouts/{}/{what}", self.id(it.name("payout"))?);
        self.post(&path, Body::default()).await.map(drop)
    }

    async fn payee(&mut self, it: &Statement) -> Done {
        let (base, code) = (address(it)?, it.word("currency").unwrap_or(CURRENCY));
        let body = Body::default().set("holder", "A Payee of the Story").set("currency", code);
        let known = IBANS.iter().find(|(currency, _, _)| *currency == code);
        let body = match (it.word("iban"), known, code) {
            _ if it.has("by stripe") => body
                .set("gateway", "stripe")
                .set("gateway_account", AT_STRIPE)
                .set("country", known.map_or("AE", |(_, country, _)| *country)),
            (Some(iban), _, _) => {
                body.set("iban", iban).set("country", iban.get(..2).unwrap_or_default())
            }
            (None, Some((_, country, iban)), _) => body.set("iban", *iban).set("country", *country),
            (None, None, "INR") => body
                .set("account_number", "000123456789")
                .set("routing", "HDFC0000001")
                .set("country", "IN"),
            (None, None, "USD") => body
                .set("account_number", "000123456789")
                .set("routing", "021000021")
                .set("country", "US"),
            (None, None, "GBP") => {
                body.set("account_number", "31926819").set("routing", "601613").set("country", "GB")
            }
            (None, None, _) => body.set("iban", IBANS[0].2).set("country", IBANS[0].1),
        };
        self.put(&format!("{base}/bank_account"), body).await?;
        self.post(&format!("{base}/bank_account/verify"), Body::default()).await?;
        let now = self.stage.app.clock.now().to_rfc3339();
        let kyc = Body::default().set("status", "verified").set("occurred_at", now);
        self.post(&format!("{base}/kyc"), kyc).await.map(drop)
    }

    async fn bank_account(&mut self, it: &Statement) -> Done {
        let body = Body::default()
            .set("holder", it.word("holder").unwrap_or("A Payee of the Story"))
            .fields(it, &["iban", "account_number", "routing", "bic", "country", "currency"]);
        self.put(&format!("{}/bank_account", address(it)?), body).await.map(drop)
    }

    async fn kyc(&mut self, it: &Statement) -> Done {
        let document = |it: &Statement| {
            let expires = day(it, "expires").map(|date| date.to_string());
            Body::default().fields(it, &["kind", "reference"]).maybe("expires_on", expires).value()
        };
        let occurred = it
            .get("occurred")
            .map_or_else(|| self.stage.app.clock.now().to_rfc3339().into(), plain);
        let mut body = Body::default().fields(it, &["status"]).set("occurred_at", occurred);
        if !it.children.is_empty() {
            let documents: Vec<Value> = it.children.iter().map(document).collect();
            body = body.set("documents", documents);
        }
        self.post(&format!("{}/kyc", address(it)?), body).await.map(drop)
    }

    async fn payout_terms(&mut self, it: &Statement) -> Done {
        let mut body =
            Body::default().fields(it, &["schedule", "weekday", "day", "currency", "rail"]);
        if let Some(minimum) = it.money("minimum") {
            body = body.set("minimum", json!({ minimum.currency().code(): minimum.minor() }));
        }
        self.put(&format!("{}/payout_terms", address(it)?), body).await.map(drop)
    }

    async fn payout(&mut self, it: &Statement) -> Done {
        let who = party(it)?;
        let in_all = it.word("currency").or(currency(it, &["amount"])).unwrap_or(CURRENCY);
        let body = Body::default()
            .set(if who.is_affiliate { "affiliate" } else { "vendor" }, who.name.as_str())
            .set("currency", in_all)
            .fields(it, &["amount", "rail", "pay_currency", "rate", "rate_source"]);
        let payout = self.post("/v1/payouts", body).await?;
        self.keep(it.name("payout"), &payout)?;
        self.send(it, &payout).await
    }

    /// Has a new payout approved where that is needed, and sends it.
    async fn send(&mut self, it: &Statement, payout: &Value) -> Done {
        if it.has("left open") {
            return Ok(());
        }
        let path = format!("/v1/payouts/{}", payout["id"].as_str().unwrap_or_default());
        let mut now = payout.clone();
        if matches!(now["status"].as_str(), Some("draft" | "gated" | "waiting" | "held")) {
            now = self.post_by(By::Checker, &format!("{path}/approve"), json!({})).await?;
        }
        if matches!(now["status"].as_str(), Some("approved" | "reserved")) {
            now = self.post(&format!("{path}/submit"), Body::default()).await?;
        }
        if matches!(now["status"].as_str(), Some("draft" | "gated")) {
            let text = format!("the payout waits: {}", closed_gates(&now).join(" "));
            return Err(Stop::Refused { code: "payout_gated".to_owned(), text });
        }
        Ok(())
    }

    async fn payout_outcome(&mut self, it: &Statement) -> Done {
        let path = format!("/v1/payouts/{}/outcome", self.id(it.name("payout"))?);
        let sum = |field: &str| {
            let money = it.money(field)?;
            Some(json!({ "amount": money.minor(), "currency": money.currency().code() }))
        };
        let body = Body::default()
            .fields(it, &["outcome", "reason_code", "bank"])
            .maybe("cost", sum("cost"))
            .maybe("fee", sum("fee"));
        self.post(&path, body).await.map(drop)
    }

    async fn payout_run(&mut self, it: &Statement) -> Done {
        let body = Body::default().maybe("on", day(it, "on").map(|date| date.to_string()));
        let run = self.post("/v1/payout_runs", body).await?;
        self.keep(it.name("run"), &run)?;
        let path = format!("/v1/payout_runs/{}", run["id"].as_str().unwrap_or_default());
        let run = self.get(&path).await?;
        let payouts = run["payouts"].as_array().cloned().unwrap_or_default();
        for named in &it.children {
            let who = party(named)?;
            let kind = if who.is_affiliate { "affiliate" } else { "vendor" };
            let code = named.word("currency");
            let of_run = |payout: &&Value| {
                payout[kind] == who.name.as_str()
                    && code.is_none_or(|code| payout["currency"] == code)
            };
            let found = payouts.iter().find(of_run).cloned();
            let found = found.ok_or_else(|| Stop::Broken(format!("the run paid {who} nothing")))?;
            self.keep(named.name("payout"), &found)?;
        }
        Ok(())
    }

    async fn write_off(&mut self, it: &Statement) -> Done {
        let body = Body::default()
            .fields(it, &["amount"])
            .maybe("currency", currency(it, &["amount"]))
            .set("reason", it.word("reason").unwrap_or("story"));
        let asked =
            self.post(&format!("/v1/vendors/{}/write_offs", it.name("vendor")), body).await?;
        if let Some(name) = it.word("name") {
            self.keep(name, &asked)?;
        }
        if it.has("left open") {
            return Ok(());
        }
        let path = format!("/v1/write_offs/{}/approve", asked["id"].as_str().unwrap_or_default());
        self.post_by(By::Checker, &path, json!({})).await.map(drop)
    }
}

/// Why a payout waits, gate by gate.
fn closed_gates(payout: &Value) -> Vec<String> {
    let gates = payout["gates"].as_array().into_iter().flatten();
    let closed = gates.filter(|gate| gate["passed"] != true);
    closed.map(|gate| format!("{}: {}", gate["gate"], gate["reason"])).collect()
}

fn party(it: &Statement) -> Result<&Party, Stop> {
    it.party("who").ok_or_else(|| Stop::Broken("nobody is named".to_owned()))
}

/// Where a payee is found.
fn address(it: &Statement) -> Result<String, Stop> {
    let who = party(it)?;
    let kind = if who.is_affiliate { "affiliates" } else { "vendors" };
    Ok(format!("/v1/{kind}/{}", who.name))
}

/// Who approves.
pub fn approver(it: &Statement) -> By {
    if it.has("by the maker") { By::Maker } else { By::Checker }
}

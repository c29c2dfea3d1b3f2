//! Settlements, banks, journals by maker and checker, exchange.

use mizan_money::Money;
use serde_json::{Value, json};

use super::api::{Body, By, day, plain};
use super::payouts::approver;
use super::rules::currency;
use super::{Done, Runner};
use crate::story::text::Statement;

/// The statements of this file.
pub const VERBS: &[&str] = &[
    "opening",
    "journal",
    "approve journal",
    "reject journal",
    "settlement",
    "gateway fee",
    "bank for",
    "remit from",
    "revalue into on",
    "post",
    "reverse",
    "close through",
];

impl Runner<'_> {
    pub async fn finance(&mut self, verb: &str, it: &Statement) -> Done {
        match verb {
            "opening" | "journal" => self.journal_statement(it).await,
            "approve journal" => {
                let path = format!("/v1/journals/{}/approve", self.id(it.name("name"))?);
                self.post_by(approver(it), &path, json!({})).await.map(drop)
            }
            "reject journal" => {
                let path = format!("/v1/journals/{}/reject", self.id(it.name("name"))?);
                let reason = it.word("reason").unwrap_or("not agreed");
                let body = Body::default().set("reason", reason).value();
                self.post_by(By::Checker, &path, body).await.map(drop)
            }
            "settlement" => self.settlement(it).await,
            "gateway fee" => {
                let (gateway, tax) = (it.name("gateway"), it.money("fee_tax"));
                let reason = it.word("reason").unwrap_or("told with the settlement").to_owned();
                match it.money("fee") {
                    Some(fee) => self.fee_by_journal(gateway, fee, tax, &reason).await,
                    None => Ok(()),
                }
            }
            "bank for" => self.bank_line(it).await,
            "remit from" => {
                let body = Body::default()
                    .fields(it, &["account", "bank", "amount", "reference"])
                    .maybe("currency", currency(it, &["amount"]));
                self.post("/v1/remittances", body).await.map(drop)
            }
            "revalue into on" => {
                let body = Body::default()
                    .fields(it, &["currency", "into", "rate"])
                    .maybe("on", day(it, "on").map(|date| date.to_string()));
                self.post("/v1/fx_revaluations", body).await.map(drop)
            }
            "post" => self.plain_transaction(it).await,
            "reverse" => {
                let path = format!("/v1/ledger/transactions/{}/reverse", self.id(it.name("name"))?);
                self.post(&path, Body::default()).await.map(drop)
            }
            _ => {
                let through = day(it, "date").map(|date| date.to_string());
                let body = Body::default().maybe("closed_through", through);
                self.post("/v1/ledger/periods", body).await.map(drop)
            }
        }
    }

    async fn journal_statement(&mut self, it: &Statement) -> Done {
        let kind = it.word("kind").unwrap_or("opening");
        let mut body = Body::default()
            .set("kind", kind)
            .set("reason", it.word("reason").unwrap_or(kind))
            .maybe("effective_at", it.get("date").map(plain))
            .set("entries", entries(it));
        if let Some(corrected) = it.word("corrects") {
            let journal = self.get(&format!("/v1/journals/{}", self.id(corrected)?)).await?;
            body = body.set("corrects", journal["transactions"][0].clone());
        }
        let made = self.post("/v1/journals", body).await?;
        if let Some(name) = it.word("name") {
            self.keep(name, &made)?;
        }
        if it.has("left open") { Ok(()) } else { self.approve_journal(&made).await }
    }

    async fn approve_journal(&mut self, made: &Value) -> Done {
        let path = format!("/v1/journals/{}/approve", made["id"].as_str().unwrap_or_default());
        self.post_by(By::Checker, &path, json!({})).await.map(drop)
    }

    /// A journal that a statement needs, made and approved.
    async fn journal(&mut self, kind: &str, reason: &str, entries: Vec<Value>) -> Done {
        let body = Body::default().set("kind", kind).set("reason", reason).set("entries", entries);
        let made = self.post("/v1/journals", body).await?;
        self.approve_journal(&made).await
    }

    /// A fee that no call and no webhook tells.
    pub async fn fee_by_journal(
        &mut self,
        gateway: &str,
        fee: Money,
        tax: Option<Money>,
        reason: &str,
    ) -> Done {
        let tax = tax.unwrap_or(Money::zero(fee.currency()));
        let input = format!("vat_input_recoverable:{}", self.jurisdiction);
        let entries = vec![
            entry("debit", &format!("gateway_fees:{gateway}"), fee),
            entry("debit", &input, tax),
            entry("credit", &format!("gateway_clearing:{gateway}"), fee.checked_add(tax)?),
        ];
        let entries = entries.into_iter().filter(|entry| entry["amount"] != 0).collect();
        self.journal("import", &format!("fee of {gateway}, {reason}"), entries).await
    }

    /// A fee for a dispute that no webhook tells, or one that came back.
    pub async fn dispute_fee_by_journal(&mut self, gateway: &str, fee: Money, back: bool) -> Done {
        let (fees, clearing) = match back {
            false => ("debit", "credit"),
            true => ("credit", "debit"),
        };
        let entries = vec![
            entry(fees, &format!("dispute_fees:{gateway}"), fee),
            entry(clearing, &format!("gateway_clearing:{gateway}"), fee),
        ];
        self.journal("import", &format!("fee of {gateway} for a dispute"), entries).await
    }

    /// The tax inside a fee that the gateway told in one sum.
    pub async fn tax_in_fee(&mut self, gateway: &str, tax: Money) -> Done {
        let entries = vec![
            entry("debit", &format!("vat_input_recoverable:{}", self.jurisdiction), tax),
            entry("credit", &format!("gateway_fees:{gateway}"), tax),
        ];
        self.journal("import", &format!("tax in the fee of {gateway}"), entries).await
    }

    async fn bank_line(&mut self, it: &Statement) -> Done {
        let Some((amount, account)) = it.money("amount").zip(it.account("account")) else {
            return Ok(());
        };
        let (bank, other) = match it.name("direction") {
            "gets" => ("debit", "credit"),
            _ => ("credit", "debit"),
        };
        let entries = vec![
            entry(bank, &format!("bank:{}", it.name("bank")), amount),
            entry(other, &account.path(), amount),
        ];
        self.journal("other", it.word("reason").unwrap_or("line of the bank"), entries).await
    }

    async fn settlement(&mut self, it: &Statement) -> Done {
        let stage = match (it.has("reported"), it.has("received") || it.has("arrived")) {
            (true, _) => "reported",
            (false, true) => "received",
            (false, false) => "direct",
        };
        let code = currency(it, &["amount"]).unwrap_or_default();
        let mut body = Body::default()
            .set("provider", it.name("gateway"))
            .set("currency", code)
            .set("stage", stage)
            .fields(it, &["amount", "reference"])
            .maybe("received", it.money("arrived").map(Money::minor));
        if stage != "reported" {
            let own = format!("{}_main", code.to_lowercase());
            body = body.set("bank", it.word("bank").map_or(own, str::to_owned));
        }
        self.post("/v1/settlements", body).await.map(drop)
    }

    async fn plain_transaction(&mut self, it: &Statement) -> Done {
        let mut body = Body::default()
            .fields(it, &["kind"])
            .maybe("effective_at", it.get("date").map(plain))
            .set("entries", entries(it));
        if it.has("as fact") {
            body = body.set("authority", "fact");
        }
        let posted = self.post("/v1/ledger/transactions", body).await?;
        match it.word("name") {
            Some(name) => self.keep(name, &posted),
            None => Ok(()),
        }
    }
}

fn entries(it: &Statement) -> Vec<Value> {
    let read = |child: &Statement| {
        let (account, amount) = child.account("account").zip(child.money("amount"))?;
        Some(entry(&child.form.verb(), &account.path(), amount))
    };
    it.children.iter().filter_map(read).collect()
}

fn entry(side: &str, account: &str, amount: Money) -> Value {
    let currency = amount.currency().code();
    json!({ "account": account, "side": side, "amount": amount.minor(), "currency": currency })
}

//! What callers do: payments of all kinds, and plain transactions against a floor.

use std::sync::Mutex;

use mizan::clock::Monotonic;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::caller::{Answer, Caller, Command};
use super::world::pace;

/// A kind of day in the life of a payment, or of a vendor's account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Story {
    /// Taken at once, and a part of it given back.
    SaleAndRefund,
    /// Held, and a part of it taken.
    HoldAndCapture,
    /// Held, and given up.
    HoldAndCancel,
    /// Approved by the buyer on the bank's page.
    BuyerApproves,
    /// Refused by the bank.
    Declined,
    /// Plain transactions: money comes in and goes out, as long as there is some.
    PlainTransactions,
}

/// Every story.
pub const ALL: [Story; 6] = [
    Story::SaleAndRefund,
    Story::HoldAndCapture,
    Story::HoldAndCancel,
    Story::BuyerApproves,
    Story::Declined,
    Story::PlainTransactions,
];

/// What must be true for ever after.
#[derive(Default)]
pub struct Promises {
    pub payments: Mutex<Vec<PaymentPromise>>,
    pub plain: Mutex<Vec<PlainPromise>>,
    /// Nobody heard an answer to these.
    pub unheard: Mutex<Vec<Command>>,
}

/// How a payment ended, as its caller was told.
#[derive(Clone, Debug)]
pub struct PaymentPromise {
    pub id: String,
    pub status: &'static str,
    pub captured: i64,
    pub refunded: i64,
}

/// What a plain transaction did to a vendor's account, as its caller was told.
#[derive(Clone, Debug)]
pub struct PlainPromise {
    pub source: String,
    pub account: String,
    /// What it added; nothing where it was refused.
    pub added: Option<i64>,
}

/// Who acts, on whose behalf, by which chance.
pub struct Actor<'a> {
    pub caller: &'a Caller,
    pub promises: &'a Promises,
    pub name: String,
    pub chance: StdRng,
}

const PLAIN: &str = "/v1/ledger/transactions";

fn entry(account: &str, side: &str, amount: i64) -> Value {
    json!({ "account": account, "side": side, "amount": amount, "currency": "AED" })
}

/// A transaction that adds to the vendor's account, or takes away from it.
pub fn plain(source: &str, account: &str, added: i64) -> Command {
    let (bank, vendor) = if added > 0 { ("debit", "credit") } else { ("credit", "debit") };
    let body = json!({
        "kind": if added > 0 { "vendor.credited" } else { "vendor.charged" },
        "source": source,
        "entries": [entry("bank:main", bank, added.abs()), entry(account, vendor, added.abs())],
    });
    Command { key: source.to_owned(), path: PLAIN.to_owned(), body }
}

/// What a transaction adds to the vendor's account.
pub fn added_by(command: &Command) -> (String, i64) {
    let vendor = &command.body["entries"][1];
    let amount = vendor["amount"].as_i64().unwrap();
    let sign = if vendor["side"] == "credit" { 1 } else { -1 };
    (vendor["account"].as_str().unwrap().to_owned(), sign * amount)
}

impl Actor<'_> {
    /// Lives a story to its end, and writes down what it was promised.
    pub async fn live(&mut self, story: Story) {
        let end = match story {
            Story::SaleAndRefund => self.sale_and_refund().await,
            Story::HoldAndCapture => self.hold_and_capture().await,
            Story::HoldAndCancel => self.hold_and_cancel().await,
            Story::BuyerApproves => self.buyer_approves().await,
            Story::Declined => self.declined().await,
            Story::PlainTransactions => return self.plain_transactions().await,
        };
        self.promises.payments.lock().unwrap().push(end);
    }

    async fn act(&self, verb: &str, path: String, body: Value) -> Answer {
        let key = format!("{}-{verb}", self.name);
        self.caller.insist(Command { key, path, body }).await
    }

    /// Creates a payment; answers its id and its amount.
    async fn create(&mut self, capture: &str) -> (String, i64) {
        let amounts = [self.chance.random_range(500..40_000), self.chance.random_range(500..9_000)];
        let line = |vendor: &str, amount: i64| {
            json!({
                "vendor": vendor, "amount": amount,
                "tax_percent": "5", "commission_percent": "10",
            })
        };
        let body = json!({
            "amount": amounts.iter().sum::<i64>(),
            "currency": "AED",
            "capture_method": capture,
            "return_url": "https://shop.example/back",
            "metadata": { "order": self.name },
            "lines": [line("ven_a", amounts[0]), line("ven_b", amounts[1])],
        });
        let made = self.act("create", "/v1/payment_intents".to_owned(), body).await;
        assert_eq!((made.status, made.field("status")), (201, "requires_payment_method"));
        (made.field("id").to_owned(), amounts.iter().sum())
    }

    async fn step(&self, id: &str, verb: &str, body: Value, becomes: &str) -> Answer {
        let answer = self.act(verb, format!("/v1/payment_intents/{id}/{verb}"), body).await;
        assert_eq!((answer.status, answer.field("status")), (200, becomes), "{answer:#?}");
        answer
    }

    async fn confirm(&self, id: &str, card: &str, becomes: &str) -> Answer {
        self.step(id, "confirm", json!({ "payment_method": card }), becomes).await
    }

    async fn sale_and_refund(&mut self) -> PaymentPromise {
        let (id, captured) = self.create("automatic").await;
        self.confirm(&id, "pm_card_visa", "succeeded").await;
        let refunded = self.refund(&id, captured).await;
        PaymentPromise { id, status: "succeeded", captured, refunded }
    }

    async fn refund(&mut self, id: &str, captured: i64) -> i64 {
        let amount = self.chance.random_range(1..=captured);
        let body = json!({ "payment_intent": id, "amount": amount });
        let refund = self.act("refund", "/v1/refunds".to_owned(), body).await;
        assert_eq!((refund.status, refund.field("status")), (200, "succeeded"), "{refund:#?}");
        amount
    }

    async fn hold_and_capture(&mut self) -> PaymentPromise {
        let (id, amount) = self.create("manual").await;
        self.confirm(&id, "pm_card_visa", "requires_capture").await;
        let captured = self.chance.random_range(1..=amount);
        self.step(&id, "capture", json!({ "amount": captured }), "succeeded").await;
        PaymentPromise { id, status: "succeeded", captured, refunded: 0 }
    }

    async fn hold_and_cancel(&mut self) -> PaymentPromise {
        let (id, _) = self.create("manual").await;
        self.confirm(&id, "pm_card_visa", "requires_capture").await;
        self.step(&id, "cancel", json!({}), "cancelled").await;
        PaymentPromise { id, status: "cancelled", captured: 0, refunded: 0 }
    }

    async fn buyer_approves(&mut self) -> PaymentPromise {
        let (id, captured) = self.create("automatic").await;
        let waits = self.confirm(&id, "pm_card_threeDSecure2Required", "requires_action").await;
        let page = waits.body["next_action"]["url"].as_str();
        self.caller.approve(page.unwrap_or_else(|| panic!("no page: {waits:#?}"))).await;
        let (watch, mut pace) = (Monotonic::start(), pace());
        while self.caller.sync(&id).await["status"] != "succeeded" {
            assert!(watch.elapsed().as_secs() < 120, "{id} was approved and is not paid");
            pace.tick().await;
        }
        PaymentPromise { id, status: "succeeded", captured, refunded: 0 }
    }

    async fn declined(&mut self) -> PaymentPromise {
        let (id, _) = self.create("automatic").await;
        let body = json!({ "payment_method": "pm_card_chargeDeclined" });
        let path = format!("/v1/payment_intents/{id}/confirm");
        let refused = self.act("confirm", path, body).await;
        assert_eq!((refused.status, refused.field("code")), (402, "payment_declined"));
        PaymentPromise { id, status: "requires_payment_method", captured: 0, refunded: 0 }
    }

    async fn plain_transactions(&mut self) {
        let account = format!("vendor_payable:plain-{}:available", self.chance.random_range(0..3));
        for number in 0..3 {
            let added = match self.chance.random_bool(0.5) {
                true => self.chance.random_range(1..5_000),
                false => -self.chance.random_range(1..8_000),
            };
            let source = format!("{}-{number}", self.name);
            let command = plain(&source, &account, added);
            if self.chance.random_bool(0.2) {
                self.caller.hang_up(&command).await;
                self.promises.unheard.lock().unwrap().push(command);
                continue;
            }
            let answer = self.caller.insist(command).await;
            let added = match (answer.status, answer.body["code"].as_str()) {
                (201, _) => Some(added),
                (409, Some("insufficient_balance")) => None,
                _ => panic!("{answer:#?}"),
            };
            let account = account.clone();
            self.promises.plain.lock().unwrap().push(PlainPromise { source, account, added });
        }
    }
}

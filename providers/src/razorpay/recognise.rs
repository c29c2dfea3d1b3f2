//! Recorded answers, and what they were answers to: an entity of Razorpay's names its own kind.

use chrono::{DateTime, TimeDelta};
use mizan_money::{Money, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use crate::dispute::{ListDisputes, SyncDispute};
use crate::instrument::{CreateCustomer, SyncInstrument};
use crate::model::{CaptureMethod, Confirmation, ProviderRef};
use crate::operation::{CreatePayment, Operation, SyncPayment, SyncRefund};
use crate::payout::{PayoutDestination, SyncPayout};
use crate::provider::Recorded;
use crate::razorpay::amount::from_wire_amount;
use crate::razorpay::instrument::CUSTOMER_KEY;
use crate::razorpay::request::{PAYMENT_KEY, REFUND_KEY};
use crate::settlement::ListSettlement;
use crate::transfer::{CreateTransfer, ReverseTransfer, SyncTransfer};

/// What stands for an id of ours that a recording does not name.
const NOBODY: &str = "00000000000000000000000000000000";

/// The amount of a create where neither the recording nor its answer tells one: 1.00 INR.
const MADE_UP: (i64, &str) = (100, "INR");

/// The body of a recorded create.
#[derive(Debug, Deserialize)]
struct Asked {
    amount: i64,
    currency: String,
}

/// The operation an exchange belongs to. Ids and amounts are the answer's own, so that it is
/// compared with itself; what the recording wanted wins.
pub(super) fn recognise(exchange: &Recorded) -> Option<Operation> {
    let body: Value = serde_json::from_slice(&exchange.answer.body).ok()?;
    let wanted = wanted(exchange);
    let entity = Entity { body: &body, wanted };
    match entity.text("entity") {
        Some("collection") => collected(body.get("items")?.as_array()?, wanted),
        Some(kind) => entity.operation(kind),
        None if body.get("error").is_some() => refused(wanted),
        None => None,
    }
}

fn wanted(exchange: &Recorded) -> Option<Money> {
    let request = exchange.request.as_ref();
    let asked: Option<Asked> = request.and_then(|it| serde_json::from_str(&it.body).ok());
    let asked = asked.and_then(|it| from_wire_amount(it.amount, &it.currency).ok());
    exchange.wanted.or(asked)
}

struct Entity<'a> {
    body: &'a Value,
    wanted: Option<Money>,
}

impl Entity<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }

    fn id(&self, field: &str) -> Option<ProviderRef> {
        ProviderRef::parse(self.text(field)?).ok()
    }

    fn amount(&self) -> Option<Money> {
        let own = || {
            let amount = self.body.get("amount")?.as_i64()?;
            from_wire_amount(amount, self.text("currency")?).ok()
        };
        self.wanted.or_else(own)
    }

    /// Our id in the notes or in the field for references, else nobody's.
    fn ours<T: std::str::FromStr>(&self, key: &str, field: &str, prefix: &str) -> Option<T> {
        let note = self.body.get("notes").and_then(|notes| notes.get(key)?.as_str());
        let named = note.into_iter().chain(self.text(field));
        let nobody = format!("{prefix}_{NOBODY}");
        named.chain([nobody.as_str()]).find_map(|text| text.parse().ok())
    }

    fn operation(&self, kind: &str) -> Option<Operation> {
        match kind {
            "order" | "payment" => Some(Operation::Sync(SyncPayment {
                payment: self.ours(PAYMENT_KEY, "receipt", "pi")?,
                provider_ref: self.id("id")?,
                charge_ref: None,
                amount: self.amount()?,
            })),
            "refund" => Some(Operation::SyncRefund(SyncRefund {
                refund: self.ours(REFUND_KEY, "receipt", "re")?,
                provider_ref: self.id("id")?,
                payment_ref: self.id("payment_id")?,
                charge_ref: self.id("payment_id"),
                amount: self.amount()?,
            })),
            "customer" => Some(Operation::CreateCustomer(CreateCustomer {
                customer: self.ours(CUSTOMER_KEY, "", "cus")?,
                operation: format!("op_{NOBODY}").parse().ok()?,
            })),
            "dispute" => Some(Operation::SyncDispute(SyncDispute { provider_ref: self.id("id")? })),
            "payout" => Some(Operation::SyncPayout(SyncPayout {
                payout: self.ours("mizan_payout", "reference_id", "po")?,
                provider_ref: self.id("id")?,
                amount: self.amount()?,
                destination: PayoutDestination::FundAccount(self.id("fund_account_id")?),
            })),
            "transfer" => Some(Operation::SyncTransfer(SyncTransfer {
                transfer: self.ours("mizan_transfer", "", "tr")?,
                provider_ref: self.id("id")?,
                amount: self.amount()?,
            })),
            "reversal" => self.reversal(),
            _ => None,
        }
    }

    fn reversal(&self) -> Option<Operation> {
        let amount = self.amount()?;
        Some(Operation::ReverseTransfer(ReverseTransfer {
            transfer: self.ours("mizan_transfer", "", "tr")?,
            operation: format!("op_{NOBODY}").parse().ok()?,
            provider_ref: self.id("transfer_id")?,
            transferred: amount,
            amount,
            reversed_before: Money::zero(amount.currency()),
        }))
    }
}

/// A collection, by what its first item is.
fn collected(items: &[Value], wanted: Option<Money>) -> Option<Operation> {
    let first = Entity { body: items.first()?, wanted };
    match first.text("entity") {
        Some("transfer") => Some(Operation::Transfer(CreateTransfer {
            transfer: first.ours("mizan_transfer", "", "tr")?,
            operation: format!("op_{NOBODY}").parse().ok()?,
            amount: first.amount()?,
            destination: first.text("recipient")?.to_owned(),
            source: first.id("source"),
        })),
        // Whose tokens they are is in the address only.
        Some("token") => {
            Some(Operation::SyncInstrument(SyncInstrument { provider_ref: first.id("id")? }))
        }
        Some("dispute") => {
            Some(Operation::ListDisputes(ListDisputes { since: DateTime::UNIX_EPOCH, page: None }))
        }
        None if first.text("entity_id").is_some() => settled(items),
        _ => None,
    }
}

/// The span in which all lines were settled.
fn settled(items: &[Value]) -> Option<Operation> {
    let settled = |row: &Value| -> Option<Timestamp> {
        DateTime::from_timestamp(row.get("settled_at")?.as_i64()?, 0)
    };
    let from = items.iter().filter_map(settled).min()?;
    let last = items.iter().filter_map(settled).max()?;
    let to = last.checked_add_signed(TimeDelta::seconds(1))?;
    Some(Operation::ListSettlement(ListSettlement { from, to, settlement: None, page: None }))
}

/// A refusal is read as one of a create.
fn refused(wanted: Option<Money>) -> Option<Operation> {
    let made_up = || from_wire_amount(MADE_UP.0, MADE_UP.1).ok();
    Some(Operation::Create(CreatePayment {
        payment: format!("pi_{NOBODY}").parse().ok()?,
        operation: format!("op_{NOBODY}").parse().ok()?,
        amount: wanted.or_else(made_up)?,
        capture: CaptureMethod::Automatic,
        payment_method: None,
        confirmation: Confirmation::Now,
        return_url: None,
        description: None,
        metadata: std::collections::BTreeMap::new(),
        instrument: None,
        keep: None,
    }))
}

//! Recorded answers, and what they were answers to: an object of Stripe's names its own type.

use chrono::{DateTime, TimeDelta};
use mizan_money::Money;
use mizan_money::id::PaymentIntentId;
use serde::Deserialize;
use serde_json::Value;

use crate::dispute::{ListDisputes, SyncDispute};
use crate::instrument::{CreateCustomer, RemoveInstrument, SavedInstrument, SyncInstrument};
use crate::model::{CaptureMethod, Confirmation, ProviderRef};
use crate::operation::{CreatePayment, Operation, SyncPayment, SyncRefund};
use crate::payout::{PayoutDestination, SyncPayout};
use crate::provider::Recorded;
use crate::settlement::ListSettlement;
use crate::stripe::amount::from_wire_amount;
use crate::stripe::instrument::CUSTOMER_KEY;
use crate::stripe::request::{PAYMENT_KEY, REFUND_KEY};
use crate::transfer::{ReverseTransfer, SyncTransfer};

/// What stands for an id of ours that a recording does not name.
const NOBODY: &str = "00000000000000000000000000000000";

/// The amount of a create where neither the recording nor its answer tells one: 1.00 USD.
const MADE_UP: (i64, &str) = (100, "usd");

/// The form of a recorded create.
#[derive(Debug, Default, Deserialize)]
struct Form {
    amount: Option<i64>,
    currency: Option<String>,
}

/// The operation an exchange belongs to. Ids and amounts are the answer's own, so that it is
/// compared with itself; what the recording wanted wins.
pub(super) fn recognise(exchange: &Recorded) -> Option<Operation> {
    let body: Value = serde_json::from_slice(&exchange.answer.body).ok()?;
    let object = Object { body: &body, wanted: wanted(exchange) };
    let Some(kind) = object.text("object") else {
        return object.refused(body.get("error")?);
    };
    match kind {
        "payment_intent" => Some(Operation::Sync(SyncPayment {
            payment: object.ours(PAYMENT_KEY, "pi")?,
            provider_ref: object.id("id")?,
            charge_ref: None,
            amount: object.amount()?,
        })),
        "refund" => Some(Operation::SyncRefund(SyncRefund {
            refund: object.ours(REFUND_KEY, "re")?,
            provider_ref: object.id("id")?,
            payment_ref: object.id("payment_intent").or_else(|| object.id("charge"))?,
            charge_ref: None,
            amount: object.amount()?,
        })),
        "setup_intent" => {
            Some(Operation::SyncInstrument(SyncInstrument { provider_ref: object.id("id")? }))
        }
        "payment_method" => Some(Operation::RemoveInstrument(RemoveInstrument {
            instrument: SavedInstrument {
                token: object.id("id")?,
                customer: None,
                first_charge: None,
            },
        })),
        "customer" => Some(Operation::CreateCustomer(CreateCustomer {
            customer: object.ours(CUSTOMER_KEY, "cus")?,
            operation: format!("op_{NOBODY}").parse().ok()?,
        })),
        "dispute" => Some(Operation::SyncDispute(SyncDispute { provider_ref: object.id("id")? })),
        "payout" | "transfer" | "transfer_reversal" => object.moved(),
        "list" => object.listed(),
        _ => None,
    }
}

fn wanted(exchange: &Recorded) -> Option<Money> {
    let form = exchange
        .request
        .as_ref()
        .and_then(|request| serde_urlencoded::from_str::<Form>(&request.body).ok());
    let asked = form.and_then(|form| from_wire_amount(form.amount?, &form.currency?).ok());
    exchange.wanted.or(asked)
}

struct Object<'a> {
    body: &'a Value,
    wanted: Option<Money>,
}

impl Object<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }

    /// An id, or that of the object in its place.
    fn id(&self, field: &str) -> Option<ProviderRef> {
        let value = self.body.get(field)?;
        let text = value.as_str().or_else(|| value.get("id")?.as_str())?;
        ProviderRef::parse(text).ok()
    }

    fn amount(&self) -> Option<Money> {
        self.wanted.or_else(|| money(self.body))
    }

    /// Our id in the metadata, else nobody's.
    fn ours<T: std::str::FromStr>(&self, key: &str, prefix: &str) -> Option<T> {
        let named = self.body.get("metadata").and_then(|metadata| metadata.get(key)?.as_str());
        let nobody = format!("{prefix}_{NOBODY}");
        named.and_then(|text| text.parse().ok()).or_else(|| nobody.parse().ok())
    }

    fn moved(&self) -> Option<Operation> {
        let destination =
            PayoutDestination::ConnectedAccount { account: String::new(), bank: None };
        let (provider_ref, amount) = (self.id("id")?, self.amount()?);
        Some(match self.text("object")? {
            "payout" => Operation::SyncPayout(SyncPayout {
                payout: self.ours("mizan_payout", "po")?,
                provider_ref,
                amount,
                destination,
            }),
            "transfer" => Operation::SyncTransfer(SyncTransfer {
                transfer: self.ours("mizan_transfer", "tr")?,
                provider_ref,
                amount,
            }),
            _ => Operation::ReverseTransfer(ReverseTransfer {
                transfer: self.ours("mizan_transfer", "tr")?,
                operation: format!("op_{NOBODY}").parse().ok()?,
                provider_ref: self.id("transfer")?,
                transferred: amount,
                amount,
                reversed_before: Money::zero(amount.currency()),
            }),
        })
    }

    /// A page: of disputes, or of the balance's rows.
    fn listed(&self) -> Option<Operation> {
        let epoch = DateTime::UNIX_EPOCH;
        match self.text("url")? {
            "/v1/disputes" => {
                Some(Operation::ListDisputes(ListDisputes { since: epoch, page: None }))
            }
            "/v1/balance_transactions" => Some(Operation::ListSettlement(ListSettlement {
                from: epoch,
                to: epoch + TimeDelta::seconds(1),
                settlement: None,
                page: None,
            })),
            _ => None,
        }
    }

    /// A refusal is read as one of a create, of what the payment it carries is for.
    fn refused(&self, error: &Value) -> Option<Operation> {
        let carried = error.get("payment_intent").and_then(money);
        let made_up = || from_wire_amount(MADE_UP.0, MADE_UP.1).ok();
        let payment: PaymentIntentId = format!("pi_{NOBODY}").parse().ok()?;
        Some(Operation::Create(CreatePayment {
            payment,
            operation: format!("op_{NOBODY}").parse().ok()?,
            amount: self.wanted.or(carried).or_else(made_up)?,
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
}

fn money(object: &Value) -> Option<Money> {
    let code = object.get("currency")?.as_str()?;
    from_wire_amount(object.get("amount")?.as_i64()?, code).ok()
}

//! Razorpay's webhooks as our events: the entity tells the state, never the event's name, since a
//! delivery is a snapshot that may come late and in any order.

use chrono::DateTime;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::TranslateError;
use crate::event::{
    DisputeEvent, EventSubject, FundsMovement, Mode, OtherEvent, PayoutEvent, ProviderEvent,
    SettlementNotice, TransferEvent,
};
use crate::model::{DisputeStatus, ProviderFee, ProviderRef, TransferStatus};
use crate::razorpay::amount::from_wire_amount;
use crate::razorpay::facts::{self, FactError};
use crate::razorpay::{status, wire};
use crate::signature::digest_id;

/// What a settlement is always paid in: the entity names no currency
/// (razorpay.com/docs/payments/settlements).
const SETTLEMENT_CURRENCY: &str = "INR";

/// Translates a believed body. An event is called by the digest of its bytes: the body has no id.
pub(super) fn translate(body: &[u8]) -> Result<ProviderEvent, TranslateError> {
    let envelope = |problem: &str| TranslateError::Envelope { problem: problem.to_owned() };
    let event: wire::Event = serde_json::from_slice(body)
        .map_err(|error| envelope(&format!("no event at line {}", error.line())))?;
    if event.entity != "event" || event.event.is_empty() || event.event.len() > 255 {
        return Err(envelope("its entity is no event, or it has no name"));
    }
    let parts = Parts { event_type: &event.event, payload: &event.payload };
    let subject = subject(&parts)?.unwrap_or_else(|| other(&parts, &event.contains));
    let occurred_at = event.created_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    if occurred_at.is_none() && !matches!(subject, EventSubject::Other(_)) {
        return Err(parts.unusable(&FactError::Missing { field: "created_at" }));
    }
    Ok(ProviderEvent {
        id: digest_id(body),
        event_type: event.event,
        occurred_at,
        account: event.account_id,
        mode: Mode::Unstated,
        subject,
    })
}

/// The things an event is about, by name.
struct Parts<'a> {
    event_type: &'a str,
    payload: &'a Value,
}

impl Parts<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        self.payload.get(name)?.get("entity").filter(|entity| entity.is_object())
    }

    /// A part that must be there.
    fn read<T: DeserializeOwned>(&self, name: &'static str) -> Result<T, TranslateError> {
        let missing = FactError::Missing { field: name };
        let entity = self.get(name).ok_or_else(|| self.unusable(&missing))?;
        T::deserialize(entity).map_err(|_| TranslateError::Object {
            event_type: self.event_type.chars().take(100).collect(),
            problem: format!("its {name} lacks a field or has one of another type"),
        })
    }

    /// The order of the payment that stands beside the main part, else the payment itself. A
    /// refund or a dispute is found by what its payment is known by.
    fn payment_ref(&self, payment: Option<&str>) -> Option<ProviderRef> {
        let beside = self.get("payment");
        let beside = beside.filter(|it| it.get("id").and_then(Value::as_str) == payment);
        let order = beside.and_then(|it| it.get("order_id")).and_then(Value::as_str);
        order.or(payment).and_then(|text| ProviderRef::parse(text).ok())
    }

    fn unusable(&self, error: &FactError) -> TranslateError {
        TranslateError::Object {
            event_type: self.event_type.chars().take(100).collect(),
            problem: error.to_string(),
        }
    }
}

/// What a known kind is about; nothing for the kinds we do not use.
///
/// `order.paid` and `payment.captured` tell of the same money: both come out as the same payment,
/// and the second changes nothing.
fn subject(parts: &Parts<'_>) -> Result<Option<EventSubject>, TranslateError> {
    let read = match parts.event_type {
        "payment.authorized" | "payment.captured" | "payment.failed" => {
            payment(&parts.read("payment")?)
        }
        "order.paid" => paid(&parts.read("payment")?, &parts.read("order")?),
        "settlement.processed" => settlement(&parts.read("settlement")?),
        "transfer.processed" | "transfer.failed" => {
            transfer(parts.event_type, &parts.read("transfer")?)
        }
        it if it.starts_with("refund.") => refund(parts, &parts.read("refund")?),
        it if it.starts_with("payment.dispute.") => dispute(parts, &parts.read("dispute")?),
        it if it.starts_with("payout.") && parts.get("payout").is_some() => {
            payout(&parts.read("payout")?)
        }
        _ => return Ok(None),
    };
    read.map(Some).map_err(|error| parts.unusable(&error))
}

fn payment(it: &wire::Payment) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Payment(Box::new(facts::payment(it)?.facts)))
}

/// The order's receipt is our payment; the payment's own notes need not have it.
fn paid(it: &wire::Payment, order: &wire::Order) -> Result<EventSubject, FactError> {
    if it.order_id.as_deref() != Some(order.id.as_str()) {
        return Err(FactError::Contradiction { field: "order_id" });
    }
    let mut facts = facts::payment(it)?.facts;
    let ours = order.receipt.as_deref().and_then(|text| text.parse().ok());
    facts.reference = ours.or(facts.reference);
    Ok(EventSubject::Payment(Box::new(facts)))
}

fn refund(parts: &Parts<'_>, it: &wire::Refund) -> Result<EventSubject, FactError> {
    let mut facts = facts::refund(it)?.facts;
    facts.payment_ref = parts.payment_ref(it.payment_id.as_deref());
    Ok(EventSubject::Refund(Box::new(facts)))
}

/// Money leaves us when a dispute is lost, and then as much as was deducted, which may be less
/// than the dispute is about (razorpay.com/docs/api/disputes/entity). What a later phase gives
/// back is told by the settlement only.
fn dispute(parts: &Parts<'_>, it: &wire::Dispute) -> Result<EventSubject, FactError> {
    let provider_ref = facts::id("id", &it.id)?;
    let deducted = facts::amount_or_zero("amount_deducted", it.amount_deducted, &it.currency)?;
    let status = match status::dispute(&it.status) {
        // No inquiry takes money; one that did is something else.
        DisputeStatus::Warning if !deducted.is_zero() => DisputeStatus::Unknown,
        status => status,
    };
    let lost = status == DisputeStatus::Lost && !deducted.is_zero();
    let row = || -> Option<ProviderFee> {
        let zero = from_wire_amount(0, &it.currency).ok()?;
        let moved = deducted.checked_neg().ok()?;
        let balance_transaction = provider_ref.clone();
        Some(ProviderFee { gross: moved, fee: zero, tax: zero, net: moved, balance_transaction })
    };
    let charge_ref = it.payment_id.as_deref().map(|id| facts::id("payment_id", id)).transpose()?;
    Ok(EventSubject::Dispute(Box::new(DisputeEvent {
        status,
        status_word: it.status.chars().take(100).collect(),
        amount: facts::positive(it.amount, &it.currency)?,
        payment_ref: parts.payment_ref(it.payment_id.as_deref()),
        charge_ref,
        reason: it.reason_code.clone(),
        evidence_due_by: it.respond_by.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        funds: if lost { FundsMovement::Withdrawn } else { FundsMovement::None },
        rows: if lost { row().into_iter().collect() } else { Vec::new() },
        reference: None,
        provider_ref,
    })))
}

/// Its failure is told by the event and by an error beside it: the published body of a failed one
/// calls it processed.
fn transfer(event_type: &str, it: &wire::Transfer) -> Result<EventSubject, FactError> {
    let amount = facts::positive(it.amount, &it.currency)?;
    let back = Some(it.amount_reversed);
    let reversed = facts::amount_or_zero("amount_reversed", back, &it.currency)?;
    let code = it.error.as_ref().and_then(|error| wire::word(error.code.as_deref()));
    let status = match reversed.minor() {
        _ if event_type == "transfer.failed" || code.is_some() => TransferStatus::Failed,
        0 => TransferStatus::Created,
        back if back < amount.minor() => TransferStatus::PartiallyReversed,
        _ => TransferStatus::Reversed,
    };
    Ok(EventSubject::Transfer(Box::new(TransferEvent {
        provider_ref: facts::id("id", &it.id)?,
        status,
        amount,
        reversed,
        destination: it.recipient.clone(),
        fee: None,
        reference: None,
    })))
}

fn payout(it: &wire::Payout) -> Result<EventSubject, FactError> {
    use crate::model::PayoutStatus::{Cancelled, Failed, Returned};
    let status = status::payout(&it.status);
    let told = it.status_details.as_ref().and_then(|details| details.reason.as_deref());
    let ended_badly = matches!(status, Cancelled | Failed | Returned);
    Ok(EventSubject::Payout(Box::new(PayoutEvent {
        provider_ref: facts::id("id", &it.id)?,
        status,
        amount: facts::positive(it.amount, &it.currency)?,
        reason: wire::word(told).filter(|_| ended_badly).map(ToOwned::to_owned),
        status_word: it.status.chars().take(100).collect(),
        fee: None,
        bank_reference: None,
        reference: None,
    })))
}

fn settlement(it: &wire::Settlement) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Settlement(SettlementNotice {
        provider_ref: facts::id("id", &it.id)?,
        amount: facts::amount_or_zero("amount", Some(it.amount), SETTLEMENT_CURRENCY)?,
    }))
}

/// An event of no interest, by the first part it says it contains.
fn other(parts: &Parts<'_>, contains: &Value) -> EventSubject {
    let name = contains.get(0).and_then(Value::as_str);
    let id = name.and_then(|name| parts.get(name)).and_then(|it| it.get("id"));
    EventSubject::Other(OtherEvent {
        object: name.map(|name| name.chars().take(100).collect()),
        object_id: id.and_then(Value::as_str).and_then(|id| ProviderRef::parse(id).ok()),
    })
}

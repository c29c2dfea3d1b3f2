//! Stripe's webhooks as our events: always by the tolerant types, since a webhook's shape follows
//! the endpoint's version and not ours.

use chrono::DateTime;
use mizan_money::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::TranslateError;
use crate::event::{
    DisputeEvent, EventSubject, FundsMovement, Mode, OtherEvent, PayoutEvent, ProviderEvent,
    RefundNotice, SettlementNotice, TransferEvent,
};
use crate::model::{ProviderRef, TransferStatus};
use crate::stripe::facts::{self, FactError, Written};
use crate::stripe::{status, wire};

/// Translates a believed body.
pub(super) fn translate(body: &[u8]) -> Result<ProviderEvent, TranslateError> {
    let envelope = |problem: &str| TranslateError::Envelope { problem: problem.to_owned() };
    let event: wire::Event = serde_json::from_slice(body)
        .map_err(|error| envelope(&format!("no event at line {}", error.line())))?;
    if event.id.is_empty() || event.id.len() > 255 {
        return Err(envelope("its id is empty or longer than 255 characters"));
    }
    let event_type = event.kind.clone().unwrap_or_default();
    // Thin events (`v2.core.event`) carry no object; they are acknowledged and kept by name.
    let full = event.object.as_deref() == Some("event");
    let data = event.data.unwrap_or(wire::EventData { object: None, previous_attributes: None });
    let object = data.object.unwrap_or(Value::Null);
    let before = data.previous_attributes.as_ref();
    let subject = if full { subject(&event_type, &object, before)? } else { None };
    let subject = subject.unwrap_or_else(|| other(&object));
    let occurred_at = occurred_at(event.created.as_ref());
    if occurred_at.is_none() && !matches!(subject, EventSubject::Other(_)) {
        return Err(unusable(&event_type, &FactError::Missing { field: "created" }));
    }
    Ok(ProviderEvent {
        id: event.id,
        event_type,
        occurred_at,
        account: event.account,
        mode: match event.livemode {
            Some(true) => Mode::Live,
            Some(false) => Mode::Test,
            None => Mode::Unstated,
        },
        subject,
    })
}

/// What a known kind is about; nothing for the kinds we do not use.
///
/// Money is taken from `payment_intent.*`, never from `charge.*`, which tells the same story a
/// second time. Refunds come from `refund.*` and the older `charge.refund.updated`;
/// `charge.refunded` only says that something happened (docs.stripe.com/refunds).
fn subject(
    event_type: &str,
    object: &Value,
    before: Option<&Value>,
) -> Result<Option<EventSubject>, TranslateError> {
    let read = match event_type {
        "charge.refunded" => refund_notice(&read(event_type, object)?),
        "charge.refund.updated" => refund(&read(event_type, object)?),
        "payout.reconciliation_completed" => settlement(&read(event_type, object)?),
        _ if event_type.starts_with("payment_intent.") => {
            payment(event_type, &read(event_type, object)?)
        }
        _ if event_type.starts_with("refund.") => refund(&read(event_type, object)?),
        _ if event_type.starts_with("charge.dispute.") => {
            dispute(event_type, &read(event_type, object)?)
        }
        _ if event_type.starts_with("payout.") => payout(&read(event_type, object)?, before),
        _ if event_type.starts_with("transfer.") => transfer(&read(event_type, object)?),
        _ => return Ok(None),
    };
    read.map(Some).map_err(|error| unusable(event_type, &error))
}

fn read<T: DeserializeOwned>(event_type: &str, object: &Value) -> Result<T, TranslateError> {
    T::deserialize(object).map_err(|_| TranslateError::Object {
        event_type: event_type.chars().take(100).collect(),
        problem: "its object lacks a field or has one of another type".to_owned(),
    })
}

fn unusable(event_type: &str, error: &FactError) -> TranslateError {
    TranslateError::Object {
        event_type: event_type.chars().take(100).collect(),
        problem: error.to_string(),
    }
}

/// An event keeps its object as it was in that moment.
fn payment(event_type: &str, pi: &wire::PaymentIntent) -> Result<EventSubject, FactError> {
    let written = match event_type {
        "payment_intent.succeeded" => Written::AtCapture,
        _ => Written::Later,
    };
    Ok(EventSubject::Payment(Box::new(facts::payment(pi, written)?)))
}

fn refund(re: &wire::Refund) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Refund(Box::new(facts::refund(re)?)))
}

fn refund_notice(charge: &wire::Charge) -> Result<EventSubject, FactError> {
    let missing = |field| FactError::Missing { field };
    let code = charge.currency.as_deref().ok_or(missing("currency"))?;
    let total = charge.amount_refunded.ok_or(missing("amount_refunded"))?;
    let charge_ref = facts::id("id", &charge.id)?;
    let payment_ref = facts::optional_id("payment_intent", charge.payment_intent.as_ref())?;
    Ok(EventSubject::RefundNotice(RefundNotice {
        provider_ref: payment_ref.unwrap_or_else(|| charge_ref.clone()),
        charge_ref: Some(charge_ref),
        refunded_total: facts::amount("amount_refunded", total, code)?,
        reference: facts::payment_reference(&charge.metadata),
    }))
}

fn dispute(event_type: &str, dp: &wire::Dispute) -> Result<EventSubject, FactError> {
    let due = dp.evidence_details.as_ref().and_then(|details| details.due_by);
    Ok(EventSubject::Dispute(Box::new(DisputeEvent {
        provider_ref: facts::id("id", &dp.id)?,
        status: status::dispute(&dp.status),
        status_word: dp.status.chars().take(100).collect(),
        amount: facts::amount("amount", dp.amount, &dp.currency)?,
        payment_ref: facts::optional_id("payment_intent", dp.payment_intent.as_ref())?,
        charge_ref: facts::optional_id("charge", dp.charge.as_ref())?,
        reason: dp.reason.clone(),
        evidence_due_by: due.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        funds: match event_type {
            "charge.dispute.funds_withdrawn" => FundsMovement::Withdrawn,
            "charge.dispute.funds_reinstated" => FundsMovement::Reinstated,
            _ => FundsMovement::None,
        },
        rows: dp.balance_transactions.iter().filter_map(facts::settlement_row).collect(),
        reference: facts::payment_reference(&dp.metadata),
    })))
}

fn payout(po: &wire::Payout, before: Option<&Value>) -> Result<EventSubject, FactError> {
    let status_before = before.and_then(|was| was.get("status")).and_then(Value::as_str);
    Ok(EventSubject::Payout(Box::new(PayoutEvent {
        provider_ref: facts::id("id", &po.id)?,
        status: status::payout(&po.status, status_before),
        amount: facts::amount("amount", po.amount, &po.currency)?,
        reason: po.failure_code.clone(),
        status_word: po.status.chars().take(100).collect(),
        fee: None,
        bank_reference: None,
        reference: None,
    })))
}

fn settlement(po: &wire::Payout) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Settlement(SettlementNotice {
        provider_ref: facts::id("id", &po.id)?,
        amount: facts::amount("amount", po.amount, &po.currency)?,
    }))
}

/// A transfer has no status: what came back tells it.
fn transfer(tr: &wire::Transfer) -> Result<EventSubject, FactError> {
    let status = match tr.amount_reversed {
        back if back <= 0 => TransferStatus::Created,
        back if back < tr.amount => TransferStatus::PartiallyReversed,
        _ => TransferStatus::Reversed,
    };
    Ok(EventSubject::Transfer(Box::new(TransferEvent {
        provider_ref: facts::id("id", &tr.id)?,
        status,
        amount: facts::amount("amount", tr.amount, &tr.currency)?,
        reversed: facts::amount("amount_reversed", tr.amount_reversed, &tr.currency)?,
        destination: tr.destination.as_ref().map(|it| it.id().to_owned()),
        fee: None,
        reference: None,
    })))
}

fn other(object: &Value) -> EventSubject {
    let text = |field: &str| object.get(field).and_then(Value::as_str);
    EventSubject::Other(OtherEvent {
        object: text("object").map(|name| name.chars().take(100).collect()),
        object_id: text("id").and_then(|id| ProviderRef::parse(id).ok()),
    })
}

/// Seconds since 1970, or an ISO time in thin events.
fn occurred_at(created: Option<&Value>) -> Option<Timestamp> {
    match created? {
        Value::Number(number) => DateTime::from_timestamp(number.as_i64()?, 0),
        Value::String(text) => Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc()),
        _ => None,
    }
}

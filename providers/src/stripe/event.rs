//! Stripe's webhooks as our events: always by the tolerant types, since a webhook's shape follows
//! the endpoint's version and not ours.

use chrono::DateTime;
use mizan_money::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::TranslateError;
use crate::event::{
    EventKind, EventSubject, FundsMovement, Mode, OtherEvent, ProviderEvent, RefundNotice,
    SettlementNotice,
};
use crate::model::ProviderRef;
use crate::stripe::facts::{self, FactError, Written};
use crate::stripe::{dispute, payout, status, transfer, wire};

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

/// The kinds of events that are used (docs.stripe.com/api/events/types).
///
/// Money is taken from `payment_intent.*`, never from `charge.*`, which tells the same story a
/// second time. Refunds come from `refund.*` and the older `charge.refund.updated`;
/// `charge.refunded` only says that something happened (docs.stripe.com/refunds).
pub const EVENTS: &[(&str, EventKind)] = &[
    ("payment_intent.amount_capturable_updated", EventKind::Payment),
    ("payment_intent.canceled", EventKind::Payment),
    ("payment_intent.created", EventKind::Payment),
    ("payment_intent.partially_funded", EventKind::Payment),
    ("payment_intent.payment_failed", EventKind::Payment),
    ("payment_intent.processing", EventKind::Payment),
    ("payment_intent.requires_action", EventKind::Payment),
    ("payment_intent.succeeded", EventKind::Payment),
    ("charge.refund.updated", EventKind::Refund),
    ("refund.created", EventKind::Refund),
    ("refund.failed", EventKind::Refund),
    ("refund.updated", EventKind::Refund),
    ("charge.refunded", EventKind::RefundNotice),
    ("charge.dispute.closed", EventKind::Dispute),
    ("charge.dispute.created", EventKind::Dispute),
    ("charge.dispute.funds_reinstated", EventKind::Dispute),
    ("charge.dispute.funds_withdrawn", EventKind::Dispute),
    ("charge.dispute.updated", EventKind::Dispute),
    ("payout.canceled", EventKind::Payout),
    ("payout.created", EventKind::Payout),
    ("payout.failed", EventKind::Payout),
    ("payout.paid", EventKind::Payout),
    ("payout.updated", EventKind::Payout),
    ("payout.reconciliation_completed", EventKind::Settlement),
    ("transfer.created", EventKind::Transfer),
    ("transfer.reversed", EventKind::Transfer),
    ("transfer.updated", EventKind::Transfer),
];

/// What a known kind is about; nothing for the kinds we do not use.
fn subject(
    event_type: &str,
    object: &Value,
    before: Option<&Value>,
) -> Result<Option<EventSubject>, TranslateError> {
    let read = match status::look_up(EVENTS, event_type) {
        Some(EventKind::Payment) => payment(event_type, &read(event_type, object)?),
        Some(EventKind::Refund) => refund(&read(event_type, object)?),
        Some(EventKind::RefundNotice) => refund_notice(&read(event_type, object)?),
        Some(EventKind::Dispute) => dispute(event_type, &read(event_type, object)?),
        Some(EventKind::Payout) => payout::facts(&read(event_type, object)?, before)
            .map(|facts| EventSubject::Payout(Box::new(facts))),
        Some(EventKind::Transfer) => transfer::facts(&read(event_type, object)?)
            .map(|facts| EventSubject::Transfer(Box::new(facts))),
        Some(EventKind::Settlement) => settlement(&read(event_type, object)?),
        Some(EventKind::Other) | None => return Ok(None),
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
    let funds = match event_type {
        "charge.dispute.funds_withdrawn" => FundsMovement::Withdrawn,
        "charge.dispute.funds_reinstated" => FundsMovement::Reinstated,
        _ => FundsMovement::None,
    };
    Ok(EventSubject::Dispute(Box::new(dispute::facts(dp, funds)?)))
}

fn settlement(po: &wire::Payout) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Settlement(SettlementNotice {
        provider_ref: facts::id("id", &po.id)?,
        amount: facts::amount("amount", po.amount, &po.currency)?,
    }))
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

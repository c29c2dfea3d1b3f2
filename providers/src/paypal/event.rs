//! PayPal's webhooks as our events: the resource tells the state, never the event's name, since a
//! delivery is a snapshot that may come late and in any order.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::TranslateError;
use crate::event::{EventKind, EventSubject, Mode, OtherEvent, ProviderEvent};
use crate::model::{PaymentStatus, ProviderRef};
use crate::paypal::certificate::Environment;
use crate::paypal::facts::{self, FactError, Kind};
use crate::paypal::order::order;
use crate::paypal::{dispute, payout, wire};

/// The events that are used (developer.paypal.com/api/rest/webhooks/event-names). All others are
/// kept: those of instruments, of the first version of payments, and the states of a batch that
/// its items tell better.
pub const EVENTS: &[(&str, EventKind)] = &[
    ("CHECKOUT.ORDER.APPROVED", EventKind::Payment),
    ("CHECKOUT.ORDER.COMPLETED", EventKind::Payment),
    ("CHECKOUT.ORDER.VOIDED", EventKind::Payment),
    ("CHECKOUT.PAYMENT-APPROVAL.REVERSED", EventKind::Payment),
    ("PAYMENT.AUTHORIZATION.CREATED", EventKind::Payment),
    ("PAYMENT.AUTHORIZATION.VOIDED", EventKind::Payment),
    ("PAYMENT.CAPTURE.COMPLETED", EventKind::Payment),
    ("PAYMENT.CAPTURE.PENDING", EventKind::Payment),
    ("PAYMENT.CAPTURE.DECLINED", EventKind::Payment),
    ("PAYMENT.CAPTURE.DENIED", EventKind::Payment),
    ("PAYMENT.CAPTURE.REFUNDED", EventKind::Refund),
    ("PAYMENT.CAPTURE.REVERSED", EventKind::Payment),
    ("CUSTOMER.DISPUTE.CREATED", EventKind::Dispute),
    ("CUSTOMER.DISPUTE.UPDATED", EventKind::Dispute),
    ("CUSTOMER.DISPUTE.RESOLVED", EventKind::Dispute),
    ("PAYMENT.PAYOUTSBATCH.DENIED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.SUCCEEDED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.FAILED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.DENIED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.BLOCKED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.CANCELED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.HELD", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.REFUNDED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.RETURNED", EventKind::Payout),
    ("PAYMENT.PAYOUTS-ITEM.UNCLAIMED", EventKind::Payout),
];

/// Translates a believed body.
pub(super) fn translate(
    body: &[u8],
    environment: Option<Environment>,
) -> Result<ProviderEvent, TranslateError> {
    let envelope = |problem: String| TranslateError::Envelope { problem };
    let event: wire::Event = serde_json::from_slice(body)
        .map_err(|error| envelope(format!("no event at line {}", error.line())))?;
    let named = |text: &str| (1..=255).contains(&text.len());
    if !named(&event.id) || !named(&event.event_type) {
        return Err(envelope("it has no id or no name".to_owned()));
    }
    let subject = subject(&event)?.unwrap_or_else(|| other(&event));
    let occurred_at = occurred_at(&event);
    if occurred_at.is_none() && !matches!(subject, EventSubject::Other(_)) {
        return Err(unusable(&event, &FactError::Missing { field: "create_time" }));
    }
    let mode = match environment {
        Some(Environment::Live) => Mode::Live,
        Some(Environment::Sandbox) => Mode::Test,
        None => Mode::Unstated,
    };
    let (id, event_type) = (event.id, event.event_type);
    Ok(ProviderEvent { id, event_type, occurred_at, account: None, mode, subject })
}

/// When the thing changed, by its own time where it has one: the event is made up to minutes later.
fn occurred_at(event: &wire::Event) -> Option<mizan_money::Timestamp> {
    let own = event.resource.get("update_time").and_then(Value::as_str);
    own.and_then(wire::time).or_else(|| event.create_time.as_deref().and_then(wire::time))
}

/// What a known kind is about; nothing for the kinds we do not use.
fn subject(event: &wire::Event) -> Result<Option<EventSubject>, TranslateError> {
    let Some((name, _)) = EVENTS.iter().find(|(name, _)| *name == event.event_type) else {
        return Ok(None);
    };
    let read = match *name {
        "CHECKOUT.ORDER.COMPLETED" => completed(&read(event)?),
        "CHECKOUT.PAYMENT-APPROVAL.REVERSED" => match withdrawn(&read(event)?) {
            // It may name the order alone. Nothing was taken; a sync tells that it is over.
            Err(FactError::Missing { .. }) => Ok(None),
            other => other.map(Some),
        },
        it if it.starts_with("CHECKOUT.ORDER.") => payment(&read(event)?).map(Some),
        "PAYMENT.CAPTURE.REFUNDED" => refund(&read(event)?).map(Some),
        "PAYMENT.CAPTURE.REVERSED" => reversed(&read(event)?).map(Some),
        it if it.starts_with("PAYMENT.CAPTURE.") => part(Kind::Capture, &read(event)?).map(Some),
        it if it.starts_with("PAYMENT.AUTHORIZATION.") => {
            part(Kind::Authorization, &read(event)?).map(Some)
        }
        it if it.starts_with("CUSTOMER.DISPUTE.") => {
            let facts = dispute::dispute(&read(event)?);
            facts.map(|facts| Some(EventSubject::Dispute(Box::new(facts))))
        }
        it if it.starts_with("PAYMENT.PAYOUTSBATCH.") => {
            let batch: wire::Batch = read(event)?;
            let told = payout::batch(&batch.batch_header, None);
            told.map(|told| Some(EventSubject::Payout(Box::new(told.facts))))
        }
        _ => {
            let told = payout::item(&read(event)?);
            told.map(|told| Some(EventSubject::Payout(Box::new(told.facts))))
        }
    };
    read.map_err(|error| unusable(event, &error))
}

fn read<T: DeserializeOwned>(event: &wire::Event) -> Result<T, TranslateError> {
    T::deserialize(&event.resource).map_err(|_| TranslateError::Object {
        event_type: wire::word(&event.event_type),
        problem: "its resource lacks a field or has one of another type".to_owned(),
    })
}

fn unusable(event: &wire::Event, error: &FactError) -> TranslateError {
    TranslateError::Object { event_type: wire::word(&event.event_type), problem: error.to_string() }
}

fn payment(it: &wire::Order) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Payment(Box::new(order(it, None)?.facts)))
}

/// That an order is completed says nothing of money, unless it carries what was done.
fn completed(it: &wire::Order) -> Result<Option<EventSubject>, FactError> {
    let empty = |unit: &wire::Unit| {
        unit.payments.captures.is_empty() && unit.payments.authorizations.is_empty()
    };
    if it.purchase_units.iter().all(empty) {
        return Ok(None);
    }
    payment(it).map(Some)
}

/// The customer agreed and no money was taken in time: the agreement is withdrawn.
fn withdrawn(it: &wire::Order) -> Result<EventSubject, FactError> {
    let voided = wire::Order { status: Some("VOIDED".to_owned()), ..it.clone() };
    let mut facts = order(&voided, None)?.facts;
    if facts.status == PaymentStatus::Cancelled {
        facts.cancellation_reason = Some("approval_reversed".to_owned());
    }
    Ok(EventSubject::Payment(Box::new(facts)))
}

/// An authorisation or a capture, known by its order; where that is not named, by what it belongs
/// to, else by itself.
fn part(kind: Kind, it: &wire::Transaction) -> Result<EventSubject, FactError> {
    let known = match facts::order_of(it) {
        Some(order) => order,
        None => match wire::parent(&it.links) {
            Some(wire::Parent::Authorization(id)) => facts::id("links", id)?,
            _ => facts::id("id", &it.id)?,
        },
    };
    Ok(EventSubject::Payment(Box::new(facts::payment(kind, it, known, None)?.facts)))
}

fn refund(it: &wire::Transaction) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Refund(Box::new(facts::refund(it, None)?.facts)))
}

/// PayPal took a capture back, for a bank or for a buyer. The resource is documented nowhere: it
/// looks like a refund, of the capture in its `up` link, or like the capture itself.
fn reversed(it: &wire::Transaction) -> Result<EventSubject, FactError> {
    let capture = match wire::parent(&it.links) {
        Some(wire::Parent::Capture(id)) => facts::id("links", id)?,
        _ => facts::id("id", &it.id)?,
    };
    let told = it.amount.as_ref().ok_or(FactError::Missing { field: "amount" })?;
    // It is told with either sign.
    let unsigned = told.value.trim_start_matches('-').to_owned();
    let told = wire::Amount { value: unsigned, ..told.clone() };
    let taken = wire::Transaction {
        id: capture.to_string(),
        status: "COMPLETED".to_owned(),
        amount: Some(told),
        ..it.clone()
    };
    let known = facts::order_of(it).unwrap_or(capture);
    let mut facts = facts::payment(Kind::Capture, &taken, known, None)?.facts;
    facts.status = PaymentStatus::Reversed;
    facts.fee = None;
    Ok(EventSubject::Payment(Box::new(facts)))
}

/// An event of no interest, by the type of its resource.
fn other(event: &wire::Event) -> EventSubject {
    let id = event.resource.get("id").and_then(Value::as_str);
    EventSubject::Other(OtherEvent {
        object: event.resource_type.as_deref().map(wire::word),
        object_id: id.and_then(|id| ProviderRef::parse(id).ok()),
    })
}

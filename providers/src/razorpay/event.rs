//! Razorpay's webhooks as our events: the entity tells the state, never the event's name, since a
//! delivery is a snapshot that may come late and in any order.

use std::cmp::Ordering;

use chrono::DateTime;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::TranslateError;
use crate::event::{EventKind, EventSubject, Mode, OtherEvent, ProviderEvent, SettlementNotice};
use crate::model::{ProviderRef, TransferStatus};
use crate::razorpay::facts::{self, FactError};
use crate::razorpay::settlement::CURRENCY;
use crate::razorpay::{dispute, payout, status, transfer, wire};
use crate::signature::digest_id;

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

/// The kinds of events that are used (razorpay.com/docs/webhooks).
///
/// `order.paid` and `payment.captured` tell of the same money: both come out as the same payment,
/// and the second changes nothing.
pub const EVENTS: &[(&str, EventKind)] = &[
    ("order.paid", EventKind::Payment),
    ("payment.authorized", EventKind::Payment),
    ("payment.captured", EventKind::Payment),
    ("payment.failed", EventKind::Payment),
    ("refund.created", EventKind::Refund),
    ("refund.failed", EventKind::Refund),
    ("refund.processed", EventKind::Refund),
    ("refund.speed_changed", EventKind::Refund),
    ("payment.dispute.action_required", EventKind::Dispute),
    ("payment.dispute.closed", EventKind::Dispute),
    ("payment.dispute.created", EventKind::Dispute),
    ("payment.dispute.lost", EventKind::Dispute),
    ("payment.dispute.under_review", EventKind::Dispute),
    ("payment.dispute.won", EventKind::Dispute),
    ("payout.failed", EventKind::Payout),
    ("payout.initiated", EventKind::Payout),
    ("payout.pending", EventKind::Payout),
    ("payout.processed", EventKind::Payout),
    ("payout.queued", EventKind::Payout),
    ("payout.rejected", EventKind::Payout),
    ("payout.reversed", EventKind::Payout),
    ("payout.updated", EventKind::Payout),
    ("transfer.failed", EventKind::Transfer),
    ("transfer.processed", EventKind::Transfer),
    ("settlement.processed", EventKind::Settlement),
];

/// What a known kind is about; nothing for the kinds we do not use.
fn subject(parts: &Parts<'_>) -> Result<Option<EventSubject>, TranslateError> {
    let read = match status::look_up(EVENTS, parts.event_type) {
        Some(EventKind::Payment) if parts.event_type == "order.paid" => {
            paid(&parts.read("payment")?, &parts.read("order")?)
        }
        Some(EventKind::Payment) => payment(&parts.read("payment")?),
        Some(EventKind::Refund) => refund(parts, &parts.read("refund")?),
        Some(EventKind::Dispute) => dispute(parts, &parts.read("dispute")?),
        Some(EventKind::Payout) => payout::facts(&parts.read("payout")?)
            .map(|told| EventSubject::Payout(Box::new(told.facts))),
        Some(EventKind::Transfer) => transfer(parts.event_type, &parts.read("transfer")?),
        Some(EventKind::Settlement) => settlement(&parts.read("settlement")?),
        Some(EventKind::RefundNotice | EventKind::Other) | None => return Ok(None),
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
    // A second payment of the same order was captured too: it must be seen as too much.
    let paid = facts::amount_or_zero("amount_paid", order.amount_paid, &order.currency)?;
    if paid.try_cmp(facts.captured).is_ok_and(Ordering::is_gt) {
        facts.captured = paid;
    }
    Ok(EventSubject::Payment(Box::new(facts)))
}

fn refund(parts: &Parts<'_>, it: &wire::Refund) -> Result<EventSubject, FactError> {
    let mut facts = facts::refund(it)?.facts;
    facts.payment_ref = parts.payment_ref(it.payment_id.as_deref());
    Ok(EventSubject::Refund(Box::new(facts)))
}

fn dispute(parts: &Parts<'_>, it: &dispute::Dispute) -> Result<EventSubject, FactError> {
    let payment_ref = parts.payment_ref(it.payment_id.as_deref());
    Ok(EventSubject::Dispute(Box::new(dispute::facts(it, payment_ref)?)))
}

/// Its failure is told by the event and by an error beside it: the published body of a failed one
/// calls it processed. Before it moved there is no event.
fn transfer(event_type: &str, it: &transfer::Transfer) -> Result<EventSubject, FactError> {
    let moved = transfer::facts(it)?;
    let mut facts = moved.facts;
    if event_type == "transfer.failed" {
        facts.status = TransferStatus::Failed;
        facts.fee = None;
    } else if moved.pending {
        return Err(FactError::Contradiction { field: "status" });
    }
    Ok(EventSubject::Transfer(Box::new(facts)))
}

fn settlement(it: &wire::Settlement) -> Result<EventSubject, FactError> {
    Ok(EventSubject::Settlement(SettlementNotice {
        provider_ref: facts::id("id", &it.id)?,
        amount: facts::amount_or_zero("amount", Some(it.amount), CURRENCY)?,
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

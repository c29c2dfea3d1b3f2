//! Telr's messages as our events. Every one is a hint: what it says is asked for before it is
//! booked, since its signature is weak and its amount is that of one transaction only.

use mizan_money::Money;

use crate::error::TranslateError;
use crate::event::{EventKind, EventSubject, Mode, OtherEvent, ProviderEvent, SettlementNotice};
use crate::model::{PaymentStatus, ProviderRef, RefundStatus};
use crate::outcome::Decline;
use crate::reference;
use crate::telr::amount::from_wire;
use crate::telr::signature::{Family, Message};
use crate::telr::{facts, status};

/// Translates a believed body.
pub(super) fn translate(body: &[u8]) -> Result<ProviderEvent, TranslateError> {
    let message = Message::read(body)
        .map_err(|problem| TranslateError::Envelope { problem: problem.to_owned() })?;
    let event_type = event_type(&message);
    let subject = subject(&message, &event_type)?;
    Ok(ProviderEvent {
        id: message.name(body),
        event_type,
        // No message has a time; only agreements do, in no format that is published.
        occurred_at: None,
        account: None,
        mode: match message.get("tran_test") {
            Some("0") => Mode::Live,
            Some("1") => Mode::Test,
            _ => Mode::Unstated,
        },
        subject,
    })
}

fn event_type(message: &Message) -> String {
    let action = || message.get("action").unwrap_or("-").to_ascii_lowercase();
    let text = match message.family {
        Family::Advice | Family::Callback => message.kind(),
        Family::Agreement => format!("agreement {}", action()),
        Family::Account => format!("account {}", action()),
    };
    text.chars().take(100).collect()
}

fn subject(message: &Message, event_type: &str) -> Result<EventSubject, TranslateError> {
    match status::event(event_type) {
        Some(EventKind::Settlement) if message.family == Family::Account => {
            let provider_ref = id(message, event_type, "payout_id")?;
            let amount = money(message, event_type, "amount", "currency")?;
            Ok(EventSubject::Settlement(SettlementNotice { provider_ref, amount }))
        }
        Some(EventKind::Payment) => payment(message, event_type),
        Some(EventKind::Refund) => refund(message, event_type),
        _ => Ok(other(message)),
    }
}

/// A payment. A capture, void or release that was not accepted changed nothing and is of no use.
fn payment(message: &Message, kind: &str) -> Result<EventSubject, TranslateError> {
    let letter = message.letter();
    let state = status::transaction(kind, letter);
    let first = matches!(kind, "sale" | "auth");
    if !first && state == PaymentStatus::Unknown {
        return Ok(other(message));
    }
    let made = tran(message, kind)?;
    let amount = money(message, kind, "tran_amount", "tran_currency")?;
    let mut facts = facts::payment(order(message).unwrap_or_else(|| made.clone()), state, amount);
    let holds_money = matches!(state, PaymentStatus::Authorised | PaymentStatus::Captured);
    facts.charge_ref = holds_money.then(|| made.clone());
    facts.instrument = Some(facts::saved(made)).filter(|_| holds_money && first);
    facts.last_error = (state == PaymentStatus::Failed).then(|| decline(message));
    facts.cancellation_reason = (state == PaymentStatus::Cancelled).then(|| facts::word(kind));
    facts.reference = message.get("tran_cartid").and_then(reference::payment);
    Ok(EventSubject::Payment(Box::new(facts)))
}

/// A refund. One that is reversed is told by a transaction of its own, which names it.
fn refund(message: &Message, kind: &str) -> Result<EventSubject, TranslateError> {
    let letter = message.letter();
    let state = status::refund(kind, letter);
    let is_refund = kind == "refund";
    if !is_refund && state == RefundStatus::Unknown {
        return Ok(other(message));
    }
    let made = if is_refund { tran(message, kind)? } else { id(message, kind, "tran_prevref")? };
    let amount = money(message, kind, "tran_amount", "tran_currency")?;
    let mut facts = facts::refund(made, state, amount);
    facts.payment_ref = order(message);
    let parent = message.get("tran_prevref").and_then(facts::transaction);
    facts.charge_ref = parent.filter(|_| is_refund);
    let code = message.get("tran_authcode").unwrap_or(kind);
    facts.reason =
        (state == RefundStatus::Failed).then(|| facts::word(if is_refund { code } else { kind }));
    let cart = message.get("tran_cartid");
    facts.reference = cart.and_then(reference::refund);
    facts.payment_reference = cart.and_then(reference::payment);
    Ok(EventSubject::Refund(Box::new(facts)))
}

/// What a payment is known by: the order where the message has it, else its first transaction.
fn order(message: &Message) -> Option<ProviderRef> {
    let order = message.get("tran_order").and_then(|text| ProviderRef::parse(text).ok());
    order.or_else(|| message.get("tran_firstref").and_then(facts::transaction))
}

fn decline(message: &Message) -> Decline {
    let text = |name| message.get(name).unwrap_or_default();
    let mut decline = facts::decline(text("tran_authcode"), text("tran_authmessage"), false);
    decline.charge_ref = facts::transaction(text("tran_ref"));
    decline
}

fn other(message: &Message) -> EventSubject {
    let (object, id) = match message.family {
        Family::Advice | Family::Callback => ("transaction", "tran_ref"),
        Family::Agreement => ("agreement", "agreement_id"),
        Family::Account => ("account", "account_id"),
    };
    EventSubject::Other(OtherEvent {
        object: Some(object.to_owned()),
        object_id: message.get(id).and_then(|text| ProviderRef::parse(text).ok()),
    })
}

/// The transaction itself. A page that was left has none; then the order stands for it.
fn tran(message: &Message, event_type: &str) -> Result<ProviderRef, TranslateError> {
    let made = message.get("tran_ref").and_then(facts::transaction);
    made.or_else(|| order(message))
        .ok_or_else(|| unusable(event_type, "it names no transaction and no order"))
}

fn id(
    message: &Message,
    event_type: &str,
    name: &'static str,
) -> Result<ProviderRef, TranslateError> {
    let read = message.get(name).and_then(facts::transaction);
    read.ok_or_else(|| unusable(event_type, &format!("{name} is no id")))
}

fn money(
    message: &Message,
    event_type: &str,
    amount: &str,
    currency: &str,
) -> Result<Money, TranslateError> {
    let text = |name| message.get(name).unwrap_or_default();
    from_wire(text(amount), text(currency))
        .map_err(|error| unusable(event_type, &error.to_string()))
}

fn unusable(event_type: &str, problem: &str) -> TranslateError {
    TranslateError::Object { event_type: event_type.to_owned(), problem: problem.to_owned() }
}

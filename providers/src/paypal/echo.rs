//! What came back, compared with what was asked: amount, currency, ids and our own reference.

use std::fmt::Display;
use std::str::FromStr;

use mizan_money::Money;

use crate::model::{CaptureMethod, PaymentStatus, ProviderRef};
use crate::operation::{CapturePayment, Operation};
use crate::outcome::{PaymentAnswer, RefundAnswer};
use crate::payout::PayoutAnswer;
use crate::paypal::facts::{Told, named};
use crate::paypal::payout::batch_id;
use crate::paypal::wire::word;
use crate::reference;

/// What differs: the field, what was asked, what came back.
pub(super) type Difference = (&'static str, String, String);

/// Compares a payment.
pub(super) fn payment(op: &Operation, told: &Told<PaymentAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    let (ours, asked, order) = match op {
        Operation::Create(it) => (it.payment, it.amount, None),
        Operation::Confirm(it) => (it.payment, it.amount, Some(&it.provider_ref)),
        Operation::Capture(it) => (it.payment, it.authorised, Some(&it.provider_ref)),
        Operation::Void(it) => (it.payment, it.amount, Some(&it.provider_ref)),
        Operation::Sync(it) => (it.payment, it.amount, Some(&it.provider_ref)),
        _ => return Ok(()),
    };
    order.map_or(Ok(()), |order| differs("provider_ref", order, &facts.provider_ref))?;
    same_reference("pi", told.ours.as_deref(), ours)?;
    match op {
        Operation::Create(it) => tried(it.capture, asked, told),
        Operation::Confirm(it) => tried(it.capture, asked, told),
        Operation::Capture(it) => captured(it, told),
        Operation::Void(it) => {
            same_money("amount", asked, facts.amount)?;
            same_id("authorization", it.charge_ref.as_ref(), told.parent.as_deref())
        }
        _ => {
            same_money("amount", asked, facts.amount)?;
            match facts.captured.minor() > asked.minor() {
                true => differs("captured", format!("at most {asked}"), facts.captured),
                false => Ok(()),
            }
        }
    }
}

/// A payment after a try: the whole of it was taken or is held, as was asked.
fn tried(
    method: CaptureMethod,
    asked: Money,
    told: &Told<PaymentAnswer>,
) -> Result<(), Difference> {
    let facts = &told.facts;
    same_money("amount", asked, facts.amount)?;
    let intended = match told.intent.as_deref() {
        Some("CAPTURE") => CaptureMethod::Automatic,
        Some("AUTHORIZE") => CaptureMethod::Manual,
        Some(other) => return differs("capture", method, other),
        None => method,
    };
    differs("capture", method, intended)?;
    match (facts.status, method) {
        (PaymentStatus::Captured, CaptureMethod::Manual) => {
            differs("capture", method, CaptureMethod::Automatic)
        }
        (PaymentStatus::Authorised, CaptureMethod::Automatic) => {
            differs("capture", method, CaptureMethod::Manual)
        }
        (PaymentStatus::Captured, _) => same_money("captured", asked, facts.captured),
        (PaymentStatus::Authorised, _) => same_money("capturable", asked, facts.capturable),
        _ => Ok(()),
    }
}

/// The capture of a hold: of this hold, and as much as was asked.
fn captured(it: &CapturePayment, told: &Told<PaymentAnswer>) -> Result<(), Difference> {
    same_id("authorization", it.charge_ref.as_ref(), told.parent.as_deref())?;
    same_money("captured", it.amount, told.facts.amount)
}

/// Compares a refund.
pub(super) fn refund(op: &Operation, told: &Told<RefundAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    let (ours, asked, capture) = match op {
        Operation::Refund(it) => {
            if let Some(got) = facts.payment_reference {
                differs("reference", it.payment, got)?;
            }
            (it.refund, it.amount, it.charge_ref.as_ref())
        }
        Operation::SyncRefund(it) => {
            differs("provider_ref", &it.provider_ref, &facts.provider_ref)?;
            (it.refund, it.amount, it.charge_ref.as_ref())
        }
        _ => return Ok(()),
    };
    same_id("charge_ref", capture, told.parent.as_deref())?;
    same_reference("re", told.ours.as_deref(), ours)?;
    same_money("amount", asked, facts.amount)
}

/// Compares a payout. A batch and its item have different ids, so only like is held against like.
pub(super) fn payout(op: &Operation, told: &Told<PayoutAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    let (ours, asked, known) = match op {
        Operation::Payout(it) => {
            let attempt = reference::of_payout(it.payout, it.operation);
            let foreign = |text: &&str| reference::payout(text).is_some() && *text != attempt;
            if let Some(got) = told.ours.as_deref().filter(foreign) {
                return differs("reference", attempt, got);
            }
            (it.payout, it.amount, None)
        }
        Operation::SyncPayout(it) => (it.payout, it.amount, Some(&it.provider_ref)),
        Operation::CancelPayout(it) => (it.payout, it.amount, Some(&it.provider_ref)),
        _ => return Ok(()),
    };
    if let Some(known) = known
        && batch_id(known).is_some() == batch_id(&facts.provider_ref).is_some()
    {
        differs("provider_ref", known, &facts.provider_ref)?;
    }
    same_reference("po", told.ours.as_deref(), ours)?;
    same_money("amount", asked, facts.amount)
}

fn differs(
    field: &'static str,
    expected: impl ToString,
    got: impl ToString,
) -> Result<(), Difference> {
    let (expected, got) = (expected.to_string(), got.to_string());
    if expected == got { Ok(()) } else { Err((field, expected, got)) }
}

fn same_money(field: &'static str, expected: Money, got: Money) -> Result<(), Difference> {
    differs("currency", expected.currency(), got.currency())?;
    differs(field, expected, got)
}

/// An id, where both sides have one.
fn same_id(
    field: &'static str,
    expected: Option<&ProviderRef>,
    got: Option<&str>,
) -> Result<(), Difference> {
    match (expected, got) {
        (Some(expected), Some(got)) => differs(field, expected, got),
        _ => Ok(()),
    }
}

/// Our reference, where the echo has one: a body without it is no contradiction.
fn same_reference<T: FromStr + Display + PartialEq>(
    prefix: &str,
    got: Option<&str>,
    expected: T,
) -> Result<(), Difference> {
    let Some(got) = got else { return Ok(()) };
    match named::<T>(prefix, got) {
        Some(named) if named == expected => Ok(()),
        _ => Err(("reference", expected.to_string(), word(got))),
    }
}

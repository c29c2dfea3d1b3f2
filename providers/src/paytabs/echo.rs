//! What came back, compared with what was asked: profile, type, amount, ids and our reference.

use mizan_money::Money;
use mizan_money::id::{PaymentIntentId, RefundId};

use crate::model::{PaymentStatus, ProviderRef};
use crate::operation::Operation;
use crate::outcome::{PaymentAnswer, RefundAnswer};
use crate::paytabs::facts::Told;
use crate::paytabs::request::{cart_id, tran_type};
use crate::reference;

/// What differs: the field, what was asked, what came back.
pub(super) type Difference = (&'static str, String, String);

/// How ids end that name nothing of ours: they stand in operations made up for a recording of
/// somebody else's, whose reference nobody can compare. No id of ours is ever zero.
pub(super) const NOBODYS: &str = "00000000000000000000000000000000";

/// Compares what every answer has.
pub(super) fn common<T>(
    profile: Option<u64>,
    op: &Operation,
    told: &Told<T>,
) -> Result<(), Difference> {
    if let (Some(ours), Some(theirs)) = (profile, &told.profile) {
        differs("profile_id", ours, theirs)?;
    }
    match op {
        Operation::Sync(it) => same_reference(it.payment, told),
        Operation::SyncRefund(it) => same_refund(it.refund, told),
        _ => {
            same_type(op, &told.kind)?;
            let Some(ours) = cart_id(op).filter(|ours| !ours.contains(NOBODYS)) else {
                return Ok(());
            };
            differs("reference", ours, &told.cart_id)
        }
    }
}

/// Compares a payment.
pub(super) fn payment(op: &Operation, told: &Told<PaymentAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    match op {
        Operation::Create(it) => whole(it.amount, told),
        Operation::Capture(it) => {
            same_ref("previous_tran_ref", &it.provider_ref, told.previous.as_ref())?;
            same_money("amount", it.amount, told.cart)?;
            same_money("captured", it.amount, told.total)
        }
        Operation::Void(it) => {
            same_ref("previous_tran_ref", &it.provider_ref, told.previous.as_ref())?;
            same_money("amount", it.amount, told.cart)?;
            same_money("amount", it.amount, told.total)
        }
        Operation::Sync(it) => {
            same_ref("provider_ref", &it.provider_ref, Some(&facts.provider_ref))?;
            if told.kind != "capture" {
                return whole(it.amount, told);
            }
            differs("currency", it.amount.currency(), facts.captured.currency())?;
            match facts.captured.minor() <= it.amount.minor() {
                true => Ok(()),
                false => differs("captured", it.amount, facts.captured),
            }
        }
        _ => Ok(()),
    }
}

/// Compares a refund.
pub(super) fn refund(op: &Operation, told: &Told<RefundAnswer>) -> Result<(), Difference> {
    let asked = match op {
        Operation::Refund(it) => {
            let parent = it.charge_ref.as_ref().unwrap_or(&it.provider_ref);
            same_ref("previous_tran_ref", parent, told.previous.as_ref())?;
            it.amount
        }
        Operation::SyncRefund(it) => {
            same_ref("provider_ref", &it.provider_ref, Some(&told.own))?;
            if let Some(parent) = &it.charge_ref {
                same_ref("previous_tran_ref", parent, told.previous.as_ref())?;
            }
            it.amount
        }
        _ => return Ok(()),
    };
    same_money("amount", asked, told.cart)?;
    same_money("amount", asked, told.total)
}

/// A payment by its own transaction: what is held or taken is what was asked.
fn whole(asked: Money, told: &Told<PaymentAnswer>) -> Result<(), Difference> {
    same_money("amount", asked, told.cart)?;
    match told.facts.status {
        PaymentStatus::Captured => same_money("captured", asked, told.total),
        PaymentStatus::Authorised => same_money("capturable", asked, told.total),
        _ => Ok(()),
    }
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

/// An id, where one came back.
fn same_ref(
    field: &'static str,
    expected: &ProviderRef,
    got: Option<&ProviderRef>,
) -> Result<(), Difference> {
    got.map_or(Ok(()), |got| differs(field, expected, got))
}

/// The type that was asked for; a sale may come out as a payment request, to be paid in cash.
fn same_type(op: &Operation, got: &str) -> Result<(), Difference> {
    match tran_type(op) {
        Some("sale") if got == "payment request" => Ok(()),
        Some(asked) => differs("tran_type", asked, got),
        None => Ok(()),
    }
}

/// The payment that a transaction names: each one of a payment has it in its reference.
fn same_reference<T>(ours: PaymentIntentId, told: &Told<T>) -> Result<(), Difference> {
    let nobodys = ours.to_string().ends_with(NOBODYS);
    match reference::payment(&told.cart_id) {
        _ if nobodys => Ok(()),
        Some(theirs) => differs("reference", ours, theirs),
        None => differs("reference", ours, &told.cart_id),
    }
}

/// The refund that a transaction names. One that was made in the panel has the reference of its
/// payment, or of nobody.
fn same_refund<T>(ours: RefundId, told: &Told<T>) -> Result<(), Difference> {
    reference::refund(&told.cart_id).map_or(Ok(()), |theirs| differs("reference", ours, theirs))
}

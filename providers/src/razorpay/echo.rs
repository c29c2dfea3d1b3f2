//! What came back, compared with what was asked: amount, currency, ids and our own reference.

use mizan_money::Money;

use crate::model::{PaymentStatus, ProviderRef};
use crate::operation::Operation;
use crate::outcome::{PaymentAnswer, RefundAnswer};
use crate::razorpay::facts::Told;

/// What differs: the field, what was asked, what came back.
pub(super) type Difference = (&'static str, String, String);

/// Compares a payment. What is held or taken is always the whole amount: Razorpay captures no
/// parts.
pub(super) fn payment(op: &Operation, told: &Told<PaymentAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    let (ours, asked, order, charge) = match op {
        Operation::Create(it) => (it.payment, it.amount, None, None),
        Operation::Capture(it) => {
            (it.payment, it.authorised, Some(&it.provider_ref), it.charge_ref.as_ref())
        }
        Operation::Sync(it) => (it.payment, it.amount, Some(&it.provider_ref), None),
        Operation::Find(sought) => return payment(sought, told),
        _ => return Ok(()),
    };
    same_ref(order, Some(&facts.provider_ref))?;
    same_ref(charge, facts.charge_ref.as_ref())?;
    same_reference(told.ours.as_deref(), ours)?;
    same_money("amount", asked, facts.amount)?;
    match facts.status {
        PaymentStatus::Captured => same_money("captured", asked, facts.captured),
        PaymentStatus::Authorised => same_money("capturable", asked, facts.capturable),
        _ => Ok(()),
    }
}

/// Compares a refund. It names the payment only, which a sync of a refund does not know.
pub(super) fn refund(op: &Operation, told: &Told<RefundAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    let (ours, asked, refund, charge) = match op {
        Operation::Refund(it) => (it.refund, it.amount, None, it.charge_ref.as_ref()),
        Operation::SyncRefund(it) => (it.refund, it.amount, Some(&it.provider_ref), None),
        _ => return Ok(()),
    };
    same_ref(refund, Some(&facts.provider_ref))?;
    if let (Some(expected), Some(got)) = (charge, &facts.charge_ref) {
        differs("payment_ref", expected, got)?;
    }
    same_reference(told.ours.as_deref(), ours)?;
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
fn same_ref(expected: Option<&ProviderRef>, got: Option<&ProviderRef>) -> Result<(), Difference> {
    match (expected, got) {
        (Some(expected), Some(got)) => differs("provider_ref", expected, got),
        _ => Ok(()),
    }
}

/// Our reference, where the echo has one: a body without it is no contradiction.
fn same_reference(got: Option<&str>, expected: impl ToString) -> Result<(), Difference> {
    got.map_or(Ok(()), |got| differs("reference", expected, got))
}

//! What came back, compared with what was asked: amount, currency, ids and our own reference.

use mizan_money::Money;

use crate::model::{PaymentStatus, ProviderRef};
use crate::operation::Operation;
use crate::outcome::{PaymentAnswer, RefundAnswer};
use crate::razorpay::facts::Told;

/// What differs: the field, what was asked, what came back.
pub(super) type Difference = (&'static str, String, String);

/// Compares a payment. What was asked about by Razorpay's own id is that thing also where its
/// receipt is somebody else's kind of reference; one of ours must be the right one. What is held or
/// taken is always the whole amount: Razorpay captures no parts.
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
    let by_id = matches!(op, Operation::Sync(_));
    let foreign = by_id && facts.reference.is_none();
    same_reference(told.ours.as_deref().filter(|_| !foreign), ours)?;
    same_money("amount", asked, facts.amount)?;
    match facts.status {
        PaymentStatus::Captured => same_money("captured", asked, facts.captured),
        PaymentStatus::Authorised => same_money("capturable", asked, facts.capturable),
        _ => Ok(()),
    }
}

/// Compares a refund. It names the payment, `pay_…`, only.
pub(super) fn refund(op: &Operation, told: &Told<RefundAnswer>) -> Result<(), Difference> {
    let facts = &told.facts;
    let (ours, asked, refund, charge) = match op {
        Operation::Refund(it) => (it.refund, it.amount, None, it.charge_ref.as_ref()),
        Operation::SyncRefund(it) => {
            (it.refund, it.amount, Some(&it.provider_ref), it.charge_ref.as_ref())
        }
        _ => return Ok(()),
    };
    same_ref(refund, Some(&facts.provider_ref))?;
    if let (Some(expected), Some(got)) = (charge, &facts.charge_ref) {
        differs("payment_ref", expected, got)?;
    }
    let foreign = refund.is_some() && facts.reference.is_none();
    same_reference(told.ours.as_deref().filter(|_| !foreign), ours)?;
    same_money("amount", asked, facts.amount)
}

/// Compares two things by what they print.
pub(super) fn differs(
    field: &'static str,
    expected: impl ToString,
    got: impl ToString,
) -> Result<(), Difference> {
    let (expected, got) = (expected.to_string(), got.to_string());
    if expected == got { Ok(()) } else { Err((field, expected, got)) }
}

/// Compares two amounts, the currency first.
pub(super) fn same_money(
    field: &'static str,
    expected: Money,
    got: Money,
) -> Result<(), Difference> {
    differs("currency", expected.currency(), got.currency())?;
    differs(field, expected, got)
}

/// An id, where both sides have one.
pub(super) fn same_ref(
    expected: Option<&ProviderRef>,
    got: Option<&ProviderRef>,
) -> Result<(), Difference> {
    match (expected, got) {
        (Some(expected), Some(got)) => differs("provider_ref", expected, got),
        _ => Ok(()),
    }
}

/// Our reference, where the echo has one: a body without it is no contradiction.
fn same_reference(got: Option<&str>, expected: impl ToString) -> Result<(), Difference> {
    got.map_or(Ok(()), |got| differs("reference", expected, got))
}

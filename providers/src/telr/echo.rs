//! What came back, compared with what was asked: kind of money, ids, references, amounts.

use mizan_money::Money;

use crate::model::ProviderRef;
use crate::operation::Operation;
use crate::outcome::{Answer, Mismatch, Outcome};
use crate::reference;
use crate::telr::named;

/// What differs: the field, what was asked, what came back.
pub(super) type Difference = (&'static str, String, String);

/// A test payment on a live connection is no payment, and the other way round. A connection whose
/// kind is not known here, and an answer that does not say, contradict nothing.
pub(super) fn test(connection: Option<bool>, told: Option<&str>) -> Result<(), Difference> {
    let told = told.map(|text| !matches!(text, "0" | "false" | "No"));
    match (connection, told) {
        (Some(asked), Some(got)) => differs("test", word(asked), word(got)),
        _ => Ok(()),
    }
}

const fn word(test: bool) -> &'static str {
    if test { "test" } else { "live" }
}

/// Telr's own id of an order or a transaction.
pub(super) fn same_ref(expected: &ProviderRef, got: &ProviderRef) -> Result<(), Difference> {
    if expected.as_str().eq_ignore_ascii_case(got.as_str()) {
        return Ok(());
    }
    differs("provider_ref", expected, got)
}

/// Our reference, where it is echoed. A follow-up may echo its own or its payment's.
pub(super) fn same_cart(op: &Operation, cart: Option<&str>) -> Result<(), Difference> {
    let Some(cart) = cart else { return Ok(()) };
    let (payment, refund) = match op {
        Operation::Create(it) => (Some(it.payment), None),
        Operation::Capture(it) => (Some(it.payment), None),
        Operation::Void(it) => (Some(it.payment), None),
        Operation::Sync(it) => (Some(it.payment), None),
        Operation::Refund(it) => (Some(it.payment), Some(it.refund)),
        Operation::SyncRefund(it) => (None, Some(it.refund)),
        Operation::Find(sought) => return same_cart(sought, Some(cart)),
        _ => return Ok(()),
    };
    let of_payment = match (payment, refund) {
        // A query about a refund does not know its payment.
        (None, _) => reference::payment(cart).is_some(),
        (Some(ours), None) => named::payment(cart) == Some(ours),
        (Some(ours), Some(_)) => reference::payment(cart) == Some(ours),
    };
    let of_refund = refund.is_some() && named::refund(cart) == refund;
    if of_payment || of_refund {
        return Ok(());
    }
    let ours = refund.map(|it| it.to_string()).or(payment.map(|it| it.to_string()));
    Err(("reference", ours.unwrap_or_default(), cart.chars().take(100).collect()))
}

pub(super) fn same_money(
    field: &'static str,
    expected: Money,
    got: Money,
) -> Result<(), Difference> {
    differs("currency", expected.currency(), got.currency())?;
    differs(field, expected, got)
}

pub(super) fn differs(
    field: &'static str,
    expected: impl ToString,
    got: impl ToString,
) -> Result<(), Difference> {
    let (expected, got) = (expected.to_string(), got.to_string());
    if expected == got { Ok(()) } else { Err((field, expected, got)) }
}

/// A believable answer as it is, one that disagrees as a mismatch.
pub(super) fn judge(compared: Result<(), Difference>, answer: Answer, pending: bool) -> Outcome {
    match compared {
        Err((field, expected, got)) => {
            Outcome::Mismatch(Box::new(Mismatch { field, expected, got, answer }))
        }
        Ok(()) if pending => Outcome::Pending(answer),
        Ok(()) => Outcome::Done(answer),
    }
}

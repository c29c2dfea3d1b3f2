//! Stripe's answers as outcomes: read, compared with what was asked, and only then believed.

use std::collections::HashMap;

use mizan_money::Money;
use serde::de::DeserializeOwned;

use crate::http::HttpAnswer;
use crate::model::{
    CaptureMethod, Confirmation, Finality, PaymentStatus, ProviderRef, RefundStatus,
};
use crate::operation::{CapturePayment, Operation};
use crate::outcome::{
    Answer, Decline, DeclineKind, Mismatch, Outcome, PaymentAnswer, RefundAnswer, Subject,
    UnknownReason,
};
use crate::stripe::facts::Written;
use crate::stripe::request::{PAYMENT_KEY, REFUND_KEY};
use crate::stripe::{
    dispute, facts, instrument, payout, refusal, settlement, transfer, typed, wire,
};

/// Reads any answer to any operation.
pub(super) fn parse(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    match status {
        200..=299 => success(op, answer).unwrap_or_else(|why| Outcome::Unknown(why.into())),
        300..=399 => Outcome::Unknown(UnknownReason::Redirect { status }.into()),
        400..=599 => refusal::read(op, answer),
        _ => {
            let problem = "no such status is documented".to_owned();
            Outcome::Unknown(UnknownReason::Unreadable { status, problem }.into())
        }
    }
}

fn success(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    match op {
        Operation::Refund(_) | Operation::SyncRefund(_) => refund(op, answer),
        Operation::CreateCustomer(_)
        | Operation::SaveInstrument(_)
        | Operation::SyncInstrument(_)
        | Operation::RemoveInstrument(_) => instrument::read(op, answer),
        Operation::Payout(_) | Operation::SyncPayout(_) | Operation::CancelPayout(_) => {
            payout::read(op, answer)
        }
        Operation::Transfer(_) | Operation::SyncTransfer(_) | Operation::ReverseTransfer(_) => {
            transfer::read(op, answer)
        }
        Operation::SyncDispute(_)
        | Operation::ListDisputes(_)
        | Operation::AcceptDispute(_)
        | Operation::ContestDispute(_) => dispute::read(op, answer),
        Operation::ListSettlement(_) => settlement::read(op, answer),
        _ => payment(op, answer),
    }
}

fn payment(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    expect(answer, "payment_intent")?;
    let pi = typed::payment_intent(&answer.body)
        .map_err(|_| unreadable(answer.status, "it is no complete payment_intent"))?;
    // The answer to a query tells how things stand, any other what was just done.
    let written = if op.is_query() { Written::Later } else { Written::AtCapture };
    let facts = facts::payment(&pi, written).map_err(|error| unreadable(answer.status, error))?;
    if facts.status == PaymentStatus::Unknown {
        return Err(unknown_status(&pi.status));
    }
    let difference = check_payment(op, &facts, &pi.metadata).err();
    let step = payment_step(op, &facts);
    let (decline, status) = (facts.last_error.clone(), facts.status.as_str());
    let told = (Subject::Payment(Box::new(facts)), request_id(answer));
    conclude(op, step, status, told, difference, decline)
}

fn refund(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    expect(answer, "refund")?;
    let re = typed::refund(&answer.body)
        .map_err(|_| unreadable(answer.status, "it is no complete refund"))?;
    let facts = facts::refund(&re).map_err(|error| unreadable(answer.status, error))?;
    if facts.status == RefundStatus::Unknown {
        return Err(unknown_status(re.status.as_deref().unwrap_or_default()));
    }
    let difference = check_refund(op, &facts, &re.metadata).err();
    let step = match (op.is_query(), facts.status) {
        (true, _) | (_, RefundStatus::Succeeded) => Step::Done,
        (false, RefundStatus::Pending) => Step::Pending,
        (false, _) => Step::Declined,
    };
    let (decline, status) = (failed_refund(&facts), facts.status.as_str());
    let told = (Subject::Refund(Box::new(facts)), request_id(answer));
    conclude(op, step, status, told, difference, Some(decline))
}

/// Why a body with a success status cannot be used.
pub(super) fn unreadable(status: u16, problem: impl ToString) -> UnknownReason {
    UnknownReason::Unreadable { status, problem: problem.to_string() }
}

/// Stripe's id of the request.
pub(super) fn request_id(answer: &HttpAnswer) -> Option<String> {
    answer.headers.get("request-id").map(|id| id.chars().take(100).collect())
}

/// Makes sure that the object that must have come has come, and no error in a success's clothes.
fn expect(answer: &HttpAnswer, expected: &str) -> Result<(), UnknownReason> {
    let status = answer.status;
    let probe: wire::Probe = serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, "it is not a JSON object"))?;
    if let Some(error) = probe.error {
        let code = error.get("code").and_then(|code| code.as_str()).unwrap_or("error");
        let code = code.chars().take(100).collect();
        return Err(UnknownReason::ErrorInside { status, code });
    }
    if probe.object.as_deref() != Some(expected) {
        return Err(unreadable(status, format!("it is no {expected}")));
    }
    Ok(())
}

/// Reads the object that must have come, and nothing else.
pub(super) fn object<T: DeserializeOwned>(
    answer: &HttpAnswer,
    expected: &str,
) -> Result<T, UnknownReason> {
    expect(answer, expected)?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(answer.status, format!("it is no complete {expected}")))
}

/// The outcome of a readable answer: a difference goes before everything else.
pub(super) fn conclude(
    op: &Operation,
    step: Step,
    status: &'static str,
    (subject, request_id): (Subject, Option<String>),
    difference: Option<Difference>,
    decline: Option<Decline>,
) -> Result<Outcome, UnknownReason> {
    let answer = Answer { subject, request_id };
    if let Some((field, expected, got)) = difference {
        return Ok(Outcome::Mismatch(Box::new(Mismatch { field, expected, got, answer })));
    }
    match (step, decline) {
        (Step::Done, _) => Ok(Outcome::Done(answer)),
        (Step::Pending, _) => Ok(Outcome::Pending(answer)),
        (Step::Declined, Some(decline)) => Ok(Outcome::Declined(decline)),
        (Step::Declined | Step::Unexpected, _) => {
            Err(UnknownReason::UnexpectedStatus { operation: op.kind().as_str(), status })
        }
    }
}

/// A word no table knows.
pub(super) fn unknown_status(word: &str) -> UnknownReason {
    UnknownReason::UnknownStatus { word: word.chars().take(40).collect() }
}

/// What differs between what was asked and what came back.
pub(super) type Difference = (&'static str, String, String);

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

/// Our reference, where the echo has one: a trimmed body without it is no contradiction.
pub(super) fn same_reference(
    metadata: &HashMap<String, String>,
    key: &str,
    expected: impl ToString,
) -> Result<(), Difference> {
    metadata.get(key).map_or(Ok(()), |got| differs("reference", expected, got))
}

/// What a state means as the answer to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Done,
    Pending,
    Declined,
    Unexpected,
}

fn payment_step(op: &Operation, facts: &PaymentAnswer) -> Step {
    use PaymentStatus as S;
    match (op, facts.status) {
        (Operation::Sync(_), _) => Step::Done,
        (Operation::Create(it), S::Created) if it.confirmation == Confirmation::Later => Step::Done,
        (Operation::Create(it), _) if it.confirmation == Confirmation::Later => Step::Unexpected,
        (Operation::Create(it), status) => tried(it.capture, status),
        (Operation::Confirm(it), status) => tried(it.capture, status),
        (Operation::Capture(_), S::Captured) => Step::Done,
        (Operation::Capture(_), S::Processing) => Step::Pending,
        (Operation::Capture(it), S::Authorised) if it.finality == Finality::More => Step::Done,
        (Operation::Void(_), S::Cancelled) => Step::Done,
        _ => Step::Unexpected,
    }
}

/// What a state means after a try. Captured against a manual capture is found by the echo check.
fn tried(capture: CaptureMethod, status: PaymentStatus) -> Step {
    match (status, capture) {
        (PaymentStatus::RequiresAction | PaymentStatus::Captured, _) => Step::Done,
        (PaymentStatus::Authorised, CaptureMethod::Manual) => Step::Done,
        (PaymentStatus::Processing, _) => Step::Pending,
        (PaymentStatus::Failed, _) => Step::Declined,
        _ => Step::Unexpected,
    }
}

fn check_payment(
    op: &Operation,
    facts: &PaymentAnswer,
    metadata: &HashMap<String, String>,
) -> Result<(), Difference> {
    let (payment, asked, known_ref) = match op {
        Operation::Create(it) => (it.payment, it.amount, None),
        Operation::Confirm(it) => (it.payment, it.amount, Some(&it.provider_ref)),
        Operation::Capture(it) => (it.payment, it.authorised, Some(&it.provider_ref)),
        Operation::Void(it) => (it.payment, it.amount, Some(&it.provider_ref)),
        Operation::Sync(it) => (it.payment, it.amount, Some(&it.provider_ref)),
        _ => return Ok(()),
    };
    same_ref(known_ref, &facts.provider_ref)?;
    same_reference(metadata, PAYMENT_KEY, payment)?;
    same_money("amount", asked, facts.amount)?;
    match op {
        Operation::Create(it) => check_tried(it.capture, it.amount, facts),
        Operation::Confirm(it) => check_tried(it.capture, it.amount, facts),
        Operation::Capture(it) => check_captured(it, facts),
        _ if facts.captured.minor() > facts.amount.minor() => {
            differs("captured", format!("at most {}", facts.amount), facts.captured)
        }
        _ => Ok(()),
    }
}

fn same_ref(expected: Option<&ProviderRef>, got: &ProviderRef) -> Result<(), Difference> {
    expected.map_or(Ok(()), |expected| differs("provider_ref", expected, got))
}

fn check_tried(
    capture: CaptureMethod,
    amount: Money,
    facts: &PaymentAnswer,
) -> Result<(), Difference> {
    match (facts.status, capture) {
        (PaymentStatus::Captured, CaptureMethod::Manual) => {
            differs("capture", CaptureMethod::Manual, CaptureMethod::Automatic)
        }
        (PaymentStatus::Captured, CaptureMethod::Automatic) => {
            same_money("captured", amount, facts.captured)
        }
        (PaymentStatus::Authorised, _) => same_money("capturable", amount, facts.capturable),
        _ => Ok(()),
    }
}

fn check_captured(it: &CapturePayment, facts: &PaymentAnswer) -> Result<(), Difference> {
    if !matches!(facts.status, PaymentStatus::Captured | PaymentStatus::Authorised) {
        return Ok(());
    }
    match it.captured_before.checked_add(it.amount) {
        Ok(expected) => same_money("captured", expected, facts.captured),
        Err(error) => Err(("captured", error.to_string(), facts.captured.to_string())),
    }
}

/// A refund that was made and failed at once: nothing went back, and its id is kept.
fn failed_refund(facts: &RefundAnswer) -> Decline {
    let word = facts.status.as_str();
    Decline {
        code: format!("refund_{word}"),
        decline_code: facts.reason.clone(),
        advice_code: None,
        kind: DeclineKind::Hard,
        message: format!("the refund is {word}"),
        provider_ref: Some(facts.provider_ref.clone()),
        charge_ref: facts.charge_ref.clone(),
    }
}

fn check_refund(
    op: &Operation,
    facts: &RefundAnswer,
    metadata: &HashMap<String, String>,
) -> Result<(), Difference> {
    let (refund, asked, known_ref, payment_ref) = match op {
        Operation::Refund(it) => (it.refund, it.amount, None, &it.provider_ref),
        Operation::SyncRefund(it) => {
            (it.refund, it.amount, Some(&it.provider_ref), &it.payment_ref)
        }
        _ => return Ok(()),
    };
    same_ref(known_ref, &facts.provider_ref)?;
    if let Some(got) = &facts.payment_ref {
        differs("payment_ref", payment_ref, got)?;
    }
    same_reference(metadata, REFUND_KEY, refund)?;
    same_money("amount", asked, facts.amount)
}

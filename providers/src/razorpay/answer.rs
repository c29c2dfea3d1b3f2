//! Razorpay's answers as outcomes: read, compared with what was asked, and only then believed.

use serde::de::DeserializeOwned;

use crate::http::HttpAnswer;
use crate::model::{PaymentStatus, RefundStatus};
use crate::operation::{Operation, SyncPayment};
use crate::outcome::{
    Answer, Decline, DeclineKind, Mismatch, Outcome, PaymentAnswer, RefundAnswer, Subject,
    UnknownReason,
};
use crate::razorpay::echo::{self, Difference};
use crate::razorpay::facts::{self, FactError, Told};
use crate::razorpay::request::{PAGE, REFUND_KEY, is_payment};
use crate::razorpay::{dispute, instrument, order, payout, refusal, settlement, transfer, wire};

/// Reads any answer to any operation.
pub(super) fn parse(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    match status {
        200..=299 => success(op, answer).unwrap_or_else(|why| Outcome::Unknown(why.into())),
        300..=399 => Outcome::Unknown(UnknownReason::Redirect { status }.into()),
        400..=599 => refusal::read(op, answer),
        _ => Outcome::Unknown(unreadable(status, "no such status is documented").into()),
    }
}

fn success(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    match op {
        Operation::Create(_) => {
            let it: wire::Order = entity(answer, "order")?;
            settle_payment(op, order::alone(&it).map_err(unusable)?)
        }
        Operation::Capture(_) => {
            let it: wire::Payment = entity(answer, "payment")?;
            settle_payment(op, facts::payment(&it).map_err(unusable)?)
        }
        Operation::Sync(asked) => synced(op, asked, answer),
        Operation::Find(sought) => found(op, sought, answer),
        Operation::Refund(_) | Operation::SyncRefund(_) => {
            let it: wire::Refund = entity(answer, "refund")?;
            settle_refund(op, facts::refund(&it).map_err(unusable)?)
        }
        Operation::CreateCustomer(_)
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
        Operation::Confirm(_) | Operation::Void(_) | Operation::SaveInstrument(_) => {
            Err(unreadable(answer.status, "Razorpay is never asked for this"))
        }
    }
}

/// A payment by itself, or an order: in the list that a query by receipt answers, or by itself.
fn synced(
    op: &Operation,
    asked: &SyncPayment,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    if is_payment(&asked.provider_ref) {
        let it: wire::Payment = entity(answer, "payment")?;
        let mut told = facts::payment(&it).map_err(unusable)?;
        // It was asked about by itself, whether or not an order stands behind it.
        told.facts.provider_ref = facts::id("id", &it.id).map_err(unusable)?;
        return settle_payment(op, told);
    }
    if probe(answer)?.entity.as_deref() == Some("order") {
        let it: wire::Order = entity(answer, "order")?;
        let told = match it.payments {
            Some(_) => order::with_payments(&it),
            None => order::alone(&it),
        };
        return settle_payment(op, told.map_err(unusable)?);
    }
    let found = one_order(answer, |it| it.id == asked.provider_ref.as_str())?;
    settle_payment(op, order::with_payments(&found).map_err(unusable)?)
}

/// What was found is read as the answer to the operation that was looked for.
fn found(
    op: &Operation,
    sought: &Operation,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    match sought {
        Operation::Create(asked) => {
            let ours = asked.payment.to_string();
            let found = one_order(answer, |it| it.receipt.as_deref() == Some(ours.as_str()))?;
            settle_payment(op, order::with_payments(&found).map_err(unusable)?)
        }
        Operation::Refund(asked) => {
            let ours = asked.refund.to_string();
            let list: wire::Collection<wire::Refund> = entity(answer, "collection")?;
            let is_ours = |it: &&wire::Refund| {
                it.notes.get(REFUND_KEY).or(it.receipt.as_deref()) == Some(ours.as_str())
            };
            match list.items.iter().find(is_ours) {
                Some(it) => settle_refund(sought, facts::refund(it).map_err(unusable)?),
                None if list.items.len() >= PAGE => {
                    Err(unreadable(answer.status, "it is not among the newest hundred"))
                }
                None => Err(UnknownReason::NotFound { code: "no_such_refund".to_owned() }),
            }
        }
        Operation::Payout(_) => payout::found(sought, answer),
        Operation::Transfer(_) | Operation::ReverseTransfer(_) => transfer::found(sought, answer),
        _ => Err(unreadable(answer.status, "this is not looked for")),
    }
}

/// Why a body with a success status cannot be used.
pub(super) fn unreadable(status: u16, problem: impl ToString) -> UnknownReason {
    UnknownReason::Unreadable { status, problem: problem.to_string() }
}

/// Which entity has come; an error in a success's clothes is none.
pub(super) fn probe(answer: &HttpAnswer) -> Result<wire::Probe, UnknownReason> {
    let status = answer.status;
    let probe: wire::Probe = serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, "it is not a JSON object"))?;
    // These carry an error of their own where they failed, and an empty one where not.
    let own = matches!(probe.entity.as_deref(), Some("transfer" | "payout"));
    if let Some(error) = probe.error.as_ref().filter(|_| !own) {
        let code = error.get("code").and_then(|code| code.as_str()).unwrap_or("error");
        let code = code.chars().take(100).collect();
        return Err(UnknownReason::ErrorInside { status, code });
    }
    Ok(probe)
}

/// Reads the entity that must have come, and nothing else.
pub(super) fn entity<T: DeserializeOwned>(
    answer: &HttpAnswer,
    expected: &'static str,
) -> Result<T, UnknownReason> {
    let status = answer.status;
    if probe(answer)?.entity.as_deref() != Some(expected) {
        return Err(unreadable(status, format!("it is no {expected}")));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, format!("it is no complete {expected}")))
}

/// The order that was looked for, in a list that may hold others.
///
/// Several may carry our receipt where the account is older than the rule that it is unique. Then
/// the one that somebody tried to pay counts, else the first, which is the newest; if several were
/// tried, a person must look.
fn one_order(
    answer: &HttpAnswer,
    is_ours: impl Fn(&wire::Order) -> bool,
) -> Result<wire::Order, UnknownReason> {
    let list: wire::Collection<wire::Order> = entity(answer, "collection")?;
    let ours: Vec<wire::Order> = list.items.into_iter().filter(is_ours).collect();
    let tried = |it: &&wire::Order| {
        it.status != "created" || it.payments.as_ref().is_some_and(|list| !list.items.is_empty())
    };
    let mut with_tries = ours.iter().filter(tried);
    match (with_tries.next(), with_tries.next(), ours.first()) {
        (Some(only), None, _) => Ok(only.clone()),
        (None, _, Some(newest)) => Ok(newest.clone()),
        (Some(_), Some(_), _) => {
            Err(unreadable(answer.status, "several orders with our reference were tried"))
        }
        (None, _, None) => Err(UnknownReason::NotFound { code: "no_such_order".to_owned() }),
    }
}

/// A word no table knows.
pub(super) fn unknown_status(word: &str) -> UnknownReason {
    UnknownReason::UnknownStatus { word: word.chars().take(40).collect() }
}

fn settle_payment(op: &Operation, told: Told<PaymentAnswer>) -> Result<Outcome, UnknownReason> {
    let status = told.facts.status;
    if status == PaymentStatus::Unknown {
        return Err(unknown_status(&told.word));
    }
    let difference = echo::payment(op, &told).err();
    let answer = Answer { subject: Subject::Payment(Box::new(told.facts)), request_id: None };
    if let Some(difference) = difference {
        return Ok(mismatch(difference, answer));
    }
    match (op, status) {
        (Operation::Sync(_) | Operation::Find(_), _)
        | (Operation::Create(_), PaymentStatus::RequiresAction)
        | (Operation::Capture(_), PaymentStatus::Captured) => Ok(Outcome::Done(answer)),
        _ => Err(UnknownReason::UnexpectedStatus {
            operation: op.kind().as_str(),
            status: status.as_str(),
        }),
    }
}

fn settle_refund(op: &Operation, told: Told<RefundAnswer>) -> Result<Outcome, UnknownReason> {
    let status = told.facts.status;
    if status == RefundStatus::Unknown {
        return Err(unknown_status(&told.word));
    }
    let difference = echo::refund(op, &told).err();
    let decline = failed_refund(&told.facts);
    let answer = Answer { subject: Subject::Refund(Box::new(told.facts)), request_id: None };
    if let Some(difference) = difference {
        return Ok(mismatch(difference, answer));
    }
    Ok(match (op.is_query(), status) {
        (true, _) | (_, RefundStatus::Succeeded) => Outcome::Done(answer),
        (false, RefundStatus::Pending) => Outcome::Pending(answer),
        (false, _) => Outcome::Declined(decline),
    })
}

/// A refund that was made and failed at once: the money is back with us, and its id is kept.
fn failed_refund(facts: &RefundAnswer) -> Decline {
    let word = facts.status.as_str();
    Decline {
        code: format!("refund_{word}"),
        decline_code: None,
        advice_code: None,
        kind: DeclineKind::Hard,
        message: format!("the refund is {word}"),
        provider_ref: Some(facts.provider_ref.clone()),
        charge_ref: facts.charge_ref.clone(),
    }
}

/// A readable answer that disagrees.
pub(super) fn mismatch((field, expected, got): Difference, answer: Answer) -> Outcome {
    Outcome::Mismatch(Box::new(Mismatch { field, expected, got, answer }))
}

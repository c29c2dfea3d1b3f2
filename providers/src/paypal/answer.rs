//! PayPal's answers as outcomes: read, compared with what was asked, and only then believed.

use mizan_money::Money;
use serde::de::DeserializeOwned;

use crate::http::HttpAnswer;
use crate::instrument::{InstrumentAnswer, InstrumentStatus, RemoveInstrument};
use crate::model::{PaymentStatus, PayoutStatus, ProviderRef, RefundStatus};
use crate::operation::{CapturePayment, Operation, RefundPayment, VoidPayment};
use crate::outcome::{
    Answer, Decline, DeclineKind, Mismatch, Outcome, PaymentAnswer, RefundAnswer, Subject,
    UnknownReason,
};
use crate::payout::{PayoutAnswer, SyncPayout};
use crate::paypal::echo::{self, Difference};
use crate::paypal::facts::{self, FactError, Kind, Told, named};
use crate::paypal::order::order;
use crate::paypal::{dispute, payout, refusal, report, vault, wire};

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
    let read = |asked| order(&entity(answer)?, asked).map_err(unusable);
    match op {
        Operation::Create(it) => settle_payment(op, read(Some(it.amount))?, answer),
        Operation::Confirm(_) | Operation::Sync(_) => settle_payment(op, read(None)?, answer),
        Operation::Capture(it) => {
            let told = captured(it, &entity(answer)?).map_err(unusable)?;
            settle_payment(op, told, answer)
        }
        Operation::Void(it) if answer.status == 204 => settle_payment(op, given_up(it), answer),
        Operation::Void(it) => {
            let told = voided(it, &entity(answer)?).map_err(unusable)?;
            settle_payment(op, told, answer)
        }
        Operation::Refund(it) => {
            let told = facts::refund(&entity(answer)?, Some(it.amount)).map_err(unusable)?;
            settle_refund(op, told, answer)
        }
        Operation::SyncRefund(_) => {
            let told = facts::refund(&entity(answer)?, None).map_err(unusable)?;
            settle_refund(op, told, answer)
        }
        Operation::Find(sought) => match sought.as_ref() {
            Operation::Refund(it) => settle_refund(sought, found(it, answer)?, answer),
            _ => Err(unreadable(answer.status, "only refunds are looked for")),
        },
        _ => beside(op, answer),
    }
}

/// Everything that is not about a payment.
fn beside(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    let done = |subject| Ok(Outcome::Done(told(subject, answer)));
    match op {
        Operation::SaveInstrument(_) => settle_instrument(vault::begun(&entity(answer)?)?, answer),
        Operation::SyncInstrument(_) => {
            let facts = vault::ended(&entity(answer)?).map_err(unusable)?;
            settle_instrument(facts, answer)
        }
        Operation::RemoveInstrument(it) if answer.status == 204 => {
            settle_instrument(removed(it), answer)
        }
        Operation::Payout(it) => {
            let batch: wire::Batch = entity(answer)?;
            let facts = payout::batch(&batch.batch_header, Some(it.amount)).map_err(unusable)?;
            settle_payout(op, facts, answer)
        }
        Operation::SyncPayout(it) => settle_payout(op, paid_out(it, answer)?, answer),
        Operation::CancelPayout(_) => {
            let facts = payout::item(&entity(answer)?).map_err(unusable)?;
            settle_payout(op, facts, answer)
        }
        Operation::SyncDispute(it) => disputed(&it.provider_ref, answer),
        Operation::AcceptDispute(it) => acted(&it.provider_ref, answer),
        Operation::ContestDispute(it) => acted(&it.provider_ref, answer),
        Operation::ListDisputes(_) => {
            let page = dispute::page(&entity(answer)?).map_err(unusable)?;
            done(Subject::Disputes(Box::new(page)))
        }
        Operation::ListSettlement(_) => {
            let page = report::page(&entity(answer)?).map_err(unusable)?;
            done(Subject::Settlement(Box::new(page)))
        }
        _ => Err(unreadable(answer.status, "PayPal is never asked for this")),
    }
}

pub(super) fn unreadable(status: u16, problem: impl ToString) -> UnknownReason {
    UnknownReason::Unreadable { status, problem: problem.to_string() }
}

/// Reads what must have come, and no error in its place.
fn entity<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, UnknownReason> {
    let status = answer.status;
    let probe: wire::Probe = serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, "it is not a JSON object"))?;
    if let (Some(error), _) | (None, Some(error)) =
        (probe.error, probe.name.filter(|_| probe.debug_id.is_some()))
    {
        return Err(UnknownReason::ErrorInside {
            status,
            code: wire::word(error.as_str().unwrap_or("error")),
        });
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, "it lacks a field or has one of another type"))
}

/// The capture of a hold. It names the authorisation and not always the order.
fn captured(
    it: &CapturePayment,
    capture: &wire::Transaction,
) -> Result<Told<PaymentAnswer>, FactError> {
    let order = facts::order_of(capture).unwrap_or_else(|| it.provider_ref.clone());
    facts::payment(Kind::Capture, capture, order, Some(it.amount))
}

/// A void that is answered with the authorisation.
fn voided(it: &VoidPayment, hold: &wire::Transaction) -> Result<Told<PaymentAnswer>, FactError> {
    let order = facts::order_of(hold).unwrap_or_else(|| it.provider_ref.clone());
    let mut told = facts::payment(Kind::Authorization, hold, order, Some(it.amount))?;
    told.parent = Some(hold.id.clone());
    Ok(told)
}

/// A void that is answered with nothing: the hold is given up.
fn given_up(it: &VoidPayment) -> Told<PaymentAnswer> {
    let none = Money::zero(it.amount.currency());
    let facts = PaymentAnswer {
        provider_ref: it.provider_ref.clone(),
        status: PaymentStatus::Cancelled,
        amount: it.amount,
        capturable: none,
        captured: none,
        refunded: None,
        charge_ref: None,
        next_action: None,
        last_error: None,
        cancellation_reason: Some("voided".to_owned()),
        fee: None,
        instrument: None,
        reference: None,
    };
    let word = "authorization: VOIDED".to_owned();
    Told { facts, word, ours: None, parent: None, intent: None }
}

/// Our refund in the order it belongs to.
fn found(it: &RefundPayment, answer: &HttpAnswer) -> Result<Told<RefundAnswer>, UnknownReason> {
    let order: wire::Order = entity(answer)?;
    if order.id != it.provider_ref.as_str() {
        return Err(unreadable(answer.status, "it is another order"));
    }
    let refunds = order.purchase_units.iter().flat_map(|unit| &unit.payments.refunds);
    for refund in refunds {
        let told = facts::refund(refund, None).map_err(|it| unreadable(answer.status, it))?;
        let ours = told.ours.as_deref().and_then(|text| named("re", text));
        if ours == Some(it.refund) {
            return Ok(told);
        }
    }
    Err(UnknownReason::NotFound { code: "no_such_refund".to_owned() })
}

fn paid_out(it: &SyncPayout, answer: &HttpAnswer) -> Result<Told<PayoutAnswer>, UnknownReason> {
    match payout::batch_id(&it.provider_ref) {
        Some(_) => payout::in_batch(&entity(answer)?, it),
        None => payout::item(&entity(answer)?).map_err(|error| unreadable(answer.status, error)),
    }
}

fn removed(it: &RemoveInstrument) -> InstrumentAnswer {
    InstrumentAnswer {
        provider_ref: it.instrument.token.clone(),
        status: InstrumentStatus::Removed,
        next_action: None,
        instrument: None,
        last_error: None,
    }
}

fn disputed(asked: &ProviderRef, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let facts = dispute::dispute(&entity(answer)?);
    let facts = facts.map_err(|error| unreadable(answer.status, error))?;
    let differs = facts.provider_ref != *asked;
    let (expected, got) = (asked.to_string(), facts.provider_ref.to_string());
    let answer = told(Subject::Dispute(Box::new(facts)), answer);
    Ok(match differs {
        true => mismatch(("provider_ref", expected, got), answer),
        false => Outcome::Done(answer),
    })
}

/// An action on a dispute is answered with links only: it was taken on, and the dispute itself
/// tells what came of it.
fn acted(asked: &ProviderRef, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    #[derive(serde::Deserialize)]
    struct Links {
        links: Vec<wire::Link>,
    }
    if entity::<wire::Dispute>(answer).is_ok() {
        return disputed(asked, answer);
    }
    let Links { links } = entity(answer)?;
    match dispute::is_about(&links, asked) {
        true => Err(UnknownReason::Busy { code: "taken_on".to_owned() }),
        false => Err(unreadable(answer.status, "it leads to another dispute")),
    }
}

fn unknown_status(word: &str) -> UnknownReason {
    UnknownReason::UnknownStatus { word: word.chars().take(40).collect() }
}

fn told(subject: Subject, answer: &HttpAnswer) -> Answer {
    Answer { subject, request_id: answer.headers.get("paypal-debug-id").map(wire::word) }
}

/// What a state means as the answer to an operation.
enum Step {
    Done,
    Pending,
    Declined(Decline),
    Unexpected,
}

impl Step {
    fn outcome(
        self,
        answer: Answer,
        operation: &'static str,
        status: &'static str,
    ) -> Result<Outcome, UnknownReason> {
        match self {
            Self::Done => Ok(Outcome::Done(answer)),
            Self::Pending => Ok(Outcome::Pending(answer)),
            Self::Declined(decline) => Ok(Outcome::Declined(decline)),
            Self::Unexpected => Err(UnknownReason::UnexpectedStatus { operation, status }),
        }
    }
}

fn settle_payment(
    op: &Operation,
    mut it: Told<PaymentAnswer>,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    let status = it.facts.status;
    if status == PaymentStatus::Unknown {
        return Err(unknown_status(&it.word));
    }
    let difference = echo::payment(op, &it).err();
    let step = payment_step(op, &it.facts);
    if let Operation::Capture(asked) = op {
        // The capture told its own amount, which is compared; the payment is for what was held.
        it.facts.amount = asked.authorised;
    }
    let answer = told(Subject::Payment(Box::new(it.facts)), answer);
    match difference {
        Some(difference) => Ok(mismatch(difference, answer)),
        None => step.outcome(answer, op.kind().as_str(), status.as_str()),
    }
}

fn payment_step(op: &Operation, facts: &PaymentAnswer) -> Step {
    use PaymentStatus as S;
    match (op, facts.status) {
        (Operation::Sync(_), _) | (Operation::Void(_), S::Cancelled) => Step::Done,
        (Operation::Void(_), _) => Step::Unexpected,
        (Operation::Create(_), S::RequiresAction) if facts.next_action.is_some() => Step::Done,
        (Operation::Create(_) | Operation::Confirm(_), S::Captured | S::Authorised)
        | (Operation::Capture(_), S::Captured) => Step::Done,
        (_, S::Processing) => Step::Pending,
        (_, S::Failed) => facts.last_error.clone().map_or(Step::Unexpected, Step::Declined),
        _ => Step::Unexpected,
    }
}

fn settle_refund(
    op: &Operation,
    it: Told<RefundAnswer>,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    let status = it.facts.status;
    if status == RefundStatus::Unknown {
        return Err(unknown_status(&it.word));
    }
    let difference = echo::refund(op, &it).err();
    let step = match (op.is_query(), status) {
        (true, _) | (_, RefundStatus::Succeeded) => Step::Done,
        (_, RefundStatus::Pending) => Step::Pending,
        _ => Step::Declined(failed_refund(&it.facts)),
    };
    let answer = told(Subject::Refund(Box::new(it.facts)), answer);
    match difference {
        Some(difference) => Ok(mismatch(difference, answer)),
        None => step.outcome(answer, op.kind().as_str(), status.as_str()),
    }
}

/// A refund that was made and failed at once: the money is back with us, and its id is kept.
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

fn settle_payout(
    op: &Operation,
    it: Told<PayoutAnswer>,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    use PayoutStatus as S;
    let status = it.facts.status;
    if status == S::Unknown {
        return Err(unknown_status(&it.word));
    }
    let difference = echo::payout(op, &it).err();
    let step = match (op, status) {
        (Operation::SyncPayout(_), _)
        | (Operation::CancelPayout(_), S::Cancelled | S::Returned) => Step::Done,
        (Operation::CancelPayout(_), _) => Step::Unexpected,
        (_, S::Pending | S::InTransit) => Step::Pending,
        (_, S::Paid) => Step::Done,
        _ => Step::Declined(failed_payout(&it.facts)),
    };
    let answer = told(Subject::Payout(Box::new(it.facts)), answer);
    match difference {
        Some(difference) => Ok(mismatch(difference, answer)),
        None => step.outcome(answer, op.kind().as_str(), status.as_str()),
    }
}

fn failed_payout(facts: &PayoutAnswer) -> Decline {
    Decline {
        code: format!("payout_{}", facts.status_word.to_ascii_lowercase()),
        decline_code: facts.reason.clone(),
        advice_code: None,
        kind: DeclineKind::Hard,
        message: format!("the payout is {}", facts.status),
        provider_ref: Some(facts.provider_ref.clone()),
        charge_ref: None,
    }
}

fn settle_instrument(
    facts: InstrumentAnswer,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    let waits = facts.status == InstrumentStatus::Processing;
    let answer = told(Subject::Instrument(Box::new(facts)), answer);
    Ok(if waits { Outcome::Pending(answer) } else { Outcome::Done(answer) })
}

fn mismatch((field, expected, got): Difference, answer: Answer) -> Outcome {
    Outcome::Mismatch(Box::new(Mismatch { field, expected, got, answer }))
}

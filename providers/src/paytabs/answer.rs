//! PayTabs' answers as outcomes: read, compared with what was asked, and only then believed.

use serde::de::DeserializeOwned;

use crate::http::HttpAnswer;
use crate::instrument::{InstrumentAnswer, InstrumentStatus};
use crate::model::{PaymentStatus, ProviderRef, RefundStatus};
use crate::operation::Operation;
use crate::outcome::{
    Answer, Decline, DeclineKind, Mismatch, Outcome, PaymentAnswer, RefundAnswer, Subject,
    UnknownReason,
};
use crate::paytabs::echo::{self, Difference};
use crate::paytabs::facts::{self, FactError, Told};
use crate::paytabs::wire::{Failure, Transaction};
use crate::paytabs::{find, refusal};

/// Reads any answer to any operation; of another profile than ours none is believed.
pub(super) fn parse(profile: Option<u64>, op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    match status {
        200..=299 => {
            success(profile, op, answer).unwrap_or_else(|why| Outcome::Unknown(why.into()))
        }
        300..=399 => Outcome::Unknown(UnknownReason::Redirect { status }.into()),
        400..=599 => refusal::read(op, answer),
        _ => Outcome::Unknown(unreadable(status, "no such status is documented").into()),
    }
}

fn success(
    profile: Option<u64>,
    op: &Operation,
    answer: &HttpAnswer,
) -> Result<Outcome, UnknownReason> {
    match op {
        Operation::Find(inner) => {
            let it = find::sought(inner, listed(answer)?, answer.status)?;
            settle(profile, inner, &it, answer.status, true)
        }
        Operation::RemoveInstrument(asked) => {
            let gone: Failure = object(answer)?;
            if gone.code.is_none() {
                return Err(unreadable(answer.status, "it does not say that the token is deleted"));
            }
            let facts = InstrumentAnswer {
                provider_ref: asked.instrument.token.clone(),
                status: InstrumentStatus::Removed,
                next_action: None,
                instrument: None,
                last_error: None,
            };
            let subject = Subject::Instrument(Box::new(facts));
            Ok(Outcome::Done(Answer { subject, request_id: gone.trace }))
        }
        _ => settle(profile, op, &object(answer)?, answer.status, false),
    }
}

/// Weighs the transaction that came back; `found` tells that it was looked for afterwards.
fn settle(
    profile: Option<u64>,
    op: &Operation,
    it: &Transaction,
    status: u16,
    found: bool,
) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(status, error);
    match op {
        Operation::Create(_) | Operation::Capture(_) | Operation::Void(_) | Operation::Sync(_) => {
            let told = payment(op, it, found).map_err(unusable)?;
            settle_payment(profile, op, told, found)
        }
        Operation::Refund(_) | Operation::SyncRefund(_) => {
            let mut told = facts::refund(it).map_err(unusable)?;
            told.facts.payment_ref = match op {
                Operation::Refund(asked) => Some(asked.provider_ref.clone()),
                Operation::SyncRefund(asked) => Some(asked.payment_ref.clone()),
                _ => None,
            };
            settle_refund(profile, op, told)
        }
        Operation::SaveInstrument(_) | Operation::SyncInstrument(_) => {
            settle_saving(profile, op, facts::saving(it).map_err(unusable)?)
        }
        _ => Err(unreadable(status, "PayTabs is never asked for this")),
    }
}

/// A payment's facts as they follow from what was asked: what follows another transaction does
/// not repeat the payment's own amount.
fn payment(
    op: &Operation,
    it: &Transaction,
    found: bool,
) -> Result<Told<PaymentAnswer>, FactError> {
    let mut told = match op {
        // An answer need not name what it follows; what it does name is compared.
        Operation::Capture(_) | Operation::Void(_) if it.previous().is_none() => {
            let parent = followed(op).map(|parent| parent.to_string());
            facts::payment(&Transaction { previous_tran_ref: parent, ..it.clone() })?
        }
        _ => facts::payment(it)?,
    };
    let facts = &mut told.facts;
    match op {
        // Only cash that was paid later is known by another transaction than its own.
        Operation::Create(asked) if asked.instrument.is_some() || !found => {
            facts.provider_ref = told.own.clone();
        }
        Operation::Capture(asked) => {
            facts.provider_ref = asked.provider_ref.clone();
            facts.amount = asked.authorised;
            let rest = asked.authorised.checked_sub(asked.captured_before);
            let rest = rest.and_then(|rest| rest.checked_sub(asked.amount));
            if let (PaymentStatus::Captured, Ok(rest)) = (facts.status, rest) {
                facts.capturable = rest;
            }
        }
        Operation::Void(asked) => {
            facts.provider_ref = asked.provider_ref.clone();
            facts.amount = asked.amount;
            // The void's own reference, by which PayTabs' desk finds it.
            facts.charge_ref = (facts.status == PaymentStatus::Cancelled).then(|| told.own.clone());
        }
        Operation::Sync(asked) => {
            if told.own == asked.provider_ref {
                facts.provider_ref = asked.provider_ref.clone();
            }
            if told.kind == "capture" {
                facts.amount = asked.amount;
            }
        }
        _ => {}
    }
    Ok(told)
}

fn followed(op: &Operation) -> Option<&ProviderRef> {
    match op {
        Operation::Capture(it) => Some(&it.provider_ref),
        Operation::Void(it) => Some(&it.provider_ref),
        _ => None,
    }
}

fn unreadable(status: u16, problem: impl ToString) -> UnknownReason {
    UnknownReason::Unreadable { status, problem: problem.to_string() }
}

/// Reads the object that must have come; an error in a success's clothes is none.
fn object<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, UnknownReason> {
    let status = answer.status;
    let probe: Failure = serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, "it is not a JSON object"))?;
    if let Some(code) = probe.error() {
        let code = code.chars().take(100).collect();
        return Err(UnknownReason::ErrorInside { status, code });
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(status, "it is no complete transaction"))
}

/// The transactions with our reference: an array, and nothing else.
fn listed(answer: &HttpAnswer) -> Result<Vec<Transaction>, UnknownReason> {
    let first = answer.body.iter().find(|b| !b.is_ascii_whitespace());
    if first != Some(&b'[') {
        let _: Failure = object(answer)?;
        return Err(unreadable(answer.status, "it is not a list"));
    }
    serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(answer.status, "it is no list of complete transactions"))
}

fn unknown_status(word: &str) -> UnknownReason {
    UnknownReason::UnknownStatus { word: word.chars().take(40).collect() }
}

fn settle_payment(
    profile: Option<u64>,
    op: &Operation,
    mut told: Told<PaymentAnswer>,
    found: bool,
) -> Result<Outcome, UnknownReason> {
    use PaymentStatus::{
        Authorised, Cancelled, Captured, Created, Failed, Processing, RequiresAction, Unknown,
    };
    let page = matches!(op, Operation::Create(asked) if asked.instrument.is_none());
    if found && page && told.facts.status == Processing {
        // A page that waits. Its address never reached us, so nobody was ever sent to it.
        told.facts.status = Created;
    }
    let status = told.facts.status;
    if status == Unknown {
        return Err(unknown_status(&told.word));
    }
    let differs = echo::common(profile, op, &told).and_then(|()| echo::payment(op, &told));
    let decline = refused(&told);
    let subject = Subject::Payment(Box::new(told.facts));
    let answer = Answer { subject, request_id: told.trace };
    if let Err(difference) = differs {
        return Ok(mismatch(difference, answer));
    }
    Ok(match (op, status) {
        (Operation::Sync(_), _)
        | (Operation::Create(_), RequiresAction | Captured | Authorised)
        | (Operation::Capture(_), Captured)
        | (Operation::Void(_), Cancelled) => Outcome::Done(answer),
        // A page that is known and was not tried; nobody has its address. A sale with a saved
        // instrument has no page: there it tells nothing.
        (Operation::Create(_), Created) if found && page => Outcome::Done(answer),
        (Operation::Create(_) | Operation::Capture(_) | Operation::Void(_), Processing) => {
            Outcome::Pending(answer)
        }
        (Operation::Create(_), Failed | Cancelled)
        | (Operation::Capture(_) | Operation::Void(_), Failed) => Outcome::Declined(decline),
        _ => {
            return Err(UnknownReason::UnexpectedStatus {
                operation: op.kind().as_str(),
                status: status.as_str(),
            });
        }
    })
}

/// A refusal of a payment, or of what follows one: it names the payment.
fn refused(told: &Told<PaymentAnswer>) -> Decline {
    let provider_ref = Some(told.facts.provider_ref.clone());
    told.decline.clone().map_or_else(
        || Decline {
            code: "payment_failed".to_owned(),
            decline_code: None,
            advice_code: None,
            kind: DeclineKind::Soft,
            message: String::new(),
            provider_ref: provider_ref.clone(),
            charge_ref: None,
        },
        |decline| Decline { provider_ref: provider_ref.clone(), ..decline },
    )
}

fn settle_refund(
    profile: Option<u64>,
    op: &Operation,
    told: Told<RefundAnswer>,
) -> Result<Outcome, UnknownReason> {
    let status = told.facts.status;
    if status == RefundStatus::Unknown {
        return Err(unknown_status(&told.word));
    }
    let differs = echo::common(profile, op, &told).and_then(|()| echo::refund(op, &told));
    // The same refund is not tried again by itself: whoever asked for it decides.
    let decline = told.decline.map(|it| Decline { kind: DeclineKind::Hard, ..it });
    let subject = Subject::Refund(Box::new(told.facts));
    let answer = Answer { subject, request_id: told.trace };
    if let Err(difference) = differs {
        return Ok(mismatch(difference, answer));
    }
    Ok(match (op.is_query(), status, decline) {
        (true, ..) | (_, RefundStatus::Succeeded, _) => Outcome::Done(answer),
        (false, RefundStatus::Failed | RefundStatus::Cancelled, Some(decline)) => {
            Outcome::Declined(decline)
        }
        (false, ..) => Outcome::Pending(answer),
    })
}

fn settle_saving(
    profile: Option<u64>,
    op: &Operation,
    told: Told<InstrumentAnswer>,
) -> Result<Outcome, UnknownReason> {
    let status = told.facts.status;
    if status == InstrumentStatus::Unknown {
        return Err(unknown_status(&told.word));
    }
    let mut differs = echo::common(profile, op, &told);
    if let Operation::SyncInstrument(asked) = op
        && asked.provider_ref != told.own
    {
        let (expected, got) = (asked.provider_ref.to_string(), told.own.to_string());
        differs = differs.and(Err(("provider_ref", expected, got)));
    }
    let nowhere = told.facts.next_action.is_none() && status == InstrumentStatus::RequiresAction;
    let subject = Subject::Instrument(Box::new(told.facts));
    let answer = Answer { subject, request_id: told.trace };
    if let Err(difference) = differs {
        return Ok(mismatch(difference, answer));
    }
    if nowhere && !op.is_query() {
        let (operation, status) = (op.kind().as_str(), status.as_str());
        return Err(UnknownReason::UnexpectedStatus { operation, status });
    }
    Ok(match (op.is_query(), status, told.decline) {
        (false, InstrumentStatus::Failed, Some(decline)) => Outcome::Declined(decline),
        (false, InstrumentStatus::Processing, _) => Outcome::Pending(answer),
        _ => Outcome::Done(answer),
    })
}

fn mismatch((field, expected, got): Difference, answer: Answer) -> Outcome {
    Outcome::Mismatch(Box::new(Mismatch { field, expected, got, answer }))
}

//! Telr's refusals: which certainly did nothing, and which prove nothing.

use std::time::Duration;

use crate::http::{HttpAnswer, Prior};
use crate::operation::Operation;
use crate::outcome::{Outcome, Rejection, RejectionReason, Unknown, UnknownReason};
use crate::telr::code::{self, Meaning};
use crate::telr::facts;
use crate::telr::wire::{self, Text};

/// Reads an answer of 4xx or 5xx.
///
/// | HTTP | outcome |
/// |---|---|
/// | 5xx, 408, 424 | unknown |
/// | 401, 403, also with an empty body | rejected, alarm |
/// | 429 | rejected: the limiter stands before the work |
/// | 404 | unknown: docs.telr.com has it for a wrong id and for an error inside alike |
/// | other 4xx with the newer interface's envelope | rejected |
/// | other 4xx | unknown |
///
/// After an attempt that may have been executed no refusal proves anything about that one; nor
/// does the refusal of a search about what was searched for.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    if matches!(status, 404 | 408 | 424 | 500..=599) {
        return unknown(answer, UnknownReason::ServerError { status });
    }
    let told: Option<wire::RestError> = serde_json::from_slice(&answer.body).ok();
    let reason = match status {
        401 | 403 => RejectionReason::Credentials,
        429 => RejectionReason::RateLimited,
        _ if told.as_ref().is_some_and(|it| it.code.is_some()) => RejectionReason::InvalidRequest,
        _ => {
            let problem = "it holds no error of Telr's".to_owned();
            return unknown(answer, UnknownReason::Unreadable { status, problem });
        }
    };
    let code = told.as_ref().and_then(|it| Text::said(it.code.as_ref())).map(facts::word);
    let message = told.as_ref().and_then(|it| Text::said(it.reason.as_ref())).unwrap_or_default();
    reject(op, answer, reason, code.unwrap_or_else(|| status.to_string()), message)
}

/// Reads the error that stands in an answer of success: `E56:Duplicate transaction`.
pub(super) fn inside(op: &Operation, answer: &HttpAnswer, error: &wire::ApiError) -> Outcome {
    let message = Text::said(error.message.as_ref()).unwrap_or_default();
    let note = Text::said(error.note.as_ref()).unwrap_or_default();
    let code = code::leading(message).unwrap_or("error");
    let letter = code.get(..1).filter(|_| code != "error").unwrap_or("E");
    let sentence = if note.is_empty() { message.to_owned() } else { format!("{message} ({note})") };
    coded(op, answer, letter, code, &sentence)
}

/// Reads a refusal by its letter and code.
pub(super) fn coded(
    op: &Operation,
    answer: &HttpAnswer,
    letter: &str,
    code: &str,
    message: &str,
) -> Outcome {
    let status = answer.status;
    let number = code::number(code);
    let said = || facts::word(code);
    match code::meaning(letter, number) {
        Meaning::Unknown => unknown(answer, UnknownReason::ErrorInside { status, code: said() }),
        Meaning::DoneBefore => unknown(answer, UnknownReason::AfterEarlierAttempt { status }),
        // The page stands, and nobody was ever sent to it: this attempt is over.
        Meaning::Duplicate if is_page(op) => Outcome::Rejected(Rejection {
            reason: RejectionReason::InvalidRequest,
            code: said(),
            message: facts::sentence(message),
            retry_after: None,
        }),
        Meaning::Duplicate => unknown(answer, UnknownReason::AfterEarlierAttempt { status }),
        Meaning::No(RejectionReason::NotFound) if op.is_query() => {
            unknown(answer, UnknownReason::NotFound { code: said() })
        }
        Meaning::No(reason) => reject(op, answer, reason, said(), message),
        Meaning::Declined if op.is_query() => {
            unknown(answer, UnknownReason::ErrorInside { status, code: said() })
        }
        Meaning::Declined if answer.prior == Prior::MayHaveExecuted => {
            unknown(answer, UnknownReason::AfterEarlierAttempt { status })
        }
        Meaning::Declined => {
            let saved = matches!(op, Operation::Create(it) if it.instrument.is_some());
            Outcome::Declined(facts::decline(code, message, saved))
        }
    }
}

/// Whether an operation makes a page, which the customer pays on.
fn is_page(op: &Operation) -> bool {
    match op {
        Operation::Create(it) => it.instrument.is_none(),
        Operation::SaveInstrument(_) => true,
        _ => false,
    }
}

fn reject(
    op: &Operation,
    answer: &HttpAnswer,
    reason: RejectionReason,
    code: String,
    message: &str,
) -> Outcome {
    let status = answer.status;
    if matches!(op, Operation::Find(_)) {
        return unknown(answer, UnknownReason::ErrorInside { status, code });
    }
    if answer.prior == Prior::MayHaveExecuted && !op.is_query() {
        return unknown(answer, UnknownReason::AfterEarlierAttempt { status });
    }
    let message = facts::sentence(message);
    Outcome::Rejected(Rejection { reason, code, message, retry_after: retry_after(answer) })
}

fn unknown(answer: &HttpAnswer, why: UnknownReason) -> Outcome {
    Outcome::Unknown(Unknown { why, retry_after: retry_after(answer) })
}

fn retry_after(answer: &HttpAnswer) -> Option<Duration> {
    answer.retry_after_seconds().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

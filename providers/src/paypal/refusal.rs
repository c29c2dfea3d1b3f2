//! PayPal's refusals: which certainly did nothing, which declined, and which prove nothing.

use std::time::Duration;

use crate::http::{HttpAnswer, Prior};
use crate::operation::Operation;
use crate::outcome::{
    Decline, DeclineKind, Outcome, Rejection, RejectionReason, Unknown, UnknownReason,
};
use crate::paypal::wire;

/// What an issue means. An issue that is not listed refuses the request, and nothing was done.
///
/// Documented with the calls: orders/v2, payments/v2, payments.payouts-batch/v1, vault/v3.
const ISSUES: &[(&str, Meaning)] = &[
    ("ORDER_ALREADY_CAPTURED", Meaning::DoneBefore),
    ("ORDER_ALREADY_AUTHORIZED", Meaning::DoneBefore),
    ("ORDER_COMPLETED_OR_VOIDED", Meaning::DoneBefore),
    ("AUTHORIZATION_ALREADY_CAPTURED", Meaning::DoneBefore),
    ("AUTHORIZATION_VOIDED", Meaning::DoneBefore),
    ("AUTHORIZATION_EXPIRED", Meaning::DoneBefore),
    ("PREVIOUSLY_CAPTURED", Meaning::DoneBefore),
    ("PREVIOUSLY_VOIDED", Meaning::DoneBefore),
    ("DUPLICATE_INVOICE_ID", Meaning::DoneBefore),
    ("PREVIOUS_REQUEST_IN_PROGRESS", Meaning::Busy),
    ("ORDER_COMPLETION_IN_PROGRESS", Meaning::Busy),
    ("PAYEE_ACCOUNT_RESTRICTED", Meaning::No(RejectionReason::Credentials)),
    ("PAYEE_ACCOUNT_LOCKED_OR_CLOSED", Meaning::No(RejectionReason::Credentials)),
    ("AUTH_CAPTURE_NOT_ENABLED", Meaning::No(RejectionReason::Credentials)),
    ("PERMISSION_DENIED", Meaning::No(RejectionReason::Credentials)),
    ("CONSENT_NEEDED", Meaning::No(RejectionReason::Credentials)),
    ("INSTRUMENT_DECLINED", Meaning::Declined(DeclineKind::Soft)),
    ("TRANSACTION_REFUSED", Meaning::Declined(DeclineKind::Soft)),
    ("PAYER_CANNOT_PAY", Meaning::Declined(DeclineKind::Soft)),
    ("ORDER_EXPIRED", Meaning::Declined(DeclineKind::Soft)),
    ("MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED", Meaning::Declined(DeclineKind::Soft)),
    ("PAYER_ACCOUNT_RESTRICTED", Meaning::Declined(DeclineKind::Hard)),
    ("PAYER_ACCOUNT_LOCKED_OR_CLOSED", Meaning::Declined(DeclineKind::Hard)),
    ("COMPLIANCE_VIOLATION", Meaning::Declined(DeclineKind::Hard)),
    ("TRANSACTION_BLOCKED_BY_PAYEE", Meaning::Declined(DeclineKind::Hard)),
];

/// What a refusal means, the gravest last: of several issues that one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meaning {
    /// Nothing was done.
    No(RejectionReason),
    /// The payer's side said no.
    Declined(DeclineKind),
    /// It is being worked on.
    Busy,
    /// It was done, by us or by somebody else: the thing itself must be read.
    DoneBefore,
}

/// Reads an answer of 4xx or 5xx (developer.paypal.com/api/rest/responses).
///
/// | HTTP | outcome |
/// |---|---|
/// | 5xx, 408, no envelope | unknown |
/// | 401, 403, the token endpoint's own envelope | rejected, alarm |
/// | 404 | unknown for a query, else rejected |
/// | 409, an issue "in progress" | unknown: the same key again |
/// | 429 | rejected: the limiter stands before the work |
/// | 422 or 400 with an issue that it was done before | unknown: look it up |
/// | 422 with a payer's issue | declined |
/// | other 4xx with an envelope | rejected |
///
/// After an attempt that may have been executed no refusal proves anything about that one, a
/// decline neither. Forgetting an instrument is the exception: what is not there is forgotten.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    if matches!(status, 408 | 500..=599) {
        return unknown(answer, UnknownReason::ServerError { status });
    }
    let envelope: Option<wire::Refusal> = serde_json::from_slice(&answer.body).ok();
    let told = envelope.filter(|it| it.name.is_some() || it.error.is_some());
    let Some(refusal) = told else {
        let problem = "it holds no error of PayPal's".to_owned();
        return unknown(answer, UnknownReason::Unreadable { status, problem });
    };
    let (meaning, code) = meaning(status, &refusal);
    let why = match meaning {
        Meaning::Busy => Some(UnknownReason::Busy { code: code.clone() }),
        Meaning::DoneBefore => Some(UnknownReason::ErrorInside { status, code: code.clone() }),
        Meaning::No(RejectionReason::NotFound) if op.is_query() => {
            Some(UnknownReason::NotFound { code: code.clone() })
        }
        // The exchange of a setup token that nobody agreed to yet, or that is used up.
        _ if status == 422 && op.is_query() => {
            Some(UnknownReason::ErrorInside { status, code: code.clone() })
        }
        Meaning::Declined(_) if op.is_query() => {
            Some(UnknownReason::ErrorInside { status, code: code.clone() })
        }
        Meaning::No(_) | Meaning::Declined(_) => None,
    };
    if let Some(why) = why {
        return unknown(answer, why);
    }
    let forgotten = matches!(op, Operation::RemoveInstrument(_)) && status == 404;
    if answer.prior == Prior::MayHaveExecuted && !op.is_query() && !forgotten {
        return unknown(answer, UnknownReason::AfterEarlierAttempt { status });
    }
    let message = sentence(&refusal);
    match meaning {
        Meaning::Declined(kind) => Outcome::Declined(decline(op, kind, code, message)),
        Meaning::No(reason) => {
            Outcome::Rejected(Rejection { reason, code, message, retry_after: retry_after(answer) })
        }
        // Both were told above.
        Meaning::Busy | Meaning::DoneBefore => unknown(answer, UnknownReason::Busy { code }),
    }
}

/// The gravest meaning of a refusal, with the word that says it.
fn meaning(status: u16, refusal: &wire::Refusal) -> (Meaning, String) {
    let name = refusal.name.as_deref().or(refusal.error.as_deref()).unwrap_or("error");
    let issues = || refusal.details.iter().filter_map(|it| it.issue.as_deref());
    let code = wire::word(issues().next().unwrap_or(name));
    let by_status = match status {
        401 | 403 => Some(Meaning::No(RejectionReason::Credentials)),
        404 => Some(Meaning::No(RejectionReason::NotFound)),
        409 => Some(Meaning::Busy),
        429 => Some(Meaning::No(RejectionReason::RateLimited)),
        _ if refusal.error.is_some() => Some(Meaning::No(RejectionReason::Credentials)),
        _ => None,
    };
    if let Some(meaning) = by_status {
        return (meaning, code);
    }
    let gravest = issues().chain([name]).map(|issue| (of_issue(issue), issue));
    let gravest = gravest.max_by_key(|(meaning, _)| *meaning);
    match gravest {
        Some((meaning, issue)) if meaning != Meaning::No(RejectionReason::InvalidRequest) => {
            (meaning, wire::word(issue))
        }
        _ => (Meaning::No(RejectionReason::InvalidRequest), code),
    }
}

/// What one issue means. Whatever says that something was there before is looked up, also where
/// the very word is new to us; a batch of payouts says so in a sentence.
fn of_issue(issue: &str) -> Meaning {
    let known = ISSUES.iter().find(|(known, _)| *known == issue).map(|(_, it)| *it);
    known.unwrap_or_else(|| {
        let text = issue.to_ascii_uppercase();
        match ["ALREADY", "PREVIOUSLY", "DUPLICATE"].iter().any(|part| text.contains(part)) {
            true => Meaning::DoneBefore,
            false => Meaning::No(RejectionReason::InvalidRequest),
        }
    })
}

/// A refusal by the payer's side. The order is still there: the customer can choose another way.
fn decline(op: &Operation, kind: DeclineKind, code: String, message: String) -> Decline {
    let (provider_ref, charge_ref) = match op {
        Operation::Confirm(it) => (Some(it.provider_ref.clone()), None),
        Operation::Capture(it) => (Some(it.provider_ref.clone()), it.charge_ref.clone()),
        _ => (None, None),
    };
    let decline_code = Some(code.clone());
    Decline { code, decline_code, advice_code: None, kind, message, provider_ref, charge_ref }
}

/// PayPal's sentence with the id its support asks for, keys and card numbers taken out.
fn sentence(refusal: &wire::Refusal) -> String {
    let detail = refusal.details.iter().find_map(|it| it.description.as_deref());
    let text = detail.or(refusal.message.as_deref()).or(refusal.error_description.as_deref());
    let mut text: String = text.unwrap_or_default().chars().take(440).collect();
    if let Some(id) = &refusal.debug_id {
        text.push_str(" (debug id ");
        text.extend(id.chars().take(40));
        text.push(')');
    }
    crate::redact::text(text.trim_start())
}

fn unknown(answer: &HttpAnswer, why: UnknownReason) -> Outcome {
    Outcome::Unknown(Unknown { why, retry_after: retry_after(answer) })
}

fn retry_after(answer: &HttpAnswer) -> Option<Duration> {
    answer.retry_after_seconds().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

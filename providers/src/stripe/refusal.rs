//! Stripe's refusals: which certainly did nothing, which declined, and which prove nothing.

use std::time::Duration;

use crate::http::{HttpAnswer, Prior};
use crate::operation::{Operation, OperationKind};
use crate::outcome::{Outcome, Rejection, RejectionReason, Unknown, UnknownReason};
use crate::stripe::{facts, wire};

/// Reads an answer of 4xx or 5xx (docs.stripe.com/api/errors and idempotent requests).
///
/// | HTTP | outcome |
/// |---|---|
/// | 402, or type `card_error` | declined |
/// | 400 `idempotency_error` | rejected, alarm |
/// | 401, 403 | rejected, alarm |
/// | 404 | unknown for a query, else rejected |
/// | 409, 429 `lock_timeout` | unknown: the same key again |
/// | 429, or code `rate_limit` | rejected: the limiter stands before the work |
/// | a void of what is cancelled | unknown: a hold lapses by itself, the payment will tell |
/// | other 4xx with Stripe's envelope | rejected |
/// | 408, 424, 5xx, type `api_error`, no envelope | unknown |
///
/// After an attempt that may have been executed a refusal of this one proves nothing about that
/// one, and stays unknown; only a decline, and a plain fault found in a create, still count.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    if matches!(status, 408 | 424 | 500..=599) {
        return unknown(answer, UnknownReason::ServerError { status });
    }
    let Ok(wire::ErrorEnvelope { error }) = serde_json::from_slice(&answer.body) else {
        let problem = "it holds no error of Stripe's".to_owned();
        return unknown(answer, UnknownReason::Unreadable { status, problem });
    };
    let code = word(&error);
    if status == 402 || error.kind.as_deref() == Some("card_error") {
        return if op.is_query() || is_contradicted(&error) {
            unknown(answer, UnknownReason::ErrorInside { status, code })
        } else {
            Outcome::Declined(facts::decline(&error, None))
        };
    }
    if matches!(op, Operation::Void(_)) && carried_status(&error) == Some("canceled") {
        return unknown(answer, UnknownReason::ErrorInside { status, code });
    }
    let reason = match (status, error.kind.as_deref(), error.code.as_deref()) {
        (_, Some("api_error"), _) => return unknown(answer, UnknownReason::ServerError { status }),
        (409, _, _) | (_, _, Some("lock_timeout" | "idempotency_key_in_use")) => {
            return unknown(answer, UnknownReason::Busy { code });
        }
        (429, _, _) | (_, _, Some("rate_limit")) => RejectionReason::RateLimited,
        (401 | 403, _, _) => RejectionReason::Credentials,
        (404, _, _) if op.is_query() => return unknown(answer, UnknownReason::NotFound { code }),
        (404, _, _) => RejectionReason::NotFound,
        (_, Some("idempotency_error"), _) => RejectionReason::KeyReused,
        _ => RejectionReason::InvalidRequest,
    };
    if answer.prior == Prior::MayHaveExecuted && !stands_after_earlier_attempt(op, reason) {
        return unknown(answer, UnknownReason::AfterEarlierAttempt { status });
    }
    Outcome::Rejected(Rejection {
        reason,
        code,
        message: facts::sentence(error.message.as_deref()),
        retry_after: retry_after(answer),
    })
}

/// A create does not depend on the state of anything: had the first attempt worked, the key would
/// have given its answer again. Everything else may fail because the first attempt worked.
fn stands_after_earlier_attempt(op: &Operation, reason: RejectionReason) -> bool {
    op.is_query()
        || (op.kind() == OperationKind::Create && reason == RejectionReason::InvalidRequest)
}

/// A refusal that carries a payment whose money was taken: not to be believed either way.
fn is_contradicted(error: &wire::ApiError) -> bool {
    carried_status(error) == Some("succeeded")
}

/// How the payment stands that a refusal carries.
fn carried_status(error: &wire::ApiError) -> Option<&str> {
    let payment = error.payment_intent.as_ref().and_then(wire::Ref::object);
    payment.and_then(|it| it.status.as_deref())
}

fn unknown(answer: &HttpAnswer, why: UnknownReason) -> Outcome {
    Outcome::Unknown(Unknown { why, retry_after: retry_after(answer) })
}

fn retry_after(answer: &HttpAnswer) -> Option<Duration> {
    answer.retry_after_seconds().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

/// The most exact word of an error, cut to 100 characters.
fn word(error: &wire::ApiError) -> String {
    let word = error.code.as_deref().or(error.kind.as_deref()).unwrap_or("error");
    word.chars().take(100).collect()
}

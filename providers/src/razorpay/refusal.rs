//! Razorpay's refusals: which certainly did nothing, and which prove nothing.

use std::time::Duration;

use crate::http::{HttpAnswer, Prior};
use crate::operation::Operation;
use crate::outcome::{Outcome, Rejection, RejectionReason, Unknown, UnknownReason};
use crate::razorpay::{facts, wire};

/// What a refusal of 400 means. Its code is `BAD_REQUEST_ERROR` whatever the matter is, so the
/// description tells; compared in lower case, the first that occurs counts.
///
/// Documented with the calls: orders/create, payments/capture, refunds, errors/common, errors/x.
const DESCRIPTIONS: &[(&str, Meaning)] = &[
    ("different request with the same idempotency key", Meaning::No(RejectionReason::KeyReused)),
    ("different request body sent for the same", Meaning::No(RejectionReason::KeyReused)),
    ("operation is in progress", Meaning::Busy),
    ("still in progress", Meaning::Busy),
    ("duplicate request", Meaning::DoneBefore),
    ("already captured", Meaning::DoneBefore),
    ("already been captured", Meaning::DoneBefore),
    ("api key provided is invalid", Meaning::No(RejectionReason::Credentials)),
    ("this ip are not allowed", Meaning::No(RejectionReason::Credentials)),
    ("authentication failed", Meaning::No(RejectionReason::Credentials)),
    ("id provided does not exist", Meaning::No(RejectionReason::NotFound)),
];

/// What a refusal means.
#[derive(Clone, Copy)]
enum Meaning {
    /// Nothing was done.
    No(RejectionReason),
    /// The thing is being worked on.
    Busy,
    /// It was done, by us or by somebody else: the thing itself must be read.
    DoneBefore,
}

/// Reads an answer of 4xx or 5xx (razorpay.com/docs/errors). The status goes before the body: 409
/// and 429 have the code of any wrong request inside.
///
/// | HTTP | outcome |
/// |---|---|
/// | 5xx, 408, 424, code `GATEWAY_ERROR` or `SERVER_ERROR`, no envelope | unknown |
/// | 401, 403 | rejected, alarm |
/// | 404, 400 "id … does not exist" | unknown for a query, else rejected |
/// | 409 "different request …" | rejected, alarm |
/// | 409 else, 400 "… in progress" | unknown: the same again later |
/// | 429 | rejected: the limiter stands before the work |
/// | 400 for a receipt that is taken, a payment that is captured | unknown: look it up |
/// | other 4xx with an envelope | rejected |
///
/// After an attempt that may have been executed no refusal proves anything about that one. Nothing
/// here is a decline: the customer is declined in the checkout.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    if matches!(status, 408 | 424 | 500..=599) {
        return unknown(answer, UnknownReason::ServerError { status });
    }
    let Ok(wire::ErrorEnvelope { error }) = serde_json::from_slice(&answer.body) else {
        let problem = "it holds no error of Razorpay's".to_owned();
        return unknown(answer, UnknownReason::Unreadable { status, problem });
    };
    if matches!(error.code.as_deref(), Some("GATEWAY_ERROR" | "SERVER_ERROR")) {
        return unknown(answer, UnknownReason::ServerError { status });
    }
    let code = word(&error);
    let reason = match meaning(status, error.description.as_deref()) {
        Meaning::Busy => return unknown(answer, UnknownReason::Busy { code }),
        Meaning::DoneBefore => {
            return unknown(answer, UnknownReason::AfterEarlierAttempt { status });
        }
        Meaning::No(RejectionReason::NotFound) if op.is_query() => {
            return unknown(answer, UnknownReason::NotFound { code });
        }
        Meaning::No(reason) => reason,
    };
    if answer.prior == Prior::MayHaveExecuted && !op.is_query() {
        let why = match reason {
            // Named all the same: it is a bug of ours that somebody must see.
            RejectionReason::KeyReused => {
                UnknownReason::ErrorInside { status, code: reason.as_str().to_owned() }
            }
            _ => UnknownReason::AfterEarlierAttempt { status },
        };
        return unknown(answer, why);
    }
    Outcome::Rejected(Rejection {
        reason,
        code,
        message: facts::sentence(error.description.as_deref()),
        retry_after: retry_after(answer),
    })
}

fn meaning(status: u16, description: Option<&str>) -> Meaning {
    let text = description.unwrap_or_default().to_ascii_lowercase();
    let told = DESCRIPTIONS.iter().find(|(part, _)| text.contains(part)).map(|(_, it)| *it);
    match (status, told) {
        (401 | 403, _) => Meaning::No(RejectionReason::Credentials),
        (404, _) => Meaning::No(RejectionReason::NotFound),
        (429, _) => Meaning::No(RejectionReason::RateLimited),
        (409, Some(Meaning::No(RejectionReason::KeyReused))) => {
            Meaning::No(RejectionReason::KeyReused)
        }
        (409, _) => Meaning::Busy,
        (_, Some(told)) => told,
        _ => Meaning::No(RejectionReason::InvalidRequest),
    }
}

fn unknown(answer: &HttpAnswer, why: UnknownReason) -> Outcome {
    Outcome::Unknown(Unknown { why, retry_after: retry_after(answer) })
}

fn retry_after(answer: &HttpAnswer) -> Option<Duration> {
    answer.retry_after_seconds().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

/// The most exact word of an error, cut to 100 characters.
fn word(error: &wire::ApiError) -> String {
    let reason = wire::word(error.reason.as_deref());
    let word = reason.or(wire::word(error.code.as_deref())).unwrap_or("error");
    word.chars().take(100).collect()
}

//! PayTabs' refusals: which certainly did nothing, and which prove nothing.

use std::time::Duration;

use crate::http::{HttpAnswer, Prior};
use crate::operation::Operation;
use crate::outcome::{Outcome, Rejection, RejectionReason, Unknown, UnknownReason};
use crate::paytabs::{facts, wire};

/// Reads an answer of 4xx or 5xx (paytabscom/php-sdk, `Failure`): `{code, message, trace}`.
///
/// | HTTP | code | outcome |
/// |---|---|---|
/// | 5xx, 408; any | 400: a temporary fault inside | unknown |
/// | any | none: no envelope of PayTabs' | unknown |
/// | 409; any | 4: the same request within two minutes | unknown: ask by our reference |
/// | 401, 403; any | 1 | rejected, alarm: key, profile or region |
/// | 404 | | unknown for a query, else rejected |
/// | 429 | | rejected |
/// | other 4xx | 2, 206, … | rejected |
///
/// After an attempt that may have been executed no refusal proves anything about that one. A
/// decline is no refusal: it is answered 200.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Outcome {
    let status = answer.status;
    if matches!(status, 408 | 500..=599) {
        return unknown(answer, UnknownReason::ServerError { status });
    }
    let failure = serde_json::from_slice::<wire::Failure>(&answer.body).ok();
    let Some((failure, code)) =
        failure.as_ref().and_then(|failure| Some((failure, failure.error()?)))
    else {
        let problem = "it holds no error of PayTabs'".to_owned();
        return unknown(answer, UnknownReason::Unreadable { status, problem });
    };
    let told: String = code.chars().take(100).collect();
    let reason = match (status, code) {
        (_, "400") => return unknown(answer, UnknownReason::ServerError { status }),
        (409, _) | (_, "4") => return unknown(answer, UnknownReason::Busy { code: told }),
        (401 | 403, _) | (_, "1") => RejectionReason::Credentials,
        (404, _) if op.is_query() => {
            return unknown(answer, UnknownReason::NotFound { code: told });
        }
        (404, _) => RejectionReason::NotFound,
        (429, _) => RejectionReason::RateLimited,
        _ => RejectionReason::InvalidRequest,
    };
    if answer.prior == Prior::MayHaveExecuted && !op.is_query() {
        return unknown(answer, UnknownReason::AfterEarlierAttempt { status });
    }
    Outcome::Rejected(Rejection {
        reason,
        code: told,
        message: facts::sentence(failure.message.as_deref()),
        retry_after: retry_after(answer),
    })
}

fn unknown(answer: &HttpAnswer, why: UnknownReason) -> Outcome {
    Outcome::Unknown(Unknown { why, retry_after: retry_after(answer) })
}

fn retry_after(answer: &HttpAnswer) -> Option<Duration> {
    answer.retry_after_seconds().map(|seconds| Duration::from_secs(u64::from(seconds)))
}

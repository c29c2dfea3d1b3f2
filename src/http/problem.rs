//! Problems as RFC 9457 describes them: one shape for every refusal and every failure.

use std::error::Error;
use std::fmt;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use mizan_money::RequestId;
use serde::Serialize;
use utoipa::ToSchema;

use super::code::{Again, Code, Keep};
use crate::db::{Retry, Retryable};

/// The media type of every problem.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// How long to wait when nothing better is known.
const RETRY_AFTER_SECONDS: u32 = 1;

/// A refusal or a failure, as a handler returns it. The request id is added on the way out.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    param: Option<String>,
    decline_code: Option<String>,
    retry_after: Option<u32>,
    retry: Retry,
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Where the code is explained, relative to this service.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "/problems/amount_exceeds_rest")]
    pub type_: String,
    /// The same sentence for every occurrence.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// What happened this time and how to go on, with names and figures.
    pub detail: String,
    /// The stable name of the reason.
    #[schema(example = "amount_exceeds_rest")]
    pub code: &'static str,
    /// The field or parameter that is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// For finding the call in the logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// Why a bank declined, where it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
}

impl Problem {
    /// A problem with what happened this time: names, figures and the way out.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            param: None,
            decline_code: None,
            retry_after: (code.again() == Again::Later).then_some(RETRY_AFTER_SECONDS),
            retry: Retry::Never,
        }
    }

    /// The answer to an id that is unknown, malformed or somebody else's: always the same.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "There is no such object here for this API key.")
    }

    /// A failure of ours. The chain of causes goes to the log, none of it to the caller.
    #[must_use]
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = %Chain(error), "internal error");
        Self::new(Code::Internal, "The cause was logged under this request's id.")
    }

    /// Names the field or parameter that is meant.
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Adds the gateway's reason for a decline, in our words.
    #[must_use]
    pub fn decline_code(mut self, code: impl Into<String>) -> Self {
        self.decline_code = Some(code.into());
        self
    }

    /// Says how many seconds to wait before the same request is sent again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Marks a problem whose transaction may be run again before anybody is told.
    #[must_use]
    pub(crate) const fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// The reason.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What happened this time.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Whether it is kept under the request's idempotency key.
    #[must_use]
    pub const fn keep(&self) -> Keep {
        self.code.keep()
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self, request_id: Option<RequestId>) -> ProblemBody {
        ProblemBody {
            type_: format!("/problems/{}", self.code.as_str()),
            title: self.code.title(),
            status: self.status().as_u16(),
            detail: self.detail.clone(),
            code: self.code.as_str(),
            param: self.param.clone(),
            request_id,
            retryable: self.code.again() == Again::Later,
            decline_code: self.decline_code.clone(),
        }
    }

    /// The whole answer to the request `request_id`.
    #[must_use]
    pub fn respond(&self, request_id: Option<RequestId>) -> Response {
        let mut response = (self.status(), Json(self.body(request_id))).into_response();
        self.decorate(&mut response);
        response
    }

    fn decorate(&self, response: &mut Response) {
        let mut set = |name: HeaderName, value: HeaderValue| {
            response.headers_mut().insert(name, value);
        };
        set(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.retry_after {
            set(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if matches!(self.code, Code::ApiKeyMissing | Code::ApiKeyInvalid) {
            set(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"mizan\""));
        }
    }
}

impl IntoResponse for Problem {
    /// The problem also travels in the extensions, so that the way out can add the request id.
    fn into_response(self) -> Response {
        let mut response = self.respond(None);
        response.extensions_mut().insert(self);
        response
    }
}

impl Retryable for Problem {
    fn retry(&self) -> Retry {
        self.retry
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl Error for Problem {}

/// An error and its causes on one line, each said once.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_problem_says_what_where_and_how_to_go_on() {
        let problem = Problem::new(Code::AmountExceedsRest, "52.50 AED are left to refund.")
            .param("amount")
            .respond(Some("req_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c".parse().unwrap()));
        assert_eq!(problem.status(), 409);
        assert_eq!(problem.headers()["content-type"], "application/problem+json");
        assert!(!problem.headers().contains_key("retry-after"));
        let body = Problem::new(Code::AmountExceedsRest, "52.50 AED are left to refund.")
            .param("amount")
            .body(None);
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            serde_json::json!({
                "type": "/problems/amount_exceeds_rest",
                "title": "More than what is left",
                "status": 409,
                "detail": "52.50 AED are left to refund.",
                "code": "amount_exceeds_rest",
                "param": "amount",
                "retryable": false,
            })
        );
    }

    #[test]
    fn a_caller_without_a_key_is_told_how_to_send_one() {
        let response = Problem::new(Code::ApiKeyMissing, "No key came along.").into_response();
        assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"mizan\"");
    }

    #[test]
    fn what_may_be_sent_again_says_when() {
        let response = Problem::new(Code::Unavailable, "Away.").retry_after(2).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
    }
}

//! One call while it runs: its attempts, whether one more may be made, and what it came to.

use std::time::Duration;

use super::{Attempt, redact};
use crate::error::SendError;
use crate::http::{HttpAnswer, HttpRequest, Prior, Replay};

/// What is known of a call while it runs.
pub(super) struct Call {
    pub last: Option<Result<HttpAnswer, SendError>>,
    pub prior: Prior,
    pub attempts: Vec<Attempt>,
}

impl Call {
    pub fn record(&mut self, mut result: Result<HttpAnswer, SendError>) {
        self.attempts.push(Attempt::of(&result));
        if let Ok(answer) = &mut result {
            answer.prior = self.prior;
        }
        self.last = Some(result);
    }

    /// Gives up the last result for a new attempt, remembering whether it may have done the work.
    pub fn begin_again(&mut self) {
        let executed = match self.last.take() {
            Some(Ok(answer)) => answer.status != 429,
            Some(Err(error)) => !error.is_before_send(),
            None => true,
        };
        if executed {
            self.prior = Prior::MayHaveExecuted;
        }
    }

    /// The result. "Not sent" is only true when no earlier attempt may have arrived.
    pub fn finish(self) -> Result<HttpAnswer, SendError> {
        let none = SendError::Broken { problem: "no attempt was made".to_owned() };
        match self.last.unwrap_or(Err(none)) {
            Err(SendError::BeforeSend { problem }) if self.prior == Prior::MayHaveExecuted => {
                Err(SendError::Broken { problem })
            }
            result => result,
        }
    }
}

impl Attempt {
    fn of(result: &Result<HttpAnswer, SendError>) -> Self {
        match result {
            Ok(answer) => Self {
                status: Some(answer.status),
                headers: redact::headers(&answer.headers),
                body: Some(redact::body(&answer.body)),
                problem: None,
            },
            Err(error) => Self {
                status: None,
                headers: Vec::new(),
                body: None,
                problem: Some(error.to_string()),
            },
        }
    }
}

pub(super) fn may_repeat(request: &HttpRequest, result: &Result<HttpAnswer, SendError>) -> bool {
    let repeatable = request.replay != Replay::Once;
    match result {
        Err(SendError::BeforeSend { .. }) => true,
        Err(SendError::Broken { .. }) => repeatable,
        Err(SendError::TimedOut { .. } | SendError::TooLarge { .. }) => false,
        Ok(answer) if answer.status < 400 => false,
        Ok(answer) => {
            let said = request.retry_header.and_then(|name| answer.headers.get(name));
            let by_status = matches!(answer.status, 409 | 424 | 429 | 500..=599);
            repeatable
                && match said {
                    Some("true") => true,
                    Some("false") => false,
                    _ => by_status,
                }
        }
    }
}

pub(super) fn retry_after(result: &Result<HttpAnswer, SendError>) -> Option<Duration> {
    let seconds = result.as_ref().ok()?.retry_after_seconds()?;
    Some(Duration::from_secs(u64::from(seconds)))
}

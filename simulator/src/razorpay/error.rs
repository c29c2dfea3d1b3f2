//! Razorpay's error envelope. `NA` stands where nothing applies.

use serde_json::{Value, json};

use crate::bank::wire::Answer;

/// A refusal, ready to be written.
#[derive(Clone, Debug)]
pub struct Error {
    status: u16,
    code: &'static str,
    description: String,
    field: Option<String>,
    reason: &'static str,
}

impl Error {
    fn new(status: u16, code: &'static str, description: &str) -> Self {
        let description = description.to_owned();
        Self { status, code, description, field: None, reason: "NA" }
    }

    /// 400: a field that cannot be used.
    pub fn field(field: &str, description: &str) -> Self {
        let refusal = Self::new(400, "BAD_REQUEST_ERROR", description);
        Self { field: Some(field.to_owned()), reason: "input_validation_failed", ..refusal }
    }

    /// 400: the state of things does not allow it.
    pub fn state(description: &str) -> Self {
        Self::new(400, "BAD_REQUEST_ERROR", description)
    }

    /// 400: an id that nothing has; also the answer when test and live are mixed up.
    pub fn missing() -> Self {
        Self::state("The id provided does not exist")
    }

    /// 401: the key pair is wrong.
    pub fn unauthorised() -> Self {
        Self::new(401, "BAD_REQUEST_ERROR", "The api key provided is invalid")
    }

    /// 404: there is no such address.
    pub fn unknown_path() -> Self {
        let text = "The requested URL was not found on the server";
        Self::new(404, "BAD_REQUEST_ERROR", text)
    }

    /// 409: the idempotency key is in the way; the code stays the one of a bad request.
    pub fn conflict(description: &str) -> Self {
        Self::new(409, "BAD_REQUEST_ERROR", description)
    }

    /// 429; the code is the one of a bad request, so only the status tells.
    pub fn too_many_requests() -> Self {
        Self::new(429, "BAD_REQUEST_ERROR", "Too many requests")
    }

    /// 500 and 503.
    pub fn server(status: u16) -> Self {
        let text = "We are facing some trouble completing your request at the moment. \
                    Please try again shortly.";
        Self::new(status, "SERVER_ERROR", text)
    }

    /// As an answer, which no idempotency key keeps.
    pub fn answer(&self) -> Answer {
        let applies = self.field.is_some();
        let or = |word: &'static str| if applies { word } else { "NA" };
        let mut error = json!({
            "code": self.code,
            "description": self.description,
            "source": or("business"),
            "step": or("payment_initiation"),
            "reason": self.reason,
            "metadata": {},
        });
        if let Some(field) = &self.field {
            error["field"] = Value::from(field.as_str());
        }
        Answer::json(self.status, &json!({ "error": error })).not_kept()
    }
}

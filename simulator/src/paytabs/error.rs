//! PayTabs' error envelope: code, message, trace. Only a code above zero is an error.

use serde_json::json;

use crate::bank::wire::Answer;

/// A refusal, ready to be written.
#[derive(Clone, Debug)]
pub struct Error {
    status: u16,
    code: u16,
    message: String,
}

impl Error {
    fn new(status: u16, code: u16, message: &str) -> Self {
        Self { status, code, message: message.to_owned() }
    }

    /// 401: the key, the profile, or the region of the key is wrong.
    pub fn unauthorised() -> Self {
        Self::new(401, 1, "Authentication failed. Check authentication header.")
    }

    /// 400: a field is missing or cannot be used. The wording is not PayTabs' own.
    pub fn field(name: &str) -> Self {
        Self::new(400, 2, &format!("Invalid request. Check {name}."))
    }

    /// 400: a currency that PayTabs does not take, or not the one of the original.
    pub fn currency() -> Self {
        Self::new(400, 206, "Invalid currency code")
    }

    /// 409: the same request was made less than two minutes ago, with whatever result.
    pub fn duplicate() -> Self {
        Self::new(409, 4, "Duplicate Request")
    }

    /// 404: there is no such address. No source says how PayTabs puts it.
    pub fn unknown_path() -> Self {
        Self::new(404, 2, "Invalid request. There is nothing at this address.")
    }

    /// 413: more than any request has.
    pub fn too_large() -> Self {
        Self::new(413, 2, "Invalid request. The body is too large.")
    }

    /// 429. No source says what its body is.
    pub fn too_many_requests() -> Self {
        Self::new(429, 2, "Too many requests")
    }

    /// 500 and 503: code 400 is PayTabs' own temporary failure, after which nothing is known.
    pub fn internal(status: u16) -> Self {
        Self::new(status, 400, "Internal error. Try again later.")
    }

    /// As an answer.
    pub fn answer(&self, trace: &str) -> Answer {
        let body = json!({ "code": self.code, "message": self.message, "trace": trace });
        Answer::json(self.status, &body).not_kept()
    }
}

//! Stripe's error envelope.

use serde_json::{Map, Value, json};

/// Whether the refused request had begun to be executed: only then is its answer kept for the
/// idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Refused at the door.
    Validation,
    /// Refused by the state of things.
    Execution,
}

/// A refusal, ready to be written.
#[derive(Clone, Debug)]
pub struct StripeError {
    /// The HTTP status.
    pub status: u16,
    /// When it was refused.
    pub stage: Stage,
    fields: Map<String, Value>,
}

impl StripeError {
    fn new(status: u16, stage: Stage, kind: &str, message: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("type".to_owned(), kind.into());
        fields.insert("message".to_owned(), message.into());
        Self { status, stage, fields }
    }

    /// A parameter that cannot be used.
    pub fn param(param: &str, code: &str, message: &str) -> Self {
        let refusal = Self::new(400, Stage::Validation, "invalid_request_error", message);
        refusal.with("param", param).with("code", code)
    }

    /// A request that cannot be used, without a code.
    pub fn invalid(message: &str) -> Self {
        Self::new(400, Stage::Validation, "invalid_request_error", message)
    }

    /// A request that the state of things does not allow.
    pub fn state(code: &str, message: &str) -> Self {
        Self::new(400, Stage::Execution, "invalid_request_error", message).with("code", code)
    }

    /// Nothing is answered for now.
    pub fn down() -> Self {
        Self::new(503, Stage::Validation, "api_error", "The service is down for now.")
    }

    /// The caller asks too often.
    pub fn too_many_requests() -> Self {
        let message = "Too many requests: slow down.";
        Self::new(429, Stage::Validation, "invalid_request_error", message)
            .with("code", "rate_limit")
    }

    /// An amount that is more than what is there.
    pub fn too_much(message: &str) -> Self {
        let refusal = Self::new(400, Stage::Execution, "invalid_request_error", message);
        refusal.with("param", "amount")
    }

    /// An object that does not exist, named by a parameter (400) or by the path (404).
    pub fn missing(status: u16, noun: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {noun}: '{id}'");
        let refusal = Self::new(status, Stage::Execution, "invalid_request_error", &message);
        refusal.with("code", "resource_missing").with("param", param)
    }

    /// No such address.
    pub fn unknown_path(method: &str, path: &str) -> Self {
        let message = format!("There is no such request address here: {method} {path}");
        Self::new(404, Stage::Validation, "invalid_request_error", &message)
    }

    /// No key, or not this account's.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(401, Stage::Validation, "invalid_request_error", message)
    }

    /// The body is larger than anything this API takes.
    pub fn too_large() -> Self {
        let message = "The request body is too large.";
        Self::new(413, Stage::Validation, "invalid_request_error", message)
    }

    /// The card network said no.
    pub fn card(error: Map<String, Value>) -> Self {
        Self { status: 402, stage: Stage::Execution, fields: error }
    }

    /// The same key for another request.
    pub fn key_mismatch() -> Self {
        let message = "This idempotency key was used with another address or other parameters.";
        Self::new(400, Stage::Validation, "idempotency_error", message)
    }

    /// The same key, and the first request is still running.
    pub fn key_in_use() -> Self {
        let message = "Another request with this idempotency key is still in progress.";
        let refusal = Self::new(409, Stage::Validation, "idempotency_error", message);
        refusal.with("code", "idempotency_key_in_use")
    }

    /// Something broke on the gateway's side.
    pub fn internal() -> Self {
        Self::new(500, Stage::Execution, "api_error", "An unknown error occurred")
    }

    /// The same refusal, made by the state of things.
    pub fn by_state(self) -> Self {
        Self { stage: Stage::Execution, ..self }
    }

    /// Adds one field to the envelope.
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(field.to_owned(), value.into());
        self
    }

    /// The envelope, with the page that explains the code.
    pub fn envelope(&self) -> Value {
        let mut fields = self.fields.clone();
        if let Some(code) = fields.get("code").and_then(Value::as_str) {
            let page = code.replace('_', "-");
            let page = format!("https://stripe.com/docs/error-codes/{page}");
            fields.insert("doc_url".to_owned(), page.into());
        }
        json!({ "error": fields })
    }
}

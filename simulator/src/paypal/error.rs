//! PayPal's error envelope, and the other one of the token call.

use serde_json::{Value, json};

use crate::bank::request::Request;
use crate::bank::wire::Answer;

const INVALID: &str = "Request is not well-formed, syntactically incorrect, or violates schema.";
const UNPROCESSABLE: &str = "The requested action could not be performed, semantically \
                             incorrect, or failed business validation.";
const DEBUG_ID_CHARS: usize = 13;

/// A refusal, ready to be written.
#[derive(Clone, Debug)]
pub struct Error {
    status: u16,
    name: &'static str,
    message: &'static str,
    details: Vec<Value>,
    links: Vec<Value>,
    /// The whole body where it is not the envelope.
    instead: Option<Value>,
}

impl Error {
    fn new(status: u16, name: &'static str, message: &'static str) -> Self {
        let (details, links) = (Vec::new(), Vec::new());
        Self { status, name, message, details, links, instead: None }
    }

    fn because(mut self, issue: &str, description: &str) -> Self {
        self.details.push(json!({ "issue": issue, "description": description }));
        self
    }

    /// 400: a field that cannot be read.
    pub fn invalid(issue: &str, field: &str, description: &str) -> Self {
        Self::new(400, "INVALID_REQUEST", INVALID).because(issue, description).at(field)
    }

    /// 400: a field that must be there.
    pub fn missing_field(field: &str) -> Self {
        let text = "A required field / parameter is missing.";
        Self::invalid("MISSING_REQUIRED_PARAMETER", field, text)
    }

    /// 400: a field with a word that it cannot have.
    pub fn unknown_value(field: &str) -> Self {
        let text = "The value of a field is invalid.";
        Self::invalid("INVALID_PARAMETER_VALUE", field, text)
    }

    /// 400: a text that is too long.
    pub fn too_long(field: &str) -> Self {
        let text = "The value of a field is either too short or too long.";
        Self::invalid("INVALID_STRING_LENGTH", field, text)
    }

    /// 422: understood, and not done.
    pub fn issue(issue: &str, description: &str) -> Self {
        Self::new(422, "UNPROCESSABLE_ENTITY", UNPROCESSABLE).because(issue, description)
    }

    /// 400 with a name of its own, as payouts have it.
    pub fn named(name: &'static str, message: &'static str) -> Self {
        Self::new(400, name, message)
    }

    /// With a field and what is wrong with it, as payouts say it.
    pub fn reason(mut self, issue: &str, field: &str) -> Self {
        self.details.push(json!({ "field": field, "location": "body", "issue": issue }));
        self
    }

    /// 404: an id that nothing has.
    pub fn missing() -> Self {
        let text = "Specified resource ID does not exist. Please check the resource ID and try \
                    again.";
        let message = "The specified resource does not exist.";
        Self::new(404, "RESOURCE_NOT_FOUND", message).because("INVALID_RESOURCE_ID", text)
    }

    /// 401: the access token is unknown or too old.
    pub fn unauthorised() -> Self {
        let message = "Authentication failed due to invalid authentication credentials or a \
                       missing Authorization header.";
        Self::new(401, "AUTHENTICATION_FAILURE", message)
    }

    /// The token call's own envelope.
    pub fn token(status: u16, error: &str, description: &str) -> Self {
        let body = json!({ "error": error, "error_description": description });
        Self { instead: Some(body), ..Self::new(status, "", "") }
    }

    /// 409: a request with the same id is running.
    pub fn in_progress() -> Self {
        let message = "The server has detected a conflict while processing this request.";
        let text = "A previous request on this resource is currently in progress. Please wait \
                    for sometime and try again.";
        let refusal = Self::new(409, "RESOURCE_CONFLICT", message);
        refusal.because("PREVIOUS_REQUEST_IN_PROGRESS", text)
    }

    /// 415: the body is not JSON, and says so.
    pub fn media_type() -> Self {
        let message = "The server does not support the request payload's media type.";
        Self::new(415, "UNSUPPORTED_MEDIA_TYPE", message)
    }

    /// 429.
    pub fn too_many_requests() -> Self {
        let message = "Too many requests. Blocked due to rate limiting.";
        Self::new(429, "RATE_LIMIT_REACHED", message)
    }

    /// 500 and 503.
    pub fn server(status: u16) -> Self {
        match status {
            503 => Self::new(503, "SERVICE_UNAVAILABLE", "Service Unavailable."),
            _ => {
                let message = "An internal server error has occurred.";
                Self::new(500, "INTERNAL_SERVER_ERROR", message)
            }
        }
    }

    /// Where in the body it is.
    pub fn at(mut self, field: &str) -> Self {
        if let Some(detail) = self.details.last_mut() {
            detail["field"] = field.into();
            detail["location"] = "body".into();
        }
        self
    }

    /// With an address to go to.
    pub fn link(mut self, rel: &str, href: &str) -> Self {
        self.links.push(json!({ "href": href, "rel": rel, "method": "GET" }));
        self
    }

    /// Whether this issue is among its reasons.
    #[cfg(test)]
    pub fn names(&self, issue: &str) -> bool {
        self.details.iter().any(|detail| detail["issue"] == issue)
    }

    /// As an answer, which is remembered for no request id.
    pub fn answer(&self, request: &Request) -> Answer {
        let debug_id = debug_id(request);
        let body = self.instead.clone().unwrap_or_else(|| {
            let issue = self.details.first().and_then(|detail| detail["issue"].as_str());
            let mut links = self.links.clone();
            if let (Some(issue), true) = (issue, links.is_empty() && self.status == 422) {
                let part = request.segments().get(1).copied().unwrap_or_default();
                let api = if part == "checkout" { "orders" } else { part };
                let page = "https://developer.paypal.com/docs/api";
                let href = format!("{page}/{api}/v2/#error-{issue}");
                let rel = "information_link";
                links.push(json!({ "href": href, "rel": rel, "method": "GET" }));
            }
            json!({
                "name": self.name, "message": self.message, "debug_id": debug_id,
                "details": self.details, "links": links,
            })
        });
        Answer::json(self.status, &body).not_kept().header("paypal-debug-id", &debug_id)
    }
}

/// What PayPal's support asks for; here the same request has the same one.
pub fn debug_id(request: &Request) -> String {
    request.fingerprint().chars().take(DEBUG_ID_CHARS).collect()
}

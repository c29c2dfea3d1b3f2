//! Recorded exchanges and deliveries, checked: what an adapter makes of them, file by file.
//!
//! Three forms are read: a body with its `NAME.headers.json` beside it (a delivery); an envelope
//! with a `message`, or a `response` and perhaps its `request`, and the `config` the receiver
//! had; and a plain object of a gateway, taken for the answer to a query about it.

mod envelope;
mod verdict;

use std::path::Path;
use std::sync::Arc;

use mizan_money::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use crate::error::TranslateError;
use crate::event::ProviderEvent;
use crate::http::{Headers, HttpAnswer};
use crate::inspect::{InspectedEvent, Inspection};
use crate::model::ProviderName;
use crate::operation::Operation;
use crate::paypal::Paypal;
use crate::provider::{Provider, Recorded, WebhookKeys};
use crate::registry::webhook_reader;

pub use verdict::{OutcomeView, Verdict};

/// A recording, as it was read from files.
#[derive(Debug, Clone)]
pub struct Recording<'a> {
    /// The file's path, which may say the gateway and the status code.
    pub path: &'a Path,
    /// The file.
    pub bytes: &'a [u8],
    /// The file with the headers, where one stands beside it.
    pub headers: Option<&'a [u8]>,
}

/// Why a recording says nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Neither the file nor its folder names a gateway.
    #[error("no gateway is named: neither in the file nor by its folder")]
    NoProvider,
    /// Not JSON of a form that is known.
    #[error("it is no recording: {problem}")]
    Form {
        /// What is wrong with it.
        problem: String,
    },
}

pub(crate) fn form(problem: impl ToString) -> CheckError {
    CheckError::Form { problem: problem.to_string() }
}

/// What a delivery was sent with, and what its receiver had.
pub(crate) struct Message {
    pub headers: Headers,
    pub body: Vec<u8>,
    pub secrets: Vec<SecretString>,
    pub certificates: Vec<String>,
    pub roots: Vec<String>,
    pub at: Option<Timestamp>,
}

/// Checks one recording, as of `now` where it does not say its own time.
///
/// # Errors
/// When it is no recording.
pub fn check(recording: &Recording<'_>, now: Timestamp) -> Result<Verdict, CheckError> {
    let file = recording.path.display().to_string();
    if let Some(headers) = recording.headers {
        let (name, message) = envelope::beside(recording, headers)?;
        return Ok(Verdict::of_message(file, name, judge(name, &message, now)?));
    }
    let read: Value = serde_json::from_slice(recording.bytes)
        .map_err(|error| form(format!("not JSON at line {}", error.line())))?;
    if !envelope::is_envelope(&read) {
        let name = envelope::provider_of(recording.path, None)?;
        let answer = HttpAnswer::new(
            envelope::status_of(recording.path),
            Headers::new().with("content-type", "application/json"),
            recording.bytes,
        );
        let kind = envelope::stem(recording.path);
        let recorded = Recorded { kind, request: None, answer, wanted: None };
        return Ok(Verdict::of_answer(file, name, outcome(name, &recorded)));
    }
    let name = envelope::provider_of(recording.path, Some(&read))?;
    if let Some(message) = envelope::message(&read)? {
        return Ok(Verdict::of_message(file, name, judge(name, &message, now)?));
    }
    match envelope::exchange(&read)? {
        Some(recorded) => Ok(Verdict::of_answer(file, name, outcome(name, &recorded))),
        None => Ok(Verdict::of_request(file, name)),
    }
}

fn outcome(name: ProviderName, recorded: &Recorded) -> Option<OutcomeView> {
    let reader = webhook_reader(name);
    let op: Operation = reader.recognise(recorded)?;
    let outcome = reader.parse(&op, &recorded.answer);
    Some(OutcomeView::new(reader.as_ref(), &op, &outcome))
}

/// Whether a delivery is believed, and what it says. One whose receiver had nothing to verify it
/// with is translated all the same, and nothing is said of its signature.
fn judge(
    name: ProviderName,
    message: &Message,
    now: Timestamp,
) -> Result<(Option<bool>, Inspection), CheckError> {
    let reader = reader(name, &message.roots)?;
    let keys = WebhookKeys { secrets: &message.secrets, certificates: &message.certificates };
    let at = message.at.unwrap_or(now);
    if message.secrets.is_empty() {
        return Ok((None, translated(name, reader.events(&message.body))));
    }
    let named = reader.certificate_url(&message.headers);
    let inspection = match named {
        Err(error) => Inspection::refused(&error),
        Ok(_) => crate::inspect(reader.as_ref(), &message.headers, &message.body, keys, at),
    };
    Ok((Some(inspection.verified), inspection))
}

/// A reader that trusts what the receiver trusted.
fn reader(name: ProviderName, roots: &[String]) -> Result<Arc<dyn Provider>, CheckError> {
    match name {
        ProviderName::Paypal if !roots.is_empty() => {
            Ok(Arc::new(Paypal::webhook_reader().trusting(roots).map_err(form)?))
        }
        other => Ok(webhook_reader(other)),
    }
}

/// What a delivery says whose receiver had nothing to verify it with.
fn translated(
    name: ProviderName,
    events: Result<Vec<ProviderEvent>, TranslateError>,
) -> Inspection {
    let (reason, events) = match events {
        Ok(events) => (None, events),
        Err(error) => (Some(error.to_string()), Vec::new()),
    };
    let own = events.first().map(|event| event.id.as_str());
    let dedupe_id = own.map(|id| match name {
        // Its ids are told from others' by the name in front.
        ProviderName::Paypal if !id.starts_with("paypal:") => format!("paypal:{id}"),
        _ => id.to_owned(),
    });
    let events = events.iter().map(InspectedEvent::from).collect();
    Inspection { verified: false, reason, dedupe_id, events }
}

//! PayTabs' messages as our events. Callback and IPN tell the same in the same words: a
//! transaction, as it is now.

use chrono::DateTime;
use mizan_money::Timestamp;

use crate::error::TranslateError;
use crate::event::{EventKind, EventSubject, Mode, OtherEvent, ProviderEvent};
use crate::model::{PaymentStatus, ProviderRef};
use crate::paytabs::facts::{self, FactError};
use crate::paytabs::signature::returned;
use crate::paytabs::status;
use crate::paytabs::wire::{Head, Transaction};
use crate::signature::digest_id;

/// How references of a test profile begin (seen in samples, documented nowhere).
const TEST_PREFIX: &str = "TST";
/// What a browser's return is called.
const RETURN: &str = "return";

/// Translates a believed body; of another profile than ours none is.
pub(super) fn translate(
    profile: Option<u64>,
    body: &[u8],
) -> Result<ProviderEvent, TranslateError> {
    if let Some(fields) = returned(body) {
        let reference = fields.get("tranRef").and_then(|text| ProviderRef::parse(text).ok());
        return Ok(other(name(body), RETURN, reference));
    }
    let head: Head = serde_json::from_slice(body).map_err(|error| TranslateError::Envelope {
        problem: format!("no transaction at line {}", error.line()),
    })?;
    let id = name(body);
    let kind = head.tran_type.to_ascii_lowercase();
    let reference = head.tran_ref.as_deref().and_then(|text| ProviderRef::parse(text).ok());
    if status::event(&kind) == EventKind::Other {
        return Ok(other(id, &kind, reference));
    }
    let it: Transaction = serde_json::from_slice(body).map_err(|_| TranslateError::Object {
        event_type: kind.clone(),
        problem: "it lacks a field or has one of another type".to_owned(),
    })?;
    let unusable = |error: FactError| TranslateError::Object {
        event_type: kind.clone(),
        problem: error.to_string(),
    };
    let (subject, theirs) = subject(&kind, &it).map_err(unusable)?;
    if let (Some(ours), Some(theirs)) = (profile, theirs)
        && ours.to_string() != theirs
    {
        let problem = "it is of another profile than ours".to_owned();
        return Err(TranslateError::Object { event_type: kind, problem });
    }
    let Some(subject) = subject else { return Ok(other(id, &kind, reference)) };
    let occurred_at = Some(time(&it).map_err(unusable)?);
    let mode = mode(reference.as_ref());
    Ok(ProviderEvent { id, event_type: kind, occurred_at, account: None, mode, subject })
}

/// The name of a delivery: reference, type and status. Callback and IPN of one event have the
/// same, each repetition has it; without one of the three it is the digest of the bytes.
pub(super) fn name(body: &[u8]) -> String {
    let named = || {
        if let Some(fields) = returned(body) {
            let reference = ProviderRef::parse(fields.get("tranRef")?.as_str()).ok()?;
            return said(&reference, RETURN, fields.get("respStatus")?);
        }
        let head: Head = serde_json::from_slice(body).ok()?;
        let reference = ProviderRef::parse(head.tran_ref?).ok()?;
        said(&reference, &head.tran_type, &head.payment_result?.response_status)
    };
    named().unwrap_or_else(|| digest_id(body))
}

fn said(reference: &ProviderRef, kind: &str, letter: &str) -> Option<String> {
    let short = |text: &str| (1..=40).contains(&text.len()) && text.is_ascii();
    let kind = kind.to_ascii_lowercase();
    (short(&kind) && short(letter)).then(|| format!("paytabs:{reference}:{kind}:{letter}"))
}

/// What a message of a kind we use is about, and the profile it names. Nothing where it changes
/// nothing: a capture or a void that did not succeed leaves the payment as it was.
fn subject(
    kind: &str,
    it: &Transaction,
) -> Result<(Option<EventSubject>, Option<String>), FactError> {
    if it.payment_result.is_none() {
        return Err(FactError::Missing { field: "payment_result" });
    }
    if status::event(kind) == EventKind::Refund {
        let told = facts::refund(it)?;
        return Ok((Some(EventSubject::Refund(Box::new(told.facts))), told.profile));
    }
    let told = facts::payment(it)?;
    let moved = match kind {
        "capture" => told.facts.status == PaymentStatus::Captured,
        "void" => told.facts.status == PaymentStatus::Cancelled,
        _ => true,
    };
    let unknown = told.facts.status == PaymentStatus::Unknown;
    let subject = EventSubject::Payment(Box::new(told.facts));
    Ok(((moved || unknown).then_some(subject), told.profile))
}

fn time(it: &Transaction) -> Result<Timestamp, FactError> {
    let text = it.payment_result.as_ref().and_then(|result| result.transaction_time.as_deref());
    let time = text.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| time.to_utc()).ok_or(FactError::Missing { field: "transaction_time" })
}

/// An event of no use, by what it says it is.
fn other(id: String, kind: &str, reference: Option<ProviderRef>) -> ProviderEvent {
    let kind: String = kind.chars().take(100).collect();
    ProviderEvent {
        id,
        event_type: kind.clone(),
        occurred_at: None,
        account: None,
        mode: mode(reference.as_ref()),
        subject: EventSubject::Other(OtherEvent { object: Some(kind), object_id: reference }),
    }
}

fn mode(reference: Option<&ProviderRef>) -> Mode {
    let test = reference.is_some_and(|it| it.as_str().starts_with(TEST_PREFIX));
    if test { Mode::Test } else { Mode::Unstated }
}

//! `PayPal-Request-Id`: a repeated call answers with what the first one made, as it is now.

use chrono::TimeDelta;
use serde_json::json;

use super::error::Error;
use super::time::{days, hours};
use crate::bank::record::Document;
use crate::bank::request::Request;
use crate::bank::wire::IdempotencyKey;
use crate::bank::work::Work;

const CHARS_MAX: usize = 108;
const HEADER: &str = "PayPal-Request-Id";

/// How long orders and the vault remember.
pub fn order_window() -> TimeDelta {
    hours(6)
}

/// How long captures, refunds and voids remember.
pub fn payment_window() -> TimeDelta {
    days(45)
}

/// How long payouts remember.
pub fn payout_window() -> TimeDelta {
    days(30)
}

/// The caller's id of the request.
pub fn id(request: &Request) -> Option<&str> {
    request.header(HEADER).filter(|id| !id.is_empty())
}

/// The id and what it is unique in.
pub fn key(request: &Request) -> Result<Option<IdempotencyKey>, Error> {
    let Some(id) = id(request).filter(|_| request.verb() == "POST") else { return Ok(None) };
    if id.len() > CHARS_MAX {
        return Err(Error::too_long(HEADER));
    }
    Ok(Some(IdempotencyKey { scope: request.uri.path().to_owned(), key: id.to_owned() }))
}

/// What a call has made.
pub struct Made {
    /// The id of it.
    pub id: String,
    /// Whether an earlier call with the same request id made it.
    pub before: bool,
}

impl Made {
    /// 201, and 200 for a repetition.
    pub fn status(&self) -> u16 {
        if self.before { 200 } else { 201 }
    }
}

/// Does it, unless the same request id did it within the window.
pub fn once(
    work: &mut Work<'_>,
    request: &Request,
    window: TimeDelta,
    make: impl FnOnce(&mut Work<'_>) -> Result<String, Error>,
) -> Result<Made, Error> {
    let Some(key) = id(request) else {
        return Ok(Made { id: make(work)?, before: false });
    };
    let known_as = format!("{} {key}", request.uri.path());
    let known = work.state.documents.get(&known_as);
    let known = known.filter(|document| document.created + window > work.now);
    if let Some(made) = known.and_then(|document| document.body["made"].as_str()) {
        return Ok(Made { id: made.to_owned(), before: true });
    }
    let made = make(work)?;
    let (kind, body) = ("request_id".to_owned(), json!({ "made": made }));
    work.put(Document { id: known_as, kind, created: work.now, body });
    Ok(Made { id: made, before: false })
}

//! The outbox: what happened, written in the same transaction as what it announces.
//!
//! Events are numbered per tenant without a gap, in the order of the commits. A relay reads
//! them by that number, so nothing that commits late is skipped. This folder only appends.

pub mod store;

use mizan_money::Timestamp;
use mizan_money::id::EventId;

pub use store::append;

/// An event to be announced.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// Its kind, e.g. `payment.completed`.
    pub kind: &'static str,
    /// The object it is about.
    pub object_id: String,
    /// The journal number of the entry it announces, where money moved.
    pub journal_position: Option<i64>,
    /// What a consumer learns.
    pub payload: serde_json::Value,
}

impl NewEvent {
    /// An event that happens now.
    pub fn new(
        kind: &'static str,
        object_id: String,
        journal_position: Option<i64>,
        payload: serde_json::Value,
        now: Timestamp,
    ) -> NewEvent {
        NewEvent { id: EventId::generate(now), kind, object_id, journal_position, payload }
    }
}

//! What a gateway can do, as data: asked before any call is made.

use crate::error::ModelError;
use crate::model::words;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

words! {
    /// Whether a gateway offers something.
    Support {
        /// Yes.
        Yes = "yes",
        /// Only where the gateway enabled it for the account.
        OnRequest = "on_request",
        /// No.
        No = "no",
    }
}

words! {
    /// How a payment is found when its id never reached us.
    FindByReference {
        /// By a query on our reference, complete at once.
        Query = "query",
        /// By sending the same request with the same key again.
        ResendSameKey = "resend_same_key",
    }
}

/// What one gateway can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Holding money and taking it later.
    pub manual_capture: Support,
    /// Taking less than was held.
    pub partial_capture: Support,
    /// Taking one hold in several parts.
    pub multiple_captures: Support,
    /// Giving up a hold.
    pub void: Support,
    /// Giving all of a payment back.
    pub refund: Support,
    /// Giving a part of a payment back.
    pub partial_refund: Support,
    /// Creating a payment without trying it at once.
    pub confirm_later: Support,
    /// Recognising a repeated request by its key.
    pub idempotency_keys: Support,
    /// For how many hours at least a key is remembered. Ours are kept as long as the money.
    pub idempotency_key_hours: u32,
    /// How a payment is found when its id never reached us.
    pub find_by_reference: FindByReference,
    /// The fee is known with the answer or the event.
    pub fee_at_once: Support,
    /// Deliveries carry the time they were signed at.
    pub webhook_timestamp: Support,
    /// A delivery names an event id that stays the same when it is sent again.
    pub webhook_event_id: Support,
}

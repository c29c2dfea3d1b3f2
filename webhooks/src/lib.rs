//! Inbound webhooks: verified bytes, kept once, with what became of them.
//!
//! ```text
//!                +----> applied   it had its effect
//!  received -----+----> ignored   of no interest, with the reason
//!      |         +----> stale     older than what we know, with the reason
//!      v         |
//!   parked ------+      could not be applied yet, with the reason; tried again on a ladder
//! ```
//!
//! | action | what it does |
//! |---|---|
//! | [`check`] | decides whether a delivery is believed, and translates it; pure |
//! | [`keep`] | stores a checked delivery once; a repetition finds and locks the first |
//! | [`dispose`] | says what became of it |
//! | [`due_parked`] | locks the parked ones whose time has come |
//! | [`delivery()`], [`deliveries`] | reads |
//! | [`law_deliveries`] | proves that none was forgotten |
//!
//! One delivery, one transaction: *keep, apply, dispose, commit*. When applying fails, that
//! transaction is rolled back and a second one keeps the delivery alone and parks it, so bytes
//! are never lost to a roll-back.
//!
//! What this crate never does: move money, change a payment, open or commit a transaction, read
//! the clock, store bytes that were not verified, change bytes that were stored.

mod delivery;
mod disposition;
mod error;
mod receive;
mod store;

pub use delivery::{Cursor, Delivery, Filter, Kept, Listed, NewDelivery, Page, Summary, TEXT_MAX};
pub use disposition::{DeliveryState, Disposition, REASON_MAX, Standing, retry_at};
pub use error::{Refused, UnknownState, WebhookError};
pub use receive::{Checked, check};
pub use store::{deliveries, delivery, dispose, due_parked, keep, law_deliveries};

/// Most deliveries that are read at once.
pub const READ_MAX: u16 = 100;

/// Most rows that a broken law names.
pub const NAMED_MAX: i64 = 20;

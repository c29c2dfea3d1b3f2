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
//! | [`keep`], [`keep_many`] | store checked deliveries once; repetitions find and lock the first |
//! | [`dispose`], [`dispose_many`] | say what became of them |
//! | [`check_again`] | verifies a kept one once more, from its bytes; pure |
//! | [`due_parked`] | locks the parked ones whose time has come |
//! | [`delivery()`], [`deliveries`] | reads |
//! | [`law_deliveries`] | proves that none was forgotten |
//!
//! One transaction for as many as came together: *keep, apply, dispose, commit*. When the
//! database refuses what one of them comes to, that transaction is rolled back and another keeps
//! the delivery alone and parks it, so bytes are never lost to a roll-back.
//!
//! What this crate never does: move money, change a payment, open or commit a transaction, read
//! the clock, store bytes that were not verified, change bytes that were stored.

mod delivery;
mod disposition;
mod error;
mod receive;
mod replay;
mod store;
mod verify;

pub use delivery::{Cursor, Delivery, Filter, Kept, Listed, NewDelivery, Page, Summary, TEXT_MAX};
pub use disposition::{DeliveryState, Disposition, REASON_MAX, Standing, retry_at};
pub use error::{Refused, UnknownState, WebhookError};
pub use receive::{Checked, check};
pub use replay::{Unverifiable, check_again};
pub use store::{deliveries, delivery, dispose, dispose_many, due_parked, keep, keep_many};
pub use verify::law_deliveries;

/// Most deliveries that are read at once.
pub const READ_MAX: u16 = 100;

/// Most rows that a broken law names.
pub const NAMED_MAX: i64 = 20;

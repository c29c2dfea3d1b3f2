//! The inbox: what gateways tell by webhook, verified, kept once, and applied in the same
//! transaction, as many deliveries as come at once.
//!
//! ```text
//! bytes ──check──▶ lane ──▶ keep ──look up──▶ weigh ──▶ write, post, announce ──▶ dispose ──▶ 200
//!           │                │                  └─ it cannot be applied: parked, 200
//!           │                └─ known and finished: 200, nothing happens
//!           └─ not believed: 401, nothing is kept
//! ```
//!
//! | action | file |
//! |---|---|
//! | take deliveries in | `receive.rs` |
//! | apply them in as few rounds as their order allows | `round.rs` |
//! | find what they are about | `meaning.rs` |
//! | try parked ones again | `retry.rs` |
//! | apply one of the past again, for a replay | `replay.rs` |
//! | the route | `http.rs` |
//!
//! The inbox never answers 2xx before the bytes are committed, and never loses bytes to a
//! roll-back: what the database refuses to apply is kept alone and parked. What arrives twice or
//! late changes nothing, and a group comes to what its members would have come to one by one. What
//! it tells of payouts, or by a hint, is only a reason to ask.

pub mod http;
mod meaning;
mod receive;
mod replay;
mod retry;
mod round;

pub use receive::{Arrived, Inbox, InboxError, LIMITS, Receipt, receive, receive_many};
pub use replay::apply_again;
pub use retry::retry_parked;

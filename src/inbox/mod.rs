//! The inbox: what gateways tell by webhook, verified, kept once, and applied in the same
//! transaction.
//!
//! ```text
//! bytes ──check──▶ keep ──apply──▶ dispose ──▶ commit ──▶ 200
//!           │        │       └─ it cannot be applied: roll back, keep it alone and parked, 200
//!           │        └─ known and finished: 200, nothing happens
//!           └─ not believed: 401, nothing is kept
//! ```
//!
//! | action | file |
//! |---|---|
//! | take a delivery in | `receive.rs` |
//! | try parked ones again | `retry.rs` |
//! | the route | `http.rs` |
//!
//! The inbox never answers 2xx before the bytes are committed, and never loses bytes to a
//! roll-back. What arrives twice or late changes nothing.

pub mod http;
mod receive;
mod retry;

pub use receive::{InboxError, Receipt, receive};
pub use retry::retry_parked;

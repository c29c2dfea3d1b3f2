//! The books through the interface: accounts, balances, statements, transactions, proofs of sum.
//!
//! | action | file | may be refused |
//! |---|---|---|
//! | post a transaction of one's own | `record.rs` | by a floor, where it is a command |
//! | do so for many callers in one commit | `group.rs` | each for itself |
//! | reverse a transaction | `reverse.rs` | when it was reversed, or belongs to a payment |
//! | read accounts, balances, statements, the trial balance | `http.rs` | no |
//! | read the same as of a day, or as it was known at a time | `as_of.rs`, `http.rs` | no |
//! | close days, sum days up | `period_http.rs`, `periods.rs` | while a day goes on |
//! | print what the ledger promises | `reference.rs` | no |
//!
//! Invariants, as absences: nothing is posted without the event that announces it; no caller's
//! text becomes a posting key; an entry that was written with a payment is never taken back
//! here, because the payment would not know.

mod as_of;
mod dated_http;
mod error;
mod group;
pub mod http;
mod input;
mod past_view;
mod period_http;
mod periods;
mod record;
mod reference;
mod reverse;
mod transaction_http;
mod view;

pub use as_of::horizon;
pub use error::BooksError;
pub use group::{PostRequest, PostRequests, key_of};
pub use periods::{Change, close, fold_days};
pub use record::{Draft, record};
pub use reference::reference;
pub use reverse::{Reversal, reverse};

//! The books through the interface: accounts, balances, statements, transactions, proofs of sum.
//!
//! | action | file | may be refused |
//! |---|---|---|
//! | post a transaction of one's own | `record.rs` | by a floor, where it is a command |
//! | reverse a transaction | `reverse.rs` | when it was reversed, or belongs to a payment |
//! | read accounts, balances, statements, the trial balance | `http.rs` | no |
//! | print what the ledger promises | `reference.rs` | no |
//!
//! Invariants, as absences: nothing is posted without the event that announces it; no caller's
//! text becomes a posting key; an entry that was written with a payment is never taken back
//! here, because the payment would not know.

mod error;
pub mod http;
mod input;
mod record;
mod reference;
mod reverse;
mod transaction_http;
mod view;

pub use error::BooksError;
pub use record::{Draft, record};
pub use reference::reference;
pub use reverse::{Reversal, reverse};

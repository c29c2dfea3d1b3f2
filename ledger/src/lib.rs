//! The double-entry ledger: chart, posting path, balances, statements and proofs.
//!
//! What it promises: every transaction balances in each currency; a key is answered once and
//! the same for ever; an account that has a floor never falls below it; positions and
//! sequences have no gaps. The database repeats each of these checks (`migrations/0002`), so
//! that a mistake here is an error there and not a wrong book.
//!
//! What it never does: call a gateway, read the clock, know a payment's state, commit.
//!
//! | part | holds |
//! |---|---|
//! | [`chart`] | the accounts a marketplace can have, as data |
//! | [`account`] | a reference to one of them, parsed and checked |
//! | [`entry`] | legs and balanced postings |
//! | [`postings`] | one file per way money moves: facts in, posting out |
//! | [`period`] | days that are closed |
//! | [`day_delta`] | daily sums, for questions about the past |
//! | [`post()`] | the only writer of the journal |
//! | [`lock_balances`] | balances that stand until the transaction ends |
//! | [`read`] | balances, statements, transactions, trial balance |
//! | [`verify`] | the laws, proved on the live database |

pub mod account;
pub mod chart;
pub mod day_delta;
pub mod entry;
mod error;
mod fold;
mod hold;
pub mod period;
mod post;
pub mod postings;
pub mod read;
mod store;
pub mod transaction;
pub mod verify;

pub use account::AccountRef;
pub use chart::Role;
pub use entry::{Leg, Posting, Side, credit, debit};
pub use error::{AccountError, LedgerError, PostingError};
pub use hold::{Held, hold, lock_balances};
pub use post::post;
pub use store::ensure_partitions;
pub use transaction::{
    Authority, NewTransaction, Outcome, Posted, PostingKey, Refusal, TransactionKind,
};

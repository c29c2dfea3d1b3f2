//! Manual journals: what one person writes down, another posts.
//!
//! | action | who | when |
//! |---|---|---|
//! | draft | any key, or an import on the command line | entries balance, the day is open |
//! | approve | another key | once; posts `journal.{kind}` and announces it in the same commit |
//! | reject | another key | once, with a reason |
//!
//! The accounts may be any of the chart, also those that payments write their lines on: to put
//! those right is what a journal is for. The command line takes a book that is carried over, of
//! up to ten thousand entries; it is posted as several transactions, each of which balances.

mod decide;
mod draft;
mod http;
mod parts;
mod store;
mod view;

use mizan_ledger::Leg;
use mizan_money::{Timestamp, TransactionId};

pub use decide::{approve, reject};
pub use draft::{Maker, NewJournal, draft};
pub use http::routes;

mizan_money::typed_id! {
    /// A manual journal.
    pub struct JournalId("jrn");
}

/// The most entries of a journal that comes over the interface.
pub const ENTRIES_MAX: usize = 200;
/// The most entries of a book that is carried over.
pub const IMPORT_MAX: usize = 10_000;

/// What a journal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalKind {
    /// Something was booked wrongly.
    Correction,
    /// What there was before the first day.
    Opening,
    /// A book carried over from another system.
    Import,
    /// A liability paid.
    Remittance,
    /// Anything else.
    Other,
}

impl JournalKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Correction, Self::Opening, Self::Import, Self::Remittance, Self::Other];

    /// The word in the interface and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correction => "correction",
            Self::Opening => "opening",
            Self::Import => "import",
            Self::Remittance => "remittance",
            Self::Other => "other",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where a journal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalState {
    /// Somebody has to look at it.
    Draft,
    /// It is booked.
    Posted {
        /// When.
        at: Timestamp,
        /// By which key.
        by: String,
        /// What it was posted as.
        transactions: Vec<TransactionId>,
    },
    /// It will not be booked.
    Rejected {
        /// When.
        at: Timestamp,
        /// By which key.
        by: String,
        /// Why.
        reason: String,
    },
}

impl JournalState {
    /// The word in the interface and in the database.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Posted { .. } => "posted",
            Self::Rejected { .. } => "rejected",
        }
    }
}

/// A journal as it is kept, without its entries.
#[derive(Debug, Clone)]
pub struct Journal {
    /// Its id.
    pub id: JournalId,
    /// What it is for.
    pub kind: JournalKind,
    /// Where it stands.
    pub state: JournalState,
    /// Why it was made.
    pub reason: String,
    /// When it is true in the world.
    pub effective_at: Timestamp,
    /// The transaction that it puts right.
    pub corrects: Option<TransactionId>,
    /// How many entries it has.
    pub entry_count: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom: an API key, or the command line.
    pub created_by: String,
}

/// A journal with its entries.
#[derive(Debug, Clone)]
pub struct WholeJournal {
    /// The journal.
    pub journal: Journal,
    /// Its entries, in the order they were written down.
    pub legs: Vec<Leg>,
}

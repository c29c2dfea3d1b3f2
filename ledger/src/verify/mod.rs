//! The laws of the books, proved on the live database without believing the service.
//!
//! A proof goes through the journal once, in spans of [`SPAN`] journal numbers, each a few
//! statements of bounded size, and carries what every account came to from span to span. At the
//! end the balances must be what came out, and whole-book laws are asked once each.
//!
//! ```text
//! full           1 ───────────────────────────────────────────────▶ newest
//!                each span: the laws, and what was proved before still reads the same
//! incremental                                         mark ────────▶ newest
//!                the mark still stands; accounts go on from what they came to there
//! ```
//!
//! | file | what is in it |
//! |---|---|
//! | `prove.rs` | the pass, and what is known at its end |
//! | `span.rs` | the statements of one span |
//! | `heads.rs` | accounts: what entries sum up to, balances, floors, money in transit |
//! | `whole.rs` | keys, reversals, entries that hang in the air |
//! | `pinned.rs` | what was proved: comparing with it, and adding to it |
//! | `mark.rs` | the stored marks, blocks and heads |
//!
//! It works on one snapshot, takes no lock and writes nothing; [`keep`] stores a mark after a
//! proof that found every law kept. A law that could not look is an error, never a law that holds.

mod heads;
mod mark;
mod pinned;
mod prove;
mod span;
mod whole;

use std::time::Duration;

use mizan_money::Timestamp;

pub use mark::{keep, marks};
pub use prove::prove_ledger;

/// At most this many broken rows are named per law.
pub const NAMED_MAX: usize = 20;

/// How many journal numbers are looked at together.
pub const SPAN: i64 = 20_000;

/// How long something has taken, by whoever has a clock.
pub type Elapsed<'a> = &'a (dyn Fn() -> Duration + Sync);

/// How much is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Everything, from the first transaction.
    Full,
    /// What came after the newest mark, and that the mark still stands.
    Incremental,
}

impl Mode {
    /// Its name in the database, in metrics and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Incremental => "incremental",
        }
    }
}

/// Up to where the books were proved, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The number of the proof, from 1.
    pub number: i64,
    /// How much it proved.
    pub mode: Mode,
    /// The last journal number.
    pub position: i64,
    /// The last outbox number.
    pub event_position: i64,
    /// The newest `recorded_at` in the journal then.
    pub recorded_at: Timestamp,
    /// When it was proved.
    pub proved_at: Timestamp,
}

/// The newest marks of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks {
    /// The newest.
    pub newest: Option<Mark>,
    /// The newest that proved everything.
    pub newest_full: Option<Mark>,
}

/// One law, how much it was tried on, and what breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Law {
    /// A short name, e.g. `transactions balance`.
    pub name: &'static str,
    /// How many things were checked.
    pub checked: i64,
    /// What was checked: `transactions`, `entries` …
    pub unit: &'static str,
    /// The broken rows, the first twenty by name.
    pub broken: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Law {
    /// A law that has not been tried on anything.
    pub const fn new(name: &'static str, unit: &'static str) -> Law {
        Law { name, checked: 0, unit, broken: Vec::new(), took: Duration::ZERO }
    }

    /// A law that one statement has answered.
    pub fn tried(
        name: &'static str,
        unit: &'static str,
        (checked, broken): (i64, Vec<String>),
        took: Duration,
    ) -> Law {
        Law { name, checked, unit, broken, took }
    }

    /// Whether nothing breaks it.
    pub const fn holds(&self) -> bool {
        self.broken.is_empty()
    }

    /// Names what breaks it, as far as there is room.
    fn breaks(&mut self, rows: impl IntoIterator<Item = String>) {
        let room = NAMED_MAX.saturating_sub(self.broken.len());
        self.broken.extend(rows.into_iter().take(room));
    }
}

/// What a proof of the ledger came to.
#[derive(Debug)]
pub struct Proved {
    /// How much was proved: all of it also where an increment was asked for and no mark stood.
    pub mode: Mode,
    /// The mark that the proof began at or was compared with.
    pub since: Option<Mark>,
    /// The last journal number that was looked at.
    pub position: i64,
    /// The ledger's own laws.
    pub laws: Vec<Law>,
    /// What is to be stored when every law, also those of others, holds.
    pub progress: Progress,
}

/// What a proof leaves for the next one.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The mark it makes.
    mark: Mark,
    /// What was proved and not pinned before.
    blocks: Vec<pinned::Block>,
    /// What accounts came to, those that the last mark does not say.
    heads: Vec<(i64, heads::Head)>,
}

impl Progress {
    /// The mark it makes.
    pub const fn mark(&self) -> Mark {
        self.mark
    }
}

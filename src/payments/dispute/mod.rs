//! Disputes: what banks take back, and who bears it. Pure but for `answer.rs` and `hand.rs`.
//!
//! ```text
//!                         money withdrawn            lost
//!   nothing booked ──────────────────────▶ held ───────────▶ lost
//!         ▲                                 │ ▲                │
//!         └──────── money came back ────────┘ └─── reopened ───┘
//! ```
//!
//! | file | what it does |
//! |---|---|
//! | `facts.rs` | takes in what a gateway says: rows are collected, the newest state counts |
//! | `books.rs` | moves the books from where they stand to where the facts want them |
//! | `fee.rs` | charges the gateway's fee on, where the vendor bears it |
//! | `answer.rs` | evidence and giving in: written down, then asked of the gateway |
//! | `hand.rs` | disputes of gateways that do not tell, entered and ended by people |
//!
//! What is booked follows from *all* that is known of a dispute (its rows and its newest state) and
//! not from the word that came last, so neither order nor repetition of words matters. Each change
//! of the books is numbered, and its keys carry the number. Invariants, as absences: an inquiry
//! moves no money; a fact is never refused; disputed money is not refunded; the vendor's held
//! money is in a bucket of its own (`held`), which no release and no spill touches.

pub mod answer;
mod books;
mod facts;
mod fee;
pub mod hand;
mod till;

use std::collections::BTreeMap;

use mizan_money::id::{AttemptId, DisputeId};
use mizan_money::{Money, Timestamp};
use mizan_providers::{DisputeStatus, ProviderName, ProviderRef};
use sha2::{Digest, Sha256};

use super::intent::{Payment, states};
use super::line::Line;
use super::split::{GivenBack, SplitError};

pub use facts::Teller;
pub use till::Till;

/// The bucket in which the vendor's part of an open dispute waits.
pub const HELD: &str = "held";

states! {
    /// Where a dispute stands, by the gateway.
    DisputeState {
        /// An inquiry or early warning: no money moved.
        Warning = "warning",
        /// An inquiry that came to nothing.
        WarningClosed = "warning_closed",
        /// Evidence is asked of us.
        NeedsResponse = "needs_response",
        /// The bank decides.
        UnderReview = "under_review",
        /// Decided for us.
        Won = "won",
        /// Decided against us.
        Lost = "lost",
    }
}

impl DisputeState {
    /// The state of a gateway's word; none where the word is not known.
    pub fn of(status: DisputeStatus, is_over: bool) -> Option<DisputeState> {
        Some(match status {
            DisputeStatus::Warning if is_over => Self::WarningClosed,
            DisputeStatus::Warning => Self::Warning,
            DisputeStatus::NeedsResponse => Self::NeedsResponse,
            DisputeStatus::UnderReview => Self::UnderReview,
            DisputeStatus::Won => Self::Won,
            DisputeStatus::Lost => Self::Lost,
            DisputeStatus::Unknown => return None,
        })
    }

    /// Of two states at one time, the later one has the greater rank.
    const fn rank(self) -> i16 {
        match self {
            Self::Warning => 0,
            Self::WarningClosed => 1,
            Self::NeedsResponse => 2,
            Self::UnderReview => 3,
            Self::Won => 4,
            Self::Lost => 5,
        }
    }

    /// Whether an answer can still change anything.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Warning | Self::NeedsResponse)
    }
}

states! {
    /// What the books say of the money.
    Booked {
        /// The gateway has none of it, or gave it back.
        Nothing = "nothing",
        /// The gateway has it, and who bears it is open.
        Held = "held",
        /// It is lost, and somebody bears it.
        Lost = "lost",
    }
}

/// One row of the gateway's balance that a dispute made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The gateway's id of it.
    pub id: String,
    /// What it moved before fees; negative for a withdrawal.
    pub gross: Money,
    /// The fee with its tax; negative where it came back.
    pub fee: Money,
}

/// Money of a vendor that waits for the end of a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The line it belongs to.
    pub n: i16,
    /// Whose it is.
    pub vendor: String,
    /// The bucket it was taken out of.
    pub from: String,
    /// How much.
    pub amount: Money,
}

/// A dispute of a payment. Amounts are minor units of the payment's currency, but for the fee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Its id.
    pub id: DisputeId,
    /// The attempt whose money it is about.
    pub attempt: AttemptId,
    /// Over which connection.
    pub connection: String,
    /// The gateway.
    pub provider: ProviderName,
    /// The gateway's id.
    pub provider_ref: ProviderRef,
    /// Where it stands.
    pub state: DisputeState,
    /// Since when, by the gateway's clock.
    pub status_at: Timestamp,
    /// How many rows the gateway knew of then.
    pub status_rows: i16,
    /// What is disputed.
    pub amount: Money,
    /// The bank's reason.
    pub reason: Option<String>,
    /// Until when evidence is taken.
    pub evidence_due_by: Option<Timestamp>,
    /// The evidence, by the gateway's names of its fields.
    pub evidence: Option<BTreeMap<String, String>>,
    /// When the gateway took it.
    pub evidence_sent_at: Option<Timestamp>,
    /// When we gave in.
    pub accepted_at: Option<Timestamp>,
    /// The API key that entered it, where the gateway does not tell.
    pub entered_by: Option<String>,
    /// The API key that entered how it ended.
    pub decided_by: Option<String>,
    /// Every row so far, by id.
    pub rows: Vec<Row>,
    /// What the books say of the money.
    pub booked: Booked,
    /// What the gateway withdrew, as booked.
    pub withdrawn: Money,
    /// What it charged in all, as booked; often in the currency of our balance at the gateway.
    pub fee: Money,
    /// What of the withdrawn money is the order's; the rest nobody of the order ever had.
    pub taken: Money,
    /// What rounding to the gateway's step added to it.
    pub rounding: Money,
    /// What each line is disputed by, as at first.
    pub spread: Vec<(i16, i64)>,
    /// What the parties that are liable give up if it is lost.
    pub parts: Vec<GivenBack>,
    /// What is held of vendors' money.
    pub held: Vec<Held>,
    /// What of the fee each vendor bears, without the tax on it.
    pub charged: BTreeMap<String, i64>,
    /// How often the books were changed for it.
    pub step: i32,
    /// The step at which the loss was booked that stands.
    pub lost_step: i32,
    /// When we heard of it first.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Dispute {
    /// The key of the entry that books the loss which stands.
    pub fn loss_key(&self) -> String {
        self.key(self.lost_step, "lost")
    }

    fn key(&self, step: i32, what: &str) -> String {
        format!("{}:{step}:{what}", self.id)
    }

    /// The state as it is shown: giving in counts until the gateway says what came of it.
    pub fn shown_state(&self) -> &'static str {
        match (self.accepted_at, self.state.is_open()) {
            (Some(_), true) => "accepted",
            _ => self.state.as_str(),
        }
    }
}

/// The id of a gateway's dispute: the same for the same one at the same moment, so that books
/// that are written a second time name it alike.
fn dispute_id(connection: &str, theirs: &ProviderRef, now: Timestamp) -> DisputeId {
    let digest = Sha256::digest(format!("{connection}\n{theirs}"));
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    let millis = now.timestamp_millis().max(0).unsigned_abs();
    DisputeId::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

impl Payment {
    /// The dispute of this id.
    pub fn dispute(&self, id: DisputeId) -> Option<&Dispute> {
        self.disputes.iter().find(|dispute| dispute.id == id)
    }

    /// What of a line's vendor's money is held for disputes: it is in none of the other buckets.
    pub fn held_of(&self, line: i16) -> Money {
        let open = self.disputes.iter().filter(|dispute| dispute.booked == Booked::Held);
        let held = open.flat_map(|dispute| &dispute.held).filter(|held| held.n == line);
        Money::new(held.map(|held| held.amount.minor()).sum(), self.intent.currency)
    }

    /// The lines less what is held for disputes: what can still go back of each.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn lines_left(&self) -> Result<Vec<Line>, SplitError> {
        let mut lines = self.lines.clone();
        for dispute in self.disputes.iter().filter(|it| it.booked == Booked::Held) {
            give_all(&mut lines, &dispute.parts, 1)?;
        }
        Ok(lines)
    }
}

/// Writes what parties give up into the lines; `sign` is 1, or -1 where it is given back.
fn give_all(lines: &mut [Line], parts: &[GivenBack], sign: i64) -> Result<(), SplitError> {
    for given in parts {
        if let Some(line) = lines.iter_mut().find(|line| line.n == given.n) {
            line.give(given, sign)?;
        }
    }
    Ok(())
}

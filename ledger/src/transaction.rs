//! What is asked of the ledger, and what it answers.

use chrono::{DateTime, Utc};
use mizan_money::{Money, TransactionId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::entry::Posting;
use crate::error::PostingError;
use crate::read::Entry;

type Timestamp = DateTime<Utc>;

/// Derived from an operation's id and step, e.g. `op_…:capture`; never a client's own key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PostingKey(String);

impl PostingKey {
    /// The longest key, in bytes.
    pub const MAX: usize = 120;

    /// # Errors
    /// An empty or too long key.
    pub fn new(key: impl Into<String>) -> Result<PostingKey, PostingError> {
        bounded("the posting key", key.into(), PostingKey::MAX).map(PostingKey)
    }

    /// The key as stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What happened, in the field's words: `payment.captured`, `refund.requested` …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionKind(String);

impl TransactionKind {
    /// # Errors
    /// An empty or too long kind.
    pub fn new(kind: impl Into<String>) -> Result<TransactionKind, PostingError> {
        bounded("the kind", kind.into(), 60).map(TransactionKind)
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

pub(crate) fn bounded(
    what: &'static str,
    text: String,
    max: usize,
) -> Result<String, PostingError> {
    match text.len() {
        n if n == 0 || n > max => Err(PostingError::TextBounds { what, max }),
        _ => Ok(text),
    }
}

/// Whether the ledger may say no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Somebody asks: a floor refuses it, and the refusal is sticky.
    Command,
    /// It has happened at a gateway or a bank: it is booked, and what a party has not got
    /// becomes its debt.
    Fact,
}

/// A transaction to post.
#[derive(Debug, Clone)]
pub struct NewTransaction {
    /// Answered once, and the same for ever.
    pub key: PostingKey,
    /// What happened.
    pub kind: TransactionKind,
    /// When it was true in the world.
    pub effective_at: Timestamp,
    /// The legs.
    pub posting: Posting,
    /// Whether it may be refused.
    pub authority: Authority,
    /// The thing it belongs to: a payment, refund, payout … At most 100 bytes.
    pub source: String,
    /// Who or what did it. At most 100 bytes.
    pub actor: String,
    /// Anything else worth keeping with it.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    /// The transaction this one takes back.
    pub reverses: Option<TransactionId>,
}

impl NewTransaction {
    /// A digest of everything the caller asked for. Fields are length-prefixed, so that no
    /// two requests share a preimage.
    pub(crate) fn request_hash(&self) -> RequestHash {
        let mut hash = Sha256::new();
        let mut field = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        field(self.kind.as_str().as_bytes());
        field(&self.effective_at.timestamp_micros().to_be_bytes());
        field(&[self.authority as u8]);
        field(self.source.as_bytes());
        field(self.actor.as_bytes());
        field(serde_json::Value::Object(self.metadata.clone()).to_string().as_bytes());
        field(self.reverses.map(|id| id.to_string()).unwrap_or_default().as_bytes());
        for leg in self.posting.legs() {
            field(leg.account.path().as_bytes());
            field(leg.side.letter().as_bytes());
            field(&leg.amount.minor().to_be_bytes());
            field(leg.amount.currency().code().as_bytes());
        }
        let digest = hash.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        half
    }
}

/// The first half of a SHA-256: two requests that share it would have to be looked for 2^64
/// times, and every byte here is kept for every transaction.
pub(crate) type RequestHash = [u8; 16];

/// The ledger's answer to one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It stands in the journal.
    Posted(Posted),
    /// A rule said no, now and for this key for ever.
    Refused(Refusal),
    /// The key was used before with other content. Nothing was done.
    KeyReused,
}

impl Outcome {
    /// What was posted, if it was.
    pub fn posted(&self) -> Option<&Posted> {
        match self {
            Outcome::Posted(posted) => Some(posted),
            _ => None,
        }
    }
}

/// Where a transaction stands in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its id.
    pub id: TransactionId,
    /// Its journal number, gap-free per tenant.
    pub position: i64,
    /// When the ledger learned of it.
    pub recorded_at: Timestamp,
    /// When it counts: as asked, or for a fact that came after its day was closed, the first
    /// open moment then.
    pub effective_at: Timestamp,
    /// Whether this answer repeats an earlier one.
    pub replayed: bool,
    /// Its entries as written, debits first; empty where the answer repeats an earlier one.
    pub entries: Vec<Entry>,
}

/// Why a transaction was refused. Kept as it is with the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// A floor.
    #[error(
        "{account} has {} left and {} were asked for",
        show(*.left_minor, .currency),
        show(*.asked_minor, .currency)
    )]
    BelowFloor {
        /// The account.
        account: String,
        /// Its currency.
        currency: String,
        /// What it has, in minor units.
        left_minor: i64,
        /// What the transaction takes in all, in minor units.
        asked_minor: i64,
    },
    /// The transaction to be reversed is not there.
    #[error("{id} is not a transaction of this ledger")]
    UnknownOriginal {
        /// What was asked for.
        id: String,
    },
    /// It was reversed before.
    #[error("{id} has been reversed already: a transaction is reversed once")]
    AlreadyReversed {
        /// What was asked for.
        id: String,
        /// The reversal's journal number, where it is not of the same batch.
        by_position: Option<i64>,
    },
    /// It is dated into days that are closed.
    #[error(
        "it is dated {} and the days before {} are closed: date it into an open day",
        effective_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        closed_before.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    )]
    PeriodClosed {
        /// When it should have counted.
        effective_at: Timestamp,
        /// The first open moment.
        closed_before: Timestamp,
    },
    /// An account would hold more than can be counted.
    #[error("{account} would hold more than 9,223,372,036,854,775,807 minor units")]
    OutOfRange {
        /// The account.
        account: String,
    },
}

fn show(minor: i64, currency: &str) -> String {
    match mizan_money::Currency::parse(currency) {
        Ok(currency) => Money::new(minor, currency).to_string(),
        Err(_) => format!("{minor} {currency}"),
    }
}

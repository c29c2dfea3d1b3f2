//! Journals as the interface shows them. Amounts are minor units of `currency`.

use mizan_money::{Timestamp, TransactionId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Journal, JournalId, JournalState, WholeJournal};
use crate::finance::input::EntryBody;

/// A manual journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Journal)]
pub(super) struct JournalView {
    /// `jrn_…`
    id: JournalId,
    /// Always `journal`.
    object: &'static str,
    /// What it is for.
    kind: &'static str,
    /// `draft`, `posted` or `rejected`.
    status: &'static str,
    /// Why it was made.
    reason: String,
    /// When it is true in the world.
    #[schema(value_type = String, format = DateTime)]
    effective_at: Timestamp,
    /// The transaction that it puts right.
    corrects: Option<TransactionId>,
    /// How many entries it has.
    entry_count: usize,
    /// Debits and credits; left out of lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    entries: Option<Vec<EntryBody>>,
    /// What it was posted as: one, or several for a book carried over.
    transactions: Vec<TransactionId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By which key, or by the command line.
    created_by: String,
    /// When it was approved or rejected.
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    /// By which key.
    decided_by: Option<String>,
    /// Why it was rejected.
    rejection_reason: Option<String>,
}

impl From<Journal> for JournalView {
    fn from(journal: Journal) -> Self {
        let status = journal.state.as_str();
        let (decided_at, decided_by, transactions, rejection_reason) = match journal.state {
            JournalState::Draft => (None, None, Vec::new(), None),
            JournalState::Posted { at, by, transactions } => {
                (Some(at), Some(by), transactions, None)
            }
            JournalState::Rejected { at, by, reason } => {
                (Some(at), Some(by), Vec::new(), Some(reason))
            }
        };
        Self {
            id: journal.id,
            object: "journal",
            kind: journal.kind.as_str(),
            status,
            reason: journal.reason,
            effective_at: journal.effective_at,
            corrects: journal.corrects,
            entry_count: journal.entry_count,
            entries: None,
            transactions,
            created: journal.created_at,
            created_by: journal.created_by,
            decided_at,
            decided_by,
            rejection_reason,
        }
    }
}

impl From<WholeJournal> for JournalView {
    fn from(whole: WholeJournal) -> Self {
        let entries = whole.legs.iter().map(EntryBody::from).collect();
        Self { entries: Some(entries), ..Self::from(whole.journal) }
    }
}

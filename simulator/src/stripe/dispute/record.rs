//! What Stripe remembers of a dispute.

use std::collections::BTreeMap;

use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::stripe::state::Metadata;

/// The states of a dispute, in Stripe's words. Those that warn are inquiries: no money moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl DisputeStatus {
    /// Stripe's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Whether nothing is asked of anybody any more.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::WarningClosed | Self::Won | Self::Lost)
    }

    /// Whether the bank only asks.
    pub fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }
}

/// A dispute of a charge. The amount is in minor units of `currency`, and may be more than the
/// charge where the buyer's bank counts in another currency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dispute {
    pub id: String,
    pub created: Timestamp,
    pub amount: i64,
    pub currency: String,
    pub charge: String,
    pub intent: String,
    pub reason: String,
    pub status: DisputeStatus,
    pub due_by: Timestamp,
    pub evidence: BTreeMap<String, Value>,
    pub submissions: u32,
    /// Whether the money is with the buyer's bank now.
    pub withdrawn: bool,
    /// The lines of the balance, oldest first.
    pub rows: Vec<String>,
    pub metadata: Metadata,
}

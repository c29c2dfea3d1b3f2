//! Who the payee is, as far as it is known: the newest news by its own time, and its expiry.

use chrono::NaiveDate;
use mizan_money::Timestamp;
use mizan_money::id::KycId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the checks of a payee stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = KycStatus)]
pub enum KycStatus {
    /// Under way.
    Pending,
    /// Known.
    Verified,
    /// Refused.
    Rejected,
    /// To be done again.
    Expired,
}

impl KycStatus {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
        }
    }

    /// The status of its word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Verified, Self::Rejected, Self::Expired]
            .into_iter()
            .find(|it| it.as_str() == word)
    }
}

/// A document: only where it is kept, never itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[schema(as = KycDocument)]
pub struct Document {
    /// What it is, such as `trade_licence`.
    pub kind: String,
    /// Where it is kept.
    pub reference: String,
    /// Its last day.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date)]
    pub expires_on: Option<NaiveDate>,
}

/// One piece of news.
#[derive(Debug, Clone)]
pub struct Kyc {
    /// `kyc_…`
    pub id: KycId,
    /// What it says.
    pub status: KycStatus,
    /// When it was true: the newest by this time counts, whenever it came.
    pub occurred_at: Timestamp,
    /// On which documents it stands.
    pub documents: Vec<Document>,
    /// When it came.
    pub recorded_at: Timestamp,
}

impl Kyc {
    /// What it comes to on a day: what was verified with a document that is over is expired.
    pub fn on(&self, today: NaiveDate) -> KycStatus {
        match self.status {
            KycStatus::Verified if self.expired(today).is_some() => KycStatus::Expired,
            status => status,
        }
    }

    /// The first document that is over on a day.
    pub fn expired(&self, today: NaiveDate) -> Option<&Document> {
        self.documents.iter().find(|it| it.expires_on.is_some_and(|last| last < today))
    }
}

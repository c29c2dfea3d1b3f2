//! A rate of exchange as it was told.

use mizan_money::{Currency, FxRate, Timestamp};

use super::FxRateId;

/// A rate to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRate {
    /// One unit of this
    pub base: Currency,
    /// costs so much of this.
    pub quote: Currency,
    /// How much.
    pub rate: FxRate,
    /// Who says so: a central bank, a bank, a gateway.
    pub source: String,
    /// For when.
    pub at: Timestamp,
}

/// A rate as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRate {
    /// Its id.
    pub id: FxRateId,
    /// What was told.
    pub says: NewRate,
    /// When it was added.
    pub created_at: Timestamp,
    /// With which key.
    pub created_by: String,
}

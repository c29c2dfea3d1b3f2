//! Why a chain could not be told.

use mizan_ledger::LedgerError;

use crate::db::{DbError, Retry, Retryable};
use crate::http::Problem;
use crate::payments::PaymentError;
use crate::payouts::PayoutError;

/// Why there is no chain.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The id names nothing of this tenant's.
    #[error(
        "{id} names nothing that this tenant has: give an id such as pi_…, re_…, po_… or txn_… in \
         full, a gateway's own reference, the shop's order, or vendor:ID, customer:ID, \
         affiliate:ID"
    )]
    Unknown {
        /// What was asked for, cut where it is long.
        id: String,
    },
    /// A payment that cannot be read.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// A payout that cannot be read.
    #[error(transparent)]
    Payout(#[from] PayoutError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for TraceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<LedgerError> for TraceError {
    fn from(error: LedgerError) -> Self {
        Self::Payment(error.into())
    }
}

impl Retryable for TraceError {
    fn retry(&self) -> Retry {
        match self {
            Self::Unknown { .. } => Retry::Never,
            Self::Payment(error) => error.retry(),
            Self::Payout(error) => error.retry(),
            Self::Db(error) => error.retry(),
        }
    }
}

impl From<TraceError> for Problem {
    /// What is unknown and what is a stranger's is answered alike.
    fn from(error: TraceError) -> Self {
        match error {
            TraceError::Unknown { .. } => Self::not_found(),
            TraceError::Payment(error) => error.into(),
            TraceError::Payout(error) => error.into(),
            TraceError::Db(error) => error.into(),
        }
    }
}

//! Why an affiliate's command was refused, and what stands behind it.

use mizan_ledger::{AccountError, LedgerError, PostingError};
use mizan_money::{AllocateError, MoneyError};

use crate::db::{DbError, Retry, Retryable};
use crate::http::{Code, Problem};
use crate::payments::PaymentError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AffiliateError {
    /// The id is unknown here.
    #[error("{id} is not known")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// A field that cannot be.
    #[error("{message}")]
    Invalid {
        /// The field.
        param: String,
        /// What is wrong with it and how to mend it.
        message: String,
    },
    /// A field that names something that is not there.
    #[error("{message}")]
    Unknown {
        /// The field.
        param: String,
        /// What is not there.
        message: String,
    },
    /// A name that belongs to something else.
    #[error("{message}")]
    Taken {
        /// The field.
        param: String,
        /// What it belongs to.
        message: String,
    },
    /// Stored data that this version cannot read.
    #[error("the affiliates cannot go on: {what}")]
    Corrupt {
        /// What and where.
        what: String,
    },
    /// Amounts that do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Amounts that cannot be split.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
    /// A posting that cannot be.
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// An account that cannot be.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The plan of postings and events, or the ledger behind it.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl AffiliateError {
    /// A field that cannot be.
    pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self::Invalid { param: param.to_owned(), message: message.into() }
    }

    /// A field that names something that is not there.
    pub(crate) fn unknown(param: &str, message: impl Into<String>) -> Self {
        Self::Unknown { param: param.to_owned(), message: message.into() }
    }
}

impl From<sqlx::Error> for AffiliateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<LedgerError> for AffiliateError {
    fn from(error: LedgerError) -> Self {
        Self::Payment(error.into())
    }
}

impl Retryable for AffiliateError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            Self::Payment(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<AffiliateError> for PaymentError {
    fn from(error: AffiliateError) -> Self {
        match error {
            AffiliateError::Payment(error) => error,
            AffiliateError::Db(error) => Self::Db(error),
            other => Self::Affiliate(Box::new(other)),
        }
    }
}

impl From<AffiliateError> for Problem {
    fn from(error: AffiliateError) -> Self {
        match error {
            AffiliateError::Db(error) => error.into(),
            AffiliateError::Payment(error) => error.into(),
            AffiliateError::NotFound { .. } => Self::not_found(),
            AffiliateError::Invalid { param, message } => {
                Self::new(Code::InvalidField, message).param(param)
            }
            AffiliateError::Unknown { param, message } => {
                Self::new(Code::UnknownReference, message).param(param)
            }
            AffiliateError::Taken { param, message } => {
                Self::new(Code::ReferenceReused, message).param(param)
            }
            other => Self::internal(&other),
        }
    }
}

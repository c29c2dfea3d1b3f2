//! Why a routing rule was refused.

use crate::db::{DbError, Retry, Retryable};
use crate::http::{Code, Problem};
use crate::payments::PaymentError;

/// Why a routing rule was refused.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    /// A field of the rule.
    #[error("{param}: {message}")]
    Invalid {
        /// The field.
        param: String,
        /// What is wrong with it and how to mend it.
        message: String,
    },
    /// There is no such rule.
    #[error("there is no routing rule {id}")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for RoutingError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl Retryable for RoutingError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<RoutingError> for Problem {
    fn from(error: RoutingError) -> Self {
        match error {
            RoutingError::Invalid { param, message } => {
                Problem::new(Code::InvalidField, message).param(param)
            }
            RoutingError::NotFound { .. } => Problem::not_found(),
            RoutingError::Db(error) => error.into(),
        }
    }
}

impl From<RoutingError> for PaymentError {
    fn from(error: RoutingError) -> Self {
        match error {
            RoutingError::Db(error) => Self::Db(error),
            other => Self::Corrupt { what: other.to_string() },
        }
    }
}

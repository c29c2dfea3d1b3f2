//! How failures below become answers above.

use mizan_ledger::Refusal;

use crate::db::{DbError, Retryable};
use crate::http::{Code, Problem};
use crate::payments::PaymentError;
use crate::payments::split::SplitError;

impl From<PaymentError> for Problem {
    /// What the caller can act on is said in full; what only we can act on goes to the log.
    fn from(error: PaymentError) -> Self {
        let detail = error.to_string();
        match error {
            PaymentError::Db(error) => error.into(),
            PaymentError::NotFound { .. } => Self::not_found(),
            PaymentError::WrongState { .. } | PaymentError::WrongDisputeState { .. } => {
                Self::new(Code::WrongState, detail)
            }
            PaymentError::DisputeKnown { .. } => {
                Self::new(Code::ReferenceReused, detail).param("provider_dispute")
            }
            PaymentError::OperationUnderWay { .. } => Self::new(Code::OperationUnderWay, detail),
            PaymentError::TooMuch { .. } => {
                Self::new(Code::AmountExceedsRest, detail).param("amount")
            }
            PaymentError::Invalid { param, message } => {
                let code = match param.as_str() {
                    "amount" => Code::AmountsDoNotAddUp,
                    _ => Code::InvalidField,
                };
                Self::new(code, message).param(param)
            }
            PaymentError::NoPaymentMethod { .. } => {
                Self::new(Code::MissingField, detail).param("payment_method")
            }
            PaymentError::Unsupported { .. } => Self::new(Code::UnsupportedByProvider, detail),
            PaymentError::Split(SplitError::CommissionAbovePrice { line, .. }) => {
                let param = format!("lines[{}].commission_percent", line - 1);
                Self::new(Code::Contradiction, detail).param(param)
            }
            PaymentError::Split(SplitError::LineHasLess { .. }) => {
                Self::new(Code::AmountExceedsRest, detail).param("lines")
            }
            PaymentError::Split(SplitError::Lines(..)) => {
                Self::new(Code::InvalidField, detail).param("lines")
            }
            PaymentError::OwnRequest { .. } => Self::new(Code::NotAllowed, detail),
            PaymentError::NoRoute { .. } => Self::new(Code::UnsupportedByProvider, detail),
            PaymentError::Wallet(error) => (*error).into(),
            PaymentError::Affiliate(error) => (*error).into(),
            PaymentError::LedgerRefused { refusal: Refusal::BelowFloor { .. } } => {
                Self::new(Code::InsufficientBalance, detail)
            }
            PaymentError::NoConnection => Self::new(Code::ProviderUnavailable, detail),
            other => Self::internal(&other),
        }
    }
}

impl From<DbError> for Problem {
    /// The caller learns whether and when to try again; the server's words go to the log.
    fn from(error: DbError) -> Self {
        let retry = error.retry();
        let problem = match &error {
            DbError::Unavailable { source } => {
                tracing::warn!(error = %source, "the database is not available");
                Self::new(Code::Unavailable, "The database is away. Nothing was changed.")
                    .retry_after(2)
            }
            DbError::Conflict { .. } => {
                Self::new(Code::Busy, "Others were at work on the same rows. Nothing was changed.")
            }
            DbError::TimedOut { source } => {
                tracing::warn!(error = %source, "a statement ran out of time");
                Self::new(Code::TimedOut, "The database took too long. Nothing was changed.")
            }
            DbError::CommitUnknown { source, transaction } => {
                tracing::error!(error = %source, transaction, "a commit was not confirmed");
                Self::new(
                    Code::OutcomeUnknown,
                    "The connection broke while the change was being kept. The same request \
                     under the same Idempotency-Key finds out.",
                )
            }
            DbError::Constraint { .. } | DbError::Other { .. } => Self::internal(&error),
        };
        problem.with_retry(retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Retry;

    #[test]
    fn a_database_that_is_away_is_503_with_a_time_to_wait_and_may_be_tried_again() {
        let problem = Problem::from(DbError::from(sqlx::Error::WorkerCrashed));
        assert_eq!(problem.code(), Code::Unavailable);
        assert_eq!(problem.retry(), Retry::Again);
        assert_eq!(problem.respond(None).headers()["retry-after"], "2");
    }

    #[test]
    fn a_mistake_of_ours_is_500_without_a_word_of_the_cause() {
        let problem = Problem::from(DbError::from(sqlx::Error::ColumnNotFound("secret".into())));
        assert_eq!(problem.code(), Code::Internal);
        assert!(!problem.detail().contains("secret"));
    }
}

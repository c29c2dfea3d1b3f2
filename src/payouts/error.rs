//! Why a payout, or what it needs, was refused.

use mizan_ledger::{AccountError, LedgerError, PostingError, Refusal};
use mizan_money::id::PayoutId;
use mizan_money::{Money, MoneyError};

use super::payout::State;
use crate::db::{DbError, Retry, Retryable};
use crate::http::{Code, Problem};
use crate::inbox::InboxError;
use crate::payments::PaymentError;

/// Why nothing was done. A rule's refusal names the numbers and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PayoutError {
    /// A field.
    #[error("{message}")]
    Invalid {
        /// The field.
        param: &'static str,
        /// What is wrong with it and how to mend it.
        message: String,
    },
    /// There is no such object.
    #[error("{id} is not known")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// The payout is not in a state for it.
    #[error("{payout} is {}: {action} needs {needs}", state.as_str())]
    WrongState {
        /// The payout.
        payout: PayoutId,
        /// Where it stands.
        state: State,
        /// What was asked.
        action: &'static str,
        /// In which states it is possible.
        needs: &'static str,
    },
    /// The payee may not be paid any more, or not there.
    #[error("{payout} is held back: {why}")]
    HeldBack {
        /// The payout.
        payout: PayoutId,
        /// What holds it.
        why: String,
    },
    /// It was retried before.
    #[error("{payout} was retried before: go on with the newest attempt")]
    RetriedBefore {
        /// The payout.
        payout: PayoutId,
    },
    /// Less is available than was asked for.
    #[error("{payee} has {left} available and {asked} were asked for")]
    NotEnough {
        /// Whose money.
        payee: String,
        /// What there is.
        left: Money,
        /// What was asked for.
        asked: Money,
    },
    /// Nothing is available.
    #[error("{payee} has nothing available in {currency}: money comes with the next release")]
    Nothing {
        /// Whose money.
        payee: String,
        /// In which currency.
        currency: &'static str,
    },
    /// Who created a payout cannot approve it.
    #[error("{payout} was created with this key: another key must approve it")]
    OwnApproval {
        /// The payout.
        payout: PayoutId,
    },
    /// A conversion without a rate.
    #[error(
        "no rate from {from} to {to} is known: name `rate`, the units of {from} for one {to}, \
         or store one first"
    )]
    NoRate {
        /// The balance's currency.
        from: &'static str,
        /// What the payee receives.
        to: &'static str,
    },
    /// Two currencies that do not go together.
    #[error("{message}")]
    Currencies {
        /// The field.
        param: &'static str,
        /// Which, and what is possible.
        message: String,
    },
    /// A file cannot say it.
    #[error("{message}")]
    Unwritable {
        /// What, where and the way out.
        message: String,
    },
    /// A gateway that pays nothing out.
    #[error("{rail} makes no payouts: use `bank` or another rail")]
    NoSuchRail {
        /// The rail.
        rail: String,
    },
    /// The ledger refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Stored data that this version cannot read, or a plan that was wrong.
    #[error("payouts cannot go on: {what}")]
    Corrupt {
        /// What and where.
        what: String,
    },
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A field that is wrong.
pub(super) fn invalid(param: &'static str, message: impl Into<String>) -> PayoutError {
    PayoutError::Invalid { param, message: message.into() }
}

/// Stored data that cannot be read.
pub(super) fn corrupt(what: impl std::fmt::Display) -> PayoutError {
    PayoutError::Corrupt { what: what.to_string() }
}

impl From<sqlx::Error> for PayoutError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<LedgerError> for PayoutError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Db(error.into()),
            other => corrupt(other),
        }
    }
}

impl From<PaymentError> for PayoutError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::Db(error) => Self::Db(error),
            PaymentError::LedgerRefused { refusal } => Self::Refused(refusal),
            other => corrupt(other),
        }
    }
}

impl From<PayoutError> for InboxError {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::Db(error) => Self::Db(error),
            other => Self::Payments(PaymentError::Corrupt { what: other.to_string() }),
        }
    }
}

impl From<MoneyError> for PayoutError {
    fn from(error: MoneyError) -> Self {
        corrupt(error)
    }
}

impl From<PostingError> for PayoutError {
    fn from(error: PostingError) -> Self {
        corrupt(error)
    }
}

impl From<AccountError> for PayoutError {
    fn from(error: AccountError) -> Self {
        invalid("vendor", error.to_string())
    }
}

impl Retryable for PayoutError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<PayoutError> for Problem {
    fn from(error: PayoutError) -> Self {
        let detail = error.to_string();
        match error {
            PayoutError::Invalid { param, .. } => {
                Self::new(Code::InvalidField, detail).param(param)
            }
            PayoutError::NotFound { .. } => Self::not_found(),
            PayoutError::WrongState { .. }
            | PayoutError::RetriedBefore { .. }
            | PayoutError::HeldBack { .. } => Self::new(Code::WrongState, detail),
            PayoutError::NotEnough { .. } | PayoutError::Nothing { .. } => {
                Self::new(Code::InsufficientBalance, detail).param("amount")
            }
            PayoutError::OwnApproval { .. } => Self::new(Code::NotAllowed, detail),
            PayoutError::NoRate { .. } => Self::new(Code::UnknownReference, detail).param("rate"),
            PayoutError::Currencies { param, .. } => {
                Self::new(Code::CurrencyMismatch, detail).param(param)
            }
            PayoutError::Unwritable { .. } => Self::new(Code::Contradiction, detail),
            PayoutError::NoSuchRail { .. } => {
                Self::new(Code::UnsupportedByProvider, detail).param("rail")
            }
            PayoutError::Refused(refusal) => match refusal {
                Refusal::BelowFloor { .. } => Self::new(Code::InsufficientBalance, detail),
                Refusal::PeriodClosed { .. } => Self::new(Code::PeriodClosed, detail),
                Refusal::OutOfRange { .. } => Self::new(Code::AmountExceedsRest, detail),
                _ => Self::new(Code::WrongState, detail),
            },
            corrupt @ PayoutError::Corrupt { .. } => Self::internal(&corrupt),
            PayoutError::Db(error) => error.into(),
        }
    }
}

//! Why a wallet said no, and what stands behind it.

use mizan_ledger::{AccountError, LedgerError, PostingError};
use mizan_money::id::PaymentIntentId;
use mizan_money::{AllocateError, Money, MoneyError};

use crate::db::{DbError, Retry, Retryable};
use crate::http::{Code, Problem};
use crate::payments::PaymentError;

/// Why nothing was done. A rule's refusal names the numbers and the way out.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
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
    /// The promo purse has less to spend.
    #[error("{customer} has {left} of promo credit to spend and {asked} were asked for")]
    Insufficient {
        /// Whose purse.
        customer: String,
        /// What was asked for.
        asked: Money,
        /// What has vested, has not ended and is not held elsewhere.
        left: Money,
    },
    /// The payment holds wallet money already, or has spent it.
    #[error("{payment} holds wallet money already: a payment holds once")]
    HeldBefore {
        /// The payment.
        payment: PaymentIntentId,
    },
    /// The payment's hold went back, so there is nothing to spend.
    #[error("the wallet money of {payment} went back: hold it again before it is spent")]
    HoldIsOver {
        /// The payment.
        payment: PaymentIntentId,
    },
    /// More promo credit is to go back than the payment spent.
    #[error("{asked} of promo credit is more than the {left} that {payment} spent and still has")]
    TooMuchBack {
        /// The payment.
        payment: PaymentIntentId,
        /// What was asked for.
        asked: Money,
        /// What was spent and not given back.
        left: Money,
    },
    /// Stored data that this version cannot read, or that contradicts itself.
    #[error("the wallets cannot go on: {what}")]
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

impl WalletError {
    /// A field that cannot be.
    pub(crate) fn invalid(param: &str, message: impl Into<String>) -> Self {
        Self::Invalid { param: param.to_owned(), message: message.into() }
    }
}

impl From<sqlx::Error> for WalletError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<LedgerError> for WalletError {
    fn from(error: LedgerError) -> Self {
        Self::Payment(error.into())
    }
}

impl Retryable for WalletError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            Self::Payment(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<WalletError> for PaymentError {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Payment(error) => error,
            WalletError::Db(error) => Self::Db(error),
            other => Self::Wallet(Box::new(other)),
        }
    }
}

impl From<WalletError> for Problem {
    fn from(error: WalletError) -> Self {
        let detail = error.to_string();
        match error {
            WalletError::Db(error) => error.into(),
            WalletError::Payment(error) => error.into(),
            WalletError::NotFound { .. } => Self::not_found(),
            WalletError::Invalid { param, message } => {
                Self::new(Code::InvalidField, message).param(param)
            }
            WalletError::Insufficient { .. } => {
                Self::new(Code::InsufficientBalance, detail).param("wallet.promo")
            }
            WalletError::HeldBefore { .. } | WalletError::HoldIsOver { .. } => {
                Self::new(Code::WrongState, detail)
            }
            WalletError::TooMuchBack { .. } => Self::new(Code::AmountExceedsRest, detail),
            other => Self::internal(&other),
        }
    }
}

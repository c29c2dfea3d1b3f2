//! Why finance was refused, and what the caller hears of it.

use mizan_ledger::{AccountError, LedgerError, PostingError, Refusal};
use mizan_money::{Currency, Money, MoneyError};

use crate::books::BooksError;
use crate::db::{DbError, Retry, Retryable};
use crate::http::{Code, Problem};
use crate::wallets::WalletError;

/// Why nothing was booked. A rule's refusal names the numbers and the way out.
#[derive(Debug, thiserror::Error)]
pub enum FinanceError {
    /// A field that cannot be what it is.
    #[error("{message}")]
    Invalid {
        /// The field.
        param: String,
        /// What is wrong with it and how to mend it.
        message: String,
    },
    /// Debits and credits differ.
    #[error(
        "debits and credits of {currency} differ by {off_by} minor units: every currency balances \
         by itself"
    )]
    Unbalanced {
        /// The currency.
        currency: Currency,
        /// Debits less credits.
        off_by: i128,
    },
    /// A currency that is none.
    #[error("{message}")]
    UnknownCurrency {
        /// The field.
        param: String,
        /// Why.
        message: String,
    },
    /// The id is unknown here.
    #[error("{id} is not known")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// The request names something that is not there.
    #[error("{message}")]
    UnknownReference {
        /// The field.
        param: &'static str,
        /// What is not there.
        message: String,
    },
    /// It was decided on before.
    #[error("{id} is {state}: only a draft can be approved or rejected")]
    WrongState {
        /// The journal.
        id: String,
        /// Where it stands.
        state: &'static str,
    },
    /// Maker and checker are one.
    #[error("{id} was made with this key: a journal is decided on with another one")]
    OwnDraft {
        /// The journal.
        id: String,
    },
    /// The request belongs to play money.
    #[error("{message}")]
    NotAllowed {
        /// Why, and what may be done instead.
        message: String,
    },
    /// More is paid than is owed.
    #[error("{asked} is more than the {owed} owed on {account}")]
    TooMuch {
        /// The account.
        account: String,
        /// What was asked for.
        asked: Money,
        /// What is owed.
        owed: Money,
    },
    /// The same was told before.
    #[error("{what}")]
    ReferenceReused {
        /// The field.
        param: &'static str,
        /// What was told before, and when it may be told again.
        what: String,
    },
    /// The books.
    #[error(transparent)]
    Books(#[from] BooksError),
}

impl FinanceError {
    /// A field that cannot be what it is.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { param: param.into(), message: message.into() }
    }

    /// Stored data that this version cannot read.
    pub fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Books(BooksError::Corrupt { what: what.to_string() })
    }
}

impl From<sqlx::Error> for FinanceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Books(BooksError::Db(error.into()))
    }
}

impl From<DbError> for FinanceError {
    fn from(error: DbError) -> Self {
        Self::Books(BooksError::Db(error))
    }
}

impl From<LedgerError> for FinanceError {
    fn from(error: LedgerError) -> Self {
        Self::Books(error.into())
    }
}

impl From<PostingError> for FinanceError {
    fn from(error: PostingError) -> Self {
        Self::Books(error.into())
    }
}

impl From<Refusal> for FinanceError {
    fn from(refusal: Refusal) -> Self {
        Self::Books(refusal.into())
    }
}

impl From<AccountError> for FinanceError {
    fn from(error: AccountError) -> Self {
        Self::Books(PostingError::from(error).into())
    }
}

impl From<WalletError> for FinanceError {
    fn from(error: WalletError) -> Self {
        match error {
            WalletError::Db(error) => error.into(),
            other => Self::invalid("entries", other.to_string()),
        }
    }
}

impl From<MoneyError> for FinanceError {
    fn from(error: MoneyError) -> Self {
        Self::invalid("amount", error.to_string())
    }
}

impl Retryable for FinanceError {
    fn retry(&self) -> Retry {
        match self {
            Self::Books(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<FinanceError> for Problem {
    fn from(error: FinanceError) -> Self {
        let detail = format!("{error}.").replace("..", ".");
        match error {
            FinanceError::Books(error) => error.into(),
            FinanceError::Invalid { param, .. } => {
                Self::new(Code::InvalidField, detail).param(param)
            }
            FinanceError::Unbalanced { .. } => {
                Self::new(Code::AmountsDoNotAddUp, detail).param("entries")
            }
            FinanceError::UnknownCurrency { param, .. } => {
                Self::new(Code::UnknownCurrency, detail).param(param)
            }
            FinanceError::NotFound { .. } => Self::not_found(),
            FinanceError::UnknownReference { param, .. } => {
                Self::new(Code::UnknownReference, detail).param(param)
            }
            FinanceError::WrongState { .. } => Self::new(Code::WrongState, detail),
            FinanceError::OwnDraft { .. } | FinanceError::NotAllowed { .. } => {
                Self::new(Code::NotAllowed, detail)
            }
            FinanceError::TooMuch { .. } => {
                Self::new(Code::AmountExceedsRest, detail).param("amount")
            }
            FinanceError::ReferenceReused { param, .. } => {
                Self::new(Code::ReferenceReused, detail).param(param)
            }
        }
    }
}

//! Why the books refused, and what the caller hears of it.

use chrono::NaiveDate;
use mizan_ledger::{LedgerError, PostingError, Refusal};
use mizan_money::{Currency, Timestamp, TransactionId};

use crate::db::{DbError, Retry, Retryable};
use crate::http::{Code, Problem};

/// Why nothing was posted. A rule's refusal names the numbers and the way out.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The id is unknown here.
    #[error("{id} is not known")]
    NotFound {
        /// What was asked for.
        id: TransactionId,
    },
    /// Debits equal credits only if currencies are ignored.
    #[error(
        "the amounts add up only across currencies: {} do not net; book the exchange through \
         fx_clearing, which has a balance in each",
        list(.currencies)
    )]
    Mixed {
        /// The currencies that do not balance.
        currencies: Vec<Currency>,
    },
    /// The entry belongs to an object that has routes of its own.
    #[error("{id} was written with {owner}: cancel or refund that, and its entries are taken back")]
    Owned {
        /// The transaction.
        id: TransactionId,
        /// The object.
        owner: String,
    },
    /// The day to be closed goes on.
    #[error(
        "{day} is not over before {}: close it then",
        ends_at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
    )]
    NotOver {
        /// The day.
        day: NaiveDate,
        /// When it is over.
        ends_at: Timestamp,
    },
    /// The day of recording that was asked for has not begun.
    #[error("it is {today} in {time_zone}: nobody knows yet what will be known on {day}")]
    NotKnownYet {
        /// What was asked for.
        day: NaiveDate,
        /// The day it is.
        today: NaiveDate,
        /// Where.
        time_zone: String,
    },
    /// The ledger said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Entries that make no posting.
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// Stored data that this version cannot read, or a promise of the ledger that it broke.
    #[error("the books cannot go on: {what}")]
    Corrupt {
        /// What and where.
        what: String,
    },
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

fn list(currencies: &[Currency]) -> String {
    let codes: Vec<&str> = currencies.iter().map(|currency| currency.code()).collect();
    codes.join(" and ")
}

impl From<LedgerError> for BooksError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Db(error.into()),
            other => Self::Corrupt { what: other.to_string() },
        }
    }
}

impl Retryable for BooksError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

impl From<BooksError> for Problem {
    fn from(error: BooksError) -> Self {
        let detail = error.to_string();
        match error {
            BooksError::Db(error) => error.into(),
            BooksError::NotFound { .. } => Self::not_found(),
            BooksError::Mixed { .. } => Self::new(Code::CurrencyMismatch, detail).param("entries"),
            BooksError::NotOver { .. } => {
                Self::new(Code::InvalidField, detail).param("closed_through")
            }
            BooksError::NotKnownYet { .. } => {
                Self::new(Code::InvalidParameter, detail).param("known")
            }
            BooksError::Owned { .. } => Self::new(Code::WrongState, detail),
            BooksError::Refused(refusal) => match refusal {
                Refusal::BelowFloor { .. } => Self::new(Code::InsufficientBalance, detail),
                Refusal::UnknownOriginal { .. } => Self::not_found(),
                Refusal::AlreadyReversed { .. } => Self::new(Code::WrongState, detail),
                Refusal::PeriodClosed { .. } => Self::new(Code::PeriodClosed, detail),
                Refusal::OutOfRange { .. } => Self::new(Code::AmountExceedsRest, detail),
            },
            BooksError::Posting(PostingError::Unbalanced { .. }) => {
                Self::new(Code::AmountsDoNotAddUp, detail).param("entries")
            }
            BooksError::Posting(_) => Self::new(Code::Contradiction, detail).param("entries"),
            corrupt @ BooksError::Corrupt { .. } => Self::internal(&corrupt),
        }
    }
}

//! The statements behind the ledger's reads.

mod account;
mod dated;
mod fx;
mod past;
mod statement;
mod transaction;

use mizan_money::Currency;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{Cursor, Listed};
use crate::account::AccountRef;
use crate::entry::Side;
use crate::error::LedgerError;

pub use account::{account, account_at, accounts, accounts_above_zero, accounts_at, trial_balance};
pub use dated::dated_statement;
pub use fx::{day_ends, fx_position};
pub use past::{balance_as_of, horizon, trial_balance_as_of};
pub use statement::{lines_between, statement};
pub use transaction::{transaction, transaction_by_key, transactions, transactions_by_id};

type Result<T> = std::result::Result<T, LedgerError>;

fn corrupt(what: impl std::fmt::Display) -> LedgerError {
    LedgerError::Corrupt { what: what.to_string() }
}

fn currency(row: &PgRow) -> Result<Currency> {
    Currency::parse(row.try_get("currency")?).map_err(corrupt)
}

fn account_ref(row: &PgRow) -> Result<AccountRef> {
    AccountRef::parse(row.try_get("path")?).map_err(corrupt)
}

fn side(row: &PgRow) -> Result<Side> {
    let letter: String = row.try_get("side")?;
    Side::from_letter(&letter).ok_or_else(|| corrupt(format!("side `{letter}`")))
}

/// Cuts the row that only tells that there are more, and puts the page in its order.
fn listed<T>(mut found: Vec<T>, limit: usize, backwards: bool) -> Listed<T> {
    let has_more = found.len() > limit;
    found.truncate(limit);
    if backwards {
        found.reverse();
    }
    Listed { data: found, has_more }
}

/// The bounds of a page in a list that is ordered by a number, newest first.
struct Bounds {
    above: i64,
    below: i64,
    backwards: bool,
}

fn bounds(cursor: Cursor, number: i64) -> Bounds {
    match cursor {
        Cursor::Start => Bounds { above: 0, below: i64::MAX, backwards: false },
        Cursor::After(_) => Bounds { above: 0, below: number, backwards: false },
        Cursor::Before(_) => Bounds { above: number, below: i64::MAX, backwards: true },
    }
}

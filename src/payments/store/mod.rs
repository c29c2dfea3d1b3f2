//! Every statement on the schema `payments`.

mod load;
mod operation;
mod query;
mod save;

use mizan_money::{Currency, Money, Rate};
use sqlx::Row;
use sqlx::postgres::PgRow;

pub use load::{load, lock, policy};
pub use operation::{
    archive, due_operations, finish_operation, insert_operation, law_operations_end,
    lock_operation, open_operation, open_operations, operation, postpone_operation,
};
pub use query::{
    Listing, attempt_by_reference, awaits_reference, due_fees, intents, law_books_agree,
    law_refunds_agree, postpone_fee, refund_by_reference, refund_owner, refunds,
};
pub use save::{insert_intent, save};

use super::error::PaymentError;

type Result<T> = std::result::Result<T, PaymentError>;

fn corrupt(what: impl std::fmt::Display) -> PaymentError {
    PaymentError::Corrupt { what: what.to_string() }
}

fn currency(row: &PgRow, column: &str) -> Result<Currency> {
    Currency::parse(row.try_get(column)?).map_err(corrupt)
}

fn money(row: &PgRow, column: &str, currency: Currency) -> Result<Money> {
    Ok(Money::new(row.try_get(column)?, currency))
}

fn rate(row: &PgRow, column: &str) -> Result<Rate> {
    Rate::percent(row.try_get(column)?).map_err(corrupt)
}

/// A stored word of a closed set.
fn word<T>(row: &PgRow, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T> {
    let word: String = row.try_get(column)?;
    parse(&word).ok_or_else(|| corrupt(format!("{column} `{word}`")))
}

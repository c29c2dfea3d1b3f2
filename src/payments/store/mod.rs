//! Every statement on the schema `payments`.
//!
//! What takes many at once probes an index for each of them, in a `lateral` subquery that no
//! planner can turn into a join: a connection keeps the plan it made, and one that was made when
//! a table was empty, and a scan of it cheap, must be as good when it holds millions. Where two
//! indexes begin alike, `>= … order by … limit 1` leaves only the one meant. Rows that are held
//! under a lock already are written by their place (`ctid`), which cannot change meanwhile.

mod dispute;
mod insert;
mod load;
mod operation;
mod order;
mod parts;
mod policy;
mod query;
mod question;
mod reference;
mod save;
mod word;

use mizan_money::{Currency, Money, Rate};
use sqlx::Row;
use sqlx::postgres::PgRow;

pub use dispute::{dispute_owner, disputes, is_dispute_known};
pub use insert::insert_intent;
pub use load::{load, lock};
pub use operation::{
    archive, due_operations, finish_operations, insert_operation, lock_open_operations,
    lock_operation, open_operation, open_operations, operation, postpone_operation, take_sending,
};
pub use order::{due_releases, idle_holds, intents_of_order};
pub use parts::given_from_json;
pub use policy::policy;
pub use query::{
    DueAttempt, Listing, awaits_reference, due_attempts, hint_attempts, intents, postpone_attempt,
    refund_owner, refunds,
};
pub use question::{
    DisputeHint, due_dispute_hints, forget_dispute_hints, hint_disputes, postpone_dispute_hint,
};
pub use reference::{Found, FoundBy, Wanted, attempts_by_reference, refunds_by_reference};
pub use save::save;
pub use word::keep_words;

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

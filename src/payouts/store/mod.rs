//! Every statement on the schema `payouts`.

mod call;
mod changes;
mod file;
mod load;
mod payee;
mod run;

use std::collections::BTreeMap;

use mizan_ledger::postings::Payee;
use mizan_money::{Currency, Money};
use sqlx::Row;
use sqlx::postgres::PgRow;

pub use call::{
    begin_call, call, end_call, hint_calls, insert_call, lock_due_calls, payouts_by_reference,
};
pub use changes::{insert_items, insert_payout, keep_gates, keep_steps, save};
pub use file::{file_members, files_of_run, insert_file, put_into_file};
pub use load::{
    Item, Listing, Step, attempts, gates, items, last_cut, lock_payout, newest_rate, paid_in,
    payout, payouts, payouts_of_run, steps,
};
pub use payee::{
    add_block, add_kyc, add_payee, bank_account, block_details, blocks, kyc, lift_blocks,
    lock_payee, new_bank_account, set_terms, terms, verify_bank_account,
};
pub use run::{
    day_of, days_that_paid, insert_run, lock_gated, lock_stale, payees_with_schedule, run, run_on,
};

use super::error::{PayoutError, corrupt};

type Result<T> = std::result::Result<T, PayoutError>;

fn currency(row: &PgRow, column: &str) -> Result<Currency> {
    Currency::parse(row.try_get(column)?).map_err(corrupt)
}

/// An amount and its currency, which are there together.
fn money(row: &PgRow, amount: &str, code: &str) -> Result<Option<Money>> {
    let minor: Option<i64> = row.try_get(amount)?;
    let code: Option<String> = row.try_get(code)?;
    let (Some(minor), Some(code)) = (minor, code) else { return Ok(None) };
    Ok(Some(Money::new(minor, Currency::parse(&code).map_err(corrupt)?)))
}

fn payee_of(row: &PgRow) -> Result<Payee> {
    let (kind, id): (String, String) = (row.try_get("kind")?, row.try_get("payee")?);
    Payee::of(&kind, &id).ok_or_else(|| corrupt(format!("payee of kind `{kind}`")))
}

/// Minor units by currency.
fn amounts(value: &serde_json::Value) -> BTreeMap<String, i64> {
    let object = value.as_object().into_iter().flatten();
    object.filter_map(|(code, minor)| Some((code.clone(), minor.as_i64()?))).collect()
}

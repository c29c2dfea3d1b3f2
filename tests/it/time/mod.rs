//! Balances over time: what was true on a day, as it was known at a time, and closed days.

mod api;
mod closing;
mod model;
mod zones;

use chrono::NaiveDate;
use mizan_ledger::day_delta::{end_day, fold_day, law_day_deltas};
use mizan_ledger::period::{self, Closing};
use mizan_ledger::read::{self, AsOf, Horizon, Known};
use mizan_ledger::{NewTransaction, Side};
use mizan_money::{Currency, Timestamp};

use crate::support::page::account;
use crate::support::{Books, scope};

/// A day such as `2026-03-31`.
pub fn day(text: &str) -> NaiveDate {
    read::parse_day(text).unwrap()
}

/// A moment such as `2026-03-31T20:00:00Z`.
pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The same, dated into another moment.
pub fn dated(mut asked: NewTransaction, text: &str) -> NewTransaction {
    asked.effective_at = at(text);
    asked
}

/// Sums up every day that is over; answers them.
pub async fn fold_all(books: &Books, now: Timestamp) -> Vec<NaiveDate> {
    let mut folded = Vec::new();
    loop {
        let mut tx = scope(books.db.service_pool(), books.tenant).await;
        let ended = end_day(&mut tx, books.tenant, now).await.unwrap();
        tx.commit().await.unwrap();
        let Some(ended) = ended else { return folded };
        let mut tx = scope(books.db.service_pool(), books.tenant).await;
        let day = fold_day(&mut tx, books.tenant, ended).await.unwrap();
        tx.commit().await.unwrap();
        folded.extend(day.map(|day| day.day));
    }
}

/// The question placed in the books.
pub async fn horizon(books: &Books, as_of: AsOf, now: Timestamp) -> Horizon {
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    read::horizon(&mut tx, books.tenant, as_of, now).await.unwrap()
}

/// Debits minus credits of an account in dirhams; nothing before its first use.
pub async fn net(books: &Books, path: &str, as_of: AsOf, now: Timestamp) -> i64 {
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let tenant = books.tenant;
    let found = read::account_at(&mut tx, tenant, &account(path), Currency::AED).await.unwrap();
    let Some(found) = found else { return 0 };
    let horizon = read::horizon(&mut tx, tenant, as_of, now).await.unwrap();
    let past = read::balance_as_of(&mut tx, tenant, found.id, &horizon).await.unwrap().unwrap();
    let net = past.debits - past.credits;
    let on_side = match past.account.line().class.normal_side() {
        Side::Debit => net,
        Side::Credit => -net,
    };
    assert_eq!(past.balance().minor(), on_side);
    net
}

/// The question of both days, either of them left out.
pub fn as_of(effective: &str, known: &str) -> AsOf {
    AsOf {
        effective: (!effective.is_empty()).then(|| day(effective)),
        known: if known.is_empty() { Known::Now } else { Known::Day(day(known)) },
    }
}

/// Closes days as the service does.
pub async fn close(books: &Books, now: Timestamp, through: &str) -> Closing {
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let closing = period::close(&mut tx, books.tenant, now, day(through), "tests").await.unwrap();
    tx.commit().await.unwrap();
    closing
}

/// Asserts that the daily sums are those of the entries; answers how many there are.
pub async fn prove_sums(books: &Books) -> i64 {
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let law = law_day_deltas(&mut tx, books.tenant, 0).await.unwrap();
    assert!(law.holds(), "{:#?}", law.broken);
    law.checked
}

/// Sets the time zone, as the owner does before anything is counted.
pub async fn move_to(books: &Books, zone: &str) -> Result<(), sqlx::Error> {
    sqlx::query("update mizan.tenant set time_zone = $2 where tenant_id = $1")
        .bind(books.tenant.0)
        .bind(zone)
        .execute(&mut books.db.owner().await)
        .await
        .map(drop)
}

//! Property: whatever was dated into whatever day, recorded whenever and summed up whenever,
//! every question about the past has the answer of a model of a few lines.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate, TimeDelta};
use mizan_ledger::Side;
use mizan_ledger::read::{self, AsOf, Detail, Known};
use mizan_money::{Currency, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use super::{at, fold_all, horizon, move_to, net, prove_sums};
use crate::support::page::account;
use crate::support::{Books, fact, scope};

const CASES: u32 = 12;
const ACCOUNTS: [&str; 4] = ["bank:main", "suspense:bank", "bank_charges", "fx_clearing"];
/// Around the days on which clocks change in Berlin.
const START: &str = "2026-03-25T00:00:00Z";

/// Something that happens.
#[derive(Clone, Debug)]
enum Step {
    /// Posted so many quarters of an hour later, dated so many hours back or ahead.
    Post { later: i64, dated: i64, from: usize, to: usize, minor: i64 },
    /// Days that are over are summed up.
    Fold,
}

fn step() -> impl Strategy<Value = Step> {
    let account = || 0..ACCOUNTS.len();
    prop_oneof![
        5 => (0..150_i64, -400..24_i64, account(), account(), 1..900_i64).prop_map(
            |(later, dated, from, to, minor)| Step::Post { later, dated, from, to, minor }
        ),
        1 => Just(Step::Fold),
    ]
}

/// One posting as the model keeps it.
struct Noted {
    effective: NaiveDate,
    known: NaiveDate,
    recorded_at: Timestamp,
    from: usize,
    to: usize,
    minor: i64,
}

/// The day of a moment in the zone, said by the zone's hours and not by PostgreSQL.
fn day_in(zone: &str, moment: Timestamp) -> NaiveDate {
    let (summer, winter) = (at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z"));
    let hours = match zone {
        "Asia/Dubai" => 4,
        "Europe/Berlin" if moment >= summer && moment < winter => 2,
        "Europe/Berlin" => 1,
        _ => 0,
    };
    (moment + TimeDelta::hours(hours)).date_naive()
}

fn model_net(noted: &[&Noted], n: usize) -> i64 {
    let one = |note: &&Noted| {
        let debit = if note.to == n { note.minor } else { 0 };
        debit - if note.from == n { note.minor } else { 0 }
    };
    noted.iter().map(one).sum()
}

async fn like_the_model(books: &Books, zone: &str, steps: &[Step]) -> Result<(), TestCaseError> {
    move_to(books, zone).await.unwrap();
    let (mut now, mut noted) = (at(START), Vec::new());
    for (n, step) in steps.iter().enumerate() {
        match step {
            Step::Fold => drop(fold_all(books, now).await),
            Step::Post { later, dated, from, to, minor } => {
                now += TimeDelta::minutes(15 * later);
                let page = format!(
                    "dr {} {} AED; cr {} {} AED",
                    ACCOUNTS[*to],
                    Cents(*minor),
                    ACCOUNTS[*from],
                    Cents(*minor)
                );
                let mut asked = fact(&format!("k{n}"), &page);
                asked.effective_at = now + TimeDelta::hours(*dated);
                let posted = books.post_at(now, &[asked.clone()]).await.unwrap();
                let recorded_at = posted[0].posted().unwrap().recorded_at;
                noted.push(Noted {
                    effective: day_in(zone, asked.effective_at),
                    known: day_in(zone, recorded_at),
                    recorded_at,
                    from: *from,
                    to: *to,
                    minor: *minor,
                });
            }
        }
    }
    questions(books, &noted, now).await?;
    fold_all(books, now + TimeDelta::days(2)).await;
    questions(books, &noted, now).await?;
    prove_sums(books).await;
    books.prove().await;
    Ok(())
}

/// An amount of minor units as text.
struct Cents(i64);

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// Asks everything that could have another answer than its neighbour.
async fn questions(books: &Books, noted: &[Noted], now: Timestamp) -> Result<(), TestCaseError> {
    let around = |days: BTreeSet<NaiveDate>| {
        let before = days.first().and_then(|day| day.checked_sub_days(Days::new(1)));
        days.into_iter().chain(before).map(Some).chain([None]).collect::<Vec<_>>()
    };
    let effective = around(noted.iter().map(|note| note.effective).collect());
    let mut known: Vec<Known> = around(noted.iter().map(|note| note.known).collect())
        .into_iter()
        .map(|day| day.map_or(Known::Now, Known::Day))
        .collect();
    known.extend(noted.iter().step_by(4).map(|note| Known::At(note.recorded_at)));
    for (n, known) in known.into_iter().enumerate() {
        // Each day of the world meets every fourth day of knowing; over the cases all pairs do.
        for effective in effective.iter().skip(n % 4).step_by(4).chain([&None]) {
            let as_of = AsOf { effective: *effective, known };
            let counts: Vec<&Noted> = noted.iter().filter(|note| counts(note, as_of)).collect();
            for (n, path) in ACCOUNTS.into_iter().enumerate() {
                let (found, expected) = (net(books, path, as_of, now).await, model_net(&counts, n));
                prop_assert_eq!(found, expected, "{} as of {:?}", path, as_of);
            }
            trial(books, &counts, as_of, now).await?;
        }
    }
    statements(books, noted, now).await
}

fn counts(note: &Noted, as_of: AsOf) -> bool {
    let is_known = match as_of.known {
        Known::Now => true,
        Known::Day(day) => note.known <= day,
        Known::At(moment) => note.recorded_at <= moment,
    };
    is_known && as_of.effective.is_none_or(|day| note.effective <= day)
}

async fn trial(
    books: &Books,
    counts: &[&Noted],
    as_of: AsOf,
    now: Timestamp,
) -> Result<(), TestCaseError> {
    let horizon = horizon(books, as_of, now).await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let lines =
        read::trial_balance_as_of(&mut tx, books.tenant, Detail::Account, &horizon).await.unwrap();
    let found: BTreeMap<String, i128> =
        lines.into_iter().map(|line| (line.path, line.debit - line.credit)).collect();
    let expected: BTreeMap<String, i128> = ACCOUNTS
        .into_iter()
        .enumerate()
        .map(|(n, path)| (path.to_owned(), i128::from(model_net(counts, n))))
        .filter(|(_, net)| *net != 0)
        .collect();
    prop_assert_eq!(found, expected, "{:?}", as_of);
    Ok(())
}

/// The first account's statement over the middle of the days, page by page.
async fn statements(books: &Books, noted: &[Noted], now: Timestamp) -> Result<(), TestCaseError> {
    let days: BTreeSet<NaiveDate> = noted.iter().map(|note| note.effective).collect();
    let (Some(from), Some(through)) =
        (days.iter().nth(days.len() / 4), days.iter().nth(days.len() * 3 / 4))
    else {
        return Ok(());
    };
    let tenant = books.tenant;
    let mut tx = scope(books.db.service_pool(), tenant).await;
    let path = account(ACCOUNTS[0]);
    let found = read::account_at(&mut tx, tenant, &path, Currency::AED).await.unwrap();
    let Some(found) = found else { return Ok(()) };
    for known in noted.iter().map(|note| Known::Day(note.known)).chain([Known::Now]).step_by(2) {
        let as_of = AsOf { effective: None, known };
        let horizon = read::horizon(&mut tx, tenant, as_of, now).await.unwrap();
        let (mut after, mut lines) = (None, Vec::new());
        let page = loop {
            let part = (after, 2);
            let days = (*from, *through);
            let page = read::dated_statement(&mut tx, tenant, found.id, days, &horizon, part);
            let page = page.await.unwrap().unwrap();
            lines.extend(page.lines.clone());
            after = lines.last().map(|line| line.transaction.uuid());
            if !page.has_more {
                break page;
            }
        };
        let expected = |through: Option<NaiveDate>| {
            let as_of = AsOf { effective: through, known };
            let counts: Vec<&Noted> = noted.iter().filter(|note| counts(note, as_of)).collect();
            model_net(&counts, 0)
        };
        prop_assert_eq!(page.opening.minor(), expected(from.pred_opt()));
        prop_assert_eq!(page.closing.minor(), expected(Some(*through)));
        let mut running = page.opening.minor();
        for line in &lines {
            running += match line.side {
                Side::Debit => line.amount.minor(),
                Side::Credit => -line.amount.minor(),
            };
            prop_assert_eq!(line.balance_after.minor(), running);
        }
        prop_assert_eq!(running, page.closing.minor());
        prop_assert!(lines.is_sorted_by_key(|line| (line.effective_at, line.position, line.seq)));
    }
    Ok(())
}

#[test]
fn every_question_about_the_past_has_the_answer_of_the_model() {
    let runtime = Runtime::new().unwrap();
    let first = runtime.block_on(Books::new());
    let zone = prop::sample::select(&["Asia/Dubai", "Europe/Berlin", "UTC"][..]);
    let lives = (zone, prop::collection::vec(step(), 1..24));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let number = std::sync::atomic::AtomicI32::new(100);
    let told = TestRunner::new(config).run(&lives, |(zone, steps)| {
        runtime.block_on(async {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let books = first.of(first.db.add_tenant(number).await);
            like_the_model(&books, zone, &steps).await
        })
    });
    let _inside = runtime.enter();
    drop(first);
    told.unwrap();
}

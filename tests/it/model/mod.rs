//! Properties: random commands, facts, repeats, reused keys and reversals in several currencies,
//! in random batches whose sessions die at random moments, do to the real books what they do to a
//! ledger in memory.
//!
//! | part | does |
//! |---|---|
//! | [`ledger`] | the ledger in memory |
//! | [`steps`] | what is asked, and what happens to the one who asks |
//! | [`fate`] | posts, rolls back, dies |
//! | [`many`] | several workers at once, compared with the journal they made |
//!
//! Each run prints its seed; `MIZAN_TEST_SEED=… cargo test --test it model::` runs it again.

mod fate;
mod ledger;
mod many;
mod steps;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use mizan_ledger::read::{self, Cursor, Page};
use mizan_ledger::{NewTransaction, Outcome, Side};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::support::{Books, fact, scope};
use ledger::{Asked, Dir, Line, Model, Place, Told};
use steps::{Fate, Known, Step, in_ledgers_words};

const CASES: u32 = 40;

/// The seed of this run, printed so that it can be run again.
fn seed() -> u64 {
    let given = std::env::var("MIZAN_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    println!("MIZAN_TEST_SEED={seed} runs the same again");
    seed
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(seed()),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..Config::default()
    }
}

/// Asserts that the books hold, entry by entry, what the model holds.
async fn hold_the_same(books: &Books, model: &Model) -> Result<(), TestCaseError> {
    let journal = books.journal().await;
    let positions: Vec<i64> = journal.iter().map(|t| t.position).collect();
    prop_assert_eq!(positions, (1..=model.posted).collect::<Vec<_>>());
    let mut numbered: BTreeMap<Place, BTreeMap<i64, Line>> = BTreeMap::new();
    for entry in journal.iter().flat_map(|transaction| &transaction.entries) {
        let path = entry.account.to_string();
        let after = entry.balance_after.minor();
        let net = if ledger::reads_as_debits(&path) { after } else { -after };
        let dir = if entry.side == Side::Debit { Dir::In } else { Dir::Out };
        let place = (path, entry.amount.currency().code());
        let lines = numbered.entry(place).or_default();
        prop_assert_eq!(lines.insert(entry.seq, (dir, entry.amount.minor(), net)), None);
    }
    for (place, lines) in &numbered {
        let numbers: Vec<i64> = lines.keys().copied().collect();
        prop_assert_eq!(numbers, (1..=lines.len() as i64).collect::<Vec<_>>(), "{:?}", place);
    }
    let lines: BTreeMap<Place, Vec<Line>> =
        numbered.into_iter().map(|(place, lines)| (place, lines.into_values().collect())).collect();
    prop_assert_eq!(&lines, &model.lines);
    let mut nets = BTreeMap::new();
    let all = Page { limit: 10_000, cursor: Cursor::Start };
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let accounts = read::accounts(&mut tx, books.tenant, None, all).await.unwrap().unwrap();
    for account in accounts.data.iter().filter(|account| account.entries > 0) {
        let place = (account.account.to_string(), account.currency.code());
        nets.insert(place, account.debits - account.credits);
    }
    tx.commit().await.unwrap();
    prop_assert_eq!(&nets, &model.nets);
    books.prove().await;
    Ok(())
}

/// Asserts that each request was told what the model tells.
fn told_the_same(
    asked: &[Asked],
    expected: &[Told],
    outcomes: &[Outcome],
) -> Result<(), TestCaseError> {
    prop_assert_eq!(expected.len(), outcomes.len());
    for ((asked, expected), outcome) in asked.iter().zip(expected).zip(outcomes) {
        prop_assert!(expected.is(outcome), "{asked:?}: {expected:?}, and not {outcome:?}");
    }
    Ok(())
}

/// How often sessions died, and how often what they had posted stood all the same.
#[derive(Default)]
struct Deaths {
    all: AtomicUsize,
    stood: AtomicUsize,
}

async fn like_the_model(
    books: &Books,
    batches: &[(Vec<Step>, Fate)],
    deaths: &Deaths,
) -> Result<(), TestCaseError> {
    let (mut model, mut known) = (Model::default(), Known::default());
    for (steps, fate) in batches {
        let batch = steps::requests(books, "k", steps, &mut known).await;
        let words: Vec<NewTransaction> = batch.iter().map(in_ledgers_words).collect();
        let before = model.posted;
        let mut expected: Vec<Told> = batch.iter().map(|asked| model.answer(asked)).collect();
        let outcomes = match fate::post(books, &words, *fate).await {
            Some(outcomes) => outcomes,
            None => {
                deaths.all.fetch_add(1, Ordering::Relaxed);
                let stands = books.count("ledger.transaction").await;
                prop_assert!(stands == before || stands == model.posted, "half of it stands");
                if stands > before {
                    deaths.stood.fetch_add(1, Ordering::Relaxed);
                    expected = expected.iter().map(Told::again).collect();
                }
                books.post(&words).await
            }
        };
        told_the_same(&batch, &expected, &outcomes)?;
        known.posted.extend(outcomes.iter().filter_map(|o| o.posted().map(|p| p.id)));
        known.posted.dedup();
    }
    // Whatever was told is told again.
    let words: Vec<NewTransaction> = known.asked.iter().map(in_ledgers_words).collect();
    let expected: Vec<Told> = known.asked.iter().map(|asked| model.answer(asked)).collect();
    told_the_same(&known.asked, &expected, &books.post(&words).await)?;
    hold_the_same(books, &model).await
}

/// Runs each case on one runtime and one database, which hands out a new tenant's empty books
/// as often as the case asks.
fn for_each_case<S: Strategy>(
    cases: u32,
    strategy: &S,
    check: impl AsyncFn(&Tenants, S::Value) -> Result<(), TestCaseError>,
) {
    let runtime = Runtime::new().unwrap();
    let tenants = Tenants { first: runtime.block_on(Books::new()), made: AtomicI32::new(100) };
    let case = |value| runtime.block_on(check(&tenants, value));
    let told = TestRunner::new(config(cases)).run(strategy, case);
    let _inside = runtime.enter();
    drop(tenants);
    told.unwrap();
}

struct Tenants {
    first: Books,
    made: AtomicI32,
}

impl Tenants {
    async fn books(&self) -> Books {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        self.first.of(self.first.db.add_tenant(number).await)
    }
}

#[test]
fn the_books_do_what_the_model_does_whoever_dies() {
    let deaths = Deaths::default();
    for_each_case(CASES, &steps::batches(7), async |tenants, batches| {
        like_the_model(&tenants.books().await, &batches, &deaths).await
    });
    let (all, stood) = (deaths.all.into_inner(), deaths.stood.into_inner());
    println!("{all} batches had no answer; {stood} of them stood");
    assert!(stood > 0 && stood < all, "every kind of death is there");
}

/// A page of up to three legs in dirhams.
fn page() -> impl Strategy<Value = String> {
    let account = || {
        prop::sample::select(
            &[
                "bank:main",
                "gateway_clearing:stripe",
                "vendor_payable:V1:pending",
                "vendor_payable:V1:available",
                "vendor_payable:V1:reserve",
                "vendor_receivable:V1",
                "vendor_payable:V2:pending",
                "customer_wallet:C1:cash:spendable",
            ][..],
        )
    };
    (account(), account(), account(), 2..60_i64, 0..60_i64).prop_map(|(a, b, c, all, part)| {
        let part = part.min(all);
        let aed = |minor: i64| format!("{}.{:02} AED", minor / 100, minor % 100);
        format!("dr {a} {}; cr {b} {}; cr {c} {}", aed(all), aed(part), aed(all - part))
    })
}

/// What each party has in all, and what every account without a floor has: that is what no
/// order of facts can change. Which bucket a party's money lies in depends on the order.
fn in_all(balances: &str) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for line in balances.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let minor: i64 = words[1].replace('.', "").parse().unwrap();
        let parts: Vec<&str> = words[0].split(':').collect();
        let (whose, minor) = match parts[..] {
            ["vendor_payable", vendor, _] => (vendor, minor),
            ["vendor_receivable", vendor] => (vendor, -minor),
            ["customer_wallet", customer, ..] => (customer, minor),
            ["trade_receivable", customer] => (customer, -minor),
            _ => (words[0], minor),
        };
        *sums.entry(whose.to_owned()).or_default() += minor;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

#[test]
fn facts_come_to_the_same_however_they_are_batched_and_in_any_order() {
    let facts = prop::collection::vec(page(), 2..14).prop_flat_map(|pages| {
        let number = pages.len();
        let shuffled = Just((0..number).collect::<Vec<_>>()).prop_shuffle();
        (Just(pages), shuffled, prop::collection::vec(1..5_usize, number))
    });
    for_each_case(CASES / 2, &facts, async |tenants, (pages, order, sizes)| {
        let fact_of = |n: usize| fact(&format!("k{n}"), &pages[n]);
        let all: Vec<NewTransaction> = (0..pages.len()).map(fact_of).collect();
        let mut ends = Vec::new();
        let shuffled: Vec<NewTransaction> = order.iter().map(|n| fact_of(*n)).collect();
        for (facts, sizes) in [(&all, &[99][..]), (&all, &sizes), (&shuffled, &sizes)] {
            let books = tenants.books().await;
            let mut rest = &facts[..];
            for size in sizes {
                let (batch, later) = rest.split_at(rest.len().min(*size));
                books.book(batch).await;
                rest = later;
            }
            assert!(rest.is_empty());
            ends.push(books.balances().await);
            books.prove().await;
        }
        prop_assert_eq!(&ends[0], &ends[1]);
        prop_assert_eq!(in_all(&ends[0]), in_all(&ends[2]));
        Ok(())
    });
}

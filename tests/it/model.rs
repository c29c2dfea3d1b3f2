//! Properties: random commands, facts, repeats, reused keys and reversals in random batches do
//! to the real books what they do to a model of a few lines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI32, Ordering};

use mizan_ledger::{Authority, NewTransaction, Outcome, PostingKey, Side, TransactionKind};
use mizan_money::TransactionId;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

use crate::support::{Books, T0, answers, command, fact};

const CASES: u32 = 100;

/// Some with a floor on either side, some with none, two parties and more than one bucket.
const ACCOUNTS: [&str; 8] = [
    "bank:main",
    "gateway_clearing:stripe",
    "vendor_payable:V1:pending",
    "vendor_payable:V1:available",
    "vendor_payable:V1:reserve",
    "vendor_receivable:V1",
    "vendor_payable:V2:pending",
    "customer_wallet:C1:cash:spendable",
];

/// The side an account may not fall below zero on, said again rather than asked of the chart.
fn floor(path: &str) -> Option<Side> {
    match path.split(':').next() {
        Some("vendor_payable" | "customer_wallet") => Some(Side::Credit),
        Some("vendor_receivable") => Some(Side::Debit),
        _ => None,
    }
}

/// Where a fact takes the rest from; the last one takes whatever remains.
fn spill(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split(':').collect();
    match parts[..] {
        ["vendor_payable", vendor, bucket] => ["pending", "available", "reserve"]
            .iter()
            .filter(|other| **other != bucket)
            .map(|other| format!("vendor_payable:{vendor}:{other}"))
            .chain([format!("vendor_receivable:{vendor}")])
            .collect(),
        ["vendor_receivable", vendor] => vec![format!("vendor_payable:{vendor}:available")],
        ["customer_wallet", customer, ..] => vec![format!("trade_receivable:{customer}")],
        _ => Vec::new(),
    }
}

/// What the books should hold.
#[derive(Default)]
struct Model {
    /// Debits minus credits, of accounts that have entries.
    net: BTreeMap<String, i64>,
    /// What each key was used for, and what it was told without `before`.
    told: BTreeMap<String, (String, String)>,
    posted: i64,
    reversed: Vec<TransactionId>,
}

impl Model {
    fn answer(&mut self, asked: &NewTransaction) -> String {
        let key = asked.key.as_str().to_owned();
        let content = format!("{:?} {:?} {:?}", asked.authority, asked.posting, asked.reverses);
        if let Some((before, told)) = self.told.get(&key) {
            return match *before == content {
                false => "key reused".to_owned(),
                true if told == "refused" => told.clone(),
                true => format!("{told} before"),
            };
        }
        let told = self.decide(asked);
        self.told.insert(key, (content, told.clone()));
        told
    }

    fn decide(&mut self, asked: &NewTransaction) -> String {
        if asked.reverses.is_some_and(|id| self.reversed.contains(&id)) {
            return "refused".to_owned();
        }
        let mut after = self.net.clone();
        for leg in asked.posting.legs() {
            let path = leg.account.path();
            let (side, amount) = (leg.side, leg.amount.minor());
            match asked.authority {
                Authority::Command => move_by(&mut after, path, side, amount),
                Authority::Fact => take(&mut after, path, side, amount),
            }
        }
        let below = |(path, net): (&String, &i64)| match floor(path) {
            Some(Side::Credit) => *net > 0,
            Some(Side::Debit) => *net < 0,
            None => false,
        };
        if after.iter().any(below) {
            return "refused".to_owned();
        }
        self.net = after;
        self.posted += 1;
        self.reversed.extend(asked.reverses);
        format!("posted {}", self.posted)
    }

    fn balances(&self) -> String {
        let mut page = String::new();
        for (path, net) in &self.net {
            let assets = ["bank", "gateway_clearing", "vendor_receivable", "trade_receivable"];
            let grows_on_debit = assets.contains(&path.split(':').next().unwrap());
            let balance = mizan_money::Money::new(
                if grows_on_debit { *net } else { -net },
                mizan_money::Currency::AED,
            );
            writeln!(page, "{path} {balance}").unwrap();
        }
        page
    }
}

fn move_by(net: &mut BTreeMap<String, i64>, path: &str, side: Side, amount: i64) {
    *net.entry(path.to_owned()).or_default() += match side {
        Side::Debit => amount,
        Side::Credit => -amount,
    };
}

/// A fact takes what is there, then what is there in the next place.
fn take(net: &mut BTreeMap<String, i64>, path: &str, side: Side, mut amount: i64) {
    let places = std::iter::once(path.to_owned()).chain(spill(path));
    for place in places {
        let has = net.get(&place).map_or(0, |net| net.abs());
        let most = if floor(&place) == Some(side.other()) { has } else { amount };
        if amount.min(most) > 0 {
            move_by(net, &place, side, amount.min(most));
            amount -= amount.min(most);
        }
    }
}

/// One thing to ask for; an `Index` picks from what was asked or posted before.
#[derive(Clone, Debug)]
enum Step {
    Post { authority: Authority, page: String },
    Repeat(Index),
    ReuseKey(Index, String),
    Reverse(Authority, Index),
}

fn page() -> impl Strategy<Value = String> {
    let account = || prop::sample::select(&ACCOUNTS[..]);
    (account(), account(), account(), 2..60_i64, 0..60_i64).prop_map(|(a, b, c, all, part)| {
        let part = part.min(all);
        let aed = |minor: i64| format!("{}.{:02} AED", minor / 100, minor % 100);
        format!("dr {a} {}; cr {b} {}; cr {c} {}", aed(all), aed(part), aed(all - part))
    })
}

fn authority() -> impl Strategy<Value = Authority> {
    prop_oneof![Just(Authority::Command), Just(Authority::Fact)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (authority(), page()).prop_map(|(authority, page)| Step::Post { authority, page }),
        1 => any::<Index>().prop_map(Step::Repeat),
        1 => (any::<Index>(), page()).prop_map(|(of, page)| Step::ReuseKey(of, page)),
        2 => (authority(), any::<Index>()).prop_map(|(by, of)| Step::Reverse(by, of)),
    ]
}

/// Turns steps into what is asked of books that hold what they hold now.
async fn asked(
    books: &Books,
    steps: &[Step],
    before: &mut Vec<NewTransaction>,
    posted: &[TransactionId],
) -> Vec<NewTransaction> {
    let mut batch = Vec::new();
    for step in steps {
        let key = format!("k{}", before.len());
        let next = match step {
            Step::Post { authority: Authority::Command, page } => command(&key, page),
            Step::Post { authority: Authority::Fact, page } => fact(&key, page),
            Step::Repeat(of) if !before.is_empty() => of.get(before).clone(),
            Step::ReuseKey(of, page) if !before.is_empty() => {
                command(of.get(before).key.as_str(), page)
            }
            Step::Reverse(authority, of) if !posted.is_empty() => {
                let original = books.transaction(*of.get(posted)).await;
                let (key, kind) = (PostingKey::new(key), TransactionKind::new("test.moved"));
                let actor = "tests".to_owned();
                original.reversal(key.unwrap(), kind.unwrap(), *authority, T0, actor).unwrap()
            }
            _ => continue,
        };
        before.push(next.clone());
        batch.push(next);
    }
    batch
}

/// An answer without the reason, which other tests read.
fn short(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(_) => "refused".to_owned(),
        other => answers(std::slice::from_ref(other)).trim().to_owned(),
    }
}

async fn like_the_model(books: &Books, batches: &[Vec<Step>]) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let (mut before, mut posted) = (Vec::new(), Vec::new());
    for steps in batches {
        let batch = asked(books, steps, &mut before, &posted).await;
        let expected: Vec<String> = batch.iter().map(|asked| model.answer(asked)).collect();
        let outcomes = books.post(&batch).await;
        let told: Vec<String> = outcomes.iter().map(short).collect();
        prop_assert_eq!(told, expected);
        posted.extend(outcomes.iter().filter_map(|o| o.posted().map(|p| p.id)));
        posted.dedup();
    }
    prop_assert_eq!(books.balances().await, model.balances());
    prop_assert_eq!(books.count("ledger.transaction").await, model.posted);
    books.prove().await;
    Ok(())
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
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let case = |value| runtime.block_on(check(&tenants, value));
    let told = TestRunner::new(config).run(strategy, case);
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
fn the_books_do_what_the_model_does() {
    let batches = prop::collection::vec(prop::collection::vec(step(), 1..9), 1..6);
    for_each_case(CASES, &batches, async |tenants, batches| {
        like_the_model(&tenants.books().await, &batches).await
    });
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
    for_each_case(CASES / 4, &facts, async |tenants, (pages, order, sizes)| {
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

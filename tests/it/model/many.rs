//! Several workers at once: the journal they made, read in the order of its positions, is what
//! the ledger in memory makes of the same requests in that order.
//!
//! A refusal has no position. It must be what the model says in a moment between the request and
//! its answer; in the very moment of its batch, where something of the batch was posted, since the
//! accounts stay locked from the decision to the commit.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mizan_ledger::{NewTransaction, Outcome};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::ledger::{Asked, Model, Move};
use super::steps::{self, Fate, Known, Step, in_ledgers_words};
use super::{config, fate, hold_the_same};
use crate::support::Books;

const WORKERS: usize = 4;
const ROUNDS: usize = 6;

/// One request of one batch, and what it was told.
struct Heard {
    asked: Asked,
    outcome: Outcome,
    /// Between which positions of the journal it was decided, if it was decided here.
    within: RangeInclusive<i64>,
}

/// What all workers share.
struct Place {
    books: Books,
    /// Requests that everybody knows from the beginning, so that workers meet at their keys.
    common: Vec<Asked>,
    gate: Barrier,
    /// How long the journal is known to be.
    newest: AtomicI64,
}

/// Posts a worker's batches one after the other, each again if it had no answer.
async fn work(place: &Place, name: &str, batches: &[(Vec<Step>, Fate)]) -> Vec<Heard> {
    let Place { books, common, gate, newest } = place;
    let mut known = Known { asked: common.clone(), posted: Vec::new() };
    let mut heard = Vec::new();
    gate.wait().await;
    for (steps, fate) in batches {
        let batch = steps::requests(books, name, steps, &mut known).await;
        let words: Vec<NewTransaction> = batch.iter().map(in_ledgers_words).collect();
        let from = newest.load(Ordering::SeqCst);
        let first = fate::post(books, &words, *fate).await;
        let at_once = first.is_some();
        let outcomes = match first {
            Some(outcomes) => outcomes,
            None => books.post(&words).await,
        };
        let to = books.count("ledger.transaction").await;
        newest.fetch_max(to, Ordering::SeqCst);
        for (n, asked) in batch.into_iter().enumerate() {
            let moment = at_once.then(|| moment(&outcomes, n)).flatten();
            let within = moment.map_or(from..=to, |position| position..=position);
            heard.push(Heard { asked, outcome: outcomes[n].clone(), within });
        }
        known.posted.extend(outcomes.iter().filter_map(|o| o.posted().map(|p| p.id)));
        known.posted.dedup();
    }
    heard
}

/// After which position the n-th request of a batch was decided, if its batch tells.
fn moment(outcomes: &[Outcome], n: usize) -> Option<i64> {
    let fresh = |o: &Outcome| o.posted().filter(|p| !p.replayed).map(|p| p.position);
    let before = outcomes[..n].iter().rev().find_map(fresh);
    before.or_else(|| outcomes[n..].iter().find_map(fresh).map(|position| position - 1))
}

/// The books after each position, from the empty ones on.
fn replay(
    journal: &[mizan_ledger::read::Transaction],
    asked: &BTreeMap<&str, &Asked>,
) -> Vec<Model> {
    let mut moments = vec![Model::default()];
    for transaction in journal {
        let asked = asked[transaction.source.as_str()];
        let mut model = moments.last().unwrap().clone();
        let moves = model.weigh(asked);
        let moves = moves.unwrap_or_else(|why| {
            panic!("{} was posted, and the model says {why:?}: {asked:?}", transaction.position)
        });
        assert_eq!(model.write(asked, &moves), transaction.position);
        moments.push(model);
    }
    moments
}

/// Of each key the one request that was answered; every other one was told of the reuse.
fn answered(heard: &[Heard]) -> BTreeMap<&str, &Asked> {
    let mut answered: BTreeMap<&str, &Asked> = BTreeMap::new();
    for it in heard.iter().filter(|it| it.outcome != Outcome::KeyReused) {
        let first = answered.entry(it.asked.key.as_str()).or_insert(&it.asked);
        assert_eq!(**first, it.asked, "two contents of one key were answered");
    }
    for it in heard.iter().filter(|it| it.outcome == Outcome::KeyReused) {
        let first = answered.get(it.asked.key.as_str());
        assert!(first.is_some_and(|first| **first != it.asked), "reused by nobody: {:?}", it.asked);
    }
    answered
}

/// Every answer to one request is the same, and one of them at most is its first.
fn sticky(heard: &[Heard]) {
    let mut told: BTreeMap<&str, String> = BTreeMap::new();
    let mut first = BTreeSet::new();
    for it in heard.iter().filter(|it| it.outcome != Outcome::KeyReused) {
        let says = match &it.outcome {
            Outcome::Posted(posted) => {
                let once = posted.replayed || first.insert(posted.position);
                assert!(once, "posted twice: {posted:?}");
                format!("{} {}", posted.position, posted.id)
            }
            other => format!("{other:?}"),
        };
        let known = told.entry(&it.asked.key).or_insert_with(|| says.clone());
        assert_eq!(*known, says, "{:?}", it.asked);
    }
}

/// Each refusal is what the model says in some moment in which it can have been decided.
fn refused_rightly(heard: &[Heard], moments: &[Model]) -> usize {
    let mut right: BTreeMap<&str, bool> = BTreeMap::new();
    for it in heard {
        let Outcome::Refused(refusal) = &it.outcome else { continue };
        let says_so = |position: i64| {
            let model = &moments[usize::try_from(position).unwrap()];
            model.weigh(&it.asked).is_err_and(|why| why.is(refusal))
        };
        *right.entry(&it.asked.key).or_default() |= it.within.clone().any(says_so);
    }
    let wrong: Vec<_> = right.iter().filter(|(_, right)| !**right).map(|(key, _)| *key).collect();
    let shown = heard.iter().filter(|it| wrong.contains(&it.asked.key.as_str()));
    let shown: Vec<_> = shown.map(|it| (&it.asked, &it.outcome, &it.within)).collect();
    assert!(wrong.is_empty(), "refused for no reason: {shown:#?}");
    right.len()
}

async fn meet(common: &[Vec<Move>], plan: Vec<Vec<(Vec<Step>, Fate)>>) -> (usize, usize) {
    let ask = |(n, moves): (usize, &Vec<Move>)| Asked {
        key: format!("c{n}"),
        is_fact: true,
        moves: moves.clone(),
        reverses: None,
    };
    let place = Arc::new(Place {
        books: Books::new().await,
        common: common.iter().enumerate().map(ask).collect(),
        gate: Barrier::new(plan.len()),
        newest: AtomicI64::new(0),
    });
    let mut workers = JoinSet::new();
    for (n, batches) in plan.into_iter().enumerate() {
        let place = Arc::clone(&place);
        workers.spawn(async move { work(&place, &format!("w{n}-"), &batches).await });
    }
    let heard: Vec<Heard> = workers.join_all().await.into_iter().flatten().collect();
    let books = &place.books;
    let answered = answered(&heard);
    let journal = books.journal().await;
    let moments = replay(&journal, &answered);
    sticky(&heard);
    let refused = refused_rightly(&heard, &moments);
    hold_the_same(books, moments.last().unwrap()).await.unwrap();
    assert_eq!(journal.len() + refused, answered.len());
    // Whatever was told is told again.
    let last: BTreeMap<&str, &Heard> = heard
        .iter()
        .filter(|it| it.outcome != Outcome::KeyReused)
        .map(|it| (it.asked.key.as_str(), it))
        .collect();
    let words: Vec<NewTransaction> = last.values().map(|it| in_ledgers_words(&it.asked)).collect();
    for (it, outcome) in last.values().zip(books.post(&words).await) {
        let same = match (&it.outcome, &outcome) {
            (Outcome::Posted(then), Outcome::Posted(now)) => {
                now.replayed && then.position == now.position && then.id == now.id
            }
            (then, now) => then == now,
        };
        assert!(same, "{:?} became {outcome:?}", it.outcome);
    }
    (journal.len(), refused)
}

#[test]
fn the_journal_of_many_workers_is_what_the_model_makes_of_it() {
    let mut runner = TestRunner::new(config(1));
    let common = prop::collection::vec(steps::moves(), 8);
    let plan = (common, prop::collection::vec(steps::batches(14), WORKERS));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (mut posted, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let (common, plan) = plan.new_tree(&mut runner).unwrap().current();
        let (more_posted, more_refused) = runtime.block_on(meet(&common, plan));
        posted += more_posted;
        refused += more_refused;
    }
    println!("{posted} posted and {refused} refused by {WORKERS} workers at once");
    assert!(posted > 0 && refused > 0);
}

//! Random requests: what is asked, and what happens to the one who asks.

use mizan_ledger::{Authority, Leg, NewTransaction, Posting, PostingKey, Side, TransactionKind};
use mizan_money::{Currency, Money, TransactionId};
use proptest::prelude::*;
use proptest::sample::Index;

use super::ledger::{Asked, Dir, Move};
use crate::support::{Books, T0, page};

/// With a floor on either side and with none; parties with several buckets.
const ACCOUNTS: [&str; 12] = [
    "bank:main",
    "gateway_clearing:stripe",
    "vendor_payable:V1:pending",
    "vendor_payable:V1:available",
    "vendor_payable:V1:reserve",
    "vendor_receivable:V1",
    "vendor_payable:V2:pending",
    "affiliate_payable:A1:pending",
    "affiliate_receivable:A1",
    "customer_wallet:C1:cash:spendable",
    "cashback_liability:C1",
    "fx_clearing",
];

/// With two decimals, three and none.
const CURRENCIES: [&str; 3] = ["AED", "KWD", "JPY"];

/// One thing to ask for; an `Index` picks from what was asked or posted before.
#[derive(Clone, Debug)]
pub enum Step {
    Post { is_fact: bool, moves: Vec<Move> },
    Repeat(Index),
    ReuseKey(Index, Vec<Move>),
    Reverse { is_fact: bool, of: Index },
}

/// What happens to the one who posts a batch.
#[derive(Clone, Copy, Debug)]
pub enum Fate {
    /// Nothing.
    Lives,
    /// Everything is posted, and then it is rolled back.
    RollsBack,
    /// The server ends the session after so many waits for an answer: in the middle of a
    /// statement, or in the commit.
    Dies { waits: usize },
    /// The client is gone after so many waits, and then its session.
    Leaves { waits: usize },
    /// The client is gone when it has asked for the commit.
    LeavesInCommit,
}

/// In one currency, from one account to two, or the same in a second currency with it.
pub fn moves() -> impl Strategy<Value = Vec<Move>> {
    let account = || prop::sample::select(&ACCOUNTS[..]);
    let currency = || prop::sample::select(&CURRENCIES[..]);
    let one = (account(), account(), account(), currency(), 2..60_i64, 0..60_i64);
    let one = one.prop_map(|(from, to, other, currency, all, part)| {
        let part = part.min(all);
        let moved =
            |path: &str, dir, minor| Move { place: (path.to_owned(), currency), dir, minor };
        let legs = [
            moved(from, Dir::In, all),
            moved(to, Dir::Out, part),
            moved(other, Dir::Out, all - part),
        ];
        legs.into_iter().filter(|leg| leg.minor > 0).collect::<Vec<_>>()
    });
    prop::collection::vec(one, 1..3).prop_map(|parts| parts.concat())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<bool>(), moves()).prop_map(|(is_fact, moves)| Step::Post { is_fact, moves }),
        1 => any::<Index>().prop_map(Step::Repeat),
        1 => (any::<Index>(), moves()).prop_map(|(of, moves)| Step::ReuseKey(of, moves)),
        2 => (any::<bool>(), any::<Index>())
            .prop_map(|(is_fact, of)| Step::Reverse { is_fact, of }),
    ]
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Lives),
        1 => Just(Fate::RollsBack),
        2 => (0..12_usize).prop_map(|waits| Fate::Dies { waits }),
        1 => (0..12_usize).prop_map(|waits| Fate::Leaves { waits }),
        1 => Just(Fate::LeavesInCommit),
    ]
}

/// Batches of one worker.
pub fn batches(most: usize) -> impl Strategy<Value = Vec<(Vec<Step>, Fate)>> {
    prop::collection::vec((prop::collection::vec(step(), 1..9), fate()), 1..most)
}

/// What somebody who posts knows of.
#[derive(Default)]
pub struct Known {
    pub asked: Vec<Asked>,
    pub posted: Vec<TransactionId>,
}

/// Turns steps into requests; `name` tells apart the keys of those who ask.
pub async fn requests(books: &Books, name: &str, steps: &[Step], known: &mut Known) -> Vec<Asked> {
    let mut batch = Vec::new();
    for step in steps {
        let key = format!("{name}{}", known.asked.len());
        let next = match step {
            Step::Post { is_fact, moves } => {
                Asked { key, is_fact: *is_fact, moves: moves.clone(), reverses: None }
            }
            Step::Repeat(of) if !known.asked.is_empty() => of.get(&known.asked).clone(),
            Step::ReuseKey(of, moves) if !known.asked.is_empty() => {
                let key = of.get(&known.asked).key.clone();
                Asked { key, is_fact: false, moves: moves.clone(), reverses: None }
            }
            Step::Reverse { is_fact, of } if !known.posted.is_empty() => {
                let id = *of.get(&known.posted);
                let moves = opposite(books, id).await;
                Asked { key, is_fact: *is_fact, moves, reverses: Some(id) }
            }
            _ => continue,
        };
        known.asked.push(next.clone());
        batch.push(next);
    }
    batch
}

/// The entries of a transaction on their other sides.
async fn opposite(books: &Books, id: TransactionId) -> Vec<Move> {
    let turn = |entry: &mizan_ledger::read::Entry| {
        let code = entry.amount.currency().code();
        Move {
            place: (
                entry.account.to_string(),
                CURRENCIES.into_iter().find(|c| *c == code).unwrap(),
            ),
            dir: if entry.side == Side::Debit { Dir::Out } else { Dir::In },
            minor: entry.amount.minor(),
        }
    };
    books.transaction(id).await.entries.iter().map(turn).collect()
}

/// The request in the ledger's words. Its source tells it from others with its key.
pub fn in_ledgers_words(asked: &Asked) -> NewTransaction {
    let leg = |moved: &Move| Leg {
        account: page::account(&moved.place.0),
        side: if moved.dir == Dir::In { Side::Debit } else { Side::Credit },
        amount: Money::new(moved.minor, Currency::parse(moved.place.1).unwrap()),
    };
    NewTransaction {
        key: PostingKey::new(asked.key.as_str()).unwrap(),
        kind: TransactionKind::new("test.moved").unwrap(),
        effective_at: T0,
        posting: Posting::balanced(asked.moves.iter().map(leg).collect()).unwrap(),
        authority: if asked.is_fact { Authority::Fact } else { Authority::Command },
        source: asked.key.clone(),
        actor: "tests".to_owned(),
        metadata: serde_json::Map::new(),
        reverses: asked.reverses,
    }
}

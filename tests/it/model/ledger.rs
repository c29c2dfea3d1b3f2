//! A ledger in memory, written from the rules in plain words and not from the ledger's code:
//! what each request must be told, and what the books must hold after it.

use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::{Outcome, Refusal};
use mizan_money::TransactionId;

/// One side of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dir {
    In,
    Out,
}

/// An account in a currency.
pub type Place = (String, &'static str);

/// Debits are in, credits are out; minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub place: Place,
    pub dir: Dir,
    pub minor: i64,
}

impl Move {
    fn net(&self) -> i64 {
        if self.dir == Dir::In { self.minor } else { -self.minor }
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub key: String,
    /// Whether it has happened already, so that no floor can refuse it.
    pub is_fact: bool,
    pub moves: Vec<Move>,
    pub reverses: Option<TransactionId>,
}

/// What a request is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Posted { position: i64, before: bool },
    Refused(Why),
    KeyReused,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Reversed,
    /// Every account that would fall below its floor: what it has, and what is asked of it.
    Below(BTreeMap<Place, (i64, i64)>),
}

/// An entry as it stands in its account: what moved, and debits less credits after it.
pub type Line = (Dir, i64, i64);

/// The books.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Debits less credits of every account with entries.
    pub nets: BTreeMap<Place, i64>,
    pub lines: BTreeMap<Place, Vec<Line>>,
    pub posted: i64,
    told: BTreeMap<String, (Asked, Told)>,
    reversed: BTreeSet<TransactionId>,
}

/// On which side an account may not be in debt, if it may not.
fn never(path: &str) -> Option<Dir> {
    match path.split(':').next() {
        // What we owe somebody does not turn into what they owe us.
        Some("vendor_payable" | "affiliate_payable" | "customer_wallet" | "cashback_liability") => {
            Some(Dir::In)
        }
        Some("vendor_receivable" | "affiliate_receivable") => Some(Dir::Out),
        _ => None,
    }
}

/// Where the rest comes from when a fact takes more than there is, in this order.
fn elsewhere(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split(':').collect();
    let other_buckets = |buckets: &[&str], mine: &str, debt: &str| {
        let others = buckets.iter().filter(|bucket| **bucket != mine);
        let mut all: Vec<String> =
            others.map(|bucket| format!("{}:{}:{bucket}", parts[0], parts[1])).collect();
        all.push(format!("{debt}:{}", parts[1]));
        all
    };
    match parts[..] {
        ["vendor_payable", _, mine] => {
            other_buckets(&["pending", "available", "reserve"], mine, "vendor_receivable")
        }
        ["affiliate_payable", _, mine] => {
            other_buckets(&["pending", "available"], mine, "affiliate_receivable")
        }
        ["vendor_receivable", whose] => vec![format!("vendor_payable:{whose}:available")],
        ["affiliate_receivable", whose] => vec![format!("affiliate_payable:{whose}:available")],
        ["customer_wallet" | "cashback_liability", whose, ..] => {
            vec![format!("trade_receivable:{whose}")]
        }
        _ => Vec::new(),
    }
}

/// Whether people read the account's balance as debits less credits.
pub fn reads_as_debits(path: &str) -> bool {
    let role = path.split(':').next().unwrap();
    ["bank", "gateway_clearing", "fx_clearing", "gateway_fees"].contains(&role)
        || role.ends_with("_receivable")
}

impl Model {
    fn net(&self, place: &Place) -> i64 {
        self.nets.get(place).copied().unwrap_or(0)
    }

    /// What the request comes to in entries if nothing refuses it, or why something does.
    pub fn weigh(&self, asked: &Asked) -> Result<Vec<Move>, Why> {
        if asked.reverses.is_some_and(|id| self.reversed.contains(&id)) {
            return Err(Why::Reversed);
        }
        let mut after = self.nets.clone();
        let mut moves = Vec::new();
        let mut book = |moved: Move, after: &mut BTreeMap<Place, i64>| {
            *after.entry(moved.place.clone()).or_default() += moved.net();
            moves.push(moved);
        };
        for wanted in &asked.moves {
            if !asked.is_fact || never(&wanted.place.0) != Some(wanted.dir) {
                book(wanted.clone(), &mut after);
                continue;
            }
            let (path, currency) = &wanted.place;
            let mut rest = wanted.minor;
            for path in std::iter::once(path.clone()).chain(elsewhere(path)) {
                let place = (path, *currency);
                let there = match never(&place.0) {
                    Some(dir) if dir == wanted.dir => after.get(&place).copied().unwrap_or(0).abs(),
                    _ => rest,
                };
                let minor = rest.min(there);
                if minor > 0 {
                    rest -= minor;
                    book(Move { place, dir: wanted.dir, minor }, &mut after);
                }
            }
            assert_eq!(rest, 0, "the last place takes whatever remains");
        }
        let below = after.iter().filter_map(|(place, net)| {
            let left = |net: i64| match never(&place.0) {
                Some(Dir::In) => -net,
                Some(Dir::Out) => net,
                None => 0,
            };
            let had = left(self.net(place));
            (left(*net) < 0).then(|| (place.clone(), (had, had - left(*net))))
        });
        let below: BTreeMap<Place, (i64, i64)> = below.collect();
        if below.is_empty() { Ok(moves) } else { Err(Why::Below(below)) }
    }

    /// Writes down what [`Model::weigh`] let through; answers its position.
    pub fn write(&mut self, asked: &Asked, moves: &[Move]) -> i64 {
        for moved in moves {
            let net = self.nets.entry(moved.place.clone()).or_default();
            *net += moved.net();
            let line = (moved.dir, moved.minor, *net);
            self.lines.entry(moved.place.clone()).or_default().push(line);
        }
        self.reversed.extend(asked.reverses);
        self.posted += 1;
        self.posted
    }

    /// A request in its turn.
    pub fn answer(&mut self, asked: &Asked) -> Told {
        if let Some((first, told)) = self.told.get(&asked.key) {
            return match (first == asked, told) {
                (false, _) => Told::KeyReused,
                (true, Told::Posted { position, .. }) => {
                    Told::Posted { position: *position, before: true }
                }
                (true, told) => told.clone(),
            };
        }
        let told = match self.weigh(asked) {
            Ok(moves) => Told::Posted { position: self.write(asked, &moves), before: false },
            Err(why) => Told::Refused(why),
        };
        self.told.insert(asked.key.clone(), (asked.clone(), told.clone()));
        told
    }
}

impl Why {
    /// Whether the ledger gave this reason; of several accounts it names one.
    pub fn is(&self, refusal: &Refusal) -> bool {
        match (self, refusal) {
            (Why::Reversed, Refusal::AlreadyReversed { .. }) => true,
            (
                Why::Below(below),
                Refusal::BelowFloor { account, currency, left_minor, asked_minor },
            ) => {
                let named = below.iter().find(|(p, _)| p.0 == *account && p.1 == currency);
                named.is_some_and(|(_, figures)| *figures == (*left_minor, *asked_minor))
            }
            _ => false,
        }
    }
}

impl Told {
    /// Whether the ledger told the same.
    pub fn is(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Told::Posted { position, before }, Outcome::Posted(posted)) => {
                (*position, *before) == (posted.position, posted.replayed)
            }
            (Told::Refused(why), Outcome::Refused(refusal)) => why.is(refusal),
            (Told::KeyReused, Outcome::KeyReused) => true,
            _ => false,
        }
    }

    /// The same, told again.
    pub fn again(&self) -> Told {
        match self {
            Told::Posted { position, .. } => Told::Posted { position: *position, before: true },
            other => other.clone(),
        }
    }
}

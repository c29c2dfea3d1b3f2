//! The blows that are dealt, and how many of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sqlx::AssertSqlSafe;

use super::grammar::Asks;
use super::process::kill;
use super::wire::{Side, Strike, Trap, Wire};
use super::world::World;

/// Who is struck.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Victim {
    Service,
    Simulator,
    /// The database's process behind the line that is cut.
    Backend,
    /// Nobody: the line is cut, and both sides live.
    Line,
}

/// A word on a line at which somebody is struck.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// The n-th statement since the trap was laid.
    Statement(u32),
    /// The n-th commit.
    Commit(u32),
    /// The n-th call of the gateway.
    Call(u32),
}

/// One blow at one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Blow {
    pub victim: Victim,
    pub word: Word,
    pub side: Side,
}

impl Blow {
    /// What it is counted as.
    pub fn name(&self) -> String {
        let victim = match self.victim {
            Victim::Service => "service killed",
            Victim::Simulator => "simulator killed",
            Victim::Backend => "database backend killed",
            Victim::Line => "line cut",
        };
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        let word = match self.word {
            Word::Statement(_) => "a statement",
            Word::Commit(_) => "a commit",
            Word::Call(_) => "a call of the gateway",
        };
        format!("{victim} {side} {word}")
    }

    /// The line it waits on.
    pub fn wire<'a>(&self, world: &'a World) -> &'a Wire {
        match self.word {
            Word::Statement(_) | Word::Commit(_) => &world.database,
            Word::Call(_) => &world.gateway,
        }
    }

    /// Lies in wait.
    pub fn lie_in_wait(&self, world: &World) {
        let (service, simulator) = world.numbers();
        let strike: Strike = match self.victim {
            Victim::Service => Arc::new(move |_| service.kill()),
            Victim::Simulator => Arc::new(move |_| simulator.kill()),
            Victim::Backend => Arc::new(kill),
            Victim::Line => Arc::new(|_| ()),
        };
        let (only, nth) = match self.word {
            Word::Statement(nth) | Word::Call(nth) => (None, nth),
            Word::Commit(nth) => (Some(Asks::Commit), nth),
        };
        self.wire(world).lay(Trap { only, nth, side: self.side, strike });
    }
}

/// A blow that needs no word: it falls when it falls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sudden {
    Service,
    Simulator,
    Both,
    Backend,
    Terminated,
    Database,
}

impl Sudden {
    /// What it is counted as.
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service killed under load",
            Self::Simulator => "simulator killed under load",
            Self::Both => "service and simulator killed, and time passed",
            Self::Backend => "database backend killed under load",
            Self::Terminated => "database connections terminated under load",
            Self::Database => "whole database killed under load",
        }
    }

    /// Falls; `seconds` pass where time does.
    pub async fn fall(self, world: &World, seconds: u32) {
        let (service, simulator) = world.numbers();
        match self {
            Self::Service => service.kill(),
            Self::Simulator => simulator.kill(),
            Self::Both => world.pass(seconds),
            Self::Backend => {
                let backends = backends(world, "pid").await;
                backends.first().copied().into_iter().for_each(kill);
            }
            Self::Terminated => drop(backends(world, "pg_terminate_backend(pid)::int").await),
            Self::Database => world.kill_database(),
        }
    }
}

/// Something about each process of the database that serves the service, the busiest first.
async fn backends(world: &World, what: &str) -> Vec<i32> {
    let query = format!(
        "select {what} from pg_stat_activity where application_name = 'mizan'
         order by state = 'idle', state_change desc"
    );
    let asked = sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut world.owner().await).await;
    // A database that is going down at this moment has been struck already.
    asked.unwrap_or_default()
}

/// How many of each kind.
#[derive(Default)]
pub struct Tally {
    blows: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    pub fn count(&self, name: &str) {
        *self.blows.lock().unwrap().entry(name.to_owned()).or_default() += 1;
    }

    pub fn total(&self) -> u64 {
        self.blows.lock().unwrap().values().sum()
    }

    pub fn rows(&self) -> Vec<(String, u64)> {
        self.blows.lock().unwrap().iter().map(|(name, count)| (name.clone(), *count)).collect()
    }
}

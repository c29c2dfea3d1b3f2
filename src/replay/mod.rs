//! The books written a second time from what was kept, and compared with the first.
//!
//! | what was kept | table | what it wrote |
//! |---|---|---|
//! | deliveries, byte for byte with their headers | `webhooks.delivery` | what gateways told |
//! | what was asked, answered and found out | `payments.word`, `payments.operation` | promises |
//! | answers to plain transactions | `http.idempotency` | what callers booked |
//!
//! Two ways to use them:
//!
//! - **again** (`live.rs`): each delivery is verified again and applied again to the books as they
//!   stand, in a transaction that is always rolled back. Whatever was finished must change
//!   nothing.
//! - **into a copy** (`rebuild.rs`): an empty database gets the commands and the bytes, and the
//!   journal is written anew in the order of the commits, through the same use cases. Then
//!   account by account the two trial balances must agree.
//!
//! No gateway is called, the source is only read, and a delivery that is not believed a second
//! time is not applied but named.

mod compare;
mod live;
mod plain;
mod rebuild;
mod steps;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use mizan_providers::{Provider, webhook_reader};
use mizan_webhooks::{Checked, Delivery, DeliveryState, Disposition, Unverifiable, check_again};
use secrecy::SecretString;
use serde::Serialize;

use crate::db::{DbError, MigrationError, Retry, Retryable};
use crate::inbox::InboxError;
use crate::payments::gateway::Gateways;

pub use live::{Replayed, replay};
pub use rebuild::{Rebuilt, prepare, rebuild};

/// How many things of a kind are named; the rest is counted.
const NAMED_MAX: usize = 20;

/// What verifies deliveries: the secrets of each connection, also those of its past.
#[derive(Clone, Default)]
pub struct Readers {
    secrets: BTreeMap<String, Vec<SecretString>>,
    adapters: BTreeMap<String, Arc<dyn Provider>>,
}

impl Readers {
    /// By the name of the connection.
    pub fn new(secrets: impl IntoIterator<Item = (String, Vec<SecretString>)>) -> Readers {
        Readers { secrets: secrets.into_iter().collect(), adapters: BTreeMap::new() }
    }

    /// The same, reading what came over these connections as they do: by their own trust roots.
    #[must_use]
    pub fn over(mut self, gateways: &Gateways) -> Readers {
        let adapters = gateways.iter().map(|it| (it.connection.clone(), Arc::clone(&it.provider)));
        self.adapters = adapters.collect();
        self
    }

    fn check<'a>(&self, delivery: &'a Delivery) -> Result<Checked<'a>, Unverifiable> {
        let secrets = self.secrets.get(&delivery.summary.connection);
        let own = self.adapters.get(&delivery.summary.connection).cloned();
        let reader = own.unwrap_or_else(|| webhook_reader(delivery.summary.provider));
        check_again(reader.as_ref(), secrets.map_or(&[], Vec::as_slice), delivery)
    }
}

/// What became of deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many were tried.
    pub replayed: u64,
    /// They had an effect.
    pub applied: u64,
    /// Something newer was known.
    pub stale: u64,
    /// Known already, or of no interest.
    pub ignored: u64,
    /// They cannot be applied.
    pub parked: u64,
    /// They are not believed a second time.
    pub unverifiable: u64,
}

impl Tally {
    fn count(&mut self, disposition: &Disposition) {
        self.replayed += 1;
        match disposition.state() {
            DeliveryState::Applied => self.applied += 1,
            DeliveryState::Stale => self.stale += 1,
            DeliveryState::Ignored => self.ignored += 1,
            DeliveryState::Parked | DeliveryState::Received => self.parked += 1,
        }
    }

    fn count_unverifiable(&mut self) {
        self.replayed += 1;
        self.unverifiable += 1;
    }
}

/// Findings, the first of them by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub named: Vec<String>,
}

impl Findings {
    fn add(&mut self, finding: String) {
        self.count += 1;
        if self.named.len() < NAMED_MAX {
            self.named.push(finding);
        }
    }
}

/// Why a replay could not be made. What it finds is not an error but its answer.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The copy is not empty.
    #[error(
        "the database to write into is not empty: give a new one, such as `createdb` makes; \
         nothing in it was changed"
    )]
    NotEmpty,
    /// The copy's schema.
    #[error(transparent)]
    Schema(#[from] MigrationError),
    /// Something kept that cannot be read.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for ReplayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

/// A replay is long and leaves things behind: it is begun again by who asked for it.
impl Retryable for ReplayError {
    fn retry(&self) -> Retry {
        Retry::Never
    }
}

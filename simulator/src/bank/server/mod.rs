//! A bank at work: its state behind one lock, its journal, its queue of messages.

mod control;
mod hosted;
mod http;
mod snapshot;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde_json::Value;

use super::book::{self, Totals};
use super::late;
use super::record::Line;
use super::state::State;
use super::wire::{Seal, Wire};
use super::work::{Settings, Tools, Work};
use crate::config::{Fees, SimClock, SimulatorConfig};
use crate::error::SimulatorError;
use crate::fault::FaultEngine;
use crate::journal::{Broken, Journal};
use crate::webhook::{self, Attempt, DeliveryState, Parcel, WebhookSource};

/// Where messages go and which secrets sign them, newest first.
struct Endpoint {
    url: Option<String>,
    secrets: Vec<String>,
}

struct Core {
    state: State,
    journal: Journal,
    endpoint: Endpoint,
}

/// One account at one gateway.
pub struct Bank {
    wire: Box<dyn Wire>,
    settings: Settings,
    clock: SimClock,
    core: Mutex<Core>,
    faults: Arc<Mutex<FaultEngine>>,
    /// Idempotency keys whose request is running.
    running: Mutex<HashSet<String>>,
    /// One delivery pass at a time, so that nothing is sent twice by accident.
    passes: tokio::sync::Mutex<()>,
    client: reqwest::Client,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bank {
    /// Opens the account on its journal.
    ///
    /// # Errors
    /// The journal cannot be used.
    pub fn open(
        wire: Box<dyn Wire>,
        config: &SimulatorConfig,
        public_url: String,
        faults: Arc<Mutex<FaultEngine>>,
        client: reqwest::Client,
    ) -> Result<Self, SimulatorError> {
        let mut state = State::default();
        let file = format!("{}.jsonl", wire.name());
        let journal = match &config.data_dir {
            None => Journal::memory(),
            Some(dir) => Journal::open(dir, &file, |line: Line| state.replay(line))?,
        };
        let mut secrets = vec![config.webhook_secret.clone()];
        secrets.extend(config.older_webhook_secrets.iter().cloned());
        let endpoint = Endpoint { url: config.webhook_url.clone(), secrets };
        let seconds = |seconds: u32| TimeDelta::seconds(i64::from(seconds));
        Ok(Self {
            wire,
            settings: Settings {
                fees: Fees::new(config.fees),
                seed: config.seed,
                late_outcome: seconds(config.late_outcome_after_s),
                settle_after: config.settle_after_s.map(seconds),
                payout_float: config.payout_float,
                public_url,
            },
            clock: Arc::clone(&config.clock),
            core: Mutex::new(Core { state, journal, endpoint }),
            faults,
            running: Mutex::new(HashSet::new()),
            passes: tokio::sync::Mutex::new(()),
            client,
        })
    }

    /// The hosted pages, what people and programs may do to the account, and the API.
    pub fn router(self: &Arc<Self>) -> Router {
        let control = control::router(Arc::clone(self));
        hosted::router(Arc::clone(self)).merge(control).merge(http::router(Arc::clone(self)))
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Runs one unit of work alone, and writes what it changed before returning.
    fn transact<T>(&self, run: impl FnOnce(&mut Work<'_>) -> T) -> Result<T, Broken> {
        let now = self.now();
        let mut core = lock(&self.core);
        let core = &mut *core;
        if core.journal.is_broken() {
            return Err(Broken);
        }
        let mut faults = lock(&self.faults);
        let tools = Tools {
            settings: &self.settings,
            wire: self.wire.as_ref(),
            faults: &mut faults,
            has_endpoint: core.endpoint.url.is_some(),
        };
        let mut work = Work::new(&mut core.state, tools, now);
        late::advance(&mut work);
        let outcome = run(&mut work);
        let records = work.into_changes();
        if !records.is_empty() {
            let line = Line { counter: core.state.counter, records };
            if let Err(failure) = core.journal.append(&line) {
                tracing::error!(%failure, "the simulator's journal cannot be written");
                return Err(Broken);
            }
        }
        Ok(outcome)
    }

    /// Sets where messages go from now on; deliveries that are waiting go there too.
    pub fn set_endpoint(&self, url: Option<String>, secrets: Option<Vec<String>>) {
        let mut core = lock(&self.core);
        core.endpoint.url = url;
        if let Some(secrets) = secrets {
            core.endpoint.secrets = secrets;
        }
    }

    /// Sends every message that is due by now and returns how many attempts were made.
    pub async fn deliver_due(&self) -> usize {
        let _alone = self.passes.lock().await;
        if self.transact(|_| ()).is_err() {
            return 0;
        }
        webhook::deliver_due(self, &self.client).await
    }

    /// What the gateway keeps for the next capture that has no told fee yet.
    pub fn tell_fee(&self, fee: i64, tax: i64) {
        self.settings.fees.tell(fee, tax);
    }

    /// Queues an event once more. `None`: there is no such event.
    pub fn resend(&self, event_id: &str) -> Result<Option<()>, Broken> {
        self.transact(|work| {
            let event = work.state.events.get(event_id).cloned()?;
            work.send_again(&event);
            Some(())
        })
    }

    /// All records and the totals per currency.
    pub fn snapshot(&self) -> Result<Value, Broken> {
        self.transact(|work| snapshot::everything(work.state))
    }

    /// All deliveries with what came of them, oldest first.
    pub fn deliveries(&self) -> Result<Value, Broken> {
        self.transact(|work| snapshot::deliveries(work.state))
    }

    /// The totals of the currencies in which something is missing or too much; empty: none.
    pub fn imbalance(&self) -> Result<Vec<(String, Totals)>, Broken> {
        let totals = self.transact(|work| book::totals(work.state))?;
        Ok(totals.into_iter().filter(|(_, totals)| !totals.hold()).collect())
    }

    /// The root certificate that a receiver of the messages has to trust, in PEM.
    pub fn root_pem(&self) -> Option<&'static str> {
        self.wire.root_pem()
    }

    /// Lets go of the journal: whatever is still running gets no answer.
    pub fn close(&self) {
        lock(&self.core).journal.close();
    }
}

impl WebhookSource for Bank {
    fn next_parcel(&self, tried: &BTreeSet<String>) -> Option<Parcel> {
        let now = self.now();
        let core = lock(&self.core);
        let account = core.endpoint.url.as_ref();
        let open = core.state.open_deliveries.iter();
        let open = open.filter_map(|id| core.state.deliveries.get(id));
        let open = open.filter(|delivery| delivery.url.is_some() || account.is_some());
        let delivery = webhook::first_due(open, tried, now)?;
        let url = delivery.url.as_ref().or(account)?.clone();
        let secrets = delivery.twist.secrets(&core.endpoint.secrets);
        let skew = delivery.twist.skew();
        let seal = Seal { secrets: &secrets, now: now + skew, skew };
        let sealed = self.wire.seal(delivery, &seal);
        let delivery_id = delivery.id.clone();
        Some(Parcel { delivery_id, url, body: sealed.body, headers: sealed.headers })
    }

    fn record_attempt(&self, delivery_id: &str, status: Option<u16>, failure: Option<String>) {
        let patience = self.wire.patience();
        let written = self.transact(|work| {
            let Some(mut delivery) = work.state.deliveries.get(delivery_id).cloned() else {
                return;
            };
            delivery.record(Attempt { at: work.now, status, failure }, &patience);
            let is_over = !delivery.is_open();
            work.put(delivery);
            if is_over {
                release_held(work, delivery_id);
            }
        });
        if written.is_err() {
            tracing::warn!(delivery_id, "the outcome of a delivery was not written");
        }
    }
}

/// A delivery overtook the held ones before it: they may go now.
fn release_held(work: &mut Work<'_>, overtaken_by: &str) {
    let earlier = work.state.open_deliveries.range(..overtaken_by.to_owned());
    let held = earlier.filter_map(|id| work.state.deliveries.get(id)).cloned();
    let held: Vec<_> = held.filter(|row| matches!(row.state, DeliveryState::Held { .. })).collect();
    for mut delivery in held {
        delivery.state = DeliveryState::Waiting { due: work.now };
        work.put(delivery);
    }
}

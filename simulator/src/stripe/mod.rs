//! A stateful fake of Stripe's payments API, version 2026-06-24.dahlia.
//!
//! ```text
//! requires_payment_method -> requires_confirmation -> requires_action -> succeeded
//!          ^   declined or not authenticated  |              |-> requires_capture -> succeeded
//!          +----------------------------------+              |-> processing -> succeeded
//! every state before the money is taken -> canceled
//! ```
//!
//! One request is one [`Work`]: it runs alone on the state, and what it changed, the stored answer
//! for its idempotency key and the events with their deliveries go to the journal as one line
//! before the answer leaves. Actions: [`intent`], [`charge`], [`refund`], [`customer`],
//! [`dispute`], [`transfer`]; what happens by itself: [`late`]; reading: [`read`]; the buyer's
//! page: [`hosted`].

mod amount;
mod balance;
mod charge;
mod customer;
mod dispute;
mod hosted;
mod http;
mod instrument;
mod intent;
mod late;
mod read;
mod refund;
mod route;
mod signature;
mod state;
mod transfer;
mod wire;
mod work;

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde_json::{Value, json};

use crate::config::{Fees, SimClock, SimulatorConfig};
use crate::error::SimulatorError;
use crate::fault::FaultEngine;
use crate::journal::{Broken, Journal};
use crate::webhook::{self, Attempt, Parcel, Patience, WebhookSource};

use state::{Line, State};
use wire::view;
use work::{SendsWebhooks, Work};

const JOURNAL_FILE: &str = "stripe.jsonl";

/// The settings that do not change while it runs.
pub struct Settings {
    pub fees: Fees,
    pub seed: u64,
    pub late_outcome: TimeDelta,
    pub public_url: String,
    secret_key: String,
}

/// Where webhooks go and which secrets sign them, newest first.
struct Endpoint {
    url: Option<String>,
    secrets: Vec<String>,
}

struct Core {
    state: State,
    journal: Journal,
    endpoint: Endpoint,
}

/// The gateway.
pub struct StripeGateway {
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

impl StripeGateway {
    /// Opens the gateway on its journal.
    ///
    /// # Errors
    /// The journal cannot be used.
    pub fn open(
        config: &SimulatorConfig,
        public_url: String,
        faults: Arc<Mutex<FaultEngine>>,
        client: reqwest::Client,
    ) -> Result<Self, SimulatorError> {
        let mut state = State::default();
        let journal = match &config.data_dir {
            None => Journal::memory(),
            Some(dir) => Journal::open(dir, JOURNAL_FILE, |line: Line| state.replay(line))?,
        };
        let mut secrets = vec![config.webhook_secret.clone()];
        secrets.extend(config.older_webhook_secrets.iter().cloned());
        let endpoint = Endpoint { url: config.webhook_url.clone(), secrets };
        Ok(Self {
            settings: Settings {
                fees: Fees::new(config.fees),
                seed: config.seed,
                late_outcome: TimeDelta::seconds(i64::from(config.late_outcome_after_s)),
                public_url,
                secret_key: config.stripe_secret_key.clone(),
            },
            clock: Arc::clone(&config.clock),
            core: Mutex::new(Core { state, journal, endpoint }),
            faults,
            running: Mutex::new(HashSet::new()),
            passes: tokio::sync::Mutex::new(()),
            client,
        })
    }

    /// The API and the hosted pages.
    pub fn router(self: &Arc<Self>) -> Router {
        http::router(Arc::clone(self))
            .merge(hosted::router(Arc::clone(self)))
            .merge(dispute::control::router(Arc::clone(self)))
            .merge(transfer::control::router(Arc::clone(self)))
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
        let sends = match core.endpoint.url {
            Some(_) => SendsWebhooks::Yes,
            None => SendsWebhooks::No,
        };
        let mut work = Work::new(&mut core.state, &self.settings, &mut faults, sends, now);
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

    /// Reads the state after everything due by now has happened.
    fn read<T>(&self, look: impl FnOnce(&State, Timestamp) -> T) -> Result<T, Broken> {
        self.transact(|work| look(work.state, work.now))
    }

    /// Sets where webhooks go from now on; deliveries that are waiting go there too.
    pub fn set_endpoint(&self, url: Option<String>, secrets: Option<Vec<String>>) {
        let mut core = lock(&self.core);
        core.endpoint.url = url;
        if let Some(secrets) = secrets {
            core.endpoint.secrets = secrets;
        }
    }

    /// Sends every webhook that is due by now and returns how many attempts were made.
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

    /// All objects and the totals per currency.
    pub fn snapshot(&self) -> Result<Value, Broken> {
        self.read(|state, now| {
            let intents: Vec<_> = state.intents.oldest_first().map(view::intent).collect();
            let charges = state.charges.oldest_first();
            let charges: Vec<_> = charges.map(|row| view::charge(state, row)).collect();
            let refunds: Vec<_> = state.refunds.oldest_first().map(view::refund).collect();
            let disputes = state.disputes.oldest_first();
            let disputes: Vec<_> = disputes.map(|row| dispute::show(state, row, now)).collect();
            let transfers = state.transfers.oldest_first();
            let transfers: Vec<_> = transfers.map(|row| transfer::show(state, row)).collect();
            let rows = state.rows.oldest_first();
            let rows: Vec<_> = rows.map(|row| view::balance_row(row, now)).collect();
            let customers: Vec<_> = state.customers.oldest_first().map(view::customer).collect();
            json!({
                "payment_intents": intents,
                "charges": charges,
                "refunds": refunds,
                "disputes": disputes,
                "transfers": transfers,
                "balance_transactions": rows,
                "customers": customers,
                "events": state.events.len(),
                "totals": balance::totals(state),
            })
        })
    }

    /// The currencies in which the totals do not add up.
    pub fn imbalance(&self) -> Result<Vec<String>, Broken> {
        let totals = self.read(|state, _| balance::totals(state))?;
        let wrong = totals.as_object().into_iter().flatten().filter(|(_, sums)| {
            let of = |name: &str| sums[name].as_i64().unwrap_or_default();
            let here = of("charged") + of("put_in") - of("fees");
            here - of("refunded") - of("disputed") - of("transferred") != of("balance")
        });
        Ok(wrong.map(|(code, sums)| format!("{code}: {sums}")).collect())
    }

    /// All deliveries with what came of them, oldest first.
    pub fn deliveries(&self) -> Result<Value, Broken> {
        self.read(|state, _| {
            let rows = state.deliveries.oldest_first().map(|delivery| {
                json!({
                    "id": delivery.id,
                    "event_id": delivery.event_id,
                    "type": delivery.event_type,
                    "queued_at": delivery.queued_at,
                    "state": delivery.state,
                    "attempts": delivery.attempts,
                })
            });
            Value::Array(rows.collect())
        })
    }

    /// Lets go of the journal: whatever is still running gets no answer.
    pub fn close(&self) {
        lock(&self.core).journal.close();
    }
}

impl WebhookSource for StripeGateway {
    fn next_parcel(&self, tried: &BTreeSet<String>) -> Option<Parcel> {
        let now = self.now();
        let core = lock(&self.core);
        let url = core.endpoint.url.clone()?;
        let open = core.state.open_deliveries.iter();
        let open = open.filter_map(|id| core.state.deliveries.get(id));
        let delivery = webhook::first_due(open, tried, now)?;
        let twist = delivery.twist;
        let secrets = twist.secrets(&core.endpoint.secrets);
        let signature = signature::sign(&secrets, now + twist.skew(), &delivery.body);
        Some(Parcel {
            delivery_id: delivery.id.clone(),
            url,
            body: delivery.body.clone(),
            headers: vec![
                ("content-type", "application/json; charset=utf-8".to_owned()),
                ("user-agent", "Stripe/1.0 (mizan simulator)".to_owned()),
                ("stripe-signature", signature),
            ],
        })
    }

    fn record_attempt(&self, delivery_id: &str, status: Option<u16>, failure: Option<String>) {
        let written = self.transact(|work| {
            let Some(mut delivery) = work.state.deliveries.get(delivery_id).cloned() else {
                return;
            };
            let attempt = Attempt { at: work.now, status, failure };
            delivery.record(attempt, &Patience::default());
            let was_delivered = !delivery.is_open();
            work.put(delivery);
            if was_delivered {
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
    let held: Vec<_> =
        held.filter(|row| matches!(row.state, webhook::DeliveryState::Held { .. })).collect();
    for mut delivery in held {
        delivery.state = webhook::DeliveryState::Waiting { due: work.now };
        work.put(delivery);
    }
}

//! One request's unit of work: it reads and changes the state, and notes what has to be written.

use chrono::TimeDelta;
use mizan_money::{Currency, Timestamp};
use sha2::{Digest, Sha256};

use super::book::{self, Book, Entry, RowKind};
use super::record::{Event, Metadata, Record};
use super::state::State;
use super::wire::{Exchange, Happened, Message, Wire};
use crate::config::Fees;
use crate::fault::{Fault, FaultEngine, FaultKind, FaultPoint};
use crate::webhook::{Delivery, DispatchPlan};

const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The settings that do not change while it runs.
#[derive(Debug)]
pub struct Settings {
    /// What the gateway charges.
    pub fees: Fees,
    /// Seed of the object ids.
    pub seed: u64,
    /// How long late outcomes take.
    pub late_outcome: TimeDelta,
    /// How long after a capture it is settled; `None`: only when told to.
    pub settle_after: Option<TimeDelta>,
    /// What an account has for payouts before anything happened, in minor units.
    pub payout_float: i64,
    /// Base address of the hosted pages.
    pub public_url: String,
}

/// Why the bank does not do it. Gateways put it into their own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such record.
    #[error("there is no such record")]
    Missing,
    /// The record's state does not allow it.
    #[error("the state does not allow it: {state}")]
    State {
        /// The state, in the bank's words.
        state: String,
    },
    /// More than is there, or nothing at all.
    #[error("the amount must be from 1 to {left}")]
    Amount {
        /// What is left.
        left: i64,
    },
    /// The balance does not cover it.
    #[error("the balance of {balance} does not cover it")]
    Balance {
        /// The balance in minor units.
        balance: i64,
    },
}

impl Refusal {
    /// The state does not allow it.
    pub fn state(state: impl std::fmt::Debug) -> Self {
        Self::State { state: format!("{state:?}") }
    }
}

/// The state in the hands of one request.
pub struct Work<'a> {
    pub state: &'a mut State,
    pub settings: &'a Settings,
    pub now: Timestamp,
    /// The fault that strikes this request.
    pub fault: Option<Fault>,
    pub(super) wire: &'a dyn Wire,
    faults: &'a mut FaultEngine,
    has_endpoint: bool,
    changes: Vec<Record>,
}

/// What a unit of work is done with.
pub(super) struct Tools<'a> {
    pub settings: &'a Settings,
    pub wire: &'a dyn Wire,
    pub faults: &'a mut FaultEngine,
    pub has_endpoint: bool,
}

impl<'a> Work<'a> {
    /// Takes the state into work.
    pub(super) fn new(state: &'a mut State, tools: Tools<'a>, now: Timestamp) -> Self {
        let Tools { settings, wire, faults, has_endpoint } = tools;
        let (fault, changes) = (None, Vec::new());
        Self { state, settings, now, fault, wire, faults, has_endpoint, changes }
    }

    /// What has to be written, in order.
    pub(super) fn into_changes(self) -> Vec<Record> {
        self.changes
    }

    /// Keeps a new or changed record.
    pub fn put(&mut self, record: impl Into<Record>) {
        let record = record.into();
        self.changes.push(record.clone());
        self.state.apply(record);
    }

    /// A new id: the prefix and so many letters and digits. The same seed gives the same ids.
    pub fn new_id(&mut self, prefix: &str, length: usize) -> String {
        let letters = self.new_text(LETTERS, length);
        format!("{prefix}{letters}")
    }

    /// New text of these letters.
    pub fn new_text(&mut self, letters: &[u8], length: usize) -> String {
        self.state.counter += 1;
        let mut text = String::with_capacity(length);
        for block in 0_u32.. {
            let source = format!("{}:{}:{block}", self.settings.seed, self.state.counter);
            for byte in Sha256::digest(source) {
                if text.len() == length || letters.is_empty() {
                    return text;
                }
                let letter = letters.get(usize::from(byte) % letters.len());
                text.push(char::from(letter.copied().unwrap_or(b'0')));
            }
        }
        text
    }

    /// Where a browser pays this order.
    pub fn page_url(&self, order: &str) -> String {
        format!("{}/hosted/{}/{order}", self.settings.public_url, self.wire.name())
    }

    /// The fee and the tax on it for a capture.
    pub fn fee(&self, amount: i64, currency: Currency) -> (i64, i64) {
        if let Some(told) = self.settings.fees.take() {
            return told;
        }
        let units = self.wire.units_per_major(currency).clamp(1, currency.minor_per_major());
        let unit = currency.minor_per_major() / units;
        let (fee, tax) = self.settings.fees.schedule().fee(amount / unit, units);
        (fee * unit, tax * unit)
    }

    /// How a payment's currency is settled.
    pub fn exchange(&self, currency: Currency) -> Exchange {
        self.wire.exchange(currency)
    }

    /// Writes a row of the balance and returns its id.
    pub fn post(&mut self, entry: Entry<'_>) -> String {
        book::post(self, entry)
    }

    /// What payouts can be made from. The account has its float from the first look on.
    pub fn payout_balance(&mut self, currency: Currency) -> i64 {
        let book = self.wire.payout_book();
        let opened = self.state.rows.oldest_first().any(|row| {
            row.kind == RowKind::TopUp && row.currency == currency && row.source == "float"
        });
        if !opened && self.settings.payout_float > 0 {
            let float = Entry::new(RowKind::TopUp, currency, self.settings.payout_float, "float");
            self.post(float.book(book));
        }
        book::balance(self.state, book, currency)
    }

    /// The processing balance.
    pub fn balance(&self, currency: Currency) -> i64 {
        book::balance(self.state, Book::Processing, currency)
    }

    /// When this fault of the request comes true; `None`: it does not strike here.
    pub fn late(&self, kind: FaultKind) -> Option<Timestamp> {
        let fault = self.fault.filter(|fault| fault.kind == kind)?;
        let delay = fault.delay.and_then(|delay| TimeDelta::from_std(delay).ok());
        Some(self.now + delay.unwrap_or(self.settings.late_outcome))
    }

    /// Draws a fault among kinds, for what happens without a call.
    pub fn draw(
        &mut self,
        on: FaultPoint,
        metadata: &Metadata,
        can_strike: impl Fn(FaultKind) -> bool,
    ) -> Option<Fault> {
        self.faults.draw_where(on, None, metadata, can_strike)
    }

    /// Tells the world: the gateway's messages are made now and delivered later.
    pub fn announce(&mut self, happened: Happened, id: &str) {
        let wire = self.wire;
        for message in wire.messages(self, happened, id) {
            self.emit(message);
        }
        wire.follow(self, happened, id);
    }

    /// Keeps a message and queues its deliveries.
    pub fn emit(&mut self, message: Message) {
        let Message { id, kind, body, url, metadata } = message;
        let event = Event { id, kind, created: self.now, body, url };
        self.put(event.clone());
        if self.has_endpoint || event.url.is_some() {
            let fault = self.faults.draw(FaultPoint::Webhook, Some(&event.kind), &metadata);
            self.queue(&event, fault);
        }
    }

    /// Queues an event once more, as it was.
    pub fn send_again(&mut self, event: &Event) {
        self.queue(event, None);
    }

    fn queue(&mut self, event: &Event, fault: Option<Fault>) {
        let plan = DispatchPlan::new(fault, self.now);
        let mut body = event.body.clone();
        if let Some(kind) = fault.map(|fault| fault.kind) {
            self.wire.falsify(kind, &mut body);
        }
        for _ in 0..plan.copies {
            self.state.counter += 1;
            self.put(Delivery {
                id: format!("{:012}", self.state.counter),
                event_id: event.id.clone(),
                event_type: event.kind.clone(),
                body: body.clone(),
                queued_at: self.now,
                state: plan.state,
                attempts: Vec::new(),
                url: event.url.clone(),
                twist: plan.twist,
            });
        }
    }
}

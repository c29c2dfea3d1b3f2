//! What Stripe remembers: its objects, stored answers and deliveries.

use std::collections::{BTreeMap, BTreeSet};

use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dispute::record::Dispute;
use super::transfer::record::{Reversal, Transfer};
use crate::table::{Keyed, Table};
use crate::webhook::Delivery;

/// Key and value pairs that the caller attached.
pub type Metadata = BTreeMap<String, String>;

/// The states of a PaymentIntent, in Stripe's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

impl IntentStatus {
    /// Stripe's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// When the money is taken after the authorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    Automatic,
    AutomaticAsync,
    Manual,
}

impl CaptureMethod {
    /// Stripe's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::AutomaticAsync => "automatic_async",
            Self::Manual => "manual",
        }
    }
}

/// What the buyer has to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// The unguessable end of the hosted page's address.
    pub token: String,
    /// The hosted page.
    pub url: String,
    /// Where the buyer goes afterwards; without it the shop's script shows the challenge.
    pub return_url: Option<String>,
}

/// A PaymentIntent. Amounts are minor units of `currency` by Stripe's exponents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Intent {
    pub id: String,
    pub client_secret: String,
    pub created: Timestamp,
    pub amount: i64,
    pub currency: String,
    pub status: IntentStatus,
    pub capture_method: CaptureMethod,
    /// `None`: the caller listed the payment method types.
    pub automatic_methods: Option<Value>,
    pub method_types: Vec<String>,
    pub method_options: Value,
    pub amount_capturable: i64,
    pub amount_received: i64,
    pub payment_method: Option<String>,
    pub customer: Option<String>,
    pub metadata: Metadata,
    /// Plain strings and objects that are only echoed: description, shipping and the like.
    pub echoes: BTreeMap<String, Value>,
    pub return_url: Option<String>,
    pub challenge: Option<Challenge>,
    pub latest_charge: Option<String>,
    pub last_error: Option<Value>,
    pub canceled_at: Option<Timestamp>,
    pub cancellation_reason: Option<String>,
    /// When something happens by itself: a hold ends, a bank debit is decided.
    pub turns_at: Option<Timestamp>,
}

/// The states of a Charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeStatus {
    Succeeded,
    Pending,
    Failed,
}

impl ChargeStatus {
    /// Stripe's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Pending => "pending",
            Self::Failed => "failed",
        }
    }
}

/// A Charge. Amounts are minor units of `currency`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Charge {
    pub id: String,
    pub created: Timestamp,
    pub amount: i64,
    pub amount_captured: i64,
    pub amount_refunded: i64,
    pub currency: String,
    pub captured: bool,
    pub status: ChargeStatus,
    pub intent: String,
    pub customer: Option<String>,
    pub description: Option<Value>,
    pub metadata: Metadata,
    pub payment_method: String,
    pub balance_row: Option<String>,
    pub failure: Option<Value>,
    pub authenticated: bool,
    pub capture_before: Option<Timestamp>,
}

/// The states of a Refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

impl RefundStatus {
    /// Stripe's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// A Refund. The amount is in minor units of `currency`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    pub id: String,
    pub created: Timestamp,
    pub amount: i64,
    pub currency: String,
    pub charge: String,
    pub intent: String,
    pub reason: Option<String>,
    pub metadata: Metadata,
    pub status: RefundStatus,
    pub balance_row: Option<String>,
    pub failure_balance_row: Option<String>,
    pub failure_reason: Option<String>,
    pub turns_at: Option<Timestamp>,
}

/// One line of the account's balance history, signed as the account sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BalanceRow {
    pub id: String,
    pub created: Timestamp,
    pub available_on: Timestamp,
    pub amount: i64,
    pub processing_fee: i64,
    pub tax: i64,
    pub currency: String,
    pub kind: String,
    pub category: String,
    pub source: String,
    pub description: Option<Value>,
}

impl BalanceRow {
    /// Fee and the tax on it.
    pub fn fee(&self) -> i64 {
        self.processing_fee + self.tax
    }

    /// What the balance changed by.
    pub fn net(&self) -> i64 {
        self.amount - self.fee()
    }
}

/// A customer, as little of it as payments need.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Customer {
    pub id: String,
    pub created: Timestamp,
    pub texts: BTreeMap<String, Value>,
    pub metadata: Metadata,
}

/// A payment method made from a test token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PaymentMethod {
    pub id: String,
    pub created: Timestamp,
    pub token: String,
    pub customer: Option<String>,
}

/// An event with its envelope as it was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub created: Timestamp,
    pub envelope: Value,
}

/// The answer that an idempotency key replays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredAnswer {
    pub key: String,
    pub stored_at: Timestamp,
    pub fingerprint: String,
    pub request_id: String,
    pub status: u16,
    pub body: Value,
}

macro_rules! keyed {
    ($($record:ident by $field:ident),+) => { $(
        impl Keyed for $record {
            fn key(&self) -> &str {
                &self.$field
            }
        }
        impl From<$record> for Record {
            fn from(record: $record) -> Self {
                Self::$record(record.into())
            }
        }
    )+ };
}

keyed!(
    Intent by id, Charge by id, Refund by id, BalanceRow by id, Customer by id,
    PaymentMethod by id, Event by id, StoredAnswer by key, Dispute by id, Transfer by id,
    Reversal by id
);

impl From<Delivery> for Record {
    fn from(record: Delivery) -> Self {
        Self::Delivery(record)
    }
}

/// Anything that is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Record {
    Intent(Box<Intent>),
    Charge(Box<Charge>),
    Refund(Refund),
    Dispute(Box<Dispute>),
    Transfer(Box<Transfer>),
    Reversal(Reversal),
    BalanceRow(BalanceRow),
    Customer(Customer),
    PaymentMethod(PaymentMethod),
    Event(Event),
    StoredAnswer(StoredAnswer),
    Delivery(Delivery),
}

/// One line of the journal: what one request changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// The id counter after it.
    pub counter: u64,
    /// Whole records, in the order they were written.
    pub records: Vec<Record>,
}

/// Everything, by kind.
#[derive(Debug, Default)]
pub struct State {
    pub counter: u64,
    pub intents: Table<Intent>,
    pub charges: Table<Charge>,
    pub refunds: Table<Refund>,
    pub disputes: Table<Dispute>,
    pub transfers: Table<Transfer>,
    pub reversals: Table<Reversal>,
    pub rows: Table<BalanceRow>,
    pub customers: Table<Customer>,
    pub methods: Table<PaymentMethod>,
    pub events: Table<Event>,
    pub answers: Table<StoredAnswer>,
    pub deliveries: Table<Delivery>,
    pub open_deliveries: BTreeSet<String>,
    /// Hosted page token to PaymentIntent.
    pub challenges: BTreeMap<String, String>,
    /// What may happen by itself, by time; whoever takes one out checks the record again.
    pub agenda: BTreeSet<(Timestamp, String)>,
}

impl State {
    /// Takes one record in, new or changed.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Intent(intent) => {
                if let Some(challenge) = &intent.challenge {
                    self.challenges.insert(challenge.token.clone(), intent.id.clone());
                }
                self.agenda.extend(intent.turns_at.map(|at| (at, intent.id.clone())));
                self.intents.put(*intent);
            }
            Record::Refund(refund) => {
                self.agenda.extend(refund.turns_at.map(|at| (at, refund.id.clone())));
                self.refunds.put(refund);
            }
            Record::Delivery(delivery) => {
                if delivery.is_open() {
                    self.open_deliveries.insert(delivery.id.clone());
                } else {
                    self.open_deliveries.remove(&delivery.id);
                }
                self.deliveries.put(delivery);
            }
            Record::Dispute(dispute) => self.disputes.put(*dispute),
            Record::Transfer(transfer) => self.transfers.put(*transfer),
            Record::Reversal(reversal) => self.reversals.put(reversal),
            Record::Charge(charge) => self.charges.put(*charge),
            Record::BalanceRow(row) => self.rows.put(row),
            Record::Customer(customer) => self.customers.put(customer),
            Record::PaymentMethod(method) => self.methods.put(method),
            Record::Event(event) => self.events.put(event),
            Record::StoredAnswer(answer) => self.answers.put(answer),
        }
    }

    /// Takes one line of the journal in.
    pub fn replay(&mut self, line: Line) {
        self.counter = self.counter.max(line.counter);
        for record in line.records {
            self.apply(record);
        }
    }
}

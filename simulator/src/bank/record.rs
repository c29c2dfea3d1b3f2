//! What a bank remembers, in no gateway's words. Amounts are minor units of their currency.
//!
//! Every record has a `wire` field for what only its gateway's folder understands.

use std::collections::BTreeMap;

use mizan_money::{Currency, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::Row;
use crate::table::Keyed;
use crate::webhook::Delivery;

/// Key and value pairs that the caller attached.
pub type Metadata = BTreeMap<String, String>;

/// What becomes of a record by itself, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<S> {
    /// By the simulator's clock.
    pub at: Timestamp,
    /// What it becomes.
    pub to: S,
}

/// When the money is taken after the authorisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// At once.
    Automatic,
    /// When the shop says so.
    Manual,
}

/// The states of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Waits for the buyer; failed attempts do not end it.
    Open,
    /// The buyer agreed, and the shop must take the money (gateways with a step of their own).
    Approved,
    /// Captured in full.
    Paid,
    /// The buyer or the shop gave it up.
    Cancelled,
    /// Nobody paid in time.
    Expired,
}

impl OrderState {
    /// Whether its time can run out.
    pub fn can_expire(self) -> bool {
        matches!(self, Self::Open | Self::Approved)
    }
}

/// Where a browser goes from the hosted page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    /// After a payment, and where the others are missing.
    pub paid: Option<String>,
    /// After a declined one.
    pub declined: Option<String>,
    /// After the buyer cancelled.
    pub cancelled: Option<String>,
}

/// Something to be paid, in one or several attempts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    /// The gateway's id.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The shop's own reference.
    pub reference: String,
    /// What is to be paid.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// Where it stands.
    pub state: OrderState,
    /// What the caller attached.
    pub metadata: Metadata,
    /// Where the browser goes.
    pub returns: Returns,
    /// Where the events of this order go, beside the account's endpoint.
    pub notify_url: Option<String>,
    /// When it expires unpaid.
    pub expires_at: Option<Timestamp>,
    /// How long an authorisation holds, in seconds.
    pub hold_s: Option<i64>,
    /// Whose it is.
    pub customer: Option<String>,
    /// The gateway's own fields.
    pub wire: Value,
}

/// The states of a payment: one attempt of a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// The buyer must pass a challenge.
    RequiresAction,
    /// The bank has not answered yet.
    Processing,
    /// Approved, but somebody looks at it first.
    Held,
    /// The money is reserved; a part may be captured already.
    Authorised,
    /// Everything is captured that ever will be.
    Captured,
    /// Declined.
    Failed,
    /// The hold was given back before any capture.
    Cancelled,
    /// The hold ran out before any capture.
    Expired,
    /// It looked paid and was taken back.
    Reversed,
}

impl PaymentState {
    /// Whether an answer of the buyer or the bank is still awaited.
    pub fn is_open(self) -> bool {
        matches!(self, Self::RequiresAction | Self::Processing | Self::Held)
    }
}

/// What was paid with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    /// `card`, `upi`, `wallet`, as the gateway calls it.
    pub kind: String,
    /// `Visa`, ...; empty without a card.
    pub brand: String,
    /// The last four digits; empty without a card.
    pub last4: String,
}

/// One attempt to pay.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// The gateway's id.
    pub id: String,
    /// Its order.
    pub order: String,
    /// When it was made.
    pub created: Timestamp,
    /// The shop's own reference.
    pub reference: String,
    /// What is authorised, or was to be.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// Where it stands.
    pub state: PaymentState,
    /// When the money is taken.
    pub capture: CaptureMode,
    /// What the caller attached.
    pub metadata: Metadata,
    /// What was paid with.
    pub instrument: Instrument,
    /// The saved instrument it used or made.
    pub token: Option<String>,
    /// Whose it is.
    pub customer: Option<String>,
    /// Captured so far.
    pub captured: i64,
    /// Given back from the hold so far.
    pub released: i64,
    /// Refunded so far, failed refunds taken off again.
    pub refunded: i64,
    /// What a reversal took, in the settlement currency.
    pub reversed_base: i64,
    /// Why it was declined.
    pub reason: Option<String>,
    /// What becomes of it by itself.
    pub plan: Vec<Step<PaymentState>>,
    /// The gateway's own fields.
    pub wire: Value,
}

impl Payment {
    /// What can still be captured or released.
    pub fn on_hold(&self) -> i64 {
        match self.state {
            PaymentState::Authorised => self.amount - self.captured - self.released,
            _ => 0,
        }
    }
}

/// Money taken from a payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Capture {
    /// The gateway's id.
    pub id: String,
    /// Its payment.
    pub payment: String,
    /// When it was made.
    pub created: Timestamp,
    /// In the payment's currency.
    pub amount: i64,
    /// In the settlement currency.
    pub base_amount: i64,
    /// The settlement currency, also of fee and tax.
    pub base_currency: Currency,
    /// The processing fee without tax.
    pub fee: i64,
    /// The tax on the fee.
    pub tax: i64,
    /// Refunded of it so far.
    pub refunded: i64,
    /// The line of the balance.
    pub row: String,
    /// The gateway's own fields.
    pub wire: Value,
}

/// The states of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Done, as far as anybody knows.
    Succeeded,
    /// The money is back in the account.
    Failed,
}

/// Money on its way back to a buyer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refund {
    /// The gateway's id.
    pub id: String,
    /// Its payment.
    pub payment: String,
    /// Its capture.
    pub capture: String,
    /// When it was made.
    pub created: Timestamp,
    /// The shop's own reference; may be empty.
    pub reference: String,
    /// In the payment's currency.
    pub amount: i64,
    /// In the settlement currency.
    pub base_amount: i64,
    /// Where it stands.
    pub state: RefundState,
    /// What the caller attached.
    pub metadata: Metadata,
    /// Why it failed.
    pub reason: Option<String>,
    /// What becomes of it by itself.
    pub plan: Vec<Step<RefundState>>,
    /// The line of the balance, and the one that brought the money back.
    pub rows: Vec<String>,
    /// The gateway's own fields.
    pub wire: Value,
}

/// A saved instrument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    /// The gateway's id.
    pub id: String,
    /// Whose it is.
    pub customer: Option<String>,
    /// When it was saved.
    pub created: Timestamp,
    /// The payment that saved it.
    pub payment: String,
    /// What it charges.
    pub instrument: Instrument,
    /// Whether it can be charged.
    pub active: bool,
    /// The gateway's own fields.
    pub wire: Value,
}

/// An object without money: a customer, a contact, a batch. The gateway's folder knows what it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// The gateway's id.
    pub id: String,
    /// `customer`, `contact`, ...
    pub kind: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its fields.
    pub body: Value,
}

/// A message of the gateway, as it was when it happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// The gateway's id.
    pub id: String,
    /// The gateway's type.
    pub kind: String,
    /// When it happened.
    pub created: Timestamp,
    /// What is sent, before it is signed.
    pub body: String,
    /// Where it goes instead of the account's endpoint.
    pub url: Option<String>,
}

/// The answer that an idempotency key replays.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Scope and key.
    pub key: String,
    /// When it was given.
    pub stored_at: Timestamp,
    /// Digest of the request.
    pub fingerprint: String,
    /// What is given again.
    pub answer: super::wire::Answer,
}

macro_rules! records {
    ($($record:ident),+) => {
        $(
            impl From<$record> for Record {
                fn from(record: $record) -> Self {
                    Self::$record(Box::new(record))
                }
            }
        )+
        /// Anything that is remembered.
        #[derive(Clone, Debug, Serialize, Deserialize)]
        pub enum Record { $($record(Box<$record>)),+ }
    };
}

macro_rules! keyed {
    ($($kind:ty: $field:ident),+) => { $(
        impl Keyed for $kind {
            fn key(&self) -> &str {
                &self.$field
            }
        }
    )+ };
}

pub(super) use super::cash::{Dispute, Payout, Reversal, Settlement, Transfer};

records!(
    Order,
    Payment,
    Capture,
    Refund,
    Token,
    Payout,
    Transfer,
    Reversal,
    Dispute,
    Settlement,
    Row,
    Document,
    Event,
    StoredAnswer,
    Delivery
);
keyed!(
    Order: id, Payment: id, Capture: id, Refund: id, Token: id, Payout: id, Transfer: id,
    Reversal: id, Dispute: id, Settlement: id, Row: id, Document: id, Event: id,
    StoredAnswer: key
);

/// One line of the journal: what one request changed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Line {
    /// The id counter after it.
    pub counter: u64,
    /// Whole records, in the order they were written.
    pub records: Vec<Record>,
}

//! What only PayPal's folder keeps in the bank's records.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bank::record::{Capture, Order, Payment};
use crate::bank::state::State;

/// What the buyer's approval leads to when the shop takes the money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It is taken.
    #[default]
    Done,
    /// The call is refused with this issue.
    Refused(String),
    /// The call is done, and what it made is declined.
    Declined,
    /// It waits, for this reason.
    Pending(String),
}

/// Of an order, or of a setup token, which is an order of zero.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct OrderExtra {
    /// Whether it is a setup token.
    pub setup: bool,
    pub reference_id: String,
    pub custom_id: Option<String>,
    pub invoice_id: Option<String>,
    pub description: Option<String>,
    /// The amount as the caller wrote it, with its breakdown.
    pub amount: Value,
    /// `paypal`, `card`, or nothing was said.
    pub source: Option<String>,
    /// The saved instrument that it charges.
    pub vault_id: Option<String>,
    /// Whether the instrument is to be saved.
    pub saves: bool,
    /// Whether the buyer has approved, what with, and what comes of it.
    pub approved: bool,
    pub method: Option<String>,
    pub fate: Fate,
    /// Whether a 3-D Secure challenge was passed.
    pub challenge: Option<bool>,
    /// The issue with which the saved instrument is refused later.
    pub token_refusal: Option<String>,
    /// After so many seconds the money is taken back.
    pub late_s: Option<i64>,
}

/// Of a payment: an authorisation, or a capture without one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentExtra {
    /// An attempt that PayPal never shows: before the approval, or refused.
    pub hidden: bool,
    /// Why it waits, or waited.
    pub pending: Option<String>,
    /// Whether the shop gave it back.
    pub voided: bool,
    /// The authorisation that took its place.
    pub replaced_by: Option<String>,
    /// The authorisation whose place it took.
    pub replaces: Option<String>,
    /// The shop's numbers of its captures, in order.
    pub invoices: Vec<Option<String>>,
}

fn read<T: DeserializeOwned + Default>(wire: &Value) -> T {
    serde_json::from_value(wire.clone()).unwrap_or_default()
}

fn write(extra: &impl Serialize) -> Value {
    serde_json::to_value(extra).unwrap_or_default()
}

impl OrderExtra {
    pub fn of(order: &Order) -> Self {
        read(&order.wire)
    }

    pub fn wire(&self) -> Value {
        write(self)
    }
}

impl PaymentExtra {
    pub fn of(payment: &Payment) -> Self {
        read(&payment.wire)
    }

    pub fn wire(&self) -> Value {
        write(self)
    }
}

/// The payments of an order that PayPal shows, oldest first.
pub fn shown<'a>(state: &'a State, order: &str) -> impl DoubleEndedIterator<Item = &'a Payment> {
    state.payments_of(order).filter(|payment| !PaymentExtra::of(payment).hidden)
}

/// The shop's number of a capture.
pub fn invoice(state: &State, payment: &Payment, capture: &Capture) -> Option<String> {
    let place = state.captures_of(&payment.id).position(|other| other.id == capture.id)?;
    PaymentExtra::of(payment).invoices.get(place).cloned().flatten()
}

//! Razorpay's JSON, as little of it as we use, tolerant of everything else: the interface has no
//! versions (razorpay.com/docs/api/understand).

use serde::Deserialize;
use serde_json::Value;

/// The shop's pairs: an object, or an empty array where there are none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct Notes(Value);

impl Notes {
    /// One of the pairs.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) amount_paid: Option<i64>,
    pub(super) receipt: Option<String>,
    pub(super) status: String,
    #[serde(default)]
    pub(super) notes: Notes,
    /// There only where it was asked for.
    pub(super) payments: Option<Collection<Payment>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) status: String,
    pub(super) order_id: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) token_id: Option<String>,
    pub(super) captured: Option<bool>,
    pub(super) amount_refunded: Option<i64>,
    /// The amount in the currency of the settlement.
    pub(super) base_amount: Option<i64>,
    pub(super) base_currency: Option<String>,
    /// Its tax included.
    pub(super) fee: Option<i64>,
    pub(super) tax: Option<i64>,
    /// The tax, in bodies of older days.
    pub(super) service_tax: Option<i64>,
    pub(super) error_code: Option<String>,
    pub(super) error_description: Option<String>,
    pub(super) error_reason: Option<String>,
    #[serde(default)]
    pub(super) notes: Notes,
    pub(super) created_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) payment_id: Option<String>,
    pub(super) status: String,
    pub(super) receipt: Option<String>,
    #[serde(default)]
    pub(super) notes: Notes,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Settlement {
    pub(super) id: String,
    pub(super) amount: i64,
}

/// The error inside an envelope, or beside a transfer.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(super) struct ApiError {
    pub(super) code: Option<String>,
    pub(super) description: Option<String>,
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ErrorEnvelope {
    pub(super) error: ApiError,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Collection<T> {
    pub(super) items: Vec<T>,
}

/// What every answer may be asked first: which entity is it, or an error in a success's clothes?
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Probe {
    pub(super) entity: Option<String>,
    pub(super) error: Option<Value>,
}

/// An event's envelope. It has no id: that is in a header.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    pub(super) entity: String,
    pub(super) event: String,
    pub(super) account_id: Option<String>,
    /// The names of the parts of the payload, the main one not always first.
    #[serde(default)]
    pub(super) contains: Value,
    /// The parts by name, each with its `entity`.
    #[serde(default)]
    pub(super) payload: Value,
    pub(super) created_at: Option<i64>,
}

/// A word that says something: Razorpay leaves out, nulls, empties or writes `NA`.
pub(super) fn word(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !matches!(*text, "" | "NA" | "null"))
}

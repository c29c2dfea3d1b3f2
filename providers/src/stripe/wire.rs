//! Stripe's JSON, as little of it as we use, tolerant of everything else.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// An id, or the object itself where it was expanded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Ref<T> {
    Id(String),
    Object(Box<T>),
}

/// Something that has an id.
pub(super) trait HasId {
    fn id(&self) -> &str;
}

impl<T: HasId> Ref<T> {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Object(object) => object.id(),
        }
    }

    pub(super) fn object(&self) -> Option<&T> {
        match self {
            Self::Id(_) => None,
            Self::Object(object) => Some(object),
        }
    }
}

/// Just the id of an object we use no more of, and its state where it was expanded.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) status: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct PaymentIntent {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) amount_capturable: Option<i64>,
    pub(super) amount_received: Option<i64>,
    pub(super) latest_charge: Option<Ref<Charge>>,
    pub(super) next_action: Option<NextAction>,
    pub(super) last_payment_error: Option<ApiError>,
    pub(super) cancellation_reason: Option<String>,
    pub(super) customer: Option<Ref<Named>>,
    pub(super) payment_method: Option<Ref<Named>>,
    pub(super) setup_future_usage: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct NextAction {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) redirect_to_url: Option<RedirectToUrl>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct RedirectToUrl {
    pub(super) url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Charge {
    pub(super) id: String,
    pub(super) amount: Option<i64>,
    pub(super) captured: Option<bool>,
    pub(super) amount_captured: Option<i64>,
    pub(super) amount_refunded: Option<i64>,
    pub(super) currency: Option<String>,
    pub(super) payment_intent: Option<Ref<Named>>,
    pub(super) balance_transaction: Option<Ref<BalanceTransaction>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct BalanceTransaction {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) fee: i64,
    pub(super) net: i64,
    pub(super) currency: String,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) fee_details: Vec<FeeDetail>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct FeeDetail {
    pub(super) amount: i64,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Refund {
    pub(super) id: String,
    pub(super) status: Option<String>,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) payment_intent: Option<Ref<Named>>,
    pub(super) charge: Option<Ref<Named>>,
    pub(super) balance_transaction: Option<Ref<BalanceTransaction>>,
    pub(super) failure_reason: Option<String>,
    pub(super) pending_reason: Option<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Dispute {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) payment_intent: Option<Ref<Named>>,
    pub(super) charge: Option<Ref<Named>>,
    pub(super) reason: Option<String>,
    pub(super) evidence_details: Option<EvidenceDetails>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) balance_transactions: Vec<BalanceTransaction>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct EvidenceDetails {
    pub(super) due_by: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Payout {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    pub(super) failure_code: Option<String>,
    pub(super) trace_id: Option<TraceId>,
    pub(super) balance_transaction: Option<Ref<BalanceTransaction>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct TraceId {
    pub(super) value: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Transfer {
    pub(super) id: String,
    pub(super) amount: i64,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) amount_reversed: i64,
    pub(super) destination: Option<Ref<Named>>,
    #[serde(default, deserialize_with = "null_is_default")]
    pub(super) metadata: HashMap<String, String>,
}

/// A page of a list: newest first, the last id leads to the next page.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct List<T> {
    pub(super) data: Vec<T>,
    pub(super) has_more: bool,
}

impl<T: HasId> List<T> {
    /// Where the next page begins; none at the end. An empty page cannot say that more follow.
    pub(super) fn next(&self) -> Result<Option<String>, &'static str> {
        match self.data.last() {
            Some(last) => Ok(self.has_more.then(|| last.id().to_owned())),
            None if self.has_more => Err("an empty page says that more follow"),
            None => Ok(None),
        }
    }
}

/// The error inside an envelope, or the last error of a payment.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub(super) struct ApiError {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) decline_code: Option<String>,
    pub(super) advice_code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) charge: Option<Ref<Named>>,
    pub(super) payment_intent: Option<Ref<Named>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct ErrorEnvelope {
    pub(super) error: ApiError,
}

/// What every answer may be asked first: is it an object, or an error in a success's clothes?
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Probe {
    pub(super) object: Option<String>,
    pub(super) error: Option<Value>,
}

/// An event's envelope. Nearly everything may be missing: an event of no interest must still be
/// readable enough to be told apart.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) object: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) created: Option<Value>,
    pub(super) account: Option<String>,
    pub(super) livemode: Option<bool>,
    pub(super) data: Option<EventData>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct EventData {
    pub(super) object: Option<Value>,
    pub(super) previous_attributes: Option<Value>,
}

/// Only what names an event.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct EventName {
    pub(super) id: String,
}

impl HasId for Named {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Charge {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for BalanceTransaction {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Transfer {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Dispute {
    fn id(&self) -> &str {
        &self.id
    }
}

pub(super) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

//! The queue of signed deliveries, for every gateway: when each is due, tried again or given up.
//!
//! The clock is the simulator's: retries wait for it, not for real time. The gateway owns the
//! records (so they survive a crash with the rest of its state) and signs the bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};

use crate::table::Keyed;

const FIRST_RETRY_S: i64 = 30;
const RETRY_MAX_S: i64 = 6 * 3600;
const GIVE_UP_AFTER_S: i64 = 3 * 24 * 3600;
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How many attempts one pass makes at most.
pub const PASS_MAX: usize = 10_000;

/// One event on its way to the endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Grows with every delivery, so its order is the order of the events.
    pub id: String,
    /// The gateway's event id.
    pub event_id: String,
    /// The gateway's event type.
    pub event_type: String,
    /// The exact bytes to send.
    pub body: String,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// What happened so far.
    pub attempts: Vec<Attempt>,
}

impl Keyed for Delivery {
    fn key(&self) -> &str {
        &self.id
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum DeliveryState {
    /// To be sent at this time or later.
    Waiting {
        /// The earliest time.
        due: Timestamp,
    },
    /// Held back until a later one was delivered, at most until this time.
    Held {
        /// The latest time.
        until: Timestamp,
    },
    /// The endpoint said 2xx.
    Delivered,
    /// Three days of failures.
    GivenUp,
}

/// One try.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    /// By the simulator's clock.
    pub at: Timestamp,
    /// The endpoint's HTTP status, if it answered.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub failure: Option<String>,
}

impl Attempt {
    fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Delivery {
    /// Whether it still has to be sent.
    pub fn is_open(&self) -> bool {
        matches!(self.state, DeliveryState::Waiting { .. } | DeliveryState::Held { .. })
    }

    /// The time from which it may be sent.
    fn due(&self) -> Option<Timestamp> {
        match self.state {
            DeliveryState::Waiting { due } => Some(due),
            DeliveryState::Held { until } => Some(until),
            DeliveryState::Delivered | DeliveryState::GivenUp => None,
        }
    }

    /// Writes down one try and decides when the next one is.
    pub fn record(&mut self, attempt: Attempt) {
        let now = attempt.at;
        let delivered = attempt.is_delivered();
        self.attempts.push(attempt);
        self.state = if delivered {
            DeliveryState::Delivered
        } else {
            let failures = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
            let doubled = FIRST_RETRY_S.saturating_mul(2_i64.saturating_pow(failures - 1));
            let due = now + TimeDelta::seconds(doubled.min(RETRY_MAX_S));
            if due - self.queued_at > TimeDelta::seconds(GIVE_UP_AFTER_S) {
                DeliveryState::GivenUp
            } else {
                DeliveryState::Waiting { due }
            }
        };
    }
}

/// The delivery that is due first and was not tried in this pass, by due time and then by order.
pub fn first_due<'a>(
    open: impl Iterator<Item = &'a Delivery>,
    tried: &BTreeSet<String>,
    now: Timestamp,
) -> Option<&'a Delivery> {
    open.filter(|delivery| !tried.contains(&delivery.id))
        .filter_map(|delivery| delivery.due().map(|due| (due, delivery)))
        .filter(|(due, _)| *due <= now)
        .min_by(|(due, one), (other_due, other)| (due, &one.id).cmp(&(other_due, &other.id)))
        .map(|(_, delivery)| delivery)
}

/// Bytes with the headers that prove where they come from, ready to be sent.
pub struct Parcel {
    /// The delivery it belongs to.
    pub delivery_id: String,
    /// The endpoint.
    pub url: String,
    /// The exact body.
    pub body: String,
    /// Headers, the signature among them.
    pub headers: Vec<(&'static str, String)>,
}

/// A gateway that has deliveries to make.
pub trait WebhookSource {
    /// Signs the delivery that is due next and was not tried yet in this pass.
    fn next_parcel(&self, tried: &BTreeSet<String>) -> Option<Parcel>;
    /// Writes down what came of it; the gateway adds the time.
    fn record_attempt(&self, delivery_id: &str, status: Option<u16>, failure: Option<String>);
}

/// Sends everything that is due now, in order, and returns how many attempts were made.
pub async fn deliver_due(source: &impl WebhookSource, client: &reqwest::Client) -> usize {
    let mut tried = BTreeSet::new();
    while tried.len() < PASS_MAX {
        let Some(parcel) = source.next_parcel(&tried) else { break };
        tried.insert(parcel.delivery_id.clone());
        let (status, failure) = match send(client, &parcel).await {
            Ok(status) => (Some(status), None),
            Err(failure) => (None, Some(failure)),
        };
        source.record_attempt(&parcel.delivery_id, status, failure);
    }
    tried.len()
}

async fn send(client: &reqwest::Client, parcel: &Parcel) -> Result<u16, String> {
    let mut request = client.post(&parcel.url).timeout(ANSWER_WITHIN);
    for (name, value) in &parcel.headers {
        request = request.header(*name, value);
    }
    match request.body(parcel.body.clone()).send().await {
        Ok(answer) => Ok(answer.status().as_u16()),
        Err(failure) if failure.is_timeout() => Err("no answer in time".to_owned()),
        Err(failure) if failure.is_connect() => Err("no connection".to_owned()),
        Err(_) => Err("the connection ended without an answer".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn retries_back_off_by_doubling_and_end_after_three_days() {
        let start = Timestamp::from_timestamp(1_780_000_000, 0).unwrap();
        let mut delivery = Delivery {
            id: "1".to_owned(),
            event_id: "evt_1".to_owned(),
            event_type: "x".to_owned(),
            body: String::new(),
            queued_at: start,
            state: DeliveryState::Waiting { due: start },
            attempts: Vec::new(),
        };
        let mut waits = Vec::new();
        while let Some(due) = delivery.due() {
            delivery.record(Attempt { at: due, status: Some(500), failure: None });
            if let Some(next) = delivery.due() {
                waits.push((next - due).num_seconds());
            }
        }
        assert_eq!(waits[..5], [30, 60, 120, 240, 480]);
        assert_eq!(waits.iter().max(), Some(&RETRY_MAX_S));
        assert!(waits.iter().sum::<i64>() <= GIVE_UP_AFTER_S);
        assert_eq!(delivery.state, DeliveryState::GivenUp);
    }
}

//! The queue of signed deliveries, for every gateway: when each is due, tried again or given up.
//!
//! The clock is the simulator's: retries wait for it, not for real time. The gateway owns the
//! records (so they survive a crash with the rest of its state) and signs the bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, FaultKind};
use crate::table::Keyed;

const FIRST_RETRY_S: i64 = 30;
const RETRY_MAX_S: i64 = 6 * 3600;
const GIVE_UP_AFTER_S: i64 = 3 * 24 * 3600;
const HOLD_BACK_S: i64 = 300;
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
    /// Where it goes instead of the account's endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is wrong with its signature.
    #[serde(default)]
    pub twist: Twist,
}

/// What a fault does to the signature of a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twist {
    /// How many seconds the time it claims is ahead, below zero behind.
    pub skew_s: i64,
    /// Whether the secret is the oldest active one, or an unknown newer one.
    pub rotated: bool,
}

impl Twist {
    /// The secrets that sign, newest first.
    pub fn secrets(self, active: &[String]) -> Vec<String> {
        match active {
            secrets if !self.rotated => secrets.to_vec(),
            [.., older] if active.len() > 1 => vec![older.clone()],
            [only, ..] => vec![format!("{only}_next")],
            [] => Vec::new(),
        }
    }

    /// How wrong the time is.
    pub fn skew(self) -> TimeDelta {
        TimeDelta::try_seconds(self.skew_s).unwrap_or_default()
    }
}

/// How an event is sent, with what a fault does to it.
#[derive(Clone, Copy, Debug)]
pub struct DispatchPlan {
    /// How often.
    pub copies: u8,
    /// When.
    pub state: DeliveryState,
    /// What is wrong with the signature.
    pub twist: Twist,
}

impl DispatchPlan {
    /// The plan under this fault. Faults of the body are not in it.
    pub fn new(fault: Option<Fault>, now: Timestamp) -> Self {
        let state = DeliveryState::Waiting { due: now };
        let mut plan = Self { copies: 1, state, twist: Twist::default() };
        let Some(fault) = fault else { return plan };
        let delay = fault.delay.and_then(|delay| TimeDelta::from_std(delay).ok());
        match fault.kind {
            FaultKind::Duplicate => plan.copies = 2,
            FaultKind::Reorder => {
                let delay = delay.unwrap_or(TimeDelta::seconds(HOLD_BACK_S));
                plan.state = DeliveryState::Held { until: now + delay };
            }
            FaultKind::Delay => {
                let due = now + delay.unwrap_or_default();
                plan.state = DeliveryState::Waiting { due };
            }
            FaultKind::ClockSkew => plan.twist.skew_s = fault.skew_s,
            FaultKind::KeyRotation => plan.twist.rotated = true,
            // The plan's check keeps the faults of calls away from webhooks.
            _ => {}
        }
        plan
    }
}

/// How a gateway tries again.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The first wait; every further one is twice as long.
    pub first_s: i64,
    /// The longest wait.
    pub longest_s: i64,
    /// After this time it gives up.
    pub give_up_after_s: i64,
    /// After so many attempts it gives up.
    pub attempts: usize,
}

impl Default for Patience {
    /// 30 seconds, doubling to 6 hours, for three days.
    fn default() -> Self {
        Self {
            first_s: FIRST_RETRY_S,
            longest_s: RETRY_MAX_S,
            give_up_after_s: GIVE_UP_AFTER_S,
            attempts: usize::MAX,
        }
    }
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
    /// Too many failures.
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
    pub fn record(&mut self, attempt: Attempt, patience: &Patience) {
        let now = attempt.at;
        let delivered = attempt.is_delivered();
        self.attempts.push(attempt);
        self.state = if delivered {
            DeliveryState::Delivered
        } else {
            let failures = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
            let doubled = patience.first_s.saturating_mul(2_i64.saturating_pow(failures - 1));
            let due = now + TimeDelta::seconds(doubled.min(patience.longest_s));
            let patient = TimeDelta::seconds(patience.give_up_after_s);
            if due - self.queued_at > patient || self.attempts.len() >= patience.attempts {
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
            url: None,
            twist: Twist::default(),
        };
        let mut waits = Vec::new();
        while let Some(due) = delivery.due() {
            let failed = Attempt { at: due, status: Some(500), failure: None };
            delivery.record(failed, &Patience::default());
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

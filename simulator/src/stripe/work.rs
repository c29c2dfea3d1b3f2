//! One request's unit of work: it reads and changes the state, and notes what has to be written.

use mizan_money::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Settings;
use super::state::{Event, Metadata, Record, State};
use super::wire::view::API_VERSION;
use crate::config::Fees;
use crate::fault::odd::{self, Fields};
use crate::fault::{Fault, FaultEngine, FaultKind, FaultPoint};
use crate::webhook::{Delivery, DispatchPlan};

const ID_LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 24;
const WRONG_BY: i64 = 100;

/// Which request causes a change; changes by themselves have none.
#[derive(Clone, Debug, Default)]
pub struct RequestMark {
    /// `req_..`.
    pub id: Option<String>,
    /// The caller's key.
    pub idempotency_key: Option<String>,
}

/// The state in the hands of one request.
pub struct Work<'a> {
    pub state: &'a mut State,
    pub settings: &'a Settings,
    pub now: Timestamp,
    pub mark: RequestMark,
    faults: &'a mut FaultEngine,
    sends_webhooks: SendsWebhooks,
    changes: Vec<Record>,
}

/// Whether an endpoint is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendsWebhooks {
    Yes,
    No,
}

impl<'a> Work<'a> {
    /// Takes the state into work.
    pub fn new(
        state: &'a mut State,
        settings: &'a Settings,
        faults: &'a mut FaultEngine,
        sends_webhooks: SendsWebhooks,
        now: Timestamp,
    ) -> Self {
        let mark = RequestMark::default();
        Self { state, settings, now, mark, faults, sends_webhooks, changes: Vec::new() }
    }

    /// What has to be written, in order.
    pub fn into_changes(self) -> Vec<Record> {
        self.changes
    }

    /// The fees of this account.
    pub fn fees(&self) -> &Fees {
        &self.settings.fees
    }

    /// Keeps a new or changed record.
    pub fn put(&mut self, record: impl Into<Record>) {
        let record = record.into();
        self.changes.push(record.clone());
        self.state.apply(record);
    }

    /// A new id that looks like Stripe's; the same ids come in the same order for the same seed.
    pub fn new_id(&mut self, prefix: &str) -> String {
        self.state.counter += 1;
        let text = format!("{}:{}:{prefix}", self.settings.seed, self.state.counter);
        let digest = Sha256::digest(text);
        let letters = digest.iter().take(ID_LENGTH).map(|byte| {
            let letter = usize::from(*byte) % ID_LETTERS.len();
            char::from(ID_LETTERS[letter])
        });
        format!("{prefix}_{}", letters.collect::<String>())
    }

    /// Makes an event with the object as it is now, and queues its deliveries.
    pub fn emit(&mut self, kind: &str, object: Value, previous: Option<Value>) {
        let id = self.new_id("evt");
        let metadata = metadata_of(&object);
        let mut data = json!({ "object": object });
        if let Some(previous) = previous {
            data["previous_attributes"] = previous;
        }
        let pending = usize::from(self.sends_webhooks == SendsWebhooks::Yes);
        let envelope = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now.timestamp(),
            "data": data,
            "livemode": false,
            "pending_webhooks": pending,
            "request": { "id": self.mark.id, "idempotency_key": self.mark.idempotency_key },
            "type": kind,
        });
        let event = Event { id, kind: kind.to_owned(), created: self.now, envelope };
        self.put(event.clone());
        if self.sends_webhooks == SendsWebhooks::Yes {
            let fault = self.faults.draw(FaultPoint::Webhook, Some(kind), &metadata);
            self.queue(&event, fault);
        }
    }

    /// Queues an event once more, as it was.
    pub fn send_again(&mut self, event: &Event) {
        self.queue(event, None);
    }

    fn queue(&mut self, event: &Event, fault: Option<Fault>) {
        let plan = DispatchPlan::new(fault, self.now);
        let mut body = event.envelope.clone();
        if let Some(fault) = fault {
            falsify(fault.kind, &mut body["data"]["object"]);
        }
        let body = format!("{body:#}");
        for _ in 0..plan.copies {
            self.state.counter += 1;
            let delivery = Delivery {
                id: format!("{:012}", self.state.counter),
                event_id: event.id.clone(),
                event_type: event.kind.clone(),
                body: body.clone(),
                queued_at: self.now,
                state: plan.state,
                attempts: Vec::new(),
                url: None,
                twist: plan.twist,
            };
            self.put(delivery);
        }
    }
}

fn metadata_of(object: &Value) -> Metadata {
    let pairs = object.get("metadata").and_then(Value::as_object).into_iter().flatten();
    let texts = pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    texts.collect()
}

/// Makes an object wrong: its own amounts, and currencies and states at every depth.
pub fn falsify(kind: FaultKind, object: &mut Value) {
    if kind == FaultKind::WrongAmount {
        raise_amounts(object);
    }
    let fields = Fields { amounts: &[], currencies: &["currency"], states: &["status"] };
    odd::falsify(kind, object, &fields);
}

/// Makes every amount of an object wrong; zero stays zero, so only money that is there grows.
fn raise_amounts(object: &mut Value) {
    for name in ["amount", "amount_received", "amount_capturable", "amount_captured"] {
        let Some(amount) = object.get(name).and_then(Value::as_i64) else { continue };
        if amount > 0 {
            object[name] = (amount + WRONG_BY).into();
        }
    }
}

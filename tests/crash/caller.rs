//! A shop's backend and its buyer: every request under its key, sent again until it is answered.
//!
//! An answer counts when it is the last word: a success, or a refusal by a rule. Everything else
//! ("not now", "not known yet", no answer at all) makes the caller send the same again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mizan::clock::Monotonic;
use serde_json::{Value, json};

use super::world::pace;

/// Nobody waits longer for a last word, however often everything crashes.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long one request may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// A client that hangs up waits so long.
const HANG_UP_AFTER: Duration = Duration::from_millis(4);

/// A request that moves money, or makes what moves it.
#[derive(Clone, Debug)]
pub struct Command {
    pub key: String,
    pub path: String,
    pub body: Value,
}

/// A last word.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// The body as it came.
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn field(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {:#}", self.body))
    }
}

/// How often what happened.
#[derive(Default)]
pub struct Counts {
    sent: AtomicU64,
    repeated: AtomicU64,
    answered: AtomicU64,
    refused: AtomicU64,
    hung_up: AtomicU64,
    put_off: AtomicU64,
    /// Answers that are neither a last word nor a reason to wait, with their bodies.
    broken: Mutex<BTreeMap<String, u64>>,
}

impl Counts {
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::SeqCst)
    }

    /// How often the service said "not now".
    pub fn put_off(&self) -> u64 {
        self.put_off.load(Ordering::SeqCst)
    }

    /// Everything by its name.
    pub fn rows(&self) -> [(&'static str, u64); 6] {
        [
            ("commands sent", &self.sent),
            ("commands repeated under their key", &self.repeated),
            ("commands answered for good", &self.answered),
            ("  of these refused by a rule", &self.refused),
            ("clients that hung up", &self.hung_up),
            ("answers that said `not now`", &self.put_off),
        ]
        .map(|(name, count)| (name, count.load(Ordering::SeqCst)))
    }

    /// The failures that no crash explains.
    pub fn broken(&self) -> BTreeMap<String, u64> {
        self.broken.lock().unwrap().clone()
    }
}

/// Whoever calls. It remembers every last word.
pub struct Caller {
    http: reqwest::Client,
    service: String,
    simulator: String,
    key: String,
    pub counts: Counts,
    kept: Mutex<Vec<(Command, Answer)>>,
}

impl Caller {
    pub fn new(service: String, simulator: String, key: String) -> Caller {
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let (counts, kept) = (Counts::default(), Mutex::default());
        Caller { http, service, simulator, key, counts, kept }
    }

    /// Whether service and gateway can do their work.
    pub async fn is_ready(&self) -> bool {
        let urls = [format!("{}/readyz", self.service), format!("{}/_sim/ready", self.simulator)];
        for (url, status) in urls.iter().zip([200, 404]) {
            let answer = self.http.get(url).send().await;
            if answer.map_or(0, |answer| answer.status().as_u16()) != status {
                return false;
            }
        }
        true
    }

    fn request(&self, command: &Command) -> reqwest::RequestBuilder {
        let request = self.http.post(format!("{}{}", self.service, command.path));
        let request = request.bearer_auth(&self.key).header("Idempotency-Key", &command.key);
        request.json(&command.body)
    }

    /// Sends a command again and again until it has its last word, and remembers it.
    pub async fn insist(&self, command: Command) -> Answer {
        self.counts.sent.fetch_add(1, Ordering::SeqCst);
        let answer = self.last_word(&command).await;
        self.counts.answered.fetch_add(1, Ordering::SeqCst);
        self.counts.refused.fetch_add(u64::from(answer.status >= 400), Ordering::SeqCst);
        self.kept.lock().unwrap().push((command, answer.clone()));
        answer
    }

    /// Sends a command again and again until it has its last word.
    pub async fn last_word(&self, command: &Command) -> Answer {
        let (watch, mut pace) = (Monotonic::start(), pace());
        let mut said = String::new();
        loop {
            match self.send(self.request(command)).await {
                Ok(answer) if is_last_word(&answer) => return answer,
                Ok(answer) => said = format!("{} {:#}", answer.status, answer.body),
                Err(error) => said.push_str(&format!("\n{error}")),
            }
            assert!(watch.elapsed() < PATIENCE, "no last word on {command:#?}: {said}");
            self.counts.repeated.fetch_add(1, Ordering::SeqCst);
            pace.tick().await;
        }
    }

    /// Sends a command and hangs up, without a word.
    pub async fn hang_up(&self, command: &Command) {
        self.counts.hung_up.fetch_add(1, Ordering::SeqCst);
        let _nobody_listens = self.request(command).timeout(HANG_UP_AFTER).send().await;
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        self.counts.put_off.fetch_add(u64::from(status == 503), Ordering::SeqCst);
        if status == 500 || status == 401 {
            let said = format!("{status} {}", body["detail"]);
            *self.counts.broken.lock().unwrap().entry(said).or_default() += 1;
        }
        Ok(Answer { status, text, body })
    }

    /// Reads an object of the service, until it can be read.
    pub async fn read(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.service);
        self.until_200(|| self.http.get(&url).bearer_auth(&self.key)).await
    }

    /// Asks the gateway what it knows of a payment, until it has told.
    pub async fn sync(&self, id: &str) -> Value {
        let url = format!("{}/v1/payment_intents/{id}/sync", self.service);
        self.until_200(|| self.http.post(&url).bearer_auth(&self.key).json(&json!({}))).await
    }

    /// Reads from the gateway's control plane, until it can be read.
    pub async fn at_gateway(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.simulator);
        self.until_200(|| self.http.get(&url)).await
    }

    /// Has the gateway send every webhook that is due; answers how many it tried.
    pub async fn flush(&self) -> u64 {
        let url = format!("{}/_sim/webhooks/flush", self.simulator);
        self.until_200(|| self.http.post(&url)).await["attempts"].as_u64().unwrap()
    }

    async fn until_200(&self, request: impl Fn() -> reqwest::RequestBuilder) -> Value {
        let (watch, mut pace) = (Monotonic::start(), pace());
        loop {
            match self.send(request()).await {
                Ok(answer) if answer.status == 200 => return answer.body,
                Ok(answer) if answer.status < 500 => panic!("{answer:#?}"),
                other => assert!(watch.elapsed() < PATIENCE, "no answer: {other:#?}"),
            }
            pace.tick().await;
        }
    }

    /// The buyer approves on the hosted page, again and again until the bank sends them back.
    pub async fn approve(&self, page: &str) {
        let (watch, mut pace) = (Monotonic::start(), pace());
        loop {
            let press = self.http.post(page).body("outcome=approve");
            if let Ok(answer) = press.send().await {
                match answer.status().as_u16() {
                    303 => return,
                    500.. => {}
                    other => panic!("the bank's page answered {other}"),
                }
            }
            assert!(watch.elapsed() < PATIENCE, "the bank's page is away");
            pace.tick().await;
        }
    }

    /// Every last word so far, oldest first.
    pub fn kept(&self) -> Vec<(Command, Answer)> {
        self.kept.lock().unwrap().clone()
    }
}

/// Whether sending the same again could bring anything else.
fn is_last_word(answer: &Answer) -> bool {
    let waits = ["idempotency_key_in_flight", "operation_under_way"];
    match answer.status {
        200 | 201 | 402 | 422 => true,
        409 => !waits.contains(&answer.field("code")),
        202 | 429 | 500.. => false,
        _ => panic!("nobody asked for this: {answer:#?}"),
    }
}

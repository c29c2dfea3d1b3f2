//! A simulator with a clock set by hand, a caller, and an endpoint that keeps what it is sent.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use mizan_money::Timestamp;
use mizan_simulator::{FaultPlan, SimClock, Simulator, SimulatorConfig};
use serde_json::Value;

pub const KEY: &str = "sk_test_bed";
pub const SECRET: &str = "whsec_bed";
pub const START: i64 = 1_780_000_000;

#[derive(Clone)]
pub struct HandClock(Arc<AtomicI64>);

impl HandClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn clock(&self) -> SimClock {
        let now = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_timestamp(now.load(Ordering::SeqCst), 0).unwrap())
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap()
    }

    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub struct Bed {
    pub sim: Simulator,
    pub clock: HandClock,
    pub client: reqwest::Client,
}

pub type Form<'a> = &'a [(&'a str, &'a str)];

impl Bed {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = HandClock::new();
        let mut config = SimulatorConfig::new(clock.clock());
        config.stripe_secret_key = KEY.to_owned();
        config.webhook_secret = SECRET.to_owned();
        change(&mut config);
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects);
        Self { sim, clock, client: client.build().unwrap() }
    }

    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    pub async fn try_post(
        &self,
        path: &str,
        form: Form<'_>,
        key: Option<&str>,
    ) -> Result<Reply, reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.sim.url()));
        let mut request = request.bearer_auth(KEY).form(form);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        read(request).await
    }

    pub async fn post(&self, path: &str, form: Form<'_>) -> Reply {
        self.try_post(path, form, None).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Reply {
        let request = self.client.get(format!("{}{path}", self.sim.url()));
        read(request.bearer_auth(KEY)).await.unwrap()
    }

    pub async fn state(&self) -> Value {
        self.get("/_sim/state").await.body["stripe"].clone()
    }

    /// A confirmed payment in AED.
    pub async fn pay(&self, amount: &str, method: &str, capture: &str) -> Reply {
        let form = [
            ("amount", amount),
            ("currency", "aed"),
            ("payment_method_types[]", "card"),
            ("payment_method", method),
            ("capture_method", capture),
            ("confirm", "true"),
            ("return_url", "https://shop.example/back"),
            ("metadata[order_id]", "A-1"),
        ];
        self.post("/v1/payment_intents", &form).await
    }
}

pub async fn read(request: reqwest::RequestBuilder) -> Result<Reply, reqwest::Error> {
    let answer = request.send().await?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Reply { status, headers, body })
}

/// One received webhook.
#[derive(Clone)]
pub struct Received {
    pub signature: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Received {
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn kind(&self) -> String {
        let event = self.event();
        event["type"]
            .as_str()
            .or(event["event"].as_str())
            .or(event["event_type"].as_str())
            .unwrap()
            .to_owned()
    }
}

/// An endpoint that keeps everything and answers what it is told to.
#[derive(Clone)]
pub struct Sink {
    pub url: String,
    pub received: Arc<Mutex<Vec<Received>>>,
    status: Arc<AtomicU16>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            received: Arc::default(),
            status: Arc::new(AtomicU16::new(200)),
        };
        let app = Router::new().route("/hook", post(keep)).with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        sink
    }

    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.all().iter().map(Received::kind).collect()
    }

    pub fn forget(&self) {
        self.received.lock().unwrap().clear();
    }
}

async fn keep(State(sink): State<Sink>, headers: HeaderMap, body: String) -> StatusCode {
    let signature = ["stripe-signature", "x-razorpay-signature", "signature"];
    let signature = signature.into_iter().find_map(|name| headers.get(name));
    let signature = signature.map_or("", |value| value.to_str().unwrap()).to_owned();
    sink.received.lock().unwrap().push(Received { signature, headers, body });
    StatusCode::from_u16(sink.status.load(Ordering::SeqCst)).unwrap()
}

/// An empty folder of the test's own.
pub fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("mizan-sim-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

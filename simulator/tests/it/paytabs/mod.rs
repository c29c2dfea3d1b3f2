//! PayTabs' fake: pages and tokens, what follows, what is told, and what is settled.

mod errors;
mod faults;
mod follow_ups;
mod messages;
mod pages;
mod payments;
mod random;
mod samples;
mod statements;
mod tokens;

use hmac::{Hmac, KeyInit, Mac};
use mizan_simulator::{FaultPlan, Gateway, PayTabsKeys, Simulator, SimulatorConfig};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{HandClock, Received, Reply, Sink, read};

/// The key that PayTabs printed in its article on signatures.
pub const SERVER_KEY: &str = "SGJNZ96JLG-JDMKHGRWT9-RWRK2KJNRJ";
pub const PROFILE: u64 = 987_654;

pub fn hmac(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A fake PayTabs with a clock set by hand, and a caller.
pub struct Pt {
    pub sim: Simulator,
    pub clock: HandClock,
    pub client: reqwest::Client,
}

impl Pt {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = HandClock::new();
        let mut config = SimulatorConfig::for_gateway(Gateway::PayTabs, clock.clock());
        config.paytabs = PayTabsKeys { profile_id: PROFILE, client_key: "C-BED".to_owned() };
        config.webhook_secret = SERVER_KEY.to_owned();
        change(&mut config);
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects);
        Self { sim, clock, client: client.build().unwrap() }
    }

    /// With an endpoint for IPNs, and one for callbacks.
    pub async fn heard() -> (Self, Sink, Sink) {
        let (ipn, callback) = (Sink::start().await, Sink::start().await);
        let pt = Self::with(|config| config.webhook_url = Some(ipn.url.clone())).await;
        (pt, ipn, callback)
    }

    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sim.url());
        let request = self.client.request(method.parse().unwrap(), url);
        request.header("authorization", SERVER_KEY)
    }

    pub async fn get(&self, path: &str) -> Reply {
        read(self.request("GET", path)).await.unwrap()
    }

    pub async fn try_post(&self, path: &str, body: &Value) -> Result<Reply, reqwest::Error> {
        read(self.request("POST", path).json(body)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body).await.unwrap()
    }

    /// A body for `/payment/request`, with these fields changed.
    pub fn body(&self, tran_type: &str, cart: &str, amount: &Value, more: Value) -> Value {
        let mut body = json!({
            "profile_id": PROFILE, "tran_type": tran_type, "tran_class": "ecom",
            "cart_id": cart, "cart_description": "Order", "cart_currency": "AED",
            "cart_amount": amount, "return": "https://shop.example/back",
        });
        for (name, value) in more.as_object().unwrap() {
            body[name.as_str()] = value.clone();
        }
        body
    }

    pub async fn ask(&self, tran_type: &str, cart: &str, amount: Value, more: Value) -> Reply {
        let body = self.body(tran_type, cart, &amount, more);
        self.post("/payment/request", &body).await
    }

    /// A payment page; returns its reference.
    pub async fn page(&self, tran_type: &str, cart: &str, amount: Value, more: Value) -> String {
        let made = self.ask(tran_type, cart, amount, more).await;
        assert_eq!(made.status, 200, "{}", made.body);
        assert!(made.body["redirect_url"].is_string(), "{}", made.body);
        made.body["tran_ref"].as_str().unwrap().to_owned()
    }

    /// What a buyer does.
    pub async fn choose(&self, name: &str, choice: Value) -> Reply {
        self.post(&format!("/_sim/payments/{name}/pay"), &choice).await
    }

    /// A page that was paid, or authorised.
    pub async fn paid(&self, tran_type: &str, cart: &str, amount: Value) -> String {
        let tran_ref = self.page(tran_type, cart, amount, json!({})).await;
        let chosen = self.choose(&tran_ref, json!({ "outcome": "paid" })).await;
        assert_eq!(chosen.status, 200, "{}", chosen.body);
        tran_ref
    }

    pub async fn follow(&self, what: &str, parent: &str, cart: &str, amount: Value) -> Reply {
        self.ask(what, cart, amount, json!({ "tran_ref": parent })).await
    }

    /// The transaction as a query shows it.
    pub async fn query(&self, tran_ref: &str) -> Value {
        let body = json!({ "profile_id": PROFILE, "tran_ref": tran_ref });
        self.post("/payment/query", &body).await.body
    }

    /// The transactions of a reference of the shop.
    pub async fn by_cart(&self, cart: &str) -> Vec<Value> {
        let body = json!({ "profile_id": PROFILE, "cart_id": cart });
        let found = self.post("/payment/query", &body).await;
        found.body.as_array().unwrap().clone()
    }

    /// What the gateway says of itself.
    pub async fn state(&self) -> Value {
        self.get("/_sim/state").await.body["paytabs"].clone()
    }

    /// The books of the gateway add up.
    pub fn assert_balanced(&self) {
        assert_eq!(self.sim.imbalance().unwrap(), Vec::<String>::new());
    }
}

/// Status, code and message of a transaction.
pub fn verdict(tran: &Value) -> String {
    let result = &tran["payment_result"];
    let text = |name: &str| result[name].as_str().unwrap_or("-").to_owned();
    format!("{} {}", text("response_status"), text("response_message"))
}

/// A message as `Sale A 50.00`.
pub fn told(received: &Received) -> String {
    let event = received.event();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let status = text(&event["payment_result"]["response_status"]);
    format!("{} {status} {}", text(&event["tran_type"]), text(&event["tran_total"]))
}

pub fn all_told(sink: &Sink) -> Vec<String> {
    sink.all().iter().map(told).collect()
}

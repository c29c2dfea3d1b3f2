//! Telr's fake: the hosted page, what follows a payment, its lists, its messages.

mod accounts;
mod faults;
mod messages;
mod orders;
mod random;
mod remote;
mod service;

use mizan_simulator::{FaultPlan, Gateway, Simulator, SimulatorConfig, TelrKeys};
use serde_json::{Value, json};

use crate::support::{HandClock, Reply, read};

pub const STORE: &str = "1234";
pub const AUTH_KEY: &str = "Test-Auth-Key-1";
pub const REMOTE_KEY: &str = "Test-Remote-Key-1";
pub const ADVICE_SECRET: &str = "telr_advice_bed";

pub type Pairs = Vec<(String, String)>;

/// The value of a form's field; empty when it is not there.
pub fn value<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    pairs.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// The text of the first element of this name.
pub fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name}: {xml}"));
    rest.split_once(&format!("</{name}>")).unwrap().0
}

/// A published sample.
pub fn sample(name: &str) -> Value {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/telr");
    let text = std::fs::read_to_string(format!("{dir}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every field of the sample is in ours, at every depth.
pub fn assert_has(path: &str, sample: &Value, ours: &Value) {
    let Some(sample) = sample.as_object() else { return };
    for (field, value) in sample {
        let path = format!("{path}.{field}");
        let found = ours.get(field).unwrap_or_else(|| panic!("{path} is missing in {ours}"));
        assert_eq!(value.is_string(), found.is_string(), "{path}: {found}");
        assert_has(&path, value, found);
    }
}

/// A fake Telr with a clock set by hand, and a caller.
pub struct Telr {
    pub sim: Simulator,
    pub clock: HandClock,
    pub client: reqwest::Client,
}

impl Telr {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = HandClock::new();
        let mut config = SimulatorConfig::for_gateway(Gateway::Telr, clock.clock());
        config.telr = TelrKeys {
            store: STORE.to_owned(),
            auth_key: AUTH_KEY.to_owned(),
            remote_key: REMOTE_KEY.to_owned(),
            merchant: "5678".to_owned(),
            api_key: "Test-Api-Key-1".to_owned(),
            account: "9012".to_owned(),
        };
        config.webhook_secret = ADVICE_SECRET.to_owned();
        change(&mut config);
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects);
        Self { sim, clock, client: client.build().unwrap() }
    }

    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.url())
    }

    /// A form, whatever the answer is.
    pub async fn try_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Reply, reqwest::Error> {
        read(self.client.post(self.url(path)).form(fields)).await
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.try_form(path, fields).await.unwrap()
    }

    pub fn create_fields<'a>(
        cart: &'a str,
        amount: &'a str,
        currency: &'a str,
        kind: &'a str,
    ) -> Vec<(&'a str, &'a str)> {
        vec![
            ("ivp_method", "create"),
            ("ivp_store", STORE),
            ("ivp_authkey", AUTH_KEY),
            ("ivp_cart", cart),
            ("ivp_test", "1"),
            ("ivp_amount", amount),
            ("ivp_currency", currency),
            ("ivp_trantype", kind),
            ("ivp_desc", "Order 10001"),
            ("return_auth", "https://shop.example/pay/return"),
            ("return_can", "https://shop.example/pay/cancel"),
            ("return_decl", "https://shop.example/pay/declined"),
            ("bill_fname", "Test"),
            ("bill_sname", "Buyer"),
            ("bill_addr1", "1 Example St"),
            ("bill_city", "Dubai"),
            ("bill_country", "AE"),
            ("bill_email", "buyer@example.com"),
            ("bill_tel", "0500000000"),
            ("bill_custref", "cust-77"),
        ]
    }

    /// An order in AED; returns its reference.
    pub async fn order(&self, cart: &str, amount: &str, kind: &str) -> String {
        self.order_with(&Self::create_fields(cart, amount, "AED", kind)).await
    }

    pub async fn order_with(&self, fields: &[(&str, &str)]) -> String {
        let made = self.form("/gateway/order.json", fields).await;
        assert!(made.body["order"]["ref"].is_string(), "{}", made.body);
        made.body["order"]["ref"].as_str().unwrap().to_owned()
    }

    pub async fn check(&self, order: &str) -> Value {
        let fields = [
            ("ivp_method", "check"),
            ("ivp_store", STORE),
            ("ivp_authkey", AUTH_KEY),
            ("order_ref", order),
        ];
        self.form("/gateway/order.json", &fields).await.body
    }

    /// The order's code, and its transaction's letter and code.
    pub async fn status(&self, order: &str) -> (i64, String, String) {
        let order = self.check(order).await["order"].clone();
        let text = |name: &str| order["transaction"][name].as_str().unwrap_or("-").to_owned();
        (order["status"]["code"].as_i64().unwrap(), text("status"), text("code"))
    }

    pub async fn control(&self, path: &str, body: &Value) -> Reply {
        read(self.client.post(self.url(path)).json(body)).await.unwrap()
    }

    /// What a buyer does; returns the transaction's reference.
    pub async fn choose(&self, order: &str, choice: Value) -> String {
        let chosen = self.control(&format!("/_sim/payments/{order}/pay"), &choice).await;
        assert_eq!(chosen.status, 200, "{}", chosen.body);
        chosen.body["payment"]["id"].as_str().unwrap_or_default().to_owned()
    }

    /// The status of a try to pay.
    pub async fn pay_again(&self, order: &str) -> u16 {
        let path = format!("/_sim/payments/{order}/pay");
        self.control(&path, &json!({ "outcome": "paid" })).await.status
    }

    /// An order that is paid, or authorised.
    pub async fn paid(&self, cart: &str, amount: &str, kind: &str) -> String {
        let order = self.order(cart, amount, kind).await;
        self.choose(&order, json!({ "outcome": "paid" })).await
    }

    /// A follow-up in a form: letter, code and reference.
    pub async fn follow(&self, kind: &str, of: &str, amount: &str) -> (String, String, String) {
        let fields = [
            ("ivp_store", STORE),
            ("ivp_authkey", REMOTE_KEY),
            ("ivp_trantype", kind),
            ("ivp_tranclass", "ecom"),
            ("ivp_currency", "AED"),
            ("ivp_amount", amount),
            ("ivp_test", "1"),
            ("tran_ref", of),
        ];
        self.follow_with(&fields).await
    }

    pub async fn follow_with(&self, fields: &[(&str, &str)]) -> (String, String, String) {
        let answer = self.form("/gateway/remote.html", fields).await;
        let pairs: Pairs = serde_urlencoded::from_str(answer.body.as_str().unwrap()).unwrap();
        let of = |name: &str| value(&pairs, name).to_owned();
        (of("auth_status"), of("auth_code"), of("auth_tranref"))
    }

    /// A `cont` sale of 20.00.
    pub async fn charge_again(&self, of: &str, cart: &str) -> (String, String, String) {
        let fields = [
            ("ivp_store", STORE),
            ("ivp_authkey", REMOTE_KEY),
            ("ivp_trantype", "sale"),
            ("ivp_tranclass", "cont"),
            ("ivp_cart", cart),
            ("ivp_desc", "Again"),
            ("ivp_currency", "AED"),
            ("ivp_amount", "20.00"),
            ("ivp_test", "1"),
            ("tran_ref", of),
        ];
        self.follow_with(&fields).await
    }

    pub async fn basic(&self, path: &str) -> Reply {
        let request = self.client.get(self.url(path)).basic_auth("5678", Some("Test-Api-Key-1"));
        read(request).await.unwrap()
    }

    /// A list of the Service API.
    pub async fn service(&self, path: &str) -> String {
        let answer = self.basic(&format!("/tools/api/xml{path}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body.as_str().unwrap().to_owned()
    }

    /// Type, letter and amount of the transactions that are linked to this one.
    pub async fn linked(&self, reference: &str) -> Vec<String> {
        let list = self.service(&format!("/transaction/{reference}/linked")).await;
        let parts = list.split("<transaction>").skip(1);
        let line =
            |part: &str| ["type", "status", "amount"].map(|name| element(part, name)).join(" ");
        parts.map(line).collect()
    }

    pub async fn state(&self) -> Value {
        read(self.client.get(self.url("/_sim/state"))).await.unwrap().body["telr"].clone()
    }

    /// The books of the gateway add up.
    pub fn assert_balanced(&self) {
        assert_eq!(self.sim.imbalance().unwrap(), Vec::<String>::new());
    }
}

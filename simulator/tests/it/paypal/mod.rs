//! PayPal's fake: orders, what becomes of the money, the vault, payouts, reports, its messages.

mod authorizations;
mod certificates;
mod disputes;
mod faults;
mod fields;
mod idempotency;
mod orders;
mod payouts;
mod random;
mod refunds;
mod reports;
mod vault;
mod webhooks;

use std::sync::Mutex;

use mizan_simulator::{FaultPlan, Gateway, PayPalKeys, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::support::{HandClock, Reply, read};

pub const CLIENT: &str = "paypal_client_bed";
pub const SECRET: &str = "paypal_secret_bed";
pub const WEBHOOK_ID: &str = "8PT597110X687430L";

/// A fake PayPal with a clock set by hand, and a caller with a token.
pub struct Pal {
    pub sim: Simulator,
    pub clock: HandClock,
    pub client: reqwest::Client,
    token: Mutex<String>,
}

impl Pal {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = HandClock::new();
        let mut config = SimulatorConfig::for_gateway(Gateway::PayPal, clock.clock());
        config.paypal =
            PayPalKeys { client_id: CLIENT.to_owned(), client_secret: SECRET.to_owned() };
        config.webhook_secret = WEBHOOK_ID.to_owned();
        change(&mut config);
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects);
        let pal = Self { sim, clock, client: client.build().unwrap(), token: Mutex::default() };
        pal.renew().await;
        pal
    }

    pub async fn ask_token(&self, user: &str, password: &str, form: &[(&str, &str)]) -> Reply {
        let url = format!("{}/v1/oauth2/token", self.sim.url());
        let request = self.client.post(url).basic_auth(user, Some(password)).form(form);
        read(request).await.unwrap()
    }

    pub async fn renew(&self) {
        let form = [("grant_type", "client_credentials")];
        let token = self.ask_token(CLIENT, SECRET, &form).await;
        let token = token.body["access_token"].as_str().unwrap().to_owned();
        *self.token.lock().unwrap() = token;
    }

    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sim.url());
        let token = self.token.lock().unwrap().clone();
        self.client.request(method.parse().unwrap(), url).bearer_auth(token)
    }

    pub async fn get(&self, path: &str) -> Reply {
        read(self.request("GET", path)).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        read(self.request("POST", path).json(body)).await.unwrap()
    }

    /// With a `PayPal-Request-Id`, and the whole object in the answer.
    pub async fn try_keyed(
        &self,
        path: &str,
        body: &Value,
        key: &str,
    ) -> Result<Reply, reqwest::Error> {
        let request = self.request("POST", path).json(body).header("PayPal-Request-Id", key);
        read(request.header("Prefer", "return=representation")).await
    }

    pub async fn keyed(&self, path: &str, body: &Value, key: &str) -> Reply {
        self.try_keyed(path, body, key).await.unwrap()
    }

    /// What the gateway says of itself.
    pub async fn state(&self) -> Value {
        self.get("/_sim/state").await.body["paypal"].clone()
    }

    pub fn order_body(&self, intent: &str, value: &str, custom_id: &str) -> Value {
        json!({
            "intent": intent,
            "purchase_units": [{
                "reference_id": "default", "custom_id": custom_id,
                "invoice_id": format!("INV-{custom_id}"),
                "amount": { "currency_code": "USD", "value": value },
            }],
            "payment_source": { "paypal": { "experience_context": {
                "return_url": "https://shop.example/return?shop=1",
                "cancel_url": "https://shop.example/cancel",
            } } },
        })
    }

    /// An order that waits for the buyer.
    pub async fn order(&self, intent: &str, value: &str, custom_id: &str) -> String {
        let body = self.order_body(intent, value, custom_id);
        let made = self.keyed("/v2/checkout/orders", &body, &format!("new-{custom_id}")).await;
        assert_eq!(made.status, 200, "{}", made.body);
        made.id().to_owned()
    }

    /// What a buyer does.
    pub async fn choose(&self, name: &str, choice: &Value) -> Reply {
        self.post(&format!("/_sim/payments/{name}/pay"), choice).await
    }

    pub async fn approve(&self, order: &str) {
        let chosen = self.choose(order, &json!({ "outcome": "paid" })).await;
        assert_eq!(chosen.status, 200, "{}", chosen.body);
    }

    pub async fn capture(&self, order: &str) -> Reply {
        self.post(&format!("/v2/checkout/orders/{order}/capture"), &json!({})).await
    }

    /// A paid order: the ids of the order and of its capture.
    pub async fn paid(&self, value: &str, custom_id: &str) -> (String, String) {
        let order = self.order("CAPTURE", value, custom_id).await;
        self.approve(&order).await;
        let taken = self.capture(&order).await;
        assert_eq!(taken.status, 201, "{}", taken.body);
        let capture = &taken.body["purchase_units"][0]["payments"]["captures"][0];
        assert_eq!(capture["status"], "COMPLETED");
        (order, capture["id"].as_str().unwrap().to_owned())
    }

    /// An authorisation: its id.
    pub async fn authorised(&self, value: &str, custom_id: &str) -> String {
        let order = self.order("AUTHORIZE", value, custom_id).await;
        self.approve(&order).await;
        let path = format!("/v2/checkout/orders/{order}/authorize");
        let made = self.post(&path, &json!({})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let made = &made.body["purchase_units"][0]["payments"]["authorizations"][0];
        assert_eq!(made["status"], "CREATED");
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn status_of(&self, path: &str) -> String {
        let read = self.get(path).await;
        read.body["status"].as_str().unwrap_or_else(|| panic!("{}", read.body)).to_owned()
    }

    /// The books of the gateway add up.
    pub fn assert_balanced(&self) {
        assert_eq!(self.sim.imbalance().unwrap(), Vec::<String>::new());
    }
}

/// The first issue of an error.
pub fn issue(reply: &Reply) -> &str {
    reply.body["details"][0]["issue"].as_str().unwrap_or_else(|| panic!("{}", reply.body))
}

pub fn usd(value: &str) -> Value {
    json!({ "currency_code": "USD", "value": value })
}

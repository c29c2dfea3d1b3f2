//! Razorpay's fake: orders and payments, money that goes out, reports, and its messages.

mod fields;
mod orders;
mod payouts;
mod refunds;
mod reports;
mod transfers;
mod webhooks;

use mizan_simulator::{FaultPlan, Gateway, RazorpayKeys, Simulator, SimulatorConfig};
use serde_json::{Value, json};

use crate::support::{HandClock, Reply, read};

pub const KEY_ID: &str = "rzp_test_bed";
pub const KEY_SECRET: &str = "rzp_secret_bed";
pub const WEBHOOK_SECRET: &str = "rzp_webhook_bed";
pub const ACCOUNT_NUMBER: &str = "7878780080000001";

/// A fake Razorpay with a clock set by hand, and a caller.
pub struct Rzp {
    pub sim: Simulator,
    pub clock: HandClock,
    pub client: reqwest::Client,
}

impl Rzp {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub async fn with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let clock = HandClock::new();
        let mut config = SimulatorConfig::for_gateway(Gateway::Razorpay, clock.clock());
        config.razorpay = RazorpayKeys {
            key_id: KEY_ID.to_owned(),
            key_secret: KEY_SECRET.to_owned(),
            account_number: ACCOUNT_NUMBER.to_owned(),
        };
        config.webhook_secret = WEBHOOK_SECRET.to_owned();
        change(&mut config);
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let no_redirects = reqwest::redirect::Policy::none();
        let client = reqwest::Client::builder().no_proxy().redirect(no_redirects);
        Self { sim, clock, client: client.build().unwrap() }
    }

    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sim.url());
        let request = self.client.request(method.parse().unwrap(), url);
        request.basic_auth(KEY_ID, Some(KEY_SECRET))
    }

    pub async fn get(&self, path: &str) -> Reply {
        read(self.request("GET", path)).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.try_post(path, body, None).await.unwrap()
    }

    pub async fn try_post(
        &self,
        path: &str,
        body: &Value,
        key: Option<(&str, &str)>,
    ) -> Result<Reply, reqwest::Error> {
        let mut request = self.request("POST", path).json(body);
        if let Some((name, value)) = key {
            request = request.header(name, value);
        }
        read(request).await
    }

    /// What the gateway says of itself.
    pub async fn state(&self) -> Value {
        self.get("/_sim/state").await.body["razorpay"].clone()
    }

    /// An order, manual or automatic.
    pub async fn order(&self, amount: i64, receipt: &str, capture: &str) -> String {
        let body = json!({
            "amount": amount, "currency": "INR", "receipt": receipt,
            "notes": { "order_id": receipt }, "payment": { "capture": capture },
        });
        let made = self.post("/v1/orders", &body).await;
        assert_eq!(made.status, 200, "{}", made.body);
        made.id().to_owned()
    }

    /// What a buyer does; returns the payment's id.
    pub async fn choose(&self, order: &str, choice: &Value) -> String {
        let path = format!("/_sim/payments/{order}/pay");
        let chosen = self.post(&path, choice).await;
        assert_eq!(chosen.status, 200, "{}", chosen.body);
        chosen.body["payment"]["id"].as_str().unwrap().to_owned()
    }

    /// A captured payment.
    pub async fn paid(&self, amount: i64, receipt: &str) -> String {
        let order = self.order(amount, receipt, "automatic").await;
        self.choose(&order, &json!({ "outcome": "paid" })).await
    }

    pub async fn refund(&self, payment: &str, body: &Value) -> Reply {
        self.post(&format!("/v1/payments/{payment}/refund"), body).await
    }

    /// A bank account to pay out to.
    pub async fn fund_account(&self) -> String {
        let contact = self.post("/v1/contacts", &json!({ "name": "Vendor V1" })).await;
        let bank = json!({ "name": "V1", "ifsc": "HDFC0000053", "account_number": "7654321" });
        let body = json!({
            "contact_id": contact.id(), "account_type": "bank_account", "bank_account": bank,
        });
        self.post("/v1/fund_accounts", &body).await.id().to_owned()
    }

    pub fn payout_body(&self, to: &str, amount: i64) -> Value {
        json!({
            "account_number": ACCOUNT_NUMBER, "fund_account_id": to, "amount": amount,
            "currency": "INR", "mode": "IMPS", "purpose": "payout",
            "queue_if_low_balance": true, "reference_id": "P-1", "narration": "Payout 1",
        })
    }

    pub async fn payout(&self, body: &Value, key: &str) -> Reply {
        let key = Some(("X-Payout-Idempotency", key));
        self.try_post("/v1/payouts", body, key).await.unwrap()
    }

    /// The books of the gateway add up.
    pub fn assert_balanced(&self) {
        assert_eq!(self.sim.imbalance().unwrap(), Vec::<String>::new());
    }
}

//! One gateway, simulated, with its adapter and a client between them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use mizan_money::{Currency, Money, Timestamp};
use mizan_providers::paypal::Environment;
use mizan_providers::{
    Archive, CaptureMethod, CapturePayment, Checkout, ClientConfig, ConfirmPayment, Confirmation,
    CreatePayment, Credentials, Finality, GatewayClient, IdempotencyKey, NextAction, Operation,
    Outcome, PaymentAnswer, PaymentStatus, Provider, ProviderName, ProviderRef, RefundPayment,
    RefundReason, SyncPayment, VoidPayment, VoidReason, provider, telr, webhook_reader,
};
use mizan_simulator::{FaultPlan, Gateway, Simulator, SimulatorConfig};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::sink::Sink;

/// Never to be seen in an outcome, an archive or a debug text.
pub const SECRETS: &[&str] =
    &["topsecret_key_one", "topsecret_key_two", "topsecret_hook_one", ACCOUNT];

/// A bank account's number, which is personal.
const ACCOUNT: &str = "78787800803163";

/// What a payment is about, and what is known of it.
#[derive(Debug, Clone)]
pub struct Paid {
    pub create: CreatePayment,
    pub provider_ref: ProviderRef,
    pub charge_ref: Option<ProviderRef>,
    pub answer: PaymentAnswer,
}

/// A gateway to try promises on.
pub struct Bed {
    pub name: ProviderName,
    pub sim: Simulator,
    pub adapter: Arc<dyn Provider>,
    /// The adapter without credentials, which knows no secrets of its own.
    pub reader: Arc<dyn Provider>,
    pub client: GatewayClient,
    pub sink: Sink,
    pub secrets: Vec<SecretString>,
    clock: Arc<Mutex<Timestamp>>,
    http: reqwest::Client,
    ids: AtomicU64,
}

fn hidden(n: usize) -> SecretString {
    SecretString::from(SECRETS[n])
}

/// The simulator's settings and the credentials that fit them.
fn settings(name: ProviderName, config: &mut SimulatorConfig) -> Credentials {
    config.webhook_secret = SECRETS[2].to_owned();
    match name {
        ProviderName::Stripe => {
            config.stripe_secret_key = format!("sk_test_{}", SECRETS[0]);
            let secret_key = SecretString::from(config.stripe_secret_key.clone());
            Credentials::Stripe { secret_key, account: None }
        }
        ProviderName::Razorpay => {
            config.razorpay.key_secret = SECRETS[0].to_owned();
            let key_id = config.razorpay.key_id.clone();
            config.razorpay.account_number = ACCOUNT.to_owned();
            let payout_account = Some(SecretString::from(ACCOUNT));
            Credentials::Razorpay { key_id, key_secret: hidden(0), payout_account }
        }
        ProviderName::Telr => {
            let keys = &mut config.telr;
            keys.auth_key = SECRETS[0].to_owned();
            keys.remote_key = SECRETS[1].to_owned();
            keys.api_key = SECRETS[1].to_owned();
            Credentials::Telr(Box::new(telr::Settings {
                remote_key: Some(hidden(1)),
                service: Some(telr::ServiceAccess {
                    merchant_id: keys.merchant.clone(),
                    api_key: hidden(1),
                    account: Some(keys.account.clone()),
                }),
                notify_url: config.webhook_url.clone(),
                test: true,
                ..telr::Settings::new(keys.store.clone(), hidden(0))
            }))
        }
        ProviderName::Paytabs => Credentials::Paytabs {
            profile_id: config.paytabs.profile_id,
            server_key: hidden(2),
            notify_url: config.webhook_url.clone(),
        },
        ProviderName::Paypal => {
            config.paypal.client_secret = SECRETS[0].to_owned();
            Credentials::Paypal {
                client_id: config.paypal.client_id.clone(),
                client_secret: hidden(0),
                environment: Environment::Sandbox,
                trust_roots: Vec::new(),
                certificate_base: None,
            }
        }
        other => panic!("{other} has no bed"),
    }
}

/// What is only known once the simulator stands: where PayPal's certificates are, and what they
/// lead to.
fn complete(credentials: &mut Credentials, sim: &Simulator) {
    if let Credentials::Paypal { trust_roots, certificate_base, .. } = credentials {
        trust_roots.extend(sim.webhook_root_pem().map(ToOwned::to_owned));
        *certificate_base = Some(sim.url());
    }
}

impl Bed {
    pub async fn of(name: ProviderName) -> Self {
        let clock = Arc::new(Mutex::new("2026-03-02T09:00:00Z".parse().unwrap()));
        let hands = Arc::clone(&clock);
        let gateway = Gateway::named(name.as_str()).unwrap();
        let sink = Sink::open().await;
        let mut config =
            SimulatorConfig::for_gateway(gateway, Arc::new(move || *hands.lock().unwrap()));
        config.webhook_url = Some(sink.url.clone());
        let mut credentials = settings(name, &mut config);
        let mut secrets = vec![SecretString::from(config.webhook_secret.clone())];
        if name == ProviderName::Telr {
            // The page's key signs the callbacks of single orders.
            secrets.push(hidden(0));
        }
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        complete(&mut credentials, &sim);
        let reader = match name {
            // It trusts what the connection trusts.
            ProviderName::Paypal => provider(credentials.clone()).unwrap(),
            other => webhook_reader(other),
        };
        let adapter = provider(credentials).unwrap();
        let client = GatewayClient::new(ClientConfig {
            total_timeout: Duration::from_secs(5),
            max_retries: 0,
            ..ClientConfig::new(sim.url())
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (client, ids) = (client.unwrap(), AtomicU64::new(1));
        Self { name, sim, adapter, reader, client, sink, secrets, clock, http, ids }
    }

    pub fn now(&self) -> Timestamp {
        *self.clock.lock().unwrap()
    }

    pub fn pass(&self, seconds: i64) {
        *self.clock.lock().unwrap() += TimeDelta::seconds(seconds);
    }

    /// A currency the gateway takes.
    pub fn currency(&self) -> Currency {
        let code = match self.name {
            // Its payouts and transfers know no other.
            ProviderName::Razorpay => "INR",
            ProviderName::Paypal => "USD",
            _ => "AED",
        };
        Currency::parse(code).unwrap()
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency())
    }

    fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{:032x}", self.ids.fetch_add(1, Ordering::SeqCst))
    }

    pub fn key(&self) -> IdempotencyKey {
        IdempotencyKey::parse(self.id("op")).unwrap()
    }

    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    /// Asks, reads, and makes sure that no secret is anywhere in what is left of it.
    pub async fn ask(&self, op: &Operation, key: &IdempotencyKey) -> Outcome {
        let request = self.adapter.build(op, key).unwrap();
        self.send(op, request).await
    }

    /// The same for an operation that was asked before and whose answer was lost.
    pub async fn ask_again(&self, op: &Operation, key: &IdempotencyKey) -> Outcome {
        let request = self.adapter.build(op, key).unwrap().after_unknown();
        self.send(op, request).await
    }

    async fn send(&self, op: &Operation, request: mizan_providers::HttpRequest) -> Outcome {
        let (outcome, archive) = self.client.execute(self.adapter.as_ref(), op, &request).await;
        self.no_secrets(&request, &outcome, &archive);
        outcome
    }

    fn no_secrets(
        &self,
        request: &mizan_providers::HttpRequest,
        outcome: &Outcome,
        archive: &Archive,
    ) {
        let texts = [
            format!("{request:?}"),
            format!("{outcome:?}"),
            serde_json::to_string(archive).unwrap(),
            format!("{:?}", self.client),
        ];
        for (text, secret) in texts.iter().flat_map(|text| SECRETS.iter().map(move |s| (text, s))) {
            assert!(!text.contains(secret), "{} shows a secret: {text}", self.name);
        }
    }

    /// A payment to be created; the customer's card is a token where the shop collects it.
    pub fn create(&self, minor: i64, capture: CaptureMethod) -> CreatePayment {
        let token = self.adapter.capabilities().checkout == Checkout::Token;
        CreatePayment {
            payment: self.id("pi").parse().unwrap(),
            operation: self.id("op").parse().unwrap(),
            amount: self.money(minor),
            capture,
            payment_method: token.then(|| "pm_card_visa".to_owned()),
            confirmation: Confirmation::Now,
            return_url: Some("https://shop.example/thanks".to_owned()),
            description: Some("An order".to_owned()),
            metadata: BTreeMap::new(),
            instrument: None,
            keep: None,
        }
    }

    /// What the buyer does on the gateway's page.
    pub async fn buyer(&self, provider_ref: &ProviderRef, outcome: &str) {
        let url = format!("{}/_sim/payments/{provider_ref}/pay", self.sim.url());
        let answer = self.http.post(url).json(&json!({ "outcome": outcome })).send().await;
        let answer = answer.unwrap();
        assert!(answer.status().is_success(), "{}: {}", self.name, answer.text().await.unwrap());
    }

    /// What the gateway holds of a payment of ours: authorised, captured, refunded, in minor units
    /// of ISO 4217.
    pub async fn held(&self, create: &CreatePayment) -> (i64, i64, i64) {
        let url = format!("{}/_sim/state", self.sim.url());
        let state: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        if self.name == ProviderName::Stripe {
            return stripes(&state["stripe"], &create.payment.to_string());
        }
        let references = state[self.name.as_str()]["references"].as_object().unwrap();
        let ours = create.payment.to_string();
        let of = |row: &Value, what: &str| row[what].as_i64().unwrap_or(0);
        references.iter().filter(|(name, _)| name.starts_with(&ours)).fold(
            (0, 0, 0),
            |sum, (_, row)| {
                let (held, taken) = (of(row, "authorised"), of(row, "captured"));
                (sum.0 + held, sum.1 + taken, sum.2 + of(row, "refunded"))
            },
        )
    }

    pub async fn sync(&self, paid: &Paid) -> Outcome {
        let op = Operation::Sync(SyncPayment {
            payment: paid.create.payment,
            provider_ref: paid.provider_ref.clone(),
            charge_ref: paid.charge_ref.clone(),
            amount: paid.create.amount,
        });
        self.ask(&op, &self.key()).await
    }

    /// Creates a payment and lets the buyer pay it; what the gateway says in the end.
    pub async fn pay(&self, minor: i64, capture: CaptureMethod) -> Paid {
        let create = self.create(minor, capture);
        let outcome = self.ask(&Operation::Create(create.clone()), &self.key()).await;
        self.finish(create, outcome).await
    }

    /// The rest of a payment after its creation was answered.
    pub async fn finish(&self, create: CreatePayment, outcome: Outcome) -> Paid {
        let mut paid = paid(create, &outcome);
        if paid.answer.status == PaymentStatus::RequiresAction {
            self.buyer(&paid.provider_ref, "paid").await;
            let told = self.sync(&paid).await;
            paid.learn(&told);
        }
        if paid.answer.next_action == Some(NextAction::Confirm) {
            let told = self.ask(&self.confirm(&paid), &self.key()).await;
            paid.learn(&told);
        }
        paid
    }

    pub fn confirm(&self, paid: &Paid) -> Operation {
        Operation::Confirm(ConfirmPayment {
            payment: paid.create.payment,
            operation: self.id("op").parse().unwrap(),
            provider_ref: paid.provider_ref.clone(),
            amount: paid.create.amount,
            capture: paid.create.capture,
            payment_method: None,
            return_url: None,
        })
    }

    pub fn capture(&self, paid: &Paid, minor: i64) -> Operation {
        Operation::Capture(CapturePayment {
            payment: paid.create.payment,
            operation: self.id("op").parse().unwrap(),
            provider_ref: paid.provider_ref.clone(),
            charge_ref: paid.charge_ref.clone(),
            authorised: paid.create.amount,
            captured_before: self.money(0),
            amount: self.money(minor),
            finality: Finality::Final,
        })
    }

    pub fn void(&self, paid: &Paid) -> Operation {
        Operation::Void(VoidPayment {
            payment: paid.create.payment,
            operation: self.id("op").parse().unwrap(),
            provider_ref: paid.provider_ref.clone(),
            charge_ref: paid.charge_ref.clone(),
            amount: paid.create.amount,
            reason: VoidReason::RequestedByCustomer,
        })
    }

    pub fn refund(&self, paid: &Paid, minor: i64) -> Operation {
        Operation::Refund(RefundPayment {
            payment: paid.create.payment,
            refund: self.id("re").parse().unwrap(),
            operation: self.id("op").parse().unwrap(),
            provider_ref: paid.provider_ref.clone(),
            charge_ref: paid.charge_ref.clone(),
            amount: self.money(minor),
            reason: RefundReason::RequestedByCustomer,
            known_refunds: Vec::new(),
        })
    }
}

/// What Stripe's fake shows of a payment.
fn stripes(state: &Value, payment: &str) -> (i64, i64, i64) {
    let rows = |name: &str| state[name].as_array().cloned().unwrap_or_default();
    let ours = |row: &Value| row["metadata"]["mizan_payment_intent"] == payment;
    let sum = |name: &str, what: &str| -> i64 {
        let good = |row: &&Value| ours(row) && row["status"] != "failed";
        rows(name).iter().filter(good).filter_map(|row| row[what].as_i64()).sum()
    };
    let taken = sum("charges", "amount_captured");
    (sum("charges", "amount"), taken, sum("refunds", "amount"))
}

fn paid(create: CreatePayment, outcome: &Outcome) -> Paid {
    let answer = outcome.answer().and_then(|it| it.payment());
    let answer = answer.unwrap_or_else(|| panic!("no payment was made: {outcome:?}")).clone();
    let (provider_ref, charge_ref) = (answer.provider_ref.clone(), answer.charge_ref.clone());
    Paid { create, provider_ref, charge_ref, answer }
}

impl Paid {
    pub fn learn(&mut self, outcome: &Outcome) {
        let answer = outcome.answer().and_then(|it| it.payment());
        let answer = answer.unwrap_or_else(|| panic!("nothing was told: {outcome:?}")).clone();
        self.charge_ref = answer.charge_ref.clone().or(self.charge_ref.take());
        self.answer = answer;
    }
}

/// An adapter of the gateway with credentials that it does not know.
pub fn stranger(name: ProviderName) -> Arc<dyn Provider> {
    let other = SecretString::from("a_key_of_somebody_else");
    provider(match name {
        ProviderName::Stripe => Credentials::Stripe {
            secret_key: SecretString::from("sk_test_somebody_else"),
            account: None,
        },
        ProviderName::Razorpay => {
            let key_id = "rzp_test_somebody".to_owned();
            Credentials::Razorpay { key_id, key_secret: other, payout_account: None }
        }
        ProviderName::Telr => Credentials::Telr(Box::new(telr::Settings {
            test: true,
            ..telr::Settings::new("1234", other)
        })),
        ProviderName::Paytabs => {
            Credentials::Paytabs { profile_id: 100_200, server_key: other, notify_url: None }
        }
        ProviderName::Paypal => Credentials::Paypal {
            client_id: "somebody".to_owned(),
            client_secret: other,
            environment: Environment::Sandbox,
            trust_roots: Vec::new(),
            certificate_base: None,
        },
        other => panic!("{other} has no bed"),
    })
    .unwrap()
}

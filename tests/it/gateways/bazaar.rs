//! A service with all gateways beside it, each simulated, all by one clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use mizan::payments::gateway::certificates::Certificates;
use mizan::payments::gateway::{Gateway, Gateways};
use mizan::routing::Breaker;
use mizan_ledger::Side;
use mizan_money::Currency;
use mizan_providers::paypal::Environment;
use mizan_providers::{ClientConfig, Credentials, GatewayClient, ProviderName, provider, telr};
use mizan_simulator::{FaultPlan, Gateway as Fake, Simulator, SimulatorConfig};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support_app::{Reply, Setup, TestApp, order, stripe};

/// The service, its callers and every gateway.
pub struct Bazaar {
    pub app: TestApp,
    pub fakes: BTreeMap<ProviderName, Simulator>,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for Bazaar {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The gateways beside Stripe.
pub const OTHERS: [ProviderName; 4] =
    [ProviderName::Razorpay, ProviderName::Telr, ProviderName::Paytabs, ProviderName::Paypal];

/// The name of a gateway's connection.
pub const fn connection(name: ProviderName) -> &'static str {
    match name {
        ProviderName::Stripe => "main",
        other => other.as_str(),
    }
}

/// What the shop charges in at a gateway.
pub fn currency(name: ProviderName) -> Currency {
    Currency::parse(match name {
        ProviderName::Razorpay => "INR",
        ProviderName::Paypal => "USD",
        _ => "AED",
    })
    .unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

/// What a connection speaks with, and what its deliveries are signed with.
fn credentials(
    fake: &SimulatorConfig,
    sim: &Simulator,
    address: &str,
) -> (Credentials, Vec<SecretString>) {
    let hooks = vec![secret(&fake.webhook_secret)];
    match fake.gateway {
        Fake::Razorpay => {
            let key_id = fake.razorpay.key_id.clone();
            let key_secret = secret(&fake.razorpay.key_secret);
            let payout_account = Some(secret(&fake.razorpay.account_number));
            (Credentials::Razorpay { key_id, key_secret, payout_account }, hooks)
        }
        Fake::Telr => {
            let keys = &fake.telr;
            let settings = telr::Settings {
                remote_key: Some(secret(&keys.remote_key)),
                service: Some(telr::ServiceAccess {
                    merchant_id: keys.merchant.clone(),
                    api_key: secret(&keys.api_key),
                    account: Some(keys.account.clone()),
                }),
                notify_url: Some(format!("{address}/webhooks/telr/telr")),
                test: true,
                ..telr::Settings::new(keys.store.clone(), secret(&keys.auth_key))
            };
            let hooks = vec![secret(&fake.webhook_secret), secret(&keys.auth_key)];
            (Credentials::Telr(Box::new(settings)), hooks)
        }
        Fake::PayTabs => {
            let credentials = Credentials::Paytabs {
                profile_id: fake.paytabs.profile_id,
                server_key: secret(&fake.webhook_secret),
                notify_url: Some(format!("{address}/webhooks/paytabs/paytabs")),
            };
            (credentials, hooks)
        }
        Fake::PayPal => {
            let credentials = Credentials::Paypal {
                client_id: fake.paypal.client_id.clone(),
                client_secret: secret(&fake.paypal.client_secret),
                environment: Environment::Sandbox,
                trust_roots: vec![sim.webhook_root_pem().unwrap().to_owned()],
                certificate_base: Some(sim.url()),
            };
            (credentials, hooks)
        }
        Fake::Stripe => unreachable!("Stripe is the app's own"),
    }
}

impl Bazaar {
    pub async fn open() -> Bazaar {
        let mut app = TestApp::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        app.sim.set_webhook_url(Some(format!("{address}/webhooks/stripe/main")));
        let mut fakes = BTreeMap::new();
        let mut gateways = vec![stripe(app.books.tenant, &app.wire.url(), Setup::PATIENT)];
        for name in OTHERS {
            let Some(fake) = Fake::named(name.as_str()) else { continue };
            let hands = app.app.clock.clone();
            let mut config = SimulatorConfig::for_gateway(fake, Arc::new(move || hands.now()));
            config.webhook_url = Some(format!("{address}/webhooks/{name}/{}", connection(name)));
            let at = "127.0.0.1:0".parse().unwrap();
            let sim = Simulator::start(config.clone(), at).await.unwrap();
            let (credentials, webhook_secrets) = credentials(&config, &sim, &address);
            gateways.push(Gateway {
                connection: connection(name).to_owned(),
                tenant: app.books.tenant,
                provider: provider(credentials).unwrap(),
                client: Arc::new(
                    GatewayClient::new(ClientConfig {
                        total_timeout: Duration::from_secs(30),
                        max_retries: 0,
                        ..ClientConfig::new(sim.url())
                    })
                    .unwrap(),
                ),
                webhook_secrets,
                breaker: Breaker::default(),
                certificates: Certificates::default(),
            });
            fakes.insert(name, sim);
        }
        app.app = app.app.clone().with_gateways(Gateways::new(gateways));
        app.url = address;
        let router = mizan::http::router(app.app.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let bazaar = Bazaar { app, fakes, server };
        for name in OTHERS.into_iter().filter(|name| bazaar.fakes.contains_key(name)) {
            bazaar.rule(&format!("by_{name}"), &[connection(name)]).await;
        }
        bazaar
    }

    /// Payments of this kind go over these connections and no others.
    pub async fn rule(&self, method: &str, connections: &[&str]) -> Reply {
        let body = json!({
            "name": method,
            "priority": 10,
            "connections": connections,
            "only_these": true,
            "payment_method_types": [method],
        });
        let reply = self.app.post("/v1/routing/rules", body).await;
        assert_eq!(reply.status, 201, "{:#}", reply.body);
        reply
    }

    /// The simulator of a gateway.
    pub fn fake(&self, name: ProviderName) -> &Simulator {
        match name {
            ProviderName::Stripe => &self.app.sim,
            other => &self.fakes[&other],
        }
    }

    pub fn faults(&self, name: ProviderName, toml: &str) {
        self.fake(name).set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    /// An order for a gateway, not tried yet.
    pub async fn order(&self, name: ProviderName, amount: i64, hold: bool) -> String {
        let mut body = order(&[("V1", amount)]);
        body["currency"] = json!(currency(name).code());
        body["return_url"] = json!("https://shop.example/thanks");
        if hold {
            body["capture_method"] = json!("manual");
        }
        if name == ProviderName::Stripe {
            body["payment_method"] = json!("pm_card_visa");
        } else {
            body["payment_method_type"] = json!(format!("by_{name}"));
        }
        self.app.create(body).await
    }

    pub async fn confirm(&self, id: &str) -> Reply {
        self.app.act(id, "confirm", json!({})).await
    }

    /// What the buyer does on the page of the payment's newest attempt, where there is one.
    pub async fn buyer(&self, name: ProviderName, id: &str, outcome: &str) {
        let payment = self.app.payment(id).await;
        let attempts = payment.body["attempts"].as_array().unwrap();
        let Some(theirs) = attempts.last().and_then(|it| it["provider_ref"].as_str()) else {
            return;
        };
        self.control(name, &format!("payments/{theirs}/pay"), json!({ "outcome": outcome })).await;
    }

    /// Something that happens at a gateway by itself; the answer's status code.
    pub async fn control(&self, name: ProviderName, path: &str, body: Value) -> u16 {
        let url = format!("{}/_sim/{path}", self.fake(name).url());
        self.app.client.post(url).json(&body).send().await.unwrap().status().as_u16()
    }

    /// Confirms, lets the buyer pay, and reads what became of it once everybody was told.
    pub async fn pay(&self, name: ProviderName, amount: i64, hold: bool) -> Reply {
        let id = self.order(name, amount, hold).await;
        let reply = self.confirm(&id).await;
        if reply.body["status"] == "requires_action" {
            self.buyer(name, &id, "paid").await;
            self.deliver().await;
            self.app.act(&id, "sync", json!({})).await;
        }
        self.app.payment(&id).await
    }

    /// Every gateway sends what is due.
    pub async fn deliver(&self) {
        self.app.sim.deliver_due().await;
        for fake in self.fakes.values() {
            fake.deliver_due().await;
        }
    }

    /// Lets time go on, deliveries arrive and jobs run until nothing is open any more.
    pub async fn settle(&self) {
        for step in [0, 31, 61, 120, 600, 600, 3_600, 3_600, 3_600, 7_200, 7_200, 14_400, 14_400] {
            self.app.advance(step);
            self.deliver().await;
            self.app.tick().await;
            self.deliver().await;
        }
        self.all_were_taken_in().await;
        let open = self.app.open().await;
        let open: Vec<&String> = open.iter().filter(|it| !it.starts_with("fee of")).collect();
        assert!(open.is_empty(), "still open after a day: {open:#?}");
    }

    /// No delivery of any gateway was refused.
    async fn all_were_taken_in(&self) {
        for (name, fake) in &self.fakes {
            let url = format!("{}/_sim/webhooks", fake.url());
            let all: Value = self.app.client.get(url).send().await.unwrap().json().await.unwrap();
            let rows = all[name.as_str()].as_array().unwrap();
            let tries = rows.iter().flat_map(|row| row["attempts"].as_array().unwrap());
            let codes: BTreeSet<u64> = tries.filter_map(|it| it["status"].as_u64()).collect();
            assert!(codes.iter().all(|code| *code == 200), "{name} was answered {codes:?}");
        }
    }

    /// The state of a gateway's fake.
    pub async fn state(&self, name: ProviderName) -> Value {
        let url = format!("{}/_sim/state", self.fake(name).url());
        let answer = self.app.client.get(url).send().await.unwrap();
        let mut state: Value = answer.json().await.unwrap();
        state[name.as_str()].take()
    }

    /// What the books say that buyers moved at a gateway, its fees left out: per currency, in
    /// minor units.
    async fn owed(&self, name: ProviderName) -> BTreeMap<String, i64> {
        let (mut owed, account) = (BTreeMap::new(), format!("gateway_clearing:{name}"));
        let journal = self.app.books.journal().await;
        let entries =
            journal.iter().filter(|it| it.kind != "provider.fee").flat_map(|it| &it.entries);
        for entry in entries.filter(|it| it.account.to_string() == account) {
            let sum = owed.entry(entry.amount.currency().code().to_owned()).or_insert(0);
            *sum += match entry.side {
                Side::Debit => entry.amount.minor(),
                Side::Credit => -entry.amount.minor(),
            };
        }
        owed
    }

    /// Every law holds, each gateway's own books add up, and what buyers moved there is what the
    /// books say, to the cent.
    pub async fn prove(&self) {
        self.app.prove_laws().await;
        self.app.prove().await;
        for (name, fake) in &self.fakes {
            let wrong = fake.imbalance().unwrap();
            assert!(wrong.is_empty(), "{name} does not add up: {wrong:?}");
            let state = self.state(*name).await;
            let mut theirs: BTreeMap<String, i64> = BTreeMap::new();
            for row in state["references"].as_object().into_iter().flat_map(|it| it.values()) {
                let of = |what: &str| row[what].as_i64().unwrap_or(0);
                let code = row["currency"].as_str().unwrap_or("AED").to_uppercase();
                *theirs.entry(code).or_insert(0) += of("captured") - of("refunded");
            }
            let mut ours = self.owed(*name).await;
            theirs.retain(|_, minor| *minor != 0);
            ours.retain(|_, minor| *minor != 0);
            assert_eq!(ours, theirs, "{name}\n{}", self.app.journal().await);
        }
    }
}

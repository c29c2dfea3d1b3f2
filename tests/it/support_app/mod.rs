//! A running service with a gateway beside it, for tests that go through the HTTP interface.
//!
//! | part | gives |
//! |---|---|
//! | [`TestApp`] | the service on a database of its own, its clock set by hand, its caller |
//! | [`TestApp::sim`] | the simulated gateway, by the same clock, its webhooks to the service |
//! | [`Wire`] | what the service really sent to the gateway, and a way to cut the line |
//! | [`TestApp::settle`] | time goes on until nothing is open any more |
//! | [`TestApp::prove`] | every law holds, and the books say what the gateway says |

mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::Datelike;
use hmac::{Hmac, KeyInit, Mac};
use mizan::app::App;
use mizan::auth::{CreateKey, Mode, Role, create_key};
use mizan::clock::Clock;
use mizan::config::Config;
use mizan::db::{Db, DbOptions, work};
use mizan::payments::gateway::certificates::Certificates;
use mizan::payments::gateway::{Gateway, Gateways};
use mizan::routing::Breaker;
use mizan_ledger::read::{self, Cursor, Page};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{ClientConfig, Credentials, GatewayClient, provider};
use mizan_simulator::{FaultPlan, Simulator, SimulatorConfig};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;

pub use wire::Wire;

use crate::support::{Books, T0, page, scope};

/// What the gateway's webhooks are signed with.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests";
/// The older secret of the same endpoint, still good while it is rotated.
pub const OLDER_SECRET: &str = "whsec_of_the_tests_before";
/// The gateway connection's name.
pub const CONNECTION: &str = "main";

const GATEWAY_KEY: &str = "sk_test_of_the_tests";
/// Every table that a request could leave a trace in.
const TABLES: [&str; 9] = [
    "payments.intent",
    "payments.line",
    "payments.attempt",
    "payments.refund",
    "payments.operation",
    "ledger.transaction",
    "outbox.event",
    "webhooks.delivery",
    "http.idempotency",
];

/// How the service speaks to its gateway.
#[derive(Clone, Copy)]
pub struct Setup {
    /// How often one call is repeated within itself.
    pub retries: usize,
    /// How long it waits for an answer.
    pub answer_within: Duration,
}

impl Setup {
    /// Half a minute for an answer, and asked once.
    pub const PATIENT: Setup = Setup { retries: 0, answer_within: Duration::from_secs(30) };
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// The JSON, or the text where it is none.
    pub body: Value,
}

impl Reply {
    pub async fn of(request: reqwest::RequestBuilder) -> Reply {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Reply { status, headers, body }
    }

    /// The text of a field; empty where it is none.
    pub fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    /// The integer of a field.
    pub fn int(&self, field: &str) -> i64 {
        self.body[field].as_i64().unwrap_or_else(|| panic!("no {field} in {:#}", self.body))
    }

    pub fn id(&self) -> &str {
        assert!(self.body["id"].is_string(), "no id in {self:#?}");
        self.text("id")
    }

    /// The HTTP status and the object's `status`.
    pub fn says(&self) -> (u16, &str) {
        (self.status, self.text("status"))
    }

    /// The HTTP status and the problem's `code`; asserts that it is a whole problem.
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:#?}");
        assert_eq!(self.int("status"), i64::from(self.status));
        assert!(self.text("type").ends_with(self.text("code")) && !self.text("detail").is_empty());
        assert!(self.text("request_id").starts_with("req_"), "{self:#?}");
        (self.status, self.text("code"))
    }
}

/// The service, its database, its clock, its gateway and its caller.
pub struct TestApp {
    pub books: Books,
    pub app: App,
    pub sim: Simulator,
    pub wire: Wire,
    /// The service's address, without a slash at the end.
    pub url: String,
    pub client: reqwest::Client,
    /// The API key of [`Books::tenant`].
    pub key: String,
    numbers: AtomicU64,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TestApp {
    /// A gateway that has half a minute for its answer and is asked once.
    pub async fn new() -> TestApp {
        TestApp::with(Setup::PATIENT).await
    }

    pub async fn with(setup: Setup) -> TestApp {
        let books = Books::new().await;
        let url = books.db.url();
        TestApp::on(books, &url, setup).await
    }

    /// The service with another gateway than the simulator, which stands idle beside it.
    pub async fn behind(gateway: SocketAddr) -> TestApp {
        let books = Books::new().await;
        let url = books.db.url();
        TestApp::made(books, &url, Setup::PATIENT, Some(gateway)).await
    }

    /// The service on the database at `url`, which need not answer yet beyond its first key.
    pub async fn on(books: Books, url: &str, setup: Setup) -> TestApp {
        TestApp::made(books, url, setup, None).await
    }

    async fn made(books: Books, url: &str, setup: Setup, gateway: Option<SocketAddr>) -> TestApp {
        let clock = Clock::manual(T0);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let hands = clock.clone();
        let mut config = SimulatorConfig::new(Arc::new(move || hands.now()));
        config.stripe_secret_key = GATEWAY_KEY.to_owned();
        config.webhook_secret = WEBHOOK_SECRET.to_owned();
        config.webhook_url = Some(format!("{address}/webhooks/stripe/{CONNECTION}"));
        let sim = Simulator::start(config, "127.0.0.1:0".parse().unwrap()).await.unwrap();
        let simulated = || sim.url().trim_start_matches("http://").parse().unwrap();
        let wire = Wire::to(gateway.unwrap_or_else(simulated)).await;
        let db = Db::open(url, &DbOptions::default()).unwrap();
        // The clock stands still here, and with it would the limits.
        let settings = (Path::new("test.toml"), "[http]\nkey_requests_per_minute = 0\n");
        let config = Arc::new(Config::from_parts(Some(settings), []).unwrap());
        let gateways = Gateways::new([stripe(books.tenant, &wire.url(), setup)]);
        let app = App::new(db, clock, config).with_gateways(gateways);
        let key = make_key(&app, books.tenant).await;
        let router = mizan::http::router(app.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let numbers = AtomicU64::new(1);
        TestApp { books, app, sim, wire, url: address, client, key, numbers, server }
    }

    /// Another server takes the place of this one.
    pub fn serve_with(&mut self, server: JoinHandle<std::io::Result<()>>) {
        std::mem::replace(&mut self.server, server).abort();
    }

    /// An Idempotency-Key that nobody used before.
    pub fn fresh(&self) -> String {
        format!("test-{}", self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// The key of the neighbour.
    pub async fn strangers_key(&self) -> String {
        make_key(&self.app, self.books.db.other_tenant()).await
    }

    /// A request to the service, with the caller's key, to be completed.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        Reply::of(request).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(reqwest::Method::GET, path)).await
    }

    /// A POST under a key of its own.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.post_as(&self.fresh(), path, body).await
    }

    /// A POST under this Idempotency-Key.
    pub async fn post_as(&self, key: &str, path: &str, body: Value) -> Reply {
        let request = self.request(reqwest::Method::POST, path);
        Reply::of(request.header("Idempotency-Key", key).json(&body)).await
    }

    /// Creates a payment; answers its id.
    pub async fn create(&self, body: Value) -> String {
        let made = self.post("/v1/payment_intents", body).await;
        assert_eq!(made.status, 201, "{made:#?}");
        made.id().to_owned()
    }

    /// Confirms a payment with this card.
    pub async fn confirm(&self, id: &str, card: &str) -> Reply {
        self.act(id, "confirm", json!({ "payment_method": card })).await
    }

    /// Does something with a payment: `capture`, `cancel`, `sync`.
    pub async fn act(&self, id: &str, verb: &str, body: Value) -> Reply {
        self.post(&format!("/v1/payment_intents/{id}/{verb}"), body).await
    }

    /// Refunds so much of a payment, or all that is left.
    pub async fn refund(&self, id: &str, amount: Option<i64>) -> Reply {
        self.post("/v1/refunds", json!({ "payment_intent": id, "amount": amount })).await
    }

    pub async fn payment(&self, id: &str) -> Reply {
        self.get(&format!("/v1/payment_intents/{id}")).await
    }

    /// An order paid with this card; answers its id.
    pub async fn paid_with(&self, card: &str, lines: &[(&str, i64)]) -> String {
        let id = self.create(order(lines)).await;
        let paid = self.confirm(&id, card).await;
        assert_eq!(paid.says(), (200, "succeeded"), "{paid:#?}");
        id
    }

    /// An order paid; answers its id.
    pub async fn paid(&self, lines: &[(&str, i64)]) -> String {
        self.paid_with("pm_card_visa", lines).await
    }

    /// An order whose money is held; answers its id.
    pub async fn held(&self, lines: &[(&str, i64)]) -> String {
        let mut body = order(lines);
        body["capture_method"] = "manual".into();
        let id = self.create(body).await;
        let held = self.confirm(&id, "pm_card_visa").await;
        assert_eq!(held.says(), (200, "requires_capture"), "{held:#?}");
        id
    }

    /// Hands bytes to the webhook route with this `Stripe-Signature`.
    pub async fn deliver(&self, body: impl Into<Vec<u8>>, signature: &str) -> Reply {
        let url = format!("{}/webhooks/stripe/{CONNECTION}", self.url);
        let request = self.client.post(url).header("Stripe-Signature", signature);
        Reply::of(request.header("Content-Type", "application/json").body(body.into())).await
    }

    /// The same, rightly signed in this moment.
    pub async fn deliver_signed(&self, body: &str) -> Reply {
        let signature = sign(WEBHOOK_SECRET, self.app.clock.now().timestamp(), body.as_bytes());
        self.deliver(body, &signature).await
    }

    /// A call to the gateway itself, past the service: what somebody does in its dashboard.
    pub async fn at_gateway(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        Reply::of(self.gateway_request(path, form)).await
    }

    /// The same, to be sent: faults strike it too.
    pub fn gateway_request(&self, path: &str, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sim.url());
        self.client.post(url).bearer_auth(GATEWAY_KEY).form(form)
    }

    /// A question to the gateway itself, or to its control plane.
    pub async fn ask_gateway(&self, path: &str) -> Reply {
        let request = self.client.get(format!("{}{path}", self.sim.url()));
        Reply::of(request.bearer_auth(GATEWAY_KEY)).await
    }

    /// The gateway's newest event of a kind, as the bytes of a webhook.
    pub async fn event(&self, kind: &str) -> String {
        let events = self.ask_gateway(&format!("/v1/events?type={kind}&limit=1")).await;
        let event = &events.body["data"][0];
        assert!(event.is_object(), "the gateway has no {kind}: {:#}", events.body);
        format!("{event:#}")
    }

    /// The buyer's press on the hosted page of a payment: `approve` or `decline`.
    pub async fn press(&self, payment: &Reply, button: &str) {
        let url = payment.body["next_action"]["url"].as_str().unwrap();
        let no_redirect = reqwest::redirect::Policy::none();
        let buyer = reqwest::Client::builder().no_proxy().redirect(no_redirect).build().unwrap();
        let page = buyer.get(url).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("Confirm your payment"), "{page}");
        let pressed = buyer.post(url).form(&[("outcome", button)]).send().await.unwrap();
        assert_eq!(pressed.status().as_u16(), 303);
    }

    /// Replaces the gateway's faults.
    pub fn faults(&self, toml: &str) {
        self.sim.set_faults(&FaultPlan::from_toml(toml).unwrap());
    }

    /// Moves the clock of service and gateway forward, and does what follows from that.
    pub fn advance(&self, seconds: u64) {
        let month = |now: Timestamp| (now.year(), now.month());
        let before = month(self.app.clock.now());
        self.app.clock.advance(Duration::from_secs(seconds)).unwrap();
        if month(self.app.clock.now()) != before {
            self.moved();
        }
    }

    /// In a thread with connections of its own: a test moves its clock between two awaits.
    fn moved(&self) {
        let db = Db::open(&self.books.db.url(), &DbOptions::default()).unwrap();
        let (clock, config) = (self.app.clock.clone(), Arc::clone(&self.app.config));
        std::thread::scope(|threads| {
            threads.spawn(|| {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let app = App::new(db.clone(), clock, config);
                    mizan::jobs::clock_moved(&app).await.unwrap();
                    db.close().await;
                });
            });
        });
    }

    /// The figures of the service, as Prometheus reads them.
    pub async fn metrics(&self) -> String {
        let answer = self.client.get(format!("{}/metrics", self.url)).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
        answer.text().await.unwrap()
    }

    /// Every job once, as of now.
    pub async fn tick(&self) {
        mizan::jobs::tick(&self.app).await.unwrap();
    }

    /// Lets time go on, webhooks arrive and jobs run until nothing is open any more.
    pub async fn settle(&self) {
        for step in [0, 31, 61, 120, 600, 600, 3_600, 3_600, 3_600, 7_200, 7_200, 14_400] {
            self.advance(step);
            self.sim.deliver_due().await;
            self.tick().await;
            self.sim.deliver_due().await;
            if self.open().await.is_empty() {
                return;
            }
        }
        panic!("still open after a day: {:#?}", self.open().await);
    }

    /// What waits for something: operations, refunds, fees, deliveries here and on their way.
    pub async fn open(&self) -> Vec<String> {
        let mut open: Vec<String> = sqlx::query_scalar(
            "select 'operation ' || kind || ' ' || state || ' ' || coalesce(outcome::text, '')
             from payments.operation where next_check_at is not null
             union all
             select 'refund ' || id || ' ' || state from payments.refund
             where state in ('requested', 'sent', 'pending')
             union all
             select 'fee of ' || id from payments.attempt
             where sync_at is not null and status = 'captured'
             union all
             select 'dispute ' || provider_ref from payments.dispute_question
             where ask_at is not null
             union all
             select event_type || ' ' || state || ': ' || reason
             from webhooks.delivery where next_attempt_at is not null",
        )
        .fetch_all(&mut self.books.db.owner().await)
        .await
        .unwrap();
        let queue = self.ask_gateway("/_sim/webhooks").await;
        let waits = |row: &&Value| {
            let state = row["state"]["is"].as_str().or(row["state"].as_str()).unwrap();
            state == "waiting" || state == "held"
        };
        let rows = queue.body["stripe"].as_array().unwrap().iter().filter(waits);
        open.extend(rows.map(|row| format!("webhook {row}")));
        open
    }

    /// How many rows each table has.
    pub async fn rows(&self) -> BTreeMap<&'static str, i64> {
        let mut owner = self.books.db.owner().await;
        let mut rows = BTreeMap::new();
        for table in TABLES {
            let count = AssertSqlSafe(format!("select count(*) from {table}"));
            rows.insert(table, sqlx::query_scalar(count).fetch_one(&mut owner).await.unwrap());
        }
        rows
    }

    /// The one row and column of a query, as the owner sees it.
    pub async fn sql<T>(&self, query: &str) -> T
    where
        T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let mut owner = self.books.db.owner().await;
        let query = AssertSqlSafe(query.to_owned());
        sqlx::query_scalar(query).fetch_one(&mut owner).await.unwrap()
    }

    /// Runs statements as the owner.
    pub async fn execute(&self, statements: &str) {
        let mut owner = self.books.db.owner().await;
        let statements = AssertSqlSafe(statements.to_owned());
        sqlx::raw_sql(statements).execute(&mut owner).await.unwrap();
    }

    /// Every transaction as its kind and its entries, oldest first.
    pub async fn journal(&self) -> String {
        let line = |t: &read::Transaction| format!("{}\n{}", t.kind, page::entries(t));
        self.books.journal().await.iter().map(line).collect()
    }

    /// The gateway's totals of a currency: charged, refunded, fees, balance.
    pub async fn totals(&self, currency: &str) -> [i64; 4] {
        let state = self.ask_gateway("/_sim/state").await;
        let sums = &state.body["stripe"]["totals"][currency];
        ["charged", "refunded", "fees", "balance"].map(|name| sums[name].as_i64().unwrap_or(0))
    }

    /// Every law of `verify` holds.
    pub async fn prove_laws(&self) {
        let proved = mizan::verify::verify(&self.app.db, &self.app.clock).await.unwrap();
        for (tenant, laws) in proved {
            for law in laws {
                assert!(law.holds(), "tenant {tenant}: {}: {:#?}", law.name, law.broken);
            }
        }
    }

    /// Every law holds, and what the gateway owes us is what it says it owes us.
    pub async fn prove(&self) {
        self.prove_laws().await;
        let state = self.ask_gateway("/_sim/state").await;
        let mut theirs = BTreeMap::new();
        for (currency, sums) in state.body["stripe"]["totals"].as_object().unwrap() {
            let of = |name: &str| sums[name].as_i64().unwrap();
            let here = of("charged") + of("put_in") - of("fees");
            let balance = here - of("refunded") - of("disputed") - of("transferred");
            assert_eq!(balance, of("balance"), "the gateway itself does not add up");
            theirs.insert(currency.to_uppercase(), balance);
        }
        let mut ours = self.clearing().await;
        theirs.retain(|_, balance| *balance != 0);
        ours.retain(|_, balance| *balance != 0);
        assert_eq!(ours, theirs, "books and gateway differ\n{}", self.journal().await);
    }

    /// The balance of `gateway_clearing:stripe` by currency, in minor units.
    pub async fn clearing(&self) -> BTreeMap<String, i64> {
        let all = Page { limit: 10_000, cursor: Cursor::Start };
        let mut tx = scope(self.books.db.service_pool(), self.books.tenant).await;
        let listed = read::accounts(&mut tx, self.books.tenant, None, all).await;
        let accounts = listed.unwrap().unwrap().data;
        let ours = accounts.iter().filter(|a| a.account.to_string() == "gateway_clearing:stripe");
        ours.map(|a| (a.balance().currency().code().to_owned(), a.balance().minor())).collect()
    }

    /// Settles and proves.
    pub async fn end(&self) {
        self.settle().await;
        self.prove().await;
    }
}

/// A connection to the gateway at `base_url`.
pub fn stripe(tenant: TenantId, base_url: &str, setup: Setup) -> Gateway {
    let secret_key = SecretString::from(GATEWAY_KEY);
    let mut config = ClientConfig::new(base_url);
    config.max_retries = setup.retries;
    config.total_timeout = setup.answer_within;
    config.backoff_min = Duration::from_millis(1);
    config.backoff_max = Duration::from_millis(5);
    Gateway {
        connection: CONNECTION.to_owned(),
        tenant,
        provider: provider(Credentials::Stripe { secret_key, account: None }).unwrap(),
        client: Arc::new(GatewayClient::new(config).unwrap()),
        webhook_secrets: vec![WEBHOOK_SECRET.into(), OLDER_SECRET.into()],
        breaker: Breaker::default(),
        certificates: Certificates::default(),
    }
}

/// A new key of a tenant.
pub async fn make_key(app: &App, tenant: TenantId) -> String {
    make_key_of(app, tenant, &CreateKey::new("tests", Mode::Test, Role::Admin)).await
}

/// A new key of a tenant, as it is described.
pub async fn make_key_of(app: &App, tenant: TenantId, command: &CreateKey) -> String {
    let made = app
        .db
        .transaction("key", tenant, |tx| work(create_key(tx, tenant, command, T0)))
        .await
        .unwrap();
    made.key.secret().expose_secret().to_owned()
}

/// A `Stripe-Signature` of these bytes at this second.
pub fn sign(secret: &str, at: i64, body: &[u8]) -> String {
    format!("t={at},v1={}", digest(secret, at, body))
}

/// The hex digest inside a signature.
pub fn digest(secret: &str, at: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{at}.").as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

/// A body for `POST /v1/payment_intents`: one line of each `(vendor, minor units)`, 5 % tax
/// inside, 10 % commission, in AED.
pub fn order(lines: &[(&str, i64)]) -> Value {
    let line = |(vendor, amount): &(&str, i64)| {
        json!({
            "vendor": vendor, "amount": amount, "tax_percent": "5", "commission_percent": "10",
        })
    };
    json!({
        "amount": lines.iter().map(|(_, amount)| amount).sum::<i64>(),
        "currency": "AED",
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
    })
}

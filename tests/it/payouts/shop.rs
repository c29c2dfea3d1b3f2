//! A marketplace with two people at the desk, whose vendors have money to be paid.

use std::path::Path;
use std::sync::Arc;

use mizan::app::App;
use mizan::config::Config;
use mizan::db::work;
use mizan::payments::error::PaymentError;
use mizan::payments::plan::Plan;
use mizan_ledger::NewTransaction;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::{command, fact};
use crate::support_app::{Reply, TestApp, make_key};

/// The settings of every test here.
const SETTINGS: &str = "[payouts]
amount_max = [\"AED=100000000\"]
approval_above = [\"AED=1000000\"]
debtor_name = \"Souq <Platform> LLC\"
debtor_iban = \"AE070331234567890123456\"
debtor_bic = \"BOMLAEAD\"
debtor_town = \"Dubai\"
debtor_country = \"AE\"
";

pub const IBAN: &str = "AE970260001015555555501";
pub const DAY: u64 = 86_400;

/// The service with its settings, and a second person's key.
pub struct Shop {
    pub app: TestApp,
    pub second: String,
    server: JoinHandle<std::io::Result<()>>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shop {
    pub async fn open() -> Shop {
        Shop::of(TestApp::new().await).await
    }

    /// The same service, by our settings.
    pub async fn of(mut app: TestApp) -> Shop {
        let config = Config::from_parts(Some((Path::new("test.toml"), SETTINGS)), []).unwrap();
        app.app = App { config: Arc::new(config), ..app.app.clone() };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        app.url = format!("http://{}", listener.local_addr().unwrap());
        let router = mizan::http::router(app.app.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let second = make_key(&app.app, app.books.tenant).await;
        Shop { app, second, server }
    }

    /// Posts and announces a page; whether it was taken.
    pub async fn post(&self, transaction: NewTransaction) -> bool {
        let (tenant, now) = (self.app.books.tenant, self.app.app.clock.now());
        let transaction = &transaction;
        let posted = self.app.app.db.transaction("test", tenant, |tx| {
            work(async move {
                let mut plan = Plan::new(now, "tests");
                let entry = plan.add(transaction.clone());
                plan.announce("test.moved", "tests".to_owned(), Some(entry), json!({}));
                let posted = plan.post_all(tx, tenant).await?;
                plan.announce_all(tx, tenant, &posted).await
            })
        });
        match posted.await {
            Ok(()) => true,
            Err(PaymentError::LedgerRefused { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// Money that is available to a payee: `available("vendor_payable:V1", "94.50 AED")`.
    pub async fn available(&self, payee: &str, amount: &str) {
        let page = format!("dr gateway_clearing:stripe {amount}; cr {payee}:available {amount}");
        assert!(self.post(fact(&self.app.fresh(), &page)).await);
    }

    /// Takes money away again, where the floor lets it.
    pub async fn take(&self, payee: &str, amount: &str) -> bool {
        let page = format!("dr {payee}:available {amount}; cr refunds_payable {amount}");
        self.post(command(&self.app.fresh(), &page)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.app.send(self.app.request(Method::PUT, path).json(&body)).await
    }

    /// A POST with the second person's key.
    pub async fn second_post(&self, path: &str, body: Value) -> Reply {
        let url = format!("{}{path}", self.app.url);
        let request = self.app.client.post(url).bearer_auth(&self.second);
        self.app.send(request.header("Idempotency-Key", self.app.fresh()).json(&body)).await
    }

    pub async fn kyc(&self, payee: &str, status: &str) -> Reply {
        let path = format!("/v1/{payee}/kyc");
        let told = self.app.post(&path, json!({ "status": status })).await;
        assert_eq!(told.status, 201, "{told:#?}");
        told
    }

    pub async fn account(&self, payee: &str, body: Value) {
        let path = format!("/v1/{payee}/bank_account");
        let set = self.put(&path, body).await;
        assert_eq!(set.status, 200, "{set:#?}");
        let verified = self.app.post(&format!("{path}/verify"), json!({})).await;
        assert_eq!(verified.status, 200, "{verified:#?}");
    }

    /// Payees such as `vendors/V1` with everything that gates ask for, two days later.
    pub async fn ready(&self, payees: &[&str]) {
        for payee in payees {
            self.kyc(payee, "verified").await;
            self.account(payee, iban()).await;
        }
        self.app.advance(2 * DAY);
    }

    /// Terms without anything special: a schedule and a minimum in AED.
    pub async fn terms(&self, payee: &str, body: Value) {
        let set = self.put(&format!("/v1/{payee}/payout_terms"), body).await;
        assert_eq!(set.status, 200, "{set:#?}");
    }

    pub async fn pay(&self, body: Value) -> Reply {
        let made = self.app.post("/v1/payouts", body).await;
        assert_eq!(made.status, 201, "{made:#?}");
        made
    }

    /// All of a vendor's AED.
    pub async fn pay_all(&self, vendor: &str) -> Reply {
        self.pay(json!({ "vendor": vendor, "currency": "AED" })).await
    }

    /// Does something with a payout, which must be possible.
    pub async fn act(&self, id: &str, verb: &str, body: Value) -> Reply {
        let done = self.app.post(&format!("/v1/payouts/{id}/{verb}"), body).await;
        assert!(done.status < 300, "{verb}: {done:#?}");
        done
    }

    /// What became of it.
    pub async fn tell(&self, id: &str, outcome: &str, code: Option<&str>) -> Reply {
        self.act(id, "outcome", json!({ "outcome": outcome, "reason_code": code })).await
    }

    pub async fn payout(&self, id: &str) -> Reply {
        self.app.get(&format!("/v1/payouts/{id}")).await
    }

    pub async fn run(&self) -> Reply {
        let run = self.app.post("/v1/payout_runs", json!({})).await;
        assert_eq!(run.status, 201, "{run:#?}");
        run
    }

    /// The balances of accounts that begin with one of these, one per line.
    pub async fn balances(&self, of: &[&str]) -> String {
        let all = self.app.books.balances().await;
        let ours = |line: &&str| of.iter().any(|start| line.contains(start));
        let lines: Vec<String> = all
            .lines()
            .filter(ours)
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        lines.join("\n")
    }
}

/// An account in the UAE.
pub fn iban() -> Value {
    json!({ "holder": "Vendor LLC", "iban": IBAN, "country": "AE", "currency": "AED" })
}

/// The names of the gates of a payout that are closed.
pub fn closed(payout: &Reply) -> Vec<&str> {
    let gates = payout.body["gates"].as_array().unwrap();
    let closed = gates.iter().filter(|it| it["passed"] == false);
    closed.filter_map(|it| it["gate"].as_str()).collect()
}

/// The reason of a gate.
pub fn reason<'a>(payout: &'a Reply, gate: &str) -> &'a str {
    let gates = payout.body["gates"].as_array().unwrap();
    gates.iter().find(|it| it["gate"] == gate).and_then(|it| it["reason"].as_str()).unwrap()
}

/// The items of a payout: kind and amount.
pub fn items(payout: &Reply) -> Vec<(&str, i64)> {
    let items = payout.body["items"].as_array().unwrap();
    let item = |it: &'_ Value| it["amount"].as_i64().unwrap();
    let sum: i64 = items.iter().map(item).sum();
    assert!(sum == payout.int("amount") || items.is_empty(), "{:#}", payout.body);
    items.iter().map(|it| (it["kind"].as_str().unwrap(), item(it))).collect()
}

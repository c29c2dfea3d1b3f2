//! Payments against localstripe, a gateway that nobody here wrote: our interface on one side, its
//! answers and its signed webhooks on the other, and the same money on both in the end.
//!
//! It names no captured amounts, charges no fees, refuses some parameters that Stripe documents
//! (`tests/python/localstripe_server.py` lists them), ignores idempotency keys and delivers each
//! webhook once. It stands at [`T0`], as our clock does while it delivers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use super::python;
use crate::support::{T0, lines};
use crate::support_app::{CONNECTION, Reply, TestApp, WEBHOOK_SECRET, order};

/// It waits a second before it delivers; the rest is for a machine under load.
const DELIVERED_WITHIN: Duration = Duration::from_secs(30);
/// Always asks for the buyer's authentication.
const CARD_3D_SECURE: &str = "4000002760003184";

/// localstripe in a process of its own, ended with this value.
struct LocalStripe {
    process: Child,
    address: SocketAddr,
}

impl LocalStripe {
    fn start() -> LocalStripe {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut process = Command::new(python())
            .arg(script.join("tests/python/localstripe_server.py"))
            .arg(T0.timestamp().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port: u16 = port.trim().parse().expect("its port; it says above why there is none");
        LocalStripe { process, address: ([127, 0, 0, 1], port).into() }
    }
}

impl Drop for LocalStripe {
    fn drop(&mut self) {
        // It may have ended by itself; nothing is left to do then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A webhook as it came, and what the service answered.
struct Heard {
    signature: String,
    body: String,
    status: u16,
}

impl Heard {
    fn kind(&self) -> String {
        let event: Value = serde_json::from_str(&self.body).unwrap();
        event["type"].as_str().unwrap().to_owned()
    }
}

/// The service with localstripe as its gateway, and a porter before the webhook route who hands
/// everything on byte for byte and tells that it came.
struct Shop {
    app: TestApp,
    gateway: LocalStripe,
    heard: UnboundedReceiver<Heard>,
    porter: JoinHandle<std::io::Result<()>>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.porter.abort();
    }
}

impl Shop {
    async fn open() -> Shop {
        let gateway = LocalStripe::start();
        let app = TestApp::behind(gateway.address).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = format!("http://{}/", listener.local_addr().unwrap());
        let (tell, heard) = unbounded_channel();
        let route = Arc::new(format!("{}/webhooks/stripe/{CONNECTION}", app.url));
        let client = app.client.clone();
        let hand_on = move |headers: HeaderMap, body: String| {
            let signature = headers["stripe-signature"].to_str().unwrap().to_owned();
            let request = client
                .post(route.as_str())
                .header("Content-Type", headers["content-type"].to_str().unwrap())
                .header("Stripe-Signature", &signature)
                .body(body.clone());
            let tell = tell.clone();
            async move {
                let status = request.send().await.unwrap().status();
                tell.send(Heard { signature, body, status: status.as_u16() }).unwrap();
                StatusCode::from_u16(status.as_u16()).unwrap()
            }
        };
        let router = axum::Router::new().fallback(hand_on);
        let porter = tokio::spawn(async move { axum::serve(listener, router).await });
        let shop = Shop { app, gateway, heard, porter };
        let hook = json!({ "url": door, "secret": WEBHOOK_SECRET });
        let registered = shop.client_post("/_config/webhooks/mizan").json(&hook).send().await;
        assert!(registered.unwrap().status().is_success());
        shop
    }

    fn client_post(&self, path: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}{path}", self.gateway.address);
        self.app.client.post(url).bearer_auth("sk_test_of_the_tests")
    }

    /// A call past the service, as from the gateway's dashboard.
    async fn at_gateway(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let answer = self.client_post(path).form(form).send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{path}: {body:#}");
        body
    }

    /// The gateway's id of the payment's last attempt.
    async fn reference(&self, id: &str) -> String {
        let payment = self.app.payment(id).await;
        let attempts = payment.body["attempts"].as_array().unwrap();
        attempts.last().unwrap()["provider_ref"].as_str().unwrap().to_owned()
    }

    /// Waits for the next webhook; asserts that it is of this kind and was taken.
    async fn hears(&mut self, kind: &str) -> Heard {
        let heard = tokio::time::timeout(DELIVERED_WITHIN, self.heard.recv()).await;
        let heard = heard.expect("no webhook came").unwrap();
        assert_eq!((heard.kind().as_str(), heard.status), (kind, 200), "{}", heard.body);
        heard
    }

    /// A question to the gateway itself.
    async fn ask(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.gateway.address);
        let request = self.app.client.get(url).bearer_auth("sk_test_of_the_tests");
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The sum of the gateway's balance rows by currency, in minor units.
    async fn their_money(&self) -> BTreeMap<String, i64> {
        let list = self.ask("/v1/balance_transactions?limit=1000").await;
        assert_eq!(list["has_more"], false);
        let mut sums = BTreeMap::new();
        for row in list["data"].as_array().unwrap() {
            let currency = row["currency"].as_str().unwrap().to_uppercase();
            *sums.entry(currency).or_default() += row["net"].as_i64().unwrap();
        }
        sums
    }

    /// Nothing is open any more, and all is proved.
    async fn end(self) {
        self.app.settle().await;
        self.prove().await;
    }

    /// Every law holds, and the gateway has what our books say it owes us.
    async fn prove(self) {
        self.app.prove_laws().await;
        let theirs = self.their_money().await;
        assert_eq!(self.app.clearing().await, theirs, "\n{}", self.app.journal().await);
    }
}

fn captured(payment: &Reply) -> (&str, i64) {
    (payment.text("status"), payment.int("amount_captured"))
}

#[tokio::test]
async fn a_payment_is_taken_at_once_and_its_webhook_believed_once_and_no_forgery_of_it() {
    let mut shop = Shop::open().await;
    let id = shop.app.paid(&[("V1", 52_500), ("V2", 10_500)]).await;
    let heard = shop.hears("payment_intent.succeeded").await;
    let rows = shop.app.books.count("ledger.transaction").await;
    let again = shop.app.deliver(heard.body.clone(), &heard.signature).await;
    assert_eq!(again.says(), (200, "duplicate"));
    let more = heard.body.replace("63000", "63001");
    assert_ne!(more, heard.body);
    let forged = shop.app.deliver(more, &heard.signature).await;
    assert_eq!(forged.problem(), (401, "signature_invalid"));
    assert_eq!(captured(&shop.app.payment(&id).await), ("succeeded", 63_000));
    assert_eq!(shop.app.books.count("ledger.transaction").await, rows);
    shop.end().await;
}

#[tokio::test]
async fn held_money_is_taken_whole_or_in_part_or_let_go() {
    let mut shop = Shop::open().await;
    let whole = shop.app.held(&[("V1", 52_500)]).await;
    let part = shop.app.held(&[("V1", 52_500)]).await;
    let none = shop.app.held(&[("V1", 52_500)]).await;
    let taken = shop.app.act(&whole, "capture", json!({})).await;
    assert_eq!(captured(&taken), ("succeeded", 52_500), "{taken:#?}");
    let taken = shop.app.act(&part, "capture", json!({ "amount": 30_000 })).await;
    assert_eq!(captured(&taken), ("succeeded", 30_000), "{taken:#?}");
    assert_eq!(taken.int("amount_voided"), 22_500);
    let let_go = shop.app.act(&none, "cancel", json!({})).await;
    assert_eq!(captured(&let_go), ("cancelled", 0), "{let_go:#?}");
    shop.hears("payment_intent.succeeded").await;
    shop.hears("payment_intent.succeeded").await;
    for (id, amount) in [(&whole, 52_500), (&part, 30_000)] {
        assert_eq!(captured(&shop.app.payment(id).await), ("succeeded", amount));
    }
    assert_eq!(shop.app.clearing().await["AED"], 82_500);
    shop.end().await;
}

#[tokio::test]
async fn captures_that_only_webhooks_tell_of_are_booked_to_the_fils() {
    let mut shop = Shop::open().await;
    let whole = shop.app.held(&[("V1", 52_500)]).await;
    let part = shop.app.held(&[("V1", 52_500)]).await;
    for (id, amount) in [(&whole, 52_500), (&part, 30_000)] {
        let path = format!("/v1/payment_intents/{}/capture", shop.reference(id).await);
        shop.at_gateway(&path, &[("amount_to_capture", &amount.to_string())]).await;
        assert_eq!(captured(&shop.app.payment(id).await), ("requires_capture", 0));
        shop.hears("payment_intent.succeeded").await;
        shop.app.tick().await;
        assert_eq!(captured(&shop.app.payment(id).await), ("succeeded", amount));
    }
    // Asked later for the fee, localstripe has one sum for what was released and what was given
    // back: that tells no captured amount, so the answer is not believed and the fee stays open.
    shop.app.advance(31);
    shop.app.tick().await;
    let fee_of = async |id: &str| shop.app.payment(id).await.body["attempts"][0]["fee"].clone();
    assert_eq!((fee_of(&whole).await, fee_of(&part).await), (json!(0), Value::Null));
    shop.prove().await;
}

#[tokio::test]
async fn what_stands_behind_3d_secure_is_paid_when_the_webhook_says_so() {
    let mut shop = Shop::open().await;
    let card = [
        ("type", "card"),
        ("card[number]", CARD_3D_SECURE),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2030"),
        ("card[cvc]", "123"),
    ];
    let card = shop.at_gateway("/v1/payment_methods", &card).await;
    let id = shop.app.create(order(&[("V1", 52_500)])).await;
    let asked = shop.app.confirm(&id, card["id"].as_str().unwrap()).await;
    assert_eq!(asked.says(), (200, "requires_action"), "{asked:#?}");
    let reference = shop.reference(&id).await;
    let known = shop.ask(&format!("/v1/payment_intents/{reference}")).await;
    let secret = known["client_secret"].as_str().unwrap();
    let proof = [("client_secret", secret), ("success", "true")];
    shop.at_gateway(&format!("/v1/payment_intents/{reference}/_authenticate"), &proof).await;
    shop.hears("payment_intent.succeeded").await;
    shop.app.settle().await;
    assert_eq!(captured(&shop.app.payment(&id).await), ("succeeded", 52_500));
    shop.end().await;
}

#[tokio::test]
async fn a_declined_card_leaves_no_money_anywhere_and_another_one_pays() {
    let mut shop = Shop::open().await;
    let id = shop.app.create(order(&[("V1", 52_500)])).await;
    let declined = shop.app.confirm(&id, "pm_card_chargeCustomerFail").await;
    assert_eq!(declined.problem(), (402, "payment_declined"), "{declined:#?}");
    shop.hears("payment_intent.payment_failed").await;
    assert_eq!(captured(&shop.app.payment(&id).await), ("requires_payment_method", 0));
    assert_eq!((shop.app.clearing().await, shop.their_money().await), Default::default());
    assert_eq!(shop.app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    shop.hears("payment_intent.succeeded").await;
    shop.end().await;
}

#[tokio::test]
async fn refunds_go_back_in_part_and_in_whole_and_the_books_end_empty() {
    let mut shop = Shop::open().await;
    let id = shop.app.paid(&[("V1", 52_500), ("V2", 10_500)]).await;
    let part = shop.app.held(&[("V1", 52_500)]).await;
    shop.app.act(&part, "capture", json!({ "amount": 30_000 })).await;
    for (payment, amount) in [(&id, Some(21_001)), (&part, Some(12_345)), (&id, None)] {
        let refund = shop.app.refund(payment, amount).await;
        assert_eq!(refund.says(), (200, "succeeded"), "{refund:#?}");
    }
    let too_much = shop.app.refund(&part, Some(17_656)).await;
    assert_eq!(too_much.status, 409, "{too_much:#?}");
    assert_eq!(shop.app.clearing().await["AED"], 30_000 - 12_345);
    shop.app.refund(&part, None).await;
    shop.hears("payment_intent.succeeded").await;
    shop.hears("payment_intent.succeeded").await;
    shop.app.settle().await;
    let empty = lines(
        "deferred_commission 0.00 AED
         gateway_clearing:stripe 0.00 AED
         refunds_payable 0.00 AED
         vat_output_payable:AE 0.00 AED
         vendor_payable:V1:pending 0.00 AED
         vendor_payable:V2:pending 0.00 AED",
    );
    let mut balances: Vec<String> =
        shop.app.books.balances().await.lines().map(str::to_owned).collect();
    balances.sort_unstable();
    assert_eq!(balances.join("\n"), empty.trim_end());
    shop.end().await;
}

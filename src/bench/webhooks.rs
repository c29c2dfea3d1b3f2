//! Payments that a webhook confirms: each was tried before, and the buyer has just said yes.
//!
//! What is prepared, and not measured: orders are made and tried through the interface with a
//! card that asks the buyer first, the buyer approves on the gateway's page, and the gateway's
//! own events are collected instead of being sent. What is measured: those events, signed, on
//! many connections, until each payment's money stands split in the books.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use mizan::clock::{Clock, Monotonic};
use mizan_providers::ProviderName;
use mizan_simulator::{Simulator, SimulatorConfig};
use serde_json::{Value, json};
use sha2::Sha256;

use super::closed_loop::{Caller, Measured, Window, closed_loop};
use super::http::{Keys, order};
use super::load::{Connection, request};
use super::service::{Client, Gateway, Service};
use crate::cli::end::Failure;
use crate::cli::gateways::webhook_path;
use crate::cli::simulate::sim_clock;

const CONNECTIONS: u32 = 64;
/// A card whose bank asks the buyer first.
const CARD: &str = "pm_card_authenticationRequired";
const SECRET_KEY: &str = "sk_test_benchmark";
const WEBHOOK_SECRET: &str = "whsec_benchmark";
/// How many events the gateway lists at once.
const PAGE: usize = 100;

/// The gateway: simulated, in memory, silent until it is asked.
pub struct Bank {
    simulator: Simulator,
    /// What the service needs to speak to it.
    pub gateway: Gateway,
}

impl Bank {
    /// Opens it.
    pub async fn open(clock: &Clock) -> Result<Self, Failure> {
        let mut config = SimulatorConfig::new(sim_clock(clock));
        config.stripe_secret_key = SECRET_KEY.to_owned();
        config.webhook_secret = WEBHOOK_SECRET.to_owned();
        let simulator = Simulator::start(config, SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let gateway = Gateway {
            url: simulator.url(),
            secret_key: SECRET_KEY.to_owned(),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
        };
        Ok(Self { simulator, gateway })
    }

    /// Closes it.
    pub async fn close(self) {
        self.simulator.stop().await;
    }

    fn address(&self) -> Result<SocketAddr, Failure> {
        Ok(self.gateway.url.trim_start_matches("http://").parse()?)
    }

    /// What the gateway has to tell of every payment that succeeded, newest first.
    async fn events(&self) -> Result<Vec<String>, Failure> {
        let address = self.address()?;
        let mut connection = Connection::open(address).await?;
        let authorization = format!("Bearer {SECRET_KEY}");
        let (mut events, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/events?type=payment_intent.succeeded&limit={PAGE}{after}");
            let headers = [("authorization", authorization.as_str())];
            let answer = connection.send(&request("GET", &path, address, &headers, "")).await?;
            let page: Value = serde_json::from_slice(answer.body)?;
            let data = page["data"].as_array().ok_or("the gateway lists no events")?;
            // Indented, as the gateway sends them.
            events.extend(data.iter().map(|event| format!("{event:#}")));
            match (data.last().and_then(|event| event["id"].as_str()), &page["has_more"]) {
                (Some(last), Value::Bool(true)) => after = format!("&starting_after={last}"),
                _ => return Ok(events),
            }
        }
    }
}

/// Somebody who makes orders and lets buyers approve them.
struct Buyer {
    shop: Client,
    bank: Connection,
    bank_address: SocketAddr,
    keys: Keys,
    taken: Arc<AtomicUsize>,
    wanted: usize,
}

impl Caller for Buyer {
    async fn call(&mut self) -> Result<Option<Duration>, Failure> {
        let n = self.taken.fetch_add(1, Ordering::Relaxed);
        if n >= self.wanted {
            return Ok(None);
        }
        let watch = Monotonic::start();
        let mut body = order(n);
        body["payment_method"] = CARD.into();
        body["return_url"] = "https://shop.example/thanks".into();
        let key = self.keys.next();
        let made = self.shop.post("/v1/payment_intents", &key, &body).await?;
        let made = made.expect(201, "a payment")?;
        let path = format!("/v1/payment_intents/{}/confirm", made.text("/id")?);
        let tried = self.shop.post(&path, &self.keys.next(), &json!({})).await?;
        let tried = tried.expect(200, "a confirmation")?;
        let page = tried.text("/next_action/url")?;
        let page = page.strip_prefix(&format!("http://{}", self.bank_address));
        let page = page.ok_or("the bank's page is somewhere else")?;
        let press = request("POST", page, self.bank_address, &[], "outcome=approve");
        match self.bank.send(&press).await?.status {
            303 => Ok(Some(watch.elapsed())),
            status => Err(format!("the bank's page answered {status}").into()),
        }
    }
}

/// Makes so many payments of which only the gateway knows that they succeeded, and answers what
/// it has to tell.
pub async fn prepare(
    service: &Service,
    bank: &Bank,
    payments: usize,
) -> Result<Vec<String>, Failure> {
    let taken = Arc::new(AtomicUsize::new(0));
    let bank_address = bank.address()?;
    let mut buyers = Vec::new();
    for n in 0..CONNECTIONS {
        buyers.push(Buyer {
            shop: service.client().await?,
            bank: Connection::open(bank_address).await?,
            bank_address,
            keys: Keys::of("payment", n),
            taken: Arc::clone(&taken),
            wanted: payments,
        });
    }
    closed_loop(buyers, Window::until_done()).await?;
    let events = bank.events().await?;
    match events.len() == payments {
        true => Ok(events),
        false => {
            let told = events.len();
            Err(format!("of {payments} payments the gateway tells {told}").into())
        }
    }
}

/// One connection of the gateway to our endpoint.
struct Messenger {
    connection: Connection,
    bag: Arc<Bag>,
}

/// Deliveries as they go over the wire, each to be taken once.
struct Bag {
    requests: Vec<Vec<u8>>,
    taken: AtomicUsize,
}

impl Caller for Messenger {
    async fn call(&mut self) -> Result<Option<Duration>, Failure> {
        let n = self.bag.taken.fetch_add(1, Ordering::Relaxed);
        let Some(request) = self.bag.requests.get(n) else { return Ok(None) };
        let watch = Monotonic::start();
        let answer = self.connection.send(request).await?;
        let took = watch.elapsed();
        let receipt = String::from_utf8_lossy(answer.body);
        match answer.status == 200 && receipt.contains(r#""applied""#) {
            true => Ok(Some(took)),
            false => Err(format!("a webhook was answered {}: {receipt}", answer.status).into()),
        }
    }
}

/// Delivers every event once, or as many as fit into the window.
pub async fn deliver(
    service: &Service,
    events: &[String],
    window: Window,
    clock: &Clock,
) -> Result<Measured, Failure> {
    let (path, at) = (webhook_path(ProviderName::Stripe), clock.now().timestamp());
    let sign = |event: &String| {
        let signature = signature(at, event)?;
        let headers =
            [("content-type", "application/json"), ("stripe-signature", signature.as_str())];
        Ok(request("POST", &path, service.address, &headers, event))
    };
    let requests = events.iter().map(sign).collect::<Result<_, Failure>>()?;
    let bag = Arc::new(Bag { requests, taken: AtomicUsize::new(0) });
    let mut messengers = Vec::new();
    for _ in 0..CONNECTIONS {
        let connection = Connection::open(service.address).await?;
        messengers.push(Messenger { connection, bag: Arc::clone(&bag) });
    }
    closed_loop(messengers, window).await
}

/// As Stripe signs: the time, and the digest of the time and the body.
fn signature(at: i64, body: &str) -> Result<String, Failure> {
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes())?;
    mac.update(format!("{at}.{body}").as_bytes());
    Ok(format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes())))
}

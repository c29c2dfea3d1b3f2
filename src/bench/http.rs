//! Calls to the interface: transfers on many connections, and a mix of calls at light load.

use std::sync::Arc;
use std::time::Duration;

use mizan::clock::Monotonic;
use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::closed_loop::{Caller, Measured, Window, closed_loop};
use super::service::{Client, Reply, Service};
use super::transfers::{Accounts, Pattern, Transfers};
use crate::cli::end::Failure;

/// Connections that post transfers.
const CONNECTIONS: u32 = 64;
/// Connections of the mix: light load, so that its times are work and not waiting.
const CONNECTIONS_OF_THE_MIX: u32 = 4;
/// Seeds apart from those of the callers within this process.
const SEED: u64 = 1_000_000;

/// Somebody who posts transfers through the interface.
struct Poster {
    client: Client,
    transfers: Transfers,
    keys: Keys,
}

impl Caller for Poster {
    async fn call(&mut self) -> Result<Option<Duration>, Failure> {
        let body = self.transfers.next_body();
        let key = self.keys.next();
        let request = self.client.post_request("/v1/ledger/transactions", &key, &body);
        let watch = Monotonic::start();
        match self.client.send(&request).await? {
            201 => Ok(Some(watch.elapsed())),
            status => Err(format!("a transfer was answered {status}").into()),
        }
    }
}

/// Keys that no other caller uses.
pub struct Keys {
    caller: String,
    used: u64,
}

impl Keys {
    /// The keys of one caller of one purpose.
    pub fn of(purpose: &str, caller: u32) -> Self {
        Self { caller: format!("bench-{purpose}-{caller}"), used: 0 }
    }

    /// The next one.
    pub fn next(&mut self) -> String {
        self.used += 1;
        format!("{}-{}", self.caller, self.used)
    }
}

/// Transfers through the interface.
pub async fn transfers(
    service: &Service,
    accounts: &Arc<Accounts>,
    window: Window,
    now: Timestamp,
) -> Result<Measured, Failure> {
    let mut callers = Vec::new();
    for n in 0..CONNECTIONS {
        callers.push(Poster {
            client: service.client().await?,
            transfers: Transfers::new(accounts, Pattern::Spread, SEED + u64::from(n), now),
            keys: Keys::of("transfer", n),
        });
    }
    closed_loop(callers, window).await
}

/// A shop at work: it sells, looks, and keeps books.
struct Shop {
    client: Client,
    transfers: Transfers,
    keys: Keys,
    turn: usize,
    payment: String,
    account: String,
}

/// What a shop does in one round, in this order.
const TURNS: [fn(&Shop) -> Turn; 7] = [
    |_| Turn::Create,
    |_| Turn::Confirm,
    |shop| Turn::Read(format!("/v1/payment_intents/{}", shop.payment)),
    |_| Turn::Transfer,
    |shop| Turn::Read(format!("/v1/ledger/accounts/{}/balance", shop.account)),
    |shop| Turn::Read(format!("/v1/ledger/accounts/{}/statement?limit=10", shop.account)),
    |_| Turn::Read("/v1/payment_intents?limit=10".to_owned()),
];

enum Turn {
    Create,
    Confirm,
    Transfer,
    Read(String),
}

impl Shop {
    async fn take(&mut self, turn: Turn) -> Result<Reply, Failure> {
        let key = self.keys.next();
        match turn {
            Turn::Create => {
                let body = order(self.turn);
                let made = self.client.post("/v1/payment_intents", &key, &body).await?;
                let made = made.expect(201, "a payment")?;
                self.payment = made.text("/id")?.to_owned();
                Ok(made)
            }
            Turn::Confirm => {
                let path = format!("/v1/payment_intents/{}/confirm", self.payment);
                let body = json!({ "payment_method": "pm_card_visa" });
                self.client.post(&path, &key, &body).await?.expect(200, "a confirmation")
            }
            Turn::Transfer => {
                let body = self.transfers.next_body();
                let made = self.client.post("/v1/ledger/transactions", &key, &body).await?;
                let made = made.expect(201, "a transfer")?;
                self.account = made.text("/entries/0/account_id")?.to_owned();
                Ok(made)
            }
            Turn::Read(path) => self.client.get(&path).await?.expect(200, &path),
        }
    }
}

impl Caller for Shop {
    async fn call(&mut self) -> Result<Option<Duration>, Failure> {
        let turn = TURNS[self.turn % TURNS.len()](self);
        self.turn += 1;
        let reply = self.take(turn).await?;
        Ok(Some(reply.own_time.ok_or("an answer does not say how long the service took")?))
    }
}

/// An order of one line, of one of a thousand vendors; 5 % VAT and 10 % commission.
pub fn order(n: usize) -> Value {
    let amount = 1_000 + (n * 7_919) % 99_000;
    json!({
        "amount": amount,
        "currency": "AED",
        "lines": [{
            "vendor": format!("ven_{}", n % 1_000),
            "amount": amount,
            "tax_percent": "5",
            "commission_percent": "10",
        }],
    })
}

/// A mix of calls at light load. The latencies are the service's own, without the network and
/// without the waiting for the gateway.
pub async fn own_time(
    service: &Service,
    accounts: &Arc<Accounts>,
    window: Window,
    now: Timestamp,
) -> Result<Measured, Failure> {
    let mut shops = Vec::new();
    for n in 0..CONNECTIONS_OF_THE_MIX {
        let seed = 2 * SEED + u64::from(n);
        shops.push(Shop {
            client: service.client().await?,
            transfers: Transfers::new(accounts, Pattern::Spread, seed, now),
            keys: Keys::of("mix", n),
            turn: 0,
            payment: String::new(),
            account: String::new(),
        });
    }
    closed_loop(shops, window).await
}

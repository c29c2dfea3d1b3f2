//! The marketplace's money through the HTTP interface: who gets what, when it becomes available,
//! and what comes back.

mod everything;
mod interleavings;
mod orders;
mod releases;
mod rules;
mod tax_ids;
mod vendors;

use serde_json::{Value, json};

use crate::support_app::{Reply, TestApp};

/// Days, in seconds.
pub const DAY: u64 = 86_400;

impl TestApp {
    /// A PUT under a key of its own.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        let request = self.request(reqwest::Method::PUT, path);
        self.send(request.header("Idempotency-Key", self.fresh()).json(&body)).await
    }

    /// Says that an order's goods are delivered.
    pub async fn delivered(&self, order: &str) -> Reply {
        let path = format!("/v1/orders/{order}/deliveries");
        let said = self.post(&path, json!({ "status": "delivered" })).await;
        assert_eq!(said.status, 200, "{said:#?}");
        said
    }

    /// So many days go by, and the jobs do what is due.
    pub async fn days(&self, days: u64) {
        self.advance(days * DAY);
        self.tick().await;
        self.sim.deliver_due().await;
    }

    /// An account's balance as text; `0` where nothing was ever booked on it.
    pub async fn holds(&self, account: &str) -> String {
        let all = self.books.balances().await;
        let mut found = all.lines().filter_map(|line| line.strip_prefix(&format!("{account} ")));
        found.next().unwrap_or("0").to_owned()
    }

    /// A plain transaction of two entries.
    pub async fn book(&self, debit: &str, credit: &str, minor: i64) {
        let entry = |account: &str, side: &str| {
            let (amount, currency) = (minor, "AED");
            json!({ "account": account, "side": side, "amount": amount, "currency": currency })
        };
        let entries = [entry(debit, "debit"), entry(credit, "credit")];
        let body = json!({ "kind": "opening", "entries": entries });
        let made = self.post("/v1/ledger/transactions", body).await;
        assert_eq!(made.status, 201, "{made:#?}");
    }

    /// Terms of a vendor, from now on.
    pub async fn terms(&self, vendor: &str, terms: Value) {
        let set = self.put(&format!("/v1/vendors/{vendor}/terms"), terms).await;
        assert_eq!(set.status, 200, "{set:#?}");
    }
}

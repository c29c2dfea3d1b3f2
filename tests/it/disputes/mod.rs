//! Disputes through the real interface: opened and decided at the simulated gateway, told by its
//! webhooks, booked in the real database.

mod answers;
mod by_hand;
mod hints;
mod odd;
mod others;
mod property;
mod scenarios;

use serde_json::{Value, json};

use crate::support_app::{Reply, TestApp, order};

/// Somebody disputes a payment at the gateway; answers the gateway's id of the dispute.
async fn dispute(app: &TestApp, payment: &str, mut with: Value) -> String {
    let paid = app.payment(payment).await;
    with["payment"] = paid.body["attempts"][0]["provider_ref"].clone();
    let opened = at_bank(app, "/_sim/disputes", with).await;
    opened["id"].as_str().unwrap().to_owned()
}

/// The bank goes on: `win`, `lose`, `escalate`, `withdraw`, `second_round`, `close`.
async fn bank(app: &TestApp, dispute: &str, action: &str, with: Value) {
    at_bank(app, &format!("/_sim/disputes/{dispute}/{action}"), with).await;
}

async fn at_bank(app: &TestApp, path: &str, body: Value) -> Value {
    let url = format!("{}{path}", app.sim.url());
    let answer = app.client.post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}: {body}");
    answer.json().await.unwrap()
}

/// The one dispute of a payment, as the interface shows it.
async fn ours(app: &TestApp, payment: &str) -> Value {
    let listed = app.get(&format!("/v1/disputes?payment_intent={payment}")).await;
    let all = listed.body["data"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{listed:#?}");
    all[0].clone()
}

/// Debits less credits of an account, in minor units.
async fn net(app: &TestApp, path: &str) -> i64 {
    let query = format!(
        "select coalesce(sum(b.debits - b.credits), 0)::bigint from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.path = '{path}' and a.tenant_id = {}",
        app.books.tenant
    );
    app.sql(&query).await
}

/// Each account with what it holds, on its debit side where it is above zero.
async fn holds(app: &TestApp, wanted: &[(&str, i64)]) {
    for (path, minor) in wanted {
        let held = net(app, path).await;
        assert_eq!(held, *minor, "{path}\n{}", app.journal().await);
    }
}

/// An entry that somebody makes by hand.
async fn by_hand(app: &TestApp, kind: &str, debit: &str, credit: &str, amount: i64) {
    let entry = |account: &str, side: &str| {
        let currency = "AED";
        json!({ "account": account, "side": side, "amount": amount, "currency": currency })
    };
    let entries = [entry(debit, "debit"), entry(credit, "credit")];
    let body = json!({ "kind": kind, "entries": entries });
    let booked = app.post("/v1/ledger/transactions", body).await;
    assert_eq!(booked.status, 201, "{booked:#?}");
}

/// The goods of a payment arrived, and its commission is earned.
async fn delivered(app: &TestApp, payment: &str, commission: i64) {
    let (deferred, earned) = ("deferred_commission", "commission_revenue");
    by_hand(app, "order.delivered", deferred, earned, commission).await;
    mark(app, payment, "delivered_at").await;
}

/// The vendor's part of a payment is available.
async fn released(app: &TestApp, payment: &str, vendor: &str, amount: i64) {
    let bucket = |name: &str| format!("vendor_payable:{vendor}:{name}");
    by_hand(app, "vendor.released", &bucket("pending"), &bucket("available"), amount).await;
    mark(app, payment, "released_at").await;
}

async fn mark(app: &TestApp, payment: &str, column: &str) {
    let now = app.app.clock.now().to_rfc3339();
    let uuid = payment.trim_start_matches("pi_");
    app.execute(&format!(
        "update payments.line set {column} = '{now}' where intent_id = '{uuid}'::uuid"
    ))
    .await;
}

/// New terms of a vendor.
async fn terms(app: &TestApp, vendor: &str, terms: Value) {
    let request = app.request(reqwest::Method::PUT, &format!("/v1/vendors/{vendor}/terms"));
    let put = app.send(request.header("Idempotency-Key", app.fresh()).json(&terms)).await;
    assert!([200, 201].contains(&put.status), "{put:#?}");
}

/// A paid order of one line; its webhooks have come, and its fee is known.
async fn paid(app: &TestApp, vendor: &str, amount: i64) -> String {
    let id = app.create(order(&[(vendor, amount)])).await;
    let paid: Reply = app.confirm(&id, "pm_card_visa").await;
    assert_eq!(paid.says(), (200, "succeeded"), "{paid:#?}");
    app.sim.deliver_due().await;
    id
}

/// The kinds of a dispute's events in the outbox, in their order.
async fn announced(app: &TestApp) -> Vec<String> {
    let kinds: Option<Vec<String>> = app
        .sql(
            "select array_agg(kind order by event_position) from outbox.event
             where kind like 'dispute.%'",
        )
        .await;
    kinds.unwrap_or_default()
}

//! What finance books by hand, through the interface and against the real database.

mod clock;
mod fx;
mod import;
mod journals;
mod settlements;

use mizan::auth::{CreateKey, CreateKeyError, Mode, NewKey, Role, create_key};
use mizan::db::work;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::T0;
use crate::support_app::{Reply, TestApp};

/// An entry of a journal or of a plain transaction, in AED.
fn entry(account: &str, side: &str, amount: i64) -> Value {
    json!({ "account": account, "side": side, "amount": amount, "currency": "AED" })
}

/// A debit and a credit of so much.
fn pair(debit: &str, credit: &str, amount: i64) -> Value {
    json!([entry(debit, "debit", amount), entry(credit, "credit", amount)])
}

async fn try_key(app: &TestApp, mode: Mode) -> Result<NewKey, CreateKeyError> {
    let command = &CreateKey::new("another", mode, Role::Admin);
    let (db, tenant) = (&app.app.db, app.books.tenant);
    db.transaction("key", tenant, |tx| work(create_key(tx, tenant, command, T0))).await
}

/// The key of a second person of the same marketplace.
async fn checker(app: &TestApp) -> String {
    let made = try_key(app, Mode::Test).await.unwrap();
    made.key.secret().expose_secret().to_owned()
}

/// A POST with this API key.
async fn post_with(app: &TestApp, api_key: &str, path: &str, body: Value) -> Reply {
    let url = format!("{}{path}", app.url);
    let request = app.client.request(Method::POST, url).bearer_auth(api_key);
    app.send(request.header("Idempotency-Key", app.fresh()).json(&body)).await
}

/// Posts a plain transaction that nothing refuses.
async fn book(app: &TestApp, entries: Value) -> Reply {
    let body = json!({ "kind": "test.booked", "authority": "fact", "entries": entries });
    let booked = app.post("/v1/ledger/transactions", body).await;
    assert_eq!(booked.status, 201, "{booked:#?}");
    booked
}

/// An account's balance in minor units of AED, debits less credits.
async fn net(app: &TestApp, account: &str) -> i64 {
    net_in(app, account, "AED").await
}

async fn net_in(app: &TestApp, account: &str, currency: &str) -> i64 {
    let query = format!(
        "select coalesce(sum(b.debits - b.credits), 0)::bigint
         from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.tenant_id = {} and a.path = '{account}' and a.currency = '{currency}'",
        app.books.tenant
    );
    let mut owner = app.books.db.owner().await;
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut owner).await.unwrap()
}

/// The kinds of all events, oldest first.
async fn events(app: &TestApp) -> Vec<String> {
    app.sql("select array_agg(kind order by event_position) from outbox.event").await
}

//! Who may do what.

mod audit;
mod keys;
mod own;
mod rates;
mod walk;

use mizan::auth::{CreateKey, Mode, Role};
use mizan_money::TenantId;
use reqwest::Method;
use serde_json::Value;

use crate::support_app::{Reply, TestApp, make_key_of};

/// A key of a role; customers, vendors and affiliates are called by the subject.
async fn key(app: &TestApp, tenant: TenantId, role: Role, subject: &str) -> String {
    let subject = role.is_outside().then(|| subject.to_owned());
    let command = CreateKey { subject, ..CreateKey::new("tests", Mode::Test, role) };
    make_key_of(&app.app, tenant, &command).await
}

/// A request with somebody's key.
async fn ask(app: &TestApp, key: &str, method: Method, path: &str, body: &Value) -> Reply {
    let request = app.client.request(method.clone(), format!("{}{path}", app.url));
    let request = request.bearer_auth(key).header("Idempotency-Key", app.fresh());
    app.send(if method == Method::GET { request } else { request.json(body) }).await
}

async fn get(app: &TestApp, key: &str, path: &str) -> Reply {
    ask(app, key, Method::GET, path, &Value::Null).await
}

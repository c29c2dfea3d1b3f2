//! API keys: made, narrowed, rolled, used, ended.

use mizan::auth::{CreateKey, Mode, Role};
use reqwest::Method;
use serde_json::{Value, json};

use super::{ask, get};
use crate::support_app::{Reply, TestApp, make_key_of};

const HOUR: u64 = 3_600;

async fn made(app: &TestApp, body: Value) -> Reply {
    let made = app.post("/v1/api_keys", body).await;
    assert_eq!(made.status, 201, "{made:#?}");
    made
}

async fn can_read(app: &TestApp, key: &str) -> bool {
    let answer = get(app, key, "/v1/payment_intents").await;
    assert!([200, 401].contains(&answer.status), "{answer:#?}");
    answer.status == 200
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_nowhere() {
    let app = TestApp::new().await;
    let body = json!({ "name": "shop", "role": "support", "scopes": ["payments:read"] });
    let post = || {
        let request = app.request(Method::POST, "/v1/api_keys").header("Idempotency-Key", "one");
        app.send(request.json(&body))
    };
    let made = post().await;
    let secret = made.text("secret").to_owned();
    assert!(secret.starts_with("mz_test_") && can_read(&app, &secret).await, "{made:#?}");
    let again = post().await;
    assert_eq!((again.id(), &again.body["secret"]), (made.id(), &Value::Null));
    let list = app.get("/v1/api_keys").await;
    assert!(!list.body.to_string().contains(&secret));
    let tables = "select string_agg(coalesce(query_to_xml(
                      format('select * from %s', c.oid::regclass), true, true, '')::text, ''), '')
                  from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where c.relkind = 'r' and n.nspname in ('auth', 'http', 'outbox', 'mizan')";
    let dump: String = app.sql(tables).await;
    assert!(dump.contains(made.id().trim_start_matches("key_").get(..8).unwrap()), "no dump");
    assert!(!dump.contains(&secret) && !dump.contains(&secret[8..]));
}

#[tokio::test]
async fn a_narrowed_key_does_what_its_scopes_say_and_makes_no_wider_one() {
    let app = TestApp::new().await;
    let body = json!({
        "name": "till", "role": "admin", "scopes": ["payments:read", "keys:write"],
    });
    let narrow = made(&app, body).await.text("secret").to_owned();
    assert!(can_read(&app, &narrow).await);
    let refused = ask(&app, &narrow, Method::POST, "/v1/refunds", &json!({})).await;
    assert_eq!((refused.status, refused.text("code")), (403, "not_allowed"));
    assert!(refused.text("detail").contains("`refunds:write`"), "{refused:#?}");
    let post =
        async |key: &str, body: Value| ask(&app, key, Method::POST, "/v1/api_keys", &body).await;
    for wider in [
        json!({ "name": "x", "role": "admin" }),
        json!({ "name": "x", "role": "admin", "scopes": ["payments:write"] }),
        json!({ "name": "x", "role": "super_admin", "scopes": ["payments:read"] }),
    ] {
        let refused = post(&narrow, wider).await;
        assert_eq!((refused.status, refused.text("code")), (403, "not_allowed"), "{refused:#?}");
    }
    let same = json!({ "name": "x", "role": "support", "scopes": ["payments:read"] });
    assert_eq!(post(&narrow, same).await.status, 201);
    for (body, param) in [
        (json!({ "name": "", "role": "admin" }), "name"),
        (json!({ "name": "x", "role": "boss" }), "role"),
        (json!({ "name": "x", "role": "vendor" }), "subject"),
        (json!({ "name": "x", "role": "admin", "subject": "V1" }), "subject"),
        (json!({ "name": "x", "role": "admin", "scopes": ["cards:read"] }), "scopes[0]"),
        (
            json!({ "name": "x", "role": "admin", "expires_at": "2020-01-01T00:00:00Z" }),
            "expires_at",
        ),
        (json!({ "name": "x", "role": "admin", "mode": "live" }), "mode"),
    ] {
        let refused = app.post("/v1/api_keys", body).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{refused:#?}");
    }
}

#[tokio::test]
async fn a_key_is_rolled_with_an_overlap_and_revoked_at_once() {
    let app = TestApp::new().await;
    let old = made(&app, json!({ "name": "shop", "role": "support" })).await;
    let roll = async |id: &str, overlap: u64| {
        let body = json!({ "overlap_seconds": overlap });
        app.post(&format!("/v1/api_keys/{id}/roll"), body).await
    };
    let new = roll(old.id(), HOUR).await;
    assert_eq!((new.status, new.text("rolled_from"), new.text("role")), (201, old.id(), "support"));
    let (first, second) = (old.text("secret"), new.text("secret"));
    assert!(can_read(&app, first).await && can_read(&app, second).await);
    app.advance(HOUR);
    assert!(!can_read(&app, first).await && can_read(&app, second).await);
    assert_eq!(roll(old.id(), 0).await.text("code"), "wrong_state");
    assert_eq!(roll(new.id(), 8 * 86_400).await.text("param"), "overlap_seconds");
    let third = roll(new.id(), 0).await;
    assert!(!can_read(&app, second).await && can_read(&app, third.text("secret")).await);
    let path = format!("/v1/api_keys/{}/revoke", third.id());
    for _ in 0..2 {
        let revoked = app.post(&path, json!({})).await;
        assert_eq!(revoked.status, 200, "{revoked:#?}");
        assert!(revoked.body["revoked_at"].is_string());
    }
    assert!(!can_read(&app, third.text("secret")).await);
    // Nobody ends a key that goes further than the own one.
    let boss = CreateKey::new("boss", Mode::Test, Role::SuperAdmin);
    let boss = make_key_of(&app.app, app.books.tenant, &boss).await;
    let keys = app.get("/v1/api_keys?limit=1").await;
    let id = keys.body["data"][0]["id"].as_str().unwrap();
    let refused = app.post(&format!("/v1/api_keys/{id}/revoke"), json!({})).await;
    assert_eq!((refused.status, refused.text("code")), (403, "not_allowed"));
    assert!(can_read(&app, &boss).await);
}

#[tokio::test]
async fn a_key_expires_and_is_known_to_have_been_used() {
    let app = TestApp::new().await;
    let body = json!({
        "name": "intern", "role": "support", "expires_at": "2026-03-02T10:00:00Z",
    });
    let key = made(&app, body).await;
    let used = async || {
        let list = app.get("/v1/api_keys").await;
        let mut keys = list.body["data"].as_array().unwrap().clone().into_iter();
        keys.find(|it| it["id"] == key.id()).unwrap()["last_used_at"].clone()
    };
    assert_eq!(used().await, Value::Null);
    assert!(can_read(&app, key.text("secret")).await);
    app.tick().await;
    assert_eq!(used().await, "2026-03-02T09:00:00Z");
    app.advance(HOUR);
    assert!(!can_read(&app, key.text("secret")).await);
}

#[tokio::test]
async fn nobody_but_a_super_admin_makes_the_second_persons_key() {
    let app = TestApp::new().await;
    let key = async |role| {
        let command = CreateKey::new("tests", Mode::Test, role);
        make_key_of(&app.app, app.books.tenant, &command).await
    };
    let (admin, boss) = (key(Role::Admin).await, key(Role::SuperAdmin).await);
    let post = async |key: &str, body: &Value| {
        ask(&app, key, Method::POST, "/v1/api_keys", body).await.status
    };
    for approving in [
        json!({ "name": "x", "role": "finance" }),
        json!({ "name": "x", "role": "admin" }),
        json!({ "name": "x", "role": "finance", "scopes": ["approvals:write"] }),
    ] {
        assert_eq!(post(&admin, &approving).await, 403, "{approving}");
        assert_eq!(post(&boss, &approving).await, 201, "{approving}");
    }
    for harmless in [
        json!({ "name": "x", "role": "finance", "scopes": ["payouts:write", "approvals:read"] }),
        json!({ "name": "x", "role": "support" }),
    ] {
        assert_eq!(post(&admin, &harmless).await, 201, "{harmless}");
    }
    // Rolling would be another way to a second key; ending one is not.
    let finance =
        ask(&app, &boss, Method::POST, "/v1/api_keys", &json!({ "name": "x", "role": "finance" }))
            .await;
    for (verb, status) in [("roll", 403), ("revoke", 200)] {
        let path = format!("/v1/api_keys/{}/{verb}", finance.id());
        assert_eq!(ask(&app, &admin, Method::POST, &path, &json!({})).await.status, status);
    }
}

#[tokio::test]
async fn a_key_that_expires_makes_none_that_lasts_longer() {
    let app = TestApp::new().await;
    let end = "2026-03-02T10:00:00Z";
    let command = CreateKey {
        expires_at: Some(end.parse().unwrap()),
        ..CreateKey::new("intern", Mode::Test, Role::Admin)
    };
    let key = make_key_of(&app.app, app.books.tenant, &command).await;
    for (expires_at, status) in
        [(Value::Null, 403), (json!("2026-03-02T10:00:01Z"), 403), (json!(end), 201)]
    {
        let body = json!({ "name": "x", "role": "support", "expires_at": expires_at });
        let made = ask(&app, &key, Method::POST, "/v1/api_keys", &body).await;
        assert_eq!(made.status, status, "{made:#?}");
    }
}

//! The audit log: who commanded what, in the transaction that obeyed it.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::payouts::shop::{Shop, iban};
use crate::support_app::TestApp;

async fn log(app: &TestApp, query: &str) -> Vec<Value> {
    let list = app.get(&format!("/v1/audit_log?limit=100{query}")).await;
    assert_eq!(list.status, 200, "{list:#?}");
    list.body["data"].as_array().unwrap().clone()
}

fn brief(rows: &[Value]) -> Vec<String> {
    let one = |it: &Value| {
        let text = |field: &str| it[field].as_str().unwrap_or("-").to_owned();
        format!("{} {} {}", text("action"), it["status"], text("about"))
    };
    rows.iter().rev().map(one).collect()
}

#[tokio::test]
async fn every_command_is_in_the_log_with_who_and_what() {
    let app = TestApp::new().await;
    let payment = app.paid(&[("V1", 10_500)]).await;
    let refund = app.refund(&payment, Some(500)).await;
    let refused = app.refund(&payment, Some(99_999)).await;
    assert_eq!(refused.status, 409);
    let rows = log(&app, "").await;
    assert_eq!(
        brief(&rows),
        [
            format!("POST /v1/payment_intents 201 {payment}"),
            format!("POST /v1/payment_intents/{{id}}/confirm null {payment}"),
            format!("POST /v1/payment_intents/{{id}}/confirm 200 {payment}"),
            "POST /v1/refunds null -".to_owned(),
            format!("POST /v1/refunds 200 {}", refund.id()),
            "POST /v1/refunds 409 -".to_owned(),
        ]
    );
    let newest = &rows[0];
    assert_eq!(newest["after"]["code"], "amount_exceeds_rest");
    assert_eq!((&newest["role"], &newest["before"]), (&json!("admin"), &Value::Null));
    assert_eq!(newest["request_id"], refused.headers["request-id"].to_str().unwrap());
    let actor = newest["actor"].as_str().unwrap();
    assert!(actor.starts_with("key_"));
    for (query, count) in [
        (format!("&actor={actor}"), 6),
        (format!("&object={payment}"), 3),
        ("&action=POST%20/v1/refunds".to_owned(), 3),
        ("&created[gte]=2026-03-02T09:00:01Z".to_owned(), 0),
        ("&created[lt]=2026-03-02T09:00:01Z".to_owned(), 6),
        ("&object=po_1".to_owned(), 0),
    ] {
        assert_eq!(log(&app, &query).await.len(), count, "{query}");
    }
    let page = app.get("/v1/audit_log?limit=2").await;
    assert_eq!(page.body["has_more"], true);
    let last = page.body["data"][1]["id"].as_str().unwrap();
    assert_eq!(log(&app, &format!("&starting_after={last}")).await.len(), 4);
    let stranger = app.strangers_key().await;
    let theirs = super::get(&app, &stranger, "/v1/audit_log").await;
    assert_eq!(theirs.body["data"], json!([]));
    app.prove_laws().await;
}

#[tokio::test]
async fn what_changes_is_told_with_what_it_was_and_without_secrets() {
    let shop = Shop::open().await;
    let app = &shop.app;
    for zone in ["Asia/Dubai", "Asia/Riyadh"] {
        let set = app.put("/v1/settings", json!({ "time_zone": zone })).await;
        assert_eq!(set.status, 200, "{set:#?}");
    }
    let path = "/v1/vendors/V1/bank_account";
    let mut other = iban();
    other["iban"] = "AE070331234567890123456".into();
    for account in [&iban(), &other] {
        assert_eq!(shop.put(path, account.clone()).await.status, 200);
    }
    let terms = "/v1/vendors/V1/payout_terms";
    for schedule in ["daily", "manual"] {
        let body = json!({ "schedule": schedule });
        shop.terms("vendors/V1", body).await;
    }
    assert_eq!(app.get(terms).await.status, 200);
    let rows = log(app, "").await;
    let newest = |action: &str| rows.iter().find(|it| it["action"] == action).unwrap();
    let settings = newest("PUT /v1/settings");
    assert_eq!(settings["before"]["time_zone"], "Asia/Dubai");
    assert_eq!(settings["after"]["time_zone"], "Asia/Riyadh");
    let account = newest("PUT /v1/vendors/{payee}/bank_account");
    assert_eq!((&account["about"], &account["status"]), (&json!("V1"), &json!(200)));
    assert_eq!(account["before"]["last4"], "5501");
    assert_eq!(account["after"]["last4"], "3456");
    let text = serde_json::to_string(&rows).unwrap();
    assert!(!text.contains("AE07033") && !text.contains("AE97026"), "{text}");
    let terms = newest("PUT /v1/vendors/{payee}/payout_terms");
    assert_eq!(terms["before"]["schedule"], "daily");
    assert_eq!(terms["after"]["schedule"], "manual");
}

#[tokio::test]
async fn a_command_that_is_not_obeyed_leaves_no_row_and_rows_stay_as_they_are() {
    let app = TestApp::new().await;
    // Malformed: nothing was commanded.
    let wrong = app.post("/v1/refunds", json!({ "amount": 1 })).await;
    assert_eq!(wrong.status, 400);
    assert!(log(&app, "").await.is_empty());
    // A repetition is no second command.
    let post = || {
        let request = app.request(Method::POST, "/v1/fx_rates").header("Idempotency-Key", "one");
        let rate = json!({ "base": "USD", "quote": "AED", "rate": "3.6725", "source": "cb" });
        app.send(request.json(&rate))
    };
    for _ in 0..3 {
        assert_eq!(post().await.status, 201);
    }
    assert_eq!(log(&app, "").await.len(), 1);
    let mut owner = app.books.db.owner().await;
    for change in [
        "update audit.entry set actor = 'nobody'",
        "delete from audit.entry",
        "truncate audit.entry",
    ] {
        let refused = sqlx::raw_sql(AssertSqlSafe(change)).execute(&mut owner).await.unwrap_err();
        let refused = refused.into_database_error().unwrap();
        assert_eq!(refused.constraint(), Some("audit_is_append_only"), "{change}");
    }
}

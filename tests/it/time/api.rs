//! The past and closed days through the interface.

use serde_json::{Value, json};

use super::at;
use crate::support_app::{Reply, TestApp};

/// A transfer of so many minor units, dated.
fn transfer(amount: i64, effective_at: &str, authority: &str) -> Value {
    let entry = |account: &str, side: &str| {
        let currency = "AED";
        json!({ "account": account, "side": side, "amount": amount, "currency": currency })
    };
    json!({
        "kind": "test.moved", "effective_at": effective_at, "authority": authority,
        "entries": [entry("bank:main", "debit"), entry("suspense:bank", "credit")],
    })
}

async fn post(app: &TestApp, amount: i64, effective_at: &str) -> Reply {
    let made = app.post("/v1/ledger/transactions", transfer(amount, effective_at, "command")).await;
    assert_eq!(made.status, 201, "{made:#?}");
    made
}

/// The id of the bank's account.
async fn bank(app: &TestApp) -> String {
    let found = app.get("/v1/ledger/accounts?role=bank").await;
    found.body["data"][0]["id"].as_str().unwrap().to_owned()
}

/// 1.00 dated and recorded in March; 10.00 dated into March and recorded in April.
async fn two_months() -> TestApp {
    let app = TestApp::new().await;
    app.app.clock.set(at("2026-03-30T09:00:00Z")).unwrap();
    post(&app, 100, "2026-03-30T09:00:00Z").await;
    app.app.clock.set(at("2026-04-03T09:00:00Z")).unwrap();
    post(&app, 1_000, "2026-03-31T09:00:00Z").await;
    post(&app, 10_000, "2026-04-02T09:00:00Z").await;
    app.app.clock.set(at("2026-04-10T09:00:00Z")).unwrap();
    app
}

#[tokio::test]
async fn a_balance_has_one_answer_for_a_day_of_the_world_and_a_day_of_knowing() {
    let app = two_months().await;
    let path = format!("/v1/ledger/accounts/{}/balance", bank(&app).await);
    for turn in ["from entries", "from daily sums"] {
        for (query, balance, entries, position) in [
            ("", 11_100, Some(3), None),
            ("?effective=2026-03-29", 0, None, Some(3)),
            ("?effective=2026-03-31", 1_100, None, Some(3)),
            ("?effective=2026-03-31&known=2026-04-02", 100, None, Some(1)),
            ("?effective=2026-03-31&known=2026-04-03", 1_100, None, Some(3)),
            ("?known=2026-03-31", 100, Some(1), Some(1)),
            ("?known_at=2026-03-30T13:00:00%2B04:00", 100, Some(1), Some(1)),
            ("?known_at=2026-03-30T08:59:59.999999Z", 0, Some(0), Some(0)),
            ("?effective=2026-04-02&known_at=2026-04-03T09:00:00Z", 11_100, None, Some(3)),
        ] {
            let found = app.get(&format!("{path}{query}")).await;
            assert_eq!(found.int("balance"), balance, "{turn}: {query}: {found:#?}");
            assert_eq!(found.int("debits") - found.int("credits"), balance, "{query}");
            assert_eq!(found.body["entries"].as_i64(), entries, "{query}");
            assert_eq!(found.body["scope"]["position"].as_i64(), position, "{query}");
        }
        app.tick().await;
    }
    let asked = app.get(&format!("{path}?effective=2026-03-31&known=2026-04-02")).await;
    assert_eq!(
        asked.body["scope"],
        json!({
            "effective": "2026-03-31", "known": "2026-04-02", "known_at": null,
            "time_zone": "Asia/Dubai", "position": 1,
        })
    );
    assert_eq!(app.sql::<i64>("select count(*) from ledger.folded_day").await, 2);
    app.prove_laws().await;
}

#[tokio::test]
async fn a_statement_of_days_opens_lists_and_closes() {
    let app = two_months().await;
    let path = format!("/v1/ledger/accounts/{}/dated_statement", bank(&app).await);
    let days = "?from=2026-03-31&through=2026-04-30";
    let found = app.get(&format!("{path}{days}")).await;
    let figures = |found: &Reply| {
        let lines = found.body["lines"].as_array().unwrap().iter();
        let lines: Vec<i64> = lines.map(|l| l["balance_after"].as_i64().unwrap()).collect();
        (found.int("opening_balance"), lines, found.int("closing_balance"))
    };
    assert_eq!(figures(&found), (100, vec![1_100, 11_100], 11_100), "{found:#?}");
    let before = app.get(&format!("{path}{days}&known=2026-04-02")).await;
    assert_eq!(figures(&before), (100, vec![], 100));

    app.tick().await;
    let first = app.get(&format!("{path}{days}&limit=1")).await;
    assert_eq!((figures(&first).1, first.body["has_more"].clone()), (vec![1_100], json!(true)));
    let last = first.body["lines"][0]["transaction"].as_str().unwrap();
    let second = app.get(&format!("{path}{days}&limit=1&starting_after={last}")).await;
    assert_eq!((figures(&second).1, second.body["has_more"].clone()), (vec![11_100], json!(false)));
}

#[tokio::test]
async fn a_trial_balance_of_the_past_sums_to_zero() {
    let app = two_months().await;
    app.tick().await;
    for (query, total) in [
        ("effective=2026-03-31&known=2026-04-02", Some(100)),
        ("effective=2026-03-31", Some(1_100)),
        ("known_at=2026-03-01T00:00:00Z", None),
    ] {
        let found = app.get(&format!("/v1/ledger/trial_balance?detail=account&{query}")).await;
        let totals = &found.body["totals"];
        assert_eq!(totals[0]["debit"].as_i64(), total, "{query}: {found:#?}");
        assert_eq!(totals[0]["debit"], totals[0]["credit"]);
        assert_eq!(found.body["scope"]["time_zone"], "Asia/Dubai");
    }
    let now = app.get("/v1/ledger/trial_balance").await;
    assert!(now.body["scope"].is_null() && now.body["totals"][0]["debit"] == 11_100, "{now:#?}");
}

#[tokio::test]
async fn days_are_closed_once_and_refuse_from_then_on() {
    let app = two_months().await;
    let close = |through: &'static str| {
        app.post("/v1/ledger/periods", json!({ "closed_through": through }))
    };
    let closed = close("2026-03-31").await;
    assert_eq!((closed.status, closed.text("closed_through")), (201, "2026-03-31"));
    assert_eq!(closed.text("open_from"), "2026-03-31T20:00:00Z");
    assert!(closed.text("closed_by").starts_with("key_"), "{closed:#?}");
    for again in ["2026-03-31", "2026-01-31"] {
        let again = close(again).await;
        assert_eq!((again.status, again.text("closed_through")), (200, "2026-03-31"));
    }
    let early = close("2026-04-10").await;
    assert_eq!((early.problem(), early.text("param")), ((400, "invalid_field"), "closed_through"));
    assert!(early.text("detail").contains("2026-04-10T20:00:00Z"), "{early:#?}");
    assert_eq!(close("31.03.2026").await.problem(), (400, "invalid_field"));

    let late = transfer(7, "2026-03-31T19:59:59Z", "command");
    let key = app.fresh();
    for _ in 0..2 {
        let refused = app.post_as(&key, "/v1/ledger/transactions", late.clone()).await;
        assert_eq!(refused.problem(), (409, "period_closed"), "{refused:#?}");
        assert!(refused.text("detail").contains("2026-03-31T20:00:00Z"));
    }
    let fact = transfer(7, "2026-03-15T12:00:00Z", "fact");
    let booked = app.post("/v1/ledger/transactions", fact).await;
    assert_eq!((booked.status, booked.text("effective_at")), (201, "2026-03-31T20:00:00Z"));
    assert_eq!(booked.body["metadata"]["effective_asked"], "2026-03-15T12:00:00Z");
    let read = app.get(&format!("/v1/ledger/transactions/{}", booked.id())).await;
    assert_eq!(read.body["metadata"], booked.body["metadata"]);
    let announced: Value =
        app.sql("select payload from outbox.event order by event_position desc limit 1").await;
    assert_eq!(announced["effective_at"], "2026-03-31T20:00:00Z");

    assert_eq!(close("2026-04-02").await.status, 201);
    let listed = app.get("/v1/ledger/periods?limit=1").await;
    assert_eq!(listed.body["data"][0]["closed_through"], "2026-04-02");
    assert_eq!(listed.body["has_more"], true);
    let rest = app.get("/v1/ledger/periods?starting_after=2026-04-02").await;
    assert_eq!(rest.body["data"][0]["closed_through"], "2026-03-31");
    assert_eq!(
        (rest.body["has_more"].clone(), rest.body["data"].as_array().unwrap().len()),
        (json!(false), 1)
    );
    app.prove_laws().await;
}

#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused_and_never_answered_in_part() {
    let app = two_months().await;
    let account = format!("/v1/ledger/accounts/{}", bank(&app).await);
    for (path, param) in [
        (format!("{account}/balance?effective=yesterday"), "effective"),
        (format!("{account}/balance?known=2026-04-11"), "known"),
        (format!("{account}/balance?known_at=2026-04-11T00:00:00Z"), "known_at"),
        (format!("{account}/balance?known=2026-04-01&known_at=2026-04-01T00:00:00Z"), "known_at"),
        (format!("{account}/balance?as_of=2026-04-01"), "as_of"),
        (format!("{account}/statement?known=2026-04-01"), "known"),
        (format!("{account}/dated_statement?from=2026-04-01"), "through"),
        (format!("{account}/dated_statement?from=2026-04-02&through=2026-04-01"), "from"),
        (format!("{account}/dated_statement?from=2026-04-01&through=2026-04-02&limit=0"), "limit"),
        (
            format!(
                "{account}/dated_statement?from=2026-04-01&through=2026-04-02&starting_after={}",
                "txn_01kjq000000000000000000000"
            ),
            "starting_after",
        ),
        ("/v1/ledger/trial_balance?effective=2026-02-30".to_owned(), "effective"),
        ("/v1/ledger/periods?starting_after=2026".to_owned(), "starting_after"),
        ("/v1/ledger/periods?ending_before=2026-01-01".to_owned(), "ending_before"),
    ] {
        let refused = app.get(&path).await;
        assert_eq!(refused.status, 400, "{path}: {refused:#?}");
        assert_eq!(refused.text("param"), param, "{path}: {refused:#?}");
    }
    let body = json!({ "closed_through": "2026-03-31", "reopen": true });
    assert_eq!(app.post("/v1/ledger/periods", body).await.problem(), (400, "unknown_field"));
    let mut own = transfer(7, "2026-04-09T12:00:00Z", "command");
    own["metadata"] = json!({ "effective_asked": "2026-01-01" });
    let refused = app.post("/v1/ledger/transactions", own).await;
    assert_eq!(
        (refused.problem(), refused.text("param")),
        ((400, "invalid_field"), "metadata.effective_asked")
    );

    let stranger = app.strangers_key().await;
    for path in
        ["balance?effective=2026-03-31", "dated_statement?from=2026-03-01&through=2026-03-31"]
    {
        let url = format!("{}{account}/{path}", app.url);
        let asked = app.send(app.client.get(url).bearer_auth(&stranger)).await;
        assert_eq!(asked.problem(), (404, "not_found"), "{path}");
    }
    assert_eq!(app.get("/v1/ledger/periods").await.body["data"], json!([]));
}

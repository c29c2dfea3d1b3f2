//! Rates of exchange and open positions valued by them.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{book, events, net};
use crate::support::Actor;
use crate::support::raw::attempt;
use crate::support_app::{Reply, TestApp};

fn entry(account: &str, side: &str, amount: i64, currency: &str) -> Value {
    json!({ "account": account, "side": side, "amount": amount, "currency": currency })
}

/// 1,000.00 USD bought for 3,672.50 AED.
fn bought() -> Value {
    json!([
        entry("bank:usd", "debit", 100_000, "USD"),
        entry("fx_clearing", "credit", 100_000, "USD"),
        entry("fx_clearing", "debit", 367_250, "AED"),
        entry("bank:aed", "credit", 367_250, "AED"),
    ])
}

fn usd(on: &str, rate: Option<&str>) -> Value {
    json!({ "currency": "USD", "into": "AED", "on": on, "rate": rate })
}

async fn add_rate(app: &TestApp, rate: &str, at: &str) -> Reply {
    let body =
        json!({ "base": "USD", "quote": "AED", "rate": rate, "source": "central bank", "at": at });
    app.post("/v1/fx_rates", body).await
}

/// What stands on gain, loss and clearing at the end of a day.
async fn at_end_of(app: &TestApp, day: &str) -> [i64; 3] {
    let trial = app.get(&format!("/v1/ledger/trial_balance?detail=account&effective={day}")).await;
    let lines = trial.body["data"].as_array().or(trial.body["lines"].as_array()).unwrap();
    ["fx_gain", "fx_loss", "fx_clearing"].map(|account| {
        let line = lines.iter().find(|it| it["account"] == account && it["currency"] == "AED");
        let side = |side: &str| line.and_then(|it| it[side].as_i64()).unwrap_or_default();
        side("debit") - side("credit")
    })
}

#[tokio::test]
async fn the_newest_rate_that_is_not_later_counts_and_none_is_changed() {
    let app = TestApp::new().await;
    for (rate, at) in [
        ("3.6725", "2026-02-01T00:00:00Z"),
        ("3.6800", "2026-02-28T00:00:00Z"),
        ("3.670000000001", "2026-02-15T00:00:00+04:00"),
    ] {
        assert_eq!(add_rate(&app, rate, at).await.status, 201);
    }
    for (at, rate) in [
        ("2026-03-01T00:00:00Z", json!("3.68")),
        ("2026-02-28T00:00:00Z", json!("3.68")),
        ("2026-02-27T23:59:59Z", json!("3.670000000001")),
        ("2026-02-14T19:59:59Z", json!("3.6725")),
        ("2026-01-31T23:59:59Z", Value::Null),
    ] {
        let found = app.get(&format!("/v1/fx_rates?base=USD&quote=AED&at={at}&limit=1")).await;
        assert_eq!(found.body["data"][0]["rate"], rate, "{at}");
    }
    let inverse = app.get("/v1/fx_rates?base=AED&quote=USD").await;
    assert_eq!(inverse.body["data"], json!([]));
    let page = app.get("/v1/fx_rates?limit=2").await;
    let last = page.body["data"][1]["id"].as_str().unwrap();
    let rest = app.get(&format!("/v1/fx_rates?starting_after={last}")).await;
    assert_eq!(
        (page.body["has_more"].clone(), &rest.body["data"][0]["rate"]),
        (json!(true), &json!("3.6725"))
    );

    for (field, value) in [
        ("rate", "0"),
        ("rate", "-1"),
        ("rate", "1e3"),
        ("rate", "3.6725000000001"),
        ("quote", "USD"),
        ("source", ""),
        ("at", "soon"),
    ] {
        let mut body = json!({ "base": "USD", "quote": "AED", "rate": "3", "source": "bank" });
        body[field] = value.into();
        let refused = app.post("/v1/fx_rates", body).await;
        assert_eq!((refused.status, refused.text("param")), (400, field), "{value}");
    }
    for statement in ["update finance.fx_rate set rate = '4'", "delete from finance.fx_rate"] {
        let told = attempt(&app.books.db, Actor::Service, app.books.tenant, statement).await;
        assert!(told.starts_with("42501"), "{told}");
    }
}

#[tokio::test]
async fn an_open_position_is_worth_more_at_the_end_of_the_month_and_not_on_the_next_day() {
    let app = TestApp::new().await;
    let mut body = json!({ "kind": "fx.bought", "entries": bought() });
    body["effective_at"] = "2026-02-10T09:00:00Z".into();
    assert_eq!(app.post("/v1/ledger/transactions", body).await.status, 201);
    // Of another purchase, which has nothing to do with this one.
    book(
        &app,
        json!([
            entry("bank:eur", "debit", 5_000, "EUR"),
            entry("fx_clearing", "credit", 5_000, "EUR"),
            entry("fx_clearing", "debit", 20_000, "AED"),
            entry("bank:aed", "credit", 20_000, "AED"),
        ]),
    )
    .await;

    let none = app.post("/v1/fx_revaluations", usd("2026-02-28", None)).await;
    assert_eq!((none.problem(), none.text("param")), ((422, "unknown_reference"), "rate"));
    add_rate(&app, "3.6800", "2026-02-28T19:59:59Z").await;
    add_rate(&app, "3.9900", "2026-02-28T20:00:00Z").await;
    let valued = app.post("/v1/fx_revaluations", usd("2026-02-28", None)).await;
    assert_eq!(valued.status, 201, "{valued:#?}");
    let figures = ["position", "book", "value", "difference"].map(|name| valued.int(name));
    assert_eq!(figures, [100_000, 367_250, 368_000, 750]);
    assert_eq!(valued.text("rate"), "3.68");

    assert_eq!(at_end_of(&app, "2026-02-28").await, [-750, 0, 368_000]);
    assert_eq!(at_end_of(&app, "2026-03-01").await, [0, 0, 367_250]);
    let read = async |field: &str| {
        let id = valued.text(field).to_owned();
        app.get(&format!("/v1/ledger/transactions/{id}")).await
    };
    let (first, back) = (read("transaction").await, read("reversal").await);
    assert_eq!(first.text("effective_at"), "2026-02-28T19:59:59.999999Z");
    assert_eq!(back.text("effective_at"), "2026-02-28T20:00:00Z");
    assert_eq!((first.text("kind"), back.text("kind")), ("fx.revalued", "fx.revaluation_reversed"));
    assert_eq!(back.body["reverses"], first.body["id"]);
    assert!(
        events(&app).await.ends_with(&["fx.revalued".into(), "fx.revaluation_reversed".into()])
    );

    let again = app.post("/v1/fx_revaluations", usd("2026-02-28", Some("3.7"))).await;
    assert_eq!(again.problem(), (409, "reference_reused"), "{again:#?}");
    let next = app.post("/v1/fx_revaluations", usd("2026-03-01", Some("3.6700"))).await;
    assert_eq!((next.status, next.int("difference")), (201, -250), "{next:#?}");
    assert_eq!(at_end_of(&app, "2026-03-01").await, [0, 250, 367_000]);
    assert_eq!((net(&app, "fx_loss").await, net(&app, "fx_gain").await), (0, 0));
    assert_eq!(app.get("/v1/fx_revaluations").await.body["data"][1]["id"], valued.body["id"]);
    app.prove_laws().await;
}

#[tokio::test]
async fn what_is_owed_in_another_currency_gains_when_it_gets_cheaper() {
    let app = TestApp::new().await;
    // 3,672.50 AED of a vendor were promised as 989.89 USD.
    book(
        &app,
        json!([
            entry("vendor_payable:V1:available", "debit", 367_250, "AED"),
            entry("fx_clearing", "credit", 367_250, "AED"),
            entry("fx_clearing", "debit", 98_989, "USD"),
            entry("payouts_in_transit:wire", "credit", 98_989, "USD"),
        ]),
    )
    .await;
    app.advance(86_400);
    let valued = app.post("/v1/fx_revaluations", usd("2026-03-02", Some("3.68"))).await;
    let figures = ["position", "book", "value", "difference"].map(|name| valued.int(name));
    assert_eq!(figures, [-98_989, -367_250, -364_280, 2_970]);
    assert_eq!(at_end_of(&app, "2026-03-02").await[0], -2_970);

    let today = app.post("/v1/fx_revaluations", usd("2026-03-03", Some("3.68"))).await;
    assert_eq!((today.problem(), today.text("param")), ((400, "invalid_field"), "on"));
    let same = json!({ "currency": "USD", "into": "USD", "on": "2026-03-02", "rate": "1" });
    let same = app.post("/v1/fx_revaluations", same).await;
    assert_eq!((same.problem(), same.text("param")), ((400, "invalid_field"), "into"));
    // Where nothing is open, nothing is booked, and the day is done all the same.
    let yen = json!({ "currency": "JPY", "into": "AED", "on": "2026-03-02", "rate": "0.025" });
    let none = app.post("/v1/fx_revaluations", yen.clone()).await;
    assert_eq!((none.status, &none.body["transaction"]), (201, &Value::Null), "{none:#?}");
    let again = app.post("/v1/fx_revaluations", yen).await;
    assert_eq!(again.problem(), (409, "reference_reused"));
    app.prove_laws().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_value_the_same_day_at_once_one_does() {
    let app = Arc::new(TestApp::new().await);
    book(&app, bought()).await;
    app.advance(86_400);
    let mut valuing = JoinSet::new();
    for _ in 0..8 {
        let app = Arc::clone(&app);
        valuing.spawn(async move {
            app.post("/v1/fx_revaluations", usd("2026-03-02", Some("3.68"))).await
        });
    }
    let answers = valuing.join_all().await;
    assert_eq!(answers.iter().filter(|it| it.status == 201).count(), 1, "{answers:#?}");
    let refused = answers.iter().filter(|it| it.status != 201);
    assert!(refused.map(Reply::problem).all(|it| it == (409, "reference_reused")));
    assert_eq!(at_end_of(&app, "2026-03-02").await[0], -750);
    app.prove_laws().await;
}

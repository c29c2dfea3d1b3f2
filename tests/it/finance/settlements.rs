//! Settlements that a person saw, and liabilities that are paid.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{book, events, net, pair};
use crate::support_app::{Reply, TestApp};

const CLEARING: &str = "gateway_clearing:telr";
const TRANSIT: &str = "settlement_in_transit:telr";

/// Books in which the gateway owes 100.75.
async fn owed() -> TestApp {
    let app = TestApp::new().await;
    book(&app, pair(CLEARING, "vendor_payable:V1:pending", 10_075)).await;
    app
}

fn seen(stage: &str, more: Value) -> Value {
    let mut body =
        json!({ "provider": "telr", "currency": "AED", "amount": 10_075, "stage": stage });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_settlement_is_reported_then_received_less_what_the_bank_kept() {
    let app = owed().await;
    let told = seen("reported", json!({ "reference": "S-1" }));
    let reported = app.post("/v1/settlements", told.clone()).await;
    assert_eq!(reported.status, 201, "{reported:#?}");
    assert_eq!((net(&app, CLEARING).await, net(&app, TRANSIT).await), (0, 10_075));

    let arrived = json!({ "reference": "S-1", "bank": "aed_main", "received": 9_875 });
    let received = app.post("/v1/settlements", seen("received", arrived.clone())).await;
    assert_eq!((received.status, received.int("received")), (201, 9_875), "{received:#?}");
    assert_eq!((net(&app, TRANSIT).await, net(&app, "bank:aed_main").await), (0, 9_875));
    assert_eq!(net(&app, "bank_charges").await, 200);

    for body in [
        told,
        seen("received", arrived),
        seen("direct", json!({ "reference": "S-1", "bank": "aed_main" })),
    ] {
        let again = app.post("/v1/settlements", body).await;
        assert_eq!(again.problem(), (409, "reference_reused"), "{again:#?}");
    }
    let mut other = seen("reported", json!({ "reference": "S-1" }));
    other["provider"] = "paytabs".into();
    assert_eq!(app.post("/v1/settlements", other).await.status, 201);

    let listed = app.get("/v1/settlements?provider=telr").await;
    let stages: Vec<&str> = listed.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["stage"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["received", "reported"]);
    let told = events(&app).await;
    assert!(told.contains(&"settlement.received".to_owned()), "{told:?}");
    app.prove_laws().await;
}

#[tokio::test]
async fn what_went_straight_into_the_bank_is_told_once() {
    let app = owed().await;
    let direct = seen("direct", json!({ "reference": "S-2", "bank": "aed_main" }));
    assert_eq!(app.post("/v1/settlements", direct).await.status, 201);
    assert_eq!((net(&app, CLEARING).await, net(&app, "bank:aed_main").await), (0, 10_075));
    for (stage, more) in [
        ("reported", json!({ "reference": "S-2" })),
        ("received", json!({ "reference": "S-2", "bank": "aed_main" })),
    ] {
        let again = app.post("/v1/settlements", seen(stage, more)).await;
        assert_eq!(again.problem(), (409, "reference_reused"), "{stage}");
    }
    // Without a reference nobody can tell two from one.
    for _ in 0..2 {
        assert_eq!(app.post("/v1/settlements", seen("reported", json!({}))).await.status, 201);
    }
    app.prove_laws().await;
}

#[tokio::test]
async fn a_settlement_that_cannot_be_is_refused_with_the_place() {
    let app = owed().await;
    for (body, param) in [
        (seen("received", json!({})), "bank"),
        (seen("direct", json!({})), "bank"),
        (seen("reported", json!({ "bank": "aed_main" })), "bank"),
        (seen("received", json!({ "bank": "aed_main", "received": 10_076 })), "received"),
        (seen("received", json!({ "bank": "aed_main", "received": 0 })), "received"),
        (seen("direct", json!({ "bank": "aed_main", "received": 1 })), "received"),
        (seen("direct", json!({ "bank": "a:b" })), "bank"),
        (seen("reported", json!({ "amount": 0 })), "amount"),
        (seen("reported", json!({ "currency": "aed" })), "currency"),
        (seen("reported", json!({ "provider": "" })), "provider"),
        (seen("arrived", json!({})), "stage"),
    ] {
        let refused = app.post("/v1/settlements", body.clone()).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{body}: {refused:#?}");
    }
}

fn paid(amount: i64, reference: Option<&str>) -> Value {
    json!({
        "account": "tds_payable:ecommerce", "bank": "aed_main", "amount": amount,
        "currency": "AED", "reference": reference,
    })
}

#[tokio::test]
async fn never_more_is_remitted_than_is_owed() {
    let app = TestApp::new().await;
    book(&app, pair("bank:aed_main", "tds_payable:ecommerce", 1_000)).await;
    let first = app.post("/v1/remittances", paid(400, Some("R-1"))).await;
    assert_eq!(first.status, 201, "{first:#?}");
    let more = app.post("/v1/remittances", paid(601, None)).await;
    assert_eq!(more.problem(), (409, "amount_exceeds_rest"), "{more:#?}");
    assert!(more.text("detail").contains("6.00 AED"), "{more:#?}");
    let again = app.post("/v1/remittances", paid(100, Some("R-1"))).await;
    assert_eq!(again.problem(), (409, "reference_reused"));
    assert_eq!(app.post("/v1/remittances", paid(600, None)).await.status, 201);
    assert_eq!(net(&app, "tds_payable:ecommerce").await, 0);
    for account in ["vendor_payable:V1:available", "bank:aed_main", "tds", "refunds_payable"] {
        let mut body = paid(1, None);
        body["account"] = account.into();
        let refused = app.post("/v1/remittances", body).await;
        assert_eq!((refused.problem(), refused.text("param")), ((400, "invalid_field"), "account"));
    }
    assert_eq!(app.get("/v1/remittances").await.body["data"].as_array().unwrap().len(), 2);
    app.prove_laws().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_pay_the_same_liability_at_once_only_what_is_owed_is_paid() {
    let app = Arc::new(TestApp::new().await);
    book(&app, pair("bank:aed_main", "tds_payable:ecommerce", 1_000)).await;
    let mut paying = JoinSet::new();
    for _ in 0..10 {
        let app = Arc::clone(&app);
        paying.spawn(async move { app.post("/v1/remittances", paid(300, None)).await });
    }
    let answers: Vec<Reply> = paying.join_all().await;
    assert_eq!(answers.iter().filter(|it| it.status == 201).count(), 3, "{answers:#?}");
    assert_eq!(net(&app, "tds_payable:ecommerce").await, -100);
    app.prove_laws().await;
}

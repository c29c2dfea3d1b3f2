//! Words that are odd: a webhook that contradicts a refund, a status that nobody knows, a card
//! number where a token belongs.

use reqwest::Method;
use serde_json::{Value, json};

use super::{announced, going_back, in_the_dashboard, kept, refunds, theirs};
use crate::support_app::{TestApp, order};

/// The newest event of a kind with fields of its object changed, under a name of its own.
async fn doctored(app: &TestApp, kind: &str, name: &str, fields: &[(&str, Value)]) -> String {
    let mut event: Value = serde_json::from_str(&app.event(kind).await).unwrap();
    event["id"] = name.into();
    for (field, value) in fields {
        event["data"]["object"][field] = value.clone();
    }
    format!("{event:#}")
}

#[tokio::test]
async fn a_webhook_that_contradicts_a_refund_is_parked_and_moves_no_money() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.paid_with("pm_card_pendingRefund", &[("V1", 52_500)]).await;
    let asked = app.refund(&id, Some(500)).await;
    assert_eq!(asked.says(), (200, "pending"));
    let journal = app.journal().await;
    let odd = [("amount", json!(600)), ("status", json!("succeeded"))];
    let odd = doctored(&app, "refund.created", "evt_odd_amount", &odd).await;
    assert_eq!(app.deliver_signed(&odd).await.says(), (200, "parked"));
    assert!(kept(&app).await[0].contains("says 6.00 AED, asked was 5.00 AED"));
    let payment = app.payment(&id).await;
    assert_eq!((payment.text("status"), going_back(&app, &id).await), ("review", [500, 0]));
    for seconds in [31, 121] {
        app.advance(seconds);
        mizan::inbox::retry_parked(&app.app).await.unwrap();
    }
    assert_eq!((app.journal().await, announced(&app, "payment.review").await), (journal, 1));
    app.prove_laws().await;
    // What the gateway really says still settles it.
    let told = app.event("refund.updated").await;
    assert_eq!(app.deliver_signed(&told).await.says(), (200, "applied"));
    assert_eq!(going_back(&app, &id).await, [0, 500]);
    app.tick().await;
    app.prove().await;
}

#[tokio::test]
async fn a_status_that_nobody_knows_is_parked_and_moves_no_money() {
    let app = TestApp::new().await;
    app.sim.set_webhook_url(None);
    let id = app.paid(&[("V1", 52_500)]).await;
    let word = [("status", json!("half_done"))];
    let of_payment = doctored(&app, "payment_intent.succeeded", "evt_odd_1", &word).await;
    let (before, journal) = (app.payment(&id).await, app.journal().await);
    in_the_dashboard(&app, &theirs(&app, &id, 0).await, 500).await;
    let of_refund = doctored(&app, "refund.created", "evt_odd_2", &word).await;
    for event in [&of_payment, &of_refund] {
        let parked = app.deliver_signed(event).await;
        assert_eq!(parked.says(), (200, "parked"), "{:?}", kept(&app).await);
    }
    assert!(kept(&app).await.iter().all(|one| one.contains("not known")), "{:?}", kept(&app).await);
    let after = app.payment(&id).await;
    assert_eq!((after.body, app.journal().await), (before.body, journal));
    assert_eq!(refunds(&app, &id).await.len(), 0);
    let told = app.event("refund.created").await;
    assert_eq!(app.deliver_signed(&told).await.says(), (200, "applied"));
    assert_eq!(going_back(&app, &id).await, [0, 500]);
    app.tick().await;
    app.prove().await;
}

/// How many rows hold this text, in any table and any type of column.
async fn rows_with(app: &TestApp, text: &str) -> i64 {
    let tables: Vec<String> = app
        .sql(
            "select array_agg(format('%I.%I', n.nspname, c.relname))
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and not c.relispartition
                 and n.nspname not in ('pg_catalog', 'information_schema')",
        )
        .await;
    let (mut found, hex) = (0, hex::encode(text));
    for table in tables {
        let count = format!(
            "select count(*) from {table} r where r::text like '%{text}%' or r::text like '%{hex}%'"
        );
        found += app.sql::<i64>(&count).await;
    }
    found
}

#[tokio::test]
async fn a_card_number_is_refused_everywhere_and_stored_nowhere() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    let confirm = format!("/v1/payment_intents/{id}/confirm");
    let good = order(&[("V1", 52_500)]);
    for (field, value) in [
        ("payment_method", json!("4242424242424242")),
        ("payment_method", json!("4242 4242 4242 4242")),
        ("payment_method", json!("4242-4242-4242-4242")),
        ("payment_method", json!("n4242424242424242")),
        ("payment_method", json!(4_242_424_242_424_242_i64)),
        ("payment_method", json!({ "number": "4242424242424242" })),
        ("card_number", json!("4242424242424242")),
        ("card", json!({ "number": "4242424242424242", "cvc": "123" })),
        ("4242424242424242", json!("12/34")),
    ] {
        for (path, body) in [("/v1/payment_intents", &good), (&confirm, &json!({}))] {
            let mut body = body.clone();
            body[field] = value.clone();
            let request = app.request(Method::POST, path).header("Idempotency-Key", app.fresh());
            let refused = app.send(request.json(&body)).await;
            assert_eq!(refused.status, 400, "{field} = {value} to {path}: {refused:#?}");
            refused.problem();
            if field != "4242424242424242" {
                let told = refused.body.to_string();
                assert!(!told.contains("4242"), "{field} = {value} to {path}: {told}");
            }
        }
    }
    for text in ["4242424242424242", "4242 4242", "4242-4242"] {
        assert_eq!(rows_with(&app, text).await, 0, "{text}");
    }
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    assert!(rows_with(&app, "pm_card_visa").await > 0, "the search finds nothing at all");
    assert_eq!(rows_with(&app, "4242424242424242").await, 0);
    app.end().await;
}

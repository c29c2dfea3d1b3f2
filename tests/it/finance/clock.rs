//! Test clocks: the time of one marketplace runs ahead, and what it does goes by it.

use chrono::TimeDelta;
use mizan::auth::Mode;
use mizan::clock::Clock;
use mizan::db::work;
use mizan::finance::test_clock::{Advance, advance, hear};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{book, pair, post_with, try_key};
use crate::support::T0;
use crate::support_app::TestApp;

const DAY: i64 = 86_400;

#[tokio::test]
async fn what_a_request_does_goes_by_the_time_of_its_marketplace() {
    let app = TestApp::new().await;
    let still = app.get("/v1/test_clock").await;
    assert_eq!((still.int("ahead_seconds"), still.text("now")), (0, "2026-03-02T09:00:00Z"));

    let moved = app.post("/v1/test_clock/advance", json!({ "seconds": 100 * DAY })).await;
    assert_eq!((moved.status, moved.text("now")), (200, "2026-06-10T09:00:00Z"), "{moved:#?}");
    let booked = book(&app, pair("bank:main", "suspense:bank", 100)).await;
    for field in ["recorded_at", "effective_at"] {
        assert_eq!(booked.text(field), "2026-06-10T09:00:00Z");
    }
    let to = json!({ "to": "2026-06-12T00:00:00+04:00" });
    let moved = app.post("/v1/test_clock/advance", to).await;
    assert_eq!(moved.text("now"), "2026-06-11T20:00:00Z", "{moved:#?}");
    assert_eq!(app.get("/v1/test_clock").await.text("now"), "2026-06-11T20:00:00Z");

    let stranger = app.strangers_key().await;
    let body = json!({ "kind": "x", "entries": pair("bank:main", "suspense:bank", 100) });
    let theirs = post_with(&app, &stranger, "/v1/ledger/transactions", body).await;
    assert_eq!(theirs.text("recorded_at"), "2026-03-02T09:00:00Z");
    app.prove_laws().await;
}

#[tokio::test]
async fn what_is_due_by_the_new_time_is_done_at_once_and_payments_go_on() {
    let app = TestApp::new().await;
    let before = app.paid(&[("V1", 10_500)]).await;
    assert_eq!(app.sql::<i64>("select count(*) from ledger.folded_day").await, 0);
    let moved = app.post("/v1/test_clock/advance", json!({ "seconds": 2 * DAY })).await;
    assert_eq!(moved.status, 200);
    assert_eq!(app.sql::<i64>("select count(*) from ledger.folded_day").await, 1);

    let after = app.paid(&[("V1", 10_500)]).await;
    assert_eq!(app.refund(&before, Some(1_000)).await.status, 200);
    assert_eq!(app.refund(&after, None).await.status, 200);
    let made = app.payment(&after).await;
    assert!(made.text("created").starts_with("2026-03-04T09:00:00"), "{made:#?}");
    app.end().await;
}

#[tokio::test]
async fn a_clock_goes_forwards_only_and_not_beyond_ten_years() {
    let app = TestApp::new().await;
    let advance = |body| app.post("/v1/test_clock/advance", body);
    assert_eq!(advance(json!({ "seconds": 3_600 })).await.status, 200);
    for (body, param) in [
        (json!({ "seconds": 0 }), "seconds"),
        (json!({ "seconds": -1 }), "seconds"),
        (json!({ "seconds": 5_000 * DAY }), "seconds"),
        (json!({ "seconds": i64::MAX }), "seconds"),
        (json!({ "to": "2026-03-02T09:59:59Z" }), "to"),
        (json!({ "to": "2026-03-02T10:00:00Z" }), "to"),
        (json!({ "to": "2040-01-01T00:00:00Z" }), "to"),
        (json!({ "to": "2026-04-01T00:00:00Z", "seconds": 1 }), "seconds"),
        (json!({}), "seconds"),
    ] {
        let refused = advance(body.clone()).await;
        assert_eq!(refused.problem(), (400, "invalid_field"), "{body}: {refused:#?}");
        assert_eq!(refused.text("param"), param, "{body}");
    }
    assert_eq!(app.get("/v1/test_clock").await.int("ahead_seconds"), 3_600);
    let key = app.fresh();
    for _ in 0..2 {
        let again = app.post_as(&key, "/v1/test_clock/advance", json!({ "seconds": 60 })).await;
        assert_eq!(again.int("ahead_seconds"), 3_660);
    }
}

#[tokio::test]
async fn real_money_and_a_test_clock_exclude_each_other() {
    let app = TestApp::new().await;
    let live = try_key(&app, Mode::Live).await.unwrap();
    let live = live.key.secret().expose_secret();
    for key in [live, app.key.as_str()] {
        let refused = post_with(&app, key, "/v1/test_clock/advance", json!({ "seconds": 1 })).await;
        assert_eq!(refused.problem(), (403, "not_allowed"), "{refused:#?}");
    }

    let other = TestApp::new().await;
    assert_eq!(other.post("/v1/test_clock/advance", json!({ "seconds": 1 })).await.status, 200);
    let refused = try_key(&other, Mode::Live).await.unwrap_err();
    assert!(format!("{refused:?}").contains("live_key_needs_the_real_time"), "{refused:?}");
    assert!(try_key(&other, Mode::Test).await.is_ok());
}

#[tokio::test]
async fn a_clock_that_another_process_moved_is_heard_of() {
    let app = TestApp::new().await;
    let (db, tenant) = (&app.app.db, app.books.tenant);
    let how = Advance::By(TimeDelta::days(40));
    let moved = db.transaction("advance", tenant, |tx| {
        work(async move { advance(tx, tenant, T0, how, "command line").await })
    });
    assert_eq!(moved.await.unwrap().now, T0 + TimeDelta::days(40));
    assert_eq!(app.app.now_for(tenant), T0);

    let booked = book(&app, pair("bank:main", "suspense:bank", 100)).await;
    assert_eq!(booked.text("recorded_at"), "2026-04-11T09:00:00Z");
    assert_eq!(app.app.now_for(tenant), T0 + TimeDelta::days(40));
    let clock = Clock::manual(T0);
    hear(db, &clock).await.unwrap();
    assert_eq!(clock.now_for(tenant), T0 + TimeDelta::days(40));
    assert_eq!(clock.now_for(app.books.db.other_tenant()), T0);
}

//! Months are made ahead: at start, by the job, and when a clock set by hand is moved.

use mizan::jobs;
use serde_json::json;

use crate::support_app::TestApp;

const DAY: u64 = 86_400;

async fn post(app: &TestApp) -> u16 {
    let entry = |account: &str, side: &str| {
        json!({
            "account": account, "side": side, "amount": 500, "currency": "AED",
        })
    };
    let entries = [entry("bank:main", "debit"), entry("suspense:bank", "credit")];
    let body = json!({ "kind": "test.posted", "entries": entries });
    app.post("/v1/ledger/transactions", body).await.status
}

async fn months(app: &TestApp) -> i64 {
    app.sql("select count(*) from pg_inherits where inhparent = 'ledger.entry'::regclass").await
}

#[tokio::test]
async fn a_month_far_ahead_can_be_posted_in_after_the_clock_was_moved_there() {
    let app = TestApp::new().await;
    let before = months(&app).await;
    for days in [400, 31, 365] {
        app.advance(days * DAY);
        assert_eq!(post(&app).await, 201, "{days} days on");
    }
    assert!(months(&app).await > before);
    app.prove_laws().await;
}

#[tokio::test]
async fn a_service_that_slept_for_months_comes_up_and_posts() {
    let app = TestApp::new().await;
    assert_eq!(post(&app).await, 201);
    // Nobody makes months while it sleeps, and those it had ahead have passed.
    app.app.clock.advance(std::time::Duration::from_secs(300 * DAY)).unwrap();
    let made = jobs::ensure_partitions(&app.app).await.unwrap();
    assert!(made > 0, "a start makes the months around now");
    assert_eq!(jobs::ensure_partitions(&app.app).await.unwrap(), 0, "and leaves what is there");
    assert_eq!(post(&app).await, 201);
    app.tick().await;
    app.prove_laws().await;
    let entries: i64 = app.sql("select count(*) from ledger.entry").await;
    assert_eq!(entries, 4, "nothing was dropped");
}

//! Releases, reserves, debts.

use serde_json::json;

use super::DAY;
use crate::support_app::TestApp;

#[tokio::test]
async fn a_refund_after_the_payout_is_a_debt_that_the_next_order_pays_first() {
    let app = TestApp::new().await;
    let first = app.paid(&[("V1", 21_000)]).await;
    app.delivered(&first).await;
    app.days(14).await;
    app.book("vendor_payable:V1:available", "bank:aed_main", 18_900).await;
    app.refund(&first, None).await;
    assert_eq!(app.holds("vendor_receivable:V1").await, "189.00 AED");
    assert_eq!(app.holds("vendor_payable:V1:available").await, "0.00 AED");
    let second = app.paid(&[("V1", 31_500)]).await;
    app.delivered(&second).await;
    app.days(14).await;
    assert_eq!(app.holds("vendor_receivable:V1").await, "0.00 AED");
    assert_eq!(app.holds("vendor_payable:V1:available").await, "94.50 AED");
    assert!(app.journal().await.contains("vendor.recovered"));
    app.end().await;
}

#[tokio::test]
async fn a_reserve_is_kept_for_its_term() {
    let app = TestApp::new().await;
    let terms = json!({
        "release": { "after": "capture", "days": 2 }, "reserve": { "percent": "10", "days": 30 },
    });
    app.terms("default", terms).await;
    app.paid(&[("V1", 52_500)]).await;
    app.advance(2 * DAY - 1);
    app.tick().await;
    assert_eq!(app.holds("vendor_payable:V1:available").await, "0");
    app.advance(1);
    app.tick().await;
    app.tick().await;
    assert_eq!(app.holds("vendor_payable:V1:available").await, "425.25 AED");
    assert_eq!(app.holds("vendor_payable:V1:reserve").await, "47.25 AED");
    app.days(30).await;
    assert_eq!(app.holds("vendor_payable:V1:available").await, "472.50 AED");
    assert_eq!(app.holds("vendor_payable:V1:reserve").await, "0.00 AED");
    app.end().await;
}

#[tokio::test]
async fn releases_and_refunds_at_once_leave_nobody_with_more_than_there_is() {
    let app = TestApp::new().await;
    app.terms("default", json!({ "release": { "after": "capture", "days": 1 } })).await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        orders.push(app.paid(&[("V1", 10_500)]).await);
    }
    app.advance(DAY);
    let refund = |n: usize| app.refund(&orders[n], None);
    let (_, _, a, b, c, d, e, f) = tokio::join!(
        app.tick(),
        app.tick(),
        refund(0),
        refund(1),
        refund(2),
        refund(3),
        refund(4),
        refund(5),
    );
    let refunds = [a, b, c, d, e, f];
    assert!(refunds.iter().all(|refund| refund.status == 200), "{refunds:#?}");
    app.settle().await;
    for account in ["pending", "available", "reserve"] {
        let held = app.holds(&format!("vendor_payable:V1:{account}")).await;
        assert!(held == "0" || held == "0.00 AED", "{account} {held}\n{}", app.journal().await);
    }
    assert!(["0", "0.00 AED"].contains(&app.holds("vendor_receivable:V1").await.as_str()));
    app.prove().await;
}

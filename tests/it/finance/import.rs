//! A book carried over: drafted on the command line, approved by a key.

use mizan::db::work;
use mizan::finance::FinanceError;
use mizan::finance::journals::{JournalId, JournalKind, Maker, NewJournal, draft};
use mizan_ledger::{AccountRef, Leg, credit, debit};
use mizan_money::{Currency, Money};
use serde_json::json;

use super::{events, net, post_with};
use crate::support::T0;
use crate::support_app::TestApp;

fn leg(side: fn(AccountRef, Money) -> Leg, path: &str, minor: i64) -> Leg {
    side(AccountRef::parse(path).unwrap(), Money::new(minor, Currency::AED))
}

async fn import(app: &TestApp, legs: Vec<Leg>) -> Result<JournalId, FinanceError> {
    let new = &NewJournal {
        kind: JournalKind::Opening,
        reason: "from the file old.csv".to_owned(),
        effective_at: T0,
        corrects: None,
        legs,
    };
    let maker = &Maker { name: "command line".to_owned(), now: T0 };
    let (db, tenant) = (&app.app.db, app.books.tenant);
    let made = db.transaction("import", tenant, |tx| {
        work(async move { draft(tx, tenant, maker, new).await })
    });
    Ok(made.await?.journal.id)
}

#[tokio::test]
async fn a_long_book_is_posted_whole_in_several_transactions_that_balance() {
    let app = TestApp::new().await;
    let mut legs: Vec<Leg> =
        (1..=2_500).map(|n| leg(credit, &format!("vendor_payable:v{n}:available"), n)).collect();
    let owed: i64 = (1..=2_500).sum();
    legs.push(leg(debit, "bank:main", owed));

    let id = import(&app, legs).await.unwrap();
    assert_eq!(net(&app, "bank:main").await, 0);
    let posted = post_with(&app, &app.key, &format!("/v1/journals/{id}/approve"), json!({})).await;
    assert_eq!(posted.says(), (200, "posted"), "{:?}", posted.text("detail"));
    assert_eq!(posted.int("entry_count"), 2_501);
    let transactions = posted.body["transactions"].as_array().unwrap().len();
    assert_eq!(transactions, 3);
    let told = events(&app).await;
    assert_eq!(told.iter().filter(|kind| *kind == "journal.posted").count(), transactions);

    assert_eq!(net(&app, "bank:main").await, owed);
    assert_eq!(net(&app, "vendor_payable:v2500:available").await, -2_500);
    let vendors: i64 =
        app.sql("select count(*) from ledger.account where path like 'vendor_payable:%'").await;
    assert_eq!(vendors, 2_500);
    app.prove_laws().await;
}

#[tokio::test]
async fn a_book_that_does_not_balance_or_is_too_long_is_no_draft() {
    let app = TestApp::new().await;
    let off = vec![leg(debit, "bank:main", 100), leg(credit, "suspense:bank", 99)];
    let refused = import(&app, off).await.unwrap_err();
    assert!(matches!(refused, FinanceError::Unbalanced { off_by: 1, .. }), "{refused}");
    let many: Vec<Leg> = (0..10_002)
        .map(|n| leg(if n % 2 == 0 { debit } else { credit }, "suspense:bank", 1))
        .collect();
    let refused = import(&app, many).await.unwrap_err();
    assert!(refused.to_string().contains("10000"), "{refused}");
    assert_eq!(app.sql::<i64>("select count(*) from finance.journal").await, 0);
}

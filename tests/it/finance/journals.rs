//! Journals: made by one key, posted by another, once.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{book, checker, entry, events, net, pair, post_with};
use crate::support_app::{Reply, TestApp};

const DEBIT: &str = "vendor_payable:V1:available";
const CREDIT: &str = "commission_revenue";

fn correction(amount: i64) -> Value {
    let entries = pair(DEBIT, CREDIT, amount);
    json!({ "kind": "correction", "reason": "a listing fee", "entries": entries })
}

/// A draft in books where the vendor has 10.00.
async fn drafted(app: &TestApp) -> Reply {
    book(app, pair("bank:main", DEBIT, 1_000)).await;
    let draft = app.post("/v1/journals", correction(100)).await;
    assert_eq!(draft.says(), (201, "draft"), "{draft:#?}");
    draft
}

fn path(draft: &Reply, verb: &str) -> String {
    format!("/v1/journals/{}/{verb}", draft.id())
}

#[tokio::test]
async fn a_journal_takes_two_people_and_is_posted_once() {
    let app = TestApp::new().await;
    let (second, draft) = (checker(&app).await, drafted(&app).await);
    assert_eq!(net(&app, CREDIT).await, 0);

    let own = app.post(&path(&draft, "approve"), json!({})).await;
    assert_eq!(own.problem(), (403, "not_allowed"), "{own:#?}");
    let own = app.post(&path(&draft, "reject"), json!({ "reason": "mine" })).await;
    assert_eq!(own.problem(), (403, "not_allowed"));

    let posted = post_with(&app, &second, &path(&draft, "approve"), json!({})).await;
    assert_eq!(posted.says(), (200, "posted"), "{posted:#?}");
    assert_eq!((net(&app, DEBIT).await, net(&app, CREDIT).await), (-900, -100));
    let again = post_with(&app, &second, &path(&draft, "approve"), json!({})).await;
    assert_eq!(again.problem(), (409, "wrong_state"));
    let late = post_with(&app, &second, &path(&draft, "reject"), json!({ "reason": "no" })).await;
    assert_eq!(late.problem(), (409, "wrong_state"));

    let transaction = posted.body["transactions"][0].as_str().unwrap();
    let booked = app.get(&format!("/v1/ledger/transactions/{transaction}")).await;
    assert_eq!((booked.text("kind"), booked.text("source")), ("journal.correction", draft.id()));
    let metadata = &booked.body["metadata"];
    assert_eq!(metadata["made_by"], draft.body["created_by"]);
    assert_eq!(metadata["approved_by"], posted.body["decided_by"]);
    assert_ne!(metadata["made_by"], metadata["approved_by"]);
    assert_eq!(metadata["reason"], "a listing fee");
    assert!(events(&app).await.ends_with(&["journal.drafted".into(), "journal.posted".into()]));

    let read = app.get(&format!("/v1/journals/{}", draft.id())).await;
    assert_eq!(read.body, posted.body);
    let listed = app.get("/v1/journals?status=posted").await;
    assert_eq!(listed.body["data"][0]["id"], draft.id());
    assert_eq!(listed.body["data"][0]["entries"], Value::Null);
    assert_eq!(app.get("/v1/journals?status=draft").await.body["data"], json!([]));
    app.prove_laws().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_decide_at_once_one_does() {
    let app = Arc::new(TestApp::new().await);
    let (second, third) = (checker(&app).await, checker(&app).await);
    let draft = Arc::new(drafted(&app).await);
    let mut deciding = JoinSet::new();
    for n in 0..12 {
        let key = if n % 2 == 0 { second.clone() } else { third.clone() };
        let (app, draft) = (Arc::clone(&app), Arc::clone(&draft));
        deciding.spawn(async move {
            let (verb, body) = match n % 4 {
                3 => ("reject", json!({ "reason": "no" })),
                _ => ("approve", json!({})),
            };
            post_with(&app, &key, &path(&draft, verb), body).await
        });
    }
    let answers = deciding.join_all().await;
    let done: Vec<&Reply> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(done.len(), 1, "{answers:#?}");
    for other in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(other.problem(), (409, "wrong_state"));
    }
    let posted = i64::from(done[0].text("status") == "posted");
    assert_eq!(net(&app, CREDIT).await, -100 * posted);
    let count: i64 = app.sql("select count(*) from ledger.transaction").await;
    assert_eq!(count, 1 + posted);
    app.prove_laws().await;
}

#[tokio::test]
async fn a_rejected_journal_says_why_and_is_never_posted() {
    let app = TestApp::new().await;
    let (second, draft) = (checker(&app).await, drafted(&app).await);
    let blank = post_with(&app, &second, &path(&draft, "reject"), json!({ "reason": " " })).await;
    assert_eq!((blank.problem(), blank.text("param")), ((400, "invalid_field"), "reason"));
    let body = json!({ "reason": "the fee was waived" });
    let rejected = post_with(&app, &second, &path(&draft, "reject"), body).await;
    assert_eq!(rejected.says(), (200, "rejected"));
    assert_eq!(rejected.text("rejection_reason"), "the fee was waived");
    let late = post_with(&app, &second, &path(&draft, "approve"), json!({})).await;
    assert_eq!(late.problem(), (409, "wrong_state"));
    assert_eq!(net(&app, CREDIT).await, 0);

    let stranger = app.strangers_key().await;
    let seen = post_with(&app, &stranger, &path(&draft, "approve"), json!({})).await;
    assert_eq!(seen.problem(), (404, "not_found"));
    app.prove_laws().await;
}

#[tokio::test]
async fn what_makes_no_journal_is_refused_with_the_place() {
    let app = TestApp::new().await;
    let with = |field: &str, value: Value| {
        let mut body = correction(100);
        body[field] = value;
        body
    };
    let mut unbalanced = correction(100);
    unbalanced["entries"][0]["amount"] = 101.into();
    let mixed = json!([
        entry(DEBIT, "debit", 100),
        { "account": CREDIT, "side": "credit", "amount": 100, "currency": "USD" },
    ]);
    let too_many: Vec<Value> =
        (0..202).map(|n| entry(DEBIT, if n % 2 == 0 { "debit" } else { "credit" }, 1)).collect();
    let unknown = "txn_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c";
    for (body, status, code, param) in [
        (unbalanced, 422, "amounts_do_not_add_up", "entries"),
        (with("entries", mixed), 422, "amounts_do_not_add_up", "entries"),
        (with("entries", json!([])), 400, "invalid_field", "entries"),
        (with("entries", json!(too_many)), 400, "invalid_field", "entries"),
        (with("entries", pair("nobody", CREDIT, 1)), 400, "invalid_field", "entries[0].account"),
        (with("entries", pair(DEBIT, CREDIT, 0)), 400, "invalid_field", "entries[0].amount"),
        (with("kind", json!("gift")), 400, "invalid_field", "kind"),
        (with("reason", json!("")), 400, "invalid_field", "reason"),
        (with("effective_at", json!("1999-12-31T00:00:00Z")), 400, "invalid_field", "effective_at"),
        (with("effective_at", json!("2026-03-04T09:00:00Z")), 400, "invalid_field", "effective_at"),
        (with("corrects", json!(unknown)), 422, "unknown_reference", "corrects"),
        (with("approved", json!(true)), 400, "unknown_field", "approved"),
    ] {
        let refused = app.post("/v1/journals", body.clone()).await;
        assert_eq!(refused.problem(), (status, code), "{body}: {refused:#?}");
        assert_eq!(refused.text("param"), param, "{body}");
    }
    assert_eq!(app.get("/v1/journals").await.body["data"], json!([]));
}

#[tokio::test]
async fn a_closed_period_takes_no_journal_whether_it_closed_before_the_draft_or_after() {
    let app = TestApp::new().await;
    let second = checker(&app).await;
    book(&app, pair("bank:main", DEBIT, 1_000)).await;
    let dated = |at: &str| {
        let mut body = correction(100);
        body["effective_at"] = at.into();
        app.post("/v1/journals", body)
    };
    let (old, open) = (dated("2026-02-27T09:00:00Z").await, dated("2026-03-01T09:00:00Z").await);
    assert_eq!((old.status, open.status), (201, 201));
    let closed = app.post("/v1/ledger/periods", json!({ "closed_through": "2026-02-28" })).await;
    assert_eq!(closed.status, 201);

    let late = dated("2026-02-28T12:00:00Z").await;
    assert_eq!(late.problem(), (409, "period_closed"), "{late:#?}");
    let refused = post_with(&app, &second, &path(&old, "approve"), json!({})).await;
    assert_eq!(refused.problem(), (409, "period_closed"));
    let stays = app.get(&format!("/v1/journals/{}", old.id())).await;
    assert_eq!(stays.says(), (200, "draft"));
    let posted = post_with(&app, &second, &path(&open, "approve"), json!({})).await;
    assert_eq!(posted.says(), (200, "posted"));
    app.prove_laws().await;
}

#[tokio::test]
async fn a_floor_refuses_a_journal_until_there_is_enough() {
    let app = TestApp::new().await;
    let second = checker(&app).await;
    let draft = app.post("/v1/journals", correction(100)).await;
    let refused = post_with(&app, &second, &path(&draft, "approve"), json!({})).await;
    assert_eq!(refused.problem(), (409, "insufficient_balance"), "{refused:#?}");
    book(&app, pair("bank:main", DEBIT, 100)).await;
    let posted = post_with(&app, &second, &path(&draft, "approve"), json!({})).await;
    assert_eq!(posted.says(), (200, "posted"), "{posted:#?}");
    app.prove_laws().await;
}

#[tokio::test]
async fn what_a_payment_booked_is_put_right_by_a_journal_that_names_it() {
    let app = TestApp::new().await;
    let second = checker(&app).await;
    let payment = app.paid(&[("V1", 10_500)]).await;
    let captured = app.get(&format!("/v1/ledger/transactions?source={payment}")).await;
    let wrong = captured.body["data"][0]["id"].clone();
    let entries = pair("vendor_payable:V1:pending", "deferred_commission", 100);
    let body = json!({
        "kind": "correction", "reason": "11 %, not 10 %", "entries": entries, "corrects": wrong,
    });
    let draft = app.post("/v1/journals", body).await;
    let posted = post_with(&app, &second, &path(&draft, "approve"), json!({})).await;
    assert_eq!(posted.says(), (200, "posted"), "{posted:#?}");
    let transaction = posted.body["transactions"][0].as_str().unwrap();
    let booked = app.get(&format!("/v1/ledger/transactions/{transaction}")).await;
    assert_eq!(booked.body["metadata"]["corrects"], wrong);
    assert_eq!(net(&app, "deferred_commission").await, -1_100);
    app.prove_laws().await;
}

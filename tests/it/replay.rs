//! The books written again from what was kept say what the first ones say.

use std::process::Command;
use std::sync::Arc;

use mizan::db::{Db, DbOptions};
use mizan::replay::{Readers, Rebuilt, ReplayError, Replayed, prepare, rebuild, replay};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{Actor, T0, TestDb};
use crate::support_app::{CONNECTION, OLDER_SECRET, TestApp, WEBHOOK_SECRET, order};

const COPY: mizan::db::FirstTenant<'_> =
    mizan::db::FirstTenant { name: "Copy", time_zone: "Asia/Dubai" };

fn readers(secrets: &[&str]) -> Readers {
    let secrets = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    Readers::new([(CONNECTION.to_owned(), secrets)])
}

/// The books of `app` written again into a new database.
async fn copy_with(app: &TestApp, secrets: &[&str]) -> (TestDb, Rebuilt) {
    let copy = TestDb::new().await;
    let mut owner = prepare(&copy.url(), COPY, T0).await.unwrap();
    let target = Db::open(&copy.url(), &DbOptions::default()).unwrap();
    let rebuilt = rebuild(&app.app.db, &target, &mut owner, &readers(secrets)).await.unwrap();
    target.close().await;
    let ours = rebuilt.into_iter().find(|one| one.tenant == app.books.tenant.0).unwrap();
    (copy, ours)
}

async fn copy(app: &TestApp) -> (TestDb, Rebuilt) {
    copy_with(app, &[WEBHOOK_SECRET, OLDER_SECRET]).await
}

/// The books written again, whatever came of it.
pub async fn write_again(app: &TestApp) -> Rebuilt {
    copy(app).await.1
}

/// The books are written again, agree, and obey every law in the copy too.
pub async fn prove_replay(app: &TestApp) -> Rebuilt {
    let (copy, rebuilt) = copy(app).await;
    assert!(rebuilt.agrees(), "{rebuilt:#?}\n{}", app.journal().await);
    let target = Db::open(&copy.url(), &DbOptions::default()).unwrap();
    let proved = mizan::verify::verify(&target, &app.app.clock).await.unwrap();
    for (tenant, laws) in proved {
        for law in laws {
            assert!(law.holds(), "copy, tenant {tenant}: {}: {:#?}", law.name, law.broken);
        }
    }
    target.close().await;
    rebuilt
}

async fn again(app: &TestApp, secrets: &[&str]) -> Replayed {
    let now = app.app.clock.now();
    let all = replay(&app.app.db, &readers(secrets), None, now).await.unwrap();
    all.into_iter().find(|one| one.tenant == app.books.tenant.0).unwrap()
}

/// A plain transaction of two entries.
async fn book(app: &TestApp, debit: &str, credit: &str, amount: i64) -> Value {
    let body = json!({
        "kind": "order.delivered",
        "entries": [
            { "account": debit, "side": "debit", "amount": amount, "currency": "AED" },
            { "account": credit, "side": "credit", "amount": amount, "currency": "AED" },
        ],
    });
    let answer = app.post("/v1/ledger/transactions", body).await;
    assert!([201, 402, 409, 422].contains(&answer.status), "{answer:#?}");
    answer.body
}

async fn make_available(app: &TestApp, amount: i64) -> Value {
    book(app, "vendor_payable:V1:pending", "vendor_payable:V1:available", amount).await
}

/// Payments of every kind, words out of order, and a caller's own entries between them.
async fn busy_day(app: &TestApp) {
    app.faults(
        "seed = 7
        [[rules]]
        on = \"webhook\"
        kind = \"duplicate\"
        probability_percent = 40
        [[rules]]
        on = \"webhook\"
        kind = \"reorder\"
        probability_percent = 40
        [[rules]]
        on = \"create\"
        kind = \"http_500_after\"
        probability_percent = 30
        [[rules]]
        on = \"refund\"
        kind = \"lost_answer\"
        probability_percent = 30",
    );
    let first = app.create(order(&[("V1", 52_500), ("V2", 11_111)])).await;
    app.confirm(&first, "pm_card_visa").await;
    app.sim.deliver_due().await;
    app.settle().await;
    let released = make_available(app, 20_000).await;
    // More than is pending: taken from what is available, then owed.
    app.refund(&first, Some(40_000)).await;
    make_available(app, 9_000_000).await;
    let back = format!("/v1/ledger/transactions/{}/reverse", released["id"].as_str().unwrap());
    app.post(&back, json!({ "authority": "fact" })).await;

    let mut held = order(&[("V1", 30_000)]);
    held["capture_method"] = "manual".into();
    let held = app.create(held).await;
    app.confirm(&held, "pm_card_visa").await;
    app.settle().await;
    app.act(&held, "capture", json!({ "amount": 12_345 })).await;

    let bounced = app.create(order(&[("V3", 7_777)])).await;
    app.confirm(&bounced, "pm_card_refundFail").await;
    app.settle().await;
    app.refund(&bounced, Some(3_000)).await;
    app.settle().await;
    app.refund(&bounced, Some(3_000)).await;

    let declined = app.create(order(&[("V1", 900)])).await;
    app.confirm(&declined, "pm_card_chargeDeclined").await;
    app.act(&declined, "cancel", json!({ "reason": "abandoned" })).await;
    app.faults("");

    // Declined, then never asked: the second instrument stays named. And one that is never tried.
    let unlucky = app.create(order(&[("V1", 901)])).await;
    app.confirm(&unlucky, "pm_card_chargeDeclined").await;
    app.wire.cut().await;
    app.confirm(&unlucky, "pm_card_visa").await;
    app.wire.mend().await;
    assert_eq!(app.payment(&unlucky).await.text("status"), "requires_confirmation");
    let mut untried = order(&[("V1", 902)]);
    untried["payment_method"] = "pm_card_visa".into();
    app.create(untried).await;
    app.end().await;
}

#[tokio::test]
async fn a_busy_day_is_written_again_to_the_same_trial_balance() {
    let app = TestApp::new().await;
    busy_day(&app).await;
    let rebuilt = prove_replay(&app).await;
    assert!(rebuilt.tally.applied > 0 && rebuilt.answers > 0, "{rebuilt:#?}");
    assert!(rebuilt.plain >= 2 && rebuilt.commands > 0, "{rebuilt:#?}");
    assert_eq!(rebuilt.tally.unverifiable, 0);
}

#[tokio::test]
async fn what_webhooks_alone_told_is_written_again_from_their_bytes() {
    let app = TestApp::new().await;
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"");
    app.confirm(&id, "pm_card_visa").await;
    app.faults("");
    app.sim.deliver_due().await;
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    let rebuilt = prove_replay(&app).await;
    assert_eq!(rebuilt.answers, 0, "{rebuilt:#?}");
    assert!(rebuilt.tally.applied > 0 && rebuilt.transactions > 0, "{rebuilt:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_the_commits_is_kept_among_many_at_once() {
    let app = TestApp::new().await;
    let mut payments = Vec::new();
    for _ in 0..6 {
        payments.push(app.paid(&[("V1", 10_000)]).await);
    }
    app.sim.deliver_due().await;
    // Each release may or may not be refused, and each refund takes what it finds.
    let app = Arc::new(app);
    let mut crowd = JoinSet::new();
    for _ in 0..12 {
        let app = Arc::clone(&app);
        crowd.spawn(async move {
            make_available(&app, 4_000).await;
        });
    }
    for (id, part) in payments.iter().flat_map(|id| [2_500, 6_500].map(|part| (id.clone(), part))) {
        let app = Arc::clone(&app);
        crowd.spawn(async move {
            app.refund(&id, Some(part)).await;
        });
    }
    crowd.join_all().await;
    app.end().await;
    prove_replay(&app).await;
}

#[tokio::test]
async fn replayed_on_the_books_as_they_are_nothing_changes() {
    let app = TestApp::new().await;
    busy_day(&app).await;
    let (rows, journal) = (app.rows().await, app.journal().await);
    let replayed = again(&app, &[WEBHOOK_SECRET, OLDER_SECRET]).await;
    assert_eq!(replayed.findings.count, 0, "{replayed:#?}");
    let deliveries = app.sql::<i64>("select count(*) from webhooks.delivery").await;
    assert_eq!(replayed.tally.replayed as i64, deliveries);
    assert_eq!(replayed.tally.applied, 0, "{replayed:#?}");
    assert_eq!((app.rows().await, app.journal().await), (rows, journal));
}

#[tokio::test]
async fn an_edited_delivery_is_not_believed_and_not_booked() {
    let app = TestApp::new().await;
    app.paid(&[("V1", 52_500)]).await;
    app.end().await;
    let edit = "update webhooks.delivery
        set body = replace(convert_from(body, 'UTF8'), '52500', '52501')::bytea
        where event_type = 'payment_intent.succeeded'";
    app.books.db.tamper(edit).await;
    let replayed = again(&app, &[WEBHOOK_SECRET]).await;
    assert_eq!((replayed.tally.unverifiable, replayed.findings.count), (1, 1), "{replayed:#?}");
    assert!(replayed.findings.named[0].starts_with("whd_"), "{replayed:#?}");
    let (_copy, rebuilt) = copy(&app).await;
    assert!(!rebuilt.agrees() && rebuilt.tally.unverifiable == 1, "{rebuilt:#?}");
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_needed_for_what_it_signed() {
    let app = TestApp::new().await;
    app.paid(&[("V1", 52_500)]).await;
    app.end().await;
    let (_copy, without) = copy_with(&app, &["whsec_of_today"]).await;
    assert!(!without.agrees() && without.tally.applied == 0, "{without:#?}");
    assert!(without.failed.named[0].contains("secret of its time"), "{without:#?}");
    let (_copy, with) = copy_with(&app, &["whsec_of_today", WEBHOOK_SECRET]).await;
    assert!(with.agrees(), "{with:#?}");
}

#[tokio::test]
async fn what_is_missing_is_named_account_by_account() {
    let app = TestApp::new().await;
    app.paid(&[("V1", 52_500)]).await;
    app.end().await;
    app.books.db.tamper("delete from payments.word where word ->> 'word' <> 'asked'").await;
    app.books.db.tamper("delete from webhooks.delivery").await;
    let (_copy, rebuilt) = copy(&app).await;
    assert!(!rebuilt.agrees(), "{rebuilt:#?}");
    let named = rebuilt.differing.named.join("\n");
    assert!(named.contains("gateway_clearing:stripe AED: debits 52500"), "{named}");
    assert!(rebuilt.transactions > rebuilt.transactions_again, "{rebuilt:#?}");
}

#[tokio::test]
async fn nothing_is_written_into_a_database_that_is_in_use() {
    let app = TestApp::new().await;
    app.paid(&[("V1", 52_500)]).await;
    let refused = prepare(&app.books.db.url(), COPY, T0).await;
    assert!(matches!(refused, Err(ReplayError::NotEmpty)));
}

#[tokio::test]
async fn a_word_is_never_changed_or_taken_back() {
    let app = TestApp::new().await;
    app.paid(&[("V1", 52_500)]).await;
    for actor in [Actor::Service, Actor::Owner] {
        let mut conn = app.books.db.connect(actor, app.books.tenant).await;
        for statement in ["update payments.word set position = 0", "delete from payments.word"] {
            assert!(sqlx::query(statement).execute(&mut conn).await.is_err(), "{statement}");
        }
    }
}

#[tokio::test]
async fn a_copy_can_be_copied() {
    let app = TestApp::new().await;
    busy_day(&app).await;
    let (first, _) = copy(&app).await;
    let second = TestDb::new().await;
    let mut owner = prepare(&second.url(), COPY, T0).await.unwrap();
    let options = DbOptions::default();
    let source = Db::open(&first.url(), &options).unwrap();
    let target = Db::open(&second.url(), &options).unwrap();
    let secrets = readers(&[WEBHOOK_SECRET]);
    let rebuilt = rebuild(&source, &target, &mut owner, &secrets).await.unwrap();
    assert!(rebuilt.iter().all(Rebuilt::agrees), "{rebuilt:#?}");
    source.close().await;
    target.close().await;
}

/// The program on this database; its exit code and what it says.
fn mizan(app: &TestApp, secret: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    command.args(args).env_remove("RUST_LOG");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MIZAN_")) {
        command.env_remove(name);
    }
    command.env("DATABASE_URL", app.books.db.url()).env("MIZAN_STRIPE_WEBHOOK_SECRETS", secret);
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_by_its_exit_code_whether_the_copy_agrees() {
    let app = TestApp::new().await;
    app.paid(&[("V1", 52_500)]).await;
    app.end().await;
    let (code, text) = mizan(&app, WEBHOOK_SECRET, &["webhooks", "replay"]);
    assert_eq!(code, Some(0), "{text}");
    let copy = TestDb::new().await;
    let url = copy.url();
    let (code, text) = mizan(&app, WEBHOOK_SECRET, &["webhooks", "replay", "--into", &url]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("the copy agrees"), "{text}");
    let (code, text) = mizan(&app, WEBHOOK_SECRET, &["webhooks", "replay", "--into", &url]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("not empty"), "{text}");
    let (code, text) = mizan(&app, "whsec_of_today", &["webhooks", "replay", "--json"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("\"unverifiable\""), "{text}");
}

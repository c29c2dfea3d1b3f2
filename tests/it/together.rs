//! Independent callers at once: they share look-ups, statements and commits, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mizan::auth::{ApiKey, Caller, CreateKey, Mode, NewKey, Role, create_key, revoke_key};
use mizan::db::work;
use mizan::http::Code;
use mizan_money::TenantId;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::support::T0;
use crate::support_app::TestApp;

const POST: &str = "/v1/ledger/transactions";

fn entry(account: &str, side: &str, amount: i64, currency: &str) -> Value {
    json!({ "account": account, "side": side, "amount": amount, "currency": currency })
}

/// A transfer between two accounts, in minor units of AED.
fn transfer(kind: &str, debit: &str, credit: &str, amount: i64) -> String {
    let debit = entry(debit, "debit", amount, "AED");
    let credit = entry(credit, "credit", amount, "AED");
    json!({ "kind": kind, "entries": [debit, credit] }).to_string()
}

fn sale(amount: i64) -> String {
    transfer("sale", "bank:main", "vendor_payable:V1:available", amount)
}

/// More than the vendor will ever have.
fn overdraft(amount: i64) -> String {
    transfer("payout", "vendor_payable:V2:available", "payouts_in_transit:bank", amount)
}

/// An answer as it came: the status, whether it was given before, the text.
type Raw = (u16, bool, String);

async fn send(app: &TestApp, key: &str, body: String) -> Raw {
    let request = app.request(Method::POST, POST).header("Idempotency-Key", key);
    let answer = request.header("Content-Type", "application/json").body(body).send().await;
    let answer = answer.unwrap();
    let replayed = answer.headers().contains_key("idempotent-replayed");
    (answer.status().as_u16(), replayed, answer.text().await.unwrap())
}

fn code(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap();
    body["code"].as_str().unwrap_or_default().to_owned()
}

/// Sends all at once; the answers in the order of the requests.
async fn at_once(app: &Arc<TestApp>, requests: Vec<(String, String)>) -> Vec<Raw> {
    let mut sent = JoinSet::new();
    for (n, (key, body)) in requests.into_iter().enumerate() {
        let app = Arc::clone(app);
        sent.spawn(async move { (n, send(&app, &key, body).await) });
    }
    let answers: BTreeMap<usize, Raw> = sent.join_all().await.into_iter().collect();
    answers.into_values().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_two_hundred_callers_at_once_hears_its_own_answer() {
    let app = Arc::new(TestApp::new().await);
    let taken = send(&app, "taken", sale(1)).await;
    assert_eq!(taken.0, 201);
    let mut requests = Vec::new();
    for n in 0..40_i64 {
        requests.push((format!("sale-{n}"), sale(100 + n)));
        requests.push((format!("sale-{n}"), sale(100 + n)));
        requests.push((format!("payout-{n}"), overdraft(1_000 + n)));
        requests.push(match n % 4 {
            0 => ("taken".to_owned(), sale(7)),
            1 => (format!("bad-{n}"), "{\"kind\": \"sale\"".to_owned()),
            2 => (format!("bad-{n}"), transfer("sale", "bank:main", "nobody:V1", 5)),
            _ => (format!("off-{n}"), sale(5).replacen("5", "6", 1)),
        });
        requests.push(("taken".to_owned(), sale(1)));
    }
    let answers = at_once(&app, requests.clone()).await;

    let mut made = BTreeSet::new();
    for (n, five) in answers.chunks(5).enumerate() {
        let [first, second, payout, odd, repeated] = five else { panic!("{five:?}") };
        // Of two equal requests one made it; the other hears the same, or is told to wait.
        let twins = [first, second].map(|twin| (twin.0, twin.1));
        assert!(twins.contains(&(201, false)), "{five:?}");
        assert!(twins.contains(&(201, true)) || twins.contains(&(409, false)), "{five:?}");
        for (status, _, text) in [first, second] {
            match status {
                201 => {
                    let body: Value = serde_json::from_str(text).unwrap();
                    assert_eq!(body["entries"][0]["amount"], json!(100 + n), "{text}");
                    made.insert(body["id"].to_string());
                }
                _ => assert_eq!(code(text), "idempotency_key_in_flight"),
            }
        }
        assert_eq!((payout.0, payout.1), (409, false), "{payout:?}");
        assert_eq!(code(&payout.2), "insufficient_balance");
        let asked = format!("{}.{:02} AED were asked for", (1_000 + n) / 100, (1_000 + n) % 100);
        assert!(payout.2.contains(&asked), "{payout:?}");
        let (status, expected) = match n % 4 {
            0 => (422, "idempotency_key_reused"),
            1 => (400, "malformed_json"),
            2 => (400, "invalid_field"),
            _ => (422, "amounts_do_not_add_up"),
        };
        let said = (odd.0, code(&odd.2));
        // The key's first answer may be on its way to somebody else at that moment.
        let waits = n % 4 == 0 && said == (409, "idempotency_key_in_flight".to_owned());
        assert!(waits || said == (status, expected.to_owned()), "{odd:?}");
        assert!(repeated.0 == 409 || *repeated == (201, true, taken.2.clone()), "{repeated:?}");
    }
    assert_eq!(made.len(), 40);
    assert_eq!(app.books.journal().await.len(), 41);
    assert_eq!(app.sql::<i64>("select count(*) from outbox.event").await, 41);
    // 41 transactions, 40 payouts that were refused, 10 that contradicted themselves.
    assert_eq!(app.sql::<i64>("select count(*) from http.idempotency").await, 91);

    hear_again(&app, requests, answers).await;
    app.prove_laws().await;
}

/// Sent again, whatever was decided is heard again, to the byte.
async fn hear_again(app: &TestApp, requests: Vec<(String, String)>, answers: Vec<Raw>) {
    for ((key, body), before) in requests.into_iter().zip(answers) {
        let again = send(app, &key, body).await;
        match code(&before.2).as_str() {
            "idempotency_key_in_flight" => {
                let other = again.0 == 422 && code(&again.2) == "idempotency_key_reused";
                assert!(other || (again.0, again.1) == (201, true), "{again:?}");
            }
            "malformed_json" | "invalid_field" | "idempotency_key_reused" => {
                assert_eq!((again.0, code(&again.2)), (before.0, code(&before.2)));
            }
            _ => assert_eq!(again, (before.0, true, before.2)),
        }
    }
}

#[tokio::test]
async fn what_was_posted_is_answered_as_it_is_read() {
    let app = TestApp::new().await;
    let seed = transfer("opening", "bank:main", "vendor_payable:V1:available", 1_000);
    let mut bodies = vec![seed];
    // A fact that spills, two currencies, one account twice, and pairs that sort in their way.
    let mut fact: Value = serde_json::from_str(&transfer(
        "dispute.lost",
        "vendor_payable:V1:available",
        "gateway_clearing:stripe",
        2_500,
    ))
    .unwrap();
    fact["authority"] = "fact".into();
    fact["source"] = "order-1001".into();
    fact["effective_at"] = "2026-02-28T23:59:59.123456789+04:00".into();
    let odd = "ü \"quoted\" \\ \u{1f642}";
    fact["metadata"] = json!({ "zz": "1", "a": odd, "Key": "", "b": "\n" });
    for (account, side, amount, currency) in [
        ("suspense:bank", "credit", 5, "USD"),
        ("bank:main", "debit", 3, "USD"),
        ("bank:main", "debit", 2, "USD"),
    ] {
        let entry = entry(account, side, amount, currency);
        fact["entries"].as_array_mut().unwrap().push(entry);
    }
    bodies.push(fact.to_string());
    let mut ids = Vec::new();
    for (n, body) in bodies.into_iter().enumerate() {
        let (status, _, text) = send(&app, &format!("post-{n}"), body).await;
        assert_eq!(status, 201, "{text}");
        ids.push((id_of(&text), text));
    }
    let path = format!("{POST}/{}/reverse", ids[0].0);
    let request = app.request(Method::POST, &path).header("Idempotency-Key", "back");
    let back = json!({ "authority": "fact", "metadata": { "why": "a mistake" } });
    let text = request.json(&back).send().await.unwrap().text().await.unwrap();
    ids.push((id_of(&text), text));
    for (id, posted) in ids {
        let read = app.request(Method::GET, &format!("{POST}/{id}")).send().await.unwrap();
        assert_eq!(read.text().await.unwrap(), posted);
    }
}

fn id_of(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap();
    body["id"].as_str().unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// Lets posts come while the book is held, so that those who wait go together.
async fn while_the_book_is_held(app: &Arc<TestApp>, requests: Vec<(String, String)>) -> Vec<Raw> {
    let mut holder = app.books.db.owner().await;
    sqlx::raw_sql("begin; select from ledger.book for update").execute(&mut holder).await.unwrap();
    let sent = tokio::spawn({
        let app = Arc::clone(app);
        async move { at_once(&app, requests).await }
    });
    let waiting = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    let mut owner = app.books.db.owner().await;
    let mut rounds_since = 0;
    while rounds_since < 100 {
        let held: i64 = sqlx::query_scalar(waiting).fetch_one(&mut owner).await.unwrap();
        rounds_since += i32::from(held > 0);
    }
    sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    sent.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_wait_share_a_commit_and_a_poisoned_request_fails_alone() {
    let app = Arc::new(TestApp::new().await);
    assert_eq!(send(&app, "first", sale(1)).await.0, 201);
    let poison = "alter table ledger.transaction
                  add constraint transaction_is_not_poison check (kind <> 'poison')";
    sqlx::raw_sql(poison).execute(&mut app.books.db.owner().await).await.unwrap();
    let post = |n: i64| match n {
        17 => ("post-17".to_owned(), sale(17).replace("\"sale\"", "\"poison\"")),
        n => (format!("post-{n}"), sale(n)),
    };
    let answers = while_the_book_is_held(&app, (1..=40).map(post).collect()).await;
    for (n, (status, _, text)) in (1..).zip(&answers) {
        match n {
            17 => assert_eq!((*status, code(text).as_str()), (500, "internal_error")),
            _ => assert_eq!(*status, 201, "{text}"),
        }
    }
    assert_eq!(app.books.journal().await.len(), 40);
    // Those that went with the poisoned one may have been tried again alone; these were not.
    while_the_book_is_held(&app, (41..=80).map(post).collect()).await;
    let commits = "select count(distinct written_by) from ledger.transaction where position > 40";
    let commits: i64 = app.sql(commits).await;
    assert!(commits < 40, "{commits} commits for 40 transactions");
    // What failed is not kept: its key is free once the cause is gone.
    let cure = "alter table ledger.transaction drop constraint transaction_is_not_poison";
    sqlx::raw_sql(cure).execute(&mut app.books.db.owner().await).await.unwrap();
    let (key, body) = post(17);
    let again = send(&app, &key, body).await;
    assert_eq!((again.0, again.1), (201, false), "{again:?}");
    app.prove_laws().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_breaks_off_is_settled_before_anybody_is_told() {
    let app = Arc::new(TestApp::new().await);
    // The first commit that has events dies on the way: a sequence is not rolled back.
    let fuse = "
        create sequence public.fuse;
        create function public.blow() returns trigger language plpgsql security definer as $$
            begin
                if nextval('public.fuse') = 1 then
                    perform pg_terminate_backend(pg_backend_pid());
                end if;
                return null;
            end $$;
        create constraint trigger blow after insert on outbox.event
            deferrable initially deferred for each row execute function public.blow()";
    sqlx::raw_sql(AssertSqlSafe(fuse)).execute(&mut app.books.db.owner().await).await.unwrap();
    let requests = (1..=20).map(|n| (format!("post-{n}"), sale(n))).collect();
    let answers = at_once(&app, requests).await;
    assert!(answers.iter().all(|answer| answer.0 == 201), "{answers:#?}");
    assert_eq!(app.books.journal().await.len(), 20);
    let blown: i64 = app.sql("select last_value from public.fuse").await;
    assert!(blown > 1, "the fuse never blew");
    app.prove_laws().await;
}

async fn make(app: &TestApp, tenant: TenantId) -> NewKey {
    let command = &CreateKey::new("together", Mode::Test, Role::Admin);
    let made = app.app.db.transaction("key", tenant, |tx| {
        work(async move { create_key(tx, tenant, command, T0).await })
    });
    made.await.unwrap()
}

/// Asks a hundred times at once who holds these keys, in turn.
async fn look_up(app: &TestApp, keys: &[ApiKey]) -> Vec<Result<TenantId, Code>> {
    let asked = (0..100).map(|n| {
        let (keys, key) = (app.app.keys.clone(), keys[n % keys.len()].clone());
        tokio::spawn(async move { Caller::of_key(&keys, &key, T0).await })
    });
    let mut found = Vec::new();
    for task in asked.collect::<Vec<_>>() {
        let caller = task.await.unwrap();
        found.push(caller.map(|caller| caller.tenant()).map_err(|problem| problem.code()));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_are_looked_up_together_lead_each_to_its_own_tenant() {
    let app = TestApp::new().await;
    let (ours, theirs) = (app.books.tenant, app.books.db.other_tenant());
    let (mine, yours) = (make(&app, ours).await, make(&app, theirs).await);
    let keys = [mine.key, ApiKey::generate(Mode::Test).unwrap(), yours.key];
    let expected = [Ok(ours), Err(Code::ApiKeyInvalid), Ok(theirs)];
    for (n, found) in look_up(&app, &keys).await.into_iter().enumerate() {
        assert_eq!(found, expected[n % 3]);
    }
    let revoked = app.app.db.transaction("revoke", ours, |tx| {
        work(async move { revoke_key(tx, ours, mine.id, T0).await })
    });
    assert!(revoked.await.unwrap());
    let expected = [Err(Code::ApiKeyInvalid), Err(Code::ApiKeyInvalid), Ok(theirs)];
    for (n, found) in look_up(&app, &keys).await.into_iter().enumerate() {
        assert_eq!(found, expected[n % 3]);
    }
}

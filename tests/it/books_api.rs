//! The ledger's routes through the real interface on the real database.

use std::collections::BTreeMap;

use mizan_ledger::{NewTransaction, Outcome};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{T0, page};
use crate::support_app::{Reply, TestApp};

const POST: &str = "/v1/ledger/transactions";

/// The body of a transaction whose legs are written as a ledger page.
fn body(kind: &str, text: &str) -> Value {
    let entry = |leg: mizan_ledger::Leg| {
        json!({
            "account": leg.account.path(),
            "side": leg.side.name(),
            "amount": leg.amount.minor(),
            "currency": leg.amount.currency().code(),
        })
    };
    let entries: Vec<Value> = page::legs(text).into_iter().map(entry).collect();
    json!({ "kind": kind, "entries": entries })
}

/// The same with another field.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

const CAPTURE: &str = "dr gateway_clearing:stripe 525.00 AED; \
     cr vendor_payable:V1:pending 472.50 AED; \
     cr deferred_commission 50.00 AED; \
     cr vat_output_payable:AE 2.50 AED";

async fn posted(app: &TestApp, kind: &str, text: &str) -> Reply {
    let reply = app.post(POST, body(kind, text)).await;
    assert_eq!(reply.status, 201, "{reply:#?}");
    reply
}

/// Paths and balances of a list of accounts.
fn balances(list: &Reply) -> BTreeMap<String, i64> {
    let data = list.body["data"].as_array().unwrap().iter();
    data.map(|a| (a["account"].as_str().unwrap().to_owned(), a["balance"].as_i64().unwrap()))
        .collect()
}

/// One field of every object of a list.
fn column(list: &Reply, field: &str) -> Vec<Value> {
    list.body["data"].as_array().unwrap().iter().map(|row| row[field].clone()).collect()
}

async fn account_id(app: &TestApp, path: &str) -> String {
    let role = path.split(':').next().unwrap();
    let list = app.get(&format!("/v1/ledger/accounts?limit=100&role={role}")).await;
    let data = list.body["data"].as_array().unwrap();
    let found = data.iter().find(|account| account["account"] == path).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_transaction_moves_its_accounts_and_is_announced() {
    let app = TestApp::new().await;
    let asked = with(body("payment.captured", CAPTURE), "source", json!("order-1"));
    let asked = with(asked, "effective_at", json!("2026-03-01T13:00:00+04:00"));
    let asked = with(asked, "metadata", json!({ "invoice": "A-1" }));
    let made = app.post(POST, asked).await;
    assert_eq!((made.status, made.int("position")), (201, 1), "{made:#?}");
    assert_eq!(made.text("effective_at"), "2026-03-01T09:00:00Z");
    assert_eq!(made.text("recorded_at"), "2026-03-02T09:00:00Z");
    assert_eq!(
        (made.text("source"), &made.body["metadata"]["invoice"]),
        ("order-1", &json!("A-1"))
    );
    assert!(made.text("actor").starts_with("key_"));
    let entries = made.body["entries"].as_array().unwrap();
    let sides: Vec<&Value> = entries.iter().map(|entry| &entry["side"]).collect();
    assert_eq!(sides, ["debit", "credit", "credit", "credit"]);
    assert_eq!(
        (&entries[0]["amount"], &entries[0]["balance_after"]),
        (&json!(52_500), &json!(52_500))
    );

    let again = app.get(&format!("{POST}/{}", made.id())).await;
    assert_eq!((again.status, &again.body), (200, &made.body));
    let accounts = app.get("/v1/ledger/accounts").await;
    let expected = [
        ("deferred_commission", 5_000),
        ("gateway_clearing:stripe", 52_500),
        ("vat_output_payable:AE", 250),
        ("vendor_payable:V1:pending", 47_250),
    ];
    let expected = expected.map(|(path, balance)| (path.to_owned(), balance));
    assert_eq!(balances(&accounts), BTreeMap::from(expected));

    let announced: Value = app
        .sql(&format!(
            "select payload || jsonb_build_object('at', journal_position, 'event', kind)
             from outbox.event where object_id = '{}'",
            made.id()
        ))
        .await;
    assert_eq!(announced["event"], "ledger.transaction_posted");
    assert_eq!((&announced["at"], &announced["position"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&announced["kind"], &announced["source"]),
        (&json!("payment.captured"), &json!("order-1"))
    );
    app.prove_laws().await;
}

#[tokio::test]
async fn an_account_tells_what_it_is_and_what_it_has() {
    let app = TestApp::new().await;
    posted(&app, "payment.captured", CAPTURE).await;
    let id = account_id(&app, "vendor_payable:V1:pending").await;
    let account = app.get(&format!("/v1/ledger/accounts/{id}")).await;
    assert_eq!((account.status, account.id()), (200, id.as_str()));
    assert_eq!((account.text("role"), account.int("code")), ("vendor_payable", 2_000));
    assert_eq!((account.text("class"), account.text("normal_side")), ("liability", "credit"));
    assert_eq!(account.body["dimensions"], json!({ "vendor": "V1", "bucket": "pending" }));
    assert_eq!((account.int("balance"), account.int("minimum_balance")), (47_250, 0));
    let balance = app.get(&format!("/v1/ledger/accounts/{id}/balance")).await;
    assert_eq!((balance.status, balance.int("balance")), (200, 47_250));
    assert_eq!((balance.int("debits"), balance.int("credits")), (0, 47_250));
    assert_eq!((balance.text("currency"), balance.int("entries")), ("AED", 1));
    let clearing = account_id(&app, "gateway_clearing:stripe").await;
    let clearing = app.get(&format!("/v1/ledger/accounts/{clearing}")).await;
    assert_eq!(clearing.body["minimum_balance"], Value::Null);
}

#[tokio::test]
async fn a_statement_is_read_newest_first_and_a_page_never_tears_a_transaction() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for n in 1..=3 {
        let text = format!("dr bank:main {n}.00 AED; cr suspense:bank {n}.00 AED");
        ids.push(posted(&app, "bank.line", &text).await.id().to_owned());
    }
    // Two entries on one account.
    let text = "dr bank:main 4.00 AED; dr bank:main 5.00 AED; cr suspense:bank 9.00 AED";
    ids.push(posted(&app, "bank.line", text).await.id().to_owned());
    let path = format!("/v1/ledger/accounts/{}/statement", account_id(&app, "bank:main").await);

    let whole = app.get(&path).await;
    assert_eq!(column(&whole, "balance_after"), [1_500, 1_000, 600, 300, 100].map(Value::from));
    assert_eq!(column(&whole, "seq"), [5, 4, 3, 2, 1].map(Value::from));
    assert_eq!(whole.body["has_more"], false);
    // The newest transaction has two lines, and is shown whole on a page of one.
    let mut read = Vec::new();
    let mut next = format!("{path}?limit=1");
    loop {
        let page = app.get(&next).await;
        read.extend(column(&page, "seq"));
        if page.body["has_more"] == false {
            break;
        }
        let last = column(&page, "transaction").pop().unwrap();
        next = format!("{path}?limit=1&starting_after={}", last.as_str().unwrap());
    }
    assert_eq!(read, [5, 4, 3, 2, 1].map(Value::from));
    let back = app.get(&format!("{path}?limit=1&ending_before={}", ids[1])).await;
    assert_eq!((column(&back, "seq"), &back.body["has_more"]), (vec![json!(3)], &json!(true)));
    let back = app.get(&format!("{path}?limit=2&ending_before={}", ids[1])).await;
    assert_eq!(column(&back, "seq"), [5, 4, 3].map(Value::from));
    assert_eq!(back.body["has_more"], false);
}

#[tokio::test]
async fn lists_are_narrowed_and_read_page_by_page() {
    let app = TestApp::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let kind = if n % 2 == 0 { "bank.line" } else { "bank.fee" };
        let asked = body(kind, "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED");
        let made = app.post(POST, with(asked, "source", json!(format!("line-{}", n / 2)))).await;
        ids.push(Value::from(made.id()));
    }
    ids.reverse();
    let first = app.get(&format!("{POST}?limit=2")).await;
    assert_eq!((column(&first, "id"), &first.body["has_more"]), (ids[..2].to_vec(), &json!(true)));
    let after = ids[1].as_str().unwrap();
    let rest = app.get(&format!("{POST}?starting_after={after}")).await;
    assert_eq!((column(&rest, "id"), &rest.body["has_more"]), (ids[2..].to_vec(), &json!(false)));
    let before = ids[4].as_str().unwrap();
    let back = app.get(&format!("{POST}?limit=2&ending_before={before}")).await;
    assert_eq!((column(&back, "id"), &back.body["has_more"]), (ids[2..4].to_vec(), &json!(true)));
    let fees = app.get(&format!("{POST}?kind=bank.fee")).await;
    assert_eq!(column(&fees, "position"), [4, 2].map(Value::from));
    let of_one = app.get(&format!("{POST}?source=line-0&kind=bank.line")).await;
    assert_eq!(column(&of_one, "position"), [1].map(Value::from));
    let banks = app.get("/v1/ledger/accounts?role=bank").await;
    assert_eq!(column(&banks, "account"), ["bank:main"].map(Value::from));
    let next = column(&banks, "id")[0].as_str().unwrap().to_owned();
    let accounts = app.get(&format!("/v1/ledger/accounts?starting_after={next}")).await;
    assert_eq!(column(&accounts, "account"), ["suspense:bank"].map(Value::from));

    for (query, code, param) in [
        ("role=vendors", "invalid_parameter", "role"),
        ("limit=0", "invalid_parameter", "limit"),
        ("limit=ten", "invalid_parameter", "limit"),
        ("currency=AED", "unknown_parameter", "currency"),
        ("starting_after=acct_1", "invalid_parameter", "starting_after"),
    ] {
        let refused = app.get(&format!("/v1/ledger/accounts?{query}")).await;
        assert_eq!(refused.problem(), (400, code), "{query}");
        assert_eq!(refused.text("param"), param);
    }
    for query in ["kind=%00", "source=%00", "kind=", "detail=account"] {
        assert_eq!(app.get(&format!("{POST}?{query}")).await.problem().0, 400, "{query}");
    }
    let refused = app.get("/v1/ledger/trial_balance?detail=vendor").await;
    assert_eq!(refused.problem(), (400, "invalid_parameter"));
}

#[tokio::test]
async fn the_trial_balance_adds_up_in_each_currency() {
    let app = TestApp::new().await;
    posted(&app, "payment.captured", CAPTURE).await;
    let second = "dr gateway_clearing:paytabs 105.00 AED; cr vendor_payable:V2:pending 105.00 AED";
    posted(&app, "payment.captured", second).await;
    posted(&app, "fx", "dr fx_clearing 1.234 KWD; cr bank:kwd 1.234 KWD").await;
    let roles = app.get("/v1/ledger/trial_balance").await;
    let lines = roles.body["lines"].as_array().unwrap();
    let told: Vec<Value> = lines
        .iter()
        .map(|line| json!([line["account"], line["currency"], line["debit"], line["credit"]]))
        .collect();
    let expected = json!([
        ["gateway_clearing", "AED", 63_000, 0],
        ["vendor_payable", "AED", 0, 57_750],
        ["vat_output_payable", "AED", 0, 250],
        ["deferred_commission", "AED", 0, 5_000],
        ["bank", "KWD", 0, 1_234],
        ["fx_clearing", "KWD", 1_234, 0],
    ]);
    assert_eq!(Value::from(told), expected);
    let totals = json!([
        { "currency": "AED", "debit": 63_000, "credit": 63_000 },
        { "currency": "KWD", "debit": 1_234, "credit": 1_234 },
    ]);
    assert_eq!(roles.body["totals"], totals);
    let accounts = app.get("/v1/ledger/trial_balance?detail=account").await;
    assert_eq!(accounts.body["lines"].as_array().unwrap().len(), 8);
    assert_eq!(accounts.body["totals"], totals);
}

#[tokio::test]
async fn a_floor_refuses_a_command_for_ever_and_a_fact_is_booked() {
    let app = TestApp::new().await;
    posted(&app, "opening", "dr bank:main 10.00 AED; cr vendor_payable:V1:available 10.00 AED")
        .await;
    let payout = "dr vendor_payable:V1:available 25.00 AED; cr payouts_in_transit:bank 25.00 AED";
    let before = app.rows().await;
    let refused = app.post_as("payout-1", POST, body("payout.initiated", payout)).await;
    assert_eq!(refused.problem(), (409, "insufficient_balance"));
    let says = "vendor_payable:V1:available has 10.00 AED left and 25.00 AED were asked for";
    assert_eq!(refused.text("detail"), says);
    let mut kept = app.rows().await;
    *kept.get_mut("http.idempotency").unwrap() -= 1;
    assert_eq!(kept, before, "only the answer is kept");

    posted(&app, "opening", "dr bank:main 90.00 AED; cr vendor_payable:V1:available 90.00 AED")
        .await;
    let again = app.post_as("payout-1", POST, body("payout.initiated", payout)).await;
    assert_eq!((again.status, &again.body), (409, &refused.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = with(body("payout.initiated", payout), "authority", json!("command"));
    assert_eq!(app.post_as("payout-2", POST, other).await.status, 201);

    let taken = "dr vendor_payable:V1:available 100.00 AED; cr gateway_clearing:stripe 100.00 AED";
    let fact = with(body("dispute.lost", taken), "authority", json!("fact"));
    let booked = app.post(POST, fact).await;
    assert_eq!(booked.status, 201);
    let debits: Vec<Value> = booked.body["entries"].as_array().unwrap()[..2]
        .iter()
        .map(|entry| json!([entry["account"], entry["side"], entry["amount"]]))
        .collect();
    let expected = json!([
        ["vendor_payable:V1:available", "debit", 7_500],
        ["vendor_receivable:V1", "debit", 2_500],
    ]);
    assert_eq!(Value::from(debits), expected);
    app.prove_laws().await;
}

/// A good transaction with another value at a place such as `entries[0].amount`.
fn spoiled(place: &str, value: Value) -> Value {
    let mut body = body("test", "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED");
    match place.strip_prefix("entries[0].") {
        Some(field) => body["entries"][0][field] = value,
        None => body[place] = value,
    }
    body
}

#[tokio::test]
async fn bad_input_is_refused_where_it_is_wrong_and_leaves_nothing() {
    let app = TestApp::new().await;
    let before = app.rows().await;
    for (place, value, code) in [
        ("entries[0].currency", json!("XXX"), "unknown_currency"),
        ("entries[0].currency", json!("aed"), "unknown_currency"),
        ("entries[0].currency", Value::Null, "invalid_field"),
        ("entries[0].amount", json!(0), "invalid_amount"),
        ("entries[0].amount", json!(-1), "invalid_amount"),
        ("entries[0].amount", json!(9_007_199_254_740_992_i64), "invalid_amount"),
        ("entries[0].amount", json!(u64::MAX), "invalid_field"),
        ("entries[0].amount", json!("100"), "invalid_field"),
        ("entries[0].amount", json!(1.5), "invalid_field"),
        ("entries[0].amount", json!(100.0), "invalid_field"),
        ("entries[0].side", json!("left"), "invalid_field"),
        ("entries[0].account", json!("bnak:main"), "invalid_field"),
        ("entries[0].account", json!("bank"), "invalid_field"),
        ("entries[0].account", json!("bank:\u{fc}"), "invalid_field"),
        ("entries[0].colour", json!("red"), "unknown_field"),
        ("colour", json!("red"), "unknown_field"),
        ("kind", Value::Null, "invalid_field"),
        ("kind", json!(""), "invalid_field"),
        ("kind", json!("two words"), "invalid_field"),
        ("kind", json!("k".repeat(61)), "invalid_field"),
        ("source", json!("s".repeat(101)), "invalid_field"),
        ("source", json!("a\u{0}b"), "invalid_field"),
        ("source", json!("pi_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c"), "invalid_field"),
        ("entries", json!([]), "invalid_field"),
        ("entries", json!({}), "invalid_field"),
        ("authority", json!("god"), "invalid_field"),
        ("effective_at", json!("yesterday"), "invalid_field"),
        ("effective_at", json!("1999-12-31T23:59:59Z"), "invalid_field"),
        ("effective_at", json!("2026-03-03T09:00:01Z"), "invalid_field"),
    ] {
        let refused = app.post(POST, spoiled(place, value.clone())).await;
        assert_eq!(refused.problem(), (400, code), "{place} {value}: {:#}", refused.body);
        assert_eq!(refused.text("param"), place, "{:#}", refused.body);
    }
    let many: BTreeMap<String, &str> = (0..51).map(|n| (format!("k{n}"), "v")).collect();
    for (metadata, param) in [
        (json!(many), "metadata"),
        (json!({ "a[b]": "c" }), "metadata.a[b]"),
        (json!({ "a": "\u{0}" }), "metadata.a"),
        (json!({ "a": "v".repeat(501) }), "metadata.a"),
        (json!({ "a": 1 }), "metadata.a"),
    ] {
        let refused = app.post(POST, spoiled("metadata", metadata)).await;
        assert_eq!((refused.problem(), refused.text("param")), ((400, "invalid_field"), param));
    }
    let missing = app.post(POST, json!({ "kind": "test" })).await;
    assert_eq!((missing.problem(), missing.text("param")), ((400, "missing_field"), "entries"));
    assert_eq!(app.rows().await, before);
}

#[tokio::test]
async fn amounts_that_do_not_add_up_are_told_from_currencies_that_do_not_meet() {
    let app = TestApp::new().await;
    let before = app.rows().await;
    for (text, code) in [
        ("dr bank:main 1.00 AED; cr suspense:bank 1.01 AED", "amounts_do_not_add_up"),
        ("dr bank:main 1.00 AED; dr suspense:bank 1.00 AED", "amounts_do_not_add_up"),
        ("dr bank:main 1.00 AED; cr suspense:bank 1.00 USD", "currency_mismatch"),
    ] {
        let refused = app.post(POST, body("test", text)).await;
        assert_eq!((refused.problem(), refused.text("param")), ((422, code), "entries"), "{text}");
    }
    let mut kept = app.rows().await;
    *kept.get_mut("http.idempotency").unwrap() -= 3;
    assert_eq!(kept, before, "only the answers are kept");
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused_before_anything_happens() {
    let app = TestApp::new().await;
    let before = app.rows().await;
    let good = body("test", "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED").to_string();
    let long = format!("{good}{}", " ".repeat(1 << 20));
    let twice = good.replacen("\"amount\":100", "\"amount\":100,\"amount\":100", 1);
    let big = good.replacen("\"amount\":100", "\"amount\":99999999999999999999", 1);
    let exponent = good.replacen("\"amount\":100", "\"amount\":1e2", 1);
    for (key, kind, text, status, code) in [
        (Some("k"), "application/json", &good[..good.len() - 1], 400, "malformed_json"),
        (Some("k"), "application/json", "[]", 400, "invalid_field"),
        (Some("k"), "application/json", &twice, 400, "invalid_field"),
        (Some("k"), "application/json", &big, 400, "invalid_field"),
        (Some("k"), "application/json", &exponent, 400, "invalid_field"),
        (Some("k"), "application/json", &long, 413, "body_too_large"),
        (Some("k"), "text/plain", &good, 415, "unsupported_media_type"),
        (None, "application/json", &good, 400, "idempotency_key_missing"),
        (Some("a b"), "application/json", &good, 400, "idempotency_key_invalid"),
    ] {
        let mut request = app.request(Method::POST, POST).header("Content-Type", kind);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let refused = app.send(request.body(text.to_owned())).await;
        assert_eq!(refused.problem(), (status, code), "{:#}", refused.body);
    }
    assert_eq!(app.rows().await, before);
    // A key whose request was malformed is free.
    assert_eq!(app.post_as("k", POST, serde_json::from_str(&good).unwrap()).await.status, 201);
    let other = body("test", "dr bank:main 2.00 AED; cr suspense:bank 2.00 AED");
    let reused = app.post_as("k", POST, other).await;
    assert_eq!(reused.problem(), (422, "idempotency_key_reused"));
    assert_eq!(app.books.journal().await.len(), 1);
}

#[tokio::test]
async fn a_hundred_parallel_posts_with_one_key_have_one_effect() {
    let app = std::sync::Arc::new(TestApp::new().await);
    let asked = body("test", "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED");
    let mut posts = JoinSet::new();
    for _ in 0..100 {
        let (app, asked) = (app.clone(), asked.clone());
        posts.spawn(async move { app.post_as("the-one", POST, asked).await });
    }
    let (mut made, mut waiting) = (Vec::new(), 0);
    while let Some(reply) = posts.join_next().await {
        let reply = reply.unwrap();
        match reply.status {
            201 => made.push((reply.headers.contains_key("idempotent-replayed"), reply.body)),
            _ => {
                assert_eq!(reply.problem(), (409, "idempotency_key_in_flight"));
                assert!(reply.headers.contains_key("retry-after"));
                waiting += 1;
            }
        }
    }
    assert_eq!(made.len() + waiting, 100);
    assert_eq!(made.iter().filter(|(replayed, _)| !replayed).count(), 1);
    assert!(made.iter().all(|(_, body)| *body == made[0].1));
    assert_eq!(app.books.journal().await.len(), 1);
    assert_eq!(app.sql::<i64>("select count(*) from outbox.event").await, 1);
    let again = app.post_as("the-one", POST, asked).await;
    assert_eq!((again.status, &again.body), (201, &made[0].1));
    app.prove_laws().await;
}

#[tokio::test]
async fn a_transaction_is_reversed_once_and_points_to_its_original() {
    let app = TestApp::new().await;
    let made = posted(&app, "payment.captured", CAPTURE).await;
    let path = format!("{POST}/{}/reverse", made.id());
    let mut attempts = JoinSet::new();
    for n in 0..20 {
        let request = app.request(Method::POST, &path).header("Idempotency-Key", format!("r{n}"));
        attempts.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let mut statuses = attempts.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![201], vec![409; 19]].concat());
    let newest = app.get(&format!("{POST}?limit=1")).await;
    let back = &newest.body["data"][0];
    assert_eq!(
        (&back["reverses"], &back["kind"]),
        (&json!(made.id()), &json!("transaction.reversed"))
    );
    let accounts = app.get("/v1/ledger/accounts").await;
    assert!(balances(&accounts).values().all(|balance| *balance == 0), "{accounts:#?}");
    let late = app.post(&path, json!({})).await;
    assert_eq!(late.problem(), (409, "wrong_state"));
    assert!(late.text("detail").contains("reversed already"));
    app.prove_laws().await;
}

#[tokio::test]
async fn a_reversal_respects_floors_and_what_belongs_to_a_payment() {
    let app = TestApp::new().await;
    let funds = "dr bank:main 10.00 AED; cr vendor_payable:V1:available 10.00 AED";
    let made = posted(&app, "opening", funds).await;
    let payout = "dr vendor_payable:V1:available 4.00 AED; cr payouts_in_transit:bank 4.00 AED";
    posted(&app, "payout.initiated", payout).await;
    let path = format!("{POST}/{}/reverse", made.id());
    let refused = app.post(&path, json!({})).await;
    assert_eq!(refused.problem(), (409, "insufficient_balance"));
    let fact = json!({ "authority": "fact", "metadata": { "why": "bank error" } });
    let booked = app.post(&path, fact).await;
    assert_eq!((booked.status, &booked.body["metadata"]["why"]), (201, &json!("bank error")));
    for (bad, param) in [
        (json!({ "effective_at": "2030-01-01T00:00:00Z" }), "effective_at"),
        (json!({ "reason": "none" }), "reason"),
    ] {
        let refused = app.post(&path, bad).await;
        assert_eq!((refused.problem().0, refused.text("param")), (400, param));
    }

    let owned = NewTransaction {
        source: "pi_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c".to_owned(),
        ..crate::support::fact("op:capture", CAPTURE)
    };
    let outcomes = app.books.book(&[owned]).await;
    let [Outcome::Posted(posted)] = &outcomes[..] else { panic!("{outcomes:?}") };
    let refused = app.post(&format!("{POST}/{}/reverse", posted.id), json!({})).await;
    assert_eq!(refused.problem(), (409, "wrong_state"));
    assert!(refused.text("detail").contains("was written with pi_"), "{refused:#?}");
}

#[tokio::test]
async fn a_stranger_hears_what_anybody_hears_of_an_unknown_id() {
    let mut app = TestApp::new().await;
    let made = posted(&app, "payment.captured", CAPTURE).await.id().to_owned();
    let account = account_id(&app, "gateway_clearing:stripe").await;
    let unknown = |prefix: &str| format!("{prefix}_{}", "0".repeat(32));
    app.key = app.strangers_key().await;
    let told = |mut reply: Reply| {
        let told = reply.problem();
        assert!(told == (404, "not_found") || told == (400, "invalid_parameter"), "{reply:#?}");
        reply.body["request_id"].take();
        reply.body.to_string()
    };
    for (theirs, nobodys) in [(&account, unknown("acct")), (&account, "acct_1".to_owned())] {
        for rest in ["", "/balance", "/statement"] {
            let theirs = app.get(&format!("/v1/ledger/accounts/{theirs}{rest}")).await;
            let nobodys = app.get(&format!("/v1/ledger/accounts/{nobodys}{rest}")).await;
            assert_eq!(told(theirs), told(nobodys), "{rest}");
        }
    }
    for nobodys in [unknown("txn"), "txn_1".to_owned(), unknown("pi")] {
        let theirs = app.get(&format!("{POST}/{made}")).await;
        assert_eq!(told(theirs), told(app.get(&format!("{POST}/{nobodys}")).await));
        let theirs = app.post(&format!("{POST}/{made}/reverse"), json!({})).await;
        let nobodys = app.post(&format!("{POST}/{nobodys}/reverse"), json!({})).await;
        assert_eq!(told(theirs), told(nobodys));
    }
    for (list, theirs, nobodys) in
        [(POST, &made, unknown("txn")), ("/v1/ledger/accounts", &account, unknown("acct"))]
    {
        let theirs = app.get(&format!("{list}?starting_after={theirs}")).await;
        let nobodys = app.get(&format!("{list}?starting_after={nobodys}")).await;
        assert_eq!(told(theirs), told(nobodys), "{list}");
        assert_eq!(app.get(list).await.body["data"], json!([]), "{list}");
    }
    let trial = app.get("/v1/ledger/trial_balance").await;
    assert_eq!((&trial.body["lines"], &trial.body["totals"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn without_a_key_no_route_of_the_books_answers() {
    let mut app = TestApp::new().await;
    app.key = "mz_test_nobodys".to_owned();
    let account = format!("/v1/ledger/accounts/acct_{}", "0".repeat(32));
    let transaction = format!("{POST}/txn_{}", "0".repeat(32));
    for path in [
        "/v1/ledger/accounts",
        &account,
        &format!("{account}/balance"),
        &format!("{account}/statement"),
        POST,
        &transaction,
        "/v1/ledger/trial_balance",
    ] {
        assert_eq!(app.get(path).await.problem(), (401, "api_key_invalid"), "{path}");
    }
    for path in [POST, &format!("{transaction}/reverse")] {
        assert_eq!(app.post(path, json!({})).await.problem().0, 401, "{path}");
    }
}

#[tokio::test]
async fn the_ledgers_page_names_exactly_the_laws_that_are_proved() {
    let app = TestApp::new().await;
    let (_, laws) = mizan::verify::verify(&app.app.db, &app.app.clock).await.unwrap().remove(0);
    let page = mizan::books::reference();
    let (_, told) = page.split_once("## The laws that `mizan verify` proves").unwrap();
    let told: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("- ")).collect();
    let mut proved: Vec<&str> = laws.iter().map(|law| law.name).collect();
    proved.sort_by_key(|name| told.iter().position(|law| law == name));
    assert_eq!(told, proved, "change src/books/guarantees.md");
    assert_eq!(app.app.clock.now(), T0);
}

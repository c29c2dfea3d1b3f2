//! The chain of a thing, from each of its ids: through the HTTP interface and as people read it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use mizan::trace::{TraceError, text, trace};
use serde_json::{Value, json};

use crate::payouts::shop::{DAY, Shop, iban};
use crate::support_app::{Reply, TestApp, make_key, order};

/// A vendor is paid, an order is refunded, the next order nets the debt, the following payout
/// itemises it: every id of the chain by a name.
struct Chain {
    app: TestApp,
    ids: BTreeMap<&'static str, String>,
}

/// An order of this name, paid and delivered, whose part is the vendor's by now.
async fn earned(app: &TestApp, name: &str, amount: i64) -> String {
    let mut body = order(&[("V1", amount)]);
    (body["order"], body["customer"]) = (json!(name), json!("C1"));
    let id = app.create(body).await;
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (200, "succeeded"));
    app.settle().await;
    app.delivered(name).await;
    app.days(14).await;
    id
}

/// All that the vendor has, paid out by hand.
async fn paid_out(app: &TestApp) -> String {
    let made = app.post("/v1/payouts", json!({ "vendor": "V1", "currency": "AED" })).await;
    assert_eq!(made.says(), (201, "reserved"), "{made:#?}");
    for (verb, body) in [("submit", json!({})), ("outcome", json!({ "outcome": "paid" }))] {
        let done = app.post(&format!("/v1/payouts/{}/{verb}", made.id()), body).await;
        assert!(done.status < 300, "{verb}: {done:#?}");
    }
    made.id().to_owned()
}

async fn id_of(app: &TestApp, prefix: &str, query: &str) -> String {
    app.sql(&format!("select '{prefix}_' || replace(id::text, '-', '') from {query} limit 1")).await
}

/// The chain of an id as people read it.
async fn told(app: &TestApp, id: &str) -> String {
    text(&trace(&app.app.db, app.books.tenant, id).await.unwrap())
}

/// The text of all these ids names all of them, and each of the facts.
async fn all_tell(app: &TestApp, ids: &[&str], facts: &[&str]) {
    for id in ids {
        let told = told(app, id).await;
        for part in ids.iter().chain(facts) {
            assert!(told.contains(part), "from {id} `{part}`:\n{told}");
        }
    }
}

impl Chain {
    async fn new() -> Chain {
        let app = TestApp::new().await;
        let kyc = app.post("/v1/vendors/V1/kyc", json!({ "status": "verified" })).await;
        assert_eq!(kyc.status, 201, "{kyc:#?}");
        assert_eq!(app.put("/v1/vendors/V1/bank_account", iban()).await.status, 200);
        let verified = app.post("/v1/vendors/V1/bank_account/verify", json!({})).await;
        assert_eq!(verified.status, 200, "{verified:#?}");

        let mut ids = BTreeMap::new();
        let first = earned(&app, "SHOP-1", 21_000).await;
        ids.insert("first payout", paid_out(&app).await);
        let refund = app.refund(&first, None).await;
        assert_eq!(refund.status, 200, "{refund:#?}");
        app.settle().await;
        ids.insert("refund", refund.id().to_owned());
        let second = earned(&app, "SHOP-2", 31_500).await;
        ids.insert("second payout", paid_out(&app).await);

        let booked = |kind: &str| format!("ledger.transaction where kind = '{kind}'");
        for (name, kind) in [("debt", "refund.requested"), ("recovery", "vendor.recovered")] {
            ids.insert(name, id_of(&app, "txn", &booked(kind)).await);
        }
        let of = |id: &str| format!("intent_id = '{}'", &id[3..]);
        for (name, id) in [("first attempt", &first), ("second attempt", &second)] {
            let query = format!("payments.attempt where {}", of(id));
            ids.insert(name, id_of(&app, "att", &query).await);
        }
        let query = format!("payments.operation where kind = 'create' and {}", of(&first));
        ids.insert("operation", id_of(&app, "op", &query).await);
        let told = "webhooks.delivery where event_type = 'payment_intent.succeeded' order by id";
        ids.insert("webhook", id_of(&app, "whd", told).await);
        let reference = format!("payments.attempt where {}", of(&first));
        let reference = format!("select provider_ref from {reference}");
        ids.insert("gateway's reference", app.sql(&reference).await);
        let announced = "outbox.event where kind = 'vendor.recovered'";
        ids.insert("event", id_of(&app, "evt", announced).await);
        ids.insert("first", first);
        ids.insert("second", second);
        Chain { app, ids }
    }

    async fn told(&self, id: &str) -> String {
        told(&self.app, id).await
    }

    async fn asked(&self, id: &str) -> Reply {
        self.app.get(&format!("/v1/trace/{id}")).await
    }
}

#[tokio::test]
async fn from_each_id_of_a_chain_all_the_others_are_told() {
    let chain = Chain::new().await;
    let others = ["order:SHOP-1", "SHOP-2", "vendor:V1", "customer:C1"];
    for id in chain.ids.values().map(String::as_str).chain(others) {
        let told = chain.told(id).await;
        for (name, other) in &chain.ids {
            assert!(told.contains(other.as_str()), "from {id} the {name} {other}:\n{told}");
        }
        assert!(told.contains("the shop's order of customer C1"), "{told}");
        let facts = [
            "189.00 AED of the debt on vendor_receivable:V1 is paid by this",
            "is taken off as item 2 of the payout, -189.00 AED",
            "is paid as item 1 of the payout, 283.50 AED",
            "dr vendor_receivable:V1",
            "94.50 AED to vendor V1 by bank, paid",
            "payment_intent.succeeded",
            "sha256 ",
        ];
        for fact in facts {
            assert!(told.contains(fact), "from {id} `{fact}`:\n{told}");
        }
        assert_eq!(told.matches('▶').count(), 1, "{told}");
        assert_eq!(told, chain.told(id).await, "the same at every time");
    }
    chain.app.prove_laws().await;
}

#[tokio::test]
async fn a_chain_as_json_is_its_root_its_nodes_and_its_links() {
    let chain = Chain::new().await;
    let told = chain.asked(&chain.ids["recovery"]).await;
    assert_eq!((told.status, told.text("object")), (200, "trace"), "{told:#?}");
    assert_eq!(told.text("root"), chain.ids["recovery"]);
    assert_eq!(told.int("left_out"), 0);
    let nodes = told.body["nodes"].as_array().unwrap();
    let ids: BTreeSet<&str> = nodes.iter().filter_map(|node| node["id"].as_str()).collect();
    assert_eq!(ids.len(), nodes.len(), "each once");
    for node in nodes {
        assert!(node["kind"].is_string() && node["says"].is_string(), "{node:#}");
        assert!(node.get("at").is_some(), "{node:#}");
    }
    let links = told.body["links"].as_array().unwrap();
    for link in links {
        let ends = [&link["from"], &link["to"]].map(|end| end.as_str().unwrap());
        assert!(ends.iter().all(|end| ids.contains(end)), "{link:#}");
        assert!(link["why"].as_str().is_some_and(|why| !why.is_empty()));
    }
    let find = |id: &str| nodes.iter().find(|node| node["id"] == id).unwrap();
    let debt = find(&chain.ids["debt"]);
    let entries = debt["entries"].as_array().unwrap();
    let sum = |side: &str| -> i64 {
        let of_side = entries.iter().filter(|entry| entry["side"] == side);
        of_side.map(|entry| entry["amount"].as_i64().unwrap()).sum()
    };
    assert_eq!((sum("debit"), sum("credit")), (21_000, 21_000));
    assert!(debt["position"].is_i64() && debt["of"] == chain.ids["first"].as_str());
    assert_eq!(find(&chain.ids["webhook"])["sha256"].as_str().unwrap().len(), 64);
    let is_link = |link: &&Value| {
        link["from"] == chain.ids["debt"].as_str() && link["to"] == chain.ids["recovery"].as_str()
    };
    assert!(links.iter().any(|link| is_link(&link)), "{links:#?}");
}

#[tokio::test]
async fn nobody_hears_of_a_stranger_and_nothing_of_what_is_not_there() {
    let chain = Chain::new().await;
    let (db, stranger) = (&chain.app.app.db, chain.app.books.db.other_tenant());
    let of_others = ["SHOP-1", "vendor:V1", "customer:C1", "affiliate:V1"];
    let key = chain.app.strangers_key().await;
    for id in chain.ids.values().map(String::as_str).chain(of_others) {
        let unknown = trace(db, stranger, id).await.unwrap_err();
        assert!(matches!(unknown, TraceError::Unknown { .. }), "{id}: {unknown}");
        let url = format!("{}/v1/trace/{id}", chain.app.url);
        let told = chain.app.send(chain.app.client.get(url).bearer_auth(&key)).await;
        assert_eq!(told.problem(), (404, "not_found"), "{id}");
    }
    let long = "x".repeat(300);
    let nothing = [
        "po_00000000000070008000000000000000",
        "prun_00000000000070008000000000000000",
        "jrn_00000000000070008000000000000000",
        "evt_00000000000070008000000000000000",
        "op_00000000000070008000000000000000",
        "pi_unknown",
        "vendor:",
        "nobody:V1",
        "SHOP-3",
        "..",
        long.as_str(),
    ];
    for id in nothing {
        let unknown = trace(db, chain.app.books.tenant, id).await.unwrap_err().to_string();
        assert!(unknown.contains("names nothing that this tenant has: give an id"), "{unknown}");
        assert!(unknown.len() < 400, "{unknown}");
    }
    assert_eq!(chain.asked("SHOP-3").await.problem(), (404, "not_found"));
}

#[tokio::test]
async fn one_payment_of_a_great_payout_is_told_without_the_others() {
    let app = TestApp::new().await;
    app.terms("default", json!({ "release": { "after": "capture", "days": 1 } })).await;
    let mut payments = Vec::new();
    for n in 0..6 {
        payments.push(app.paid(&[("V1", 10_500 + n)]).await);
    }
    app.days(3).await;
    app.post("/v1/vendors/V1/kyc", json!({ "status": "verified" })).await;
    app.put("/v1/vendors/V1/bank_account", iban()).await;
    app.post("/v1/vendors/V1/bank_account/verify", json!({})).await;
    app.days(3).await;
    let payout = paid_out(&app).await;
    let tenant = app.books.tenant;
    let one = trace(&app.app.db, tenant, &payments[2]).await.unwrap();
    assert_eq!(one.left_out, 5);
    let told = text(&one);
    assert!(told.contains("6 items; 5 other items not shown"), "{told}");
    assert!(told.contains(&payout) && !told.contains(&payments[3]), "{told}");
    let told = text(&trace(&app.app.db, tenant, &payout).await.unwrap());
    assert!(payments.iter().all(|payment| told.contains(payment.as_str())), "{told}");
}

#[tokio::test]
async fn the_program_tells_a_chain_and_ends_with_1_where_there_is_none() {
    let chain = Chain::new().await;
    let tenant = chain.app.books.tenant.to_string();
    let run = |args: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mizan"));
        program.env("DATABASE_URL", chain.app.books.db.url());
        program.args(["trace", "--tenant", &tenant]).args(args).output().unwrap()
    };
    let refund = chain.ids["refund"].as_str();
    let told = run(&[refund]);
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert_eq!(String::from_utf8(told.stdout).unwrap(), chain.told(refund).await);
    let told = run(&[refund, "--json"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told, chain.asked(refund).await.body);
    let unknown = run(&["SHOP-3"]);
    assert_eq!((unknown.status.code(), unknown.stdout.len()), (Some(1), 0));
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.contains("SHOP-3 names nothing that this tenant has"), "{said}");
}

#[tokio::test]
async fn a_payout_is_told_with_its_run_its_file_and_its_attempts() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.terms("vendors/V1", json!({ "schedule": "daily" })).await;
    shop.available("vendor_payable:V1", "94.50 AED").await;
    let run = shop.run().await;
    let first = run.body["payouts"][0]["id"].as_str().unwrap().to_owned();
    let file = shop.app.get(&format!("/v1/payout_runs/{}/file", run.id())).await;
    assert_eq!(file.status, 200, "{file:#?}");
    let file = id_of(&shop.app, "pf", "payouts.file").await;
    shop.tell(&first, "failed", Some("AM04")).await;
    let second = shop.act(&first, "retry", json!({})).await.id().to_owned();
    let earned = id_of(&shop.app, "txn", "ledger.transaction where kind = 'test.moved'").await;
    let booked = "payouts_in_transit:bank";
    all_tell(
        &shop.app,
        &[&first, &second, run.id(), &file, &earned],
        &["is tried again by this", "failed", "made this payout", "(AM04)", booked, "in this file"],
    )
    .await;
    let balance = told(&shop.app, "vendor:V1").await;
    assert!(balance.contains("vendor V1; nothing stands in the books"), "{balance}");
    assert!([&first, &second, &file].iter().all(|id| balance.contains(*id)), "{balance}");
}

#[tokio::test]
async fn a_payout_says_what_it_carries_over_and_what_holds_it() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available("vendor_payable:V1", "94.50 AED").await;
    let part = json!({ "vendor": "V1", "currency": "AED", "amount": 5_000 });
    let first = shop.pay(part).await.id().to_owned();
    let second = shop.pay_all("V1").await.id().to_owned();
    let facts = ["-44.50 AED is left for later", "44.50 AED comes from before"];
    all_tell(&shop.app, &[&second], &[&first, facts[0], facts[1], "left something behind"]).await;
    shop.available("vendor_payable:V1", "1.00 AED").await;
    shop.kyc("vendors/V1", "pending").await;
    shop.app.advance(DAY);
    let gated = shop.pay_all("V1").await;
    assert_eq!(gated.text("status"), "gated");
    let told = told(&shop.app, gated.id()).await;
    assert!(told.contains("1.00 AED to vendor V1 by bank, gated; waits: "), "{told}");
}

/// A debit and a credit of so much, each by account and currency.
fn pair(debit: (&str, &str), credit: (&str, &str), minor: i64) -> Value {
    let entry = |(account, currency): (&str, &str), side: &str| {
        let (amount, side) = (minor, side.to_owned());
        json!({ "account": account, "side": side, "amount": amount, "currency": currency })
    };
    json!([entry(debit, "debit"), entry(credit, "credit")])
}

async fn book(app: &TestApp, entries: Value) -> String {
    let body = json!({ "kind": "test.booked", "authority": "fact", "entries": entries });
    let booked = app.post("/v1/ledger/transactions", body).await;
    assert_eq!(booked.status, 201, "{booked:#?}");
    booked.id().to_owned()
}

#[tokio::test]
async fn what_finance_books_is_told_with_what_it_puts_right() {
    let app = TestApp::new().await;
    let owed = ("gateway_clearing:telr", "AED");
    let plain = book(&app, pair(owed, ("vendor_payable:V1:available", "AED"), 1_000)).await;
    let mut stages = Vec::new();
    for (stage, bank) in [("reported", None), ("received", Some("aed_main"))] {
        let seen = app.post(
            "/v1/settlements",
            json!({
                "provider": "telr", "currency": "AED", "amount": 1_000, "stage": stage,
                "reference": "S-1", "bank": bank,
            }),
        );
        stages.push(seen.await.id().to_owned());
    }
    let [reported, received] = &stages[..] else { unreachable!() };
    let facts = ["10.00 AED, reported settlement of telr", "bank:aed_main", "the same money"];
    all_tell(&app, &[reported, received], &facts).await;
    assert!(told(&app, "S-1").await.contains(received.as_str()));

    let draft = app.post("/v1/journals", json!({
        "kind": "correction", "reason": "a listing fee", "corrects": plain,
        "entries": pair(("vendor_payable:V1:available", "AED"), ("commission_revenue", "AED"), 50),
    }));
    let draft = draft.await.id().to_owned();
    assert!(told(&app, &draft).await.contains("a listing fee"));
    let approved = by_another(&app, &format!("/v1/journals/{draft}/approve")).await;
    assert_eq!(approved.says(), (200, "posted"), "{approved:#?}");
    let posted = approved.body["transactions"][0].as_str().unwrap();
    all_tell(&app, &[&draft, posted], &[&plain, "is put right by this", "a listing fee"]).await;

    book(&app, pair(("bank:aed_main", "AED"), ("tds_payable:ecommerce", "AED"), 1_000)).await;
    let paid = app.post(
        "/v1/remittances",
        json!({
            "account": "tds_payable:ecommerce", "bank": "aed_main", "amount": 400,
            "currency": "AED", "reference": "R-1",
        }),
    );
    let facts = ["4.00 AED, tds_payable:ecommerce is paid from bank aed_main", "; there R-1"];
    all_tell(&app, &[paid.await.id()], &facts).await;
    let bought = pair(("bank:usd", "USD"), ("fx_clearing", "USD"), 1_000);
    let paid = pair(("fx_clearing", "AED"), ("bank:aed", "AED"), 3_672);
    let both = [bought.as_array().unwrap().clone(), paid.as_array().unwrap().clone()].concat();
    book(&app, json!(both)).await;
    app.advance(DAY);
    let asked = json!({ "currency": "USD", "into": "AED", "on": "2026-03-02", "rate": "3.68" });
    let valued = app.post("/v1/fx_revaluations", asked).await;
    all_tell(&app, &[valued.id(), valued.text("transaction")], &["is taken back by this"]).await;
}

#[tokio::test]
async fn credits_commissions_and_strange_webhooks_have_their_chains_too() {
    let app = TestApp::new().await;
    let payment = app.paid(&[("V1", 10_500)]).await;
    app.settle().await;
    let (tenant, id) = (app.books.tenant, &payment[3..]);
    let zeros = "00000000-0000-7000-8000-00000000000";
    app.execute(&format!(
        "insert into wallets.lot (tenant_id, id, customer, currency, origin, payment_id, amount,
             state, earned_at, vests_at, created_by)
         values ({tenant}, '{zeros}2', 'C1', 'AED', 'refund', '{id}', 100, 'vested', now(), now(),
             'tests');
         insert into affiliates.affiliate (tenant_id, id, percent, funded_by, window_days,
             release_days, created_at, created_by)
         values ({tenant}, 'A1', '5', 'platform', 30, 14, now(), 'tests');
         insert into affiliates.accrual (tenant_id, id, payment_id, line, affiliate, currency,
             percent, funded_by, base, amount, state, accrued_at)
         values ({tenant}, '{zeros}3', '{id}', 1, 'A1', 'AED', '5', 'platform', 10000, 500,
             'pending', now());"
    ))
    .await;
    let plain = zeros.replace('-', "");
    for name in [format!("lot_{plain}2"), format!("accr_{plain}3"), "affiliate:A1".to_owned()] {
        let told = told(&app, &name).await;
        assert!(told.contains(&payment), "from {name}:\n{told}");
    }
    assert!(told(&app, "customer:C1").await.contains("customer C1; nothing stands"));

    let strange = app.event("payment_intent.succeeded").await.replace("pi_", "pi_elsewhere");
    let strange = strange.replace("evt_", "evt_elsewhere");
    assert_eq!(app.deliver_signed(&strange).await.status, 200);
    let whd = "webhooks.delivery where dedupe_id like 'evt_elsewhere%'";
    let whd = id_of(&app, "whd", whd).await;
    let told = told(&app, &whd).await;
    assert!(told.contains("UTC: 1 thing, 0 links") && told.contains("payment_intent.succeeded"));
}

/// A POST by another API key of the same tenant.
async fn by_another(app: &TestApp, path: &str) -> Reply {
    let key = make_key(&app.app, app.books.tenant).await;
    let request = app.client.post(format!("{}{path}", app.url)).bearer_auth(key);
    app.send(request.header("Idempotency-Key", app.fresh()).json(&json!({}))).await
}

#[tokio::test]
async fn a_debt_that_is_given_up_is_told_from_both_ends() {
    let app = TestApp::new().await;
    let payment = app.paid(&[("V1", 21_000)]).await;
    app.delivered(&payment).await;
    app.days(14).await;
    app.book("vendor_payable:V1:available", "bank:aed_main", 18_900).await;
    let refund = app.refund(&payment, None).await.id().to_owned();
    let body = json!({ "currency": "AED", "amount": 18_900, "reason": "bankrupt" });
    let asked = app.post("/v1/vendors/V1/write_offs", body).await.id().to_owned();
    assert!(told(&app, &asked).await.contains("189.00 AED, debt of vendor V1 given up"));
    let approved = by_another(&app, &format!("/v1/write_offs/{asked}/approve")).await;
    assert_eq!(approved.says(), (200, "approved"), "{approved:#?}");
    let paid = "189.00 AED of the debt on vendor_receivable:V1 is paid by this";
    all_tell(&app, &[&asked, &refund, &payment], &[paid, "vendor.written_off", "bankrupt"]).await;
}

#[tokio::test]
async fn a_dispute_is_told_with_what_it_moved_and_moves_no_line() {
    let app = TestApp::new().await;
    let payment = app.paid(&[("V1", 10_500)]).await;
    app.settle().await;
    let reference = app.payment(&payment).await.body["attempts"][0]["provider_ref"].clone();
    let opened = app.client.post(format!("{}/_sim/disputes", app.sim.url()));
    let opened = app.send(opened.json(&json!({ "payment": reference }))).await;
    assert_eq!(opened.status, 200, "{opened:#?}");
    app.settle().await;
    let listed = app.get(&format!("/v1/disputes?payment_intent={payment}")).await;
    let dispute = listed.body["data"][0]["id"].as_str().unwrap();
    let ids = [payment.as_str(), dispute, opened.id()];
    all_tell(
        &app,
        &ids,
        &["dispute.opened", "is disputed by this", "withdrawn 105.00 AED, held in"],
    )
    .await;
    let chain = trace(&app.app.db, app.books.tenant, dispute).await.unwrap();
    let line = format!("{payment}:1");
    assert!(chain.links.iter().all(|link| link.from != line), "{:#?}", chain.links);
}

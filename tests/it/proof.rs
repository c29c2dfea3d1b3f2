//! `mizan verify` as the program runs it: what somebody with the owner's rights has changed, it
//! ends with 3 and names; what it has proved once it remembers.

use std::process::Command;

use mizan_ledger::verify::{Law, Mode};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::support::{Books, fact, page};
use crate::support_app::TestApp;

const SALE: &str = "dr gateway_clearing:stripe 105.00 AED; cr vendor_payable:V1:pending 100.00 AED;
    cr vat_output_payable:AE 5.00 AED";
const RELEASE: &str =
    "dr vendor_payable:V1:pending 100.00 AED; cr vendor_payable:V1:available 100.00 AED";
const PAYOUT: &str = "dr vendor_payable:V1:available 60.00 AED; cr bank:main 60.00 AED";
const DOLLARS: &str = "dr bank:usd 5.00 USD; cr suspense:bank 5.00 USD";

/// Everything that follows from the newest transaction, undone: entries, key, announcement,
/// balances and the book.
const REMOVE_NEWEST: &str = "
    delete from ledger.outcome where tenant_id = 1 and transaction_id in
        (select id from ledger.transaction where tenant_id = 1 and position = 4);
    delete from ledger.entry where tenant_id = 1 and position = 4;
    delete from ledger.transaction where tenant_id = 1 and position = 4;
    delete from outbox.event where tenant_id = 1 and journal_position = 4;
    update ledger.balance b set
        debits = coalesce((select sum(amount) from ledger.entry e
            where e.account_id = b.account_id and e.side = 'd'), 0),
        credits = coalesce((select sum(amount) from ledger.entry e
            where e.account_id = b.account_id and e.side = 'c'), 0),
        version = coalesce((select max(seq) from ledger.entry e
            where e.account_id = b.account_id), 0)
        where b.tenant_id = 1;
    update ledger.book set position = 3, event_position =
        (select max(event_position) from outbox.event where tenant_id = 1)
        where tenant_id = 1;";

/// A service with four transactions, posted through its interface.
async fn kept() -> TestApp {
    let app = TestApp::new().await;
    for text in [SALE, RELEASE, PAYOUT, DOLLARS] {
        post(&app, text).await;
        app.advance(60);
    }
    app
}

async fn post(app: &TestApp, text: &str) {
    let entry = |leg: mizan_ledger::Leg| {
        json!({
            "account": leg.account.path(), "side": leg.side.name(),
            "amount": leg.amount.minor(), "currency": leg.amount.currency().code(),
        })
    };
    let entries: Vec<Value> = page::legs(text).into_iter().map(entry).collect();
    let body = json!({ "kind": "test.posted", "source": "order-1", "entries": entries });
    let made = app.post("/v1/ledger/transactions", body).await;
    assert_eq!(made.status, 201, "{made:#?}");
}

/// Runs the program on the service's database; answers its exit code and what it printed.
async fn verify(app: &TestApp, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MIZAN_")) {
        command.env_remove(name);
    }
    command.arg("verify").args(args).env("DATABASE_URL", app.books.db.url());
    let run = move || command.output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let failed = String::from_utf8(output.stderr).unwrap();
    (output.status.code().unwrap(), told + &failed)
}

/// Proves the books, lets somebody change them, and expects the program to end with 3 and to
/// print each of these, both when it proves everything and when it proves what is new.
async fn found(statements: &str, rows: &[&str]) {
    let app = kept().await;
    let (code, text) = verify(&app, &[]).await;
    assert_eq!(code, 0, "{text}");
    app.books.db.tamper(statements).await;
    for args in [&[][..], &["--incremental"]] {
        let (code, text) = verify(&app, args).await;
        assert_eq!(code, 3, "{args:?}\n{text}");
        for row in rows {
            assert!(text.contains(row), "{args:?} does not say `{row}`\n{text}");
        }
    }
}

#[tokio::test]
async fn it_says_of_each_law_how_much_it_was_tried_on_and_how_long_that_took() {
    let app = kept().await;
    let (code, text) = verify(&app, &[]).await;
    assert_eq!(code, 0, "{text}");
    let laws: Vec<&str> = text.lines().filter(|line| line.starts_with("  holds ")).collect();
    assert!(laws.iter().all(|line| line.ends_with(" ms")), "{text}");
    let chain = laws.iter().find(|line| line.contains("sequences have no gap")).unwrap();
    assert!(chain.contains(" 9 entries "), "{text}");
    assert!(text.contains("full: from the first transaction, to transaction 4: every law holds"));

    post(&app, SALE).await;
    let (code, text) = verify(&app, &["--incremental"]).await;
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("incremental: after transaction 4, proved "), "{text}");
    assert!(text.contains(", to transaction 5: every law holds"), "{text}");
    let chain = text.lines().find(|line| line.contains("sequences have no gap")).unwrap();
    assert!(chain.contains(" 3 entries "), "{text}");

    let (code, text) = verify(&app, &["--json"]).await;
    let laws: Vec<Value> = serde_json::from_str(&text).unwrap();
    let pinned = laws.iter().find(|law| law["law"].as_str().unwrap().contains("proved before"));
    assert_eq!((code, &pinned.unwrap()["checked"]), (0, &json!(5)));
}

#[tokio::test]
async fn an_edited_entry_is_found() {
    found(
        "update ledger.entry set amount = amount + 1
         where tenant_id = 1 and position = 1 and side = 'd'",
        &["transaction 1 is not what it was when proved"],
    )
    .await;
}

#[tokio::test]
async fn entries_edited_on_both_sides_with_all_that_follows_from_them_are_found() {
    found(
        "update ledger.entry set amount = amount + 100, balance_after = balance_after
             + case side when 'd' then 100 else -100 end
         where tenant_id = 1 and position = 4;
         update ledger.balance set debits = debits + case when debits > 0 then 100 else 0 end,
             credits = credits + case when credits > 0 then 100 else 0 end
         where tenant_id = 1 and currency = 'USD'",
        &["transaction 4 is not what it was when proved"],
    )
    .await;
}

#[tokio::test]
async fn an_edited_balance_is_found() {
    found(
        "update ledger.balance set debits = debits + 1, credits = credits + 1
         where tenant_id = 1 and currency = 'USD'",
        &["account bank:usd USD has debits 501, credits 1, version 1; its entries say 500, 0, 1"],
    )
    .await;
}

#[tokio::test]
async fn balanced_legs_added_to_an_old_transaction_are_found() {
    found(
        "with head as (
             update ledger.balance b set version = version + 1,
                 debits = debits + case a.path when 'bank:main' then 0 else 100 end,
                 credits = credits + case a.path when 'bank:main' then 100 else 0 end
             from ledger.account a
             where a.id = b.account_id and b.tenant_id = 1
                 and a.path in ('bank:main', 'vendor_payable:V1:available')
             returning b.account_id, b.version, b.debits - b.credits as net, b.currency, a.path)
         insert into ledger.entry (tenant_id, account_id, seq, position, side, amount, currency,
             balance_after, recorded_at)
         select 1, h.account_id, h.version, 2, case h.path when 'bank:main' then 'c' else 'd' end,
             100, h.currency, h.net, t.recorded_at
         from head h, ledger.transaction t where t.tenant_id = 1 and t.position = 2;
         update ledger.transaction set entry_count = 4 where tenant_id = 1 and position = 2",
        &["transaction 2 is not what it was when proved"],
    )
    .await;
}

#[tokio::test]
async fn a_transaction_removed_from_the_middle_is_found() {
    found(
        "delete from ledger.entry where tenant_id = 1 and position = 2;
         delete from ledger.transaction where tenant_id = 1 and position = 2",
        &["transaction 2 was proved", "and is gone"],
    )
    .await;
}

#[tokio::test]
async fn the_newest_transaction_removed_is_found_by_what_it_leaves_behind() {
    let app = kept().await;
    let newest = "delete from ledger.entry where tenant_id = 1 and position = 4;
        delete from ledger.transaction where tenant_id = 1 and position = 4";
    app.books.db.tamper(newest).await;
    let (code, text) = verify(&app, &[]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("the book stands at 4 and the journal ends at 3"), "{text}");
}

#[tokio::test]
async fn the_newest_transaction_removed_with_all_that_follows_from_it_is_found_by_the_mark() {
    let rows = [
        "transaction 4 was proved",
        "and is gone",
        "the journal was proved up to 4 at",
        "and stands at 3",
        "the outbox was proved up to 4 at",
    ];
    found(REMOVE_NEWEST, &rows).await;

    // What was never proved leaves no trace but in a seal that is kept elsewhere.
    let app = kept().await;
    app.books.db.tamper(REMOVE_NEWEST).await;
    let (code, text) = verify(&app, &[]).await;
    assert_eq!(code, 0, "{text}");
}

#[tokio::test]
async fn another_transaction_in_the_place_of_one_that_was_proved_is_found() {
    let app = kept().await;
    assert_eq!(verify(&app, &[]).await.0, 0);
    // The service goes on where the vandal left its books, in a new process.
    app.books.db.tamper(REMOVE_NEWEST).await;
    app.books
        .db
        .tamper(
            "update ledger.balance set before_debits = debits, before_credits = credits,
                 before_version = version where tenant_id = 1;
             update ledger.book set before_position = 3 where tenant_id = 1",
        )
        .await;
    post(&app, SALE).await;
    for args in [&[][..], &["--incremental"]] {
        let (code, text) = verify(&app, args).await;
        assert_eq!(code, 3, "{args:?}\n{text}");
        assert!(text.contains("transaction 4 is not what it was when proved"), "{text}");
    }
}

#[tokio::test]
async fn what_no_law_speaks_of_cannot_be_changed_either() {
    for edit in [
        "update ledger.transaction set metadata = '{\"invoice\": \"A-2\"}'",
        "update ledger.transaction set kind = 'test.other'",
        "update ledger.transaction set source = 'order-2'",
        "update ledger.transaction set actor = 'key_somebody_else'",
        "update ledger.transaction set effective_at = effective_at - interval '40 days'",
        "update ledger.transaction set id = gen_random_uuid()",
    ] {
        let edit = format!("{edit} where tenant_id = 1 and position = 2");
        found(&edit, &["transaction 2 is not what it was when proved"]).await;
    }
    // Whose money it is: the account's name is told with its first entry.
    found(
        "update ledger.account set path = 'vendor_payable:V2:available'
         where tenant_id = 1 and path = 'vendor_payable:V1:available'",
        &["transaction 2 is not what it was when proved"],
    )
    .await;
}

#[tokio::test]
async fn a_proof_that_was_tampered_with_is_named() {
    for (edit, row) in [
        ("delete from proof.block", "the proof of transactions 1 to 4 is gone"),
        ("delete from proof.mark where number = 1", "the proof of transactions 1 to 4 is gone"),
        ("update proof.block set digest = sha256('')", "transactions 1 to 4 are not what was"),
    ] {
        let app = kept().await;
        assert_eq!(verify(&app, &[]).await.0, 0);
        assert_eq!(verify(&app, &[]).await.0, 0);
        app.books.db.tamper(edit).await;
        let (code, text) = verify(&app, &[]).await;
        assert_eq!(code, 3, "{text}");
        assert!(text.contains(row), "{edit} leaves no `{row}`\n{text}");
    }
}

#[tokio::test]
async fn a_broken_law_makes_no_mark() {
    let app = kept().await;
    assert_eq!(verify(&app, &[]).await.0, 0);
    app.books.db.tamper("update ledger.book set position = 9 where tenant_id = 1").await;
    for args in [&[][..], &["--incremental"]] {
        let (code, text) = verify(&app, args).await;
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("the book stands at 9 and the journal ends at 4"), "{text}");
    }
    let marks: i64 = app.sql("select count(*) from proof.mark where tenant_id = 1").await;
    assert_eq!(marks, 1);
}

#[tokio::test]
async fn what_cannot_be_seen_is_not_proved() {
    let app = kept().await;
    app.execute("drop policy tenant_isolation on ledger.book").await;
    let (code, text) = verify(&app, &[]).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the book of tenant 1 is not there, so nothing can be proved"), "{text}");
}

#[tokio::test]
async fn accounts_go_on_from_what_they_came_to_at_the_mark() {
    let books = Books::new().await;
    let broken = |laws: &[Law]| {
        let rows = |law: &Law| law.broken.clone();
        laws.iter().flat_map(rows).collect::<Vec<_>>()
    };
    // Several blocks, and marks in the middle of some.
    for round in 0..3 {
        let keys: Vec<String> = (0..700).map(|n| format!("sale {round} {n}")).collect();
        let batch: Vec<_> = keys.iter().map(|key| fact(key, SALE)).collect();
        books.book(&batch).await;
        let increment = books.proof(Mode::Incremental).await;
        assert_eq!(broken(&increment.laws), [""; 0]);
        assert_eq!(increment.position, 700 * (round + 1));
        let met = increment.laws.iter().find(|law| law.unit == "entries").unwrap().checked;
        assert_eq!(met, 3 * 700, "round {round}");
        books.mark().await;
    }
    let blocks: Vec<(i64, i64)> =
        sqlx::query_as("select first_position, last_position from proof.block order by 1")
            .fetch_all(&mut books.db.owner().await)
            .await
            .unwrap();
    assert_eq!(blocks, [(1, 700), (701, 1_000), (1_001, 1_400), (1_401, 2_000), (2_001, 2_100)]);

    // Old rows are the business of the full proof, and each one is named.
    let old = "update ledger.transaction set actor = 'nobody' where tenant_id = 1 and position";
    books.db.tamper(&format!("{old} in (3, 999, 1700)")).await;
    assert_eq!(broken(&books.proof(Mode::Incremental).await.laws), [""; 0]);
    let found = broken(&books.proof(Mode::Full).await.laws);
    let named: Vec<_> = found.iter().map(|row| row.split(" is not").next().unwrap()).collect();
    assert_eq!(named, ["transaction 3", "transaction 999", "transaction 1700"]);
}

#[tokio::test]
async fn a_transaction_is_reversed_once_and_after_itself() {
    let app = kept().await;
    let twice = "drop index ledger.transaction_reversed_once;
        update ledger.transaction set reverses = 1 where tenant_id = 1 and position in (2, 3);
        update ledger.transaction set reverses = 4 where tenant_id = 1 and position = 4";
    app.books.db.tamper(twice).await;
    let (code, text) = verify(&app, &[]).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("transaction 3 reverses 1, which is reversed already"), "{text}");
    assert!(text.contains("transaction 4 reverses 4, which does not come before it"), "{text}");
}

#[tokio::test]
async fn money_that_stays_in_transit_for_too_long_is_named() {
    let app = TestApp::new().await;
    let sent = |amount: &str| {
        format!("dr bank:main {amount} AED; cr payouts_in_transit:bank {amount} AED")
    };
    let arrived = "dr payouts_in_transit:bank 60.00 AED; cr bank:main 60.00 AED";
    post(&app, &sent("60.00")).await;
    post(&app, &sent("7.00")).await;
    app.advance(10 * 86_400);
    post(&app, arrived).await;
    post(&app, &sent("2.00")).await;
    app.prove_laws().await;
    app.advance(5 * 86_400);
    let (_, laws) = mizan::verify::verify(&app.app.db, &app.app.clock).await.unwrap().remove(0);
    let broken: Vec<_> = laws.iter().flat_map(|law| law.broken.clone()).collect();
    let row = "account payouts_in_transit:bank AED holds 700 minor units for more than 14 days";
    assert_eq!(broken, [row]);
}

#[tokio::test]
async fn every_night_the_books_are_proved_and_the_figures_say_so() {
    let app = kept().await;
    app.tick().await;
    let figure = |text: &str, name: &str, mode: &str| {
        let start = format!("mizan_verify_{name}{{tenant=\"1\",mode=\"{mode}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {start} in\n{text}"))
    };
    let first = app.app.clock.now().timestamp().to_string();
    let told = app.metrics().await;
    assert_eq!(figure(&told, "last_success_timestamp_seconds", "full"), first);
    assert_eq!(figure(&told, "broken_laws", "full"), "0");

    // 02:30 of the next day is half a day away.
    app.advance(86_400);
    post(&app, SALE).await;
    app.tick().await;
    let told = app.metrics().await;
    let second = app.app.clock.now().timestamp().to_string();
    assert_eq!(figure(&told, "last_success_timestamp_seconds", "full"), first);
    assert_eq!(figure(&told, "last_success_timestamp_seconds", "incremental"), second);
    assert_eq!(figure(&told, "broken_laws", "incremental"), "0");

    app.books.db.tamper("update ledger.balance set version = 9 where currency = 'USD'").await;
    app.advance(60);
    app.tick().await;
    let told = app.metrics().await;
    assert_eq!(figure(&told, "broken_laws", "incremental"), "0", "it was proved this night");
    app.advance(86_400);
    app.tick().await;
    let told = app.metrics().await;
    assert_eq!(figure(&told, "broken_laws", "incremental"), "1");
    assert_eq!(figure(&told, "last_success_timestamp_seconds", "incremental"), second);
    let marks: i64 = app.sql("select count(*) from proof.mark where tenant_id = 1").await;
    assert_eq!(marks, 2);
}

#[tokio::test]
async fn a_proof_locks_nothing_that_the_service_needs() {
    let app = kept().await;
    let mut proof = app.books.db.service_pool().begin().await.unwrap();
    let begin = "set transaction isolation level repeatable read, read only;
        set local mizan.tenant = '1'";
    sqlx::raw_sql(AssertSqlSafe(begin)).execute(&mut *proof).await.unwrap();
    let now = app.app.clock.now();
    let zero = || std::time::Duration::ZERO;
    let proved =
        mizan_ledger::verify::prove_ledger(&mut proof, app.books.tenant, Mode::Full, now, &zero);
    assert!(proved.await.unwrap().laws.iter().all(Law::holds));
    // Its transaction is still open, and posting goes on.
    post(&app, SALE).await;
    proof.rollback().await.unwrap();
}

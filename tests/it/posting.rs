//! Posting: an outcome for each of many, sticky answers, floors, facts that spill, reversals.

use mizan_ledger::{Authority, NewTransaction, Outcome, PostingKey, Refusal, TransactionKind};
use mizan_money::TransactionId;

use crate::support::{Books, T0, after, answers, command, fact, lines, posting, scope};

const SALE: &str = "dr gateway_clearing:stripe 100.00 AED; cr vendor_payable:V1:pending 100.00 AED";

fn release(key: &str, amount: &str) -> NewTransaction {
    let page = format!(
        "dr vendor_payable:V1:pending {amount} AED; cr vendor_payable:V1:available {amount} AED"
    );
    command(key, &page)
}

/// Posts one batch and compares the answers.
async fn expect(books: &Books, batch: &[NewTransaction], expected: &str) {
    assert_eq!(answers(&books.post(batch).await), lines(expected));
}

#[tokio::test]
async fn many_at_once_get_an_outcome_each() {
    let books = Books::new().await;
    let batch = [
        release("too early", "10.00"),
        fact("sale", SALE),
        release("in time", "70.00"),
        release("too much", "30.01"),
        release("the rest", "30.00"),
    ];
    expect(
        &books,
        &batch,
        "
        refused: vendor_payable:V1:pending has 0.00 AED left and 10.00 AED were asked for
        posted 1
        posted 2
        refused: vendor_payable:V1:pending has 30.00 AED left and 30.01 AED were asked for
        posted 3",
    )
    .await;
    assert_eq!(
        books.balances().await,
        lines(
            "
        gateway_clearing:stripe 100.00 AED
        vendor_payable:V1:available 100.00 AED
        vendor_payable:V1:pending 0.00 AED"
        )
    );
    books.prove().await;
}

#[tokio::test]
async fn nothing_asked_is_nothing_done() {
    let books = Books::new().await;
    assert!(books.post(&[]).await.is_empty());
    assert_eq!(books.count("ledger.outcome").await, 0);
}

#[tokio::test]
async fn a_refused_key_stays_refused_after_the_money_has_arrived() {
    let books = Books::new().await;
    let refused =
        "refused: vendor_payable:V1:pending has 0.00 AED left and 10.00 AED were asked for";
    expect(&books, &[release("early", "10.00")], refused).await;
    expect(&books, &[fact("sale", SALE)], "posted 1").await;
    expect(&books, &[release("early", "10.00")], refused).await;
    expect(&books, &[release("again", "10.00")], "posted 2").await;
    assert_eq!(books.count("ledger.transaction").await, 2);
    books.prove().await;
}

#[tokio::test]
async fn a_repeated_key_answers_what_it_answered_and_writes_nothing() {
    let books = Books::new().await;
    let first = books.book(&[fact("sale", SALE)]).await;
    let again = books.post_at(after(3_600), &[fact("sale", SALE)]).await.unwrap();
    let (first, again) = (first[0].posted().unwrap(), again[0].posted().unwrap());
    assert!(!first.replayed && again.replayed);
    assert_eq!((first.id, first.position, first.recorded_at), (again.id, again.position, T0));
    assert_eq!(first.recorded_at, again.recorded_at);
    assert_eq!(books.count("ledger.transaction").await, 1);
    assert_eq!(books.count("ledger.entry").await, 2);
    books.prove().await;
}

#[tokio::test]
async fn a_key_used_with_other_content_is_an_error_and_never_a_second_posting() {
    let books = Books::new().await;
    let sale = fact("sale", SALE);
    books.book(std::slice::from_ref(&sale)).await;
    let mut others = Vec::new();
    let mut other = |change: &dyn Fn(&mut NewTransaction)| {
        let mut changed = sale.clone();
        change(&mut changed);
        others.push(changed);
    };
    other(&|t| {
        t.posting = posting(
            "dr gateway_clearing:stripe 100.01 AED; cr vendor_payable:V1:pending 100.01 AED",
        );
    });
    other(&|t| t.posting = t.posting.reversed());
    other(&|t| t.kind = TransactionKind::new("test.other").unwrap());
    other(&|t| t.effective_at = after(1));
    other(&|t| t.authority = Authority::Command);
    other(&|t| "testsx".clone_into(&mut t.source));
    other(&|t| "x".clone_into(&mut t.actor));
    other(&|t| drop(t.metadata.insert("a".to_owned(), 1.into())));
    other(&|t| t.reverses = Some(TransactionId::generate(T0)));
    for changed in others {
        expect(&books, &[changed], "key reused").await;
    }
    assert_eq!(books.count("ledger.transaction").await, 1);
    assert_eq!(books.count("ledger.outcome").await, 1);
    assert_eq!(books.count("ledger.rejection").await, 0);
    books.prove().await;
}

#[tokio::test]
async fn one_key_twice_in_a_batch_is_posted_once() {
    let books = Books::new().await;
    let other = fact("sale", "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED");
    let batch = [
        fact("sale", SALE),
        fact("sale", SALE),
        other,
        release("early", "200.00"),
        release("early", "200.00"),
        fact("last", SALE),
    ];
    expect(
        &books,
        &batch,
        "
        posted 1
        posted 1 before
        key reused
        refused: vendor_payable:V1:pending has 100.00 AED left and 200.00 AED were asked for
        refused: vendor_payable:V1:pending has 100.00 AED left and 200.00 AED were asked for
        posted 2",
    )
    .await;
    expect(
        &books,
        &batch,
        "
        posted 1 before
        posted 1 before
        key reused
        refused: vendor_payable:V1:pending has 100.00 AED left and 200.00 AED were asked for
        refused: vendor_payable:V1:pending has 100.00 AED left and 200.00 AED were asked for
        posted 2 before",
    )
    .await;
    books.prove().await;
}

#[tokio::test]
async fn a_roll_back_frees_the_key_and_the_position() {
    let books = Books::new().await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let outcomes = mizan_ledger::post(&mut tx, books.tenant, T0, &[fact("sale", SALE)]).await;
    assert_eq!(answers(&outcomes.unwrap()), "posted 1\n");
    tx.rollback().await.unwrap();
    assert_eq!(books.balances().await, "");
    expect(&books, &[fact("sale", SALE)], "posted 1").await;
    books.prove().await;
}

#[tokio::test]
async fn two_batches_in_one_database_transaction_follow_each_other() {
    let books = Books::new().await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    for (key, expected) in [("a", "posted 1\n"), ("b", "posted 2\n"), ("a", "posted 1 before\n")] {
        let told = mizan_ledger::post(&mut tx, books.tenant, T0, &[fact(key, SALE)]).await;
        assert_eq!(answers(&told.unwrap()), expected);
    }
    tx.commit().await.unwrap();
    books.prove().await;
}

#[tokio::test]
async fn a_fact_takes_what_is_pending_then_available_then_in_reserve_and_the_rest_is_debt() {
    let books = Books::new().await;
    let bucket = |key, bucket: &str, amount: &str| {
        fact(key, &format!("dr bank:main {amount} AED; cr vendor_payable:V1:{bucket} {amount} AED"))
    };
    let funds = [
        bucket("p", "pending", "10.00"),
        bucket("a", "available", "20.00"),
        bucket("r", "reserve", "5.00"),
        bucket("h", "held", "7.00"),
    ];
    books.book(&funds).await;
    let refund =
        fact("refund", "dr vendor_payable:V1:pending 50.00 AED; cr refunds_payable 50.00 AED");
    let id = books.book(&[refund]).await[0].posted().unwrap().id;
    assert_eq!(
        crate::support::page::entries(&books.transaction(id).await),
        lines(
            "
        dr vendor_payable:V1:available 20.00 AED
        dr vendor_payable:V1:pending 10.00 AED
        dr vendor_payable:V1:reserve 5.00 AED
        dr vendor_receivable:V1 15.00 AED
        cr refunds_payable 50.00 AED"
        )
    );
    assert_eq!(
        books.balances().await,
        lines(
            "
        bank:main 42.00 AED
        refunds_payable 50.00 AED
        vendor_payable:V1:available 0.00 AED
        vendor_payable:V1:held 7.00 AED
        vendor_payable:V1:pending 0.00 AED
        vendor_payable:V1:reserve 0.00 AED
        vendor_receivable:V1 15.00 AED"
        )
    );
    books.prove().await;
}

#[tokio::test]
async fn every_party_with_a_floor_can_owe() {
    let books = Books::new().await;
    books
        .book(&[
            fact("w", "dr customer_wallet:C1:cash:spendable 3.00 AED; cr bank:main 3.00 AED"),
            fact("a", "dr affiliate_payable:A1:available 4.00 AED; cr bank:main 4.00 AED"),
            fact("c", "dr cashback_liability:C2 5.00 AED; cr bank:main 5.00 AED"),
            fact("v", "dr bank:main 6.00 AED; cr vendor_receivable:V1 6.00 AED"),
            fact("f", "dr bank:main 7.00 AED; cr affiliate_receivable:A2 7.00 AED"),
        ])
        .await;
    assert_eq!(
        books.balances().await,
        lines(
            "
        affiliate_payable:A2:available 7.00 AED
        affiliate_receivable:A1 4.00 AED
        bank:main 1.00 AED
        trade_receivable:C1 3.00 AED
        trade_receivable:C2 5.00 AED
        vendor_payable:V1:available 6.00 AED"
        )
    );
    books.prove().await;
}

#[tokio::test]
async fn a_command_may_dip_below_a_floor_and_come_back_but_not_end_there() {
    let books = Books::new().await;
    let through =
        "dr vendor_payable:V1:available 5.00 AED; cr vendor_payable:V1:available 5.00 AED";
    let not_back =
        "dr vendor_payable:V1:available 5.00 AED; cr vendor_payable:V1:available 4.99 AED;
        cr suspense:bank 0.01 AED";
    expect(
        &books,
        &[command("through", through), command("not back", not_back)],
        "
        posted 1
        refused: vendor_payable:V1:available has 0.00 AED left and 0.01 AED were asked for",
    )
    .await;
    books.prove().await;
}

#[tokio::test]
async fn currencies_have_accounts_and_floors_of_their_own() {
    let books = Books::new().await;
    let dinars = "dr bank:main 1.005 KWD; cr vendor_payable:V1:available 1.005 KWD";
    let yen = "dr bank:main 700 JPY; cr vendor_payable:V1:available 700 JPY";
    let pay = |key, amount: &str| {
        command(key, &format!("dr vendor_payable:V1:available {amount}; cr bank:main {amount}"))
    };
    let batch = [
        fact("kwd", dinars),
        fact("jpy", yen),
        pay("aed", "0.01 AED"),
        pay("jpy out", "700 JPY"),
        pay("kwd out", "1.006 KWD"),
    ];
    expect(
        &books,
        &batch,
        "
        posted 1
        posted 2
        refused: vendor_payable:V1:available has 0.00 AED left and 0.01 AED were asked for
        posted 3
        refused: vendor_payable:V1:available has 1.005 KWD left and 1.006 KWD were asked for",
    )
    .await;
    books.prove().await;
}

#[tokio::test]
async fn an_exchange_balances_in_each_currency() {
    let books = Books::new().await;
    books
        .book(&[command(
            "fx",
            "
        dr bank:aed 367.25 AED
        cr fx_clearing 367.25 AED
        dr fx_clearing 100.00 USD
        cr bank:usd 100.00 USD",
        )])
        .await;
    assert_eq!(
        books.balances().await,
        lines(
            "
        bank:aed 367.25 AED
        bank:usd -100.00 USD
        fx_clearing -367.25 AED
        fx_clearing 100.00 USD"
        )
    );
    books.prove().await;
}

#[tokio::test]
async fn an_account_that_would_overflow_refuses_and_says_so() {
    let books = Books::new().await;
    let huge = "dr bank:main 92233720368547758.07 AED; cr suspense:bank 92233720368547758.07 AED";
    let one = "dr bank:main 0.01 AED; cr suspense:bank 0.01 AED";
    expect(
        &books,
        &[command("huge", huge), command("one", one)],
        "
        posted 1
        refused: bank:main would hold more than 9,223,372,036,854,775,807 minor units",
    )
    .await;
    books.prove().await;
}

#[tokio::test]
async fn a_thousand_legs_are_one_transaction() {
    let books = Books::new().await;
    let mut page = "dr gateway_clearing:stripe 999.00 AED;".to_owned();
    for vendor in 0..999 {
        page.push_str(&format!("cr vendor_payable:v{vendor}:pending 1.00 AED;"));
    }
    let id = books.book(&[fact("order", &page)]).await[0].posted().unwrap().id;
    assert_eq!(books.transaction(id).await.entries.len(), 1_000);
    books.prove().await;
}

/// Takes a posted transaction back under a key.
async fn reversal(books: &Books, key: &str, id: TransactionId) -> NewTransaction {
    let key = PostingKey::new(key).unwrap();
    let kind = TransactionKind::new("test.reversed").unwrap();
    let original = books.transaction(id).await;
    original.reversal(key, kind, Authority::Command, after(60), "tests".to_owned()).unwrap()
}

#[tokio::test]
async fn a_thing_is_reversed_once() {
    let books = Books::new().await;
    let sale = books.book(&[fact("sale", SALE)]).await[0].posted().unwrap().id;
    let back = reversal(&books, "back", sale).await;
    let posted = books.book(std::slice::from_ref(&back)).await[0].posted().unwrap().clone();
    assert_eq!(books.transaction(posted.id).await.reverses, Some(sale));
    assert_eq!(
        books.balances().await,
        lines(
            "
        gateway_clearing:stripe 0.00 AED
        vendor_payable:V1:pending 0.00 AED"
        )
    );
    let again = reversal(&books, "again", sale).await;
    let told = format!("refused: {sale} has been reversed already: a transaction is reversed once");
    expect(&books, &[again, back], &format!("{told}\nposted 2 before")).await;
    let of_the_reversal = reversal(&books, "forth", posted.id).await;
    expect(&books, &[of_the_reversal], "posted 3").await;
    books.prove().await;
}

#[tokio::test]
async fn two_reversals_in_one_batch_are_one() {
    let books = Books::new().await;
    let sale = books.book(&[fact("sale", SALE)]).await[0].posted().unwrap().id;
    let batch = [reversal(&books, "a", sale).await, reversal(&books, "b", sale).await];
    let outcomes = books.post(&batch).await;
    assert!(outcomes[0].posted().is_some());
    let refusal = Refusal::AlreadyReversed { id: sale.to_string(), by_position: None };
    assert_eq!(outcomes[1], Outcome::Refused(refusal));
    books.prove().await;
}

#[tokio::test]
async fn a_reversal_that_a_floor_refuses_leaves_the_original_to_be_reversed_later() {
    let books = Books::new().await;
    let sale = books.book(&[fact("sale", SALE)]).await[0].posted().unwrap().id;
    books.book(&[release("r", "100.00")]).await;
    let early = reversal(&books, "early", sale).await;
    expect(
        &books,
        &[early],
        "
        refused: vendor_payable:V1:pending has 0.00 AED left and 100.00 AED were asked for",
    )
    .await;
    let unrelease =
        "dr vendor_payable:V1:available 100.00 AED; cr vendor_payable:V1:pending 100.00 AED";
    books.book(&[command("unrelease", unrelease), reversal(&books, "later", sale).await]).await;
    books.prove().await;
}

#[tokio::test]
async fn what_is_not_there_cannot_be_reversed() {
    let books = Books::new().await;
    let mut stray = fact("stray", SALE);
    let id = TransactionId::generate(T0);
    stray.reverses = Some(id);
    let told = format!("refused: {id} is not a transaction of this ledger");
    expect(&books, &[stray], &told).await;
    assert_eq!(books.balances().await, "");
    books.prove().await;
}

#[tokio::test]
async fn recorded_time_never_goes_back_when_the_clock_does() {
    let books = Books::new().await;
    for (seconds, key) in [(100, "a"), (40, "b"), (120, "c")] {
        books.post_at(after(seconds), &[fact(key, SALE)]).await.unwrap();
    }
    let times: Vec<i64> =
        books.journal().await.iter().map(|t| (t.recorded_at - T0).num_seconds()).collect();
    assert_eq!(times, [100, 100, 120]);
    let replayed = books.post_at(after(1), &[fact("a", SALE)]).await.unwrap();
    assert_eq!(replayed[0].posted().unwrap().recorded_at, after(100));
    books.prove().await;
}

#[tokio::test]
async fn entries_over_months_lie_in_their_partitions_and_continue() {
    let books = Books::new().await;
    for month in 0..5 {
        let now = after(month * 30 * 86_400);
        books.post_at(now, &[fact(&format!("k{month}"), SALE)]).await.unwrap();
    }
    let mut owner = books.db.owner().await;
    let used = "select count(distinct tableoid) from ledger.entry";
    let used: i64 = sqlx::query_scalar(used).fetch_one(&mut owner).await.unwrap();
    assert!(used >= 4, "{used}");
    books.prove().await;
}

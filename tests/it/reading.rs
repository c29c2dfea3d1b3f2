//! Reading the books: balances now, statements page by page, the trial balance.

use mizan_ledger::Role;
use mizan_ledger::read::{self, Cursor, Detail, Listed, Page, StatementLine};
use mizan_money::{AccountId, Currency, TransactionId};

use crate::support::page::account;
use crate::support::{Books, aed, command, fact, lines, scope};

fn deposit(key: &str, amount: &str) -> mizan_ledger::NewTransaction {
    fact(key, &format!("dr bank:main {amount} AED; cr suspense:bank {amount} AED"))
}

async fn account_id(books: &Books, path: &str) -> AccountId {
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let found = read::account_at(&mut tx, books.tenant, &account(path), Currency::AED).await;
    found.unwrap().unwrap().id
}

async fn statement(
    books: &Books,
    id: AccountId,
    limit: u16,
    cursor: Cursor,
) -> Listed<StatementLine> {
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let page = Page { limit, cursor };
    read::statement(&mut tx, books.tenant, id, page).await.unwrap().unwrap()
}

fn seqs(page: &Listed<StatementLine>) -> Vec<i64> {
    page.data.iter().map(|line| line.seq).collect()
}

#[tokio::test]
async fn a_statement_is_read_page_by_page_in_both_directions() {
    let books = Books::new().await;
    let batch: Vec<_> = (1..=10).map(|n| deposit(&format!("k{n}"), "1.00")).collect();
    books.book(&batch).await;
    let id = account_id(&books, "bank:main").await;
    let (mut cursor, mut pages) = (Cursor::Start, Vec::new());
    loop {
        let page = statement(&books, id, 4, cursor).await;
        pages.push((seqs(&page), page.has_more));
        cursor = Cursor::After(page.data.last().unwrap().transaction.uuid());
        if !page.has_more {
            break;
        }
    }
    let newest_first = [(vec![10, 9, 8, 7], true), (vec![6, 5, 4, 3], true), (vec![2, 1], false)];
    assert_eq!(pages, newest_first);
    let oldest = statement(&books, id, 20, Cursor::Start).await.data.pop().unwrap();
    let (mut cursor, mut pages) = (Cursor::Before(oldest.transaction.uuid()), Vec::new());
    loop {
        let page = statement(&books, id, 4, cursor).await;
        pages.push((seqs(&page), page.has_more));
        cursor = Cursor::Before(page.data.first().unwrap().transaction.uuid());
        if !page.has_more {
            break;
        }
    }
    let back_up = [(vec![5, 4, 3, 2], true), (vec![9, 8, 7, 6], true), (vec![10], false)];
    assert_eq!(pages, back_up);
}

#[tokio::test]
async fn a_line_says_amount_side_and_the_balance_on_the_normal_side() {
    let books = Books::new().await;
    books
        .book(&[
            fact("in", "dr bank:main 5.00 AED; cr vendor_payable:V1:available 5.00 AED"),
            command("out", "dr vendor_payable:V1:available 2.00 AED; cr bank:main 2.00 AED"),
        ])
        .await;
    for (path, sides) in
        [("bank:main", ["credit", "debit"]), ("vendor_payable:V1:available", ["debit", "credit"])]
    {
        let id = account_id(&books, path).await;
        let page = statement(&books, id, 10, Cursor::Start).await;
        let told: Vec<_> =
            page.data.iter().map(|l| (l.seq, l.side.name(), l.amount, l.balance_after)).collect();
        let newest = (2, sides[0], aed("2.00"), aed("3.00"));
        assert_eq!(told, [newest, (1, sides[1], aed("5.00"), aed("5.00"))], "{path}");
    }
}

#[tokio::test]
async fn a_page_never_cuts_a_transaction_that_touches_the_account_twice() {
    let books = Books::new().await;
    // Two order lines of one vendor, each a leg of its own.
    let order = |key| {
        fact(
            key,
            "dr gateway_clearing:stripe 3.00 AED;
        cr vendor_payable:V1:pending 1.00 AED; cr vendor_payable:V1:pending 2.00 AED",
        )
    };
    books.book(&[order("a"), order("b"), order("c")]).await;
    let id = account_id(&books, "vendor_payable:V1:pending").await;
    for limit in 1..=6 {
        let (mut cursor, mut read) = (Cursor::Start, Vec::new());
        loop {
            let page = statement(&books, id, limit, cursor).await;
            read.extend(seqs(&page));
            let Some(last) = page.data.last() else { break };
            cursor = Cursor::After(last.transaction.uuid());
            if !page.has_more {
                break;
            }
        }
        assert_eq!(read, [6, 5, 4, 3, 2, 1], "in pages of {limit}");
        let oldest = TransactionId::from_uuid(books.journal().await[0].id.uuid());
        let page = statement(&books, id, limit, Cursor::Before(oldest.uuid())).await;
        let expected: &[i64] = if limit <= 2 { &[4, 3] } else { &[6, 5, 4, 3] };
        assert_eq!(seqs(&page), expected, "before the oldest, in pages of {limit}");
        assert_eq!(page.has_more, limit <= 2);
    }
}

#[tokio::test]
async fn an_unknown_account_or_cursor_has_no_statement() {
    let books = Books::new().await;
    books.book(&[deposit("k", "1.00")]).await;
    let id = account_id(&books, "bank:main").await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let stray = TransactionId::generate(crate::support::T0).uuid();
    for (id, cursor) in [
        (AccountId::from_uuid(stray), Cursor::Start),
        (id, Cursor::After(stray)),
        (id, Cursor::Before(stray)),
    ] {
        let page = Page { limit: 5, cursor };
        assert!(read::statement(&mut tx, books.tenant, id, page).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn transactions_are_listed_page_by_page_and_by_kind_and_source() {
    let books = Books::new().await;
    let mut batch: Vec<_> = (1..=5).map(|n| deposit(&format!("k{n}"), "1.00")).collect();
    "pi_7".clone_into(&mut batch[2].source);
    books.book(&batch).await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let mut list = async |kind: Option<&str>, source: Option<&str>, limit, cursor| {
        let page = Page { limit, cursor };
        let found = read::transactions(&mut tx, books.tenant, kind, source, page).await;
        let found = found.unwrap().unwrap();
        let positions: Vec<i64> = found.data.iter().map(|t| t.position).collect();
        (positions, found.has_more, found.data)
    };
    let (positions, has_more, page) = list(None, None, 2, Cursor::Start).await;
    assert_eq!((positions, has_more), (vec![5, 4], true));
    assert!(page.iter().all(|transaction| transaction.entries.len() == 2));
    let after = Cursor::After(page[1].id.uuid());
    let before = Cursor::Before(page[1].id.uuid());
    assert_eq!(list(None, None, 5, after).await.0, [3, 2, 1]);
    assert_eq!(list(None, None, 5, before).await.0, [5]);
    assert_eq!(list(None, Some("pi_7"), 5, Cursor::Start).await.0, [3]);
    assert_eq!(list(Some("test.moved"), None, 5, Cursor::Start).await.0.len(), 5);
    assert!(list(Some("payment.captured"), None, 5, Cursor::Start).await.0.is_empty());
}

#[tokio::test]
async fn accounts_are_listed_by_path_and_only_once_they_were_used() {
    let books = Books::new().await;
    // A fact makes the accounts it might have spilled into; unused, they are not shown.
    books
        .book(&[
            fact("in", "dr bank:main 5.00 AED; cr vendor_payable:V1:pending 5.00 AED"),
            fact("out", "dr vendor_payable:V1:pending 1.00 AED; cr refunds_payable 1.00 AED"),
        ])
        .await;
    assert!(books.count("ledger.account").await > 3);
    assert_eq!(
        books.balances().await,
        lines(
            "
        bank:main 5.00 AED
        refunds_payable 1.00 AED
        vendor_payable:V1:pending 4.00 AED"
        )
    );
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let mut list = async |role, limit, cursor| {
        let page = Page { limit, cursor };
        let found = read::accounts(&mut tx, books.tenant, role, page).await.unwrap().unwrap();
        let paths: Vec<String> = found.data.iter().map(|a| a.account.to_string()).collect();
        (paths.join(" "), found.has_more, found.data)
    };
    let (paths, has_more, first) = list(None, 2, Cursor::Start).await;
    assert_eq!((paths.as_str(), has_more), ("bank:main refunds_payable", true));
    let after = Cursor::After(first[1].id.uuid());
    assert_eq!(list(None, 2, after).await.0, "vendor_payable:V1:pending");
    let before = Cursor::Before(first[1].id.uuid());
    assert_eq!(list(None, 2, before).await.0, "bank:main");
    assert_eq!(list(Some(Role::RefundsPayable), 9, Cursor::Start).await.0, "refunds_payable");
}

#[tokio::test]
async fn the_trial_balance_is_in_the_order_of_the_chart_and_leaves_out_zeros() {
    let books = Books::new().await;
    books
        .book(&[
            fact(
                "a",
                "dr gateway_clearing:stripe 10.00 AED; cr vendor_payable:V2:pending 4.00 AED;
            cr vendor_payable:V1:pending 5.00 AED; cr commission_revenue 1.00 AED",
            ),
            fact("b", "dr bank:main 10.00 AED; cr gateway_clearing:stripe 10.00 AED"),
            fact("c", "dr bank:main 0.300 KWD; cr suspense:bank 0.300 KWD"),
        ])
        .await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let mut told = async |detail| {
        let lines = read::trial_balance(&mut tx, books.tenant, detail).await.unwrap();
        let line = |l: &read::TrialLine| {
            format!("{} {} {} {} {}\n", l.line.code, l.path, l.currency, l.debit, l.credit)
        };
        lines.iter().map(line).collect::<String>()
    };
    assert_eq!(
        told(Detail::Account).await,
        lines(
            "
        1000 bank:main AED 1000 0
        2000 vendor_payable:V1:pending AED 0 500
        2000 vendor_payable:V2:pending AED 0 400
        4000 commission_revenue AED 0 100
        1000 bank:main KWD 300 0
        1900 suspense:bank KWD 0 300"
        )
    );
    assert_eq!(
        told(Detail::Role).await,
        lines(
            "
        1000 bank AED 1000 0
        2000 vendor_payable AED 0 900
        4000 commission_revenue AED 0 100
        1000 bank KWD 300 0
        1900 suspense KWD 0 300"
        )
    );
}

#[tokio::test]
async fn sums_beyond_64_bits_are_read_as_they_are() {
    let books = Books::new().await;
    let huge = "92233720368547758.07 AED";
    books
        .book(&[
            fact("a", &format!("dr bank:a {huge}; cr suspense:x {huge}")),
            fact("b", &format!("dr bank:b {huge}; cr suspense:y {huge}")),
        ])
        .await;
    let mut tx = scope(books.db.service_pool(), books.tenant).await;
    let lines = read::trial_balance(&mut tx, books.tenant, Detail::Role).await.unwrap();
    assert_eq!(lines[0].debit, 2 * i128::from(i64::MAX));
    drop(tx);
    books.prove().await;
}

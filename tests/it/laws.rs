//! The laws hold on books that the service wrote, and each breaks, with the rows named, when
//! somebody with the owner's rights has changed them behind its back.

use crate::support::{Books, command, fact, lines};

const SALE: &str = "dr gateway_clearing:stripe 105.00 AED; cr vendor_payable:V1:pending 100.00 AED;
    cr vat_output_payable:AE 5.00 AED";
const RELEASE: &str =
    "dr vendor_payable:V1:pending 100.00 AED; cr vendor_payable:V1:available 100.00 AED";
const PAYOUT: &str =
    "dr vendor_payable:V1:available 60.00 AED; cr payouts_in_transit:bank 60.00 AED";
const DOLLARS: &str = "dr bank:usd 5.00 USD; cr suspense:bank 5.00 USD";

/// Four transactions and a refusal. Accounts are numbered in the order of their paths within
/// the batch that used them first.
async fn kept() -> Books {
    let books = Books::new().await;
    books.book(&[command("sale", SALE)]).await;
    books.book(&[command("release", RELEASE), command("payout", PAYOUT)]).await;
    books.book(&[command("dollars", DOLLARS)]).await;
    books.post(&[command("too much", PAYOUT)]).await;
    books.prove().await;
    books
}

/// The number of an account, as a subquery.
fn id(path: &str) -> String {
    format!("(select id from ledger.account where tenant_id = 1 and path = '{path}')")
}

/// Asserts that the laws name exactly this after the statements; `{path}` in the expectation
/// stands for an account's number.
async fn broken_by(statements: &str, expected: &str) {
    let books = kept().await;
    books.db.tamper(statements).await;
    let mut owner = books.db.owner().await;
    let accounts: Vec<(i64, String)> =
        sqlx::query_as("select id, path from ledger.account").fetch_all(&mut owner).await.unwrap();
    let mut expected = lines(expected);
    for (number, path) in accounts {
        expected = expected.replace(&format!("{{{path}}}"), &number.to_string());
    }
    assert_eq!(sorted(&books.broken().await), sorted(&expected));
}

/// Rows of one law come in any order.
fn sorted(text: &str) -> Vec<&str> {
    let mut sorted: Vec<&str> = text.lines().collect();
    sorted.sort_unstable();
    sorted
}

#[tokio::test]
async fn empty_books_keep_every_law() {
    Books::new().await.prove().await;
}

#[tokio::test]
async fn each_law_says_on_how_much_it_was_tried() {
    let laws = kept().await.laws().await;
    let told: String =
        laws.iter().map(|l| format!("{} {} {}\n", l.checked, l.unit, l.name)).collect();
    assert_eq!(
        told,
        lines(
            "
        4 transactions transactions balance per currency
        4 transactions transactions have all their entries and entries a transaction
        9 entries sequences have no gap, balances continue and time never goes back
        9 entries entries are in the currency of their account
        7 accounts heads agree with their entries
        4 transactions journal numbers have no gap and time never goes back
        5 keys every key has one outcome and every transaction a key
        0 reversals a reversal follows what it reverses, which is reversed once
        7 accounts no account is below its floor
        1 accounts money in transit goes on within its days
        0 sums daily sums equal their entries
        0 transactions what was proved before still reads the same"
        )
    );
}

#[tokio::test]
async fn an_edited_amount_is_named() {
    let edit = format!(
        "update ledger.entry set amount = amount + 1 where account_id = {} and seq = 1",
        id("vat_output_payable:AE")
    );
    broken_by(
        &edit,
        "
        transactions balance per currency: transaction 1 is off by -1 minor units of AED
        sequences have no gap, balances continue and time never goes back: \
            entry 1 of account {vat_output_payable:AE} says a balance of -500 after 0 and -501
        heads agree with their entries: account vat_output_payable:AE AED has debits 0, credits \
            500, version 1; its entries say 0, 501, 1
    ",
    )
    .await;
}

#[tokio::test]
async fn an_amount_edited_on_both_sides_with_all_balances_after_it_is_named_by_the_heads() {
    let edit = format!(
        "update ledger.entry set amount = amount + 1, balance_after = balance_after + case side
            when 'd' then 1 else -1 end
         where account_id in ({}, {})",
        id("bank:usd"),
        id("suspense:bank")
    );
    broken_by(
        &edit,
        "
        heads agree with their entries: account bank:usd USD has debits 500, credits 0, version \
            1; its entries say 501, 0, 1
        heads agree with their entries: account suspense:bank USD has debits 0, credits 500, \
            version 1; its entries say 0, 501, 1
    ",
    )
    .await;
}

#[tokio::test]
async fn an_edited_currency_is_named_even_on_both_sides() {
    let edit = "update ledger.entry set currency = 'EUR' where currency = 'USD'";
    broken_by(
        edit,
        "
        entries are in the currency of their account: \
            entry 1 of account {bank:usd} is in EUR and its account in USD
        entries are in the currency of their account: \
            entry 1 of account {suspense:bank} is in EUR and its account in USD
    ",
    )
    .await;
}

#[tokio::test]
async fn an_edited_time_is_named() {
    let edit = format!(
        "update ledger.entry set recorded_at = recorded_at + interval '1 second'
         where account_id = {}",
        id("bank:usd")
    );
    broken_by(
        &edit,
        "
        transactions balance per currency: transaction 4 is off by -500 minor units of USD
        transactions have all their entries and entries a transaction: \
            transaction 4 has 1 entries and says 2
        transactions have all their entries and entries a transaction: \
            entry 1 of account {bank:usd} has another time than transaction 4
        heads agree with their entries: account bank:usd USD has debits 500, credits 0, version \
            1; its entries say 0, 0, 0
    ",
    )
    .await;
}

#[tokio::test]
async fn an_edited_balance_is_named() {
    let edit = format!(
        "update ledger.balance set credits = credits + 1 where account_id = {}",
        id("vendor_payable:V1:available")
    );
    broken_by(
        &edit,
        "
        heads agree with their entries: account vendor_payable:V1:available AED has debits 6000, \
            credits 10001, version 2; its entries say 6000, 10000, 2
    ",
    )
    .await;
}

#[tokio::test]
async fn a_missing_balance_is_named() {
    let edit = format!("delete from ledger.balance where account_id = {}", id("bank:usd"));
    broken_by(
        &edit,
        "
        heads agree with their entries: account bank:usd USD has no balance
    ",
    )
    .await;
}

#[tokio::test]
async fn a_floor_that_was_lifted_or_broken_is_named() {
    let edit = format!(
        "update ledger.balance set floor_side = null, debits = 20000 where account_id = {}",
        id("vendor_payable:V1:available")
    );
    broken_by(
        &edit,
        "
        heads agree with their entries: account vendor_payable:V1:available AED has debits 20000, \
            credits 10000, version 2; its entries say 6000, 10000, 2
        no account is below its floor: account vendor_payable:V1:available AED has not the floor \
            of the chart
    ",
    )
    .await;
}

#[tokio::test]
async fn balanced_legs_added_to_an_old_transaction_are_named() {
    let add = |position: i64, from: &str, to: &str| {
        format!(
            "with head as (
                update ledger.balance b set version = version + 1,
                    debits = debits + case account_id when {from} then 100 else 0 end,
                    credits = credits + case account_id when {to} then 100 else 0 end
                where account_id in ({from}, {to})
                returning account_id, version, debits - credits as net, currency)
             insert into ledger.entry (tenant_id, account_id, seq, position, side, amount, currency,
                balance_after, recorded_at)
             select 1, h.account_id, h.version, t.position,
                case h.account_id when {from} then 'd' else 'c' end, 100, h.currency, h.net,
                t.recorded_at
             from head h, ledger.transaction t where t.position = {position}",
            from = id(from),
            to = id(to),
        )
    };
    let old = add(1, "vendor_payable:V1:available", "payouts_in_transit:bank");
    broken_by(
        &old,
        "
        transactions have all their entries and entries a transaction: \
            transaction 1 has 5 entries and says 3
        sequences have no gap, balances continue and time never goes back: \
            entry 3 of account {vendor_payable:V1:available} is of transaction 1 and follows one \
            of 3
        sequences have no gap, balances continue and time never goes back: \
            entry 2 of account {payouts_in_transit:bank} is of transaction 1 and follows one of 3
    ",
    )
    .await;
    let newest = add(4, "bank:usd", "suspense:bank");
    broken_by(
        &newest,
        "
        transactions have all their entries and entries a transaction: \
            transaction 4 has 4 entries and says 2
    ",
    )
    .await;
}

#[tokio::test]
async fn a_transaction_removed_from_the_middle_is_named() {
    let remove = "delete from ledger.entry where position = 2;
        delete from ledger.transaction where position = 2";
    broken_by(
        remove,
        "
        sequences have no gap, balances continue and time never goes back: \
            entry 2 of account {vendor_payable:V1:available} follows entry 0
        heads agree with their entries: account vendor_payable:V1:available AED has debits 6000, \
            credits 10000, version 2; its entries say 6000, 0, 2
        heads agree with their entries: account vendor_payable:V1:pending AED has debits 10000, \
            credits 10000, version 2; its entries say 0, 10000, 1
        journal numbers have no gap and time never goes back: transaction 3 follows 1
        every key has one outcome and every transaction a key: \
            key release was claimed and has no outcome
    ",
    )
    .await;
}

#[tokio::test]
async fn a_middle_transaction_removed_without_its_entries_is_named() {
    broken_by(
        "delete from ledger.transaction where position = 2",
        "
        transactions have all their entries and entries a transaction: \
            entry 1 of account {vendor_payable:V1:available} is of no transaction (2)
        transactions have all their entries and entries a transaction: \
            entry 2 of account {vendor_payable:V1:pending} is of no transaction (2)
        journal numbers have no gap and time never goes back: transaction 3 follows 1
        every key has one outcome and every transaction a key: \
            key release was claimed and has no outcome
    ",
    )
    .await;
}

#[tokio::test]
async fn the_newest_transaction_cannot_be_removed_unseen() {
    let heads = "delete from ledger.entry where position = 4;
        delete from ledger.transaction where position = 4;
        update ledger.balance set debits = 0, credits = 0, version = 0 where currency = 'USD'";
    broken_by(
        heads,
        "
        journal numbers have no gap and time never goes back: \
            the book stands at 4 and the journal ends at 3
        every key has one outcome and every transaction a key: \
            key dollars was claimed and has no outcome
    ",
    )
    .await;
    let book = format!("{heads}; update ledger.book set position = 3 where tenant_id = 1");
    broken_by(
        &book,
        "
        every key has one outcome and every transaction a key: \
            key dollars was claimed and has no outcome
    ",
    )
    .await;
}

#[tokio::test]
async fn a_refusal_beside_an_acceptance_is_named() {
    let both = "insert into ledger.rejection select tenant_id, 'payout', reason, recorded_at
        from ledger.rejection";
    broken_by(
        both,
        "
        every key has one outcome and every transaction a key: \
            key payout was claimed and has two outcomes
    ",
    )
    .await;
}

#[tokio::test]
async fn a_transaction_without_a_key_is_named() {
    broken_by(
        "delete from ledger.outcome where key = 'sale'",
        "
        every key has one outcome and every transaction a key: transaction 1 has no key
    ",
    )
    .await;
}

#[tokio::test]
async fn a_time_that_goes_back_is_named() {
    let back = "update ledger.transaction set recorded_at = recorded_at - interval '1 hour'
            where position = 3;
        update ledger.entry set recorded_at = recorded_at - interval '1 hour' where position = 3";
    broken_by(
        back,
        "
        sequences have no gap, balances continue and time never goes back: \
            entry 2 of account {vendor_payable:V1:available} is of transaction 3 and follows one \
            of 2
        journal numbers have no gap and time never goes back: \
            transaction 3 is recorded before the one it follows
    ",
    )
    .await;
}

#[tokio::test]
async fn one_tenants_broken_law_is_not_another_tenants() {
    let books = kept().await;
    books.db.tamper("update ledger.entry set amount = amount + 1").await;
    assert!(!books.broken().await.is_empty());
    let neighbour = books.of(books.db.other_tenant());
    neighbour.book(&[fact("k", SALE)]).await;
    neighbour.prove().await;
}

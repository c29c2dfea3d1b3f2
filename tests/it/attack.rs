//! The database itself refuses a false book: attacks in SQL that go round the application.
//!
//! Each is tried as the service's role, which shows the grants, and as the owner of the
//! schema, past whom only triggers and constraints stand. A line says what the database
//! answered to both, or to the service and the owner where they differ.

use crate::support::raw::{Raw, RawEntry, answer, attempt};
use crate::support::{Actor, Books, after, fact, lines};

const CLEARING: &str = "gateway_clearing:stripe";
const PENDING: &str = "vendor_payable:V1:pending";
const PARTITION: &str = "ledger.entry_2026_03";

/// Books with a few transactions, in two currencies.
async fn victim() -> Books {
    let books = Books::new().await;
    let sale = |key, amount: &str| {
        fact(key, &format!("dr {CLEARING} {amount} AED; cr {PENDING} {amount} AED"))
    };
    let dollars = fact("k4", "dr bank:usd 5.00 USD; cr suspense:bank 5.00 USD");
    books.book(&[sale("k1", "100.00"), sale("k2", "5.25"), sale("k3", "7.00"), dollars]).await;
    books
}

async fn honest(books: &Books) -> Raw {
    Raw::honest(&books.db, books.tenant, &[(CLEARING, 'd', 1_000), (PENDING, 'c', 1_000)]).await
}

fn forged(raw: &Raw, forge: impl FnOnce(&mut Raw)) -> String {
    let mut raw = raw.clone();
    forge(&mut raw);
    raw.sql()
}

/// Tries each attack as both actors and compares what the database answered.
async fn expect(books: &Books, attacks: &[(&str, String)], expected: &str) {
    let mut told = String::new();
    for (name, statements) in attacks {
        let service = attempt(&books.db, Actor::Service, books.tenant, statements).await;
        let owner = attempt(&books.db, Actor::Owner, books.tenant, statements).await;
        told.push_str(&match service == owner {
            true => format!("{name}: {service}\n"),
            false => format!("{name}: {service} | {owner}\n"),
        });
    }
    assert_eq!(told, lines(expected), "the database answered:\n{told}");
}

#[tokio::test]
async fn an_honest_write_stands_so_the_refusals_below_are_for_the_forgery() {
    let books = victim().await;
    let raw = honest(&books).await;
    let aimed = forged(&raw, |raw| raw.table = PARTITION);
    let reversal = forged(&raw, |raw| raw.transactions[0].reverses = Some(2));
    let attacks = [("parent", raw.sql()), ("partition", aimed), ("reversal", reversal)];
    let expected = "
        parent: stands
        partition: 42501 permission denied for table entry_2026_03 | stands
        reversal: stands";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn entries_that_do_not_balance_are_refused() {
    let books = victim().await;
    let raw = honest(&books).await;
    let off_by_one = |raw: &mut Raw| {
        raw.entries[0].amount += 1;
        raw.entries[0].balance_after += 1;
        raw.heads[0].debits += 1;
    };
    let one_leg = |raw: &mut Raw| {
        raw.entries.truncate(1);
        raw.heads.truncate(1);
        raw.transactions[0].entry_count = 1;
    };
    let aimed = |raw: &mut Raw| {
        off_by_one(raw);
        raw.table = PARTITION;
    };
    let attacks = [
        ("off by one", forged(&raw, off_by_one)),
        ("one leg", forged(&raw, one_leg)),
        ("netted across currencies", forged(&raw, |raw| raw.entries[1].currency = "USD")),
        ("aimed at the partition", forged(&raw, aimed)),
        ("an amount of nothing", forged(&raw, |raw| raw.entries[0].amount = 0)),
        ("an amount below zero", forged(&raw, |raw| raw.entries[0].amount = -1_000)),
        ("a third side", forged(&raw, |raw| raw.entries[0].side = 'x')),
    ];
    let expected = "
        off by one: 23000 entries_balance
        one leg: 23000 entries_balance
        netted across currencies: 23000 entries_balance
        aimed at the partition: 42501 permission denied for table entry_2026_03 | 23000 \
            entries_balance
        an amount of nothing: 23514 entry_amount_is_positive
        an amount below zero: 23514 entry_amount_is_positive
        a third side: 23514 entry_side_is_a_side";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn entries_that_do_not_continue_their_account_are_refused() {
    let books = victim().await;
    let raw = honest(&books).await;
    let gap = |raw: &mut Raw| {
        raw.entries[0].seq += 1;
        raw.heads[0].version += 1;
        raw.named.1 += 1;
    };
    let gap_aimed = |raw: &mut Raw| {
        gap(raw);
        raw.table = PARTITION;
    };
    let repeated = |raw: &mut Raw| {
        raw.entries[1].seq -= 1;
        raw.heads.truncate(1);
    };
    let jump = |raw: &mut Raw| {
        raw.entries[0].balance_after += 500;
        raw.heads[0].debits += 500;
    };
    let behind = |raw: &mut Raw| raw.heads.truncate(1);
    let ahead = |raw: &mut Raw| raw.heads[0].version += 1;
    let inflated = |raw: &mut Raw| {
        raw.heads[0].debits += 500;
        raw.heads[0].credits += 500;
    };
    let backdated = |raw: &mut Raw| {
        raw.entries.iter_mut().for_each(|entry| entry.recorded_at = after(-60));
        raw.transactions[0].recorded_at = after(-60);
    };
    let attacks = [
        ("a gap in the sequence", forged(&raw, gap)),
        ("aimed at the partition", forged(&raw, gap_aimed)),
        ("a sequence number twice", forged(&raw, repeated)),
        ("a balance that jumps", forged(&raw, jump)),
        ("a balance of its own", forged(&raw, |raw| raw.entries[0].balance_after += 500)),
        ("a head left behind", forged(&raw, behind)),
        ("a head gone ahead", forged(&raw, ahead)),
        ("gross sums moved on the way", forged(&raw, inflated)),
        ("recorded before the entry it follows", forged(&raw, backdated)),
    ];
    let expected = "
        a gap in the sequence: 23000 entries_continue
        aimed at the partition: 42501 permission denied for table entry_2026_03 | 23000 \
            entries_continue
        a sequence number twice: 23505 entry_2026_03_chain
        a balance that jumps: 23000 entries_continue
        a balance of its own: 23000 entries_continue
        a head left behind: 23000 entries_continue
        a head gone ahead: 23000 entries_continue
        gross sums moved on the way: 23000 entries_continue
        recorded before the entry it follows: 23000 position_follows_book";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn entries_for_an_account_that_is_not_there_or_of_another_currency_are_refused() {
    let books = victim().await;
    let raw = honest(&books).await;
    let unknown = |raw: &mut Raw| {
        raw.heads.remove(0);
        raw.entries[0] = RawEntry { account: 999_999, seq: 1, ..raw.entries[0].clone() };
        raw.entries[0].balance_after = 1_000;
        raw.named = (999_999, 1);
    };
    let dollars = |raw: &mut Raw| raw.entries.iter_mut().for_each(|e| e.currency = "USD");
    let head = |account: &str, currency: &str| {
        format!(
            "insert into ledger.balance (tenant_id, account_id, currency)
             values (1, {account}, '{currency}')"
        )
    };
    let dirham_account = "insert into ledger.account
        (tenant_id, public_id, path, currency, created_at)
        values (1, gen_random_uuid(), 'bank:new', 'AED', now())";
    let dollar_head = "with made as (
            insert into ledger.account (tenant_id, public_id, path, currency, created_at)
            values (1, gen_random_uuid(), 'bank:new', 'AED', now()) returning id)
        insert into ledger.balance (tenant_id, account_id, currency) select 1, id, 'USD' from made";
    let attacks = [
        ("unknown account", forged(&raw, unknown)),
        ("currency of its own", forged(&raw, dollars)),
        ("head without account", head("999999", "AED")),
        ("second head", head(&raw.heads[0].account.to_string(), "AED")),
        ("account without head", dirham_account.to_owned()),
        ("head of another currency", dollar_head.to_owned()),
    ];
    let expected = "
        unknown account: 23000 entries_continue
        currency of its own: 23000 entries_continue
        head without account: 23000 head_has_its_account
        second head: 23505 balance_pkey
        account without head: 23000 account_has_its_head
        head of another currency: 23000 account_has_its_head";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn a_head_cannot_be_made_with_money_in_it() {
    let books = victim().await;
    let rich = "with made as (
            insert into ledger.account (tenant_id, public_id, path, currency, created_at)
            values (1, gen_random_uuid(), 'bank:new', 'AED', now()) returning id)
        insert into ledger.balance (tenant_id, account_id, currency, debits, version)
        select 1, id, 'AED', 500, 1 from made";
    let expected = "
        rich: 42501 permission denied for table balance | 23000 head_has_its_account";
    expect(&books, &[("rich", rich.to_owned())], expected).await;
}

#[tokio::test]
async fn transactions_without_entries_or_out_of_order_are_refused() {
    let books = victim().await;
    let raw = honest(&books).await;
    let empty = |raw: &mut Raw| {
        raw.entries.clear();
        raw.heads.clear();
    };
    let borrowed = |raw: &mut Raw| {
        empty(raw);
        raw.named.1 -= 1;
    };
    let moved = |raw: &mut Raw, by: i64| {
        raw.transactions[0].position += by;
        raw.entries.iter_mut().for_each(|entry| entry.position += by);
    };
    let skip = |raw: &mut Raw| {
        moved(raw, 1);
        raw.position += 1;
    };
    let none_between = |raw: &mut Raw| {
        raw.position += 1;
        let mut second = raw.transactions[0].clone();
        second.position += 1;
        raw.transactions.push(second);
    };
    let later = |raw: &mut Raw| raw.recorded_at = after(120);
    let attacks = [
        ("no entries", forged(&raw, empty)),
        ("another one's entries", forged(&raw, borrowed)),
        ("a position that skips", forged(&raw, skip)),
        ("a position beyond the book", forged(&raw, |raw| moved(raw, 1))),
        ("a position taken before", forged(&raw, |raw| moved(raw, -1))),
        ("a second one that is empty", forged(&raw, none_between)),
        ("fewer entries than it says", forged(&raw, |raw| raw.transactions[0].entry_count = 3)),
        ("more entries than it says", forged(&raw, |raw| raw.transactions[0].entry_count = 1)),
        ("another time than the book", forged(&raw, later)),
        (
            "a reversal of what is not there",
            forged(&raw, |raw| {
                raw.transactions[0].reverses = Some(900);
            }),
        ),
        (
            "a reversal of itself",
            forged(&raw, |raw| {
                raw.transactions[0].reverses = Some(raw.position);
            }),
        ),
    ];
    let expected = "
        no entries: 23000 transaction_has_entries
        another one's entries: 23000 transaction_has_entries
        a position that skips: 23000 transaction_has_entries
        a position beyond the book: 23000 transaction_has_entries
        a position taken before: 23505 transaction_pkey
        a second one that is empty: 23000 transaction_has_entries
        fewer entries than it says: 23000 entries_are_complete
        more entries than it says: 23000 entries_are_complete
        another time than the book: 23000 position_follows_book
        a reversal of what is not there: 23000 reversal_follows_its_original
        a reversal of itself: 23000 reversal_follows_its_original";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn a_late_entry_is_refused_however_well_it_balances() {
    let books = victim().await;
    let raw = honest(&books).await;
    let heads_of = |raw: &Raw| {
        let head = |h: &crate::support::raw::RawHead| {
            format!(
                "head_{0} as (update ledger.balance set debits = {1}, credits = {2}, version = {3},
                        before_debits = debits, before_credits = credits, before_version = version
                    where tenant_id = 1 and account_id = {0} returning 1)",
                h.account, h.debits, h.credits, h.version
            )
        };
        raw.heads.iter().map(head).collect::<Vec<_>>().join(", ")
    };
    let late_to = |position: i64, recorded_at, table| {
        let mut late = raw.clone();
        late.table = table;
        for entry in &mut late.entries {
            (entry.position, entry.recorded_at) = (position, recorded_at);
        }
        format!("with {} {}", heads_of(&late), late.entries_sql().unwrap())
    };
    let attacks = [
        ("to an old transaction", late_to(2, after(0), "ledger.entry")),
        ("aimed at the partition", late_to(2, after(0), PARTITION)),
        ("to the newest", late_to(4, after(0), "ledger.entry")),
        ("to one that is not there", late_to(5, after(60), "ledger.entry")),
        ("at another time", late_to(2, after(60), "ledger.entry")),
    ];
    let expected = "
        to an old transaction: 23000 entries_are_not_late
        aimed at the partition: 42501 permission denied for table entry_2026_03 | 23000 \
            entries_are_not_late
        to the newest: 23000 entries_are_not_late
        to one that is not there: 23000 entries_are_not_late
        at another time: 23000 entries_are_not_late";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn a_book_or_a_head_that_moves_alone_is_refused() {
    let books = victim().await;
    let raw = honest(&books).await;
    let account = raw.heads[1].account;
    let book = |set: &str| format!("update ledger.book set {set} where tenant_id = 1");
    let head = |set: &str| {
        format!("update ledger.balance set {set} where tenant_id = 1 and account_id = {account}")
    };
    let attacks = [
        ("the book forwards", book("position = position + 1")),
        ("the book backwards", book("position = position - 1")),
        ("the book's time forwards", book("recorded_at = recorded_at + interval '1 year'")),
        ("the book's time backwards", book("recorded_at = recorded_at - interval '1 year'")),
        ("the outbox number forwards", book("event_position = event_position + 1")),
        ("the outbox number backwards", book("event_position = event_position - 1")),
        ("the head's balance", head("credits = credits + 100")),
        ("the head's version", head("version = version + 1")),
        ("both", head("credits = credits + 100, version = version + 1")),
        ("gross sums", head("credits = credits + 100, debits = debits + 100")),
        ("down", head("credits = credits - 100")),
        ("below its floor", head("debits = credits + 1")),
        ("the floor itself", head("floor_side = null")),
        ("its currency", head("currency = 'USD'")),
        ("its tenant", head("tenant_id = 2")),
        ("its account", head("account_id = 999999")),
        ("nothing", head("version = version")),
    ];
    let expected = "
        the book forwards: 23000 book_moves_with_journal
        the book backwards: 23000 book_moves_with_journal
        the book's time forwards: 23000 book_moves_with_journal
        the book's time backwards: 23000 book_moves_with_journal
        the outbox number forwards: stands
        the outbox number backwards: 23000 book_moves_with_journal
        the head's balance: 23000 head_moves_with_entry
        the head's version: 23000 head_moves_with_entry
        both: 23000 head_moves_with_entry
        gross sums: 23000 head_moves_with_entry
        down: 23000 head_moves_with_entry
        below its floor: 23514 balance_not_below_floor
        the floor itself: 42501 permission denied for table balance | 23000 head_moves_with_entry
        its currency: 42501 permission denied for table balance | 23000 head_moves_with_entry
        its tenant: 42501 permission denied for table balance | 23000 head_moves_with_entry
        its account: 42501 permission denied for table balance | 23000 head_moves_with_entry
        nothing: 23000 head_moves_with_entry";
    expect(&books, &attacks, expected).await;
}

#[tokio::test]
async fn an_honest_write_that_breaks_a_floor_is_refused() {
    let books = victim().await;
    let legs = [(PENDING, 'd', 1_000_000), (CLEARING, 'c', 1_000_000)];
    let raw = Raw::honest(&books.db, books.tenant, &legs).await;
    let expected = "overdraft: 23514 balance_not_below_floor";
    expect(&books, &[("overdraft", raw.sql())], expected).await;
}

#[tokio::test]
async fn a_second_reversal_is_refused() {
    let books = victim().await;
    let mut first = honest(&books).await;
    first.transactions[0].reverses = Some(2);
    let mut conn = books.db.connect(Actor::Service, books.tenant).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(first.sql())).execute(&mut conn).await.unwrap();
    let mut second = honest(&books).await;
    second.transactions[0].reverses = Some(2);
    assert_eq!(answer(&mut conn, &second.sql()).await, "23505 transaction_reversed_once");
    second.transactions[0].reverses = Some(3);
    assert_eq!(answer(&mut conn, &second.sql()).await, "stands");
}

#[tokio::test]
async fn a_sequence_number_cannot_be_repeated_under_another_time() {
    let books = victim().await;
    // The amount is that of the entry repeated, so chain and head agree with the copy.
    let legs = [(CLEARING, 'd', 700), (PENDING, 'c', 700)];
    let mut raw = Raw::honest(&books.db, books.tenant, &legs).await;
    for (entry, sign) in raw.entries.iter_mut().zip([1, -1]) {
        entry.seq -= 1;
        entry.balance_after -= sign * 700;
    }
    raw.heads.clear();
    raw.named.1 -= 1;
    expect(&books, &[("copy", raw.sql())], "copy: 23505 entry_2026_03_chain").await;
}

/// Heads and the book say where they come from; here they lie about it.
#[tokio::test]
async fn a_head_or_a_book_that_lies_about_where_it_comes_from_is_refused() {
    let books = victim().await;
    let raw = honest(&books).await;
    let lie = |honest: &str, lie: &str| raw.sql().replace(honest, lie);
    let attacks = [
        ("the head's number", lie("before_version = version", "before_version = version - 1")),
        ("the head's debits", lie("before_debits = debits", "before_debits = debits - 1")),
        ("the head's credits", lie("before_credits = credits", "before_credits = credits + 1")),
        ("nothing of it", lie("before_version = version,", "")),
        ("the head's place", lie("position = 5\n", "position = 4\n")),
        ("the book's number", lie("before_position = position", "before_position = position - 1")),
        ("the entry it names", lie("last_seq = 4", "last_seq = 3")),
        ("its account", lie("last_account = ", "last_account = 1 + ")),
        ("the head alone", "update ledger.balance set before_debits = 0".to_owned()),
        ("the book alone", "update ledger.book set last_seq = 99".to_owned()),
    ];
    let expected = "
        the head's number: 23000 entries_continue
        the head's debits: 23000 entries_continue
        the head's credits: 23000 entries_continue
        nothing of it: 23000 entries_continue
        the head's place: 23000 entries_continue
        the book's number: 23000 transaction_has_entries
        the entry it names: 23000 transaction_has_entries
        its account: 23000 transaction_has_entries
        the head alone: 23000 head_moves_with_entry
        the book alone: 23000 book_moves_with_journal";
    expect(&books, &attacks, expected).await;
}

/// Each month has an index of its own, so a number could stand in two of them.
#[tokio::test]
async fn a_sequence_number_cannot_be_repeated_in_another_month() {
    let books = victim().await;
    let first = honest(&books).await;
    let mut copy = first.clone();
    let next_month = after(40 * 24 * 3_600);
    copy.position += 1;
    copy.recorded_at = next_month;
    copy.transactions[0].position += 1;
    copy.transactions[0].recorded_at = next_month;
    for entry in &mut copy.entries {
        (entry.position, entry.recorded_at) = (copy.position, next_month);
    }
    // The heads moved a moment ago, in this very transaction, to just what the copy says.
    copy.heads.clear();
    let both = format!("{}; {}", first.sql(), copy.sql());
    expect(&books, &[("both", both)], "both: 23000 entries_continue").await;
}

/// Heads are counted against the entries of the move they belong to, and belong to one command.
#[tokio::test]
async fn a_head_without_entries_cannot_hide_behind_heads_that_have_some() {
    let books = victim().await;
    let raw = honest(&books).await;
    let others = "update ledger.balance
         set debits = debits + 5, credits = credits + 5, version = version + 1, position = 5,
             before_debits = debits, before_credits = credits, before_version = version
         where account_id not in";
    let moved = raw.heads.iter().map(|head| head.account.to_string()).collect::<Vec<_>>();
    let others = format!("{others} ({})", moved.join(", "));
    let again = "update ledger.balance
         set debits = debits + 5, credits = credits + 5, version = version + 1,
             before_debits = debits, before_credits = credits, before_version = version
         where position = 5";
    let write = raw.sql();
    let beside = write.replace("with ", &format!("with beside as ({others}), "));
    assert_ne!(beside, write);
    let attacks = [
        ("in the same statement", beside),
        ("in the next", format!("{write}; {others}")),
        ("in a part that is kept", format!("{write}; savepoint part; {others}")),
        ("the same heads again", format!("{write}; {again}")),
    ];
    let expected = "
        in the same statement: 23000 head_moves_with_entry
        in the next: 23000 head_moves_with_entry
        in a part that is kept: 23000 head_moves_with_entry
        the same heads again: 23000 head_moves_with_entry";
    expect(&books, &attacks, expected).await;
}

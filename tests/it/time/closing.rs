//! Closed days: commands are refused, facts land behind them, and nobody else gets in either.

use mizan_ledger::period::{ASKED, Closing};
use mizan_ledger::{Outcome, Refusal};
use sqlx::AssertSqlSafe;

use super::{as_of, at, close, dated, fold_all, move_to, net, prove_sums};
use crate::support::raw::{Raw, attempt};
use crate::support::{Actor, Books, answers, command, fact, scope};

const SALE: &str = "dr bank:main 1.00 AED; cr suspense:bank 1.00 AED";
/// The first moment of April in Dubai.
const APRIL: &str = "2026-03-31T20:00:00Z";
const MARCH: &str = "2026-03-31T19:59:59.999999Z";

/// Books with a sale in March, which is closed some days later.
async fn closed_march() -> Books {
    let books = Books::new().await;
    books.post_at(at("2026-03-30T09:00:00Z"), &[fact("k", SALE)]).await.unwrap();
    let closed = close(&books, at("2026-04-05T09:00:00Z"), "2026-03-31").await;
    let Closing::Closed(period) = closed else { panic!("{closed:?}") };
    assert_eq!((period.ends_at, period.position), (at(APRIL), 1));
    books
}

#[tokio::test]
async fn a_command_dated_into_closed_days_is_refused_for_ever_and_its_neighbours_stand() {
    let books = closed_march().await;
    let now = at("2026-04-06T09:00:00Z");
    let batch = [
        dated(command("late", SALE), MARCH),
        dated(command("first", SALE), APRIL),
        dated(command("also late", SALE), "2025-01-01T00:00:00Z"),
    ];
    let outcomes = books.post_at(now, &batch).await.unwrap();
    let refusal = Refusal::PeriodClosed { effective_at: at(MARCH), closed_before: at(APRIL) };
    assert_eq!(outcomes[0], Outcome::Refused(refusal.clone()));
    assert_eq!(outcomes[1].posted().unwrap().effective_at, at(APRIL));
    assert!(matches!(outcomes[2], Outcome::Refused(Refusal::PeriodClosed { .. })));
    let again = books.post_at(now, &batch[..1]).await.unwrap();
    assert_eq!(again, [Outcome::Refused(refusal)]);
    books.prove().await;
}

#[tokio::test]
async fn a_fact_dated_into_closed_days_lands_behind_them_and_says_what_it_was_dated() {
    let books = closed_march().await;
    let now = at("2026-04-06T09:00:00Z");
    let late = dated(fact("late", SALE), "2026-03-15T12:00:00Z");
    let posted = books.post_at(now, std::slice::from_ref(&late)).await.unwrap();
    let posted = posted[0].posted().unwrap();
    assert_eq!(posted.effective_at, at(APRIL));
    let kept = books.transaction(posted.id).await;
    assert_eq!(kept.effective_at, at(APRIL));
    assert_eq!(kept.metadata.unwrap()[ASKED], "2026-03-15T12:00:00Z");

    assert_eq!(answers(&books.post_at(now, &[late]).await.unwrap()), "posted 2 before\n");
    for fold in [false, true] {
        if fold {
            fold_all(&books, at("2026-04-08T00:00:00Z")).await;
        }
        assert_eq!(net(&books, "bank:main", as_of("2026-03-31", ""), now).await, 100);
        assert_eq!(net(&books, "bank:main", as_of("2026-04-01", ""), now).await, 200);
        assert_eq!(net(&books, "bank:main", as_of("2026-04-01", "2026-03-31"), now).await, 100);
    }
    prove_sums(&books).await;
    books.prove().await;
}

#[tokio::test]
async fn closing_goes_on_in_order_once_days_are_over_and_never_back() {
    let books = closed_march().await;
    let now = at("2026-04-06T09:00:00Z");
    for before in ["2026-03-31", "2026-02-28", "2000-01-01"] {
        let Closing::ClosedBefore(period) = close(&books, now, before).await else { panic!() };
        assert_eq!(period.closed_through.to_string(), "2026-03-31");
    }
    let not_over = Closing::NotOver { ends_at: at("2026-04-06T20:00:00Z") };
    assert_eq!(close(&books, now, "2026-04-06").await, not_over);
    assert!(matches!(close(&books, now, "2026-04-05").await, Closing::Closed(_)));

    let refused = move_to(&books, "UTC").await.unwrap_err().into_database_error().unwrap();
    assert_eq!(refused.constraint(), Some("tenant_time_zone_stays"));
}

#[tokio::test]
async fn what_goes_past_the_application_is_refused_by_the_database() {
    let books = closed_march().await;
    let honest =
        Raw::honest(&books.db, books.tenant, &[("bank:main", 'd', 9), ("suspense:bank", 'c', 9)]);
    let mut forged = honest.await;
    for (moment, told) in
        [("2026-04-06T09:00:00Z", "stands"), (APRIL, "stands"), (MARCH, "40001 period_is_open")]
    {
        forged.recorded_at = at(moment);
        forged.transactions[0].recorded_at = at(moment);
        forged.entries.iter_mut().for_each(|entry| entry.recorded_at = at(moment));
        for actor in [Actor::Service, Actor::Owner] {
            let answer = attempt(&books.db, actor, books.tenant, &forged.sql()).await;
            assert_eq!(answer, told, "{moment} {actor:?}");
        }
    }
}

#[tokio::test]
async fn nobody_writes_into_a_day_that_is_summed_up() {
    let books = Books::new().await;
    books.book(&[fact("k", SALE)]).await;
    fold_all(&books, at("2026-03-04T09:00:00Z")).await;
    let legs = [("bank:main", 'd', 9), ("suspense:bank", 'c', 9)];
    let forged = Raw::honest(&books.db, books.tenant, &legs).await;
    let told = attempt(&books.db, Actor::Owner, books.tenant, &forged.sql()).await;
    assert_eq!(told, "23000 known_day_is_open");
}

/// What somebody tries with closed and summed up days, and what the database says.
const TRIED: [(&str, &str); 13] = [
    ("update ledger.period set closed_through = closed_through - 1", "42501"),
    ("delete from ledger.period", "42501"),
    ("truncate ledger.period", "42501"),
    ("update ledger.day_delta set debits = debits + 1", "42501"),
    ("delete from ledger.day_delta", "42501"),
    ("delete from ledger.folded_day", "42501"),
    ("update ledger.book set closed_before = '-infinity'", "23000 closing_goes_on"),
    ("update ledger.book set closed_before = '2026-05-01'", "23000 closing_goes_on"),
    ("update ledger.book set recorded_from = '2026-01-01'", "23000 closing_goes_on"),
    (
        "insert into ledger.period values
             (1, '2026-04-01', '2026-04-01T20:00:00Z', 1, '2026-04-06', 'me')",
        "23000 period_closes_book",
    ),
    (
        "insert into ledger.period values
             (1, '2026-04-30', '2026-04-30T20:00:00Z', 1, '2026-04-06', 'me')",
        "23514 period_is_over",
    ),
    (
        "insert into ledger.folded_day values (1, '2026-04-01', '2026-04-01T20:00:00Z', 2, 2)",
        "23000 day_is_over",
    ),
    (
        "insert into ledger.day_delta
             (tenant_id, account_id, effective_day, known_day, debits, credits)
         values (1, 1, '2026-04-01', '2026-04-01', 1, 0)",
        "23503 day_delta_of_folded_day",
    ),
];

#[tokio::test]
async fn closed_and_summed_up_days_cannot_be_edited() {
    let books = closed_march().await;
    fold_all(&books, at("2026-03-31T09:00:00Z")).await;
    assert_eq!(prove_sums(&books).await, 2);
    for (statement, told) in TRIED {
        let answer = attempt(&books.db, Actor::Owner, books.tenant, statement).await;
        assert!(answer.starts_with(told), "{statement}: {answer}");
        let answer = attempt(&books.db, Actor::Service, books.tenant, statement).await;
        assert!(answer.starts_with(told) || answer.starts_with("42501"), "{statement}: {answer}");
    }
}

#[tokio::test]
async fn sums_that_were_forged_are_named() {
    let books = closed_march().await;
    fold_all(&books, at("2026-04-08T09:00:00Z")).await;
    for (forged, named) in [
        ("update ledger.day_delta set debits = debits + 1 where debits > 0", "account"),
        ("delete from ledger.day_delta where credits > 0", "account"),
        ("update ledger.folded_day set known_day = known_day + 1", "day"),
    ] {
        books.db.tamper(forged).await;
        let mut tx = scope(books.db.service_pool(), books.tenant).await;
        let law = mizan_ledger::day_delta::law_day_deltas(&mut tx, books.tenant, 0).await.unwrap();
        assert!(law.broken.iter().any(|row| row.starts_with(named)), "{forged}: {law:?}");
    }
}

/// A closing waits for a posting that is under way and then counts it; a posting that was
/// overtaken by a closing does not stand.
#[tokio::test]
async fn a_closing_and_a_posting_under_way_never_pass_each_other() {
    let books = closed_march().await;
    let (tenant, now) = (books.tenant, at("2026-05-05T09:00:00Z"));
    let mut posting = scope(books.db.service_pool(), tenant).await;
    let april = dated(command("april", SALE), "2026-04-30T12:00:00Z");
    let posted = mizan_ledger::post(&mut posting, tenant, now, &[april]).await.unwrap();
    assert!(posted[0].posted().is_some());

    let mut closing = scope(books.db.service_pool(), tenant).await;
    sqlx::raw_sql("set local lock_timeout = '50ms'").execute(&mut *closing).await.unwrap();
    let through = super::day("2026-04-30");
    let waits = mizan_ledger::period::close(&mut closing, tenant, now, through, "tests").await;
    assert!(waits.is_err(), "{waits:?}");
    drop(closing);
    posting.commit().await.unwrap();
    let Closing::Closed(period) = close(&books, now, "2026-04-30").await else { panic!() };
    assert_eq!(period.position, 2);

    // The closing has the lock; the posting has read what was closed before it, and waits.
    let mut closing = scope(books.db.service_pool(), tenant).await;
    let through = super::day("2026-05-04");
    mizan_ledger::period::close(&mut closing, tenant, now, through, "tests").await.unwrap();
    let pid: i32 =
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *closing).await.unwrap();
    let may = [dated(command("may", SALE), "2026-05-02T12:00:00Z")];
    let overtaken = books.post_at(now, &may);
    let commit = async {
        until_somebody_waits_for(&books, pid).await;
        closing.commit().await.unwrap();
    };
    let (overtaken, ()) = tokio::join!(overtaken, commit);
    let mizan_ledger::LedgerError::Database(error) = overtaken.unwrap_err() else { panic!() };
    let error = error.into_database_error().unwrap();
    assert_eq!(error.constraint(), Some("period_is_open"));
    assert_eq!(error.code().as_deref(), Some("40001"), "it is worth another run");
    let again = books.post_at(now, &may).await.unwrap();
    assert!(matches!(again[0], Outcome::Refused(Refusal::PeriodClosed { .. })), "{again:?}");
    books.prove().await;
}

/// Looks until another backend is blocked by this one.
async fn until_somebody_waits_for(books: &Books, pid: i32) {
    let mut owner = books.db.owner().await;
    let query = format!(
        "select exists (select from pg_stat_activity where {pid} = any(pg_blocking_pids(pid)))"
    );
    loop {
        let waits = sqlx::query_scalar(AssertSqlSafe(query.clone())).fetch_one(&mut owner).await;
        if waits.unwrap() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Postings in both months race against a closing and against summing up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_race_every_posting_is_in_the_closed_days_before_the_closing_or_not_at_all() {
    let books = std::sync::Arc::new(closed_march().await);
    let now = at("2026-05-05T09:00:00Z");
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..6 {
        let books = std::sync::Arc::clone(&books);
        callers.spawn(async move {
            let mut refused = 0;
            for n in 0..12 {
                let page = SALE.replace("bank:main", &format!("bank:b{}", caller % 3));
                let asked = dated(command(&format!("{caller}-{n}"), &page), "2026-04-30T12:00:00Z");
                // Whoever lost the race runs again, once, and knows then.
                let outcomes = match books.post_at(now, std::slice::from_ref(&asked)).await {
                    Ok(outcomes) => outcomes,
                    Err(_) => books.post_at(now, &[asked]).await.unwrap(),
                };
                refused += i64::from(outcomes[0].posted().is_none());
            }
            refused
        });
    }
    let closer = std::sync::Arc::clone(&books);
    let closed = tokio::spawn(async move {
        while closer.count("ledger.transaction").await < 20 {
            tokio::task::yield_now().await;
        }
        fold_all(&closer, now).await;
        close(&closer, now, "2026-04-30").await
    });
    let refused: i64 = callers.join_all().await.into_iter().sum();
    let Closing::Closed(period) = closed.await.unwrap() else { panic!() };
    let count = books.count("ledger.transaction").await;
    assert_eq!(count + refused, 6 * 12 + 1);
    assert_eq!(count, period.position, "none came after the closing");
    books.prove().await;
    fold_all(&books, at("2026-05-07T09:00:00Z")).await;
    prove_sums(&books).await;
}

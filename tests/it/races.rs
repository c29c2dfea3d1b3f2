//! Races: many posters at once, one effect each, no gap and no deadlock.

use std::sync::Arc;

use mizan_ledger::{Authority, LedgerError, NewTransaction, Outcome, PostingKey, TransactionKind};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::{Books, T0, after, command, fact, lines};

const SALE: &str = "dr gateway_clearing:stripe 1.00 AED; cr vendor_payable:V1:pending 0.90 AED;
    cr deferred_commission 0.10 AED";

/// Posts each batch from a task and a connection of its own, all let go at once.
async fn at_once(
    books: &Arc<Books>,
    batches: Vec<Vec<NewTransaction>>,
) -> Vec<Result<Vec<Outcome>, LedgerError>> {
    let gate = Arc::new(Barrier::new(batches.len().min(32)));
    let mut tasks = JoinSet::new();
    for (n, batch) in batches.into_iter().enumerate() {
        let (books, gate) = (Arc::clone(books), Arc::clone(&gate));
        tasks.spawn(async move {
            if n < 32 {
                gate.wait().await;
            }
            books.post_at(T0, &batch).await
        });
    }
    tasks.join_all().await
}

fn positions(outcomes: &[Outcome]) -> impl Iterator<Item = i64> + '_ {
    outcomes.iter().map(|outcome| outcome.posted().unwrap().position)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_parallel_posts_with_one_key_are_one_transaction() {
    let books = Arc::new(Books::new().await);
    let answers = at_once(&books, vec![vec![fact("one", SALE)]; 100]).await;
    let mut first = 0;
    for outcomes in answers {
        let outcomes = outcomes.unwrap();
        let posted = outcomes[0].posted().unwrap();
        assert_eq!(posted.position, 1);
        first += i32::from(!posted.replayed);
    }
    assert_eq!(first, 1, "one answer is the posting, the others repeat it");
    assert_eq!(books.count("ledger.transaction").await, 1);
    assert_eq!(books.count("ledger.entry").await, 3);
    books.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_posters_on_hot_accounts_leave_no_gap_and_never_deadlock() {
    let books = Arc::new(Books::new().await);
    let mut batches = Vec::new();
    for poster in 0..16 {
        for round in 0..6 {
            // The same hot accounts in every order, and vendors that overlap.
            let batch = (0..5).map(|n| {
                let vendor = (poster * 7 + round * 3 + n) % 9;
                let (from, to) =
                    ("gateway_clearing:stripe", format!("vendor_payable:V{vendor}:pending"));
                let page = match n % 2 {
                    0 => format!(
                        "dr {from} 1.00 AED; cr {to} 0.90 AED; cr deferred_commission 0.10 AED"
                    ),
                    _ => format!(
                        "cr deferred_commission 0.10 AED; cr {to} 0.90 AED; dr {from} 1.00 AED"
                    ),
                };
                fact(&format!("{poster}.{round}.{n}"), &page)
            });
            batches.push(batch.collect());
        }
    }
    let answers = at_once(&books, batches).await;
    let mut taken: Vec<i64> = Vec::new();
    for outcomes in answers {
        let of_batch: Vec<i64> = positions(&outcomes.unwrap()).collect();
        assert!(of_batch.windows(2).all(|pair| pair[1] == pair[0] + 1), "{of_batch:?}");
        taken.extend(of_batch);
    }
    taken.sort_unstable();
    assert_eq!(taken, (1..=480).collect::<Vec<i64>>());
    assert!(books.balances().await.starts_with(&lines(
        "
        deferred_commission 48.00 AED
        gateway_clearing:stripe 480.00 AED"
    )));
    books.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_overlap_in_other_orders_are_each_posted_once() {
    let books = Arc::new(Books::new().await);
    let batches = (0..24).map(|poster| {
        let keys = (0..8).map(|n| if poster % 2 == 0 { n } else { 7 - n });
        keys.map(|n| fact(&format!("k{n}"), SALE)).collect()
    });
    for outcomes in at_once(&books, batches.collect()).await {
        assert_eq!(positions(&outcomes.unwrap()).count(), 8);
    }
    assert_eq!(books.count("ledger.transaction").await, 8);
    books.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_created_once_by_parallel_posters() {
    let books = Arc::new(Books::new().await);
    let batches = (0..16).map(|poster| {
        let vendors = (0..12).map(|n| (n * 5 + poster) % 12);
        let page: String =
            vendors.map(|v| format!("cr vendor_payable:V{v}:pending 1.00 AED;")).collect();
        vec![fact(&format!("k{poster}"), &format!("{page} dr bank:main 12.00 AED"))]
    });
    for outcomes in at_once(&books, batches.collect()).await {
        outcomes.unwrap();
    }
    assert_eq!(books.count("ledger.account").await, 13);
    assert_eq!(books.count("ledger.balance").await, 13);
    books.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_reversals_of_one_transaction_are_one() {
    let books = Arc::new(Books::new().await);
    let sale = books.book(&[fact("sale", SALE)]).await[0].posted().unwrap().id;
    let original = books.transaction(sale).await;
    let back = |n: i32| {
        let key = PostingKey::new(format!("back {n}")).unwrap();
        let kind = TransactionKind::new("test.reversed").unwrap();
        original.reversal(key, kind, Authority::Command, after(60), "tests".to_owned()).unwrap()
    };
    let answers = at_once(&books, (0..20).map(|n| vec![back(n)]).collect()).await;
    let mut posted = 0;
    for outcomes in answers {
        match &outcomes.unwrap()[0] {
            Outcome::Posted(_) => posted += 1,
            told => assert_eq!(
                crate::support::answers(std::slice::from_ref(told)),
                format!(
                    "refused: {sale} has been reversed already: a transaction is reversed once\n"
                )
            ),
        }
    }
    assert_eq!(posted, 1);
    assert_eq!(books.count("ledger.transaction").await, 2);
    books.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_floor_holds_against_parallel_takers() {
    let books = Arc::new(Books::new().await);
    books
        .book(&[fact("in", "dr bank:main 10.00 AED; cr vendor_payable:V1:available 10.00 AED")])
        .await;
    let take = |n: i32| {
        command(
            &format!("t{n}"),
            "dr vendor_payable:V1:available 3.00 AED; cr payouts_in_transit:bank 3.00 AED",
        )
    };
    let answers = at_once(&books, (0..20).map(|n| vec![take(n)]).collect()).await;
    let posted = answers.iter().flatten().flatten().filter(|o| o.posted().is_some()).count();
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(posted, 3, "three times three of ten");
    assert_eq!(books.count("ledger.rejection").await, 17);
    assert_eq!(
        books.balances().await,
        lines(
            "
        bank:main 10.00 AED
        payouts_in_transit:bank 9.00 AED
        vendor_payable:V1:available 1.00 AED"
        )
    );
    books.prove().await;
}

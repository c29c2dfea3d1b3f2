//! Many at once on one purse: what is there is spent once, to the last minor unit.

use std::sync::Arc;

use mizan::payments::PaymentError;
use mizan::wallets;
use mizan_money::id::RefundId;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::{C, Shop, Step};
use crate::support::T0;

/// Runs all at once; answers how many succeeded, and what the others heard.
pub async fn at_once<T>(tasks: impl IntoIterator<Item = T>) -> (usize, Vec<String>)
where
    T: Future<Output = Result<(), PaymentError>> + Send + 'static,
{
    let tasks: Vec<T> = tasks.into_iter().collect();
    let barrier = Arc::new(Barrier::new(tasks.len()));
    let mut set = JoinSet::new();
    for task in tasks {
        let barrier = Arc::clone(&barrier);
        set.spawn(async move {
            barrier.wait().await;
            task.await
        });
    }
    let (mut done, mut refused) = (0, Vec::new());
    for result in set.join_all().await {
        match result {
            Ok(()) => done += 1,
            Err(error) => refused.push(error.to_string()),
        }
    }
    (done, refused)
}

fn cart(
    shop: &Shop,
    cash: i64,
    promo: i64,
) -> impl Future<Output = Result<(), PaymentError>> + use<> {
    let (shop, payment) = (shop.clone(), shop.payment());
    async move { shop.hold(payment, cash, promo).await }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_carts_at_once_on_one_purse_hold_what_there_is_and_no_more() {
    let shop = Shop::open().await;
    shop.top_up("10.00").await;
    for days in 1..=7 {
        shop.grant(100, Some(days)).await;
    }
    let (held, refused) = at_once((0..10).map(|_| cart(&shop, 0, 180))).await;
    assert_eq!(held, 3, "{refused:#?}");
    assert!(refused.iter().all(|it| it.contains("has 1.60 AED of promo credit")), "{refused:#?}");
    let (held, refused) = at_once((0..10).map(|_| cart(&shop, 300, 0))).await;
    assert_eq!(held, 3, "{refused:#?}");
    assert!(refused.iter().all(|it| it.contains("1.00 AED left")), "{refused:#?}");
    let (held, _) = at_once((0..10).map(|_| cart(&shop, 100, 160))).await;
    assert_eq!(held, 1);
    for path in ["cash", "promo"] {
        assert_eq!(shop.balance(&format!("customer_wallet:{C}:{path}:spendable")).await, 0);
    }
    shop.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_during_spends_takes_what_was_not_held_and_nothing_twice() {
    for round in 0..6 {
        let shop = Shop::open().await;
        let lots = [shop.grant(500, Some(1)).await, shop.grant(300, Some(2)).await];
        // Carts that are a moment before the first lot's end, and jobs a moment after it.
        let before = shop.clone();
        let mut late = shop.clone();
        late.app.clock = mizan::clock::Clock::manual(lots[0].expires_at.unwrap());
        let carts = (0..4).map(|_| {
            let (shop, payment) = (before.clone(), before.payment());
            Box::pin(async move { shop.hold(payment, 0, 190).await })
                as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        });
        let jobs = (0..3).map(|_| {
            let late = late.clone();
            Box::pin(async move {
                late.run_due().await;
                Ok(())
            }) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        });
        let (done, refused) = at_once(carts.chain(jobs)).await;
        assert_eq!(done + refused.len(), 7, "{round}");
        assert!(refused.iter().all(|it| it.contains("of promo credit to spend")), "{refused:#?}");
        let held = shop.balance(&format!("customer_wallet:{C}:promo:held")).await;
        let left = shop.balance(&format!("customer_wallet:{C}:promo:spendable")).await;
        let gone = shop.balance("breakage_income").await;
        assert_eq!(held, 190 * (i64::try_from(done).unwrap() - 3));
        assert_eq!(held + left + gone, 800);
        shop.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_is_ended_once_whoever_comes_first() {
    for _ in 0..4 {
        let shop = Shop::open().await;
        shop.grant(500, None).await;
        let payment = shop.payment();
        shop.hold(payment, 0, 400).await.unwrap();
        let ends = (0..6).map(|n| {
            let shop = shop.clone();
            async move {
                match n % 2 {
                    0 => shop.spend(payment).await,
                    _ => {
                        shop.release(payment).await;
                        Ok(())
                    }
                }
            }
        });
        let (_, refused) = at_once(ends).await;
        let went_back = shop.balance(&format!("customer_wallet:{C}:promo:spendable")).await;
        assert!(went_back == 100 || went_back == 500, "{went_back}");
        assert_eq!(refused.is_empty(), went_back == 100, "{refused:#?}");
        shop.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_at_once_give_back_no_more_than_was_spent() {
    let shop = Shop::open().await;
    for _ in 0..3 {
        shop.grant(300, Some(9)).await;
    }
    let payment = shop.payment();
    shop.hold(payment, 0, 900).await.unwrap();
    shop.spend(payment).await.unwrap();
    let refunds = (0..6).map(|_| {
        let (shop, refund) = (shop.clone(), RefundId::generate(T0));
        async move { shop.give_back(refund, payment, 250).await }
    });
    let (done, refused) = at_once(refunds).await;
    assert_eq!(done, 3, "{refused:#?}");
    assert!(refused.iter().all(|it| it.contains("more than the 1.50 AED")), "{refused:#?}");
    shop.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_told_many_times_at_once_grants_once() {
    let shop = Shop::open().await;
    shop.rule("percent, basis, vest_days", "'5', 'paid', 14").await;
    let order = Arc::new(shop.order("O1", 10_000));
    let deliveries = (0..6).map(|_| {
        let (shop, order) = (shop.clone(), Arc::clone(&order));
        async move {
            shop.deliver(&order, &[(1, 4_000), (2, 6_000)]).await;
            Ok(())
        }
    });
    assert_eq!(at_once(deliveries).await.0, 6);
    assert_eq!(shop.balance(&format!("cashback_liability:{C}")).await, 500);
    shop.prove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_during_spends_takes_what_is_left_and_withholds_the_rest() {
    for _ in 0..4 {
        let shop = Shop::open().await;
        shop.rule("percent, basis, vest_days", "'5', 'paid', 0").await;
        let order = shop.order("O1", 10_000);
        shop.deliver(&order, &[(1, 10_000)]).await.unwrap();
        shop.run_due().await;
        let (payment, refund) = (order.payment, RefundId::generate(T0));
        let others = (0..4).map(|_| {
            Box::pin(cart(&shop, 0, 190)) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        });
        // The same refund is told three times.
        let refunds = (0..3).map(|_| {
            let shop = shop.clone();
            Box::pin(async move {
                let taken = shop.claw_back_for(refund, payment, 10_000, 10_000).await;
                match taken.promo.minor() + taken.withheld.minor() {
                    500 => Ok(()),
                    _ => panic!("{taken:?}"),
                }
            }) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        });
        let (done, refused) = at_once(others.chain(refunds)).await;
        let held = shop.balance(&format!("customer_wallet:{C}:promo:held")).await;
        assert_eq!(held, 190 * (i64::try_from(done).unwrap() - 3), "{refused:#?}");
        assert!(refused.iter().all(|it| it.contains("of promo credit to spend")), "{refused:#?}");
        assert_eq!(shop.balance(&format!("customer_wallet:{C}:promo:spendable")).await, 0);
        assert_eq!(
            shop.balance("cashback_expense").await,
            held,
            "what is withheld is the refund's"
        );
        shop.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_many_holds_at_once_locks_them_all_first_and_never_waits_in_a_circle() {
    let shop = Shop::open().await;
    shop.grant(300, Some(1)).await;
    shop.grant(300, Some(2)).await;
    let carts: Vec<_> = (0..6).map(|_| shop.payment()).collect();
    for payment in &carts {
        shop.hold(*payment, 0, 90).await.unwrap();
    }
    let enders = (0..6).map(|n| {
        let (shop, mut mine) = (shop.clone(), carts.clone());
        mine.rotate_left(n);
        async move {
            let (tenant, mut step) = (shop.books.tenant, shop.begin().await);
            let Step { tx, plan } = &mut step;
            wallets::lock(tx, tenant, &mine).await?;
            for payment in mine {
                wallets::release(tx, tenant, payment, plan).await?;
            }
            shop.end(step).await
        }
    });
    let (done, refused) = at_once(enders).await;
    assert_eq!(done, 6, "{refused:#?}");
    assert_eq!(shop.balance(&format!("customer_wallet:{C}:promo:spendable")).await, 600);
    shop.prove().await;
}

//! Random days of a wallet on the real database: lots and accounts say the same after each.

use mizan_money::id::{PaymentIntentId, RefundId};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};

use super::{Order, Shop};
use crate::support::T0;

#[derive(Debug, Clone)]
enum Step {
    Deliver(i64),
    Grant(i64, i64),
    Wait(u64),
    Jobs,
    Hold(i64),
    Spend(usize),
    Release(usize),
    GiveBack(usize, i64),
    ClawBack(usize, i64),
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    use proptest::prelude::*;
    let n = 0_usize..6;
    prop_oneof![
        (100_i64..50_000).prop_map(Step::Deliver),
        (1_i64..2_000, 1_i64..15).prop_map(|(a, d)| Step::Grant(a, d)),
        (1_u64..4).prop_map(Step::Wait),
        Just(Step::Jobs),
        (1_i64..1_500).prop_map(Step::Hold),
        n.clone().prop_map(Step::Spend),
        n.clone().prop_map(Step::Release),
        (n.clone(), 1_i64..1_500).prop_map(|(n, a)| Step::GiveBack(n, a)),
        (n.clone(), 1_i64..50_000).prop_map(|(n, a)| Step::ClawBack(n, a)),
        n.prop_map(Step::Undo),
    ]
}

#[derive(Default)]
struct Known {
    carts: Vec<PaymentIntentId>,
    /// With what can still be refunded of each.
    orders: Vec<(Order, i64)>,
    /// The refunds that stand: of which order, and of how much.
    refunds: Vec<(RefundId, usize, i64)>,
}

async fn take(shop: &Shop, known: &mut Known, step: &Step) {
    match *step {
        Step::Deliver(price) => {
            let order = shop.order(&format!("O{}", known.orders.len()), price);
            shop.deliver(&order, &[(1, price)]).await;
            known.orders.push((order, price));
        }
        Step::Grant(amount, days) => drop(shop.grant(amount, Some(days)).await),
        Step::Wait(days) => shop.wait_days(days),
        Step::Jobs => drop(shop.run_due().await),
        Step::Hold(promo) => {
            let payment = shop.payment();
            if shop.hold(payment, 0, promo).await.is_ok() {
                known.carts.push(payment);
            }
        }
        Step::Spend(n) => {
            if let Some(payment) = known.carts.get(n) {
                let spent: i64 = shop
                    .sql(&format!(
                        "select count(*) from wallets.hold
                         where payment_id = '{}' and state = 'spent'",
                        payment.uuid()
                    ))
                    .await;
                if spent == 0 {
                    // A hold that went back cannot be spent, and says so.
                    let _refused = shop.spend(*payment).await;
                }
            }
        }
        Step::Release(n) => {
            if let Some(payment) = known.carts.get(n) {
                shop.release(*payment).await;
            }
        }
        Step::GiveBack(n, promo) => {
            if let Some(payment) = known.carts.get(n) {
                let refund = RefundId::generate(T0);
                let _refused = shop.give_back(refund, *payment, promo).await;
            }
        }
        Step::ClawBack(n, amount) => {
            if let Some((order, left)) = known.orders.get_mut(n) {
                let (refunded, refund) = (amount.min(*left), RefundId::generate(T0));
                shop.claw_back_for(refund, order.payment, refunded, *left).await;
                *left -= refunded;
                known.refunds.push((refund, n, refunded));
            }
        }
        Step::Undo(n) if n < known.refunds.len() => {
            let (refund, order, refunded) = known.refunds.remove(n);
            shop.undo_claw_back(refund).await;
            known.orders[order].1 += refunded;
        }
        Step::Undo(_) => {}
    }
}

#[tokio::test]
async fn whatever_happens_in_whatever_order_lots_and_accounts_say_the_same() {
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..6 {
        let days = proptest::collection::vec(step(), 25..40).new_tree(&mut runner);
        let days = days.unwrap().current();
        let shop = Shop::open().await;
        shop.rule("percent, basis, vest_days, expiry_days", "'4.5', 'paid', 3, 9").await;
        let mut known = Known::default();
        for (at, step) in days.iter().enumerate() {
            take(&shop, &mut known, step).await;
            if at % 10 == 9 {
                shop.prove().await;
            }
        }
        for (order, left) in &known.orders {
            shop.claw_back(order.payment, *left, *left).await;
        }
        shop.wait_days(60);
        for payment in &known.carts {
            shop.release(*payment).await;
        }
        shop.run_due().await;
        let unspent: i64 = shop
            .sql(
                "select coalesce(sum(amount - held - spent - expired - clawed)
            , 0)::bigint from wallets.lot where state = 'vested'",
            )
            .await;
        assert_eq!(unspent, 0, "everything has ended: {days:#?}");
        shop.prove().await;
    }
}

//! What happens to a purse, step by step.

use mizan::payments::PaymentError;
use mizan::wallets::{self, Lot, LotState, Ran, WalletError};
use mizan_money::id::RefundId;

use super::{C, Shop, minor};
use crate::support::{Books, T0, lines};

const RULE: &str = "percent, basis, vest_days, expiry_days";

fn refusal(result: Result<(), PaymentError>) -> String {
    result.unwrap_err().to_string()
}

async fn lots(shop: &Shop) -> Vec<[i64; 6]> {
    let rows: Vec<(i64, i64, i64, i64, i64, i64)> = sqlx::query_as(
        "select amount, held, spent, expired, clawed, withheld from wallets.lot
         order by earned_at, id",
    )
    .fetch_all(&mut shop.books.db.owner().await)
    .await
    .unwrap();
    rows.into_iter().map(|(a, b, c, d, e, f)| [a, b, c, d, e, f]).collect()
}

async fn kinds(books: &Books) -> String {
    let journal = books.journal().await;
    journal.iter().map(|it| format!("{} {}\n", it.kind, it.effective_at.format("%m-%d"))).collect()
}

#[tokio::test]
async fn a_checkout_holds_both_purses_and_gives_back_or_spends_exactly_once() {
    let shop = Shop::open().await;
    shop.top_up("30.00").await;
    shop.grant(1_000, Some(20)).await;
    shop.grant(500, Some(10)).await;
    shop.grant(700, None).await;
    let (first, second) = (shop.payment(), shop.payment());
    shop.hold(first, 2_000, 1_200).await.unwrap();
    // Told again: it holds the same, once.
    shop.hold(first, 2_000, 1_200).await.unwrap();
    assert_eq!(
        lots(&shop).await,
        [[1_000, 700, 0, 0, 0, 0], [500, 500, 0, 0, 0, 0], [700, 0, 0, 0, 0, 0],]
    );
    let refused = refusal(shop.hold(second, 0, 1_001).await);
    assert_eq!(refused, "C1 has 10.00 AED of promo credit to spend and 10.01 AED were asked for");
    let refused = refusal(shop.hold(second, 1_001, 0).await);
    assert!(refused.contains("customer_wallet:C1:cash:spendable has 10.00 AED left"), "{refused}");
    assert!(refusal(shop.hold(first, 1, 0).await).contains("a payment holds once"));
    shop.prove().await;

    assert!(shop.release(first).await && !shop.release(first).await);
    assert!(refusal(shop.spend(first).await).contains("went back"));
    shop.hold(first, 1_000, 100).await.unwrap();
    shop.spend(first).await.unwrap();
    assert!(!shop.release(first).await, "what is spent is not held");
    assert!(refusal(shop.hold(first, 1_000, 100).await).contains("a payment holds once"));
    assert!(!shop.release(second).await, "what was refused holds nothing");
    assert_eq!(
        shop.books.balances().await,
        lines(
            "
        bank:main 30.00 AED
        customer_wallet:C1:cash:held 0.00 AED
        customer_wallet:C1:cash:spendable 20.00 AED
        customer_wallet:C1:promo:held 0.00 AED
        customer_wallet:C1:promo:spendable 21.00 AED
        promotions_expense 22.00 AED
        vendor_payable:V1:pending 11.00 AED"
        )
    );
    shop.prove().await;
}

#[tokio::test]
async fn cashback_is_clawed_back_from_what_is_left_and_the_rest_is_withheld() {
    let shop = Shop::open().await;
    shop.rule(RULE, "'5', 'paid', 14, null").await;
    let order = shop.order("O1", 42_000);
    shop.wait_days(2);
    let earned = shop.deliver(&order, &[(1, 42_000)]).await.unwrap();
    assert_eq!((earned.amount, earned.state), (2_100, LotState::Pending));
    assert!(shop.deliver(&order, &[(1, 42_000)]).await.is_none(), "told twice");
    assert_eq!(shop.balance(&format!("cashback_liability:{C}")).await, 2_100);
    shop.wait_days(13);
    assert_eq!(shop.run_due().await, Ran::default());
    shop.wait_days(5);
    assert_eq!(shop.run_due().await, Ran { vested: 1, expired: 0 });
    assert_eq!(shop.run_due().await, Ran::default());
    let spends = shop.payment();
    shop.hold(spends, 0, 1_500).await.unwrap();
    shop.spend(spends).await.unwrap();
    let taken = shop.claw_back(order.payment, 42_000, 42_000).await;
    assert_eq!((taken.pending, taken.promo, taken.withheld), (minor(0), minor(600), minor(1_500)));
    // The refund itself keeps 15.00 back.
    assert_eq!(shop.balance("cashback_expense").await, 1_500);
    assert_eq!(lots(&shop).await, [[2_100, 0, 1_500, 0, 600, 1_500]]);
    assert_eq!(
        kinds(&shop.books).await,
        lines(
            "
        cashback.accrued 03-04
        cashback.vested 03-18
        wallet.held 03-22
        test.moved 03-22
        cashback.clawed_back 03-22"
        )
    );
    shop.prove().await;
}

#[tokio::test]
async fn deliveries_of_parts_grant_what_the_whole_would_and_only_once() {
    let shop = Shop::open().await;
    shop.rule(&format!("{RULE}, cap, currency"), "'5', 'price', 0, 30, 50, 'AED'").await;
    let order = shop.order("O1", 1_010);
    let granted = |lot: Option<Lot>| lot.map_or(0, |lot| lot.amount);
    assert_eq!(granted(shop.deliver(&order, &[(1, 337)]).await), 17);
    assert_eq!(granted(shop.deliver(&order, &[(1, 337), (2, 337)]).await), 17);
    assert_eq!(granted(shop.deliver(&order, &[(3, 336)]).await), 16, "51 is above the cap of 50");
    assert_eq!(granted(shop.deliver(&order, &[(3, 336)]).await), 0);
    assert_eq!(shop.run_due().await, Ran { vested: 3, expired: 0 });
    assert_eq!(shop.claw_back(order.payment, 101, 1_010).await.promo, minor(5));
    assert_eq!(shop.claw_back(order.payment, 909, 909).await.promo, minor(45));
    assert_eq!(shop.balance("cashback_expense").await, 0);
    shop.prove().await;
}

#[tokio::test]
async fn only_the_first_delivered_order_of_a_customer_is_the_first() {
    let shop = Shop::open().await;
    shop.rule(RULE, "'1', 'paid', 0, null").await;
    shop.execute("update wallets.cashback_rule set first_order = true").await;
    let (first, second) = (shop.order("O1", 1_000), shop.order("O2", 9_000));
    assert!(shop.deliver(&first, &[(1, 500)]).await.is_some());
    assert!(shop.deliver(&second, &[(1, 9_000)]).await.is_none());
    assert!(shop.deliver(&first, &[(2, 500)]).await.is_some(), "the rest of the first");
    shop.prove().await;
}

#[tokio::test]
async fn what_is_not_spent_ends_at_its_time_however_late_the_job_runs() {
    let shop = Shop::open().await;
    shop.rule(RULE, "'10', 'paid', 3, 5").await;
    let order = shop.order("O1", 10_000);
    shop.deliver(&order, &[(1, 10_000)]).await.unwrap();
    shop.grant(300, Some(2)).await;
    let cart = shop.payment();
    shop.hold(cart, 0, 100).await.unwrap();
    shop.wait_days(40);
    assert!(refusal(shop.hold(shop.payment(), 0, 1).await).contains("has 0.00 AED"));
    assert_eq!(shop.run_due().await, Ran { vested: 1, expired: 2 });
    assert_eq!(shop.run_due().await, Ran::default());
    assert!(shop.release(cart).await);
    assert_eq!(shop.run_due().await, Ran { vested: 0, expired: 1 }, "what came back ends too");
    assert_eq!(shop.balance("breakage_income").await, 1_300);
    assert_eq!(lots(&shop).await, [[1_000, 0, 0, 1_000, 0, 0], [300, 0, 0, 300, 0, 0]]);
    assert_eq!(
        kinds(&shop.books).await,
        lines(
            "
        cashback.accrued 03-02
        promo.granted 03-02
        wallet.held 03-02
        cashback.vested 03-05
        cashback.expired 03-04
        cashback.expired 03-10
        wallet.released 04-11
        cashback.expired 04-11"
        )
    );
    let taken = shop.claw_back(order.payment, 10_000, 10_000).await;
    assert_eq!(taken.withheld, minor(0), "what ended unspent did the customer no good");
    shop.prove().await;
}

#[tokio::test]
async fn an_end_takes_the_expense_back_where_the_settings_say_so() {
    let shop = Shop::open().await;
    shop.execute(
        "alter table mizan.tenant add column if not exists expired_credit text;
         update mizan.tenant set expired_credit = 'expense_reversal'",
    )
    .await;
    shop.rule(RULE, "'10', 'paid', 0, 1").await;
    shop.deliver(&shop.order("O1", 1_000), &[(1, 1_000)]).await.unwrap();
    shop.grant(300, Some(1)).await;
    shop.wait_days(2);
    assert_eq!(shop.run_due().await, Ran { vested: 1, expired: 2 });
    for path in ["breakage_income", "cashback_expense", "promotions_expense"] {
        assert_eq!(shop.balance(path).await, 0, "{path}");
    }
    shop.prove().await;
}

#[tokio::test]
async fn a_refund_gives_promo_credit_back_to_where_it_was_spent_from() {
    let shop = Shop::open().await;
    shop.grant(500, Some(10)).await;
    shop.grant(1_000, Some(30)).await;
    let payment = shop.payment();
    shop.hold(payment, 0, 1_200).await.unwrap();
    shop.spend(payment).await.unwrap();
    let refund = || RefundId::generate(T0);
    let first = refund();
    shop.give_back(first, payment, 600).await.unwrap();
    assert_eq!(lots(&shop).await, [[500, 0, 250, 0, 0, 0], [1_000, 0, 350, 0, 0, 0]]);
    // Told again: nothing happens, here or in the books.
    shop.give_back(first, payment, 600).await.unwrap();
    assert_eq!(lots(&shop).await, [[500, 0, 250, 0, 0, 0], [1_000, 0, 350, 0, 0, 0]]);
    shop.prove().await;
    shop.wait_days(15);
    shop.run_due().await;
    let too_much = refusal(shop.give_back(refund(), payment, 601).await);
    assert!(too_much.contains("6.01 AED of promo credit is more than the 6.00 AED"), "{too_much}");
    shop.give_back(refund(), payment, 600).await.unwrap();
    assert_eq!(
        lots(&shop).await,
        [[500, 0, 250, 250, 0, 0], [1_000, 0, 0, 0, 0, 0], [250, 0, 0, 0, 0, 0],]
    );
    shop.prove().await;
    shop.wait_days(7);
    assert_eq!(shop.run_due().await, Ran { vested: 0, expired: 1 });
    assert_eq!(shop.balance(&format!("customer_wallet:{C}:promo:spendable")).await, 1_000);
    shop.prove().await;
    assert!(refusal(shop.give_back(refund(), shop.payment(), 1).await).contains("0.00 AED"));
}

#[tokio::test]
async fn a_whole_refund_before_vesting_leaves_nothing_to_vest() {
    let shop = Shop::open().await;
    shop.rule(RULE, "'5', 'paid', 14, 90").await;
    let order = shop.order("O1", 10_000);
    shop.deliver(&order, &[(1, 10_000)]).await.unwrap();
    assert_eq!(shop.claw_back(order.payment, 4_000, 10_000).await.pending, minor(200));
    assert_eq!(shop.claw_back(order.payment, 6_000, 6_000).await.pending, minor(300));
    shop.wait_days(20);
    assert_eq!(shop.run_due().await, Ran { vested: 1, expired: 0 });
    assert_eq!(shop.balance("cashback_expense").await, 0);
    assert_eq!(shop.books.journal().await.len(), 3, "nothing vested, nothing booked");
    shop.prove().await;
}

#[tokio::test]
async fn a_refund_that_came_to_nothing_gives_the_cashback_back_once() {
    let shop = Shop::open().await;
    shop.rule(RULE, "'10', 'paid', 5, 30").await;
    let order = shop.order("O1", 10_000);
    shop.deliver(&order, &[(1, 10_000)]).await.unwrap();
    let refunds = [1, 2, 3].map(|_| RefundId::generate(shop.now()));
    let first = shop.claw_back_for(refunds[0], order.payment, 2_000, 10_000).await;
    assert_eq!(first.pending, minor(200));
    // Told again: the same answer, and nothing more is taken.
    assert_eq!(shop.claw_back_for(refunds[0], order.payment, 2_000, 10_000).await, first);
    assert_eq!(lots(&shop).await, [[1_000, 0, 0, 0, 200, 0]]);
    shop.wait_days(6);
    shop.run_due().await;
    let cart = shop.payment();
    shop.hold(cart, 0, 700).await.unwrap();
    shop.spend(cart).await.unwrap();
    let second = shop.claw_back_for(refunds[1], order.payment, 8_000, 8_000).await;
    assert_eq!((second.promo, second.withheld), (minor(100), minor(700)));
    assert_eq!(lots(&shop).await, [[1_000, 0, 700, 0, 300, 700]]);
    shop.prove().await;

    for _ in 0..2 {
        // The first was taken of what was pending, and goes back to what has vested since.
        shop.undo_claw_back(refunds[0]).await;
        shop.undo_claw_back(refunds[1]).await;
        shop.undo_claw_back(refunds[2]).await;
    }
    assert_eq!(lots(&shop).await, [[1_000, 0, 700, 0, 0, 0]]);
    assert_eq!(shop.balance(&format!("customer_wallet:{C}:promo:spendable")).await, 300);
    assert_eq!(shop.balance("cashback_expense").await, 1_000);
    let over = shop.claw_back_for(refunds[1], order.payment, 8_000, 10_000).await;
    assert_eq!((over.promo, over.withheld), (minor(0), minor(0)), "it is over");
    let whole = shop.claw_back_for(refunds[2], order.payment, 10_000, 10_000).await;
    assert_eq!((whole.promo, whole.withheld), (minor(300), minor(700)));
    shop.prove().await;
    shop.undo_claw_back(refunds[2]).await;
    shop.wait_days(40);
    assert_eq!(shop.run_due().await, Ran { vested: 0, expired: 1 });
    shop.prove().await;
}

#[tokio::test]
async fn what_is_held_before_its_end_is_spent_after_it() {
    let shop = Shop::open().await;
    shop.grant(500, Some(1)).await;
    let cart = shop.payment();
    shop.hold(cart, 0, 300).await.unwrap();
    shop.wait_days(2);
    assert_eq!(shop.run_due().await, Ran { vested: 0, expired: 1 });
    shop.spend(cart).await.unwrap();
    assert_eq!(lots(&shop).await, [[500, 0, 300, 200, 0, 0]]);
    assert_eq!(shop.run_due().await, Ran::default());
    shop.prove().await;
}

#[tokio::test]
async fn promo_credit_that_came_with_the_books_can_be_spent() {
    let shop = Shop::open().await;
    let page = "dr bank:main 9.00 AED; cr customer_wallet:C1:promo:spendable 9.00 AED";
    shop.book("opening", page).await;
    assert!(shop.hold(shop.payment(), 0, 1).await.is_err(), "no lot, nothing to spend");
    let mut step = shop.begin().await;
    let (tenant, asked) = (shop.books.tenant, shop.asked(900, None));
    wallets::adopt(&mut step.tx, tenant, shop.now(), &asked).await.unwrap();
    shop.end(step).await.unwrap();
    shop.prove().await;
    shop.hold(shop.payment(), 0, 900).await.unwrap();
    shop.prove().await;
}

#[tokio::test]
async fn customers_cannot_pay_in_until_the_settings_say_so() {
    let shop = Shop::open().await;
    let mut step = shop.begin().await;
    let refused = wallets::check_top_up(&mut step.tx, shop.books.tenant).await.unwrap_err();
    assert!(refused.to_string().starts_with("Top-ups are off"), "{refused}");
    drop(step);
    shop.execute(
        "alter table mizan.tenant
             add column if not exists wallet_top_up boolean not null default false;
         update mizan.tenant set wallet_top_up = true",
    )
    .await;
    let mut step = shop.begin().await;
    wallets::check_top_up(&mut step.tx, shop.books.tenant).await.unwrap();
}

#[tokio::test]
async fn an_error_of_a_wallet_keeps_its_numbers_through_a_payment() {
    let (asked, left) = (minor(2), minor(1));
    let error = WalletError::Insufficient { customer: C.into(), asked, left };
    let problem = mizan::http::Problem::from(PaymentError::from(error));
    assert_eq!(problem.code(), mizan::http::Code::InsufficientBalance);
    assert!(problem.detail().contains("0.01 AED of promo credit"));
}

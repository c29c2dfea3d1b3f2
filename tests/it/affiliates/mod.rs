//! Affiliates on a real database: who is credited, what accrues, what comes back, what is paid.

use mizan::affiliates::{
    self, Attribution, Bucket, DeliveredLines, FundedBy, LineBack, Reversed, SplitLine,
};
use mizan::payments::PaymentError;
use mizan_money::Rate;
use mizan_money::id::{PaymentIntentId, RefundId};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support_app::TestApp;
use crate::wallets::races::at_once;
use crate::wallets::{Shop, Step, minor};

fn terms(percent: &str, funded_by: FundedBy) -> Attribution {
    Attribution { affiliate: "A1".into(), rate: Rate::percent(percent).unwrap(), funded_by }
}

/// A shop with the affiliate A1, whose commissions are released after 14 days.
async fn open(funded_by: &str) -> Shop {
    let shop = Shop::open().await;
    shop.execute(&format!(
        "insert into affiliates.affiliate (tenant_id, id, percent, funded_by, window_days,
             release_days, created_at, created_by)
         values ({}, 'A1', '8', '{funded_by}', 30, 14, now(), 'tests')",
        shop.books.tenant
    ))
    .await;
    shop
}

async fn accrue(shop: &Shop, payment: PaymentIntentId, lines: &[(i16, i64)], by: FundedBy) {
    let mut step = shop.begin().await;
    let lines = lines.iter().map(|(n, base)| (*n, minor(*base))).collect();
    let (at, attribution) = (shop.now(), terms("8", by));
    let delivered = DeliveredLines { payment, attribution, at, lines };
    let Step { tx, plan } = &mut step;
    affiliates::accrue(tx, shop.books.tenant, &delivered, plan).await.unwrap();
    shop.end(step).await.unwrap();
}

/// A refund of `refunded` of the `before` that could still go back of a line.
async fn refund(
    shop: &Shop,
    payment: PaymentIntentId,
    line: i16,
    refunded: i64,
    before: i64,
) -> RefundId {
    let id = RefundId::generate(shop.now());
    let (refunded, refundable_before) = (minor(refunded), minor(before));
    let line = LineBack { line, refunded, refundable_before, booked: None };
    refund_for(shop, id, payment, line).await;
    id
}

async fn refund_for(
    shop: &Shop,
    id: RefundId,
    payment: PaymentIntentId,
    line: LineBack,
) -> Vec<Reversed> {
    let mut step = shop.begin().await;
    let Step { tx, plan } = &mut step;
    let tenant = shop.books.tenant;
    let taken = affiliates::claw_back(tx, tenant, id, payment, &[line], plan).await.unwrap();
    shop.end(step).await.unwrap();
    taken
}

async fn undo(shop: &Shop, id: RefundId) {
    let mut step = shop.begin().await;
    let Step { tx, plan } = &mut step;
    affiliates::undo_claw_back(tx, shop.books.tenant, id, plan).await.unwrap();
    shop.end(step).await.unwrap();
}

async fn standing(shop: &Shop) -> [i64; 3] {
    let pending = shop.balance("affiliate_payable:A1:pending").await;
    let available = shop.balance("affiliate_payable:A1:available").await;
    [pending, available, shop.balance("affiliate_receivable:A1").await]
}

async fn run_due(shop: &Shop) -> usize {
    affiliates::run_due(&shop.app, shop.books.tenant).await.unwrap()
}

async fn pay_out(shop: &Shop, amount: i64) {
    let page = format!("dr affiliate_payable:A1:available {0}; cr bank:main {0}", minor(amount));
    shop.book(&format!("payout:{}", shop.payment()), &page).await;
}

#[tokio::test]
async fn a_commission_accrues_is_reduced_by_a_refund_and_released_after_the_window() {
    let shop = open("platform").await;
    let (first, second) = (shop.payment(), shop.payment());
    accrue(&shop, first, &[(1, 50_000)], FundedBy::Platform).await;
    accrue(&shop, first, &[(1, 50_000)], FundedBy::Platform).await;
    assert_eq!(standing(&shop).await, [4_000, 0, 0], "told twice, accrued once");
    shop.wait_days(5);
    refund(&shop, first, 1, 10_500, 52_500).await;
    assert_eq!(standing(&shop).await, [3_200, 0, 0]);
    shop.wait_days(8);
    assert_eq!(run_due(&shop).await, 0);
    shop.wait_days(4);
    assert_eq!((run_due(&shop).await, run_due(&shop).await), (1, 0));
    assert_eq!(standing(&shop).await, [0, 3_200, 0]);
    let released = shop.books.journal().await.pop().unwrap();
    assert_eq!(
        (released.kind.as_str(), released.effective_at),
        ("affiliate.released", "2026-03-16T09:00:00Z".parse().unwrap())
    );
    accrue(&shop, second, &[(1, 25_000)], FundedBy::Platform).await;
    shop.wait_days(14);
    assert_eq!(run_due(&shop).await, 1);
    pay_out(&shop, 5_200).await;
    assert_eq!(standing(&shop).await, [0, 0, 0]);
    assert_eq!(shop.balance("affiliate_expense").await, 5_200);
    shop.prove().await;
}

#[tokio::test]
async fn what_was_paid_and_is_taken_back_is_netted_with_what_comes_next() {
    let shop = open("platform").await;
    let (first, second, third) = (shop.payment(), shop.payment(), shop.payment());
    accrue(&shop, first, &[(1, 10_000)], FundedBy::Platform).await;
    shop.wait_days(14);
    run_due(&shop).await;
    pay_out(&shop, 800).await;
    refund(&shop, first, 1, 10_500, 10_500).await;
    assert_eq!(standing(&shop).await, [0, 0, 800]);
    accrue(&shop, second, &[(1, 6_000)], FundedBy::Platform).await;
    accrue(&shop, third, &[(1, 9_000)], FundedBy::Platform).await;
    assert_eq!(standing(&shop).await, [1_200, 0, 800]);
    shop.wait_days(20);
    assert_eq!(run_due(&shop).await, 2);
    assert_eq!(standing(&shop).await, [0, 400, 0]);
    let recovered = shop.books.journal().await;
    let recovered = recovered.iter().filter(|it| it.kind == "affiliate.recovered").count();
    assert_eq!(recovered, 2, "480 of the second and 320 of the third");
    shop.prove().await;
}

#[tokio::test]
async fn a_refund_takes_once_and_gives_back_once_where_it_came_to_nothing() {
    let shop = open("platform").await;
    let (first, second) = (shop.payment(), shop.payment());
    accrue(&shop, first, &[(1, 10_000)], FundedBy::Platform).await;
    let id = RefundId::generate(shop.now());
    let line = LineBack {
        line: 1,
        refunded: minor(5_250),
        refundable_before: minor(10_500),
        booked: None,
    };
    let taken = refund_for(&shop, id, first, line).await;
    assert_eq!(taken.iter().map(|it| it.amount).collect::<Vec<_>>(), [minor(400)]);
    assert_eq!(refund_for(&shop, id, first, line).await, taken, "told again");
    assert_eq!(standing(&shop).await, [400, 0, 0]);
    for _ in 0..2 {
        undo(&shop, id).await;
    }
    assert_eq!(standing(&shop).await, [800, 0, 0]);
    assert_eq!(refund_for(&shop, id, first, line).await, [], "it is over");
    shop.prove().await;

    // Paid, taken back, and then not: the debt is netted with what comes back.
    shop.wait_days(14);
    run_due(&shop).await;
    pay_out(&shop, 800).await;
    let whole = refund(&shop, first, 1, 10_500, 10_500).await;
    assert_eq!(standing(&shop).await, [0, 0, 800]);
    accrue(&shop, second, &[(1, 1_000)], FundedBy::Platform).await;
    undo(&shop, whole).await;
    assert_eq!(standing(&shop).await, [80, 0, 0]);
    undo(&shop, RefundId::generate(shop.now())).await;
    assert_eq!(shop.balance("affiliate_expense").await, 880);
    shop.prove().await;
}

#[tokio::test]
async fn what_a_vendor_pays_is_released_from_its_delivery_and_not_booked_again() {
    let shop = open("vendor").await;
    let payment = shop.payment();
    let terms = terms("8", FundedBy::Vendor);
    // 98.48 and 80 fils.
    let parts = [(1, 1_231), (2, 1_000)].map(|(line, base)| SplitLine {
        line,
        base: minor(base),
        commission: terms.of(minor(base)).unwrap(),
    });
    assert_eq!(parts.map(|part| part.commission), [minor(98), minor(80)]);
    let mut step = shop.begin().await;
    let (tenant, now) = (shop.books.tenant, shop.now());
    affiliates::record_split(&mut step.tx, tenant, now, payment, &parts, &terms).await.unwrap();
    shop.end(step).await.unwrap();
    let page = "dr bank:main 1.78 AED; cr affiliate_payable:A1:pending 1.78 AED";
    shop.book("capture", page).await;
    shop.wait_days(60);
    assert_eq!(run_due(&shop).await, 0, "nothing was delivered");
    // The refund says what the split takes, and books it.
    let (refunded, booked) = (minor(646), Some(minor(50)));
    let line = LineBack { line: 1, refunded, refundable_before: minor(1_293), booked };
    let taken = refund_for(&shop, RefundId::generate(now), payment, line).await;
    assert_eq!((taken[0].amount, taken[0].bucket), (minor(50), Bucket::Pending));
    shop.book("refund", "dr affiliate_payable:A1:pending 0.50 AED; cr bank:main 0.50 AED").await;
    accrue(&shop, payment, &[(1, 0), (2, 1_000)], FundedBy::Vendor).await;
    accrue(&shop, payment, &[(2, 1_000)], FundedBy::Vendor).await;
    assert_eq!(standing(&shop).await, [128, 0, 0]);
    shop.wait_days(14);
    assert_eq!(run_due(&shop).await, 1);
    assert_eq!(standing(&shop).await, [0, 128, 0]);
    shop.prove().await;
}

#[tokio::test]
async fn whatever_is_refunded_released_and_paid_ends_at_what_was_earned_and_kept() {
    let mut runner = TestRunner::new(Config::default());
    let days = proptest::collection::vec((0_usize..5, 0_usize..4, 1_i64..9_000), 20..30);
    for _ in 0..5 {
        let days = days.new_tree(&mut runner).unwrap().current();
        let shop = open("platform").await;
        let mut orders: Vec<(PaymentIntentId, i64)> = Vec::new();
        let (mut paid, mut kept) = (0, 0);
        for (what, n, amount) in days {
            let order = orders.get_mut(n);
            match (what, order) {
                (0, _) => {
                    let payment = shop.payment();
                    accrue(&shop, payment, &[(1, amount)], FundedBy::Platform).await;
                    orders.push((payment, amount));
                }
                (1, _) => shop.wait_days(6),
                (2, _) => drop(run_due(&shop).await),
                (3, _) => {
                    let available = standing(&shop).await[1];
                    if available > 0 {
                        pay_out(&shop, available).await;
                        paid += available;
                    }
                }
                (_, Some((payment, left))) => {
                    let refunded = amount.min(*left);
                    refund(&shop, *payment, 1, refunded, *left).await;
                    *left -= refunded;
                }
                _ => {}
            }
            kept = shop
                .sql(
                    "select coalesce(sum(amount - reversed), 0)::bigint
                from affiliates.accrual",
                )
                .await;
            let [pending, available, debt] = standing(&shop).await;
            assert_eq!(pending + available - debt + paid, kept);
            assert_eq!(shop.balance("affiliate_expense").await, kept);
        }
        for (payment, left) in orders {
            refund(&shop, payment, 1, left, left).await;
        }
        shop.wait_days(30);
        run_due(&shop).await;
        let [pending, available, debt] = standing(&shop).await;
        assert_eq!((pending, debt - available), (0, paid), "all came back: {kept} before");
        shop.prove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn releases_and_a_refund_at_once_release_once_and_take_back_once() {
    for _ in 0..4 {
        let shop = open("platform").await;
        let payment = shop.payment();
        accrue(&shop, payment, &[(1, 10_000), (2, 5_000)], FundedBy::Platform).await;
        shop.wait_days(15);
        let id = RefundId::generate(shop.now());
        let (refunded, refundable_before) = (minor(5_250), minor(10_500));
        let line = LineBack { line: 1, refunded, refundable_before, booked: None };
        let tasks = (0..6).map(|n| {
            let shop = shop.clone();
            async move {
                match n % 2 {
                    0 => drop(run_due(&shop).await),
                    _ => drop(refund_for(&shop, id, payment, line).await),
                }
                Ok(())
            }
        });
        at_once(tasks).await;
        assert_eq!(standing(&shop).await, [0, 800, 0]);
        assert_eq!(shop.balance("affiliate_expense").await, 800);
        shop.prove().await;
    }
}

#[tokio::test]
async fn the_last_click_inside_the_window_counts_unless_somebody_is_named() {
    let app = TestApp::new().await;
    for (id, window) in [("A1", 30), ("A2", 2), ("A3", 30)] {
        let body = json!({"id": id, "percent": "8", "funded_by": "platform",
            "window_days": window, "release_days": 14});
        let made = app.post("/v1/affiliates", body).await;
        assert_eq!((made.status, made.id()), (201, id), "{:#}", made.body);
        let path = format!("/v1/affiliates/{id}/codes");
        let coded = app.post(&path, json!({"code": format!("{id}-10")})).await;
        assert_eq!(coded.body["codes"], json!([format!("{id}-10")]));
    }
    let day = 86_400;
    let click = async |code: &str, body: serde_json::Value| {
        let mut body = body;
        body["code"] = json!(code);
        let kept = app.post("/v1/affiliate_clicks", body).await;
        assert_eq!(kept.status, 201, "{:#}", kept.body);
    };
    let found = async |affiliate: Option<&str>, code: Option<&str>, who: Option<&str>| {
        let (tenant, now) = (app.books.tenant, app.app.clock.now());
        let mut tx = crate::support::scope(app.books.db.service_pool(), tenant).await;
        let found = affiliates::attribute(&mut tx, tenant, now, affiliate, code, who).await;
        found.map(|it| it.map_or("nobody".into(), |it| it.affiliate)).unwrap_or_else(|error| {
            let problem = mizan::http::Problem::from(PaymentError::from(error));
            format!("{}: {}", problem.code().as_str(), problem.detail())
        })
    };
    click("A1-10", json!({"customer": "C1"})).await;
    click("A1-10", json!({"visitor": "V9"})).await;
    app.advance(day);
    click("A2-10", json!({"customer": "C1", "visitor": "V9"})).await;
    assert_eq!(found(None, None, Some("C1")).await, "A2");
    assert_eq!(found(None, None, Some("V9")).await, "A2");
    assert_eq!(found(None, None, Some("C2")).await, "nobody");
    assert_eq!(found(Some("A3"), None, Some("C1")).await, "A3");
    assert_eq!(found(None, Some("A1-10"), Some("C1")).await, "A1");
    assert_eq!(found(Some("A1"), Some("A1-10"), None).await, "A1");
    let refused = found(Some("A1"), Some("A3-10"), None).await;
    assert!(refused.starts_with("invalid_field: The code belongs to another"), "{refused}");
    assert!(found(Some("A9"), None, None).await.starts_with("unknown_reference: There is no"));
    assert!(found(None, Some("nope"), None).await.contains("no affiliate code `nope`"));
    app.advance(2 * day);
    assert_eq!(found(None, None, Some("C1")).await, "A1", "the window of A2 is over");
    app.advance(27 * day);
    assert_eq!(found(None, None, Some("C1")).await, "nobody");
}

#[tokio::test]
async fn an_affiliate_that_cannot_be_is_refused_with_the_field() {
    let app = TestApp::new().await;
    let body = json!({"id": "A1", "percent": "8"});
    let made = app.post("/v1/affiliates", body.clone()).await;
    assert_eq!((made.status, &made.body["balances"]), (201, &json!([])), "{:#}", made.body);
    assert_eq!(app.post("/v1/affiliates", body).await.problem(), (409, "reference_reused"));
    let other = json!({"id": "A2", "percent": "0", "funded_by": "vendor"});
    assert_eq!(app.post("/v1/affiliates", other).await.status, 201);
    for (path, body, status, param) in [
        ("/v1/affiliates", json!({"id": "A 3", "percent": "8"}), 400, "id"),
        ("/v1/affiliates", json!({"id": "A3", "percent": "200"}), 400, "percent"),
        ("/v1/affiliates", json!({"id": "A3", "percent": "8", "name": ""}), 400, "name"),
        (
            "/v1/affiliates",
            json!({"id": "A3", "percent": "8", "window_days": -1}),
            400,
            "window_days",
        ),
        ("/v1/affiliates", json!({"id": "A3", "percent": "8", "bonus": 1}), 400, "bonus"),
        ("/v1/affiliates", json!({"id": "A3"}), 400, "percent"),
        ("/v1/affiliates/A1/codes", json!({"code": "a b"}), 400, "code"),
        ("/v1/affiliate_clicks", json!({"code": "x", "visitor": "a b"}), 400, "visitor"),
        ("/v1/affiliate_clicks", json!({"code": "none", "visitor": "v"}), 422, "code"),
    ] {
        let refused = app.post(path, body).await;
        assert_eq!((refused.status, refused.text("param")), (status, param), "{:#}", refused.body);
    }
    assert_eq!(app.post("/v1/affiliates/A1/codes", json!({"code": "TEN"})).await.status, 201);
    assert_eq!(app.post("/v1/affiliates/A1/codes", json!({"code": "TEN"})).await.status, 201);
    let taken = app.post("/v1/affiliates/A2/codes", json!({"code": "TEN"})).await;
    assert_eq!(taken.problem(), (409, "reference_reused"));
    let nobody = app.post("/v1/affiliate_clicks", json!({"code": "TEN"})).await;
    assert_eq!((nobody.status, nobody.text("param")), (400, "visitor"));
    assert_eq!(app.get("/v1/affiliates/A9").await.status, 404);
    assert_eq!(app.post("/v1/affiliates/A9/codes", json!({"code": "X"})).await.status, 404);
}

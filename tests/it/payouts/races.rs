//! Several at once: two runs, payouts against what takes the money away, files.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_at_once_pay_everybody_exactly_once() {
    let shop = Arc::new(Shop::open().await);
    let vendors: Vec<String> = (1..=12).map(|n| format!("V{n}")).collect();
    let payees: Vec<String> = vendors.iter().map(|it| format!("vendors/{it}")).collect();
    shop.ready(&payees.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for vendor in &vendors {
        shop.terms(&format!("vendors/{vendor}"), json!({ "schedule": "daily" })).await;
        shop.available(&format!("vendor_payable:{vendor}"), "10.00 AED").await;
    }
    let (gate, mut tasks) = (Arc::new(Barrier::new(4)), JoinSet::new());
    for n in 0..4 {
        let (shop, gate) = (Arc::clone(&shop), Arc::clone(&gate));
        tasks.spawn(async move {
            gate.wait().await;
            match n {
                0 | 1 => shop.run().await,
                _ => shop.second_post("/v1/payout_runs", json!({})).await,
            }
        });
    }
    for run in tasks.join_all().await {
        assert_eq!(run.status, 201, "{run:#?}");
        assert_eq!(run.body["payouts"].as_array().unwrap().len(), 12);
        assert_eq!(run.body["left_out"], json!([]));
    }
    let paid: i64 = shop.app.sql("select sum(amount)::bigint from payouts.payout").await;
    let made: i64 = shop.app.sql("select count(*) from payouts.payout").await;
    assert_eq!((paid, made), (12_000, 12));
    assert!(shop.balances(&["payouts_in_transit"]).await.ends_with(":bank 120.00 AED"));
    shop.app.prove_laws().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payout_and_what_takes_the_money_never_both_have_it() {
    let shop = Arc::new(Shop::open().await);
    shop.ready(&["vendors/V1"]).await;
    shop.available("vendor_payable:V1", "100.00 AED").await;
    let (gate, mut tasks) = (Arc::new(Barrier::new(12)), JoinSet::new());
    for n in 0..12 {
        let (shop, gate) = (Arc::clone(&shop), Arc::clone(&gate));
        tasks.spawn(async move {
            gate.wait().await;
            if n % 2 == 0 {
                let taken = shop.take("vendor_payable:V1", "15.00 AED").await;
                return i64::from(taken) * 1_500;
            }
            let body = json!({ "vendor": "V1", "currency": "AED", "amount": 2_500 });
            let made = shop.app.post("/v1/payouts", body).await;
            match made.status {
                201 => {
                    let items = made.body["items"].as_array().unwrap().iter();
                    let sum: i64 = items.map(|it: &Value| it["amount"].as_i64().unwrap()).sum();
                    assert_eq!((made.text("status"), sum), ("reserved", 2_500), "{made:#?}");
                    2_500
                }
                409 => {
                    assert_eq!(made.text("code"), "insufficient_balance", "{made:#?}");
                    0
                }
                _ => panic!("{made:#?}"),
            }
        });
    }
    let gone: i64 = tasks.join_all().await.into_iter().sum();
    assert!(gone <= 10_000 && gone > 10_000 - 2_500, "{gone}");
    let left = (10_000 - gone) / 100;
    let line = format!("vendor_payable:V1:available {left}.00 AED");
    assert_eq!(shop.balances(&["vendor_payable"]).await, line);
    shop.app.prove_laws().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_asked_for_by_many_at_once_is_one_file() {
    let shop = Arc::new(Shop::open().await);
    shop.ready(&["vendors/V1", "vendors/V2"]).await;
    for vendor in ["V1", "V2"] {
        shop.terms(&format!("vendors/{vendor}"), json!({ "schedule": "daily" })).await;
        shop.available(&format!("vendor_payable:{vendor}"), "10.00 AED").await;
    }
    let run = shop.run().await;
    let path = format!("/v1/payout_runs/{}/file", run.id());
    let (gate, mut tasks) = (Arc::new(Barrier::new(6)), JoinSet::new());
    for _ in 0..6 {
        let (shop, gate, path) = (Arc::clone(&shop), Arc::clone(&gate), path.clone());
        tasks.spawn(async move {
            gate.wait().await;
            shop.app.get(&path).await.body
        });
    }
    let mut files = tasks.join_all().await;
    files.dedup();
    assert_eq!(files.len(), 1, "{files:#?}");
    let made: i64 = shop.app.sql("select count(*) from payouts.file").await;
    assert_eq!(made, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_during_payout_runs_end_in_a_payout_with_a_debt_or_in_neither() {
    let shop = Arc::new(Shop::open().await);
    let vendors: Vec<String> = (1..=8).map(|n| format!("V{n}")).collect();
    let payees: Vec<String> = vendors.iter().map(|it| format!("vendors/{it}")).collect();
    let terms = json!({ "release": { "after": "capture", "days": 1 } });
    shop.app.terms("default", terms).await;
    shop.ready(&payees.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut orders = Vec::new();
    for vendor in &vendors {
        orders.push(shop.app.paid(&[(vendor, 10_500)]).await);
    }
    shop.app.days(1).await;
    assert_eq!(shop.app.holds("vendor_payable:V1:available").await, "94.50 AED");
    for vendor in &vendors {
        shop.terms(&format!("vendors/{vendor}"), json!({ "schedule": "daily" })).await;
    }
    let (gate, mut tasks) = (Arc::new(Barrier::new(10)), JoinSet::new());
    for n in 0..10 {
        let (shop, gate, order) = (Arc::clone(&shop), Arc::clone(&gate), orders.get(n).cloned());
        tasks.spawn(async move {
            gate.wait().await;
            match order {
                None => shop.run().await,
                Some(order) => {
                    let refund = shop.app.refund(&order, None).await;
                    assert_eq!(refund.status, 200, "{refund:#?}");
                    refund
                }
            }
        });
    }
    tasks.join_all().await;
    shop.app.settle().await;
    for vendor in &vendors {
        let paid = "select count(*), coalesce(sum(amount), 0)::bigint from payouts.payout
                    where payee = $1 and state <> 'gated'";
        let owner = &mut shop.app.books.db.owner().await;
        let (made, paid): (i64, i64) =
            sqlx::query_as(paid).bind(vendor).fetch_one(owner).await.unwrap();
        let debt = shop.app.holds(&format!("vendor_receivable:{vendor}")).await;
        match (made, paid) {
            (1, 9_450) => assert_eq!(debt, "94.50 AED", "{vendor}"),
            (0, 0) => assert!(["0", "0.00 AED"].contains(&debt.as_str()), "{vendor}: {debt}"),
            other => panic!("{vendor}: {other:?}"),
        }
        let left = shop.app.holds(&format!("vendor_payable:{vendor}:available")).await;
        assert_eq!(left, "0.00 AED", "{vendor}");
    }
    shop.app.prove().await;
}

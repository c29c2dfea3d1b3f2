//! Runs: who is due, once a day, in the marketplace's own days.

use reqwest::Method;
use serde_json::{Value, json};

use super::shop::{DAY, Shop, closed};
use crate::support_app::make_key;

fn payouts(run: &crate::support_app::Reply) -> Vec<(&str, &str, i64)> {
    let one = |it: &'_ Value| it["amount"].as_i64().unwrap();
    let payouts = run.body["payouts"].as_array().unwrap().iter();
    payouts
        .map(|it| (it["vendor"].as_str().unwrap(), it["status"].as_str().unwrap(), one(it)))
        .collect()
}

#[tokio::test]
async fn a_run_pays_who_is_due_and_again_pays_nobody_twice() {
    let shop = Shop::open().await;
    // 2026-03-02 is a Monday; two days later it is Wednesday.
    shop.ready(&["vendors/D", "vendors/W", "vendors/T", "vendors/M"]).await;
    shop.terms("vendors/D", json!({ "schedule": "daily" })).await;
    shop.terms("vendors/W", json!({ "schedule": "weekly", "weekday": "wednesday" })).await;
    shop.terms("vendors/T", json!({ "schedule": "weekly", "weekday": 2 })).await;
    shop.terms("vendors/M", json!({ "schedule": "monthly", "day": 4 })).await;
    for vendor in ["D", "W", "T", "M", "N"] {
        shop.available(&format!("vendor_payable:{vendor}"), "10.00 AED").await;
    }
    shop.available("vendor_payable:W", "3.000 KWD").await;
    let run = shop.run().await;
    let all = [("D", "reserved", 1_000), ("M", "reserved", 1_000), ("W", "reserved", 1_000)];
    let both = [&all[..], &[("W", "reserved", 3_000)]].concat();
    assert_eq!((payouts(&run), run.text("on")), (both.clone(), "2026-03-04"));
    // More came in: it waits for another day.
    shop.available("vendor_payable:D", "1.00 AED").await;
    let again = shop.run().await;
    assert_eq!((again.id(), payouts(&again)), (run.id(), both));
    shop.app.advance(DAY);
    assert_eq!(payouts(&shop.run().await), [("D", "reserved", 100)]);
    let path = format!("/v1/payout_runs/{}", run.id());
    assert_eq!(payouts(&shop.app.get(&path).await).len(), 4);
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn a_run_looks_again_at_what_was_at_a_gate_and_the_next_takes_its_place() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/A", "vendors/B"]).await;
    for vendor in ["A", "B"] {
        shop.terms(&format!("vendors/{vendor}"), json!({ "schedule": "daily" })).await;
        shop.available(&format!("vendor_payable:{vendor}"), "10.00 AED").await;
        shop.kyc(&format!("vendors/{vendor}"), "pending").await;
    }
    let run = shop.run().await;
    assert_eq!(payouts(&run), [("A", "gated", 1_000), ("B", "gated", 1_000)]);
    shop.kyc("vendors/A", "verified").await;
    shop.available("vendor_payable:A", "1.00 AED").await;
    let again = shop.run().await;
    assert_eq!(payouts(&again), [("A", "reserved", 1_100), ("B", "gated", 1_000)]);
    shop.app.advance(DAY);
    let next = shop.run().await;
    assert_eq!(payouts(&next), [("B", "gated", 1_000)]);
    let listed = shop.app.get("/v1/payouts?vendor=B").await;
    let states = listed.body["data"].as_array().unwrap().iter().map(|it| &it["status"]);
    assert_eq!(states.collect::<Vec<_>>(), ["gated", "cancelled"]);
}

#[tokio::test]
async fn days_are_those_of_the_marketplace() {
    let mut shop = Shop::open().await;
    shop.app
        .execute(
            "insert into mizan.tenant (tenant_id, name, created_at, time_zone)
             values (77, 'Dubai', '2026-03-01', 'Asia/Dubai')",
        )
        .await;
    let tenant = mizan_money::TenantId(77);
    shop.app.books = shop.app.books.of(tenant);
    shop.app.key = make_key(&shop.app.app, tenant).await;
    shop.ready(&["vendors/V1"]).await;
    shop.terms("vendors/V1", json!({ "schedule": "weekly", "weekday": "thu" })).await;
    shop.available("vendor_payable:V1", "10.00 AED").await;
    // Wednesday 19:59 UTC is still Wednesday in Dubai, a minute later it is Thursday there.
    shop.app.advance(10 * 3_600 + 59 * 60);
    shop.app.tick().await;
    assert_eq!(shop.app.get("/v1/payouts").await.body["data"], json!([]));
    shop.app.advance(60);
    shop.app.tick().await;
    let paid = shop.app.get("/v1/payouts").await;
    assert_eq!(paid.body["data"][0]["status"], "reserved", "{paid:#?}");
    assert_eq!(paid.body["data"][0]["created_by"], "schedule");
    shop.app.tick().await;
    assert_eq!(shop.app.get("/v1/payouts").await.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_cannot_be_paid_is_left_out_by_himself() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/A", "vendors/B"]).await;
    for (vendor, currency) in [("A", json!("USD")), ("B", json!(null))] {
        let terms = json!({ "schedule": "daily", "currency": currency });
        shop.terms(&format!("vendors/{vendor}"), terms).await;
        shop.available(&format!("vendor_payable:{vendor}"), "10.00 AED").await;
    }
    let run = shop.run().await;
    assert_eq!(payouts(&run), [("B", "reserved", 1_000)]);
    let left = &run.body["left_out"][0];
    assert_eq!(left["vendor"], "A");
    assert!(left["reason"].as_str().unwrap().contains("no rate from AED to USD"), "{left:#}");
    let tomorrow = shop.app.post("/v1/payout_runs", json!({ "on": "2026-03-05" })).await;
    assert_eq!((tomorrow.problem(), tomorrow.text("param")), ((400, "invalid_field"), "on"));
    // A day that was missed can be made up for.
    let missed = shop.app.post("/v1/payout_runs", json!({ "on": "2026-03-03" })).await;
    assert_eq!((missed.status, payouts(&missed)), (201, vec![]));
    let none = shop.app.request(Method::GET, "/v1/payout_runs/prun_0");
    assert_eq!(shop.app.send(none).await.status, 404);
}

#[tokio::test]
async fn a_weekday_and_a_day_go_with_their_schedule() {
    let shop = Shop::open().await;
    let path = "/v1/vendors/V1/payout_terms";
    let set = shop.put(path, json!({ "schedule": "monthly", "day": 31, "rail": "wire" })).await;
    assert_eq!((set.int("day"), set.text("rail")), (31, "wire"), "{set:#?}");
    assert_eq!(shop.app.get(path).await.text("schedule"), "monthly");
    assert_eq!(shop.app.get("/v1/affiliates/A/payout_terms").await.text("schedule"), "manual");
    for (body, param) in [
        (json!({ "schedule": "weekly" }), "schedule"),
        (json!({ "schedule": "weekly", "weekday": 8 }), "schedule"),
        (json!({ "schedule": "weekly", "weekday": "someday" }), "weekday"),
        (json!({ "schedule": "daily", "day": 3 }), "schedule"),
        (json!({ "schedule": "often" }), "schedule"),
        (json!({ "schedule": "daily", "minimum": { "DHS": 1 } }), "minimum"),
        (json!({ "schedule": "daily", "minimum": { "AED": -1 } }), "minimum"),
        (json!({ "schedule": "daily", "rail": "By Hand" }), "rail"),
        (json!({ "schedule": "daily", "currency": "usd" }), "currency"),
        (json!({ "schedule": "daily", "colour": "red" }), "colour"),
    ] {
        let refused = shop.put(path, body).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{refused:#?}");
    }
    shop.available("vendor_payable:V1", "1.00 AED").await;
    assert_eq!(closed(&shop.pay_all("V1").await).len(), 3);
}

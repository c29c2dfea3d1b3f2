//! The routes of wallets and cashback rules.

use mizan::payments::plan::Plan;
use mizan::wallets::{self, NewHold};
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money};
use serde_json::json;

use crate::support::scope;
use crate::support_app::TestApp;

#[tokio::test]
async fn a_wallet_shows_what_there_is_and_goodwill_adds_to_it_once() {
    let app = TestApp::new().await;
    let empty = app.get("/v1/customers/C1/wallet").await;
    assert_eq!((empty.status, &empty.body["purses"]), (200, &json!([])), "{:#}", empty.body);
    let body = json!({"amount": 1_000, "currency": "AED", "reason": "A late parcel"});
    let path = "/v1/customers/C1/wallet/grants";
    let granted = app.post_as("k1", path, body.clone()).await;
    assert_eq!(granted.status, 201, "{:#}", granted.body);
    assert_eq!((granted.text("origin"), granted.int("left")), ("goodwill", 1_000));
    let again = app.post_as("k1", path, body).await;
    assert_eq!(again.id(), granted.id());
    let ends = json!({"amount": 2_500, "currency": "KWD", "reason": "x",
        "expires_at": "2026-04-01T00:00:00Z"});
    assert_eq!(app.post(path, ends).await.status, 201);
    let wallet = app.get("/v1/customers/C1/wallet").await;
    let purses = wallet.body["purses"].as_array().unwrap();
    assert_eq!(purses.len(), 2, "{:#}", wallet.body);
    assert_eq!((&purses[0]["currency"], &purses[0]["promo"]), (&json!("AED"), &json!(1_000)));
    assert_eq!(purses[1]["lots"][0]["expires_at"], "2026-04-01T00:00:00Z");
    app.prove().await;
    let stranger = app.strangers_key().await;
    let theirs = app.client.get(format!("{}/v1/customers/C1/wallet", app.url));
    let theirs = app.send(theirs.bearer_auth(stranger)).await;
    assert_eq!(theirs.body["purses"], json!([]), "another tenant has another C1");
}

#[tokio::test]
async fn a_wallet_shows_what_a_checkout_holds_and_which_credit_ends_first() {
    let app = TestApp::new().await;
    for ends in ["2026-05-01T00:00:00Z", "2026-04-01T00:00:00Z"] {
        let body = json!({"amount": 500, "currency": "AED", "reason": "Sorry", "expires_at": ends});
        assert_eq!(app.post("/v1/customers/C1/wallet/grants", body).await.status, 201);
    }
    let (tenant, now) = (app.books.tenant, app.app.clock.now());
    let (payment, zero) = (PaymentIntentId::generate(now), Money::zero(Currency::AED));
    let promo = Money::new(700, Currency::AED);
    let mut tx = scope(app.books.db.service_pool(), tenant).await;
    let mut plan = Plan::new(now, "tests");
    let asked = NewHold { payment, customer: "C1", cash: zero, promo };
    wallets::hold(&mut tx, tenant, &asked, &mut plan).await.unwrap();
    let posted = plan.post_all(&mut tx, tenant).await.unwrap();
    plan.announce_all(&mut tx, tenant, &posted).await.unwrap();
    tx.commit().await.unwrap();
    let purse = &app.get("/v1/customers/C1/wallet").await.body["purses"][0];
    let of = |name: &str| purse[name].as_i64().unwrap();
    assert_eq!(["promo", "promo_held", "cash", "pending_cashback"].map(of), [300, 700, 0, 0]);
    let lots = purse["lots"].as_array().unwrap();
    let held: Vec<_> = lots.iter().map(|lot| (&lot["expires_at"], &lot["held"])).collect();
    assert_eq!(
        held,
        [
            (&json!("2026-04-01T00:00:00Z"), &json!(500)),
            (&json!("2026-05-01T00:00:00Z"), &json!(200)),
        ]
    );
    let entry = app.get("/v1/ledger/transactions?limit=1").await;
    let id = entry.body["data"][0]["id"].as_str().unwrap().to_owned();
    let taken = app.post(&format!("/v1/ledger/transactions/{id}/reverse"), json!({})).await;
    assert_eq!(taken.status, 409, "a hold is not taken back by hand: {:#}", taken.body);
    app.prove().await;
}

#[tokio::test]
async fn a_grant_that_cannot_be_is_refused_with_the_field() {
    let app = TestApp::new().await;
    let grant = |change: serde_json::Value| {
        let mut body = json!({"amount": 1, "currency": "AED", "reason": "x"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (change, param) in [
        (json!({"amount": 0}), "amount"),
        (json!({"amount": -1}), "amount"),
        (json!({"amount": 1_000_000_000_000_i64}), "amount"),
        (json!({"amount": "1"}), "amount"),
        (json!({"amount": 1.5}), "amount"),
        (json!({"currency": "XXX"}), "currency"),
        (json!({"reason": ""}), "reason"),
        (json!({"expires_at": "2026-03-02T09:00:00Z"}), "expires_at"),
        (json!({"vests_at": "2026-03-02T09:00:00Z"}), "vests_at"),
    ] {
        let refused = app.post("/v1/customers/C1/wallet/grants", grant(change)).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{:#}", refused.body);
    }
    let strange = app.post("/v1/customers/C%201/wallet/grants", grant(json!({}))).await;
    assert_eq!(strange.status, 404);
}

#[tokio::test]
async fn cashback_rules_are_made_listed_and_ended() {
    let app = TestApp::new().await;
    let rule = json!({"name": "Five", "percent": "5", "basis": "paid", "cap": 5_000,
        "min_amount": 1_000, "currency": "AED", "first_order": true, "vest_days": 14,
        "expiry_days": 90});
    let made = app.post("/v1/cashback_rules", rule).await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    assert_eq!((made.text("percent"), made.text("basis")), ("5", "paid"));
    let plain = json!({"name": "One", "percent": "1.5", "vest_days": 0});
    assert_eq!(app.post("/v1/cashback_rules", plain).await.status, 201);
    let listed = app.get("/v1/cashback_rules?limit=1").await;
    assert_eq!(
        (&listed.body["has_more"], &listed.body["data"][0]["name"]),
        (&json!(true), &json!("One"))
    );
    let path = format!("/v1/cashback_rules/{}/end", made.id());
    let ended = app.post(&path, json!({})).await;
    assert!(ended.status == 200 && ended.body["valid_until"].is_string(), "{:#}", ended.body);
    let strange = "/v1/cashback_rules/cbr_0197b3c1d2e47f5a8b9c0d1e2f3a4b5c/end";
    assert_eq!(app.post(strange, json!({})).await.status, 404);
    for (body, param) in [
        (json!({"name": "", "percent": "1", "vest_days": 0}), "name"),
        (json!({"name": "x", "percent": "0", "vest_days": 0}), "percent"),
        (json!({"name": "x", "percent": "101", "vest_days": 0}), "percent"),
        (json!({"name": "x", "percent": "1", "vest_days": -1}), "vest_days"),
        (json!({"name": "x", "percent": "1", "vest_days": 0, "cap": 1}), "currency"),
        (json!({"name": "x", "percent": "1", "vest_days": 0, "expiry_days": 0}), "expiry_days"),
        (json!({"name": "x", "percent": "1", "vest_days": 0, "basis": "gross"}), "basis"),
        (json!({"name": "x", "percent": "1", "vest_days": 0, "cap": 0, "currency": "AED"}), "cap"),
        (json!({"name": "x", "percent": 1, "vest_days": 0}), "percent"),
        (json!({"name": "x", "percent": "1"}), "vest_days"),
        (json!({"name": "x", "percent": "1", "vest_days": 0, "stacks": true}), "stacks"),
        (
            json!({"name": "x", "percent": "1", "vest_days": 0,
                "valid_from": "2026-05-01T00:00:00Z", "valid_until": "2026-05-01T00:00:00Z"}),
            "valid_until",
        ),
    ] {
        let refused = app.post("/v1/cashback_rules", body).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{:#}", refused.body);
    }
}

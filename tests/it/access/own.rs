//! Customers, vendors and affiliates see what is theirs.

use mizan::auth::Role;
use serde_json::{Value, json};

use super::{get, key};
use crate::payouts::shop::Shop;
use crate::support_app::{Reply, TestApp};

/// What an answer says, without what names it.
fn says(reply: &Reply, id: &str) -> String {
    let mut body = reply.body.clone();
    body["request_id"] = Value::Null;
    body.to_string().replace(id, "ID")
}

async fn order(app: &TestApp, customer: Option<&str>) -> String {
    let mut body = json!({
        "currency": "AED",
        "lines": [{ "vendor": "V1", "amount": 10_500, "tax_percent": "5" }],
    });
    if let Some(customer) = customer {
        body["customer"] = customer.into();
    }
    let made = app.post("/v1/payment_intents", body).await;
    assert_eq!(made.status, 201, "{made:#?}");
    made.id().to_owned()
}

#[tokio::test]
async fn a_customer_sees_the_own_payments_and_wallet() {
    let app = TestApp::new().await;
    let mine = order(&app, Some("C1")).await;
    let others = [order(&app, Some("C2")).await, order(&app, None).await];
    let key = key(&app, app.books.tenant, Role::Customer, "C1").await;
    let read = get(&app, &key, &format!("/v1/payment_intents/{mine}")).await;
    assert_eq!((read.status, read.id()), (200, mine.as_str()));
    let nowhere = format!("pi_{}", "0".repeat(32));
    let unknown = get(&app, &key, &format!("/v1/payment_intents/{nowhere}")).await;
    for other in &others {
        let hidden = get(&app, &key, &format!("/v1/payment_intents/{other}")).await;
        assert_eq!(hidden.status, 404);
        assert_eq!(says(&hidden, other), says(&unknown, &nowhere));
    }
    for query in ["", "?customer=C1"] {
        let list = get(&app, &key, &format!("/v1/payment_intents{query}")).await;
        let ids: Vec<_> =
            list.body["data"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
        assert_eq!(ids, [json!(mine)]);
    }
    assert_eq!(get(&app, &key, "/v1/payment_intents?customer=C2").await.status, 404);
    assert_eq!(get(&app, &key, "/v1/customers/C1/wallet").await.status, 200);
    assert_eq!(get(&app, &key, "/v1/customers/C2/wallet").await.status, 404);
    let all = app.get("/v1/payment_intents?customer=C2").await;
    assert_eq!(all.body["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_vendor_and_an_affiliate_see_the_own_payouts() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for (kind, payee) in [("vendor", "V1"), ("vendor", "V2"), ("affiliate", "V1")] {
        shop.available(&format!("{kind}_payable:{payee}"), "2.00 AED").await;
        let payout = shop.pay(json!({ kind: payee, "currency": "AED", "amount": 100 })).await;
        made.push(payout.id().to_owned());
    }
    let (app, tenant) = (&shop.app, shop.app.books.tenant);
    for (role, own) in [(Role::Vendor, 0), (Role::Affiliate, 2)] {
        let key = key(app, tenant, role, "V1").await;
        let list = get(app, &key, "/v1/payouts").await;
        let ids: Vec<_> =
            list.body["data"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect();
        assert_eq!(ids, [json!(made[own])], "{role}");
        for (n, id) in made.iter().enumerate() {
            let status = get(app, &key, &format!("/v1/payouts/{id}")).await.status;
            assert_eq!(status, if n == own { 200 } else { 404 }, "{role} {n}");
        }
        assert_eq!(get(app, &key, "/v1/payouts?vendor=V2").await.status, 404);
    }
}

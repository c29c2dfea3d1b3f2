//! What a caller may say, and the field and reason where he may not.

use serde_json::{Value, json};

use super::shop::Shop;

#[tokio::test]
async fn bank_details_are_refused_with_the_check_that_failed() {
    let shop = Shop::open().await;
    let vectors = include_str!("../../fixtures/identifiers/iban.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let put = |body: Value| {
        let shop = &shop;
        async move { shop.put("/v1/vendors/V1/bank_account", body).await }
    };
    let account = |iban: &str| {
        let country = iban.get(..2).unwrap();
        json!({ "holder": "V", "iban": iban, "country": country, "currency": "AED" })
    };
    for iban in vectors["valid"].as_array().unwrap() {
        let set = put(account(iban.as_str().unwrap())).await;
        assert_eq!(set.status, 200, "{set:#?}");
    }
    for invalid in vectors["invalid"].as_array().unwrap() {
        let iban = invalid["value"].as_str().unwrap();
        let refused = put(account(iban)).await;
        assert_eq!((refused.status, refused.text("param")), (400, "iban"), "{refused:#?}");
        let says = refused.text("detail");
        let expected = match invalid["why"].as_str().unwrap() {
            "check digits" => "the check digits should be",
            "length" => "characters and must have",
            "country has no IBAN" => "has none",
            _ => "must be",
        };
        assert!(says.contains(expected) && !says.contains(iban), "{says}");
    }
    let with = |field: &str, value: Value| {
        let mut body = account("AE070331234567890123456");
        body[field] = value;
        body
    };
    for (body, param, says) in [
        (with("bic", json!("EBILAEADXX")), "bic", "has 10 characters and must have 11"),
        (with("country", json!("SA")), "iban", "is of AE and `country` says SA"),
        (with("country", json!("uae")), "country", "ISO 3166"),
        (with("currency", json!("DHS")), "currency", "ISO 4217"),
        (with("holder", json!("=cmd")), "holder", "begins with a letter"),
        (with("holder", json!("")), "holder", "1 to 140"),
        (with("town", json!("x".repeat(36))), "town", "1 to 35"),
        (with("routing", json!("1")), "routing", "Name the bank as"),
        (with("account_number", json!("1234")), "iban", "Name an `iban`"),
        (with("gateway", json!("stripe")), "gateway", "go together"),
        (with("pin", json!("1234")), "pin", "pin"),
    ] {
        let refused = put(body).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{refused:#?}");
        assert!(refused.text("detail").contains(says), "{refused:#?}");
    }
    for (body, param, says) in [
        (json!({ "ifsc": "HDFC1001234" }), "ifsc", "character 5 must be a zero"),
        (json!({ "aba": "021000022" }), "aba", "check digit should be 1"),
        (json!({ "sort_code": "60-16-1" }), "sort_code", "must have 6"),
        (json!({ "ifsc": "HDFC0001234", "aba": "021000021" }), "routing", "by one code"),
    ] {
        let mut full = json!({
            "holder": "V", "account_number": "1234567890", "country": "IN", "currency": "INR",
        });
        full.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let refused = put(full).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{refused:#?}");
        assert!(refused.text("detail").contains(says), "{refused:#?}");
    }
}

#[tokio::test]
async fn a_payout_is_refused_with_its_field() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available("vendor_payable:V1", "10.00 AED").await;
    let all = json!({ "vendor": "V1", "currency": "AED" });
    let with = |fields: Value| {
        let mut body = all.clone();
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    for (body, status, param) in [
        (json!({ "currency": "AED" }), 400, "vendor"),
        (with(json!({ "affiliate": "A1" })), 400, "affiliate"),
        (with(json!({ "vendor": "V 1" })), 400, "vendor"),
        (with(json!({ "vendor": "V:1" })), 400, "vendor"),
        (with(json!({ "vendor": "v".repeat(81) })), 400, "vendor"),
        (with(json!({ "currency": "XXX" })), 400, "currency"),
        (with(json!({ "amount": 0 })), 400, "amount"),
        (with(json!({ "amount": -5 })), 400, "amount"),
        (with(json!({ "amount": 1.5 })), 400, "amount"),
        (with(json!({ "amount": i64::MAX })), 400, "amount"),
        (with(json!({ "amount": 1_001 })), 409, "amount"),
        (with(json!({ "vendor": "V2" })), 409, "amount"),
        (with(json!({ "rail": "Bank" })), 400, "rail"),
        (with(json!({ "pay_currency": "XXX" })), 400, "pay_currency"),
        (with(json!({ "pay_currency": "USD" })), 422, "rate"),
        (with(json!({ "pay_currency": "USD", "rate": "0" })), 400, "rate"),
        (with(json!({ "pay_currency": "USD", "rate": "3,7" })), 400, "rate"),
        (with(json!({ "rate": "3.7" })), 422, "rate"),
        (with(json!({ "pay_currency": "USD", "rate": "999999999" })), 400, "amount"),
        (with(json!({ "colour": "red" })), 400, "colour"),
    ] {
        let refused = shop.app.post("/v1/payouts", body.clone()).await;
        assert_eq!((refused.status, refused.text("param")), (status, param), "{body} {refused:#?}");
    }
    let made = shop.pay(all).await;
    let path = format!("/v1/payouts/{}/outcome", made.id());
    for (body, status, param) in [
        (json!({}), 400, "outcome"),
        (json!({ "outcome": "lost" }), 400, "outcome"),
        (json!({ "outcome": "paid", "bank": "aed main" }), 400, "bank"),
        (json!({ "outcome": "paid", "reason_code": "AC04" }), 400, "reason_code"),
        (json!({ "outcome": "paid", "occurred_at": "2027-01-01T00:00:00Z" }), 400, "occurred_at"),
        (json!({ "outcome": "paid", "fee": { "amount": 0, "currency": "AED" } }), 400, "fee"),
        (json!({ "outcome": "failed", "bank": "aed_main" }), 400, "cost"),
        (json!({ "outcome": "paid", "cost": { "amount": 999, "currency": "AED" } }), 422, "cost"),
    ] {
        let refused = shop.app.post(&path, body).await;
        assert_eq!((refused.status, refused.text("param")), (status, param), "{refused:#?}");
    }
    let stranger = shop.app.strangers_key().await;
    let url = format!("{}/v1/payouts/{}", shop.app.url, made.id());
    let theirs = shop.app.send(shop.app.client.get(url).bearer_auth(stranger)).await;
    assert_eq!(theirs.status, 404);
    assert_eq!(shop.app.get("/v1/payouts/po_1").await.status, 404);
}

#[tokio::test]
async fn the_same_request_again_makes_one_payout_and_lists_go_page_by_page() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available("vendor_payable:V1", "10.00 AED").await;
    let body = json!({ "vendor": "V1", "currency": "AED", "amount": 100 });
    let first = shop.app.post_as("one", "/v1/payouts", body.clone()).await;
    let again = shop.app.post_as("one", "/v1/payouts", body.clone()).await;
    assert_eq!(first.body, again.body);
    for _ in 0..3 {
        shop.pay(body.clone()).await;
    }
    let page = shop.app.get("/v1/payouts?limit=3&status=reserved&vendor=V1").await;
    let ids: Vec<&str> =
        page.body["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!((ids.len(), &page.body["has_more"]), (3, &json!(true)));
    let next = shop.app.get(&format!("/v1/payouts?starting_after={}", ids[2])).await;
    assert_eq!(next.body["data"][0]["id"], first.body["id"]);
    let back = shop.app.get(&format!("/v1/payouts?ending_before={}&limit=1", first.id())).await;
    assert_eq!(back.body["data"][0]["id"], ids[2]);
    assert_eq!(shop.app.get("/v1/payouts?vendor=V2").await.body["data"], json!([]));
    for query in ["status=lost", "limit=0", "vendor=V1&affiliate=A", "vendor=V%201"] {
        assert_eq!(shop.app.get(&format!("/v1/payouts?{query}")).await.status, 400, "{query}");
    }
}

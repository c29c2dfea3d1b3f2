//! Rules: commission, terms, discounts, settings.

use serde_json::{Value, json};

use crate::support_app::{Reply, TestApp};

/// An order of one line without a commission of its own, paid.
async fn sold(app: &TestApp, line: Value) -> Reply {
    let body = json!({ "currency": "AED", "lines": [line] });
    let id = app.create(body).await;
    app.confirm(&id, "pm_card_visa").await
}

#[tokio::test]
async fn the_most_particular_commission_rule_decides_and_stays_with_the_line() {
    let app = TestApp::new().await;
    for rule in [
        json!({ "name": "all", "percent": "10" }),
        json!({ "name": "books", "percent": "5", "category": "books" }),
        json!({ "name": "V2", "percent": "20", "vendor": "V2" }),
        json!({ "name": "least", "percent": "1", "vendor": "V3", "min": 500, "currency": "AED" }),
    ] {
        let made = app.post("/v1/commission_rules", rule).await;
        assert_eq!(made.status, 201, "{made:#?}");
    }
    for (vendor, category, commission) in [
        ("V1", None, 1_000),
        ("V1", Some("books"), 500),
        ("V2", Some("books"), 2_000),
        ("V3", None, 500),
    ] {
        let line = json!({
            "vendor": vendor, "category": category, "amount": 10_500, "tax_percent": "5",
        });
        let paid = sold(&app, line).await;
        let line = &paid.body["lines"][0];
        assert_eq!(line["commission"], commission, "{vendor} {category:?}: {line:#}");
        assert!(line["commission_rule"].is_string());
    }
    app.end().await;
}

#[tokio::test]
async fn a_principal_sells_itself_and_shipping_is_earned_with_the_delivery() {
    let app = TestApp::new().await;
    app.terms("V1", json!({ "supply_role": "principal" })).await;
    let body = json!({ "currency": "AED", "lines": [
        { "vendor": "V1", "amount": 10_500, "tax_percent": "5" },
        { "kind": "shipping", "amount": 2_100, "tax_percent": "5" },
        { "kind": "tip", "vendor": "V2", "amount": 500 },
    ] });
    let id = app.create(body).await;
    let paid = app.confirm(&id, "pm_card_visa").await;
    assert_eq!(paid.says(), (200, "succeeded"), "{paid:#?}");
    app.delivered(&id).await;
    assert_eq!(app.holds("product_revenue").await, "100.00 AED");
    assert_eq!(app.holds("shipping_revenue").await, "20.00 AED");
    assert_eq!(app.holds("vat_output_payable:AE").await, "6.00 AED");
    assert_eq!(app.holds("vendor_payable:V2:pending").await, "5.00 AED");
    app.end().await;
}

#[tokio::test]
async fn a_coupon_of_the_platform_is_its_cost_and_comes_back_with_a_refund() {
    let app = TestApp::new().await;
    let body = json!({ "currency": "AED", "lines": [
        { "vendor": "V1", "amount": 10_500, "tax_percent": "5", "commission_percent": "10" },
    ], "discounts": [{ "funded_by": "platform", "amount": 2_100 }] });
    let id = app.create(body).await;
    let paid = app.confirm(&id, "pm_card_visa").await;
    assert_eq!((paid.int("amount"), paid.says()), (8_400, (200, "succeeded")), "{paid:#?}");
    assert_eq!(app.holds("promotions_expense").await, "21.00 AED");
    assert_eq!(app.holds("vendor_payable:V1:pending").await, "94.50 AED");
    app.refund(&id, Some(4_200)).await;
    assert_eq!(app.holds("promotions_expense").await, "10.50 AED");
    app.refund(&id, None).await;
    for account in ["promotions_expense", "vendor_payable:V1:pending", "deferred_commission"] {
        assert_eq!(app.holds(account).await, "0.00 AED", "{account}");
    }
    app.end().await;
}

#[tokio::test]
async fn what_a_gateway_cannot_take_to_the_last_unit_is_rounded_and_the_rest_is_nobodys() {
    let app = TestApp::new().await;
    let body = json!({ "currency": "KWD", "lines": [{ "vendor": "V1", "amount": 12_345 }] });
    let id = app.create(body).await;
    let paid = app.confirm(&id, "pm_card_visa").await;
    assert_eq!(paid.body["attempts"][0]["amount"], 12_350, "{paid:#?}");
    assert_eq!(paid.int("amount_captured"), 12_345);
    assert_eq!(app.holds("rounding_difference").await, "-0.005 KWD");
    let refund = app.refund(&id, None).await;
    assert_eq!((refund.int("amount"), refund.int("amount_by_gateway")), (12_345, 12_350));
    assert_eq!(app.holds("rounding_difference").await, "0.000 KWD");
    app.end().await;
}

#[tokio::test]
async fn settings_change_what_is_named_and_refuse_what_cannot_be() {
    let app = TestApp::new().await;
    let before = app.get("/v1/settings").await;
    assert_eq!(before.text("refund_tenders"), "pro_rata", "{before:#?}");
    let body = json!({ "time_zone": "Asia/Riyadh", "refund_tenders": "wallet_first" });
    let after = app.put("/v1/settings", body).await;
    assert_eq!((after.status, after.text("time_zone")), (200, "Asia/Riyadh"), "{after:#?}");
    assert_eq!(after.text("jurisdiction"), before.text("jurisdiction"));
    for (body, param) in [
        (json!({ "time_zone": "Mars/Base" }), "time_zone"),
        (json!({ "jurisdiction": "uae" }), "jurisdiction"),
        (json!({ "vat_percent": "101" }), "vat_percent"),
    ] {
        let refused = app.put("/v1/settings", body).await;
        assert_eq!((refused.problem(), refused.text("param")), ((400, "invalid_field"), param));
    }
    let top_up = json!({ "currency": "AED", "customer": "C1",
        "lines": [{ "kind": "top_up", "amount": 5_000 }] });
    let refused = app.post("/v1/payment_intents", top_up.clone()).await;
    assert_eq!(refused.problem(), (400, "invalid_field"), "{refused:#?}");
    app.put("/v1/settings", json!({ "wallet_top_up": true })).await;
    let id = app.create(top_up).await;
    app.confirm(&id, "pm_card_visa").await;
    assert_eq!(app.holds("customer_wallet:C1:cash:spendable").await, "50.00 AED");
    app.end().await;
}

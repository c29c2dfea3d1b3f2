//! No money leaves without every gate open, and each says why.

use serde_json::json;

use super::shop::{DAY, IBAN, Shop, closed, iban, items, reason};
use crate::support::{fact, page};

const V1: &str = "vendor_payable:V1";

#[tokio::test]
async fn a_payout_waits_for_what_is_missing_and_says_what_it_is() {
    let shop = Shop::open().await;
    shop.available(V1, "472.50 AED").await;
    let made = shop.pay_all("V1").await;
    assert_eq!(made.says(), (201, "gated"));
    assert_eq!(closed(&made), ["kyc", "bank_details", "cooling_time"]);
    assert_eq!(reason(&made, "bank_details"), "There are no bank details.");
    let id = made.id();
    shop.kyc("vendors/V1", "verified").await;
    let path = "/v1/vendors/V1/bank_account";
    assert_eq!(shop.put(path, iban()).await.status, 200);
    let looked = shop.act(id, "submit", json!({})).await;
    assert_eq!(closed(&looked), ["bank_details", "cooling_time"]);
    assert_eq!(reason(&looked, "bank_details"), "AE …5501 has not been verified yet.");
    shop.app.post(&format!("{path}/verify"), json!({})).await;
    assert_eq!(closed(&shop.act(id, "submit", json!({})).await), ["cooling_time"]);
    // What came in meanwhile is paid with it: it was to be everything.
    shop.available(V1, "7.50 AED").await;
    shop.app.advance(DAY);
    let reserved = shop.act(id, "submit", json!({})).await;
    assert_eq!(reserved.says(), (200, "reserved"), "{reserved:#?}");
    assert_eq!(items(&reserved), [("test.moved", 47_250), ("test.moved", 750)]);
    assert_eq!(shop.act(id, "submit", json!({})).await.says(), (200, "submitted"));
    let paid = shop.tell(id, "paid", None).await;
    assert_eq!((paid.says(), paid.text("bank")), ((200, "paid"), "aed_main"));
    assert_eq!(
        page::page(&shop.balances(&["vendor_payable", "payouts", "bank"]).await),
        page::page(
            "bank:aed_main -480.00 AED
            payouts_in_transit:bank 0.00 AED
            vendor_payable:V1:available 0.00 AED"
        )
    );
    let steps = paid.body["steps"].as_array().unwrap();
    let steps: Vec<&str> = steps.iter().map(|it| it["status"].as_str().unwrap()).collect();
    let gated = ["draft", "gated", "gated", "gated"];
    assert_eq!(steps, [&gated[..], &["approved", "reserved", "submitted", "paid"]].concat());
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn news_of_a_payee_count_by_the_time_they_were_true() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    let told = |status: &str, at: &str| {
        let body = json!({ "status": status, "occurred_at": at });
        let shop = &shop;
        async move { shop.app.post("/v1/vendors/V1/kyc", body).await }
    };
    assert_eq!(told("rejected", "2026-03-03T10:00:00Z").await.says(), (201, "rejected"));
    // What came late and was true earlier changes nothing.
    assert_eq!(told("verified", "2026-03-03T09:00:00Z").await.says(), (201, "rejected"));
    shop.available(V1, "10.00 AED").await;
    let made = shop.pay_all("V1").await;
    assert_eq!(closed(&made), ["kyc"]);
    assert_eq!(reason(&made, "kyc"), "The verification was refused.");
    assert_eq!(told("verified", "2026-03-03T11:00:00Z").await.says(), (201, "verified"));
    assert_eq!(shop.act(made.id(), "submit", json!({})).await.says(), (200, "reserved"));
    let future = told("expired", "2026-03-09T00:00:00Z").await;
    assert_eq!((future.problem(), future.text("param")), ((400, "invalid_field"), "occurred_at"));
}

#[tokio::test]
async fn a_document_that_is_over_stops_what_was_reserved_too() {
    let shop = Shop::open().await;
    shop.account("vendors/V1", iban()).await;
    let body = json!({
        "status": "verified",
        "documents": [
            { "kind": "passport", "reference": "doc-1", "expires_on": "2027-01-01" },
            { "kind": "trade_licence", "reference": "doc-2", "expires_on": "2026-03-05" },
        ],
    });
    assert_eq!(shop.app.post("/v1/vendors/V1/kyc", body).await.says(), (201, "verified"));
    shop.app.advance(3 * DAY);
    shop.available(V1, "10.00 AED").await;
    let first = shop.pay_all("V1").await;
    assert_eq!(first.says(), (201, "reserved"), "the last day counts");
    shop.available(V1, "5.00 AED").await;
    shop.app.advance(DAY);
    assert_eq!(shop.app.get("/v1/vendors/V1/kyc").await.says(), (200, "expired"));
    let refused = shop.app.post(&format!("/v1/payouts/{}/submit", first.id()), json!({})).await;
    assert_eq!(refused.problem().0, 409);
    assert!(refused.text("detail").contains("trade_licence was good until 2026-03-05"));
    let second = shop.pay_all("V1").await;
    assert_eq!(closed(&second), ["kyc"]);
    shop.kyc("vendors/V1", "verified").await;
    assert_eq!(shop.act(first.id(), "submit", json!({})).await.says(), (200, "submitted"));
}

#[tokio::test]
async fn blocks_hold_everything_back_until_they_are_lifted() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1", "affiliates/A1"]).await;
    shop.available(V1, "10.00 AED").await;
    shop.available("affiliate_payable:A1", "52.00 AED").await;
    let reserved = shop.pay_all("V1").await;
    for word in ["suspicion", "court order"] {
        let blocked = shop.app.post("/v1/vendors/V1/blocks", json!({ "reason": word })).await;
        assert_eq!(blocked.status, 201);
    }
    let path = format!("/v1/payouts/{}/submit", reserved.id());
    assert!(shop.app.post(&path, json!({})).await.text("detail").contains("court order"));
    shop.available(V1, "1.00 AED").await;
    let made = shop.pay_all("V1").await;
    assert_eq!(reason(&made, "blocks"), "Payouts are held back: suspicion; court order");
    let body = json!({ "affiliate": "A1", "currency": "AED" });
    assert_eq!(shop.pay(body).await.says(), (201, "reserved"), "others are not held back");
    let lifted = shop.app.post("/v1/vendors/V1/blocks/lift", json!({})).await;
    assert_eq!(lifted.body["open"], json!([]));
    assert_eq!(shop.act(made.id(), "submit", json!({})).await.says(), (200, "reserved"));
    assert_eq!(shop.act(reserved.id(), "submit", json!({})).await.says(), (200, "submitted"));
}

#[tokio::test]
async fn above_a_limit_another_key_approves() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available(V1, "10000.01 AED").await;
    let made = shop.pay_all("V1").await;
    assert_eq!((made.says(), closed(&made)), ((201, "gated"), vec!["approval"]));
    assert_eq!(reason(&made, "approval"), "Above 10000.00 AED a second person approves it.");
    let path = format!("/v1/payouts/{}/approve", made.id());
    let own = shop.app.post(&path, json!({})).await;
    assert_eq!((own.status, own.text("code")), (403, "not_allowed"), "{own:#?}");
    // It grew meanwhile: what is approved is what was seen.
    shop.available(V1, "1.00 AED").await;
    let grown = shop.second_post(&path, json!({})).await;
    assert_eq!(reason(&grown, "approval"), "It is more than what was approved.");
    let approved = shop.second_post(&path, json!({})).await;
    assert_eq!(approved.says(), (200, "reserved"), "{approved:#?}");
    assert!(approved.text("approved_by").starts_with("key_"));
    assert_ne!(approved.text("approved_by"), approved.text("created_by"));
    let late = shop.second_post(&path, json!({})).await;
    assert_eq!(late.problem(), (409, "wrong_state"));
    shop.available(V1, "10000.00 AED").await;
    assert_eq!(shop.pay_all("V1").await.says(), (201, "reserved"), "the limit itself needs none");
}

#[tokio::test]
async fn a_minimum_and_a_limit_are_by_currency() {
    let shop = Shop::open().await;
    shop.ready(&["affiliates/A1"]).await;
    let body = json!({ "schedule": "manual", "minimum": { "AED": 5_000 } });
    shop.terms("affiliates/A1", body).await;
    shop.available("affiliate_payable:A1", "32.00 AED").await;
    shop.available("affiliate_payable:A1", "1.000 KWD").await;
    let made = shop.pay(json!({ "affiliate": "A1", "currency": "AED" })).await;
    assert_eq!(closed(&made), ["minimum"]);
    assert_eq!(reason(&made, "minimum"), "32.00 AED is below the minimum of 50.00 AED.");
    let kwd = shop.pay(json!({ "affiliate": "A1", "currency": "KWD" })).await;
    assert_eq!(kwd.says(), (201, "reserved"));
    shop.available("affiliate_payable:A1", "20.00 AED").await;
    let paid = shop.act(made.id(), "submit", json!({})).await;
    assert_eq!((paid.says(), paid.int("amount")), ((200, "reserved"), 5_200));
    shop.available("affiliate_payable:A1", "1000000.01 AED").await;
    let much = shop.pay(json!({ "affiliate": "A1", "currency": "AED" })).await;
    assert_eq!(closed(&much), ["limit", "approval"]);
}

#[tokio::test]
async fn new_bank_details_rest_and_the_same_ones_again_do_not() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    let path = "/v1/vendors/V1/bank_account";
    let same = shop.put(path, iban()).await;
    assert_eq!((same.status, same.int("version")), (200, 1));
    assert_eq!((same.text("last4"), same.text("scheme")), ("5501", "iban"));
    assert!(!same.body.to_string().contains(IBAN), "{same:#?}");
    let other = json!({
        "holder": "Vendor LLC", "country": "IN", "currency": "INR",
        "account_number": "1234567890", "routing": "HDFC0001234",
    });
    shop.account("vendors/V1", other).await;
    assert_eq!(shop.app.get(path).await.int("version"), 2);
    shop.available(V1, "1.00 AED").await;
    let made = shop.pay_all("V1").await;
    assert_eq!(closed(&made), ["cooling_time"]);
    assert!(reason(&made, "cooling_time").contains("rest until 2026-03-05 09:00 UTC"));
}

#[tokio::test]
async fn a_debt_is_netted_before_anything_is_paid() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available(V1, "10.00 AED").await;
    let page = "dr vendor_receivable:V1 3.00 AED; cr refunds_payable 3.00 AED";
    assert!(shop.post(fact("debt", page)).await);
    let made = shop.pay_all("V1").await;
    assert_eq!(reason(&made, "debt"), "3.00 AED are owed: they are netted first.");
}

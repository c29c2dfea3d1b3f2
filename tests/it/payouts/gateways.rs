//! Payouts over gateways: asked once, asked about until they arrived, and watched after.

use std::sync::Arc;

use mizan_providers::ProviderName;
use mizan_simulator::{Gateway as Fake, SimulatorConfig};
use serde_json::{Value, json};

use super::shop::{DAY, Shop, closed};
use crate::gateways::Bazaar;
use crate::support::{T0, page};
use crate::support_app::{Reply, TestApp};

const PAYPAL: ProviderName = ProviderName::Paypal;

/// A marketplace with every gateway.
pub async fn open() -> (Bazaar, Shop) {
    let mut bazaar = Bazaar::open().await;
    let app = std::mem::replace(&mut bazaar.app, TestApp::new().await);
    let shop = Shop::of(app).await;
    (bazaar, shop)
}

/// A vendor who is paid over a gateway, with so much available.
pub async fn vendor(shop: &Shop, (gateway, account): (&str, &str), amount: &str) {
    shop.kyc("vendors/V1", "verified").await;
    let currency = amount.split(' ').nth(1).unwrap();
    let account = json!({
        "holder": "Vendor LLC", "gateway": gateway, "gateway_account": account,
        "country": "US", "currency": currency,
    });
    shop.account("vendors/V1", account).await;
    shop.app.advance(2 * DAY);
    shop.available("vendor_payable:V1", amount).await;
}

/// A vendor who is paid over PayPal.
async fn shop(address: &str) -> (Bazaar, Shop) {
    let (bazaar, shop) = open().await;
    vendor(&shop, ("paypal", address), "10.00 USD").await;
    (bazaar, shop)
}

/// The vendor's bank, as it was registered at RazorpayX.
pub async fn fund_account(bazaar: &Bazaar, shop: &Shop) -> String {
    let keys = SimulatorConfig::for_gateway(Fake::Razorpay, Arc::new(|| T0)).razorpay;
    let post = |path: &str, body: Value| {
        let url = format!("{}{path}", bazaar.fake(ProviderName::Razorpay).url());
        let request = shop.app.client.post(url);
        shop.app.send(request.basic_auth(&keys.key_id, Some(&keys.key_secret)).json(&body))
    };
    let contact = post("/v1/contacts", json!({ "name": "Vendor V1" })).await;
    let bank = json!({ "name": "V1", "ifsc": "HDFC0000053", "account_number": "7654321" });
    let body = json!({
        "contact_id": contact.id(), "account_type": "bank_account", "bank_account": bank,
    });
    post("/v1/fund_accounts", body).await.id().to_owned()
}

async fn submitted(shop: &Shop) -> Reply {
    submitted_over(shop, "paypal", "USD").await
}

pub async fn submitted_over(shop: &Shop, rail: &str, currency: &str) -> Reply {
    let made = shop.pay(json!({ "vendor": "V1", "currency": currency, "rail": rail })).await;
    assert_eq!(made.says(), (201, "reserved"), "{made:#?}");
    let sent = shop.act(made.id(), "submit", json!({})).await;
    assert_eq!(sent.says(), (200, "submitted"), "{sent:#?}");
    sent
}

/// What the gateway paid out, in cents.
async fn paid_out(bazaar: &Bazaar) -> Value {
    bazaar.state(PAYPAL).await["totals"]["USD"]["paid_out"].clone()
}

pub async fn later(shop: &Shop, seconds: u64) {
    shop.app.advance(seconds);
    shop.app.tick().await;
}

#[tokio::test]
async fn a_payout_over_a_gateway_is_paid_from_our_balance_there() {
    let (bazaar, shop) = shop("vendor@shop.example").await;
    let sent = submitted(&shop).await;
    shop.app.tick().await;
    let asked = shop.payout(sent.id()).await;
    assert!(asked.body["provider_ref"].is_string(), "{asked:#?}");
    for _ in 0..6 {
        later(&shop, 700).await;
    }
    let paid = shop.payout(sent.id()).await;
    assert_eq!(paid.says(), (200, "paid"), "{paid:#?}");
    assert_eq!(paid.body["fee"], json!({ "amount": 25, "currency": "USD" }));
    assert_eq!(paid_out(&bazaar).await, 1_000);
    assert_eq!(
        page::page(&shop.balances(&["paypal", "payout", "vendor"]).await),
        page::page(
            "gateway_clearing:paypal -10.25 USD
            payout_fees 0.25 USD
            payouts_in_transit:paypal 0.00 USD
            vendor_payable:V1:available 0.00 USD"
        )
    );
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn an_indian_vendor_is_paid_over_razorpayx_and_again_after_it_came_back() {
    let (bazaar, shop) = open().await;
    let account = fund_account(&bazaar, &shop).await;
    vendor(&shop, ("razorpay", &account), "1000.00 INR").await;
    let sent = submitted_over(&shop, "razorpay", "INR").await;
    shop.app.tick().await;
    assert_eq!(shop.payout(sent.id()).await.text("status"), "in_transit");
    for _ in 0..6 {
        later(&shop, 700).await;
    }
    let paid = shop.payout(sent.id()).await;
    assert_eq!(paid.says(), (200, "paid"), "{paid:#?}");
    assert_eq!(paid.body["fee"], json!({ "amount": 590, "currency": "INR" }));
    let theirs = paid.text("provider_ref");
    let path = format!("payouts/{theirs}/return");
    assert_eq!(bazaar.control(ProviderName::Razorpay, &path, json!({})).await, 200);
    for _ in 0..4 {
        later(&shop, DAY / 2).await;
    }
    let back = shop.payout(sent.id()).await;
    assert_eq!(back.says(), (200, "returned"), "{back:#?}");
    assert_eq!(
        page::page(&shop.balances(&["razorpay", "payout", "vendor"]).await),
        page::page(
            "gateway_clearing:razorpay 0.00 INR
            payout_fees 0.00 INR
            payouts_in_transit:razorpay 0.00 INR
            vendor_payable:V1:available 1000.00 INR"
        ),
        "its fee came back too"
    );
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn what_a_gateway_refuses_failed_and_what_never_reached_it_is_sent_again() {
    let (bazaar, shop) = open().await;
    vendor(&shop, ("razorpay", "fa_00000000000000"), "10.00 INR").await;
    bazaar.faults(
        ProviderName::Razorpay,
        "[[rules]]\non = \"payout\"\nkind = \"http_429\"\ntimes = 1\n",
    );
    let sent = submitted_over(&shop, "razorpay", "INR").await;
    shop.app.tick().await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "submitted"));
    later(&shop, 31).await;
    let failed = shop.payout(sent.id()).await;
    assert_eq!(failed.says(), (200, "failed"), "no such fund account: {failed:#?}");
    assert!(shop.balances(&["vendor_payable"]).await.ends_with("10.00 INR"));
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nobody_is_paid_twice() {
    let (bazaar, shop) = shop("vendor@shop.example").await;
    bazaar.faults(PAYPAL, "[[rules]]\non = \"payout\"\nkind = \"lost_answer\"\ntimes = 1\n");
    let sent = submitted(&shop).await;
    shop.app.tick().await;
    let asked = shop.payout(sent.id()).await;
    assert_eq!((asked.text("status"), &asked.body["provider_ref"]), ("submitted", &Value::Null));
    for _ in 0..6 {
        later(&shop, 700).await;
    }
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "paid"));
    assert_eq!(paid_out(&bazaar).await, 1_000);
    let fates = shop.app.sql::<i64>("select count(*) from ledger.transaction").await;
    assert_eq!(fates, 4, "earned, reserved, paid, and its fee\n{}", shop.app.journal().await);
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn what_comes_back_from_a_gateway_is_available_again() {
    let (bazaar, shop) = shop("vendor@shop.example").await;
    let delay = 2 * DAY;
    bazaar.faults(
        PAYPAL,
        &format!("[[rules]]\non = \"payout\"\nkind = \"returned_payout\"\ndelay_s = {delay}\n"),
    );
    let sent = submitted(&shop).await;
    for _ in 0..6 {
        later(&shop, 700).await;
    }
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "paid"));
    for _ in 0..8 {
        later(&shop, DAY / 2).await;
    }
    let back = shop.payout(sent.id()).await;
    assert_eq!(back.says(), (200, "returned"), "{back:#?}");
    let again = shop.act(sent.id(), "retry", json!({})).await;
    assert_eq!(closed(&again), ["bank_details"]);
    assert!(shop.balances(&["vendor_payable"]).await.ends_with("10.00 USD"));
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn a_rail_that_does_not_reach_the_account_is_not_taken() {
    let (_bazaar, shop) = shop("vendor@shop.example").await;
    let made = shop.pay(json!({ "vendor": "V1", "currency": "USD", "rail": "bank" })).await;
    assert_eq!(closed(&made), ["bank_details"]);
    let refused = shop
        .app
        .post("/v1/payouts", json!({ "vendor": "V1", "currency": "USD", "rail": "telr" }))
        .await;
    assert_eq!((refused.status, refused.text("code")), (422, "unsupported_by_provider"));
}

#[tokio::test]
async fn without_an_account_there_people_hand_it_over() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available("vendor_payable:V1", "10.00 AED").await;
    let made = shop.pay(json!({ "vendor": "V1", "currency": "AED", "rail": "razorpay" })).await;
    let sent = shop.act(made.id(), "submit", json!({})).await;
    let steps = sent.body["steps"].as_array().unwrap();
    let last = steps.last().unwrap()["detail"].as_str().unwrap();
    assert!(last.starts_with("by hand: no account"), "{last}");
    shop.tell(made.id(), "paid", None).await;
    assert!(shop.balances(&["razorpay"]).await.contains("gateway_clearing:razorpay -10.00 AED"));
}

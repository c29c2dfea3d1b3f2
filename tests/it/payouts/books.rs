//! What payouts do to the books: paid, failed, returned, retried, in other currencies.

use serde_json::json;

use super::shop::{DAY, Shop, closed, iban, items, reason};
use crate::support::{page, scope};

const V1: &str = "vendor_payable:V1";

#[tokio::test]
async fn what_comes_back_is_available_again_and_its_account_is_blocked() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V2"]).await;
    shop.available("vendor_payable:V2", "94.50 AED").await;
    let first = shop.pay_all("V2").await;
    let id = first.id();
    shop.act(id, "submit", json!({})).await;
    shop.tell(id, "paid", None).await;
    let body = json!({
        "outcome": "returned", "reason_code": "AC04", "bank": "aed_main",
        "fee": { "amount": 1_000, "currency": "AED" },
    });
    let back = shop.act(id, "outcome", body).await;
    assert_eq!((back.says(), back.text("reason")), ((200, "returned"), "closed_or_blocked"));
    assert_eq!(back.body["needs_vendor_action"], true);
    // The next attempt waits for other details.
    let again = shop.act(id, "retry", json!({})).await;
    assert_eq!((again.says(), closed(&again)), ((201, "gated"), vec!["bank_details"]));
    assert!(reason(&again, "bank_details").contains("was returned (AC04)"));
    let twice = shop.app.post(&format!("/v1/payouts/{id}/retry"), json!({})).await;
    assert_eq!(twice.problem(), (409, "wrong_state"));
    let other = json!({
        "holder": "Vendor LLC", "iban": "AE070331234567890123456", "country": "AE",
        "currency": "AED",
    });
    shop.account("vendors/V2", other).await;
    shop.app.advance(DAY);
    let again = shop.act(again.id(), "submit", json!({})).await;
    assert_eq!(again.says(), (200, "reserved"), "{again:#?}");
    assert_eq!(items(&again), items(&shop.payout(id).await), "the same earnings once more");
    let earned = again.body["items"][0]["transaction"].as_str().unwrap().parse().unwrap();
    let tenant = shop.app.books.tenant;
    let mut tx = scope(shop.app.books.db.service_pool(), tenant).await;
    let paid_in = mizan::payouts::store::paid_in(&mut tx, tenant, &[earned]).await.unwrap();
    drop(tx);
    assert_eq!(paid_in[&earned].0.to_string(), again.id(), "the newest attempt pays it");
    let attempts = again.body["attempts"].as_array().unwrap();
    let states: Vec<_> = attempts.iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!((states, again.text("retry_of")), (vec!["returned", "reserved"], id));
    shop.act(again.id(), "submit", json!({})).await;
    shop.tell(again.id(), "paid", None).await;
    assert_eq!(
        page::page(&shop.balances(&["vendor", "payout", "bank"]).await),
        page::page(
            "bank:aed_main -104.50 AED
            payout_fees 10.00 AED
            payouts_in_transit:bank 0.00 AED
            vendor_payable:V2:available 0.00 AED"
        )
    );
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn what_failed_or_was_called_off_is_itemised_again_with_what_came_since() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available(V1, "100.00 AED").await;
    let part = shop.pay(json!({ "vendor": "V1", "currency": "AED", "amount": 6_000 })).await;
    assert_eq!(items(&part), [("test.moved", 10_000), ("carried_out", -4_000)]);
    let early = shop.app.post(&format!("/v1/payouts/{}/retry", part.id()), json!({})).await;
    assert_eq!(early.problem(), (409, "wrong_state"));
    shop.act(part.id(), "submit", json!({})).await;
    let failed = shop.tell(part.id(), "failed", Some("AM04")).await;
    assert_eq!(
        (failed.text("reason"), &failed.body["retryable"]),
        ("insufficient_funds", &true.into())
    );
    shop.available(V1, "1.00 AED").await;
    shop.take(V1, "0.50 AED").await;
    let all = shop.pay_all("V1").await;
    assert_eq!(all.int("amount"), 10_050);
    let sums: i64 = items(&all).iter().map(|it| it.1).sum();
    assert_eq!(sums, 10_050);
    let cancelled = shop.act(all.id(), "cancel", json!({ "reason": "by mistake" })).await;
    assert_eq!(cancelled.says(), (200, "cancelled"));
    let again = shop.act(part.id(), "retry", json!({})).await;
    assert_eq!((again.says(), again.int("amount")), ((201, "reserved"), 6_000));
    items(&again);
    for (verb, body) in
        [("cancel", json!({})), ("submit", json!({})), ("outcome", json!({ "outcome": "paid" }))]
    {
        let late = shop.app.post(&format!("/v1/payouts/{}/{verb}", all.id()), body).await;
        assert_eq!(late.problem(), (409, "wrong_state"), "{verb}");
    }
    let early = json!({ "outcome": "returned" });
    let early = shop.app.post(&format!("/v1/payouts/{}/outcome", again.id()), early).await;
    assert!(early.text("detail").contains("what never left is `failed`"), "{early:#?}");
    assert!(shop.balances(&[V1]).await.contains("40.50 AED"));
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn a_payee_paid_in_another_currency_has_both_legs_and_the_gain_is_ours() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available(V1, "3672.50 AED").await;
    let made = shop
        .pay(json!({
            "vendor": "V1", "currency": "AED", "rail": "wire", "pay_currency": "USD",
            "rate": "3.7100", "rate_source": "agreement",
        }))
        .await;
    assert_eq!((made.says(), made.int("pay_amount")), ((201, "reserved"), 98_989));
    assert_eq!((made.text("rate"), made.text("rate_source")), ("3.7100", "agreement"));
    shop.act(made.id(), "submit", json!({})).await;
    let body = json!({
        "outcome": "paid", "bank": "aed_main",
        "cost": { "amount": 364_000, "currency": "AED" },
        "fee": { "amount": 2_500, "currency": "AED" },
    });
    let paid = shop.act(made.id(), "outcome", body).await;
    assert_eq!(paid.says(), (200, "paid"), "{paid:#?}");
    assert_eq!(
        page::page(&shop.balances(&["fx", "vendor", "payout", "bank"]).await),
        page::page(
            "bank:aed_main -3665.00 AED
            fx_clearing 0.00 AED
            fx_clearing 0.00 USD
            fx_gain 32.50 AED
            payout_fees 25.00 AED
            payouts_in_transit:wire 0.00 USD
            vendor_payable:V1:available 0.00 AED"
        )
    );
    // The bank buys it back for less.
    let body = json!({
        "outcome": "returned", "reason_code": "AC04", "bank": "aed_main",
        "cost": { "amount": 360_000, "currency": "AED" },
    });
    shop.act(made.id(), "outcome", body).await;
    let after = shop.balances(&["fx", "vendor", "bank"]).await;
    assert_eq!(
        page::page(&after),
        page::page(
            "bank:aed_main -65.00 AED
            fx_clearing 0.00 AED
            fx_clearing 0.00 USD
            fx_gain 32.50 AED
            fx_loss 72.50 AED
            vendor_payable:V1:available 3672.50 AED"
        )
    );
    shop.app.prove_laws().await;
}

#[tokio::test]
async fn a_conversion_that_failed_leaves_no_position() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available(V1, "10.000 KWD").await;
    let body = json!({
        "vendor": "V1", "currency": "KWD", "pay_currency": "JPY", "rate": "0.00205",
    });
    let made = shop.pay(body).await;
    assert_eq!((made.int("amount"), made.int("pay_amount")), (10_000, 4_878));
    let third = json!({ "outcome": "paid", "cost": { "amount": 1, "currency": "AED" } });
    let refused = shop.app.post(&format!("/v1/payouts/{}/outcome", made.id()), third).await;
    assert_eq!((refused.status, refused.text("param")), (422, "cost"), "{refused:#?}");
    shop.act(made.id(), "submit", json!({})).await;
    shop.tell(made.id(), "failed", None).await;
    assert_eq!(
        page::page(&shop.balances(&["fx", "vendor", "payouts"]).await),
        page::page(
            "fx_clearing 0 JPY
            fx_clearing 0.000 KWD
            payouts_in_transit:bank 0 JPY
            vendor_payable:V1:available 10.000 KWD"
        )
    );
    let again = shop.act(made.id(), "retry", json!({ "rail": "wire", "rate": "0.002" })).await;
    assert_eq!((again.int("pay_amount"), again.text("rail")), (5_000, "wire"));
}

#[tokio::test]
async fn an_account_set_in_the_meantime_is_not_the_one_that_was_checked() {
    let shop = Shop::open().await;
    shop.ready(&["vendors/V1"]).await;
    shop.available(V1, "10.00 AED").await;
    let made = shop.pay_all("V1").await;
    assert_eq!(made.int("bank_account_version"), 1);
    let mut other = iban();
    other["holder"] = json!("Somebody Else");
    shop.account("vendors/V1", other).await;
    let sent = shop.act(made.id(), "submit", json!({})).await;
    assert_eq!((sent.says(), sent.int("bank_account_version")), ((200, "submitted"), 1));
}

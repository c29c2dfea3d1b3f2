//! Payouts over Stripe: a transfer to the vendor's account there, from our balance.

use serde_json::{Value, json};

use super::gateways::{later, submitted_over, vendor};
use super::shop::{DAY, Shop, closed};
use crate::support::page;

pub const ACCOUNT: &str = "acct_1PgafTB7WZ01zgkW";
const CREATE: &str = "POST /v1/transfers";

/// A shop that has money at Stripe, as its books say, and a vendor with all of it available.
pub async fn shop(account: &str, minor: i64) -> Shop {
    let shop = Shop::open().await;
    put_in(&shop, minor).await;
    let amount = format!("{}.{:02} AED", minor / 100, minor % 100);
    vendor(&shop, ("stripe", account), &amount).await;
    shop
}

async fn put_in(shop: &Shop, minor: i64) {
    let url = format!("{}/_sim/topup", shop.app.sim.url());
    let body = json!({ "amount": minor, "currency": "AED" });
    assert_eq!(shop.app.client.post(url).json(&body).send().await.unwrap().status(), 200);
}

/// A payout that Stripe has made.
pub async fn paid(shop: &Shop) -> String {
    let sent = submitted_over(shop, "stripe", "AED").await;
    shop.app.tick().await;
    let paid = shop.payout(sent.id()).await;
    assert_eq!(paid.says(), (200, "paid"), "{paid:#?}");
    sent.id().to_owned()
}

/// Somebody takes money back at Stripe.
pub async fn take_back(shop: &Shop, payout: &str, form: &[(&str, &str)]) {
    let payout = shop.payout(payout).await;
    let path = format!("/v1/transfers/{}/reversals", payout.text("provider_ref"));
    let back = shop.app.at_gateway(&path, form).await;
    assert_eq!(back.status, 200, "{back:#?}");
}

async fn transfers(shop: &Shop) -> Vec<Value> {
    let listed = shop.app.ask_gateway("/v1/transfers").await;
    listed.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_payout_over_stripe_is_a_transfer_to_the_vendors_account() {
    let shop = shop(ACCOUNT, 10_000).await;
    let id = paid(&shop).await;
    let made = transfers(&shop).await;
    assert_eq!((&made[0]["amount"], &made[0]["currency"]), (&json!(10_000), &json!("aed")));
    assert_eq!((made.len(), &made[0]["destination"]), (1, &json!(ACCOUNT)));
    assert_eq!(shop.payout(&id).await.body["provider_ref"], made[0]["id"]);
    assert_eq!(
        page::page(&shop.balances(&["stripe", "payout", "vendor"]).await),
        page::page(
            "gateway_clearing:stripe 0.00 AED
            payouts_in_transit:stripe 0.00 AED
            vendor_payable:V1:available 0.00 AED"
        )
    );
    for _ in 0..4 {
        later(&shop, DAY).await;
    }
    assert_eq!(shop.payout(&id).await.says(), (200, "paid"));
    assert_eq!(shop.app.wire.count_of(CREATE), 1);
    shop.app.prove().await;
}

#[tokio::test]
async fn an_account_that_stripe_does_not_know_fails_the_payout() {
    let shop = shop("acct_0000000000000000", 10_000).await;
    let sent = submitted_over(&shop, "stripe", "AED").await;
    shop.app.tick().await;
    let failed = shop.payout(sent.id()).await;
    assert_eq!(failed.says(), (200, "failed"), "{failed:#?}");
    assert_eq!(failed.body["reason"], "invalid_details", "{failed:#?}");
    assert!(shop.balances(&["vendor_payable"]).await.ends_with("100.00 AED"));
    shop.app.prove().await;
}

#[tokio::test]
async fn without_money_at_stripe_a_payout_fails_and_is_tried_again_as_another() {
    let shop = shop(ACCOUNT, 10_000).await;
    put_in(&shop, -1).await;
    let sent = submitted_over(&shop, "stripe", "AED").await;
    shop.app.tick().await;
    let failed = shop.payout(sent.id()).await;
    assert_eq!(failed.says(), (200, "failed"), "{failed:#?}");
    assert_eq!(failed.body["reason"], "insufficient_funds", "{failed:#?}");
    put_in(&shop, 1).await;
    later(&shop, DAY).await;
    assert_eq!(transfers(&shop).await.len(), 0, "it is over, and is never asked for again");
    let again = shop.act(sent.id(), "retry", json!({})).await;
    assert_eq!(closed(&again), [""; 0]);
    shop.act(again.id(), "submit", json!({})).await;
    shop.app.tick().await;
    assert_eq!(shop.payout(again.id()).await.says(), (200, "paid"));
    assert_eq!(transfers(&shop).await.len(), 1);
    shop.app.prove().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    let shop = shop(ACCOUNT, 10_000).await;
    shop.app.faults("[[rules]]\non = \"transfer\"\nkind = \"lost_answer\"\ntimes = 2\n");
    let sent = submitted_over(&shop, "stripe", "AED").await;
    shop.app.tick().await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "submitted"));
    assert_eq!(transfers(&shop).await.len(), 1, "it was made");
    later(&shop, 31).await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "submitted"));
    later(&shop, 121).await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "paid"));
    assert_eq!(transfers(&shop).await.len(), 1);
    let asked = shop.app.wire.sent().into_iter().filter(|sent| sent.line == CREATE);
    let keys: Vec<String> = asked.map(|sent| sent.key.unwrap()).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    shop.app.prove().await;
}

#[tokio::test]
async fn an_answer_with_another_amount_is_not_believed() {
    let shop = shop(ACCOUNT, 10_000).await;
    shop.app.faults("[[rules]]\non = \"transfer\"\nkind = \"wrong_amount\"\n");
    let sent = submitted_over(&shop, "stripe", "AED").await;
    shop.app.tick().await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "submitted"));
    later(&shop, 31).await;
    assert_eq!(shop.payout(sent.id()).await.says(), (200, "paid"));
    assert_eq!(transfers(&shop).await.len(), 1);
    shop.app.prove().await;
}

#[tokio::test]
async fn what_is_taken_back_at_stripe_is_available_again_and_a_part_is_not_booked() {
    let shop = shop(ACCOUNT, 10_000).await;
    let id = paid(&shop).await;
    take_back(&shop, &id, &[("amount", "4000")]).await;
    later(&shop, DAY).await;
    assert_eq!(shop.payout(&id).await.says(), (200, "paid"), "people book a part");
    take_back(&shop, &id, &[]).await;
    later(&shop, DAY).await;
    let back = shop.payout(&id).await;
    assert_eq!(back.says(), (200, "returned"), "{back:#?}");
    assert_eq!(
        page::page(&shop.balances(&["stripe", "payout", "vendor"]).await),
        page::page(
            "gateway_clearing:stripe 100.00 AED
            payouts_in_transit:stripe 0.00 AED
            vendor_payable:V1:available 100.00 AED"
        )
    );
    let again = shop.act(&id, "retry", json!({})).await;
    assert_eq!(closed(&again), ["bank_details"], "they have to be looked at first");
    shop.app.prove().await;
}

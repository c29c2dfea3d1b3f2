//! Orders are made once, paid on the page or by a program, and captured whole.

use serde_json::json;

use super::{KEY_ID, KEY_SECRET, Rzp};
use crate::support::read;

#[tokio::test]
async fn a_receipt_makes_one_order_and_finds_it_again() {
    let rzp = Rzp::new().await;
    let body = json!({ "amount": 50_000, "currency": "INR", "receipt": "r-1" });
    let made = rzp.post("/v1/orders", &body).await;
    assert_eq!((made.status, &made.body["status"]), (200, &json!("created")));
    assert_eq!(made.body["amount_due"], 50_000);
    assert_eq!(made.body["notes"], json!([]), "empty notes are an array");
    let again = rzp.post("/v1/orders", &body).await;
    assert_eq!(again.status, 400);
    let text = again.body["error"]["description"].as_str().unwrap();
    assert_eq!(text, "Duplicate request. This request has already been processed.");
    let found = rzp.get("/v1/orders?receipt=r-1").await;
    assert_eq!(found.body["count"], 1);
    assert_eq!(found.body["items"][0]["id"], made.body["id"]);
    assert_eq!(rzp.get("/v1/orders?receipt=r-2").await.body["count"], 0);
}

#[tokio::test]
async fn a_manual_payment_is_authorised_and_captured_whole_or_not_at_all() {
    let rzp = Rzp::new().await;
    let order = rzp.order(50_000, "r-1", "manual").await;
    let payment = rzp.choose(&order, &json!({ "outcome": "paid" })).await;
    let path = format!("/v1/payments/{payment}");
    assert_eq!(rzp.get(&path).await.body["status"], "authorized");
    assert_eq!(rzp.get(&path).await.body["fee"], json!(null));
    let capture = format!("{path}/capture");
    let part = rzp.post(&capture, &json!({ "amount": 10_000, "currency": "INR" })).await;
    assert_eq!(part.status, 400);
    let text = rzp.post(&capture, &json!({ "amount": "50000", "currency": "INR" })).await;
    assert_eq!(text.body["error"]["description"], "The amount must be an integer.");
    let whole = json!({ "amount": 50_000, "currency": "INR" });
    let captured = rzp.post(&capture, &whole).await;
    assert_eq!(captured.body["status"], "captured");
    assert_eq!((&captured.body["fee"], &captured.body["tax"]), (&json!(1_627), &json!(77)));
    assert_eq!(rzp.post(&capture, &whole).await.status, 400);
    let order = rzp.get(&format!("/v1/orders/{order}")).await;
    assert_eq!(
        (&order.body["status"], &order.body["amount_paid"]),
        (&json!("paid"), &json!(50_000))
    );
    rzp.assert_balanced();
}

#[tokio::test]
async fn an_order_has_several_attempts_and_stays_open_until_one_pays() {
    let rzp = Rzp::new().await;
    let order = rzp.order(50_000, "r-1", "automatic").await;
    let failed = rzp.choose(&order, &json!({ "outcome": "declined" })).await;
    rzp.choose(&order, &json!({ "outcome": "cancelled" })).await;
    rzp.choose(&order, &json!({ "outcome": "challenged" })).await;
    rzp.choose(&order, &json!({ "outcome": "not_authenticated" })).await;
    let paid = rzp.choose(&order, &json!({ "outcome": "paid", "method": "upi" })).await;
    assert_ne!(failed, paid);
    let list = rzp.get("/v1/orders?receipt=r-1&expand[]=payments").await;
    let payments = list.body["items"][0]["payments"]["items"].clone();
    let of = |name: &str| -> Vec<String> {
        let items = payments.as_array().unwrap().iter();
        items.map(|it| it[name].as_str().unwrap_or("-").to_owned()).collect()
    };
    assert_eq!(of("status"), ["failed", "failed", "failed", "captured"]);
    assert_eq!(
        of("error_reason"),
        ["card_declined", "payment_cancelled", "authentication_failed", "-"]
    );
    let pay = format!("/_sim/payments/{order}/pay");
    let again = rzp.post(&pay, &json!({ "outcome": "paid" })).await;
    assert_eq!(again.status, 409, "a paid order is not paid again");
}

#[tokio::test]
async fn a_hold_that_nobody_captures_goes_back_to_the_buyer() {
    let rzp = Rzp::new().await;
    let order = rzp.order(50_000, "r-1", "manual").await;
    let payment = rzp.choose(&order, &json!({ "outcome": "paid" })).await;
    rzp.clock.advance(3 * 24 * 3600);
    let read = rzp.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(read.body["status"], "refunded");
    assert_eq!(
        (&read.body["captured"], &read.body["amount_refunded"]),
        (&json!(false), &json!(50_000))
    );
    rzp.assert_balanced();
}

#[tokio::test]
async fn another_currency_is_settled_in_rupees() {
    let rzp = Rzp::new().await;
    let body = json!({ "amount": 10_001, "currency": "AED", "receipt": "r-1" });
    let order = rzp.post("/v1/orders", &body).await.id().to_owned();
    let payment = rzp.choose(&order, &json!({ "outcome": "paid" })).await;
    let read = rzp.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(read.body["base_amount"], 230_023);
    assert_eq!(read.body["base_currency"], "INR");
    rzp.refund(&payment, &json!({ "amount": 3_333 })).await;
    rzp.refund(&payment, &json!({})).await;
    rzp.assert_balanced();
    let totals = rzp.state().await["totals"]["INR"].clone();
    assert_eq!((&totals["charged"], &totals["refunded"]), (&json!(230_023), &json!(230_023)));
    let odd = json!({ "amount": 99_991, "currency": "KWD", "receipt": "r-2" });
    assert_eq!(rzp.post("/v1/orders", &odd).await.status, 400, "the last digit must be 0");
}

#[tokio::test]
async fn the_hosted_page_gives_the_shop_a_signed_payment() {
    let rzp = Rzp::new().await;
    let order = rzp.order(50_000, "r <1>", "automatic").await;
    let url = format!(
        "{}/hosted/razorpay/{order}?callback_url=https%3A%2F%2Fshop.example%2Fback",
        rzp.sim.url()
    );
    let page = rzp.client.get(&url).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.contains("500.00 INR") && html.contains("r &lt;1&gt;"), "{html}");
    let press = |what: &str| rzp.client.post(&url).body(format!("outcome={what}")).send();
    let challenge = press("challenged").await.unwrap().text().await.unwrap();
    assert!(challenge.contains("value=\"not_authenticated\""), "{challenge}");
    let back = press("paid").await.unwrap().text().await.unwrap();
    assert!(back.contains("action=\"https://shop.example/back\""), "{back}");
    let payment = rzp.state().await["payments"][0]["id"].as_str().unwrap().to_owned();
    let text = format!("{order}|{payment}");
    let signature = super::webhooks::hmac(KEY_SECRET, &text);
    assert!(back.contains(&signature) && back.contains(&payment), "{back}");
    let missing = format!("{}/hosted/razorpay/order_x", rzp.sim.url());
    assert_eq!(rzp.client.get(missing).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_saved_instrument_is_listed_charged_and_removed() {
    let rzp = Rzp::new().await;
    let customer = json!({ "name": "B", "email": "b@example.com" });
    let made = rzp.post("/v1/customers", &customer).await;
    assert_eq!(rzp.post("/v1/customers", &customer).await.status, 400);
    let known = json!({ "name": "B", "email": "b@example.com", "fail_existing": "0" });
    assert_eq!(rzp.post("/v1/customers", &known).await.id(), made.id());
    let order = |receipt: &str| {
        json!({
            "amount": 50_000, "currency": "INR", "receipt": receipt, "customer_id": made.id(),
        })
    };
    let first = rzp.post("/v1/orders", &order("r-1")).await;
    rzp.choose(first.id(), &json!({ "outcome": "paid", "save": true })).await;
    let path = format!("/v1/customers/{}/tokens", made.id());
    let token = rzp.get(&path).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let second = rzp.post("/v1/orders", &order("r-2")).await;
    let charge = json!({
        "order_id": second.id(), "customer_id": made.id(), "token": token, "amount": 50_000,
        "currency": "INR", "recurring": true, "email": "b@example.com", "contact": "1",
    });
    let charged = rzp.post("/v1/payments/create/recurring", &charge).await;
    let payment = charged.body["razorpay_payment_id"].as_str().unwrap();
    let payment = rzp.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(payment.body["status"], "captured");
    assert_eq!(payment.body["token_id"], token.as_str());
    let removed = read(rzp.request("DELETE", &format!("{path}/{token}"))).await.unwrap();
    assert_eq!(removed.body["deleted"], true);
    assert_eq!(rzp.get(&path).await.body["count"], 0);
    let third = rzp.post("/v1/orders", &order("r-3")).await;
    let mut charge = charge.clone();
    charge["order_id"] = third.id().into();
    assert_eq!(rzp.post("/v1/payments/create/recurring", &charge).await.status, 400);
}

#[tokio::test]
async fn only_the_key_pair_opens_the_door() {
    let rzp = Rzp::new().await;
    let url = format!("{}/v1/payments", rzp.sim.url());
    let wrong = read(rzp.client.get(&url).basic_auth(KEY_ID, Some("x"))).await.unwrap();
    assert_eq!((wrong.status, wrong.code()), (401, "BAD_REQUEST_ERROR"));
    let lower = rzp.client.get(&url).header("authorization", "basic cnpw");
    assert_eq!(read(lower).await.unwrap().status, 401, "the scheme word is exactly Basic");
    let nowhere = rzp.get("/v1/nowhere").await;
    assert_eq!(nowhere.status, 404);
    let text = "The requested URL was not found on the server";
    assert_eq!(nowhere.body["error"]["description"], text);
    assert_eq!(rzp.get("/v1/payments/pay_x").await.status, 400);
}

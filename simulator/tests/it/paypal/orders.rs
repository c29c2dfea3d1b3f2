//! Orders: created, approved, captured; and everything that stands in the way.

use serde_json::json;

use super::{CLIENT, Pal, SECRET, issue, usd};
use crate::support::read;

#[tokio::test]
async fn a_token_opens_the_door_until_its_time_is_over() {
    let pal = Pal::new().await;
    let form = [("grant_type", "client_credentials")];
    let given = pal.ask_token(CLIENT, SECRET, &form).await;
    assert_eq!((given.status, &given.body["expires_in"]), (200, &json!(32_400)));
    assert_eq!(given.body["token_type"], "Bearer");
    let refused = pal.ask_token(CLIENT, "wrong", &form).await;
    assert_eq!((refused.status, &refused.body["error"]), (401, &json!("invalid_client")));
    let refused = pal.ask_token(CLIENT, SECRET, &[("grant_type", "password")]).await;
    assert_eq!((refused.status, &refused.body["error"]), (400, &json!("unsupported_grant_type")));

    pal.clock.advance(32_399);
    assert_eq!(pal.get("/v1/customer/disputes").await.status, 200);
    pal.clock.advance(1);
    let late = pal.get("/v1/customer/disputes").await;
    assert_eq!((late.status, &late.body["name"]), (401, &json!("AUTHENTICATION_FAILURE")));
    assert_eq!(late.header("paypal-debug-id"), late.body["debug_id"].as_str());
    pal.renew().await;
    assert_eq!(pal.get("/v1/customer/disputes").await.status, 200);
    let url = format!("{}/v1/customer/disputes", pal.sim.url());
    assert_eq!(read(pal.client.get(&url)).await.unwrap().status, 401);
    assert_eq!(read(pal.client.get(&url).bearer_auth("A21AAx")).await.unwrap().status, 401);
    assert!(!pal.state().await.to_string().contains(given.body["access_token"].as_str().unwrap()));
}

#[tokio::test]
async fn an_order_is_approved_by_the_buyer_and_captured_by_the_shop() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "100.00", "pay-1").await;
    let path = format!("/v2/checkout/orders/{order}");
    let waiting = pal.get(&path).await.body;
    assert_eq!(waiting["status"], "PAYER_ACTION_REQUIRED");
    assert_eq!(waiting["links"][1]["rel"], "payer-action");
    let page = format!("{}/hosted/paypal/{order}", pal.sim.url());
    assert_eq!(waiting["links"][1]["href"], page);
    let early = pal.capture(&order).await;
    assert_eq!((early.status, issue(&early)), (422, "ORDER_NOT_APPROVED"));

    let left = pal.choose(&order, &json!({ "outcome": "cancelled" })).await;
    assert_eq!(left.status, 200);
    assert_eq!(pal.status_of(&path).await, "PAYER_ACTION_REQUIRED", "leaving changes nothing");
    pal.approve("pay-1").await;
    let approved = pal.get(&path).await.body;
    assert_eq!(approved["status"], "APPROVED");
    assert!(approved["purchase_units"][0]["payments"].is_null(), "approval takes nothing");

    let taken = pal.capture(&order).await;
    assert_eq!((taken.status, &taken.body["status"]), (201, &json!("COMPLETED")));
    let capture = &taken.body["purchase_units"][0]["payments"]["captures"][0];
    assert_eq!(capture["amount"], usd("100.00"));
    assert_eq!(capture["custom_id"], "pay-1");
    let parts = &capture["seller_receivable_breakdown"];
    assert_eq!(parts["paypal_fee"], usd("4.09"), "2.9 % and 1.00, and 5 % on it");
    assert_eq!(parts["net_amount"], usd("95.91"));
    let again = pal.capture(&order).await;
    assert_eq!((again.status, issue(&again)), (422, "ORDER_ALREADY_CAPTURED"));
    let read = pal.get(&path).await.body;
    assert_eq!(read["intent"], "CAPTURE");
    assert_eq!(read["purchase_units"][0]["payments"]["captures"][0], *capture);
    let missing = pal.get("/v2/checkout/orders/NOPE").await;
    assert_eq!((missing.status, &missing.body["name"]), (404, &json!("RESOURCE_NOT_FOUND")));
    pal.assert_balanced();
}

#[tokio::test]
async fn a_declined_instrument_lets_the_buyer_choose_again() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    pal.choose(&order, &json!({ "outcome": "declined" })).await;
    let refused = pal.capture(&order).await;
    assert_eq!((refused.status, issue(&refused)), (422, "INSTRUMENT_DECLINED"));
    assert_eq!(refused.body["links"][0]["rel"], "redirect");
    let path = format!("/v2/checkout/orders/{order}");
    assert_eq!(pal.status_of(&path).await, "PAYER_ACTION_REQUIRED");
    pal.approve(&order).await;
    let taken = pal.capture(&order).await;
    let captures = &taken.body["purchase_units"][0]["payments"]["captures"];
    assert_eq!(captures.as_array().unwrap().len(), 1, "the refused attempt is not shown");

    let order = pal.order("CAPTURE", "20.00", "pay-2").await;
    let choice = json!({ "outcome": "declined", "reason": "PAYER_CANNOT_PAY" });
    pal.choose(&order, &choice).await;
    assert_eq!(issue(&pal.capture(&order).await), "PAYER_CANNOT_PAY");
    pal.assert_balanced();
}

#[tokio::test]
async fn a_completed_order_does_not_mean_a_completed_capture() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    let choice = json!({ "outcome": "declined", "reason": "capture_declined" });
    pal.choose(&order, &choice).await;
    let taken = pal.capture(&order).await;
    assert_eq!((taken.status, &taken.body["status"]), (201, &json!("COMPLETED")));
    let capture = &taken.body["purchase_units"][0]["payments"]["captures"][0];
    assert_eq!(capture["status"], "DECLINED");
    assert_eq!(capture["processor_response"]["response_code"], "5900");
    assert!(capture["seller_receivable_breakdown"].is_null());

    for (end, status) in [("paid", "COMPLETED"), ("declined", "DECLINED")] {
        let order = pal.order("CAPTURE", "20.00", end).await;
        pal.choose(&order, &json!({ "outcome": "held" })).await;
        let taken = pal.capture(&order).await.body;
        let capture = &taken["purchase_units"][0]["payments"]["captures"][0];
        assert_eq!(capture["status"], "PENDING");
        assert_eq!(capture["status_details"]["reason"], "PENDING_REVIEW");
        let path = format!("/v2/payments/captures/{}", capture["id"].as_str().unwrap());
        pal.choose(&order, &json!({ "outcome": end })).await;
        assert_eq!(pal.status_of(&path).await, status, "under the same id");
    }
    pal.assert_balanced();
}

#[tokio::test]
async fn orders_lapse_unless_the_money_was_taken() {
    let pal = Pal::new().await;
    let open = pal.order("CAPTURE", "20.00", "pay-1").await;
    let approved = pal.order("CAPTURE", "20.00", "pay-2").await;
    pal.approve(&approved).await;
    let authorization = pal.authorised("20.00", "pay-3").await;
    pal.clock.advance(3 * 3600);
    for order in [open, approved] {
        assert_eq!(issue(&pal.capture(&order).await), "ORDER_EXPIRED");
        assert_eq!(pal.status_of(&format!("/v2/checkout/orders/{order}")).await, "VOIDED");
    }
    let path = format!("/v2/payments/authorizations/{authorization}");
    assert_eq!(pal.status_of(&path).await, "CREATED");
}

#[tokio::test]
async fn orders_that_cannot_be_are_refused_by_issue() {
    let pal = Pal::new().await;
    let good = pal.order_body("CAPTURE", "20.00", "pay-1");
    let with = |path: &str, value: serde_json::Value| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = value;
        body
    };
    let unit = &good["purchase_units"][0];
    let mut euros = unit.clone();
    euros["amount"]["currency_code"] = "EUR".into();
    let amount = "/purchase_units/0/amount";
    let parts = json!({ "currency_code": "USD", "value": "20.00",
        "breakdown": { "item_total": usd("18.00"), "shipping": usd("1.00") } });
    let code = |code: &str, value: &str| json!({ "currency_code": code, "value": value });
    let cases = [
        (with("/intent", json!("SALE")), 400, "INVALID_PARAMETER_VALUE"),
        (with("/purchase_units", json!([])), 400, "MISSING_REQUIRED_PARAMETER"),
        (with("/purchase_units", json!([unit, euros])), 422, "MULTI_CURRENCY_ORDER"),
        (with(amount, parts), 422, "AMOUNT_MISMATCH"),
        (with(amount, code("AED", "20.00")), 422, "CURRENCY_NOT_SUPPORTED"),
        (with(amount, code("XXX", "20.00")), 400, "INVALID_CURRENCY_CODE"),
        (with(amount, code("JPY", "20.50")), 422, "DECIMALS_NOT_SUPPORTED"),
        (with(amount, code("USD", "20.505")), 422, "DECIMAL_PRECISION"),
        (with(amount, code("USD", "0")), 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        (
            with("/payment_source", json!({ "card": { "number": "4111" } })),
            422,
            "PAYMENT_SOURCE_CANNOT_BE_USED",
        ),
        (with("/purchase_units/0/custom_id", json!("x".repeat(128))), 400, "INVALID_STRING_LENGTH"),
    ];
    for (place, (body, status, expected)) in cases.into_iter().enumerate() {
        let refused = pal.keyed("/v2/checkout/orders", &body, &format!("k-{place}")).await;
        assert_eq!((refused.status, issue(&refused)), (status, expected), "{}", refused.body);
    }
    let refused = pal.post("/v2/checkout/orders", &good).await;
    assert_eq!((refused.status, issue(&refused)), (400, "PAYPAL_REQUEST_ID_REQUIRED"));
    let text = pal.request("POST", "/v2/checkout/orders").body("intent=CAPTURE");
    let refused = read(text.header("content-type", "text/plain")).await.unwrap();
    assert_eq!((refused.status, &refused.body["name"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
    assert_eq!(pal.state().await["orders"], json!([]), "nothing was made");
}

#[tokio::test]
async fn items_must_add_up_to_what_the_breakdown_says() {
    let pal = Pal::new().await;
    let mut body = pal.order_body("CAPTURE", "24.00", "pay-1");
    let unit = &mut body["purchase_units"][0];
    unit["amount"]["breakdown"] = json!({
        "item_total": usd("20.00"), "tax_total": usd("2.00"), "shipping": usd("3.00"),
        "discount": usd("1.00"),
    });
    unit["items"] = json!([
        { "name": "Chair", "quantity": "2", "unit_amount": usd("10.00"), "tax": usd("1.00") },
    ]);
    assert_eq!(pal.keyed("/v2/checkout/orders", &body, "k-1").await.status, 200);
    body["purchase_units"][0]["items"][0]["quantity"] = "3".into();
    let refused = pal.keyed("/v2/checkout/orders", &body, "k-2").await;
    assert_eq!(issue(&refused), "ITEM_TOTAL_MISMATCH");
    body["purchase_units"][0]["items"][0]["quantity"] = "2".into();
    body["purchase_units"][0]["items"][0]["tax"] = usd("1.50");
    let refused = pal.keyed("/v2/checkout/orders", &body, "k-3").await;
    assert_eq!(issue(&refused), "TAX_TOTAL_MISMATCH");
}

#[tokio::test]
async fn an_invoice_is_paid_once() {
    let pal = Pal::new().await;
    let body = pal.order_body("CAPTURE", "20.00", "pay-1");
    let second = pal.keyed("/v2/checkout/orders", &body, "second").await.id().to_owned();
    pal.paid("20.00", "pay-1").await;
    let refused = pal.keyed("/v2/checkout/orders", &body, "third").await;
    assert_eq!((refused.status, issue(&refused)), (422, "DUPLICATE_INVOICE_ID"));
    pal.approve(&second).await;
    assert_eq!(issue(&pal.capture(&second).await), "DUPLICATE_INVOICE_ID");
}

#[tokio::test]
async fn currencies_without_decimals_have_whole_fees() {
    let pal = Pal::new().await;
    for (code, value, fee) in [("JPY", "1500", "47"), ("HUF", "4990", "153")] {
        let mut body = pal.order_body("CAPTURE", "1.00", code);
        body["purchase_units"][0]["amount"] = json!({ "currency_code": code, "value": value });
        let made = pal.keyed("/v2/checkout/orders", &body, code).await.id().to_owned();
        pal.approve(&made).await;
        let taken = pal.capture(&made).await.body;
        let capture = &taken["purchase_units"][0]["payments"]["captures"][0];
        assert_eq!(capture["amount"]["value"], value);
        assert_eq!(capture["seller_receivable_breakdown"]["paypal_fee"]["value"], fee);
    }
    pal.assert_balanced();
}

#[tokio::test]
async fn the_page_asks_and_sends_the_browser_back_with_the_order() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    let page = format!("/hosted/paypal/{order}");
    let press = async |outcome: &str| {
        let request = pal.request("POST", &page).body(format!("outcome={outcome}"));
        read(request).await.unwrap()
    };
    let left = press("cancelled").await;
    let location = left.header("location").unwrap();
    assert_eq!(
        (left.status, location),
        (303, &*format!("https://shop.example/cancel?token={order}"))
    );
    assert_eq!(press("challenged").await.status, 200, "the page asks for the challenge");
    let failed = press("not_authenticated").await;
    assert!(failed.header("location").unwrap().starts_with("https://shop.example/cancel?"));
    let path = format!("/v2/checkout/orders/{order}");
    let result = |body: &serde_json::Value| {
        body["payment_source"]["card"]["authentication_result"]["liability_shift"].clone()
    };
    let read = pal.get(&path).await.body;
    assert_eq!((&read["status"], result(&read)), (&json!("PAYER_ACTION_REQUIRED"), json!("NO")));

    press("challenged").await;
    let paid = press("paid").await;
    let expected =
        format!("https://shop.example/return?shop=1&token={order}&PayerID=QYR5Z8XDVJNXQ");
    assert_eq!(paid.header("location"), Some(&*expected));
    let read = pal.get(&path).await.body;
    assert_eq!((&read["status"], result(&read)), (&json!("APPROVED"), json!("POSSIBLE")));
    assert_eq!(pal.capture(&order).await.status, 201);
    pal.assert_balanced();
}

//! Orders are made once, paid or not on the page, and tell where they stand.

use serde_json::{Value, json};

use super::{AUTH_KEY, STORE, Telr, assert_has, sample};
use crate::support::read;

fn body(name: &str) -> Value {
    sample(name)["response"]["body"].clone()
}

#[tokio::test]
async fn the_published_requests_make_orders_that_look_as_published() {
    let telr = Telr::new().await;
    let form = sample("create-order.request-form");
    let form = form["request"]["raw_body"].as_str().unwrap().to_owned();
    let request = telr.client.post(telr.url("/gateway/order.json")).body(form);
    let kind = "application/x-www-form-urlencoded";
    let made = read(request.header("content-type", kind)).await.unwrap();
    assert_has("create", &body("create-order.success"), &made.body);
    let reference = made.body["order"]["ref"].as_str().unwrap();
    assert_eq!(reference.len(), 64);
    let page = made.body["order"]["url"].as_str().unwrap();
    assert_eq!(page, telr.url(&format!("/gateway/process.html?o={reference}")));
    assert_has("pending", &body("check-order.pending"), &telr.check(reference).await);

    let json = sample("create-order.request-json")["request"]["body"].clone();
    let again = telr.control("/gateway/order.json", &json).await;
    assert_eq!((again.status, again.body), (200, body("create-order.duplicate-cart")));
    let mut json = json;
    json["order"]["cartid"] = "ORDER-10001_6a1c".into();
    let made = telr.control("/gateway/order.json", &json).await;
    assert_has("create", &body("create-order.success"), &made.body);
}

#[tokio::test]
async fn a_sale_is_paid_and_an_authorisation_waits_for_its_capture() {
    let telr = Telr::new().await;
    let order = telr.order("A-1", "54.50", "sale").await;
    assert_eq!(telr.status(&order).await, (1, "-".to_owned(), "-".to_owned()));
    let sale = telr.choose(&order, json!({ "outcome": "paid" })).await;
    let paid = telr.check(&order).await;
    assert_has("paid", &body("check-order.paid"), &paid);
    assert_eq!(paid["order"]["status"], json!({ "code": 3, "text": "Paid" }));
    assert_eq!(paid["order"]["transaction"]["ref"], sale.as_str());
    assert_eq!((sale.len(), &paid["order"]["amount"]), (12, &json!("54.50")));
    assert_eq!(paid["order"]["test"], 1);

    let order = telr.order("A-2", "54.50", "auth").await;
    let auth = telr.choose(&order, json!({ "outcome": "paid" })).await;
    let held = telr.check(&order).await;
    assert_has("authorised", &body("check-order.authorised"), &held);
    assert_eq!(held["order"]["transaction"]["type"], "auth");
    assert_eq!(telr.pay_again(&order).await, 409, "the page is over");
    telr.follow("capture", &auth, "20.00").await;
    assert_eq!(telr.status(&order).await.0, 2, "the rest is still on hold");
    telr.follow("capture", &auth, "34.50").await;
    assert_eq!(telr.status(&order).await.0, 3);
    telr.assert_balanced();
}

#[tokio::test]
async fn a_declined_try_does_not_end_the_order() {
    let telr = Telr::new().await;
    let order = telr.order("A-1", "54.50", "sale").await;
    telr.choose(&order, json!({ "outcome": "declined", "reason": "41" })).await;
    let declined = telr.check(&order).await;
    assert_has("declined", &body("check-order.declined"), &declined);
    let wanted = body("check-order.declined")["order"]["transaction"].clone();
    for field in ["type", "class", "status", "code", "message"] {
        assert_eq!(declined["order"]["transaction"][field], wanted[field], "{field}");
    }
    telr.choose(&order, json!({ "outcome": "challenged" })).await;
    assert_eq!(telr.status(&order).await, (1, "-".to_owned(), "-".to_owned()));
    telr.choose(&order, json!({ "outcome": "not_authenticated" })).await;
    assert_eq!(telr.status(&order).await, (-3, "D".to_owned(), "47".to_owned()));
    telr.choose(&order, json!({ "outcome": "paid" })).await;
    assert_eq!(telr.status(&order).await.0, 3);
    telr.assert_balanced();
}

#[tokio::test]
async fn an_order_ends_cancelled_or_expired() {
    let telr = Telr::new().await;
    let cancelled = telr.order("A-1", "54.50", "sale").await;
    telr.choose(&cancelled, json!({ "outcome": "cancelled" })).await;
    let view = telr.check(&cancelled).await;
    assert_has("cancelled", &body("check-order.cancelled"), &view);
    assert_eq!(view["order"]["status"], body("check-order.cancelled")["order"]["status"]);
    let expired = telr.order("A-2", "54.50", "sale").await;
    telr.clock.advance(30 * 60);
    let view = telr.check(&expired).await;
    assert_eq!(view["order"]["status"], body("check-order.expired")["order"]["status"]);
    assert_eq!(telr.pay_again(&expired).await, 409);
}

#[tokio::test]
async fn what_is_held_or_pending_outlives_the_page_and_is_decided_later() {
    let telr = Telr::new().await;
    let held = telr.order("A-1", "54.50", "sale").await;
    telr.choose(&held, json!({ "outcome": "held" })).await;
    assert_eq!(telr.status(&held).await.1, "H");
    assert_eq!(telr.status(&held).await.0, 2, "a sale on hold looks authorised");
    let pending = telr.order("A-2", "54.50", "sale").await;
    telr.choose(&pending, json!({ "outcome": "pending" })).await;
    assert_eq!(telr.status(&pending).await, (3, "P".to_owned(), String::new()));
    let requested = telr.order("A-3", "54.50", "sale").await;
    telr.choose(&requested, json!({ "outcome": "pending", "method": "stcpay" })).await;
    assert_eq!(telr.status(&requested).await.0, 4);
    telr.clock.advance(24 * 3600);
    telr.choose(&held, json!({ "outcome": "paid" })).await;
    assert_eq!(telr.status(&held).await.0, 3);
    telr.choose(&pending, json!({ "outcome": "declined" })).await;
    assert_eq!(telr.status(&pending).await, (-3, "D".to_owned(), "31".to_owned()));
    telr.assert_balanced();
}

#[tokio::test]
async fn a_hold_that_nobody_captures_expires() {
    let telr = Telr::new().await;
    let order = telr.order("A-1", "54.50", "auth").await;
    let auth = telr.choose(&order, json!({ "outcome": "paid" })).await;
    telr.clock.advance(7 * 24 * 3600);
    assert_eq!(telr.status(&order).await, (-1, "X".to_owned(), "53".to_owned()));
    assert_eq!(telr.follow("capture", &auth, "54.50").await.1, "53");
}

#[tokio::test]
async fn a_buyer_clicks_through_the_page_and_comes_back() {
    let telr = Telr::new().await;
    let order = telr.order("A-1", "54.50", "sale").await;
    let entry = telr.client.get(telr.url(&format!("/gateway/process.html?o={order}")));
    let entry = entry.send().await.unwrap();
    assert_eq!(entry.status(), 302);
    let page = entry.headers()["location"].to_str().unwrap().to_owned();
    let html = telr.client.get(&page).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("54.50 AED") && html.contains("value=\"held\""), "{html}");
    let press = async |what: &str| {
        let pressed = telr.client.post(&page).body(format!("outcome={what}")).send().await.unwrap();
        pressed.headers().get("location").map(|url| url.to_str().unwrap().to_owned())
    };
    assert_eq!(press("declined").await.unwrap(), "https://shop.example/pay/declined");
    assert_eq!(press("challenged").await, None);
    assert_eq!(press("paid").await.unwrap(), "https://shop.example/pay/return");
    assert_eq!(telr.status(&order).await.0, 3);
    let missing = telr.client.get(telr.url("/gateway/process.html?o=x")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_with_http_200_and_a_code() {
    let telr = Telr::new().await;
    let refused = async |change: (&str, &str)| {
        let mut fields = Telr::create_fields("A-1", "54.50", "AED", "sale");
        fields.iter_mut().filter(|field| field.0 == change.0).for_each(|field| field.1 = change.1);
        let answer = telr.form("/gateway/order.json", &fields).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body["order"].is_null());
        answer.body["error"]["message"].as_str().unwrap().split(':').next().unwrap().to_owned()
    };
    let long = "x".repeat(64);
    for (change, code) in [
        (("ivp_store", "1235"), "E04"),
        (("ivp_authkey", "wrong"), "E01"),
        (("ivp_authkey", super::REMOTE_KEY), "E01"),
        (("ivp_method", "destroy"), "E52"),
        (("ivp_cart", ""), "E03"),
        (("ivp_cart", long.as_str()), "E01"),
        (("ivp_amount", ""), "E02"),
        (("ivp_amount", "54.505"), "E05"),
        (("ivp_amount", "1,000.00"), "E05"),
        (("ivp_amount", "0.00"), "E05"),
        (("ivp_currency", "CHF"), "E05"),
        (("ivp_desc", ""), "E48"),
        (("ivp_trantype", "verify"), "E40"),
    ] {
        assert_eq!(refused(change).await, code, "{change:?}");
    }
    let mut fields = Telr::create_fields("A-1", "54.50", "AED", "sale");
    fields[1].1 = "1";
    let answer = telr.form("/gateway/order.json", &fields).await;
    assert_eq!(answer.body, body("create-order.invalid-store"));
    let unknown = telr.check(&"0".repeat(64)).await;
    assert_eq!(unknown, body("check-order.unknown-ref"));
    assert_eq!(telr.state().await["orders"], json!([]));
    let nothing = telr.client.post(telr.url("/gateway/nowhere.json")).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
}

#[tokio::test]
async fn amounts_have_the_decimals_of_their_currency() {
    let telr = Telr::new().await;
    for (sent, currency, shown, minor) in [
        ("1.255", "KWD", "1.255", 1_255),
        ("1.2", "KWD", "1.200", 1_200),
        ("100.00", "JPY", "100", 100),
        ("9.5", "AED", "9.50", 950),
    ] {
        let cart = format!("{sent}-{currency}");
        let order = telr.order_with(&Telr::create_fields(&cart, sent, currency, "sale")).await;
        telr.choose(&order, json!({ "outcome": "paid" })).await;
        assert_eq!(telr.check(&order).await["order"]["amount"], shown);
        assert_eq!(telr.state().await["references"][&cart]["captured"], minor);
    }
    telr.assert_balanced();
}

#[tokio::test]
async fn a_customer_who_saved_a_card_can_be_charged_again() {
    let telr = Telr::new().await;
    let list = async |customer: &str, test: &str| {
        let fields = [
            ("api_storeid", STORE),
            ("api_authkey", AUTH_KEY),
            ("api_testmode", test),
            ("api_custref", customer),
        ];
        telr.form("/gateway/savedcardslist.json", &fields).await.body["SavedCardListResponse"]
            .clone()
    };
    let order = telr.order("A-1", "54.50", "sale").await;
    let sale = telr.choose(&order, json!({ "outcome": "paid", "save": true })).await;
    let cards = list("cust-77", "1").await;
    assert_eq!(cards["Code"], 200);
    assert_eq!(
        cards["data"],
        json!([{ "Transaction_ID": sale, "Name": "Visa Credit ending 1111" }])
    );
    assert_eq!(list("cust-77", "0").await["data"], json!([]), "test and live do not mix");
    assert_eq!(list("cust-78", "1").await["data"], json!([]));

    let (letter, _, reference) = telr.charge_again(&sale, "A-2").await;
    assert_eq!(letter, "A");
    assert_eq!(telr.charge_again(&sale, "A-2").await.1, "56", "a cart id is charged once");
    assert_eq!(telr.charge_again("040000000000", "A-3").await.1, "22");
    let list = telr.service("/transaction/A-2/cart").await;
    assert_eq!(super::element(&list, "id"), reference);
    assert_eq!(super::element(&list, "prev_id"), sale);
    assert_eq!(super::element(&list, "class"), "cont");
    assert_eq!(telr.follow("refund", &reference, "20.00").await.0, "A");
    telr.assert_balanced();
}

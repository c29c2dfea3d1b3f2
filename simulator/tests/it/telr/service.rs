//! The Service API finds transactions by reference, chain and cart.

use serde_json::json;

use super::{Telr, element};
use crate::support::read;

#[tokio::test]
async fn a_transaction_is_shown_whole() {
    let telr = Telr::new().await;
    let sale = telr.paid("A<1>", "54.50", "sale").await;
    let shown = telr.service(&format!("/transaction/{sale}")).await;
    for (name, text) in [
        ("id", sale.as_str()),
        ("type", "sale"),
        ("class", "ecom"),
        ("test", "1"),
        ("cartid", "A&lt;1&gt;"),
        ("currency", "AED"),
        ("amount", "54.50"),
        ("status", "A"),
        ("number", "411111******1111"),
        ("email", "buyer@example.com"),
        ("tel", "0500000000"),
    ] {
        assert_eq!(element(&shown, name), text, "{name}");
    }
    let missing = telr.basic("/tools/api/xml/transaction/040000000000").await;
    assert_eq!(missing.status, 404);
    assert_eq!(element(missing.body.as_str().unwrap(), "code"), "22");
}

#[tokio::test]
async fn lists_say_how_many_they_have() {
    let telr = Telr::new().await;
    let order = telr.order("cart/1 +x", "54.50", "sale").await;
    let by_cart = "/transaction/cart%2F1%20+x/cart";
    assert_eq!(element(&telr.service(by_cart).await, "trancount"), "0", "nobody tried a card");
    telr.choose(&order, json!({ "outcome": "declined" })).await;
    let sale = telr.choose(&order, json!({ "outcome": "paid" })).await;
    telr.follow("refund", &sale, "4.50").await;
    for path in [by_cart, "/transaction?cart_id=cart%2F1+%2Bx"] {
        let list = telr.service(path).await;
        assert_eq!(element(&list, "trancount"), "3", "{list}");
    }
    assert_eq!(telr.linked(&sale).await, ["sale A 54.50", "refund A 4.50"]);
    assert_eq!(telr.linked("040000000000").await, Vec::<String>::new());
    for place in 0..15 {
        telr.paid(&format!("B-{place}"), "1.00", "auth").await;
        telr.paid(&format!("C-{place}"), "1.00", "sale").await;
    }
    let recent = telr.service("/transaction").await;
    assert_eq!(element(&recent, "trancount"), "30");
    assert_eq!(element(&recent, "cartid"), "C-14", "the newest is first");
    telr.clock.advance(48 * 3600);
    assert_eq!(element(&telr.service("/transaction").await, "trancount"), "0");
}

#[tokio::test]
async fn without_access_there_is_an_empty_page() {
    let telr = Telr::new().await;
    let request = telr.client.get(telr.url("/tools/api/xml/transaction"));
    let answer = read(request.basic_auth("5678", Some("wrong"))).await.unwrap();
    assert_eq!((answer.status, answer.body), (403, json!("")));
    assert_eq!(telr.basic("/tools/api/xml/agreement").await.status, 404);
}

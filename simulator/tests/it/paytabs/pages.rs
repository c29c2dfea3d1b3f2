//! The page for a person, and the way back to the shop.

use serde_json::json;

use super::{Pt, SERVER_KEY, hmac, verdict};

/// Opens a page as a browser does: the address behind `redirect_url`.
async fn open(pt: &Pt, cart: &str, more: serde_json::Value) -> String {
    let made = pt.ask("sale", cart, json!(50), more).await;
    let url = made.body["redirect_url"].as_str().unwrap().to_owned();
    let page = url.rsplit('/').next().unwrap();
    assert!(url.starts_with(&format!("{}/payment/page/", pt.sim.url())), "{url}");
    assert!(page.len() == 56 && page.bytes().all(|b| b.is_ascii_hexdigit()), "{page}");
    let answer = pt.client.get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn press(pt: &Pt, url: &str, button: &str) -> reqwest::Response {
    pt.client.post(url).form(&[("outcome", button)]).send().await.unwrap()
}

/// The hidden fields of the form that leads back.
fn hidden(html: &str) -> Vec<(String, String)> {
    let inputs = html.split("<input type=\"hidden\" name=\"").skip(1);
    let pairs = inputs.map(|input| {
        let (name, rest) = input.split_once('"').unwrap();
        let value = rest.split_once("value=\"").unwrap().1.split_once('"').unwrap().0;
        (name.to_owned(), value.to_owned())
    });
    pairs.collect()
}

/// Sorted, without what is empty: the signature, and whether it is right.
fn check(mut fields: Vec<(String, String)>) {
    let place = fields.iter().position(|(name, _)| name == "signature").unwrap();
    let (_, signature) = fields.remove(place);
    fields.retain(|(_, value)| !value.is_empty());
    fields.sort();
    // For these values form encoding and PHP's are the same, but for the brackets.
    let text = serde_urlencoded::to_string(&fields).unwrap();
    assert_eq!(signature, hmac(SERVER_KEY, &text));
}

#[tokio::test]
async fn paying_leads_back_with_signed_fields() {
    let pt = Pt::new().await;
    let page = open(&pt, "cart 1/2", json!({ "tokenise": 2 })).await;
    let html = pt.client.get(&page).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("50.00 AED") && html.contains("held for review"), "{html}");
    let paid = press(&pt, &page, "paid").await;
    let policy = paid.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self' https://shop.example"), "{policy}");
    let html = paid.text().await.unwrap();
    assert!(html.contains("action=\"https://shop.example/back\""), "{html}");
    let fields = hidden(&html);
    let of = |name: &str| fields.iter().find(|(it, _)| it == name).unwrap().1.clone();
    assert_eq!((of("respStatus"), of("respMessage")), ("A".into(), "Authorised".into()));
    assert_eq!((of("cartId"), of("token").len()), ("cart 1/2".into(), 32));
    let tran = pt.query(&of("tranRef")).await;
    assert_eq!(tran["payment_result"]["response_code"], of("respCode"));
    check(fields);
}

#[tokio::test]
async fn declining_leads_back_and_the_page_can_be_tried_again() {
    let pt = Pt::new().await;
    let page = open(&pt, "c-1", json!({ "return_using_get": true })).await;
    let back = press(&pt, &page, "declined").await;
    assert_eq!(back.status(), 303);
    let back = back.headers()["location"].to_str().unwrap().to_owned();
    assert!(back.contains("acquirerMessage=Refer+to+bank+%2801%29&"), "{back}");
    assert!(back.contains("&respStatus=D&"), "{back}");
    let cancelled = press(&pt, &page, "cancelled").await;
    let back = cancelled.headers()["location"].to_str().unwrap().to_owned();
    let fields: Vec<(String, String)> =
        serde_urlencoded::from_str(back.split_once('?').unwrap().1).unwrap();
    assert!(fields.contains(&("respCode".to_owned(), "321".to_owned())), "{back}");
    check(fields);
}

#[tokio::test]
async fn three_d_secure_is_a_page_of_its_own_and_review_comes_later() {
    let pt = Pt::new().await;
    let page = open(&pt, "c-1", json!({})).await;
    let challenge = press(&pt, &page, "challenged").await.text().await.unwrap();
    assert!(challenge.contains("Confirm your payment"), "{challenge}");
    press(&pt, &page, "not_authenticated").await;
    let failed = pt.by_cart("c-1").await[0].clone();
    assert_eq!(failed["payment_result"]["response_code"], "310");
    assert_eq!(failed["threeDSDetails"]["paResStatus"], "N");
    let held = press(&pt, &page, "held").await.text().await.unwrap();
    assert!(hidden(&held).contains(&("respStatus".to_owned(), "H".to_owned())));
    pt.choose("c-1", json!({ "outcome": "paid" })).await;
    assert_eq!(verdict(&pt.by_cart("c-1").await[0]), "A Authorised");
}

#[tokio::test]
async fn a_number_to_pay_with_leads_back_pending() {
    let pt = Pt::new().await;
    let page = open(&pt, "c-1", json!({ "payment_methods": ["fawry"] })).await;
    let html = press(&pt, &page, "paid").await.text().await.unwrap();
    assert!(hidden(&html).contains(&("respStatus".to_owned(), "P".to_owned())), "{html}");
    assert_eq!(verdict(&pt.by_cart("c-1").await[0]), "P Pending");
}

#[tokio::test]
async fn a_page_without_a_way_back_says_how_it_ended() {
    let pt = Pt::new().await;
    let page = open(&pt, "c-1", json!({ "return": null })).await;
    let html = press(&pt, &page, "paid").await.text().await.unwrap();
    assert!(html.contains("Nothing to pay") && !html.contains("<form"), "{html}");
    let missing = pt.client.get(format!("{}/payment/page/00", pt.sim.url()));
    assert_eq!(missing.send().await.unwrap().status(), 404);
}

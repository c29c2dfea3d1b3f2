//! The buyer's 3-D Secure page.

use crate::support::{Bed, Reply};

async fn challenged(bed: &Bed, capture: &str) -> (String, String) {
    let intent = bed.pay("5250", "pm_card_threeDSecure2Required", capture).await;
    assert_eq!(intent.body["status"], "requires_action");
    let action = &intent.body["next_action"];
    assert_eq!(action["type"], "redirect_to_url");
    let url = action["redirect_to_url"]["url"].as_str().unwrap().to_owned();
    (intent.id().to_owned(), url)
}

async fn press(bed: &Bed, url: &str, button: &str) -> String {
    let answer = bed.client.post(url).form(&[("outcome", button)]).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn status(bed: &Bed, id: &str) -> Reply {
    bed.get(&format!("/v1/payment_intents/{id}")).await
}

#[tokio::test]
async fn the_page_is_plain_html_under_a_strict_policy() {
    let bed = Bed::new().await;
    let (_, url) = challenged(&bed, "automatic").await;
    let page = bed.client.get(&url).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' https://shop.example"), "{policy}");
    let html = page.text().await.unwrap();
    assert!(html.contains("52.50 AED") && html.contains("viewport"), "{html}");
    assert!(!html.contains("<script"), "{html}");
    let missing = bed.client.get(format!("{url}x")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn approving_pays_and_sends_the_buyer_back() {
    let bed = Bed::new().await;
    let (id, url) = challenged(&bed, "automatic").await;
    let back = press(&bed, &url, "approve").await;
    assert!(back.starts_with(&format!("https://shop.example/back?payment_intent={id}")), "{back}");
    assert!(back.ends_with("redirect_status=succeeded"), "{back}");
    let paid = status(&bed, &id).await;
    assert_eq!(paid.body["status"], "succeeded");
    assert_eq!(paid.body["next_action"], serde_json::Value::Null);

    let again = press(&bed, &url, "decline").await;
    assert!(again.ends_with("redirect_status=succeeded"), "pressing again changes nothing");
    assert_eq!(bed.state().await["charges"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn approving_a_manual_payment_holds_the_money() {
    let bed = Bed::new().await;
    let (id, url) = challenged(&bed, "manual").await;
    press(&bed, &url, "approve").await;
    assert_eq!(status(&bed, &id).await.body["status"], "requires_capture");
}

#[tokio::test]
async fn declining_leaves_the_intent_open_with_the_reason() {
    let bed = Bed::new().await;
    let (id, url) = challenged(&bed, "automatic").await;
    let back = press(&bed, &url, "decline").await;
    assert!(back.ends_with("redirect_status=failed"), "{back}");
    let open = status(&bed, &id).await;
    assert_eq!(open.body["status"], "requires_payment_method");
    let code = &open.body["last_payment_error"]["code"];
    assert_eq!(code, "payment_intent_authentication_failure");
    assert_eq!(bed.state().await["charges"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn the_page_of_a_cancelled_payment_takes_no_money() {
    let bed = Bed::new().await;
    let (id, url) = challenged(&bed, "automatic").await;
    bed.post(&format!("/v1/payment_intents/{id}/cancel"), &[]).await;
    let back = press(&bed, &url, "approve").await;
    assert!(back.ends_with("redirect_status=failed"), "{back}");
    assert_eq!(status(&bed, &id).await.body["status"], "canceled");
}

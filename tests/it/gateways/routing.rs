//! Which gateway takes a payment: rules, reasons, and going on to the next.

use mizan_providers::ProviderName;
use serde_json::json;

use super::bazaar::Bazaar;

#[tokio::test]
async fn a_rule_decides_and_the_reason_is_kept_with_the_attempt() {
    let bazaar = Bazaar::open().await;
    let paid = bazaar.pay(ProviderName::Razorpay, 10_000, false).await;
    let route = &paid.body["attempts"][0]["route"];
    assert_eq!(route["rule"][1], "by_razorpay", "{route:#}");
    assert_eq!(route["considered"][0]["connection"], "razorpay");
    assert_eq!(route["considered"][0]["verdict"], "chosen");
    let stripe =
        route["considered"].as_array().unwrap().iter().find(|it| it["provider"] == "stripe");
    assert_eq!(stripe.unwrap()["reason"], "needs_payment_method", "{route:#}");
}

#[tokio::test]
async fn an_explanation_makes_the_same_decision_and_creates_nothing() {
    let bazaar = Bazaar::open().await;
    let before = bazaar.app.rows().await;
    let path = "/v1/routing/explain?amount=10000&currency=INR&payment_method_type=by_razorpay";
    let told = bazaar.app.get(path).await;
    assert_eq!(told.status, 200, "{:#}", told.body);
    assert_eq!(told.body["connection"], "razorpay");
    assert_eq!(told.body["considered"][0]["circuit"], "closed");
    assert_eq!(bazaar.app.rows().await, before);
    for (query, param) in [
        ("amount=0&currency=INR", "amount"),
        ("amount=1&currency=XXX", "currency"),
        ("amount=1&currency=INR&capture_method=later", "capture_method"),
    ] {
        let refused = bazaar.app.get(&format!("/v1/routing/explain?{query}")).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{:#}", refused.body);
    }
}

#[tokio::test]
async fn a_rule_is_ended_and_never_changed() {
    let bazaar = Bazaar::open().await;
    let rule = bazaar.rule("by_nobody", &["razorpay"]).await;
    let path = format!("/v1/routing/rules/{}/end", rule.id());
    let ended = bazaar.app.post(&path, json!({})).await;
    assert_eq!(ended.status, 200, "{:#}", ended.body);
    assert!(ended.body["valid_until"].is_string());
    let listed = bazaar.app.get("/v1/routing/rules?limit=100").await;
    let rules = listed.body["data"].as_array().unwrap();
    assert!(rules.iter().any(|it| it["id"] == rule.body["id"]), "it stays to be seen");
    for (body, param) in [
        (json!({"name": "x", "connections": ["nowhere"]}), "connections"),
        (json!({"name": "x", "connections": []}), "connections"),
        (json!({"name": "", "connections": ["main"]}), "name"),
        (json!({"name": "x", "connections": ["main"], "amount_min": 1}), "currencies"),
        (json!({"name": "x", "connections": ["main"], "countries": ["uae"]}), "countries"),
        (json!({"name": "x", "connections": ["main"], "priority": 1001}), "priority"),
        (
            json!({"name": "x", "connections": ["main"], "valid_from": "2020-01-01T00:00:00Z"}),
            "valid_from",
        ),
    ] {
        let refused = bazaar.app.post("/v1/routing/rules", body).await;
        assert_eq!((refused.status, refused.text("param")), (400, param), "{:#}", refused.body);
    }
}

#[tokio::test]
async fn what_no_gateway_can_take_is_refused_with_every_reason() {
    let bazaar = Bazaar::open().await;
    let mut body = crate::support_app::order(&[("V1", 5_123)]);
    body["currency"] = json!("AFN");
    body["payment_method_type"] = json!("by_razorpay");
    let id = bazaar.app.create(body).await;
    let refused = bazaar.confirm(&id).await;
    assert!(refused.status == 422 || refused.status == 400, "{:#}", refused.body);
}

#[tokio::test]
async fn a_gateway_that_is_down_is_left_for_the_next_one_and_comes_back() {
    let bazaar = Bazaar::open().await;
    bazaar.rule("gulf", &["paytabs", "telr"]).await;
    bazaar.faults(
        ProviderName::Paytabs,
        "[[rules]]\non = \"create\"\nkind = \"http_429\"\nprobability_percent = 100\n",
    );
    let mut body = crate::support_app::order(&[("V1", 10_000)]);
    body["payment_method_type"] = json!("gulf");
    body["return_url"] = json!("https://shop.example/thanks");
    let id = bazaar.app.create(body).await;
    let reply = bazaar.confirm(&id).await;
    assert_eq!(reply.says(), (200, "requires_action"), "{:#}", reply.body);
    let attempts = reply.body["attempts"].as_array().unwrap();
    let over: Vec<&str> = attempts.iter().map(|it| it["connection"].as_str().unwrap()).collect();
    assert_eq!(over, ["paytabs", "telr"], "{:#}", reply.body);
    bazaar.buyer(ProviderName::Telr, &id, "paid").await;
    bazaar.settle().await;
    bazaar.prove().await;
    let paid = bazaar.app.payment(&id).await;
    assert_eq!(paid.says(), (200, "succeeded"), "{:#}", paid.body);
}

#[tokio::test]
async fn an_outcome_that_is_not_known_never_goes_on_to_another_gateway() {
    let bazaar = Bazaar::open().await;
    bazaar.rule("gulf", &["paytabs", "telr"]).await;
    bazaar.faults(ProviderName::Paytabs, "[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
    let mut body = crate::support_app::order(&[("V1", 10_000)]);
    body["payment_method_type"] = json!("gulf");
    body["return_url"] = json!("https://shop.example/thanks");
    let id = bazaar.app.create(body).await;
    let reply = bazaar.confirm(&id).await;
    assert_eq!(reply.says(), (202, "processing"), "{:#}", reply.body);
    assert_eq!(reply.body["attempts"].as_array().unwrap().len(), 1, "{:#}", reply.body);
    bazaar.settle().await;
    let known = bazaar.app.payment(&id).await;
    assert_eq!(known.body["attempts"].as_array().unwrap().len(), 1, "{:#}", known.body);
    bazaar.prove().await;
}

#[tokio::test]
async fn five_failures_open_a_circuit_and_new_payments_go_elsewhere() {
    let bazaar = Bazaar::open().await;
    bazaar.rule("gulf", &["paytabs", "telr"]).await;
    bazaar.faults(
        ProviderName::Paytabs,
        "[[rules]]\non = \"create\"\nkind = \"down\"\ndelay_s = 3600\n",
    );
    let mut body = crate::support_app::order(&[("V1", 10_000)]);
    body["payment_method_type"] = json!("gulf");
    body["return_url"] = json!("https://shop.example/thanks");
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let id = bazaar.app.create(body.clone()).await;
        assert_eq!(bazaar.confirm(&id).await.says(), (202, "processing"));
        waiting.push(id);
    }
    let id = bazaar.app.create(body.clone()).await;
    let reply = bazaar.confirm(&id).await;
    assert_eq!(reply.body["attempts"][0]["connection"], "telr", "{:#}", reply.body);
    let metrics = bazaar.app.metrics().await;
    assert!(metrics.contains("mizan_gateway_circuit{connection=\"paytabs\"} 2"), "{metrics}");
    bazaar.buyer(ProviderName::Telr, &id, "paid").await;
    bazaar.settle().await;
    bazaar.prove().await;
    let told =
        bazaar.app.get("/v1/routing/explain?amount=1000&currency=AED&payment_method_type=gulf");
    assert_eq!(told.await.body["connection"], "paytabs", "it is back");
    for id in waiting {
        let known = bazaar.app.payment(&id).await;
        assert_eq!(known.body["attempts"].as_array().unwrap().len(), 1, "{:#}", known.body);
        assert_eq!(known.body["next_action"]["type"], "redirect", "it waits for its buyer");
    }
}

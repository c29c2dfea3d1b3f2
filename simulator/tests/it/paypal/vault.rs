//! Saved instruments: in an order, with a setup token, charged, removed.

use serde_json::{Value, json};

use super::{Pal, issue, usd};

fn charge(token: &str, intent: &str) -> Value {
    json!({
        "intent": intent,
        "purchase_units": [{ "custom_id": format!("again-{intent}"), "amount": usd("15.00") }],
        "payment_source": { "paypal": { "vault_id": token } },
    })
}

#[tokio::test]
async fn an_order_saves_the_instrument_and_later_ones_charge_it_at_once() {
    let pal = Pal::new().await;
    let mut body = pal.order_body("CAPTURE", "20.00", "pay-1");
    body["payment_source"]["paypal"]["attributes"] = json!({
        "vault": { "store_in_vault": "ON_SUCCESS" }, "customer": { "id": "cust-1" },
    });
    let order = pal.keyed("/v2/checkout/orders", &body, "new").await.id().to_owned();
    pal.approve(&order).await;
    let taken = pal.capture(&order).await.body;
    let vault = &taken["payment_source"]["paypal"]["attributes"]["vault"];
    assert_eq!((&vault["status"], &vault["customer"]["id"]), (&json!("VAULTED"), &json!("cust-1")));
    let token = vault["id"].as_str().unwrap();

    let charged = pal.keyed("/v2/checkout/orders", &charge(token, "CAPTURE"), "c-1").await;
    assert_eq!((charged.status, &charged.body["status"]), (201, &json!("COMPLETED")));
    let capture = &charged.body["purchase_units"][0]["payments"]["captures"][0];
    assert_eq!((&capture["status"], &capture["amount"]), (&json!("COMPLETED"), &usd("15.00")));
    let held = pal.keyed("/v2/checkout/orders", &charge(token, "AUTHORIZE"), "c-2").await;
    let held = &held.body["purchase_units"][0]["payments"]["authorizations"][0];
    assert_eq!(held["status"], "CREATED");

    let listed = pal.get("/v3/vault/payment-tokens?customer_id=cust-1").await.body;
    assert_eq!(listed["payment_tokens"][0]["id"], token);
    let path = format!("/v3/vault/payment-tokens/{token}");
    let removed = crate::support::read(pal.request("DELETE", &path)).await.unwrap();
    assert_eq!(removed.status, 204);
    assert_eq!(pal.get(&path).await.status, 404);
    let refused = pal.keyed("/v2/checkout/orders", &charge(token, "CAPTURE"), "c-3").await;
    assert_eq!((refused.status, issue(&refused)), (422, "TOKEN_ID_NOT_FOUND"));
    pal.assert_balanced();
}

#[tokio::test]
async fn a_saved_instrument_may_be_refused_later() {
    let pal = Pal::new().await;
    let order = pal.order("CAPTURE", "20.00", "pay-1").await;
    let choice = json!({ "outcome": "paid", "save": true, "reason": "INSTRUMENT_DECLINED" });
    pal.choose(&order, &choice).await;
    let taken = pal.capture(&order).await.body;
    assert_eq!(taken["status"], "COMPLETED");
    let token = taken["payment_source"]["paypal"]["attributes"]["vault"]["id"].as_str().unwrap();
    let before = pal.state().await["orders"].as_array().unwrap().len();
    let refused = pal.keyed("/v2/checkout/orders", &charge(token, "CAPTURE"), "c-1").await;
    assert_eq!((refused.status, issue(&refused)), (422, "INSTRUMENT_DECLINED"));
    assert_eq!(pal.state().await["orders"].as_array().unwrap().len(), before);
}

#[tokio::test]
async fn a_setup_token_becomes_a_payment_token_when_the_buyer_agrees() {
    let pal = Pal::new().await;
    let body = json!({ "payment_source": { "paypal": { "experience_context": {
        "return_url": "https://shop.example/saved", "cancel_url": "https://shop.example/no",
    } } }, "customer": { "id": "cust-2" } });
    let setup = pal.keyed("/v3/vault/setup-tokens", &body, "s-1").await;
    assert_eq!((setup.status, &setup.body["status"]), (201, &json!("PAYER_ACTION_REQUIRED")));
    assert_eq!(setup.body["links"][1]["rel"], "approve");
    let id = setup.id();
    assert_eq!(pal.get(&format!("/v2/checkout/orders/{id}")).await.status, 404);
    let make = json!({ "payment_source": { "token": { "id": id, "type": "SETUP_TOKEN" } } });
    let early = pal.keyed("/v3/vault/payment-tokens", &make, "p-1").await;
    assert_eq!(early.status, 422);
    pal.approve(id).await;
    let read = pal.get(&format!("/v3/vault/setup-tokens/{id}")).await;
    assert_eq!(read.body["status"], "APPROVED");
    let token = pal.keyed("/v3/vault/payment-tokens", &make, "p-1").await;
    assert_eq!((token.status, &token.body["customer"]["id"]), (201, &json!("cust-2")));
    assert_eq!(pal.keyed("/v3/vault/payment-tokens", &make, "p-1").await.id(), token.id());
    assert_eq!(pal.keyed("/v3/vault/payment-tokens", &make, "p-2").await.status, 422, "used up");
    let charged = pal.keyed("/v2/checkout/orders", &charge(token.id(), "CAPTURE"), "c-1").await;
    assert_eq!(charged.body["status"], "COMPLETED");

    let old = pal.keyed("/v3/vault/setup-tokens", &body, "s-2").await;
    pal.clock.advance(3 * 24 * 3600);
    pal.renew().await;
    assert_eq!(pal.get(&format!("/v3/vault/setup-tokens/{}", old.id())).await.status, 404);
    pal.assert_balanced();
}

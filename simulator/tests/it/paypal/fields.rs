//! The objects have the fields of published samples, and no others of the same name mean more.

use serde_json::{Value, json};

use super::{Pal, usd};

/// Every field of the sample is there, with a value of the same kind.
fn has_fields_of(place: &str, ours: &Value, sample: &Value) {
    match (ours, sample) {
        (Value::Object(ours), Value::Object(sample)) => {
            for (name, value) in sample {
                let own = ours.get(name).unwrap_or_else(|| panic!("{place}/{name} is missing"));
                has_fields_of(&format!("{place}/{name}"), own, value);
            }
        }
        (Value::Array(ours), Value::Array(sample)) => {
            if let (Some(own), Some(value)) = (ours.first(), sample.first()) {
                has_fields_of(&format!("{place}/0"), own, value);
            }
        }
        (ours, sample) => {
            let same = std::mem::discriminant(ours) == std::mem::discriminant(sample);
            assert!(same, "{place}: {ours} is not like {sample}");
        }
    }
}

fn sample(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

macro_rules! published {
    ($name:literal) => {
        sample(include_str!(concat!("../../../fixtures/paypal/", $name, ".json")))
    };
}

/// What the samples say of this shop's goods is not here to compare.
fn without_shipping(mut body: Value) -> Value {
    body["purchase_units"][0].as_object_mut().unwrap().remove("shipping");
    body
}

#[tokio::test]
async fn orders_captures_and_refunds_look_as_published() {
    let pal = Pal::new().await;
    let (order, capture) = pal.paid("100.00", "pay-1").await;
    let read = pal.get(&format!("/v2/checkout/orders/{order}")).await.body;
    let captured = published!("capture-order.completed");
    has_fields_of("capture", &read, &without_shipping(captured["response"]["body"].clone()));
    let body = json!({ "amount": usd("12.34"), "invoice_id": "R-1", "note_to_payer": "Sorry" });
    let path = format!("/v2/payments/captures/{capture}/refund");
    let refund = pal.keyed(&path, &body, "back").await.body;
    has_fields_of("refund", &refund, &published!("get-refund")["response"]["body"]);
    let authorised = pal.order("AUTHORIZE", "10.00", "pay-2").await;
    pal.approve(&authorised).await;
    let path = format!("/v2/checkout/orders/{authorised}/authorize");
    let authorised = pal.post(&path, &json!({})).await.body;
    let expected = published!("authorize-order.completed")["response"]["body"].clone();
    has_fields_of("authorisation", &authorised, &without_shipping(expected));
}

#[tokio::test]
async fn payouts_reports_tokens_and_errors_look_as_published() {
    let pal = Pal::new().await;
    let form = [("grant_type", "client_credentials")];
    let token = pal.ask_token(super::CLIENT, super::SECRET, &form).await.body;
    has_fields_of("token", &token, &published!("oauth-token")["response"]["body"]);
    let (_, capture) = pal.paid("100.00", "pay-1").await;
    let much = json!({ "amount": usd("100.01") });
    let refused = pal.post(&format!("/v2/payments/captures/{capture}/refund"), &much).await;
    let expected = published!("error.refund-amount-exceeded")["response"]["body"].clone();
    has_fields_of("error", &refused.body, &expected);
    for name in ["name", "message"] {
        assert_eq!(refused.body[name], expected[name]);
    }
    assert_eq!(refused.body["details"][0]["description"], expected["details"][0]["description"]);

    let published = published!("payouts.create");
    let made = pal.keyed("/v1/payments/payouts", &published["request"]["body"], "p-1").await.body;
    has_fields_of("batch", &made, &published["response"]["body"]);
    let id = made["batch_header"]["payout_batch_id"].as_str().unwrap();
    pal.clock.advance(3 * 3600);
    let items = pal.get(&format!("/v1/payments/payouts/{id}")).await.body["items"].clone();
    has_fields_of("item", &items[0], &published!("payouts-item.success")["response"]["body"]);

    let range = "start_date=2026-05-28T00:00:00Z&end_date=2026-05-29T00:00:00Z";
    let report = pal.get(&format!("/v1/reporting/transactions?{range}")).await.body;
    let mut expected = published!("reporting.transactions")["response"]["body"].clone();
    let row = &mut expected["transaction_details"][0];
    row.as_object_mut().unwrap().remove("payer_info");
    for name in ["insurance", "shipping", "shipping_discount"] {
        let info = row["transaction_info"].as_object_mut().unwrap();
        info.remove(&format!("{name}_amount"));
    }
    for name in ["transaction_subject", "transaction_note"] {
        row["transaction_info"].as_object_mut().unwrap().remove(name);
    }
    has_fields_of("report", &report, &expected);
    pal.post("/_sim/disputes", &json!({ "payment": capture })).await;
    let disputes = pal.get("/v1/customer/disputes").await.body;
    has_fields_of("disputes", &disputes, &published!("disputes.list")["response"]["body"]);
}

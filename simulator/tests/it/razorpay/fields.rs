//! Every field of Razorpay's published objects is there.

use serde_json::{Value, json};

use super::{ACCOUNT_NUMBER, KEY_SECRET, Rzp, webhooks};
use crate::support::Sink;

fn text(name: &str) -> String {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/razorpay");
    std::fs::read_to_string(format!("{dir}/{name}.json")).unwrap()
}

fn sample(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

/// Walks the sample; where both sides have an object, ours must have all its fields, and where
/// both have a list, its first item.
fn check(path: &str, sample: &Value, ours: &Value) {
    if let (Some(sample), Some(ours)) = (sample.get(0), ours.get(0)) {
        return check(path, sample, ours);
    }
    let (Some(sample), Some(ours)) = (sample.as_object(), ours.as_object()) else {
        return;
    };
    for (field, value) in sample {
        let path = format!("{path}.{field}");
        let found = ours.get(field).unwrap_or_else(|| panic!("{path} is missing"));
        // What the caller attached is not part of the shape.
        if !matches!(field.as_str(), "notes" | "linked_account_notes") {
            check(&path, value, found);
        }
    }
}

#[tokio::test]
async fn payments_and_what_comes_of_them_have_the_fields_of_the_published_samples() {
    let rzp = Rzp::new().await;
    let payment = rzp.paid(100_000, "r-1").await;
    let get = async |path: String| rzp.get(&path).await.body;
    check("order", &sample("order.entity"), &get("/v1/orders".to_owned()).await["items"][0]);
    let paid = get(format!("/v1/payments/{payment}")).await;
    check("payment", &sample("payment.captured.card"), &paid);
    let order = rzp.order(5_000, "r-2", "automatic").await;
    let failed = rzp.choose(&order, &json!({ "outcome": "cancelled" })).await;
    let failed = get(format!("/v1/payments/{failed}")).await;
    check("failed payment", &sample("payment.failed.card"), &failed);
    let said = sample("payment.failed.card");
    for field in ["error_code", "error_description", "error_source", "error_step", "error_reason"] {
        assert_eq!(failed[field], said[field], "{field}");
    }
    let one = json!({ "account": "acc_1", "amount": 50_000, "currency": "INR" });
    let path = format!("/v1/payments/{payment}/transfers");
    let transfers = rzp.post(&path, &json!({ "transfers": [one] })).await.body;
    check("transfers", &sample("transfer.from_payment.collection"), &transfers);
    let transfer = transfers["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/transfers/{transfer}/reversals");
    let reversal = rzp.post(&path, &json!({ "amount": 100 })).await.body;
    check("reversal", &sample("transfer.reversal.response"), &reversal);
    let refund = rzp.refund(&payment, &json!({ "amount": 10_000 })).await.body;
    check("refund", &sample("refund.entity"), &refund);
    rzp.post("/_sim/disputes", &json!({ "payment": payment, "amount": 100 })).await;
    let disputes = get("/v1/disputes".to_owned()).await;
    check("dispute", &sample("dispute.entity"), &disputes["items"][0]);
    rzp.post("/_sim/settle", &json!({})).await;
    let settlements = get("/v1/settlements".to_owned()).await;
    check("settlement", &sample("settlement.entity"), &settlements["items"][0]);
    let rows = get("/v1/settlements/recon/combined?year=2026&month=5".to_owned()).await;
    check("recon", &sample("settlement_recon.combined"), &rows);
    for row in sample("settlement_recon.combined")["items"].as_array().unwrap() {
        let mut ours = rows["items"].as_array().unwrap().iter();
        let same = ours.find(|ours| ours["type"] == row["type"]).unwrap();
        check("recon row", row, same);
    }
}

#[tokio::test]
async fn money_that_goes_out_has_the_fields_of_the_published_samples() {
    let rzp = Rzp::with(|config| config.payout_float = 0).await;
    let to = rzp.fund_account().await;
    let account = rzp.get(&format!("/v1/fund_accounts/{to}")).await.body;
    check("fund_account", &sample("fund_account.bank"), &account);
    let contact = account["contact_id"].as_str().unwrap();
    let contact = rzp.get(&format!("/v1/contacts/{contact}")).await.body;
    check("contact", &sample("contact.entity"), &contact);
    let queued = rzp.payout(&rzp.payout_body(&to, 100_000), "payout-1").await.body;
    check("payout", &sample("payout.entity.queued.low_balance"), &queued);
    let said = sample("payout.entity.queued.low_balance");
    assert_eq!(queued["status_details"], said["status_details"]);
    rzp.post("/_sim/topup", &json!({ "amount": 200_000, "currency": "INR" })).await;
    let book = rzp.get(&format!("/v1/transactions?account_number={ACCOUNT_NUMBER}")).await.body;
    let event = sample("webhook.transaction.created.payout");
    let said = &event["payload"]["transaction"]["entity"];
    check("transaction", said, &book["items"][0]);
}

#[tokio::test]
async fn errors_and_events_have_the_shape_of_the_published_samples() {
    let sink = Sink::start().await;
    let rzp = Rzp::with(|config| config.webhook_url = Some(sink.url.clone())).await;
    let payment = rzp.paid(50_000, "r-1").await;
    let path = format!("/v1/payments/{payment}/refund");
    let key = Some(("X-Refund-Idempotency", "refund-key-1"));
    rzp.try_post(&path, &json!({ "amount": 100 }), key).await.unwrap();
    let other = rzp.try_post(&path, &json!({ "amount": 200 }), key).await.unwrap();
    assert_eq!(other.body, sample("error.409.refund_idempotency_mismatch"));
    rzp.sim.deliver_due().await;
    let paid = sink.all().into_iter().find(|event| event.kind() == "order.paid").unwrap();
    let said = sample("webhook.order.paid.card");
    check("event", &said, &paid.event());
    assert_eq!(paid.event()["contains"], said["contains"]);
}

/// The test's own signatures, with which the simulator's are compared, are Razorpay's.
#[test]
fn the_signatures_are_those_of_the_published_libraries() {
    let headers = sample("webhook.order.paid.card.headers");
    let secret = headers["secrets_configured"][0].as_str().unwrap();
    let signature = webhooks::hmac(secret, &text("webhook.order.paid.card"));
    assert_eq!(signature, headers["headers"]["X-Razorpay-Signature"]);
    let checkout = webhooks::hmac("key_secret", "fake_order_id|fake_payment_id");
    assert_eq!(checkout, "b2335e3b0801106b84a7faff035df56ecffde06918c9ddd1f0fafbb37a51cc89");
    assert_ne!(webhooks::hmac(KEY_SECRET, "fake_order_id|fake_payment_id"), checkout);
}

//! Every field and signature of the sample exchanges is there.

use serde_json::{Value, json};

use super::{Pt, SERVER_KEY, hmac};
use crate::support::Sink;

fn sample(name: &str) -> Value {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/paytabs");
    let text = std::fs::read_to_string(format!("{dir}/{name}.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every field of the sample is in ours, as the same kind of value.
fn check(path: &str, sample: &Value, ours: &Value) {
    if let (Some(sample), Some(ours)) = (sample.as_object(), ours.as_object()) {
        for (field, value) in sample {
            let path = format!("{path}.{field}");
            check(&path, value, ours.get(field).unwrap_or_else(|| panic!("{path} is missing")));
        }
    } else {
        let kinds = [sample, ours].map(std::mem::discriminant);
        assert_eq!(kinds[0], kinds[1], "{path}: {sample} and {ours}");
    }
}

fn answer(name: &str) -> Value {
    sample(name)["response"]["body"].clone()
}

/// The sample's body, sent to this simulator.
async fn send(pt: &Pt, name: &str, more: Value) -> Value {
    let mut body = sample(name)["request"]["body"].clone();
    for (field, value) in more.as_object().unwrap() {
        body[field.as_str()] = value.clone();
    }
    let path = sample(name)["request"]["path"].as_str().unwrap().to_owned();
    let sent = pt.post(&path, &body).await;
    assert_eq!(sent.status, 200, "{name}: {}", sent.body);
    check(name, &answer(name), &sent.body);
    sent.body
}

#[tokio::test]
async fn answers_have_the_fields_of_the_samples() {
    let pt = Pt::new().await;
    let made = send(&pt, "create-payment.redirect", json!({})).await;
    let said = answer("create-payment.redirect");
    for field in ["tran_type", "cart_id", "cart_amount", "cart_currency", "profileId"] {
        assert_eq!(made[field], said[field], "{field}");
    }
    let auth = pt.paid("auth", "a-1", json!(200)).await;
    send(&pt, "follow-up.capture-partial", json!({ "tran_ref": auth })).await;
    let other = pt.paid("auth", "a-2", json!(200)).await;
    send(&pt, "follow-up.void", json!({ "tran_ref": other })).await;
    let sale = pt.page("sale", "c-1", json!(101.51), json!({ "tokenise": 2 })).await;
    pt.choose(&sale, json!({ "outcome": "paid" })).await;
    let declined = send(&pt, "follow-up.refund-declined", json!({ "tran_ref": sale })).await;
    let said = answer("follow-up.refund-declined");
    for field in ["response_status", "response_code", "response_message"] {
        assert_eq!(declined["payment_result"][field], said["payment_result"][field], "{field}");
    }
    let knet = pt.page("sale", "c-2", json!(101.51), json!({})).await;
    pt.choose(&knet, json!({ "outcome": "paid", "method": "knet" })).await;
    let body = sample("follow-up.refund-pending")["request"]["body"].clone();
    let pending =
        pt.ask("refund", "c-2-r", body["cart_amount"].clone(), json!({ "tran_ref": knet }));
    let (pending, said) = (pending.await.body, answer("follow-up.refund-pending"));
    for field in ["response_status", "response_code", "response_message"] {
        assert_eq!(pending["payment_result"][field], said["payment_result"][field], "{field}");
    }
    let token = pt.query(&sale).await["token"].clone();
    send(&pt, "token.sale", json!({ "tran_ref": sale, "token": token })).await;
    let same_profile = json!({ "profile_id": super::PROFILE, "tran_ref": sale });
    send(&pt, "query.by-tran-ref", same_profile).await;
    assert_eq!(send(&pt, "query.by-cart-id-none", json!({})).await, json!([]));
    let one = pt.by_cart("c-1").await;
    check("by cart", &answer("query.by-cart-id-single")[0], &one[0]);
}

#[tokio::test]
async fn errors_are_those_of_the_samples() {
    let pt = Pt::new().await;
    pt.page("sale", "c-1", json!(5), json!({})).await;
    let cases = [
        ("error.authentication", json!({ "profile_id": 1 })),
        ("error.duplicate-request", json!({})),
        ("error.invalid-currency", json!({ "cart_currency": "XXX" })),
    ];
    for (name, more) in cases {
        let refused = pt.ask("sale", "c-1", json!(5), more).await;
        let said = sample(name)["response"].clone();
        assert_eq!(json!(refused.status), said["status"], "{name}");
        for field in ["code", "message"] {
            assert_eq!(refused.body[field], said["body"][field], "{name}");
        }
    }
}

#[tokio::test]
async fn messages_have_the_fields_of_the_samples_and_their_codes() {
    let ipn = Sink::start().await;
    let pt = Pt::with(|config| config.webhook_url = Some(ipn.url.clone())).await;
    let auth = pt.paid("auth", "c-1", json!(200)).await;
    pt.follow("capture", &auth, "c-1-c", json!(200)).await;
    let sale = pt.page("sale", "c-2", json!(101.51), json!({ "tokenise": 2 })).await;
    pt.choose(&sale, json!({ "outcome": "held" })).await;
    pt.choose(&sale, json!({ "outcome": "declined", "reason": "316" })).await;
    pt.choose(&sale, json!({ "outcome": "paid" })).await;
    pt.follow("refund", &sale, "c-2-r", json!(40)).await;
    let page = pt.page("sale", "c-3", json!(101.51), json!({})).await;
    pt.choose(&page, json!({ "outcome": "pending", "method": "fawry" })).await;
    pt.clock.advance(3 * 24 * 3_600);
    pt.sim.deliver_due().await;
    let names = [
        "ipn.auth-authorised",
        "",
        "ipn.sale-on-hold",
        "ipn.declined",
        "ipn.sale-visa",
        "ipn.refund",
        "ipn.payment-request-pending",
        "ipn.expired",
    ];
    let all = ipn.all();
    assert_eq!(all.len(), names.len());
    for (name, received) in names.into_iter().zip(all).filter(|(name, _)| !name.is_empty()) {
        let said = sample(name);
        let body = said["message"]["raw_body"].as_str().unwrap();
        // The test's own digest, with which every message is compared, is the sample's.
        assert_eq!(hmac(SERVER_KEY, body), said["message"]["headers"]["signature"], "{name}");
        let (said, ours): (Value, Value) = (serde_json::from_str(body).unwrap(), received.event());
        check(name, &said, &ours);
        assert_eq!(
            (&said["tran_type"], &said["tran_class"]),
            (&ours["tran_type"], &ours["tran_class"])
        );
        for field in ["response_status", "response_message"] {
            assert_eq!(said["payment_result"][field], ours["payment_result"][field], "{name}");
        }
        let code = said["payment_result"]["response_code"].as_str().unwrap();
        if !code.starts_with('G') {
            assert_eq!(ours["payment_result"]["response_code"], code, "{name}");
        }
    }
}

#[test]
fn the_digests_are_the_published_ones() {
    for name in ["return.authorised", "return.cancelled"] {
        let said = sample(name);
        let digest = hmac(SERVER_KEY, said["config"]["canonical_string"].as_str().unwrap());
        let body = said["message"]["raw_body"].as_str().unwrap();
        assert!(body.contains(&format!("&signature={digest}&")), "{name}");
    }
    let body = r#"{"tran_ref":"TST0000000000001","cart_id":"A1","tran_total":"10.50"}"#;
    let digest = "0b2ecf7af9ae74209444d66ea7511a8d5e545a193acfadcbae07078a9baa9a54";
    assert_eq!(hmac(SERVER_KEY, body), digest);
    let digest = "0de317c69b7c524d92f1abc08346c1645336323cc0df7bb86108dd15f8f97f33";
    assert_eq!(hmac(SERVER_KEY, &format!("{body}\n")), digest);
}

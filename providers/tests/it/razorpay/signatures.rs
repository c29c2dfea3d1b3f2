//! Signatures: only the very bytes, under a configured secret.

use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use mizan_providers::razorpay::Razorpay;
use mizan_providers::signature::hmac_sha256_fits;
use mizan_providers::{Headers, Provider, VerifiedDelivery, VerifyError};
use proptest::prelude::*;
use secrecy::SecretString;
use sha2::Sha256;

const SECRET: &str = "webhook_current";
const OLD: &str = "webhook_old";
const BODY: &[u8] = br#"{"entity":"event", "event":"payment.captured","created_at":1567674606}"#;

/// Signs as Razorpay documents it, by hand.
fn sign(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn headers(signature: &str) -> Headers {
    Headers::new().with("X-Razorpay-Signature", signature).with("x-razorpay-event-id", "evt_1")
}

fn verify(
    body: &[u8],
    headers: &Headers,
    secrets: &[&str],
) -> Result<VerifiedDelivery, VerifyError> {
    let secrets: Vec<SecretString> =
        secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    Razorpay::webhook_reader().verify_webhook(body, headers, secrets.as_slice().into(), now)
}

fn refusal(body: &[u8], headers: &Headers, secrets: &[&str]) -> &'static str {
    verify(body, headers, secrets).unwrap_err().code()
}

#[test]
fn the_checkouts_signatures_fit_the_key_secret_and_nothing_else() {
    let text = include_str!("../../../fixtures/razorpay/checkout_signature.vectors.json");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let text = |field: &str| vector[field].as_str().unwrap().to_owned();
        let (order, payment) = (text("order_id"), text("payment_id"));
        let signature = hex::decode(text("razorpay_signature")).unwrap();
        let fits = |secret: String, order: &str| {
            let parts = [order.as_bytes(), b"|", payment.as_bytes()];
            hmac_sha256_fits(&SecretString::from(secret), &parts, &signature)
        };
        assert!(fits(text("key_secret"), &order), "{vector}");
        assert!(!fits("another".to_owned(), &order) && !fits(text("key_secret"), "order_1"));
    }
}

#[test]
fn a_genuine_delivery_is_named_by_its_header_and_has_no_date() {
    let delivery = verify(BODY, &headers(&sign(SECRET, BODY)), &[SECRET]).unwrap();
    assert_eq!(delivery.dedupe_id, "evt_1");
    // Seven years after its event: the scheme has no time to judge by, replays are told by name.
    assert_eq!(delivery.signed_at, None);
}

#[test]
fn a_delivery_without_a_usable_name_is_named_by_its_digest() {
    let bare = || Headers::new().with("X-Razorpay-Signature", sign(SECRET, BODY));
    let long = "x".repeat(256);
    for headers in [
        bare(),
        bare().with("x-razorpay-event-id", ""),
        bare().with("x-razorpay-event-id", "evt 1"),
        bare().with("x-razorpay-event-id", long.as_str()),
        bare().with("x-razorpay-event-id", "evt_1").with("X-Razorpay-Event-Id", "evt_2"),
    ] {
        let name = verify(BODY, &headers, &[SECRET]).unwrap().dedupe_id;
        assert!(name.starts_with("sha256:"), "{name}");
    }
}

#[test]
fn while_a_secret_rotates_events_signed_with_the_old_one_are_believed() {
    let secrets = [SECRET, OLD];
    let index = |secret| verify(BODY, &headers(&sign(secret, BODY)), &secrets).unwrap();
    assert_eq!(index(SECRET).secret_index, 0);
    assert_eq!(index(OLD).secret_index, 1);
}

#[test]
fn forgeries_are_refused_with_a_reason() {
    let good = sign(SECRET, BODY);
    let other = sign("another", BODY);
    let again = serde_json::from_slice::<serde_json::Value>(BODY).unwrap().to_string();
    let padded = format!(" {good}");
    for (body, signature, secrets, expected) in [
        (BODY, good.as_str(), &[][..], "no_secrets"),
        (BODY, &good, &[OLD][..], "no_match"),
        (BODY, &other, &[SECRET, OLD], "no_match"),
        (b"{}", &good, &[SECRET], "no_match"),
        (b"", &good, &[SECRET], "no_match"),
        // Read and written again.
        (again.as_bytes(), &good, &[SECRET], "no_match"),
        (BODY, "", &[SECRET], "malformed_header"),
        (BODY, &good[..62], &[SECRET], "malformed_header"),
        (BODY, &good.to_uppercase(), &[SECRET], "malformed_header"),
        (BODY, &padded, &[SECRET], "malformed_header"),
        (BODY, &"z".repeat(64), &[SECRET], "malformed_header"),
        (BODY, &"a".repeat(5_000), &[SECRET], "malformed_header"),
    ] {
        assert_eq!(refusal(body, &headers(signature), secrets), expected, "{signature}");
    }
    assert_eq!(refusal(BODY, &Headers::new(), &[SECRET]), "missing_header");
    let twice = headers(&good).with("x-razorpay-signature", &good);
    assert_eq!(refusal(BODY, &twice, &[SECRET]), "repeated_header");
    let huge = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(refusal(&huge, &headers(&sign(SECRET, &huge)), &[SECRET]), "body_too_large");
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted(body: Vec<u8>, secret in "[!-~]{1,80}") {
        prop_assert!(verify(&body, &headers(&sign(&secret, &body)), &[&secret]).is_ok());
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        place: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let signed = headers(&sign(SECRET, &body));
        let mut flipped = body.clone();
        flipped[place.index(body.len())] ^= 1 << bit;
        prop_assert!(verify(&flipped, &signed, &[SECRET]).is_err());
    }

    #[test]
    fn any_header_is_refused_without_a_panic(header in "\\PC{0,300}") {
        prop_assert!(verify(BODY, &headers(&header), &[SECRET]).is_err());
    }
}

//! Signatures: only the very bytes, under a configured secret, at about the right time.

use chrono::DateTime;
use hmac::{Hmac, KeyInit, Mac};
use mizan_money::Timestamp;
use mizan_providers::stripe::Stripe;
use mizan_providers::{Headers, Provider, VerifiedDelivery, VerifyError};
use proptest::prelude::*;
use secrecy::SecretString;
use sha2::Sha256;

const SECRET: &str = "whsec_current";
const OLD: &str = "whsec_old";
const NOW: i64 = 1_780_000_000;
const BODY: &[u8] = br#"{"id":"evt_1","object":"event", "type":"payment_intent.succeeded"}"#;

fn at(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// Signs as Stripe documents it, by hand.
fn sign(secret: &str, time: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn header(time: i64, body: &[u8]) -> String {
    format!("t={time},v1={}", sign(SECRET, time, body))
}

fn verify(body: &[u8], header: &str, secrets: &[&str]) -> Result<VerifiedDelivery, VerifyError> {
    let secrets: Vec<SecretString> =
        secrets.iter().map(|secret| SecretString::from(*secret)).collect();
    let headers = Headers::new().with("stripe-signature", header);
    Stripe::webhook_reader().verify_webhook(body, &headers, secrets.as_slice().into(), at(NOW))
}

fn refusal(body: &[u8], header: &str, secrets: &[&str]) -> &'static str {
    verify(body, header, secrets).unwrap_err().code()
}

#[test]
fn a_genuine_delivery_is_named_by_its_event_and_dated_by_its_signature() {
    let delivery = verify(BODY, &header(NOW - 3, BODY), &[SECRET]).unwrap();
    assert_eq!(delivery.dedupe_id, "evt_1");
    assert_eq!(delivery.signed_at, Some(at(NOW - 3)));
}

#[test]
fn a_redelivery_has_another_signature_and_the_same_name() {
    let first = verify(BODY, &header(NOW - 100, BODY), &[SECRET]).unwrap();
    let again = verify(BODY, &header(NOW, BODY), &[SECRET]).unwrap();
    assert_eq!(first.dedupe_id, again.dedupe_id);
}

#[test]
fn bytes_without_an_event_id_are_named_by_their_digest() {
    let name = |body: &[u8]| verify(body, &header(NOW, body), &[SECRET]).unwrap().dedupe_id;
    assert!(name(b"not json").starts_with("sha256:"));
    assert_ne!(name(b"not json"), name(b"not JSON"));
}

#[test]
fn the_window_is_300_seconds_both_ways_and_closed_at_its_ends() {
    for (age, expected) in
        [(300, None), (301, Some("too_old")), (-300, None), (-301, Some("from_the_future"))]
    {
        let said = verify(BODY, &header(NOW - age, BODY), &[SECRET]).err().map(|it| it.code());
        assert_eq!(said, expected, "{age}");
    }
}

#[test]
fn while_a_secret_rotates_either_signature_in_either_place_is_enough() {
    let new = sign(SECRET, NOW, BODY);
    let old = sign(OLD, NOW, BODY);
    let strange = sign("whsec_strange", NOW, BODY);
    for (header, secrets, index) in [
        (format!("t={NOW},v1={new},v1={old}"), vec![SECRET, OLD], 0),
        (format!("t={NOW},v1={old},v1={new}"), vec![SECRET, OLD], 0),
        (format!("t={NOW},v1={old}"), vec![SECRET, OLD], 1),
        (format!("t={NOW},v1={strange},v1={new}"), vec![SECRET], 0),
        (format!("t={NOW},v1={new},v1={strange}"), vec![SECRET], 0),
        (format!("v1={new},t={NOW}"), vec![SECRET], 0),
        (format!("t={NOW},v0={strange},v2=x,v1=zz,v1={new}"), vec![SECRET], 0),
    ] {
        assert_eq!(verify(BODY, &header, &secrets).unwrap().secret_index, index, "{header}");
    }
}

#[test]
fn forgeries_are_refused_with_a_reason() {
    let good = sign(SECRET, NOW, BODY);
    let many = format!(",v1={good}").repeat(17);
    let cases: Vec<(String, &[&str], &str)> = vec![
        (header(NOW, BODY), &[], "no_secrets"),
        (header(NOW, BODY), &[OLD], "no_match"),
        (header(NOW, BODY), &["current"], "no_match"),
        (format!("t={NOW},v0={good}"), &[SECRET], "malformed_header"),
        (format!("v1={good}"), &[SECRET], "malformed_header"),
        (format!("t={NOW},t={NOW},v1={good}"), &[SECRET], "malformed_header"),
        (format!("t=,v1={good}"), &[SECRET], "malformed_header"),
        (format!("t=+{NOW},v1={good}"), &[SECRET], "malformed_header"),
        (format!("t=99999999999999999999,v1={good}"), &[SECRET], "malformed_header"),
        (format!("t={},v1={good}", NOW + 1), &[SECRET], "no_match"),
        (format!("t={NOW},v1={}", &good[..62]), &[SECRET], "no_match"),
        (format!("t={NOW},v1={}", good.to_uppercase()), &[SECRET], "no_match"),
        (format!("t={NOW}{many}"), &[SECRET], "malformed_header"),
        (format!("t={NOW},v1={good},x={}", "y".repeat(4096)), &[SECRET], "malformed_header"),
        (String::new(), &[SECRET], "malformed_header"),
    ];
    for (header, secrets, expected) in cases {
        assert_eq!(refusal(BODY, &header, secrets), expected, "{header}");
    }
}

#[test]
fn a_missing_or_repeated_header_and_a_huge_body_are_refused() {
    let secrets = [SecretString::from(SECRET)];
    let ask = |body: &[u8], headers: &Headers| {
        Stripe::webhook_reader()
            .verify_webhook(body, headers, secrets.as_slice().into(), at(NOW))
            .unwrap_err()
            .code()
    };
    assert_eq!(ask(BODY, &Headers::new()), "missing_header");
    let signed = header(NOW, BODY);
    let twice = Headers::new().with("Stripe-Signature", &signed).with("STRIPE-SIGNATURE", &signed);
    assert_eq!(ask(BODY, &twice), "repeated_header");
    let huge = vec![b' '; 1024 * 1024 + 1];
    let signed = Headers::new().with("Stripe-Signature", header(NOW, &huge));
    assert_eq!(ask(&huge, &signed), "body_too_large");
}

#[test]
fn a_body_that_was_read_and_written_again_is_refused() {
    let value: serde_json::Value = serde_json::from_slice(BODY).unwrap();
    let again = value.to_string();
    assert_ne!(again.as_bytes(), BODY);
    assert_eq!(refusal(again.as_bytes(), &header(NOW, BODY), &[SECRET]), "no_match");
}

proptest! {
    #[test]
    fn what_was_signed_is_accepted(body: Vec<u8>, secret in "[!-~]{1,80}", age in -300_i64..=300) {
        let time = NOW - age;
        let header = format!("t={time},v1={}", sign(&secret, time, &body));
        prop_assert!(verify(&body, &header, &[&secret]).is_ok());
    }

    #[test]
    fn one_flipped_bit_anywhere_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        place: prop::sample::Index,
        bit in 0_u8..8,
    ) {
        let signed = header(NOW, &body);
        let mut flipped = body.clone();
        let at = place.index(body.len());
        flipped[at] ^= 1 << bit;
        prop_assert!(verify(&flipped, &signed, &[SECRET]).is_err());
        let mut mac = sign(SECRET, NOW, &body).into_bytes();
        let at = place.index(mac.len());
        mac[at] = if mac[at] == b'0' { b'1' } else { b'0' };
        let forged = format!("t={NOW},v1={}", String::from_utf8(mac).unwrap());
        prop_assert!(verify(&body, &forged, &[SECRET]).is_err());
    }

    #[test]
    fn a_truncated_or_longer_body_is_refused(
        body in prop::collection::vec(any::<u8>(), 1..200),
        cut: prop::sample::Index,
        more in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let signed = header(NOW, &body);
        prop_assert!(verify(&body[..cut.index(body.len())], &signed, &[SECRET]).is_err());
        let longer = [body.clone(), more].concat();
        prop_assert!(verify(&longer, &signed, &[SECRET]).is_err());
    }

    #[test]
    fn any_header_is_refused_or_accepted_without_a_panic(header in "\\PC{0,300}") {
        prop_assert!(verify(BODY, &header, &[SECRET]).is_err());
    }
}

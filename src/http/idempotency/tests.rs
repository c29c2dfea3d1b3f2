//! What idempotency keys promise, as far as no database is needed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn a_key_is_1_to_255_visible_ascii_characters() {
    for good in ["a", "0197b3c1-d2e4", &"k".repeat(255), "!~"] {
        assert_eq!(IdempotencyKey::parse(good.as_bytes()).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "a\t", "ключ", &"k".repeat(256)] {
        let refusal = IdempotencyKey::parse(bad.as_bytes()).unwrap_err();
        assert_eq!(refusal.code(), Code::IdempotencyKeyInvalid, "{bad}");
    }
    assert!(IdempotencyKey::parse(&[0xff]).is_err());
}

#[test]
fn two_requests_never_run_together_to_one_fingerprint() {
    let of = Fingerprint::of;
    assert_eq!(of("POST", "/v1/a", b"{}"), of("POST", "/v1/a", b"{}"));
    assert_ne!(of("POST", "/v1/a", b"{}"), of("POST", "/v1/a{", b"}"));
    assert_ne!(of("POST", "/v1/a", b"{}"), of("POST", "/v1/a", b"{ }"));
    assert_ne!(of("POST", "/v1/a", b""), of("POST/v1/a", "", b""));
}

#[test]
fn an_answer_that_is_repeated_has_the_same_bytes_and_says_so() {
    let problem = Problem::new(Code::AmountExceedsRest, "52.50 AED are left.");
    let answer = StoredAnswer::refusal(&problem, None).unwrap();
    let (first, again) = (answer.clone().respond(Replay::First), answer.respond(Replay::Again));
    assert_eq!(first.status(), again.status());
    assert_eq!(again.headers()["content-type"], "application/problem+json");
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert!(!first.headers().contains_key("idempotent-replayed"));
}

//! Refusals: which certainly did nothing, and which prove nothing.

use mizan_providers::{Headers, HttpAnswer, Outcome, Prior, Provider};
use serde_json::{Value, json};

use super::shop::{brief, capture, find, parse, parse_after, paytabs, refund, sale, sync};

fn refused(code: impl Into<Value>) -> Value {
    json!({"code": code.into(), "message": "x", "trace": "PMNT0402.1"})
}

#[test]
fn every_refusal_has_its_class() {
    for (op, status, code, expected) in [
        (sale(), 401, 1, "rejected credentials"),
        (sale(), 403, 1, "rejected credentials"),
        (sale(), 400, 1, "rejected credentials"),
        (sale(), 400, 2, "rejected invalid_request"),
        (sale(), 400, 206, "rejected invalid_request"),
        (refund(), 422, 2, "rejected invalid_request"),
        (sale(), 409, 4, "unknown busy"),
        (refund(), 400, 4, "unknown busy"),
        (capture(), 409, 7, "unknown busy"),
        (sale(), 400, 400, "unknown server_error"),
        (sale(), 429, 5, "rejected rate_limited"),
        (sale(), 404, 2, "rejected not_found"),
        (sync(), 404, 2, "unknown not_found"),
        (find(sale()), 404, 2, "unknown not_found"),
        // Whether this says "nothing there" is not documented: nothing is sent again for it.
        (find(sale()), 400, 2, "rejected invalid_request"),
        (sale(), 500, 2, "unknown server_error"),
        (sale(), 408, 2, "unknown server_error"),
        (sale(), 400, 0, "unknown unreadable"),
    ] {
        let said = brief(&parse(&op, status, refused(code).to_string()));
        assert_eq!(said, expected, "{op:?} {status} {code}");
    }
    assert_eq!(brief(&parse(&sale(), 400, refused("206").to_string())), "rejected invalid_request");
    for body in ["", "<html>", "[]", "{}", "null", r#"{"code":null}"#, r#"{"code":{}}"#] {
        for status in [400, 401, 404, 409, 429] {
            assert_eq!(brief(&parse(&sale(), status, body)), "unknown unreadable", "{body}");
        }
    }
}

#[test]
fn after_an_attempt_that_may_have_been_executed_no_refusal_proves_anything() {
    for (status, code) in [(401, 1), (400, 2), (400, 206), (429, 5), (404, 2)] {
        let outcome = parse_after(&refund(), status, &refused(code), Prior::MayHaveExecuted);
        assert_eq!(brief(&outcome), "unknown after_earlier_attempt", "{status}");
    }
    let outcome = parse_after(&sync(), 401, &refused(1), Prior::MayHaveExecuted);
    assert_eq!(brief(&outcome), "rejected credentials");
}

#[test]
fn a_refusal_says_why_when_to_come_back_and_nothing_secret() {
    let body = json!({"code": 5, "message": "card 4111 1111 1111 1111", "trace": "t"}).to_string();
    let headers = Headers::new().with("Retry-After", "7");
    let answer = HttpAnswer::new(429, headers, body);
    let Outcome::Rejected(it) = paytabs().parse(&sale(), &answer) else { panic!() };
    assert_eq!((it.code.as_str(), it.message.as_str()), ("5", "card [card]"));
    assert_eq!(it.retry_after.unwrap().as_secs(), 7);
}

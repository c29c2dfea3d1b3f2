//! Refusals: which did nothing, which prove nothing, and that the HTTP status goes first.

use mizan_providers::Prior;
use serde_json::{Value, json};

use super::shop::{brief, capture, find, parse_after, refund, sale, sync, sync_refund};

fn error(description: &str) -> Value {
    json!({"error": {
        "code": "BAD_REQUEST_ERROR", "description": description, "source": "NA", "step": "NA",
        "reason": "NA", "metadata": {},
    }})
}

fn gateway_error() -> Value {
    json!({"error": {"code": "GATEWAY_ERROR", "description": "The bank did not answer"}})
}

#[test]
fn a_refusal_is_read_by_status_and_then_by_description() {
    let duplicate = "Duplicate request. This request has already been processed.";
    let running = "Request failed because another payment operation is in progress";
    let same_key = "Another request with the same idempotency key is still in progress";
    let other_body = "Different request with the same idempotency key has already been processed.";
    let wrong = "The amount must be an integer.";
    let unknown_id = "The id provided does not exist";
    let poor = "Your account does not have enough balance to carry out the refund operation.";
    for (op, status, text, expected) in [
        (sale(), 400, wrong, "rejected invalid_request"),
        (sale(), 400, duplicate, "unknown after_earlier_attempt"),
        (sale(), 400, "The api key provided is invalid", "rejected credentials"),
        (sale(), 401, "x", "rejected credentials"),
        (sale(), 403, "x", "rejected credentials"),
        (sale(), 429, "Too many requests", "rejected rate_limited"),
        (sale(), 408, "x", "unknown server_error"),
        (sale(), 500, "x", "unknown server_error"),
        (capture(), 400, "This payment has already been captured", "unknown after_earlier_attempt"),
        (capture(), 400, running, "unknown busy"),
        (capture(), 400, unknown_id, "rejected not_found"),
        (refund(), 400, poor, "rejected invalid_request"),
        (refund(), 400, "The payment has been fully refunded already", "rejected invalid_request"),
        (refund(), 409, same_key, "unknown busy"),
        (refund(), 409, "x", "unknown busy"),
        (refund(), 409, other_body, "rejected idempotency_key_reused"),
        (refund(), 404, "x", "rejected not_found"),
        (sync(), 404, "x", "unknown not_found"),
        (find(), 400, unknown_id, "unknown not_found"),
        (sync_refund(), 400, unknown_id, "unknown not_found"),
    ] {
        let said = brief(&parse_after(&op, status, &error(text), Prior::None));
        assert_eq!(said, expected, "{status} {text}");
    }
    let said = brief(&parse_after(&capture(), 400, &gateway_error(), Prior::None));
    assert_eq!(said, "unknown server_error");
}

#[test]
fn after_an_attempt_that_may_have_worked_a_refusal_proves_nothing() {
    let prior = Prior::MayHaveExecuted;
    for op in [sale(), capture(), refund()] {
        for status in [400, 401, 403, 404, 429] {
            let said = brief(&parse_after(&op, status, &error("x"), prior));
            assert_eq!(said, "unknown after_earlier_attempt", "{status} {op:?}");
        }
    }
    let other_body = error("Different request with the same idempotency key was processed");
    assert_eq!(brief(&parse_after(&refund(), 409, &other_body, prior)), "unknown error_inside");
    assert_eq!(brief(&parse_after(&sync(), 401, &error("x"), prior)), "rejected credentials");
}

//! Refusals outside the remote interface: which did nothing, and which prove nothing.

use mizan_providers::Prior;
use serde_json::json;

use super::shop::{
    answered, brief, capture, charge, find, list, parse, parse_after, refund, sale, save, sync,
    sync_refund,
};

fn error(message: &str) -> String {
    json!({"method": "create", "error": {"message": message, "note": "x"}}).to_string()
}

fn rest(code: u16) -> String {
    json!({"code": code, "status": "x", "reason": "Invalid credentials", "errors": []}).to_string()
}

#[test]
fn an_error_inside_is_read_by_its_code() {
    for (op, message, expected) in [
        (sale(), "E56:Duplicate transaction", "rejected invalid_request E56"),
        (save(), "E56:Duplicate transaction", "rejected invalid_request E56"),
        (sale(), "E04:Invalid store ID", "rejected credentials E04"),
        (sale(), "E05:Invalid amount", "rejected invalid_request E05"),
        (sale(), "E78:Time-out", "unknown error_inside"),
        (sale(), "Duplicate transaction", "unknown error_inside"),
        (sale(), "E999:What", "unknown error_inside"),
    ] {
        assert_eq!(answered(&op, &error(message)), expected, "{message}");
    }
    let check = error("E22:Invalid transaction reference").replace("create", "check");
    assert_eq!(answered(&sync(), &check), "unknown not_found");
    let check = error("E01:Invalid key").replace("create", "check");
    assert_eq!(answered(&sync(), &check), "rejected credentials E01");
}

#[test]
fn a_page_that_was_made_before_ends_the_attempt_and_other_refusals_prove_nothing() {
    let again =
        |message| brief(&parse_after(&sale(), 200, &error(message), Prior::MayHaveExecuted));
    assert_eq!(again("E56:Duplicate transaction"), "rejected invalid_request E56");
    assert_eq!(again("E04:Invalid store ID"), "unknown after_earlier_attempt");
    assert_eq!(again("E05:Invalid amount"), "unknown after_earlier_attempt");
}

#[test]
fn the_status_goes_before_the_body() {
    for (op, status, body, expected) in [
        (sale(), 401, rest(401), "rejected credentials 401"),
        (sale(), 403, String::new(), "rejected credentials 403"),
        (capture(), 429, String::new(), "rejected rate_limited 429"),
        (sale(), 422, rest(422), "rejected invalid_request 422"),
        (sale(), 400, "<html>".to_owned(), "unknown unreadable"),
        (refund(), 404, String::new(), "unknown server_error"),
        (refund(), 500, error("E04:x"), "unknown server_error"),
        (charge(), 502, "<html>".to_owned(), "unknown server_error"),
        (sync(), 401, rest(401), "rejected credentials 401"),
        (sync_refund(), 404, String::new(), "unknown server_error"),
        (list(None, None), 404, String::new(), "unknown server_error"),
        // What a search is refused says nothing about what was searched for.
        (find(refund()), 403, String::new(), "unknown error_inside"),
        (find(refund()), 429, String::new(), "unknown error_inside"),
        (find(refund()), 404, String::new(), "unknown server_error"),
    ] {
        assert_eq!(brief(&parse(&op, status, body)), expected, "{status} {op:?}");
    }
    for status in [400, 401, 403, 429, 500] {
        let said = parse_after(&refund(), status, &rest(status), Prior::MayHaveExecuted);
        assert!(brief(&said).starts_with("unknown"), "{status}");
    }
}

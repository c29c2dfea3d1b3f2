//! Refusals: by status, by issue, and by what is known of earlier attempts.

use mizan_providers::{DeclineKind, Headers, HttpAnswer, Operation, Outcome, Prior, Provider};
use serde_json::{Value, json};

use super::shop::{
    CAPTURE, ORDER, brief, capture, find_refund, forget, hold, parse, parse_after, payout, paypal,
    reference, refund, sale, sync, sync_refund, sync_saved, take, void,
};

fn refused(name: &str, issues: &[&str]) -> Value {
    let issues: Vec<Value> = issues.iter().map(|issue| json!({"issue": issue})).collect();
    json!({"name": name, "message": "No.", "debug_id": "9095", "details": issues, "links": []})
}

fn issue(issue: &str) -> Value {
    refused("UNPROCESSABLE_ENTITY", &[issue])
}

fn told(op: &Operation, status: u16, body: &Value) -> String {
    brief(&parse(op, status, body.to_string()))
}

#[test]
fn every_status_has_its_class() {
    for (op, status, name, expected) in [
        (sale(), 400, "INVALID_REQUEST", "rejected invalid_request"),
        (sale(), 401, "AUTHENTICATION_FAILURE", "rejected credentials"),
        (sale(), 403, "NOT_AUTHORIZED", "rejected credentials"),
        (take(), 404, "RESOURCE_NOT_FOUND", "rejected not_found"),
        (sync(), 404, "RESOURCE_NOT_FOUND", "unknown not_found"),
        (sync_refund(), 404, "RESOURCE_NOT_FOUND", "unknown not_found"),
        (find_refund(), 404, "RESOURCE_NOT_FOUND", "unknown not_found"),
        (sale(), 408, "TIMEOUT", "unknown server_error"),
        (take(), 409, "RESOURCE_CONFLICT", "unknown busy"),
        (sale(), 415, "UNSUPPORTED_MEDIA_TYPE", "rejected invalid_request"),
        (take(), 422, "UNPROCESSABLE_ENTITY", "rejected invalid_request"),
        (take(), 429, "RATE_LIMIT_REACHED", "rejected rate_limited"),
        (take(), 500, "INTERNAL_SERVER_ERROR", "unknown server_error"),
        (take(), 503, "SERVICE_UNAVAILABLE", "unknown server_error"),
    ] {
        assert_eq!(told(&op, status, &refused(name, &[])), expected, "{status} {name}");
    }
    // The token endpoint has an envelope of its own.
    let grant = json!({"error": "invalid_client", "error_description": "No."});
    assert_eq!(told(&sale(), 401, &grant), "rejected credentials");
    assert_eq!(told(&sale(), 400, &grant), "rejected credentials");
}

#[test]
fn every_issue_has_its_class() {
    for (op, word, expected) in [
        (take(), "ORDER_ALREADY_CAPTURED", "unknown error_inside"),
        (hold(), "ORDER_ALREADY_AUTHORIZED", "unknown error_inside"),
        (take(), "ORDER_COMPLETED_OR_VOIDED", "unknown error_inside"),
        (capture(), "AUTHORIZATION_ALREADY_CAPTURED", "unknown error_inside"),
        (capture(), "AUTHORIZATION_EXPIRED", "unknown error_inside"),
        (capture(), "AUTHORIZATION_VOIDED", "unknown error_inside"),
        (void(), "PREVIOUSLY_VOIDED", "unknown error_inside"),
        (void(), "PREVIOUSLY_CAPTURED", "unknown error_inside"),
        (refund(), "DUPLICATE_INVOICE_ID", "unknown error_inside"),
        (take(), "SOMETHING_ALREADY_DONE", "unknown error_inside"),
        (payout(), "Batch with given sender_batch_id already exists", "unknown error_inside"),
        (take(), "ORDER_COMPLETION_IN_PROGRESS", "unknown busy"),
        (take(), "ORDER_NOT_APPROVED", "rejected invalid_request"),
        (take(), "PAYER_ACTION_REQUIRED", "rejected invalid_request"),
        (take(), "INSTRUMENT_DECLINED", "declined INSTRUMENT_DECLINED"),
        (take(), "TRANSACTION_REFUSED", "declined TRANSACTION_REFUSED"),
        (take(), "PAYER_CANNOT_PAY", "declined PAYER_CANNOT_PAY"),
        (take(), "PAYER_ACCOUNT_RESTRICTED", "declined PAYER_ACCOUNT_RESTRICTED"),
        (take(), "COMPLIANCE_VIOLATION", "declined COMPLIANCE_VIOLATION"),
        (take(), "ORDER_EXPIRED", "declined ORDER_EXPIRED"),
        (take(), "PAYEE_ACCOUNT_RESTRICTED", "rejected credentials"),
        (hold(), "AUTH_CAPTURE_NOT_ENABLED", "rejected credentials"),
        (capture(), "MAX_CAPTURE_AMOUNT_EXCEEDED", "rejected invalid_request"),
        (refund(), "CAPTURE_FULLY_REFUNDED", "rejected invalid_request"),
        (refund(), "REFUND_TIME_LIMIT_EXCEEDED", "rejected invalid_request"),
        (refund(), "TRANSACTION_DISPUTED", "rejected invalid_request"),
        (sync_saved(), "SETUP_TOKEN_NOT_TOKENIZED", "unknown error_inside"),
        (take(), "A_NEW_ISSUE", "rejected invalid_request"),
    ] {
        assert_eq!(told(&op, 422, &issue(word)), expected, "{word}");
    }
}

#[test]
fn of_several_issues_the_gravest_counts() {
    let name = "UNPROCESSABLE_ENTITY";
    let both = ["INSTRUMENT_DECLINED", "ORDER_ALREADY_CAPTURED"];
    assert_eq!(told(&take(), 422, &refused(name, &both)), "unknown error_inside");
    let both = ["A_NEW_ISSUE", "TRANSACTION_REFUSED"];
    assert_eq!(told(&take(), 422, &refused(name, &both)), "declined TRANSACTION_REFUSED");
}

#[test]
fn a_decline_names_what_can_be_tried_again() {
    let parse = |op: &Operation, word| parse(op, 422, issue(word).to_string());
    let Outcome::Declined(soft) = parse(&take(), "INSTRUMENT_DECLINED") else { panic!() };
    assert_eq!((soft.kind, soft.provider_ref), (DeclineKind::Soft, Some(reference(ORDER))));
    assert_eq!(soft.message, "No. (debug id 9095)");
    let Outcome::Declined(hard) = parse(&take(), "COMPLIANCE_VIOLATION") else { panic!() };
    assert_eq!(hard.kind, DeclineKind::Hard);
    let Outcome::Declined(of_a_hold) = parse(&capture(), "TRANSACTION_REFUSED") else { panic!() };
    assert_ne!(of_a_hold.charge_ref, Some(reference(CAPTURE)));
}

#[test]
fn after_an_attempt_that_may_have_been_executed_no_refusal_proves_anything() {
    for (op, status, body) in [
        (sale(), 400, issue("A_NEW_ISSUE")),
        (take(), 401, refused("AUTHENTICATION_FAILURE", &[])),
        (take(), 404, refused("RESOURCE_NOT_FOUND", &[])),
        (take(), 422, issue("INSTRUMENT_DECLINED")),
        (take(), 422, issue("ORDER_NOT_APPROVED")),
        (refund(), 422, issue("CAPTURE_FULLY_REFUNDED")),
        (refund(), 429, refused("RATE_LIMIT_REACHED", &[])),
    ] {
        let said = brief(&parse_after(&op, status, &body, Prior::MayHaveExecuted));
        assert_eq!(said, "unknown after_earlier_attempt", "{body}");
    }
    let body = refused("RESOURCE_NOT_FOUND", &[]);
    let gone = parse_after(&forget(), 404, &body, Prior::MayHaveExecuted);
    assert_eq!(brief(&gone), "rejected not_found");
    let asked = parse_after(&sync(), 401, &body, Prior::MayHaveExecuted);
    assert_eq!(brief(&asked), "rejected credentials");
}

#[test]
fn a_refusal_without_paypals_envelope_is_unknown() {
    for status in [400, 401, 403, 404, 409, 422, 429] {
        for body in ["", "<html>Denied</html>", "null", "[]", "{}", "\"name\""] {
            assert_eq!(
                brief(&parse(&take(), status, body)),
                "unknown unreadable",
                "{status} {body}"
            );
        }
    }
}

#[test]
fn the_wait_that_was_asked_for_is_kept_and_no_secret_is() {
    let headers = Headers::new().with("Retry-After", "7");
    let body = refused("RATE_LIMIT_REACHED", &[]).to_string();
    let Outcome::Rejected(it) = paypal().parse(&take(), &HttpAnswer::new(429, headers, body))
    else {
        panic!()
    };
    assert_eq!(it.retry_after.map(|wait| wait.as_secs()), Some(7));
    let mut body = issue("A_NEW_ISSUE");
    body["details"][0]["description"] = json!("card 4111 1111 1111 1111 refused");
    let Outcome::Rejected(it) = parse(&take(), 422, body.to_string()) else { panic!() };
    assert_eq!(it.message, "card [card] refused (debug id 9095)");
}

//! Answers of the remote interface, in its three formats.

use mizan_providers::{CaptureMethod, Outcome, Prior};
use serde_json::json;

use super::shop::{
    CART, FOLLOW_UP, ORDER, REFUND_CART, TRAN, answered, asked, brief, capture, card, charge,
    charge_by, money, parse, parse_after, reference, refund, remote, void,
};

const MADE: &str = "040026532300";

#[test]
fn a_letter_means_what_the_operation_makes_of_it() {
    for (op, cart, letter, expected) in [
        (capture(), FOLLOW_UP, "A", "done captured"),
        (capture(), CART, "A", "done captured"),
        (capture(), FOLLOW_UP, "H", "pending processing"),
        (void(), FOLLOW_UP, "A", "done cancelled"),
        (void(), FOLLOW_UP, "P", "pending processing"),
        (refund(), REFUND_CART, "A", "done succeeded"),
        (refund(), CART, "A", "done succeeded"),
        (refund(), REFUND_CART, "H", "pending pending"),
        (charge(), CART, "A", "done captured"),
        (charge_by(CaptureMethod::Manual), CART, "A", "done authorised"),
        (charge(), CART, "H", "pending processing"),
        (refund(), REFUND_CART, "Z", "unknown unknown_status"),
        (refund(), REFUND_CART, "a", "unknown unknown_status"),
    ] {
        assert_eq!(answered(&op, &remote(letter, "1", MADE, cart)), expected, "{op:?} {letter}");
    }
}

#[test]
fn a_capture_tells_what_was_taken_and_what_a_refund_names() {
    let outcome = parse(&capture(), 200, remote("A", "078252", MADE, FOLLOW_UP));
    let answer = outcome.answer().unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("4001/1/2"));
    let facts = answer.payment().unwrap();
    assert_eq!((facts.amount, facts.captured), (asked(), money(2_000, "AED")));
    assert!(facts.capturable.is_zero());
    assert_eq!(facts.provider_ref, reference(ORDER));
    assert_eq!(facts.charge_ref, Some(reference(MADE)));
}

#[test]
fn a_charge_of_a_saved_card_is_known_by_its_transaction() {
    let outcome = parse(&charge(), 200, remote("A", "078252", MADE, CART));
    let facts = outcome.answer().unwrap().payment().unwrap();
    assert_eq!(facts.provider_ref, reference(MADE));
    assert_eq!(facts.charge_ref, Some(reference(MADE)));
    assert_eq!((facts.captured, facts.instrument.clone()), (asked(), Some(card())));
}

#[test]
fn the_other_formats_say_the_same() {
    let form = "auth_status=A&auth_code=078252&auth_message=Accepted&auth_tranref=040026532300";
    let in_json = |kind: &str| {
        let tran = json!({"ref": MADE, "type": kind, "class": "ecom", "status": "A"});
        json!({"transaction": tran, "trace": "1"}).to_string()
    };
    assert_eq!(answered(&refund(), form), "done succeeded");
    assert_eq!(answered(&capture(), form), "done captured");
    assert_eq!(answered(&refund(), &in_json("refund")), "done succeeded");
    assert_eq!(answered(&void(), &in_json("Release")), "done cancelled");
    assert_eq!(answered(&refund(), &in_json("sale")), "mismatch type");
    let failed = json!({"error": {"message": "E22:Invalid transaction reference"}}).to_string();
    assert_eq!(answered(&refund(), &failed), "rejected not_found E22");
}

#[test]
fn an_acceptance_without_a_transaction_or_of_another_thing_is_none() {
    for tran in ["", "000000000000", "abc", "../1"] {
        assert_eq!(answered(&refund(), &remote("A", "1", tran, REFUND_CART)), "unknown unreadable");
    }
    let other = format!("re_{}-000000000004", "f".repeat(32));
    assert_eq!(answered(&refund(), &remote("A", "1", MADE, &other)), "mismatch reference");
    assert_eq!(answered(&refund(), &remote("A", "1", MADE, "abc123")), "mismatch reference");
    assert_eq!(answered(&capture(), &remote("A", "1", MADE, REFUND_CART)), "mismatch reference");
    for body in [
        "<html><auth><status>A</status></auth></html>",
        "<remote><status>A</status><tranref>1</tranref></remote>",
        "<remote><auth><tranref>040026532300</tranref></auth></remote>",
        "auth_tranref=040026532300",
        "{\"transaction\":{\"ref\":\"040026532300\"}}",
        "A",
        "",
    ] {
        assert_eq!(answered(&refund(), body), "unknown unreadable", "{body}");
    }
}

#[test]
fn a_refusal_is_read_by_letter_and_code() {
    for (op, letter, code, expected) in [
        (refund(), "E", "35", "rejected invalid_request 35"),
        (refund(), "E", "29", "rejected invalid_request 29"),
        (refund(), "E", "22", "rejected not_found 22"),
        (refund(), "E", "04", "rejected credentials 04"),
        (refund(), "D", "31", "declined 31 soft"),
        (refund(), "D", "999", "declined 999 soft"),
        (refund(), "E", "999", "unknown error_inside"),
        (refund(), "E", "", "unknown error_inside"),
        (refund(), "E", "78", "unknown error_inside"),
        (refund(), "D", "99", "unknown error_inside"),
        (refund(), "E", "56", "unknown after_earlier_attempt"),
        (void(), "E", "26", "unknown after_earlier_attempt"),
        (capture(), "D", "122", "unknown after_earlier_attempt"),
        (charge(), "D", "41", "declined 41 soft"),
        (charge(), "D", "46", "declined 46 soft"),
        (charge(), "D", "31", "declined 31 hard"),
        (charge(), "E", "57", "rejected invalid_request 57"),
        (charge(), "E", "56", "unknown after_earlier_attempt"),
    ] {
        let body = remote(letter, code, "000000000000", "");
        assert_eq!(answered(&op, &body), expected, "{letter} {code}");
        let again = parse_after(&op, 200, &body, Prior::MayHaveExecuted);
        assert!(matches!(again, Outcome::Unknown(_)), "{letter} {code}: {}", brief(&again));
    }
    let form = "auth_status=D&auth_code=41&auth_message=Insufficient+funds&auth_tranref=0";
    let Outcome::Declined(it) = parse(&charge(), 200, form) else { panic!() };
    assert_eq!(
        (it.decline_code.as_deref(), it.message.as_str()),
        (Some("41"), "Insufficient funds")
    );
    assert_eq!(TRAN.len(), 12);
}

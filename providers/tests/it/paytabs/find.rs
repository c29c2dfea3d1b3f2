//! What is looked for by our reference: the one transaction of the operation, or nothing.

use mizan_providers::{Outcome, Presence};
use serde_json::{Value, json};

use super::shop::{
    BACK, PAGE, answered, capture, charge, find, follows, hold, page, paid, parse, reference,
    refund, sale, told, void, with,
};

fn found(op: mizan_providers::Operation, list: &[Value]) -> String {
    answered(&find(op), &Value::from(list.to_vec()))
}

#[test]
fn what_is_found_is_the_answer_to_the_operation() {
    for (op, list, expected) in [
        (sale(), vec![], "unknown not_found"),
        (refund(), vec![], "unknown not_found"),
        (sale(), vec![paid("Sale", "A")], "done captured"),
        (sale(), vec![page("Sale")], "done requires_action"),
        (sale(), vec![paid("Sale", "D")], "declined not_authorised"),
        (sale(), vec![paid("Sale", "Z")], "unknown unknown_status"),
        (hold(), vec![paid("Auth", "A")], "done authorised"),
        (hold(), vec![paid("Sale", "A")], "mismatch tran_type"),
        (capture(), vec![follows("Capture", "A")], "done captured"),
        (void(), vec![follows("Void", "A")], "done cancelled"),
        (refund(), vec![follows("Refund", "A")], "done succeeded"),
        (refund(), vec![follows("Refund", "P")], "pending pending"),
        (refund(), vec![follows("Refund", "D")], "declined not_authorised"),
        (sale(), vec![with(paid("Sale", "A"), "cart_amount", json!("1"))], "mismatch amount"),
        (sale(), vec![with(paid("Sale", "A"), "cart_id", json!("x"))], "mismatch reference"),
    ] {
        assert_eq!(found(op.clone(), &list), expected, "{op:?} {list:?}");
    }
    assert_eq!(answered(&find(sale()), &paid("Sale", "A")), "unknown unreadable");
    let error = json!({"code": 2, "message": "x"});
    assert_eq!(answered(&find(sale()), &error), "unknown error_inside");
}

#[test]
fn what_the_panel_did_with_the_same_reference_is_not_taken_for_ours() {
    let panel = |kind| with(follows(kind, "A"), "cart_id", paid("Sale", "A")["cart_id"].clone());
    assert_eq!(found(sale(), &[paid("Sale", "A"), panel("Refund")]), "done captured");
    assert_eq!(found(hold(), &[panel("Capture"), paid("Auth", "A")]), "done authorised");
    assert_eq!(found(sale(), &[panel("Refund")]), "unknown not_found");
    assert_eq!(found(capture(), &[paid("Sale", "A")]), "unknown not_found");
}

#[test]
fn a_failed_try_does_not_hide_the_one_that_went_through_and_two_are_one_too_many() {
    let again = |letter| with(paid("Sale", letter), "tran_ref", json!(BACK));
    assert_eq!(found(sale(), &[again("D"), paid("Sale", "A")]), "done captured");
    assert_eq!(found(sale(), &[paid("Sale", "A"), again("E")]), "done captured");
    assert_eq!(found(sale(), &[paid("Sale", "D"), again("D")]), "declined not_authorised");
    assert_eq!(found(sale(), &[paid("Sale", "A"), again("A")]), "unknown unreadable");
    assert_eq!(found(sale(), &[paid("Sale", "A"), again("Z")]), "unknown unreadable");
}

#[test]
fn cash_that_was_paid_is_known_by_the_page() {
    let mut cash = told("Sale", "A", BACK, paid("Sale", "A")["cart_id"].as_str().unwrap());
    cash["previous_tran_ref"] = json!(PAGE);
    cash["payment_info"] = json!({"payment_method": "Fawry"});
    let list = json!([paid("Payment Request", "P"), cash]);
    let Outcome::Done(answer) = parse(&find(sale()), 200, list.to_string()) else { panic!() };
    let facts = answer.payment().unwrap();
    assert_eq!(facts.provider_ref, reference(PAGE));
    assert_eq!(facts.charge_ref, Some(reference(BACK)));
}

#[test]
fn a_page_that_nobody_saw_was_not_tried_and_a_charge_without_a_result_is_unknown() {
    let mut bare = paid("Sale", "A");
    bare.as_object_mut().unwrap().remove("payment_result");
    assert_eq!(found(sale(), &[bare.clone()]), "done created");
    assert_eq!(found(charge(Presence::OffSession), &[bare]), "unknown unexpected_status");
}

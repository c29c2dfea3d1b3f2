//! Answers: total, never a success by mistake, and compared with what was asked.

use mizan_providers::{
    DeclineKind, Headers, HttpAnswer, NextAction, Operation, Outcome, Presence, Provider, Subject,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shop::{
    BACK, CREATED, PAGE, REFUNDED, SAVED, TAKEN, TOKEN, all_operations, answered, asked, brief,
    capture, capture_of, charge, confirm, find, follows, hold, money, our_payment, our_refund,
    page, paid, parse, paytabs, reference, refund, remove, sale, save, sync, sync_instrument,
    sync_of, sync_refund, told, void, void_of, with, with_code,
};

#[test]
fn every_status_of_a_payment_means_what_it_must_for_the_operation_that_asked() {
    let off = charge(Presence::OffSession);
    for (op, body, expected) in [
        (sale(), page("Sale"), "done requires_action"),
        (sale(), paid("Sale", "A"), "done captured"),
        (sale(), paid("Sale", "H"), "pending processing"),
        (sale(), paid("Sale", "P"), "pending processing"),
        (sale(), paid("Payment Request", "P"), "pending processing"),
        (sale(), paid("Sale", "D"), "declined not_authorised"),
        (sale(), with_code(paid("Sale", "C"), "321"), "declined cancelled_by_buyer"),
        (sale(), with_code(paid("Sale", "E"), "400"), "unknown unknown_status"),
        (sale(), paid("Sale", "Z"), "unknown unknown_status"),
        (sale(), paid("Sale", "V"), "unknown unknown_status"),
        (sale(), paid("Payment Request", "A"), "unknown unknown_status"),
        (sale(), paid("Auth", "A"), "mismatch tran_type"),
        (hold(), paid("Auth", "A"), "done authorised"),
        (hold(), paid("Sale", "A"), "mismatch tran_type"),
        (off.clone(), paid("Sale", "A"), "done captured"),
        (off.clone(), with_code(paid("Sale", "D"), "316"), "declined insufficient_funds"),
        (off, page("Sale"), "done requires_action"),
        (capture(), follows("Capture", "A"), "done captured"),
        (capture(), follows("Capture", "P"), "pending processing"),
        (capture(), follows("Capture", "D"), "declined not_authorised"),
        (capture(), follows("Capture", "H"), "unknown unknown_status"),
        (capture(), paid("Sale", "A"), "mismatch tran_type"),
        (void(), follows("Void", "A"), "done cancelled"),
        (void(), follows("Void", "D"), "declined not_authorised"),
        (void(), follows("Release", "A"), "mismatch tran_type"),
        (void_of(asked(), true), follows("Release", "A"), "done cancelled"),
        (sync(), paid("Sale", "A"), "done captured"),
        (sync(), paid("Auth", "A"), "done authorised"),
        (sync(), paid("Auth", "V"), "done cancelled"),
        (sync(), paid("Sale", "D"), "done failed"),
        (sync(), paid("Sale", "X"), "done cancelled"),
        (sync(), paid("Sale", "Z"), "unknown unknown_status"),
        (sync_of(Some(TAKEN)), follows("Capture", "A"), "done captured"),
        (confirm(), paid("Sale", "A"), "unknown unreadable"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{op:?} {body}");
    }
}

#[test]
fn every_status_of_a_refund_or_a_saving_means_what_it_must() {
    let register = |letter| with(told("Register", letter, PAGE, SAVED), "token", json!(TOKEN));
    let saving = || Operation::SaveInstrument(save());
    let open = with(page("Register"), "cart_id", json!(SAVED));
    for (op, body, expected) in [
        (refund(), follows("Refund", "A"), "done succeeded"),
        (refund(), follows("Refund", "P"), "pending pending"),
        (refund(), follows("Refund", "D"), "declined not_authorised"),
        (refund(), follows("Refund", "Z"), "unknown unknown_status"),
        (refund(), follows("Capture", "A"), "unknown unknown_status"),
        (sync_refund(), follows("Refund", "P"), "done pending"),
        (sync_refund(), follows("Refund", "D"), "done failed"),
        (sync_refund(), follows("Refund", "C"), "done cancelled"),
        (saving(), open.clone(), "done requires_action"),
        (saving(), register("P"), "pending processing"),
        (saving(), register("D"), "declined not_authorised"),
        (sync_instrument(), open, "done requires_action"),
        (sync_instrument(), register("A"), "done active"),
        (sync_instrument(), register("D"), "done failed"),
        (sync_instrument(), register("Z"), "unknown unknown_status"),
        (sync_instrument(), told("Register", "A", PAGE, SAVED), "unknown unreadable"),
        (sync_instrument(), paid("Sale", "A"), "unknown unknown_status"),
        (remove(), json!({"code": 0, "message": "Token deleted", "trace": "t"}), "done removed"),
        (remove(), json!({"code": 2, "message": "x"}), "unknown error_inside"),
        (remove(), json!({"message": "x"}), "unknown unreadable"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{op:?} {body}");
    }
}

#[test]
fn a_page_is_known_by_its_transaction_and_sends_the_customer_there() {
    let outcome = parse(&sale(), 200, page("Sale").to_string());
    let answer = outcome.answer().unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("PMNT0404.1"));
    let facts = answer.payment().unwrap();
    assert_eq!((&facts.provider_ref, &facts.charge_ref), (&reference(PAGE), &None));
    assert_eq!(facts.reference, our_payment().parse().ok());
    let url = "https://secure.paytabs.com/payment/page/599B".to_owned();
    assert_eq!(facts.next_action, Some(NextAction::Redirect { url }));
}

#[test]
fn a_capture_of_a_part_tells_the_payment_the_part_and_the_rest() {
    let part = money(8_000, "AED");
    let mut body = with(follows("Capture", "A"), "cart_amount", json!("80.00"));
    body["tran_total"] = json!("80");
    let outcome = parse(&Operation::Capture(capture_of(part)), 200, body.to_string());
    let facts = outcome.answer().unwrap().payment().unwrap().clone();
    assert_eq!((facts.provider_ref, facts.charge_ref), (reference(PAGE), Some(reference(TAKEN))));
    assert_eq!((facts.amount, facts.captured), (asked(), part));
    assert_eq!(facts.capturable, money(12_000, "AED"));
    let outcome = parse(&sync_of(Some(TAKEN)), 200, body.to_string());
    let facts = outcome.answer().unwrap().payment().unwrap().clone();
    assert_eq!((facts.provider_ref, facts.amount), (reference(PAGE), asked()));
    assert_eq!(facts.captured, part);
}

#[test]
fn a_kept_instrument_is_told_with_what_first_proved_it() {
    let body = with(paid("Sale", "A"), "token", json!(TOKEN));
    let kept = |op: &Operation, body: &Value| {
        let outcome = parse(op, 200, body.to_string());
        outcome.answer().unwrap().payment().unwrap().instrument.clone().unwrap()
    };
    let fresh = kept(&sync(), &body);
    assert_eq!((fresh.token, fresh.first_charge), (reference(TOKEN), Some(reference(PAGE))));
    let body = with(body, "previous_tran_ref", json!("TST2502902213573"));
    let again = kept(&charge(Presence::OffSession), &body);
    assert_eq!(again.first_charge, Some(reference("TST2502902213573")));
    let register = with(told("Register", "A", PAGE, SAVED), "token", json!(TOKEN));
    let outcome = parse(&sync_instrument(), 200, register.to_string());
    let Subject::Instrument(it) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!(it.instrument.as_ref().unwrap().token, reference(TOKEN));
}

#[test]
fn a_refund_names_itself_its_payment_and_what_it_follows() {
    let outcome = parse(&refund(), 200, follows("Refund", "P").to_string());
    let facts = outcome.answer().unwrap().refund().unwrap().clone();
    assert_eq!((facts.provider_ref, facts.amount), (reference(BACK), asked()));
    let names = (facts.payment_ref, facts.charge_ref);
    assert_eq!(names, (Some(reference(PAGE)), Some(reference(TAKEN))));
    assert_eq!(facts.reference, our_refund().parse().ok());
    let Outcome::Declined(it) = parse(&refund(), 200, follows("Refund", "D").to_string()) else {
        panic!()
    };
    assert_eq!((it.kind, it.provider_ref), (DeclineKind::Hard, Some(reference(BACK))));
    assert_eq!(it.decline_code.as_deref(), Some("300"));
}

#[test]
fn an_echo_that_disagrees_is_a_mismatch_and_never_a_success() {
    let taken = paid("Sale", "A");
    let part = follows("Capture", "A");
    let back = follows("Refund", "A");
    let other = CREATED.replace("0001-", "0009-");
    for (op, body, expected) in [
        (sale(), with(page("Sale"), "cart_amount", json!("200.01")), "mismatch amount"),
        (sale(), with(page("Sale"), "cart_currency", json!("USD")), "mismatch currency"),
        (sale(), with(page("Sale"), "cart_id", json!("CART#1001")), "mismatch reference"),
        (sale(), with(page("Sale"), "cart_id", json!(other)), "mismatch reference"),
        (sale(), with(page("Sale"), "profileId", json!(1)), "mismatch profile_id"),
        (sale(), with(taken.clone(), "tran_total", json!("199.99")), "mismatch captured"),
        (sale(), with(taken.clone(), "tran_currency", json!("EGP")), "mismatch currency"),
        (hold(), with(paid("Auth", "A"), "tran_total", json!("1")), "mismatch capturable"),
        (sync(), with(taken.clone(), "tran_ref", json!("TST9")), "mismatch provider_ref"),
        (sync(), with(taken.clone(), "cart_id", json!(other)), "mismatch reference"),
        (sync(), with(taken.clone(), "cart_id", json!("x")), "mismatch reference"),
        (sync(), with(taken, "tran_total", json!("20000.00")), "mismatch captured"),
        (capture(), with(part.clone(), "tran_total", json!("1")), "mismatch captured"),
        (capture(), with(part.clone(), "cart_amount", json!("1")), "mismatch amount"),
        (capture(), with(part.clone(), "cart_id", json!(CREATED)), "mismatch reference"),
        (
            capture(),
            with(part.clone(), "previous_tran_ref", json!("TST9")),
            "mismatch previous_tran_ref",
        ),
        (sync_of(Some(TAKEN)), with(part, "tran_total", json!("201")), "mismatch captured"),
        (void(), with(follows("Void", "A"), "tran_total", json!("1")), "mismatch amount"),
        (refund(), with(back.clone(), "tran_total", json!("1")), "mismatch amount"),
        (refund(), with(back.clone(), "tran_currency", json!("USD")), "mismatch currency"),
        (
            refund(),
            with(back.clone(), "previous_tran_ref", json!(PAGE)),
            "mismatch previous_tran_ref",
        ),
        (
            refund(),
            with(back.clone(), "cart_id", json!(REFUNDED.replace("0002-", "0003-"))),
            "mismatch reference",
        ),
        (sync_refund(), with(back, "tran_ref", json!("TST9")), "mismatch provider_ref"),
        (
            sync_instrument(),
            with(told("Register", "D", PAGE, SAVED), "tran_ref", json!("TST9")),
            "mismatch provider_ref",
        ),
    ] {
        assert_eq!(answered(&op, &body), expected, "{op:?} {body}");
    }
}

#[test]
fn a_success_status_with_anything_but_a_success_inside_is_unknown() {
    let taken = paid("Sale", "A");
    let without = |field: &str| {
        let mut body = taken.clone();
        body.as_object_mut().unwrap().remove(field);
        body.to_string()
    };
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>Welcome</html>".to_owned(), "unknown unreadable"),
        (200, "null".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, "{}".to_owned(), "unknown unreadable"),
        (200, json!([taken]).to_string(), "unknown unreadable"),
        (
            200,
            json!({"code": 4, "message": "Duplicate Request"}).to_string(),
            "unknown error_inside",
        ),
        (200, with(taken.clone(), "code", json!(206)).to_string(), "unknown error_inside"),
        (200, with(taken.clone(), "code", json!("206")).to_string(), "unknown error_inside"),
        (200, with(taken.clone(), "cart_currency", json!("ZZZ")).to_string(), "unknown unreadable"),
        (200, with(taken.clone(), "cart_amount", json!("0.00")).to_string(), "unknown unreadable"),
        (200, with(taken.clone(), "tran_total", json!("-1")).to_string(), "unknown unreadable"),
        (200, with(taken.clone(), "cart_amount", json!("1.005")).to_string(), "unknown unreadable"),
        (200, with(taken.clone(), "cart_amount", json!(true)).to_string(), "unknown unreadable"),
        (200, with(taken.clone(), "tran_ref", json!("T/../x")).to_string(), "unknown unreadable"),
        (
            200,
            with(page("Sale"), "redirect_url", json!("javascript:1")).to_string(),
            "unknown unreadable",
        ),
        (200, without("tran_ref"), "unknown unreadable"),
        (200, without("cart_id"), "unknown unreadable"),
        (200, without("payment_result"), "unknown unexpected_status"),
        (302, taken.to_string(), "unknown redirect"),
        (100, taken.to_string(), "unknown unreadable"),
        (400, taken.to_string(), "unknown unreadable"),
        (503, taken.to_string(), "unknown server_error"),
    ] {
        assert_eq!(brief(&parse(&sale(), status, body.clone())), expected, "{status} {body}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_an_outcome_and_none_of_them_a_success(
        status in 100_u16..600,
        body: Vec<u8>,
    ) {
        for op in all_operations() {
            let answer = HttpAnswer::new(status, Headers::new(), body.clone());
            let outcome = paytabs().parse(&op, &answer);
            prop_assert!(!matches!(outcome, Outcome::Done(_) | Outcome::Pending(_)));
        }
    }

    #[test]
    fn a_body_with_one_field_spoiled_never_becomes_another_amount(
        field in prop::sample::select(vec![
            "tran_ref", "tran_type", "cart_id", "cart_currency", "cart_amount", "tran_currency",
            "tran_total", "payment_result", "payment_info", "previous_tran_ref", "redirect_url",
            "token", "profileId", "code", "trace",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!(0), json!(1), json!(1.5), json!(1e300),
            json!(""), json!("1"), json!("A"), json!("Capture"), json!([]), json!({}),
            json!({"response_status": "A"}), json!({"response_status": "Z"}),
        ]),
    ) {
        for op in [sale(), sync(), find(sale())] {
            let body = with(paid("Sale", "A"), field, value.clone());
            let body = if op == find(sale()) { json!([body]) } else { body };
            if let Outcome::Done(answer) = parse(&op, 200, body.to_string()) {
                let facts = answer.payment().unwrap();
                let nothing = facts.captured.is_zero() && facts.capturable.is_zero();
                prop_assert!(nothing || facts.captured == asked(), "{}", body);
            }
        }
    }
}

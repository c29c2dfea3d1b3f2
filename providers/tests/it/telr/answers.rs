//! Answers about pages and orders: total, never a success by mistake, compared with what was asked.

use mizan_providers::telr::{Settings, Telr};
use mizan_providers::{Headers, HttpAnswer, NextAction, Outcome, Provider, Subject};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::shop::{
    CAPTURE, ORDER, TRAN, URL, all_operations, answered, asked, brief, card, checked, our_payment,
    page, parse, reference, sale, save, sync, sync_of, sync_save, telr, with,
};

#[test]
fn a_page_is_known_by_its_order_and_waits_for_the_customer() {
    let outcome = parse(&sale(), 200, page().to_string());
    let answer = outcome.answer().unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("4001/1/2"));
    let facts = answer.payment().unwrap();
    assert_eq!((facts.provider_ref.clone(), facts.charge_ref.clone()), (reference(ORDER), None));
    assert_eq!(facts.next_action, Some(NextAction::Redirect { url: URL.to_owned() }));
    assert_eq!(facts.reference, our_payment().parse().ok());
    assert_eq!(brief(&outcome), "done requires_action");
    for (path, value) in [
        ("/order/url", json!("javascript:alert(1)")),
        ("/order/url", json!(null)),
        ("/order/ref", json!("a/b")),
        ("/order/ref", json!("")),
        ("/method", json!("check")),
        ("/order", json!(null)),
    ] {
        let said = answered(&sale(), &with(page(), path, value).to_string());
        assert_eq!(said, "unknown unreadable", "{path}");
    }
}

#[test]
fn every_state_of_an_order_means_what_it_must() {
    for (code, tran, expected) in [
        (1, None, "done requires_action"),
        (2, Some(("auth", "A")), "done authorised"),
        (2, Some(("auth", "H")), "done processing"),
        (2, Some(("sale", "A")), "done processing"),
        (2, None, "unknown unknown_status"),
        (3, Some(("sale", "A")), "done captured"),
        (3, Some(("Sale", "A")), "done captured"),
        (3, Some(("sale", "H")), "done processing"),
        (3, Some(("sale", "Z")), "unknown unknown_status"),
        (3, None, "unknown unknown_status"),
        (4, None, "done processing"),
        (-1, None, "done cancelled"),
        (-2, None, "done cancelled"),
        (-3, Some(("sale", "D")), "done failed"),
        (-4, None, "done cancelled"),
        (7, Some(("sale", "A")), "unknown unknown_status"),
    ] {
        assert_eq!(
            answered(&sync(), &checked(code, tran).to_string()),
            expected,
            "{code} {tran:?}"
        );
    }
}

#[test]
fn an_order_tells_the_transaction_to_act_on_and_the_card_to_charge_again() {
    let facts = |code, tran| {
        let outcome = parse(&sync(), 200, checked(code, tran).to_string());
        outcome.answer().unwrap().payment().unwrap().clone()
    };
    let held = facts(2, Some(("auth", "A")));
    assert_eq!((held.charge_ref, held.capturable), (Some(reference(TRAN)), asked()));
    assert_eq!(held.instrument.unwrap().token, reference(TRAN));
    let paid = facts(3, Some(("sale", "A")));
    assert_eq!((paid.charge_ref, paid.captured), (Some(reference(TRAN)), asked()));
    assert_eq!(facts(2, Some(("sale", "A"))).charge_ref, None);
    let refused = facts(-3, Some(("sale", "D")));
    let error = refused.last_error.unwrap();
    assert_eq!((error.code.as_str(), error.kind.as_str()), ("41", "soft"));
    assert_eq!((refused.charge_ref, refused.instrument), (None, None));
    assert_eq!(facts(-1, None).cancellation_reason.as_deref(), Some("expired"));
}

#[test]
fn how_much_of_a_hold_was_taken_is_never_guessed() {
    let auth = checked(3, Some(("auth", "A"))).to_string();
    let taken = checked(3, Some(("capture", "A"))).to_string();
    for (charge, body, expected) in [
        // The hold is all that we know, and somebody took of it.
        (Some(TRAN), &auth, "unknown unreadable"),
        (Some(CAPTURE), &taken, "unknown unreadable"),
        // The capture told its own transaction before.
        (Some(CAPTURE), &auth, "done captured"),
        (Some(TRAN), &taken, "done captured"),
        (None, &auth, "done captured"),
    ] {
        let outcome = parse(&sync_of(ORDER, charge), 200, body.as_str());
        assert_eq!(brief(&outcome), expected, "{charge:?}");
        if let (Some(answer), Some(charge)) = (outcome.answer(), charge) {
            assert_eq!(answer.payment().unwrap().charge_ref, Some(reference(charge)));
        }
    }
}

#[test]
fn an_echo_that_disagrees_is_a_mismatch_and_never_a_success() {
    let paid = || checked(3, Some(("sale", "A")));
    for (path, value, field) in [
        ("/order/ref", json!("FFFF"), "provider_ref"),
        ("/order/test", json!(1), "test"),
        ("/order/cartid", json!(format!("pi_{}-000000000003", "f".repeat(32))), "reference"),
        ("/order/cartid", json!("ORDER-10001"), "reference"),
        ("/order/amount", json!("5.45"), "amount"),
        ("/order/amount", json!(54.51), "amount"),
        ("/order/currency", json!("USD"), "currency"),
    ] {
        let said = answered(&sync(), &with(paid(), path, value.clone()).to_string());
        assert_eq!(said, format!("mismatch {field}"), "{path} {value}");
    }
    let mut live = Settings::new("1", SecretString::from("k"));
    live.test = true;
    let answer = HttpAnswer::new(200, Headers::new(), paid().to_string());
    assert_eq!(brief(&Telr::new(live).unwrap().parse(&sync(), &answer)), "mismatch test");
    for (path, value) in [
        ("/order/test", json!(null)),
        ("/order/amount", json!(54.5)),
        ("/order/cartid", json!(null)),
    ] {
        let said = answered(&sync(), &with(paid(), path, value.clone()).to_string());
        assert_eq!(said, "done captured", "{path} {value}");
    }
}

#[test]
fn a_card_is_saved_by_a_check_of_it() {
    assert_eq!(answered(&save(), &page().to_string()), "done requires_action");
    for (code, tran, expected) in [
        (1, None, "done requires_action"),
        (2, Some(("verify", "A")), "done active"),
        (3, Some(("verify", "A")), "done active"),
        (3, Some(("verify", "H")), "done processing"),
        (3, Some(("sale", "A")), "unknown unknown_status"),
        (-3, Some(("verify", "D")), "done failed"),
        (-1, None, "done failed"),
        (9, None, "unknown unknown_status"),
    ] {
        let body = checked(code, tran).to_string();
        assert_eq!(answered(&sync_save(), &body), expected, "{code} {tran:?}");
    }
    let outcome = parse(&sync_save(), 200, checked(3, Some(("verify", "A"))).to_string());
    let Subject::Instrument(it) = &outcome.answer().unwrap().subject else { panic!() };
    assert_eq!(it.instrument.as_ref().unwrap().token, reference(TRAN));
    assert_eq!(card().customer, None);
}

#[test]
fn a_success_status_with_anything_but_a_success_inside_is_unknown() {
    let paid = || checked(3, Some(("sale", "A")));
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>Welcome</html>".to_owned(), "unknown unreadable"),
        (200, "null".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, "{}".to_owned(), "unknown unreadable"),
        (200, json!({"error": {"message": "no code"}}).to_string(), "unknown error_inside"),
        (200, with(paid(), "/order/currency", json!("ZZZ")).to_string(), "unknown unreadable"),
        (200, with(paid(), "/order/amount", json!("54,50")).to_string(), "unknown unreadable"),
        (200, with(paid(), "/order/amount", json!(null)).to_string(), "unknown unreadable"),
        (200, with(paid(), "/order/ref", json!("../x")).to_string(), "unknown unreadable"),
        (200, with(paid(), "/order/status", json!({})).to_string(), "unknown unreadable"),
        (
            200,
            with(paid(), "/order/status/code", json!("3 A")).to_string(),
            "unknown unknown_status",
        ),
        (302, paid().to_string(), "unknown redirect"),
        (100, paid().to_string(), "unknown unreadable"),
        (400, paid().to_string(), "unknown unreadable"),
        (503, paid().to_string(), "unknown server_error"),
    ] {
        assert_eq!(brief(&parse(&sync(), status, body.clone())), expected, "{status} {body}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_an_outcome_and_none_of_them_a_success(
        status in 100_u16..600,
        bytes: Vec<u8>,
        text in "[<>/={}\\[\\]\"a-zA:,&;0-9]{0,80}",
    ) {
        for op in all_operations() {
            for body in [bytes.clone(), text.clone().into_bytes()] {
                let answer = HttpAnswer::new(status, Headers::new(), body);
                let outcome = telr().parse(&op, &answer);
                let list = matches!(op, mizan_providers::Operation::ListSettlement(_));
                prop_assert!(list || !matches!(outcome, Outcome::Done(_) | Outcome::Pending(_)));
            }
        }
    }

    #[test]
    fn an_order_with_one_field_spoiled_never_becomes_another_amount(
        path in prop::sample::select(vec![
            "/method", "/order", "/order/ref", "/order/cartid", "/order/test", "/order/amount",
            "/order/currency", "/order/status", "/order/status/code", "/order/transaction",
            "/order/transaction/type", "/order/transaction/status", "/order/transaction/ref",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!(3), json!(i64::MAX), json!(1.5), json!(""),
            json!("A"), json!("auth"), json!([]), json!({}),
        ]),
    ) {
        let body: Value = with(checked(3, Some(("sale", "A"))), path, value);
        if let Outcome::Done(answer) = parse(&sync(), 200, body.to_string()) {
            let facts = answer.payment().unwrap();
            prop_assert!(facts.captured == asked() || facts.captured.is_zero());
            prop_assert_eq!(facts.amount, asked());
        }
    }
}

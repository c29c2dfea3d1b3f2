//! Messages: what they say, by what a repetition is recognised, and which change nothing.

use mizan_providers::paytabs::Paytabs;
use mizan_providers::{
    EventSubject, Mode, PaymentStatus, Provider, ProviderEvent, RefundStatus, TranslateError,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shop::{
    BACK, PAGE, TAKEN, asked, follows, our_payment, our_refund, page, paid, paytabs, reference,
    told, with,
};

fn event(body: &Value) -> ProviderEvent {
    paytabs().events(body.to_string().as_bytes()).unwrap().pop().unwrap()
}

fn said(body: &Value) -> String {
    let event = event(body);
    let status = event.status().unwrap_or("-");
    let reference = event.provider_ref().map_or("-", |it| it.as_str());
    format!("{} {status} {reference}", event.kind())
}

#[test]
fn a_message_is_the_transaction_as_it_is_now() {
    let cash = with(paid("Sale", "A"), "payment_info", json!({"payment_method": "Fawry"}));
    let cash = with(cash, "previous_tran_ref", json!(BACK));
    let again = with(paid("Sale", "A"), "previous_tran_ref", json!(BACK));
    for (body, expected) in [
        (paid("Sale", "A"), format!("payment captured {PAGE}")),
        (paid("SALE", "D"), format!("payment failed {PAGE}")),
        (paid("Sale", "H"), format!("payment processing {PAGE}")),
        (paid("Sale", "Z"), format!("payment unknown {PAGE}")),
        (paid("Auth", "A"), format!("payment authorised {PAGE}")),
        (paid("Payment Request", "P"), format!("payment processing {PAGE}")),
        (paid("Payment Request", "X"), format!("payment cancelled {PAGE}")),
        // A sale with a saved card is a payment of its own, cash belongs to its page.
        (again, format!("payment captured {PAGE}")),
        (cash, format!("payment captured {BACK}")),
        (follows("Capture", "A"), format!("payment captured {PAGE}")),
        (follows("Capture", "D"), format!("other - {TAKEN}")),
        (follows("Capture", "P"), format!("other - {TAKEN}")),
        (follows("Capture", "Z"), format!("payment unknown {PAGE}")),
        (follows("Void", "A"), format!("payment cancelled {PAGE}")),
        (follows("Void", "D"), format!("other - {BACK}")),
        (follows("Release", "A"), format!("other - {BACK}")),
        (follows("Refund", "A"), format!("refund succeeded {BACK}")),
        (follows("Refund", "P"), format!("refund pending {BACK}")),
        (follows("Refund", "D"), format!("refund failed {BACK}")),
        (follows("Refund", "Z"), format!("refund unknown {BACK}")),
        (told("Register", "A", PAGE, "op_1"), format!("other - {PAGE}")),
        (told("Authext", "A", BACK, "x"), format!("other - {BACK}")),
        (json!({"tran_type": "Invoice"}), "other - -".to_owned()),
    ] {
        assert_eq!(said(&body), expected, "{body}");
    }
}

#[test]
fn a_payment_event_has_its_names_its_time_and_its_money() {
    let it = event(&with(follows("Capture", "A"), "cart_id", json!("x")));
    assert_eq!(it.id, format!("paytabs:{TAKEN}:capture:A"));
    assert_eq!((it.event_type.as_str(), it.mode), ("capture", Mode::Test));
    assert_eq!(it.occurred_at.unwrap().to_rfc3339(), "2025-01-29T09:40:00+00:00");
    let EventSubject::Payment(fact) = it.subject else { panic!() };
    assert_eq!((fact.provider_ref, fact.charge_ref), (reference(PAGE), Some(reference(TAKEN))));
    assert_eq!((fact.captured, fact.reference), (asked(), None));
    let it = event(&with(paid("Sale", "A"), "tran_ref", json!("SFT2105330091090")));
    assert_eq!((it.mode, it.reference()), (Mode::Unstated, our_payment().parse().ok()));
}

#[test]
fn a_refund_event_names_our_refund_or_where_the_panel_made_it_our_payment() {
    let EventSubject::Refund(fact) = event(&follows("Refund", "D")).subject else { panic!() };
    assert_eq!(fact.status, RefundStatus::Failed);
    assert_eq!((fact.reference, fact.payment_reference), (our_refund().parse().ok(), None));
    assert_eq!(fact.charge_ref, Some(reference(TAKEN)));
    assert_eq!(fact.reason.as_deref(), Some("not_authorised"));
    let panel = with(follows("Refund", "A"), "cart_id", paid("Sale", "A")["cart_id"].clone());
    let EventSubject::Refund(fact) = event(&panel).subject else { panic!() };
    assert_eq!((fact.reference, fact.payment_reference), (None, our_payment().parse().ok()));
}

#[test]
fn what_was_charged_in_another_amount_or_currency_is_told_as_it_was() {
    let body = with(paid("Sale", "A"), "tran_total", json!("199.00"));
    let EventSubject::Payment(fact) = event(&body).subject else { panic!() };
    assert_eq!((fact.amount, fact.captured.minor()), (asked(), 19_900));
    let body = with(paid("Sale", "A"), "tran_currency", json!("EGP"));
    let EventSubject::Payment(fact) = event(&body).subject else { panic!() };
    assert_eq!((fact.amount, fact.captured.currency().code()), (asked(), "EGP"));
}

#[test]
fn a_message_that_cannot_be_used_says_why() {
    let problem = |body: &Value| match paytabs().events(body.to_string().as_bytes()) {
        Err(TranslateError::Object { problem, .. } | TranslateError::Envelope { problem }) => {
            problem
        }
        Ok(events) => panic!("{events:?}"),
    };
    let taken = paid("Sale", "A");
    let mut timeless = taken.clone();
    timeless["payment_result"]["transaction_time"] = json!("yesterday");
    for (body, expected) in [
        (json!({}), "no transaction at line 1"),
        (json!([taken]), "no transaction at line 1"),
        (json!({"tran_type": "Sale"}), "it lacks a field or has one of another type"),
        (page("Sale"), "payment_result is missing"),
        (timeless, "transaction_time is missing"),
        (told("Capture", "A", TAKEN, "x"), "previous_tran_ref is missing"),
        (with(taken.clone(), "cart_currency", json!("ZZZ")), "the currency \"ZZZ\" is not known"),
        (with(taken.clone(), "tran_total", json!("0")), "tran_total is not greater than zero"),
        (with(taken.clone(), "profileId", json!(89_644)), "it is of another profile than ours"),
    ] {
        assert_eq!(problem(&body), expected, "{body}");
    }
    // Without credentials there is no profile to compare.
    let foreign = with(taken, "profileId", json!(89_644)).to_string();
    assert!(Paytabs::webhook_reader().events(foreign.as_bytes()).is_ok());
}

#[test]
fn a_browsers_return_says_only_that_the_buyer_is_back() {
    let body = b"cartId=x&respStatus=A&signature=00&tranRef=TST2215201242166";
    let event = paytabs().events(body).unwrap().pop().unwrap();
    assert_eq!(event.id, "paytabs:TST2215201242166:return:A");
    assert_eq!((event.kind().as_str(), event.amount()), ("other", None));
    assert_eq!(event.provider_ref(), Some(&reference("TST2215201242166")));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>) {
        let _ = paytabs().events(&body);
    }

    #[test]
    fn any_form_moves_no_money(
        body in "[a-zA-Z]{1,9}=[!-~]{0,40}(&[a-zA-Z]{1,9}=[!-~]{0,40}){0,4}",
    ) {
        for event in paytabs().events(body.as_bytes()).unwrap_or_default() {
            prop_assert_eq!(event.amount(), None);
        }
    }

    #[test]
    fn only_the_words_of_the_tables_take_money(kind in "[A-Za-z ]{1,16}", letter in "[A-Z]{1,2}") {
        let body = with(paid(&kind, &letter), "previous_tran_ref", json!(BACK)).to_string();
        for event in paytabs().events(body.as_bytes()).unwrap_or_default() {
            if let EventSubject::Payment(fact) = event.subject {
                let kind = kind.to_ascii_lowercase();
                let takes = letter == "A" && (kind == "sale" || kind == "capture");
                prop_assert_eq!(fact.status == PaymentStatus::Captured, takes);
            }
        }
    }
}

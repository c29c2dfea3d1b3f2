//! Saved instruments: kept with a payment, saved alone, charged with and without the customer,
//! forgotten.

use mizan_money::{Currency, Money};
use mizan_providers::{
    CaptureMethod, ChargeSaved, Confirmation, CreateCustomer, CreatePayment, KeepInstrument,
    NextAction, Operation, Presence, Provider, RemoveInstrument, SaveInstrument, SavedInstrument,
    Subject, SyncInstrument,
};
use serde_json::{Value, json};

use super::{answered, built, never_a_success, operation, refused, said, with};
use crate::shop::{create, money, parse, reference, stripe};

const SETI: &str = "seti_1Pgag7B7WZ01zgkWSgwGdb8Z";

fn our_customer() -> String {
    format!("cus_{}", "0".repeat(31) + "7")
}

fn keep(customer_ref: Option<&str>) -> KeepInstrument {
    let customer = our_customer().parse().unwrap();
    KeepInstrument { customer, customer_ref: customer_ref.map(reference) }
}

fn new_customer() -> Operation {
    let customer = our_customer().parse().unwrap();
    Operation::CreateCustomer(CreateCustomer { customer, operation: operation() })
}

fn save() -> SaveInstrument {
    SaveInstrument {
        operation: operation(),
        keep: keep(Some("cus_1")),
        currency: Currency::parse("AED").unwrap(),
        payment_method: Some("pm_card_visa".to_owned()),
        return_url: None,
    }
}

fn sync() -> Operation {
    Operation::SyncInstrument(SyncInstrument { provider_ref: reference(SETI) })
}

fn remove() -> Operation {
    let instrument =
        SavedInstrument { token: reference("pm_1"), customer: None, first_charge: None };
    Operation::RemoveInstrument(RemoveInstrument { instrument })
}

fn aed() -> Money {
    money(25_000, "AED")
}

fn saved_charge(presence: Presence) -> CreatePayment {
    let instrument = SavedInstrument {
        token: reference("pm_1"),
        customer: Some(reference("cus_1")),
        first_charge: None,
    };
    CreatePayment {
        payment_method: None,
        instrument: Some(ChargeSaved { instrument, presence }),
        ..create(aed(), CaptureMethod::Automatic)
    }
}

#[test]
fn instruments_are_kept_under_a_customer_of_stripes() {
    let customer = our_customer();
    assert_eq!(
        said(&new_customer()),
        format!(
            "POST /v1/customers\nmetadata[mizan_customer]={customer}\n\
             metadata[mizan_operation]={}",
            operation()
        )
    );
    assert_eq!(
        said(&Operation::SaveInstrument(save())),
        format!(
            "POST /v1/setup_intents\nautomatic_payment_methods[allow_redirects]=never\n\
             automatic_payment_methods[enabled]=true\nconfirm=true\ncustomer=cus_1\n\
             metadata[mizan_customer]={customer}\nmetadata[mizan_operation]={}\n\
             payment_method=pm_card_visa\nusage=off_session",
            operation()
        )
    );
    assert_eq!(said(&sync()), format!("GET /v1/setup_intents/{SETI}"));
    assert_eq!(said(&remove()), "POST /v1/payment_methods/pm_1/detach");
}

#[test]
fn a_payment_keeps_its_instrument_or_charges_a_saved_one() {
    let kept = CreatePayment {
        keep: Some(keep(Some("cus_1"))),
        ..create(aed(), CaptureMethod::Automatic)
    };
    let text = said(&Operation::Create(kept));
    assert!(text.contains("\ncustomer=cus_1\n"), "{text}");
    assert!(text.contains("\nsetup_future_usage=off_session"), "{text}");

    let away = said(&Operation::Create(saved_charge(Presence::OffSession)));
    for pair in ["confirm=true", "customer=cus_1", "off_session=true", "payment_method=pm_1"] {
        assert!(away.contains(&format!("\n{pair}\n")), "{pair} {away}");
    }
    let here = said(&Operation::Create(saved_charge(Presence::OnSession)));
    assert!(here.contains("payment_method=pm_1") && !here.contains("off_session"), "{here}");
}

#[test]
fn what_cannot_be_kept_or_charged_is_refused() {
    let nobody = CreatePayment { keep: Some(keep(None)), ..saved_charge(Presence::OnSession) };
    let nobody = CreatePayment { instrument: None, ..nobody };
    let nobody = CreatePayment { payment_method: Some("pm_1".into()), ..nobody };
    let later =
        CreatePayment { confirmation: Confirmation::Later, ..saved_charge(Presence::OffSession) };
    let both =
        CreatePayment { payment_method: Some("pm_2".into()), ..saved_charge(Presence::OnSession) };
    let mut homeless = saved_charge(Presence::OnSession);
    homeless.instrument.as_mut().unwrap().instrument.customer = None;
    for op in [nobody, later, both, homeless] {
        assert_eq!(refused(&Operation::Create(op.clone())), "invalid_field", "{op:?}");
    }
    let change = |change: fn(&mut SaveInstrument)| {
        let mut it = save();
        change(&mut it);
        refused(&Operation::SaveInstrument(it))
    };
    assert_eq!(change(|it| it.payment_method = None), "invalid_field");
    assert_eq!(change(|it| it.payment_method = Some("4242".into())), "invalid_field");
    assert_eq!(change(|it| it.keep.customer_ref = None), "invalid_field");
    assert_eq!(change(|it| it.return_url = Some("x".into())), "invalid_field");
}

fn setup(status: &str) -> Value {
    json!({
        "id": SETI, "object": "setup_intent", "status": status, "customer": "cus_1",
        "payment_method": "pm_1", "metadata": {"mizan_customer": our_customer()},
    })
}

#[test]
fn every_state_of_a_setup_means_what_it_must() {
    let save = Operation::SaveInstrument(save());
    let error = json!({"type": "card_error", "code": "card_declined"});
    let action = json!({"type": "redirect_to_url", "redirect_to_url": {"url": "https://a.b/c"}});
    let failed = with(setup("requires_payment_method"), "last_setup_error", error);
    let asks = with(setup("requires_action"), "next_action", action);
    for (op, body, expected) in [
        (&save, setup("succeeded"), "done active"),
        (&save, asks.clone(), "done requires_action"),
        (&save, setup("processing"), "pending processing"),
        (&save, failed.clone(), "declined soft card_declined"),
        (&save, setup("requires_confirmation"), "unknown unexpected_status"),
        (&save, setup("canceled"), "unknown unexpected_status"),
        (&save, setup("new_word"), "unknown unknown_status"),
        (&save, with(setup("succeeded"), "customer", json!("cus_2")), "mismatch customer"),
        (&save, with(setup("succeeded"), "payment_method", json!(null)), "unknown unreadable"),
        (&sync(), failed, "done failed"),
        (&sync(), setup("canceled"), "done failed"),
        (&sync(), with(setup("succeeded"), "id", json!("seti_2")), "mismatch provider_ref"),
    ] {
        assert_eq!(answered(op, &body), expected, "{body}");
    }
    let outcome = parse(&save, 200, asks.to_string());
    let Subject::Instrument(facts) = &outcome.answer().unwrap().subject else { panic!() };
    let url = "https://a.b/c".to_owned();
    assert_eq!(facts.next_action, Some(NextAction::Redirect { url }));
    assert_eq!(facts.instrument, None);
    let outcome = parse(&sync(), 200, setup("succeeded").to_string());
    let Subject::Instrument(facts) = &outcome.answer().unwrap().subject else { panic!() };
    let saved = facts.instrument.clone().unwrap();
    assert_eq!((saved.token, saved.customer), (reference("pm_1"), Some(reference("cus_1"))));
    never_a_success(&save, &setup("succeeded"));
}

#[test]
fn a_customer_is_ours_and_a_detached_instrument_has_none() {
    let body = json!({"id": "cus_1", "object": "customer",
        "metadata": {"mizan_customer": our_customer()}});
    assert_eq!(answered(&new_customer(), &body), "done customer");
    let other = json!({"mizan_customer": format!("cus_{}", "f".repeat(32))});
    let foreign = with(body.clone(), "metadata", other);
    assert_eq!(answered(&new_customer(), &foreign), "mismatch reference");
    never_a_success(&new_customer(), &body);

    let gone = json!({"id": "pm_1", "object": "payment_method", "customer": null});
    assert_eq!(answered(&remove(), &gone), "done removed");
    let still = with(gone.clone(), "customer", json!("cus_1"));
    assert_eq!(answered(&remove(), &still), "unknown unexpected_status");
    assert_eq!(answered(&remove(), &with(gone, "id", json!("pm_2"))), "mismatch provider_ref");
}

#[test]
fn a_payment_tells_the_instrument_that_was_kept_and_no_other() {
    let text = include_str!("../../../fixtures/stripe/payment_intent.requires_capture.json");
    let mut body: Value = serde_json::from_str(text).unwrap();
    body["customer"] = json!("cus_1");
    body["payment_method"] = json!("pm_1");
    let op = Operation::Create(create(aed(), CaptureMethod::Manual));
    let kept = |body: &Value| {
        let outcome = parse(&op, 200, body.to_string());
        outcome.answer().unwrap().payment().unwrap().instrument.clone()
    };
    assert_eq!(kept(&body), None);
    body["setup_future_usage"] = json!("off_session");
    let saved = kept(&body).unwrap();
    assert_eq!((saved.token, saved.customer), (reference("pm_1"), Some(reference("cus_1"))));
    assert!(built(&op).headers.get("Idempotency-Key").is_some());
    assert_eq!(stripe().capabilities().save_instrument.as_str(), "yes");
}

#[test]
fn a_charge_with_the_customer_away_that_wants_them_is_declined_softly() {
    let text = include_str!("../../../fixtures/stripe/error.402.authentication_required.json");
    let outcome = parse(&Operation::Create(saved_charge(Presence::OffSession)), 402, text);
    assert_eq!(super::brief(&outcome), "declined soft authentication_required");
}

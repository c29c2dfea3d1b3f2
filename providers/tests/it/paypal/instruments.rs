//! Saved instruments: kept with a payment, saved alone, forgotten.

use mizan_providers::{CaptureMethod, InstrumentStatus, KeepInstrument, NextAction, Operation};
use serde_json::{Value, json};

use super::shop::{
    answered, brief, captured, charge_saved, forget, instrument, parse, payment, reference, save,
    saved, sync, sync_saved, take, with,
};

fn setup(status: &str) -> Value {
    json!({
        "id": "7C3310112A9999999", "status": status, "customer": {"id": "4029352050"},
        "links": [{"rel": "approve", "href": "https://www.paypal.com/agreements/approve?t=7C33"}],
    })
}

fn kept(vault: &Value) -> Value {
    let source = json!({"paypal": {"attributes": {"vault": vault}}});
    with(captured("COMPLETED"), "payment_source", source)
}

#[test]
fn an_instrument_kept_with_a_payment_is_told_once_it_is_in_the_vault() {
    let vault = json!({"id": "8kk8451t", "status": "VAULTED", "customer": {"id": "4029352050"}});
    assert_eq!(payment(&take(), &kept(&vault)).instrument, Some(saved()));
    assert_eq!(payment(&sync(), &kept(&vault)).instrument, Some(saved()));
    let not_yet = with(vault, "status", json!("APPROVED"));
    assert_eq!(payment(&take(), &kept(&not_yet)).instrument, None);
    assert_eq!(payment(&take(), &captured("COMPLETED")).instrument, None);
}

#[test]
fn saving_alone_sends_the_customer_away_and_is_ended_by_an_exchange() {
    let begun = instrument(&save(), &setup("PAYER_ACTION_REQUIRED"));
    assert_eq!(begun.status, InstrumentStatus::RequiresAction);
    assert_eq!(begun.provider_ref, reference("7C3310112A9999999"));
    let url = "https://www.paypal.com/agreements/approve?t=7C33".to_owned();
    assert_eq!(begun.next_action, Some(NextAction::Redirect { url }));

    let token = json!({"id": "8kk8451t", "customer": {"id": "4029352050"}, "links": []});
    let ended = instrument(&sync_saved(), &token);
    assert_eq!((ended.status, ended.instrument), (InstrumentStatus::Active, Some(saved())));
    assert_eq!(ended.provider_ref, reference("8kk8451t"));
}

#[test]
fn nothing_else_is_a_saved_instrument() {
    for (op, body, expected) in [
        (save(), setup("APPROVED"), "pending processing"),
        (save(), setup("NEW_WORD"), "unknown unknown_status"),
        (save(), with(setup("CREATED"), "links", json!([])), "unknown unreadable"),
        (save(), with(setup("CREATED"), "id", json!(null)), "unknown unreadable"),
        (sync_saved(), json!({"status": "VAULTED"}), "unknown unreadable"),
        (sync_saved(), json!({"id": "../x"}), "unknown unreadable"),
        (forget(), json!({}), "unknown unreadable"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{body}");
    }
    assert_eq!(brief(&parse(&forget(), 204, "")), "done removed");
}

#[test]
fn a_saved_instrument_is_charged_at_once_or_held() {
    let now = charge_saved(CaptureMethod::Automatic);
    assert_eq!(answered(&now, &captured("COMPLETED")), "done captured");
    assert_eq!(answered(&now, &captured("PENDING")), "pending processing");
    assert_eq!(answered(&now, &captured("DECLINED")), "declined CAPTURE_DECLINED");
    let mut both = now;
    if let Operation::Create(it) = &mut both {
        it.keep = Some(KeepInstrument { customer_ref: None, ..super::shop::keep() });
    }
    let built =
        mizan_providers::Provider::build(&super::shop::paypal(), &both, &super::shop::key());
    assert_eq!(built.unwrap_err().code(), "invalid_field");
}

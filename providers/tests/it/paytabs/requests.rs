//! Requests: what is said to PayTabs, and what is refused before anything is sent.

use mizan_providers::paytabs::{Paytabs, REGIONS};
use mizan_providers::{
    Auth, BuildError, CaptureMethod, Confirmation, CreatePayment, Credentials, Finality,
    HttpRequest, ListSettlement, Operation, Presence, Provider, ProviderName, Recovery, Replay,
    Support, provider,
};
use secrecy::{ExposeSecret, SecretString};

use super::shop::{
    KEY, PAGE, PROFILE, TAKEN, all_operations, asked, capture, capture_of, charge, confirm, create,
    find, hold, keep, key, money, paytabs, reference, refund, refund_of, remove, sale, save, saved,
    sync, sync_instrument, sync_of, sync_refund, void, void_of,
};

fn built(op: &Operation) -> HttpRequest {
    paytabs().build(op, &key()).unwrap_or_else(|error| panic!("{op:?}: {error}"))
}

fn said(op: &Operation) -> String {
    let request = built(op);
    assert_eq!((request.query.as_ref(), request.headers.iter().count()), (None, 0));
    format!("{request} {}", request.body.as_str())
}

const ADDRESSES: &str = concat!(
    r#""callback":"https://shop.example/webhooks/paytabs","#,
    r#""return":"https://shop.example/return","hide_shipping":true}"#,
);

#[test]
fn a_payment_is_a_page_or_a_charge_of_a_saved_instrument() {
    let head = |kind: &str, class: &str, what: &str, amount: &str| {
        format!(
            "POST /payment/request {{\"profile_id\":987654,\"tran_type\":\"{kind}\",\
             \"tran_class\":\"{class}\",\
             \"cart_id\":\"pi_00000000000000000000000000000001-000000000003\",\
             \"cart_description\":\"{what}\",{amount},"
        )
    };
    let plain = "of pi_00000000000000000000000000000001";
    let aed = r#""cart_currency":"AED","cart_amount":200.00"#;
    assert_eq!(said(&sale()), head("sale", "ecom", &format!("sale {plain}"), aed) + ADDRESSES);
    assert_eq!(said(&hold()), head("auth", "ecom", &format!("auth {plain}"), aed) + ADDRESSES);
    let mut kept = create(money(12_345, "KWD"), CaptureMethod::Automatic);
    kept.description = Some("Two rugs".to_owned());
    kept.keep = Some(keep());
    let kwd = r#""cart_currency":"KWD","cart_amount":12.345"#;
    let expected = head("sale", "ecom", "Two rugs", kwd) + r#""tokenise":2,"# + ADDRESSES;
    assert_eq!(said(&Operation::Create(kept)), expected);
    let token = r#""tran_ref":"TST2502902213573","token":"2C4655BE67A3E537C6B593FF60817AB9","#;
    let present = head("sale", "ecom", &format!("sale {plain}"), aed) + token + ADDRESSES;
    assert_eq!(said(&charge(Presence::OnSession)), present);
    let absent = head("sale", "recurring", &format!("sale {plain}"), aed)
        + token
        + r#""callback":"https://shop.example/webhooks/paytabs"}"#;
    assert_eq!(said(&charge(Presence::OffSession)), absent);
}

#[test]
fn what_follows_a_payment_names_the_transaction_it_follows() {
    let tail = |kind: &str, cart: &str, number: &str, parent: &str| {
        format!(
            "POST /payment/request {{\"profile_id\":987654,\"tran_type\":\"{kind}\",\
             \"tran_class\":\"ecom\",\"cart_id\":\"{cart}\",\
             \"cart_description\":\"{kind} of pi_00000000000000000000000000000001\",\
             \"cart_currency\":\"AED\",\"cart_amount\":{number},\"tran_ref\":\"{parent}\"}}"
        )
    };
    let ours = "pi_00000000000000000000000000000001-000000000005";
    let part = Operation::Capture(capture_of(money(8_000, "AED")));
    assert_eq!(said(&part), tail("capture", ours, "80.00", PAGE));
    assert_eq!(said(&void()), tail("void", ours, "200.00", PAGE));
    let rest = void_of(money(12_000, "AED"), true);
    assert_eq!(said(&rest), tail("release", ours, "120.00", PAGE));
    let back = "re_00000000000000000000000000000002-000000000004";
    assert_eq!(said(&refund()), tail("refund", back, "200.00", TAKEN));
    let mut untold = refund_of(money(1, "AED"));
    untold.charge_ref = None;
    assert_eq!(said(&Operation::Refund(untold)), tail("refund", back, "0.01", PAGE));
}

#[test]
fn an_instrument_is_saved_on_a_page_and_forgotten_by_its_token() {
    assert_eq!(
        said(&Operation::SaveInstrument(save())),
        [
            r#"POST /payment/request {"profile_id":987654,"tran_type":"register","#,
            r#""tran_class":"ecom","cart_id":"op_00000000000000000000000000000003","#,
            r#""cart_description":"register of cus_00000000000000000000000000000009","#,
            r#""cart_currency":"AED","cart_amount":1.00,"tokenise":2,"#,
            ADDRESSES,
        ]
        .concat()
    );
    assert_eq!(
        said(&remove()),
        "POST /payment/token/delete \
         {\"profile_id\":987654,\"token\":\"2C4655BE67A3E537C6B593FF60817AB9\"}"
    );
}

#[test]
fn a_question_names_a_transaction_or_our_reference_never_both() {
    let by = |field: &str, text: &str| {
        format!("POST /payment/query {{\"profile_id\":987654,\"{field}\":\"{text}\"}}")
    };
    assert_eq!(said(&sync()), by("tran_ref", PAGE));
    assert_eq!(said(&sync_of(Some(TAKEN))), by("tran_ref", TAKEN));
    assert_eq!(said(&sync_instrument()), by("tran_ref", PAGE));
    assert_eq!(said(&sync_refund()), by("tran_ref", "TST2231101374416"));
    let ours = "pi_00000000000000000000000000000001";
    let back = "re_00000000000000000000000000000002-000000000004";
    assert_eq!(said(&find(sale())), by("cart_id", &format!("{ours}-000000000003")));
    assert_eq!(said(&find(capture())), by("cart_id", &format!("{ours}-000000000005")));
    assert_eq!(said(&find(refund())), by("cart_id", back));
}

#[test]
fn nothing_is_repeated_unasked_and_the_key_is_only_in_its_header() {
    for op in all_operations() {
        let request = built(&op);
        let expected = if op.is_query() { Replay::Query } else { Replay::Once };
        assert_eq!(request.replay, expected, "{op:?}");
        let Auth::Header { name: "authorization", value } = &request.auth else { panic!("{op:?}") };
        assert_eq!(value.expose_secret(), KEY);
        assert!(!format!("{request:?}{request}").contains(KEY));
        assert_eq!(request.fingerprint(), built(&op).fingerprint());
    }
    assert!(!format!("{:?}", paytabs()).contains(KEY));
}

#[test]
fn what_paytabs_cannot_do_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut CreatePayment)| {
        let mut it = create(asked(), CaptureMethod::Automatic);
        change(&mut it);
        Operation::Create(it)
    };
    let unproved = |presence| {
        let mut op = charge(presence);
        if let Operation::Create(CreatePayment { instrument: Some(charge), .. }) = &mut op {
            charge.instrument.first_charge = None;
        }
        op
    };
    let mut more = capture_of(asked());
    more.finality = Finality::More;
    let mut again = capture_of(asked());
    again.captured_before = money(1, "AED");
    let mut collected = save();
    collected.payment_method = Some("tok".to_owned());
    let Operation::Create(mut both) = charge(Presence::OnSession) else { panic!() };
    both.keep = Some(keep());
    let now = chrono::DateTime::UNIX_EPOCH;
    let lines = ListSettlement { from: now, to: now, settlement: None, page: None };
    for (op, code) in [
        (confirm(), "unsupported_by_provider"),
        (find(sync()), "unsupported_by_provider"),
        (find(find(sale())), "unsupported_by_provider"),
        (Operation::ListSettlement(lines), "unsupported_by_provider"),
        (with(|it| it.confirmation = Confirmation::Later), "unsupported_by_provider"),
        (Operation::Capture(more), "unsupported_by_provider"),
        (Operation::Capture(again), "unsupported_by_provider"),
        (with(|it| it.payment_method = Some("tok_1".into())), "invalid_field"),
        (with(|it| it.description = Some("x".repeat(129))), "invalid_field"),
        (with(|it| it.return_url = Some("shop.example".into())), "invalid_field"),
        (Operation::SaveInstrument(collected), "invalid_field"),
        (Operation::Create(both), "invalid_field"),
        (unproved(Presence::OffSession), "invalid_field"),
        (with(|it| it.amount = money(9, "KWD")), "amount_not_representable"),
        (with(|it| it.amount = money(100, "AFN")), "amount_not_representable"),
        (Operation::Refund(refund_of(money(0, "AED"))), "amount_not_representable"),
    ] {
        assert_eq!(paytabs().build(&op, &key()).unwrap_err().code(), code, "{op:?}");
    }
    assert!(paytabs().build(&unproved(Presence::OnSession), &key()).is_ok());
    let told = paytabs();
    let told = told.capabilities();
    let not = [told.payouts, told.transfers, told.read_disputes, told.multiple_captures];
    assert_eq!(not, [Support::No; 4]);
    assert_eq!(told.recovery.refund, Recovery::Find { after_seconds: 150 });
}

#[test]
fn a_connection_has_a_profile_a_key_and_perhaps_an_address() {
    let made = |profile_id, key: &str, notify: Option<&str>| {
        let server_key = SecretString::from(key);
        provider(Credentials::Paytabs {
            profile_id,
            server_key,
            notify_url: notify.map(ToOwned::to_owned),
        })
        .map(|made| made.name())
        .map_err(|error| error.to_string())
    };
    assert_eq!(made(PROFILE, KEY, None), Ok(ProviderName::Paytabs));
    for (profile, key, notify, problem) in [
        (PROFILE, "", None, "key"),
        (PROFILE, "a b", None, "key"),
        (0, KEY, None, "profile_id"),
        (PROFILE, KEY, Some("shop.example"), "notify_url"),
        (PROFILE, KEY, Some("https://shop.example/ a"), "notify_url"),
    ] {
        let error = made(profile, key, notify).unwrap_err();
        assert!(error.contains(problem) && !error.contains(KEY), "{error}");
    }
    let error = Paytabs::webhook_reader().build(&sync(), &key()).unwrap_err();
    assert_eq!(error, BuildError::NoCredentials { provider: "paytabs" });
    assert!(REGIONS.contains(&("ARE", paytabs().base_url())));
    assert!(REGIONS.iter().all(|(_, url)| url.starts_with("https://") && !url.ends_with('/')));
    assert_eq!(saved().token, reference("2C4655BE67A3E537C6B593FF60817AB9"));
}

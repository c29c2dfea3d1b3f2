//! Operations in Stripe's words: exactly these bytes, or nothing at all.

use mizan_providers::stripe::Stripe;
use mizan_providers::{
    Auth, Body, BuildError, CaptureMethod, Confirmation, CreatePayment, HttpRequest,
    IdempotencyKey, Operation, Provider, ProviderRef, RejectionReason, Replay,
};
use proptest::prelude::*;
use secrecy::SecretString;

use crate::shop::{
    KEY_TEXT, all_operations, capture, create, key, money, refund, stripe, sync, sync_refund, void,
};

fn built(op: &Operation) -> HttpRequest {
    stripe().build(op, &key()).unwrap()
}

/// Method, path, query and the pairs of the form, decoded.
fn said(op: &Operation) -> String {
    let request = built(op);
    let query = request.query.clone().map_or(String::new(), |query| format!("?{query}"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.body.as_str()).unwrap();
    let lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{request}{query}\n{}", lines.join("\n"))
}

#[test]
fn a_create_says_what_is_paid_for_whom_and_asks_for_the_fee() {
    let op = Operation::Create(create(money(52_500, "AED"), CaptureMethod::Manual));
    assert_eq!(
        said(&op),
        "POST /v1/payment_intents
amount=52500
capture_method=manual
confirm=true
currency=aed
expand[0]=latest_charge.balance_transaction
metadata[mizan_operation]=op_00000000000000000000000000000003
metadata[mizan_payment_intent]=pi_00000000000000000000000000000001
payment_method=pm_card_visa
return_url=https://shop.example.com/return"
    );
}

#[test]
fn without_a_way_back_no_instrument_that_redirects_is_allowed() {
    let op = CreatePayment { return_url: None, ..create(money(100, "AED"), CaptureMethod::Manual) };
    let text = said(&Operation::Create(op));
    assert!(text.contains("automatic_payment_methods[allow_redirects]=never"), "{text}");
    assert!(text.contains("automatic_payment_methods[enabled]=true"), "{text}");
}

#[test]
fn capture_void_refund_and_the_queries_name_the_gateways_ids() {
    let aed = |minor| money(minor, "AED");
    assert_eq!(
        said(&capture(aed(25_000), aed(18_000))),
        "POST /v1/payment_intents/pi_1PgafyB7WZ01zgkWSjxsAJo3/capture
amount_to_capture=18000
expand[0]=latest_charge.balance_transaction"
    );
    assert_eq!(
        said(&void(aed(25_000))),
        "POST /v1/payment_intents/pi_1PgafyB7WZ01zgkWSjxsAJo3/cancel
cancellation_reason=requested_by_customer"
    );
    assert_eq!(
        said(&refund(aed(5_250))),
        "POST /v1/refunds
amount=5250
expand[0]=balance_transaction
metadata[mizan_operation]=op_00000000000000000000000000000004
metadata[mizan_payment_intent]=pi_00000000000000000000000000000001
metadata[mizan_refund]=re_00000000000000000000000000000002
payment_intent=pi_1PgafyB7WZ01zgkWSjxsAJo3
reason=requested_by_customer"
    );
    assert!(said(&sync(aed(1))).starts_with(
        "GET /v1/payment_intents/pi_1PgafyB7WZ01zgkWSjxsAJo3?expand[0]=latest_charge.bal"
    ));
    assert!(
        said(&sync_refund(aed(1))).starts_with(
            "GET /v1/refunds/re_1Pgc72B7WZ01zgkWqPvrRrPE?expand[0]=balance_transaction"
        )
    );
}

#[test]
fn every_write_carries_our_key_and_every_request_the_version_and_the_account() {
    let account = Some("acct_1".to_owned());
    let adapter = Stripe::new(SecretString::from(KEY_TEXT), account).unwrap();
    for op in all_operations(money(25_000, "AED")) {
        let request = adapter.build(&op, &key()).unwrap();
        let keyed = request.headers.get("idempotency-key");
        assert_eq!(keyed, (!op.is_query()).then_some("op_0001"), "{op:?}");
        assert_eq!(request.replay == Replay::Query, op.is_query());
        assert_eq!(request.headers.get("Stripe-Version"), Some("2026-06-24.dahlia"));
        assert_eq!(request.headers.get("Stripe-Account"), Some("acct_1"));
        assert!(matches!(request.auth, Auth::Bearer(_)));
        assert_eq!(matches!(request.body, Body::Form(_)), !op.is_query());
    }
}

#[test]
fn the_key_is_never_shown() {
    let request = built(&sync(money(1, "AED")));
    for text in [format!("{request:?}"), format!("{request}"), format!("{:?}", stripe())] {
        assert!(!text.contains("never_shown"), "{text}");
    }
    for bad in ["", "sk test", "sk_\u{e9}"] {
        let error = Stripe::new(SecretString::from(bad), None).unwrap_err();
        assert!(bad.is_empty() || !error.to_string().contains(bad));
    }
}

#[test]
fn the_same_operation_always_has_the_same_fingerprint() {
    let mut op = create(money(52_500, "AED"), CaptureMethod::Manual);
    for at in 0..20 {
        op.metadata.insert(format!("key_{at}"), at.to_string());
    }
    let op = Operation::Create(op);
    let first = built(&op).fingerprint();
    assert!((0..20).all(|_| built(&op).fingerprint() == first));
    assert_ne!(
        built(&refund(money(1, "AED"))).fingerprint(),
        built(&refund(money(2, "AED"))).fingerprint()
    );
}

#[test]
fn what_stripe_cannot_do_is_refused_before_anything_is_sent() {
    let aed = money(25_000, "AED");
    let bare = create(aed, CaptureMethod::Automatic);
    let find = Operation::Find(Box::new(refund(aed)));
    let with = |change: fn(&mut CreatePayment)| {
        let mut it = bare.clone();
        change(&mut it);
        Operation::Create(it)
    };
    for (op, code) in [
        (find, "unsupported_by_provider"),
        (refund(money(0, "AED")), "amount_not_representable"),
        (refund(money(5_124, "KWD")), "amount_not_representable"),
        (capture(aed, money(25_001, "AED")), "invalid_field"),
        (capture(aed, money(1, "USD")), "invalid_field"),
        (with(|it| it.payment_method = None), "invalid_field"),
        (with(|it| it.payment_method = Some("4242424242424242".into())), "invalid_field"),
        (with(|it| it.return_url = Some("javascript:alert(1)".into())), "invalid_field"),
        (with(|it| it.return_url = Some("/return".into())), "invalid_field"),
        (with(|it| it.description = Some("x".repeat(1001))), "invalid_field"),
        (with(|it| drop(it.metadata.insert("a[b]".into(), String::new()))), "invalid_field"),
        (with(|it| drop(it.metadata.insert("a".into(), "x".repeat(501)))), "invalid_field"),
    ] {
        let error = stripe().build(&op, &key()).unwrap_err();
        assert_eq!(error.code(), code, "{op:?}");
        assert!(!error.to_string().contains("4242"), "{error}");
    }
}

#[test]
fn a_reader_of_webhooks_builds_nothing() {
    let error = Stripe::webhook_reader().build(&sync(money(1, "AED")), &key()).unwrap_err();
    assert_eq!(error, BuildError::NoCredentials { provider: "stripe" });
    assert_eq!(error.reason(), RejectionReason::Credentials);
}

proptest! {
    #[test]
    fn a_reference_or_a_text_can_never_leave_its_place(text in "\\PC{0,60}") {
        if let Ok(provider_ref) = ProviderRef::parse(text.clone()) {
            prop_assert!(!provider_ref.as_str().contains(['/', '?', '#', '%', ' ', '&']));
        }
        let _ = IdempotencyKey::parse(text.clone());
        let mut op = create(money(1_000, "AED"), CaptureMethod::Automatic);
        op.confirmation = Confirmation::Later;
        op.description = Some(text.clone());
        op.metadata.insert("note".to_owned(), text.clone());
        let request = built(&Operation::Create(op));
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(request.body.as_str()).unwrap();
        let of = |key: &str| -> Vec<String> {
            pairs.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect()
        };
        prop_assert_eq!(of("description"), vec![text.clone()]);
        prop_assert_eq!(of("metadata[note]"), vec![text]);
        prop_assert_eq!(of("amount"), vec!["1000".to_owned()]);
    }
}

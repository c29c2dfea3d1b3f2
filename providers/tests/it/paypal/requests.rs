//! Requests: what is said to PayPal, and what is refused before anything is sent.

use mizan_providers::paypal::{Environment, Paypal};
use mizan_providers::{
    Auth, Body, BuildError, CaptureMethod, Confirmation, CreatePayment, Credentials, Finality,
    HttpRequest, IdempotencyKey, ListDisputes, ListSettlement, Operation, PayoutDestination,
    Provider, ProviderName, RejectionReason, Replay, Support, provider,
};
use secrecy::SecretString;

use super::shop::{
    BATCH, CLIENT, HOLD, ITEM, SECRET, accept, all_operations, asked, at, cancel_payout, capture,
    capture_of, charge_saved, contest, create, find_refund, forget, hold, keep, key, list_disputes,
    money, payout, payout_to, paypal, reference, refund, refund_of, report, sale, save, settlement,
    sync, sync_dispute, sync_payout, sync_refund, sync_saved, take, void, void_of,
};

fn built(op: &Operation) -> HttpRequest {
    paypal().build(op, &key()).unwrap_or_else(|error| panic!("{op:?}: {error}"))
}

fn said(op: &Operation) -> String {
    let request = built(op);
    let query = request.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{request}{query} {}", request.body.as_str()).trim_end().to_owned()
}

const UNIT: &str = concat!(
    r#""purchase_units":[{"amount":{"currency_code":"USD","value":"100.00"},"#,
    r#""custom_id":"pi_00000000000000000000000000000001","#,
    r#""invoice_id":"pi_00000000000000000000000000000001-000000000003"}]}"#,
);
const PAGE: &str = concat!(
    r#"{"cancel_url":"https://shop.example/back","return_url":"https://shop.example/back","#,
    r#""shipping_preference":"NO_SHIPPING","user_action":"PAY_NOW"}"#,
);

#[test]
fn an_order_is_made_for_the_page_or_for_a_saved_instrument() {
    let paypal = |source: &str, intent: &str| {
        let body = format!(r#"{{"intent":"{intent}","payment_source":{{"paypal":{{{source}}}}},"#);
        format!("POST /v2/checkout/orders {body}{UNIT}")
    };
    let page = format!(r#""experience_context":{PAGE}"#);
    assert_eq!(said(&sale()), paypal(&page, "CAPTURE"));
    let manual = create(asked(), CaptureMethod::Manual);
    assert_eq!(said(&Operation::Create(manual)), paypal(&page, "AUTHORIZE"));
    let off_session = charge_saved(CaptureMethod::Automatic);
    assert_eq!(said(&off_session), paypal(r#""vault_id":"8kk8451t""#, "CAPTURE"));

    let mut kept = create(asked(), CaptureMethod::Automatic);
    kept.keep = Some(keep());
    let vault = concat!(
        r#""attributes":{"customer":{"#,
        r#""merchant_customer_id":"cus_00000000000000000000000000000009"},"#,
        r#""vault":{"store_in_vault":"ON_SUCCESS","usage_type":"MERCHANT"}},"#,
    );
    assert_eq!(
        said(&Operation::Create(kept.clone())),
        paypal(&format!("{vault}{page}"), "CAPTURE")
    );
    kept.keep.as_mut().unwrap().customer_ref = Some(reference("4029352050"));
    assert!(said(&Operation::Create(kept)).contains(r#""customer":{"id":"4029352050","merchant"#));

    let mut described = create(money(4_900, "HUF"), CaptureMethod::Automatic);
    described.description = Some("Two rugs".to_owned());
    let text = said(&Operation::Create(described));
    assert!(text.contains(r#""amount":{"currency_code":"HUF","value":"49"}"#), "{text}");
    assert!(text.contains(r#""description":"Two rugs""#), "{text}");
}

#[test]
fn every_follow_up_is_said_in_paypals_words() {
    let order = "/v2/checkout/orders/5O190127TN364715T";
    let hold_path = format!("/v2/payments/authorizations/{HOLD}");
    let amount = r#"{"amount":{"currency_code":"USD","value":"100.00"},"#;
    for (op, expected) in [
        (take(), format!("POST {order}/capture {{}}")),
        (hold(), format!("POST {order}/authorize {{}}")),
        (
            capture(),
            format!(
                "POST {hold_path}/capture {amount}\"final_capture\":true,\
                 \"invoice_id\":\"pi_00000000000000000000000000000001-000000000007\"}}"
            ),
        ),
        (void(), format!("POST {hold_path}/void {{}}")),
        (
            refund(),
            format!(
                "POST /v2/payments/captures/3C679366HH908993F/refund {amount}\
                 \"custom_id\":\"re_00000000000000000000000000000002\",\
                 \"invoice_id\":\"re_00000000000000000000000000000002-000000000004\"}}"
            ),
        ),
        (sync(), format!("GET {order}")),
        (find_refund(), format!("GET {order}")),
        (sync_refund(), "GET /v2/payments/refunds/1JU08902781691411".to_owned()),
    ] {
        assert_eq!(said(&op), expected);
    }
    let part = Operation::Capture(capture_of(money(2_500, "USD")));
    assert!(said(&part).contains(r#""value":"25.00"},"final_capture":true"#));
}

#[test]
fn everything_beside_payments_is_said_in_paypals_words() {
    let back =
        r#"{"cancel_url":"https://shop.example/back","return_url":"https://shop.example/back","#;
    let item = concat!(
        r#"{"items":[{"amount":{"currency":"USD","value":"100.00"},"#,
        r#""receiver":"vendor@example.com","recipient_type":"EMAIL","#,
        r#""sender_item_id":"po_00000000000000000000000000000006"}],"#,
        r#""sender_batch_header":{"#,
        r#""sender_batch_id":"po_00000000000000000000000000000006-00000000000b"}}"#,
    );
    let to_account = payout_to(PayoutDestination::PayeeAccount("G83JXTJ5EHCQ2".to_owned()));
    for (op, expected) in [
        (
            save(),
            format!(
                "POST /v3/vault/setup-tokens {{\"customer\":{{\
                 \"merchant_customer_id\":\"cus_00000000000000000000000000000009\"}},\
                 \"payment_source\":{{\"paypal\":{{\"experience_context\":{back}\
                 \"shipping_preference\":\"NO_SHIPPING\"}},\"usage_type\":\"MERCHANT\"}}}}}}"
            ),
        ),
        (
            sync_saved(),
            "POST /v3/vault/payment-tokens {\"payment_source\":{\"token\":\
             {\"id\":\"7C3310112A9999999\",\"type\":\"SETUP_TOKEN\"}}}"
                .to_owned(),
        ),
        (forget(), "DELETE /v3/vault/payment-tokens/8kk8451t".to_owned()),
        (payout(), format!("POST /v1/payments/payouts {item}")),
        (
            Operation::Payout(to_account),
            format!(
                "POST /v1/payments/payouts {}",
                item.replace("vendor@example.com", "G83JXTJ5EHCQ2").replace("EMAIL", "PAYPAL_ID")
            ),
        ),
        (
            sync_payout(&format!("batch:{BATCH}")),
            format!("GET /v1/payments/payouts/{BATCH}?page=1&page_size=1000&total_required=true"),
        ),
        (sync_payout(ITEM), format!("GET /v1/payments/payouts-item/{ITEM}")),
        (cancel_payout(ITEM), format!("POST /v1/payments/payouts-item/{ITEM}/cancel {{}}")),
        (sync_dispute(), "GET /v1/customer/disputes/PP-000-042-663-135".to_owned()),
        (
            list_disputes(),
            "GET /v1/customer/disputes?page_size=50&start_time=2026-01-02T03%3A04%3A05.000Z"
                .to_owned(),
        ),
        (
            accept(),
            "POST /v1/customer/disputes/PP-000-042-663-135/accept-claim {\"note\":\"accepted\"}"
                .to_owned(),
        ),
        (
            settlement(),
            "GET /v1/reporting/transactions?start_date=2026-01-01T00%3A00%3A00Z\
             &end_date=2026-01-31T23%3A59%3A59Z&fields=transaction_info\
             &balance_affecting_records_only=Y&page_size=250&page=1"
                .to_owned(),
        ),
    ] {
        assert_eq!(said(&op), expected);
    }
}

#[test]
fn evidence_is_a_form_in_parts_with_words_only() {
    let full = contest(&[
        ("evidence_type", "PROOF_OF_FULFILLMENT"),
        ("notes", "It was delivered."),
        ("carrier_name", "FEDEX"),
        ("tracking_number", "122533485"),
    ]);
    let request = built(&full);
    assert_eq!(request.path, "/v1/customer/disputes/PP-000-042-663-135/provide-evidence");
    let kind = request.body.content_type().unwrap();
    assert_eq!(kind, format!("multipart/form-data; boundary={}", Body::BOUNDARY));
    let json = concat!(
        r#"{"evidences":[{"evidence_info":{"tracking_info":[{"carrier_name":"FEDEX","#,
        r#""tracking_number":"122533485"}]},"evidence_type":"PROOF_OF_FULFILLMENT","#,
        r#""notes":"It was delivered."}]}"#,
    );
    let boundary = Body::BOUNDARY;
    assert_eq!(
        request.body.as_str(),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"input\"\r\n\
             Content-Type: application/json\r\n\r\n{json}\r\n--{boundary}--\r\n"
        )
    );
    let long = "x".repeat(2_001);
    for wrong in [
        &[][..],
        &[("evidence_type", "OTHER")],
        &[("file", "file_1")],
        &[("carrier_name", "FEDEX")],
        &[("notes", long.as_str())],
        &[("notes", Body::BOUNDARY)],
    ] {
        let error = paypal().build(&contest(wrong), &key()).unwrap_err();
        assert_eq!(error.code(), "invalid_field", "{wrong:?}");
    }
}

#[test]
fn every_write_that_may_be_repeated_carries_the_key() {
    for op in all_operations() {
        let request = built(&op);
        let header = request.headers.get("PayPal-Request-Id");
        let (replay, expected) = match &op {
            Operation::SyncInstrument(_) => (Replay::Keyed, Some("7C3310112A9999999")),
            Operation::RemoveInstrument(_) => (Replay::Keyed, None),
            Operation::AcceptDispute(_) | Operation::ContestDispute(_) => (Replay::Once, None),
            op if op.is_query() => (Replay::Query, None),
            _ => (Replay::Keyed, Some("mizan-op_0001")),
        };
        assert_eq!((request.replay, header), (replay, expected), "{op:?}");
        let Auth::ClientCredentials { path, user, .. } = &request.auth else { panic!("{op:?}") };
        assert_eq!((*path, user.as_str()), ("/v1/oauth2/token", CLIENT));
        let whole =
            matches!(op, Operation::Create(_) | Operation::Confirm(_) | Operation::Capture(_));
        let prefer = request.headers.get("Prefer");
        assert!(!whole || prefer == Some("return=representation"), "{op:?}");
    }
    let long = IdempotencyKey::parse("k".repeat(109)).unwrap();
    assert_eq!(paypal().build(&sale(), &long).unwrap_err().code(), "invalid_field");
    assert!(paypal().build(&sync(), &long).is_ok());
    assert!(paypal().build(&sale(), &IdempotencyKey::parse("k".repeat(108)).unwrap()).is_ok());
}

#[test]
fn what_paypal_cannot_do_is_refused_before_anything_is_sent() {
    let with = |change: fn(&mut CreatePayment)| {
        let mut it = create(asked(), CaptureMethod::Automatic);
        change(&mut it);
        Operation::Create(it)
    };
    let part = |change: fn(&mut mizan_providers::CapturePayment)| {
        let mut it = capture_of(asked());
        change(&mut it);
        Operation::Capture(it)
    };
    let mut unknown_capture = refund_of(asked());
    unknown_capture.charge_ref = None;
    let bank = PayoutDestination::FundAccount(reference("fa_1"));
    let span = |to| Operation::ListSettlement(report("2026-01-01T00:00:00Z", to));
    let whole = report("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let (settlement, page) = (Some(reference("x")), Some("0".to_owned()));
    for (op, code) in [
        (with(|it| it.confirmation = Confirmation::Later), "unsupported_by_provider"),
        (with(|it| it.amount = money(1_000, "AED")), "unsupported_by_provider"),
        (with(|it| it.amount = money(4_990, "HUF")), "amount_not_representable"),
        (with(|it| it.amount = money(0, "USD")), "amount_not_representable"),
        (with(|it| it.payment_method = Some("pm".into())), "invalid_field"),
        (with(|it| it.return_url = None), "invalid_field"),
        (with(|it| it.description = Some("x".repeat(128))), "invalid_field"),
        (part(|it| it.finality = Finality::More), "unsupported_by_provider"),
        (part(|it| it.captured_before = money(1, "USD")), "unsupported_by_provider"),
        (part(|it| it.charge_ref = None), "invalid_field"),
        (part(|it| it.amount = money(10_001, "USD")), "invalid_field"),
        (part(|it| it.amount = money(1, "EUR")), "invalid_field"),
        (void_of(None), "unsupported_by_provider"),
        (Operation::Refund(unknown_capture), "invalid_field"),
        (Operation::Find(Box::new(sale())), "unsupported_by_provider"),
        (Operation::Payout(payout_to(bank)), "unsupported_by_provider"),
        (Operation::Payout(payout_to(PayoutDestination::Email(String::new()))), "invalid_field"),
        (cancel_payout(&format!("batch:{BATCH}")), "invalid_field"),
        (span("2026-02-01T00:00:01Z"), "invalid_field"),
        (span("2026-01-01T00:00:00Z"), "invalid_field"),
        (
            Operation::ListSettlement(ListSettlement { settlement, ..whole.clone() }),
            "unsupported_by_provider",
        ),
        (Operation::ListSettlement(ListSettlement { page, ..whole }), "invalid_field"),
    ] {
        assert_eq!(paypal().build(&op, &key()).unwrap_err().code(), code, "{op:?}");
    }
    let told = paypal().capabilities();
    assert_eq!([told.confirm_later, told.multiple_captures, told.transfers], [Support::No; 3]);
}

#[test]
fn the_token_of_a_page_is_encoded() {
    let page = Some("a&b=c".to_owned());
    let since = at("2026-01-01T00:00:00Z");
    let query = built(&Operation::ListDisputes(ListDisputes { since, page })).query.unwrap();
    assert!(query.ends_with("&next_page_token=a%26b%3Dc"), "{query}");
}

#[test]
fn the_secret_is_never_shown_and_a_payees_address_neither() {
    let request = built(&payout());
    for text in [format!("{:?}", request.auth), format!("{request}"), format!("{:?}", paypal())] {
        assert!(!text.contains(SECRET) && !text.contains("vendor@"), "{text}");
    }
    assert!(!format!("{:?}", payout()).contains("vendor@example.com"));
    for (id, secret) in [("", "s"), ("a b", "s"), ("a:b", "s"), ("id", ""), ("id", "a\nb")] {
        let secret = SecretString::from(secret);
        let error = Paypal::new(id.to_owned(), secret, Environment::Live).unwrap_err();
        assert!(error.to_string().contains("paypal"), "{error}");
    }
}

#[test]
fn each_world_has_its_own_address_and_a_reader_builds_nothing() {
    let in_world = |environment| {
        let credentials = Credentials::Paypal {
            client_id: CLIENT.to_owned(),
            client_secret: SecretString::from(SECRET),
            environment,
            trust_roots: Vec::new(),
            certificate_base: Some("http://127.0.0.1:1/certs/".to_owned()),
        };
        assert_eq!(credentials.provider(), ProviderName::Paypal);
        assert!(!format!("{credentials:?}").contains(SECRET));
        provider(credentials).unwrap().base_url()
    };
    assert_eq!(in_world(Environment::Live), "https://api-m.paypal.com");
    assert_eq!(in_world(Environment::Sandbox), "https://api-m.sandbox.paypal.com");
    assert_eq!("sandbox".parse(), Ok(Environment::Sandbox));
    let error = Paypal::webhook_reader().build(&sync(), &key()).unwrap_err();
    assert_eq!(error, BuildError::NoCredentials { provider: "paypal" });
    assert_eq!(error.reason(), RejectionReason::Credentials);
}

#[test]
fn the_same_operation_always_has_the_same_fingerprint() {
    for op in all_operations() {
        assert_eq!(built(&op).fingerprint(), built(&op).fingerprint());
    }
}

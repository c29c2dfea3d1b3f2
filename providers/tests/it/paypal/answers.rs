//! Answers about payments: total, never a success by mistake, and compared with what was asked.

use mizan_providers::{
    CaptureMethod, Headers, HttpAnswer, NextAction, Operation, Outcome, Provider,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shop::{
    CAPTURE, HOLD, ORDER, REFUND, all_operations, answered, asked, at_place, brief, capture,
    capture_of, captured, charge_saved, find_refund, held, hold, money, order, our_payment,
    our_refund, parse, part, payment, paypal, reference, refund, refund_told, refunded, sale, sync,
    sync_refund, take, taken, usd, void, with,
};

#[test]
fn every_status_of_an_order_means_what_it_must_for_the_operation_that_asked() {
    let new = |status: &str| order(status, "CAPTURE", &json!({}));
    for (op, body, expected) in [
        (sale(), new("PAYER_ACTION_REQUIRED"), "done requires_action"),
        (sale(), new("CREATED"), "done requires_action"),
        (sale(), new("APPROVED"), "done requires_action"),
        (sale(), with(new("CREATED"), "links", json!([])), "unknown unexpected_status"),
        (sale(), new("VOIDED"), "unknown unexpected_status"),
        (sale(), new("COMPLETED"), "unknown unreadable"),
        (sale(), new("NEW_WORD"), "unknown unknown_status"),
        (sync(), new("CREATED"), "done requires_action"),
        (sync(), with(new("SAVED"), "links", json!([])), "done created"),
        (sync(), new("APPROVED"), "done requires_action"),
        (sync(), new("VOIDED"), "done cancelled"),
        (sync(), new("COMPLETED"), "unknown unreadable"),
        (sync(), with(captured("COMPLETED"), "status", json!("NEW")), "unknown unknown_status"),
        (take(), new("APPROVED"), "unknown unexpected_status"),
        (take(), new("COMPLETED"), "unknown unreadable"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{op:?} {body}");
    }
}

#[test]
fn a_completed_order_is_told_by_its_captures_and_authorisations() {
    let saved = charge_saved(CaptureMethod::Automatic);
    for (op, body, expected) in [
        (take(), captured("COMPLETED"), "done captured"),
        (take(), captured("PENDING"), "pending processing"),
        (take(), captured("DECLINED"), "declined CAPTURE_DECLINED"),
        (take(), captured("FAILED"), "declined CAPTURE_FAILED"),
        (take(), captured("NEW_WORD"), "unknown unknown_status"),
        (saved.clone(), captured("COMPLETED"), "done captured"),
        (saved, captured("DECLINED"), "declined CAPTURE_DECLINED"),
        (hold(), held("CREATED"), "done authorised"),
        (hold(), held("AUTHORIZED"), "done authorised"),
        (hold(), held("PENDING"), "pending processing"),
        (hold(), held("DENIED"), "declined AUTHORIZATION_DENIED"),
        (hold(), held("NEW_WORD"), "unknown unknown_status"),
        (hold(), held("CAPTURED"), "unknown unreadable"),
        (sync(), captured("REFUNDED"), "done captured"),
        (sync(), captured("PARTIALLY_REFUNDED"), "done captured"),
        (sync(), captured("DECLINED"), "done failed"),
        (sync(), held("VOIDED"), "done cancelled"),
        (sync(), held("EXPIRED"), "done cancelled"),
        (sync(), held("DENIED"), "done failed"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{op:?} {body}");
    }
    let declined = with(
        part(CAPTURE, "DECLINED", "100.00"),
        "processor_response",
        json!({"response_code": "5900"}),
    );
    let body = order("COMPLETED", "CAPTURE", &json!({"captures": [declined]}));
    let Outcome::Declined(it) = parse(&take(), 201, body.to_string()) else { panic!() };
    assert_eq!(it.decline_code.as_deref(), Some("5900"));
    assert_eq!(
        (it.provider_ref, it.charge_ref),
        (Some(reference(ORDER)), Some(reference(CAPTURE)))
    );
}

#[test]
fn a_hold_and_its_captures_are_told_together() {
    let told = |hold: &str, captures: Value| {
        let hold = part(HOLD, hold, "100.00");
        let both = json!({"authorizations": [hold], "captures": captures});
        payment(&sync(), &order("COMPLETED", "AUTHORIZE", &both))
    };
    let some = |status| part(CAPTURE, status, "56.78");
    let open = with(some("COMPLETED"), "final_capture", json!(false));
    let last = with(some("COMPLETED"), "final_capture", json!(true));
    for (it, status, charge, captured, capturable) in [
        (told("CAPTURED", json!([some("COMPLETED")])), "captured", CAPTURE, 5_678, 0),
        (told("CAPTURED", json!([some("PENDING")])), "processing", CAPTURE, 0, 0),
        // The hold was given up after a part of it was taken: that part stays.
        (told("VOIDED", json!([some("COMPLETED")])), "captured", CAPTURE, 5_678, 0),
        (told("PARTIALLY_CAPTURED", json!([last])), "captured", CAPTURE, 5_678, 0),
        (told("PARTIALLY_CAPTURED", json!([open])), "authorised", HOLD, 5_678, 4_322),
        (told("CREATED", json!([some("DECLINED")])), "authorised", HOLD, 0, 10_000),
        (told("CREATED", json!([])), "authorised", HOLD, 0, 10_000),
    ] {
        assert_eq!((it.status.as_str(), it.charge_ref), (status, Some(reference(charge))));
        assert_eq!(it.amount, asked());
        assert_eq!(
            (it.captured.minor(), it.capturable.minor()),
            (captured, capturable),
            "{status}"
        );
    }
}

#[test]
fn the_customer_is_sent_to_the_page_and_after_that_we_are_asked_to_confirm() {
    let waiting = payment(&sale(), &order("PAYER_ACTION_REQUIRED", "CAPTURE", &json!({})));
    let url = "https://www.paypal.com/checkoutnow?token=5O19".to_owned();
    assert_eq!(waiting.next_action, Some(NextAction::Redirect { url }));
    assert_eq!((waiting.provider_ref, waiting.charge_ref), (reference(ORDER), None));
    assert_eq!(waiting.reference, our_payment().parse().ok());
    let agreed = payment(&sync(), &order("APPROVED", "CAPTURE", &json!({})));
    assert_eq!(agreed.next_action, Some(NextAction::Confirm));
    assert_eq!((agreed.captured.minor(), agreed.amount), (0, asked()));
    for href in ["javascript:alert(1)", "", "//paypal.com", "https://x y"] {
        let body = order("PAYER_ACTION_REQUIRED", "CAPTURE", &json!({}));
        let body = at_place(body, "/links/0/href", json!(href));
        assert_eq!(answered(&sale(), &body), "unknown unexpected_status", "{href}");
    }
}

#[test]
fn the_fee_is_told_where_it_adds_up_and_is_in_one_currency() {
    let breakdown = json!({
        "gross_amount": usd("100.00"), "paypal_fee": usd("3.00"), "net_amount": usd("97.00"),
    });
    let fee = |breakdown: Value| {
        let capture =
            with(part(CAPTURE, "COMPLETED", "100.00"), "seller_receivable_breakdown", breakdown);
        payment(&take(), &order("COMPLETED", "CAPTURE", &json!({"captures": [capture]}))).fee
    };
    let told = fee(breakdown.clone()).unwrap();
    let said = [told.gross, told.fee, told.tax, told.net].map(|money| money.minor());
    assert_eq!((said, told.balance_transaction), ([10_000, 300, 0, 9_700], reference(CAPTURE)));
    assert_eq!(fee(with(breakdown.clone(), "net_amount", usd("96.00"))), None);
    let euro = json!({"currency_code": "EUR", "value": "80.00"});
    assert_eq!(fee(with(breakdown, "receivable_amount", euro)), None);
}

#[test]
fn what_went_back_is_summed_by_the_refunds_that_are_done() {
    let told = |status: &str, refunds: Value| {
        let captures = json!([part(CAPTURE, status, "100.00")]);
        let both = json!({"captures": captures, "refunds": refunds});
        payment(&sync(), &order("COMPLETED", "CAPTURE", &both))
            .refunded
            .map(mizan_money::Money::minor)
    };
    let back = |status, value| part(REFUND, status, value);
    let two = json!([back("COMPLETED", "12.34"), back("COMPLETED", "1"), back("PENDING", "5.00")]);
    assert_eq!(told("PARTIALLY_REFUNDED", two), Some(1_334));
    assert_eq!(told("COMPLETED", json!([])), Some(0));
    assert_eq!(told("PARTIALLY_REFUNDED", json!([])), None);
}

#[test]
fn a_capture_of_a_hold_is_of_that_hold_and_of_that_amount() {
    for (body, expected) in [
        (taken("COMPLETED", "100.00"), "done captured"),
        (taken("PENDING", "100.00"), "pending processing"),
        (taken("DECLINED", "100.00"), "declined CAPTURE_DECLINED"),
        (taken("REFUNDED", "100.00"), "done captured"),
        (taken("NEW_WORD", "100.00"), "unknown unknown_status"),
        (taken("COMPLETED", "99.99"), "mismatch captured"),
        (taken("PENDING", "99.99"), "mismatch captured"),
        (taken("DECLINED", "99.99"), "mismatch captured"),
        (
            at_place(taken("COMPLETED", "1"), "/amount/currency_code", json!("EUR")),
            "mismatch currency",
        ),
        (with(taken("COMPLETED", "100.00"), "custom_id", json!("pi_other")), "mismatch reference"),
        (
            at_place(taken("COMPLETED", "1"), "/links/0/href", json!("/payments/authorizations/X")),
            "mismatch authorization",
        ),
    ] {
        assert_eq!(answered(&capture(), &body), expected, "{body}");
    }
    let part = Operation::Capture(capture_of(money(2_500, "USD")));
    let told = payment(&part, &taken("COMPLETED", "25.00"));
    assert_eq!((told.amount, told.captured), (asked(), money(2_500, "USD")));
    assert_eq!((told.provider_ref, told.charge_ref), (reference(ORDER), Some(reference(CAPTURE))));
}

#[test]
fn a_void_is_done_by_an_empty_answer_or_by_the_authorisation_and_by_nothing_else() {
    let Outcome::Done(answer) = parse(&void(), 204, "") else { panic!() };
    let told = answer.payment().unwrap();
    assert_eq!((told.status.as_str(), told.amount), ("cancelled", asked()));
    assert_eq!((told.capturable.minor(), told.captured.minor()), (0, 0));
    assert_eq!(answered(&void(), &part(HOLD, "VOIDED", "100.00")), "done cancelled");
    assert_eq!(answered(&void(), &part(HOLD, "CREATED", "100.00")), "unknown unexpected_status");
    assert_eq!(answered(&void(), &part("OTHER", "VOIDED", "100.00")), "mismatch authorization");
    assert_eq!(brief(&parse(&void(), 200, "")), "unknown unreadable");
    for op in [sale(), take(), capture(), refund(), sync()] {
        assert_eq!(brief(&parse(&op, 204, "")), "unknown unreadable", "{op:?}");
    }
}

#[test]
fn a_refund_is_told_by_its_own_word_and_found_in_its_order() {
    for (status, written, read) in [
        ("COMPLETED", "done succeeded", "done succeeded"),
        ("PENDING", "pending pending", "done pending"),
        ("FAILED", "declined refund_failed", "done failed"),
        ("CANCELLED", "declined refund_failed", "done failed"),
        ("NEW_WORD", "unknown unknown_status", "unknown unknown_status"),
    ] {
        assert_eq!(answered(&refund(), &refunded(status)), written, "{status}");
        assert_eq!(answered(&sync_refund(), &refunded(status)), read, "{status}");
        let among = json!({"captures": [part(CAPTURE, "COMPLETED", "100.00")], "refunds": [
            with(refunded("COMPLETED"), "custom_id", json!("somebody else's")), refunded(status),
        ]});
        let body = order("COMPLETED", "CAPTURE", &among);
        assert_eq!(answered(&find_refund(), &body), written, "{status}");
    }
    assert_eq!(answered(&find_refund(), &captured("COMPLETED")), "unknown not_found");
    let other = with(captured("COMPLETED"), "id", json!("OTHER"));
    assert_eq!(answered(&find_refund(), &other), "unknown unreadable");
    let told = refund_told(&refund(), &refunded("COMPLETED"));
    assert_eq!(
        (told.charge_ref, told.reference),
        (Some(reference(CAPTURE)), our_refund().parse().ok())
    );
}

#[test]
fn a_refund_that_hands_down_the_references_of_its_payment_is_still_ours() {
    let handed = with(refunded("COMPLETED"), "custom_id", json!(our_payment()));
    assert_eq!(answered(&refund(), &handed), "done succeeded");
    let invoice = format!("{}-000000000004", our_refund());
    let both = with(handed.clone(), "invoice_id", json!(invoice));
    assert_eq!(refund_told(&refund(), &both).reference, our_refund().parse().ok());
    let of_another = json!(format!("pi_{}", "f".repeat(32)));
    let other = with(handed, "custom_id", of_another);
    assert_eq!(answered(&refund(), &other), "mismatch reference");
}

#[test]
fn an_echo_that_disagrees_is_a_mismatch_and_never_a_success() {
    let back = refunded("COMPLETED");
    let paid = captured("COMPLETED");
    let unit = "/purchase_units/0";
    for (op, body, expected) in [
        (
            sale(),
            at_place(
                order("CREATED", "CAPTURE", &json!({})),
                &format!("{unit}/amount/value"),
                json!("1"),
            ),
            "mismatch amount",
        ),
        (sale(), order("CREATED", "AUTHORIZE", &json!({})), "mismatch capture"),
        (
            take(),
            at_place(paid.clone(), &format!("{unit}/amount/value"), json!("99.00")),
            "mismatch amount",
        ),
        (
            take(),
            at_place(paid.clone(), &format!("{unit}/amount/currency_code"), json!("EUR")),
            "unknown unreadable",
        ),
        (
            take(),
            at_place(paid.clone(), &format!("{unit}/custom_id"), json!("ORDER-1")),
            "mismatch reference",
        ),
        (
            take(),
            at_place(
                paid.clone(),
                &format!("{unit}/payments/captures/0/amount/value"),
                json!("90"),
            ),
            "mismatch captured",
        ),
        (take(), with(paid.clone(), "id", json!("OTHER")), "mismatch provider_ref"),
        (take(), held("CREATED"), "mismatch capture"),
        (hold(), paid.clone(), "mismatch capture"),
        (sync(), with(paid.clone(), "id", json!("OTHER")), "mismatch provider_ref"),
        (
            sync(),
            at_place(paid, &format!("{unit}/payments/captures/0/amount/value"), json!("100.01")),
            "mismatch captured",
        ),
        (refund(), at_place(back.clone(), "/amount/value", json!("1")), "mismatch amount"),
        (
            refund(),
            at_place(back.clone(), "/amount/currency_code", json!("EUR")),
            "mismatch currency",
        ),
        (refund(), with(back.clone(), "custom_id", json!("re_1")), "mismatch reference"),
        (
            refund(),
            at_place(back.clone(), "/links/0/href", json!("/payments/captures/X")),
            "mismatch charge_ref",
        ),
        (sync_refund(), with(back, "id", json!("OTHER")), "mismatch provider_ref"),
    ] {
        assert_eq!(answered(&op, &body), expected, "{body}");
    }
}

#[test]
fn a_success_status_with_anything_but_a_success_inside_is_unknown() {
    let paid = captured("COMPLETED");
    let in_unit = |place: &str, value: Value| {
        at_place(paid.clone(), &format!("/purchase_units/0{place}"), value).to_string()
    };
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>Welcome</html>".to_owned(), "unknown unreadable"),
        (200, "null".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, "{}".to_owned(), "unknown unreadable"),
        (
            200,
            json!({"name": "X", "debug_id": "1", "message": ""}).to_string(),
            "unknown error_inside",
        ),
        (200, json!({"error": "invalid_token"}).to_string(), "unknown error_inside"),
        (200, with(paid.clone(), "error", json!({})).to_string(), "unknown error_inside"),
        (
            200,
            with(paid.clone(), "purchase_units", json!([{}, {}])).to_string(),
            "unknown unreadable",
        ),
        (200, with(paid.clone(), "id", json!("../x")).to_string(), "unknown unreadable"),
        (200, in_unit("/amount/value", json!("1e2")), "unknown unreadable"),
        (200, in_unit("/amount/value", json!(100)), "unknown unreadable"),
        (200, in_unit("/amount/value", json!("-100.00")), "unknown unreadable"),
        (200, in_unit("/amount/value", json!("100.001")), "unknown unreadable"),
        (200, in_unit("/amount/currency_code", json!("ZZZ")), "unknown unreadable"),
        (302, paid.to_string(), "unknown redirect"),
        (100, paid.to_string(), "unknown unreadable"),
        (400, paid.to_string(), "unknown unreadable"),
        (503, paid.to_string(), "unknown server_error"),
    ] {
        let said = brief(&parse(&take(), status, body.clone()));
        assert_eq!(said, expected, "{status} {body}");
    }
}

#[test]
fn the_id_for_paypals_support_is_kept() {
    let headers = Headers::new().with("Paypal-Debug-Id", "f7ad1");
    let answer = HttpAnswer::new(200, headers, captured("COMPLETED").to_string());
    let outcome = paypal().parse(&take(), &answer);
    assert_eq!(outcome.answer().unwrap().request_id.as_deref(), Some("f7ad1"));
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "COMPLETED",
        "CREATED",
        "APPROVED",
        "VOIDED",
        "SUCCESS",
        "USD",
        "100.00",
        "x",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(|n| json!(n)),
        words.prop_map(|text| json!(text)),
    ];
    let names = prop::sample::select(vec![
        "id",
        "status",
        "amount",
        "links",
        "purchase_units",
        "payments",
        "captures",
        "value",
        "currency_code",
        "items",
        "batch_header",
        "payout_item",
        "dispute_amount",
        "name",
    ]);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map(names.clone(), inner, 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_give_an_outcome_and_none_of_them_a_success(
        status in (100_u16..600).prop_filter("said by its status", |status| *status != 204),
        body: Vec<u8>,
    ) {
        for op in all_operations() {
            let answer = HttpAnswer::new(status, Headers::new(), body.clone());
            let outcome = paypal().parse(&op, &answer);
            prop_assert!(!matches!(outcome, Outcome::Done(_) | Outcome::Pending(_)));
        }
    }

    #[test]
    fn any_json_gives_an_outcome_and_no_payment_by_mistake(body in any_json()) {
        for op in all_operations() {
            let outcome = parse(&op, 200, body.to_string());
            if let (Some(told), Operation::Confirm(_) | Operation::Sync(_)) =
                (outcome.answer().and_then(|it| it.payment()), &op)
            {
                // Only an order that names itself and the amount is believed.
                prop_assert_eq!(&told.provider_ref, &reference(ORDER));
            }
        }
    }

    #[test]
    fn a_body_with_one_field_spoiled_never_becomes_another_amount(
        place in prop::sample::select(vec![
            "/id", "/status", "/intent", "/purchase_units", "/purchase_units/0/amount",
            "/purchase_units/0/payments", "/purchase_units/0/payments/captures/0/status",
            "/purchase_units/0/payments/captures/0/amount",
            "/purchase_units/0/payments/captures/0/amount/value",
        ]),
        value in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!("1"), json!("99.99"), json!(""),
            json!("COMPLETED"), json!("PENDING"), json!([]), json!({}),
        ]),
    ) {
        let body = at_place(captured("COMPLETED"), place, value);
        if let Outcome::Done(answer) = parse(&take(), 200, body.to_string()) {
            prop_assert_eq!(answer.payment().unwrap().captured, asked());
        }
    }
}

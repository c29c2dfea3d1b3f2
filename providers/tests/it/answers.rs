//! Answers: total, never a success by mistake, and compared with what was asked.

use mizan_providers::{
    CaptureMethod, Confirmation, CreatePayment, DeclineKind, EventSubject, Finality, Headers,
    HttpAnswer, Operation, Outcome, Prior, Provider,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shop::{
    PI, RE, all_operations, capture, confirm, create, money, our_payment, our_refund, parse,
    refund, stripe, sync, sync_refund, void,
};

const AMOUNT: i64 = 25_000;

fn asked() -> mizan_money::Money {
    money(AMOUNT, "AED")
}

fn hold() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Manual))
}

fn sale() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Automatic))
}

/// A payment as a trimmed body tells it.
fn payment(status: &str, received: i64) -> Value {
    json!({
        "id": PI, "object": "payment_intent", "status": status, "amount": AMOUNT,
        "currency": "aed", "amount_received": received,
        "amount_capturable": if status == "requires_capture" { AMOUNT } else { 0 },
        "metadata": {"mizan_payment_intent": our_payment()},
    })
}

fn refunded(status: &str) -> Value {
    json!({
        "id": RE, "object": "refund", "status": status, "amount": AMOUNT, "currency": "aed",
        "payment_intent": PI, "metadata": {"mizan_refund": our_refund()},
    })
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// The outcome in a word or two.
fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            let status = answer.payment().map(|it| it.status.as_str());
            let status = status.or(answer.refund().map(|it| it.status.as_str()));
            format!("{} {}", outcome.as_str(), status.unwrap_or_default())
        }
        Outcome::Declined(it) => format!("declined {}", it.code),
        Outcome::Rejected(it) => format!("rejected {}", it.reason),
        Outcome::Unknown(it) => format!("unknown {}", it.why.code()),
        Outcome::Mismatch(it) => format!("mismatch {}", it.field),
    }
}

fn answered(op: &Operation, body: &Value) -> String {
    brief(&parse(op, 200, body.to_string()))
}

#[test]
fn every_status_means_what_it_must_for_the_operation_that_asked() {
    let failed = with(
        payment("requires_payment_method", 0),
        "last_payment_error",
        json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card"}),
    );
    let later = Operation::Create(CreatePayment {
        confirmation: Confirmation::Later,
        ..create(asked(), CaptureMethod::Automatic)
    });
    let confirmed = confirm(asked(), CaptureMethod::Manual);
    let part = with(payment("succeeded", 18_000), "amount_capturable", json!(0));
    let some = capture(asked(), money(18_000, "AED"));
    for (op, body, expected) in [
        (&later, payment("requires_confirmation", 0), "done created"),
        (&later, payment("requires_payment_method", 0), "done created"),
        (&later, payment("succeeded", AMOUNT), "unknown unexpected_status"),
        (&sale(), payment("requires_action", 0), "done requires_action"),
        (&sale(), payment("processing", 0), "pending processing"),
        (&sale(), payment("succeeded", AMOUNT), "done captured"),
        (&sale(), payment("requires_confirmation", 0), "unknown unexpected_status"),
        (&sale(), payment("requires_capture", 0), "unknown unexpected_status"),
        (&sale(), payment("canceled", 0), "unknown unexpected_status"),
        (&sale(), failed.clone(), "declined card_declined"),
        (&hold(), payment("requires_capture", 0), "done authorised"),
        (&hold(), payment("succeeded", AMOUNT), "mismatch capture"),
        (&confirmed, payment("requires_capture", 0), "done authorised"),
        (&confirmed, failed.clone(), "declined card_declined"),
        (&some, part.clone(), "done captured"),
        (&some, payment("processing", 0), "pending processing"),
        (&some, payment("requires_capture", 0), "mismatch captured"),
        (&some, payment("canceled", 0), "unknown unexpected_status"),
        (&void(asked()), payment("canceled", 0), "done cancelled"),
        (&void(asked()), payment("succeeded", AMOUNT), "unknown unexpected_status"),
        (&sync(asked()), failed, "done failed"),
        (&sync(asked()), part, "done captured"),
        (&sync(asked()), payment("processing", 0), "done processing"),
        (&sync(asked()), payment("new_word", 0), "unknown unknown_status"),
        (&refund(asked()), refunded("succeeded"), "done succeeded"),
        (&refund(asked()), refunded("pending"), "pending pending"),
        (&refund(asked()), refunded("requires_action"), "pending pending"),
        (&refund(asked()), refunded("failed"), "declined refund_failed"),
        (&refund(asked()), refunded("canceled"), "declined refund_cancelled"),
        (&refund(asked()), refunded("new_word"), "unknown unknown_status"),
        (&sync_refund(asked()), refunded("failed"), "done failed"),
        (&sync_refund(asked()), refunded("pending"), "done pending"),
    ] {
        assert_eq!(answered(op, &body), expected, "{op:?} {body}");
    }
}

#[test]
fn a_capture_of_which_more_will_follow_may_leave_the_rest_held() {
    let Operation::Capture(mut more) = capture(asked(), money(10_000, "AED")) else { panic!() };
    more.finality = Finality::More;
    let body = with(payment("requires_capture", 10_000), "amount_capturable", json!(15_000));
    assert_eq!(answered(&Operation::Capture(more), &body), "done authorised");
}

#[test]
fn an_echo_that_disagrees_is_a_mismatch_and_never_a_success() {
    let paid = payment("succeeded", AMOUNT);
    let other = json!({"mizan_payment_intent": format!("pi_{}", "f".repeat(32))});
    let other_refund = json!({"mizan_refund": "re_1"});
    for (op, body, expected) in [
        (sale(), with(paid.clone(), "amount", json!(AMOUNT + 1)), "mismatch amount"),
        (sale(), with(paid.clone(), "currency", json!("usd")), "mismatch currency"),
        (sale(), with(paid.clone(), "amount_received", json!(1)), "mismatch captured"),
        (sale(), with(paid.clone(), "metadata", other), "mismatch reference"),
        (sync(asked()), with(paid.clone(), "id", json!("pi_other")), "mismatch provider_ref"),
        (
            sync(asked()),
            with(paid.clone(), "amount_received", json!(AMOUNT + 1)),
            "mismatch captured",
        ),
        (capture(asked(), asked()), with(paid, "amount_received", json!(1)), "mismatch captured"),
        (
            hold(),
            with(payment("requires_capture", 0), "amount_capturable", json!(1)),
            "mismatch capturable",
        ),
        (refund(asked()), with(refunded("succeeded"), "amount", json!(1)), "mismatch amount"),
        (
            refund(asked()),
            with(refunded("succeeded"), "currency", json!("eur")),
            "mismatch currency",
        ),
        (
            refund(asked()),
            with(refunded("succeeded"), "payment_intent", json!("pi_x")),
            "mismatch payment_ref",
        ),
        (
            refund(asked()),
            with(refunded("succeeded"), "metadata", other_refund),
            "mismatch reference",
        ),
        (
            sync_refund(asked()),
            with(refunded("succeeded"), "id", json!("re_x")),
            "mismatch provider_ref",
        ),
    ] {
        assert_eq!(answered(&op, &body), expected, "{body}");
    }
}

#[test]
fn the_figures_of_a_mismatch_are_told_in_major_units() {
    let body = with(payment("succeeded", AMOUNT), "amount", json!(25_001));
    let Outcome::Mismatch(it) = parse(&sale(), 200, body.to_string()) else { panic!() };
    let expected = format!("the gateway's amount is 250.01 AED, asked was 250.00 AED ({PI})");
    assert_eq!(it.to_string(), expected);
}

#[test]
fn a_success_status_with_anything_but_a_success_inside_is_unknown() {
    let paid = payment("succeeded", AMOUNT);
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>Welcome</html>".to_owned(), "unknown unreadable"),
        (200, "null".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, "{}".to_owned(), "unknown unreadable"),
        (200, json!({"error": {"code": "card_declined"}}).to_string(), "unknown error_inside"),
        (200, with(paid.clone(), "error", json!("x")).to_string(), "unknown error_inside"),
        (200, with(paid.clone(), "object", json!("charge")).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "currency", json!("zzz")).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount_received", Value::Null).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount_received", json!(0)).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount_received", json!(-1)).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "amount", json!(250.0)).to_string(), "unknown unreadable"),
        (200, with(paid.clone(), "id", json!("pi_/../x")).to_string(), "unknown unreadable"),
        (302, paid.to_string(), "unknown redirect"),
        (100, paid.to_string(), "unknown unreadable"),
        (402, "<html>pay</html>".to_owned(), "unknown unreadable"),
        (400, paid.to_string(), "unknown unreadable"),
        (503, paid.to_string(), "unknown server_error"),
    ] {
        assert_eq!(brief(&parse(&sale(), status, body.clone())), expected, "{status} {body}");
    }
}

/// A success that does not say how much was taken, with this as its charge.
fn silent(charge: Value) -> Value {
    let mut body = payment("succeeded", 0);
    body.as_object_mut().unwrap().remove("amount_received");
    with(body, "latest_charge", charge)
}

/// A charge of older days: what was released of a hold counts as refunded.
fn charge(captured: bool, back: i64) -> Value {
    json!({"id": "ch_1", "amount": AMOUNT, "captured": captured, "amount_refunded": back})
}

#[test]
fn a_success_that_names_no_amount_is_told_by_its_charge_or_not_at_all() {
    let part = capture(asked(), money(18_000, "AED"));
    let rest = AMOUNT - 18_000;
    for (op, charge, expected) in [
        (&sale(), charge(true, 0), "done captured"),
        (&part, charge(true, rest), "done captured"),
        (&part, charge(true, 0), "mismatch captured"),
        (&part, charge(true, rest + 1), "mismatch captured"),
        (&sync(asked()), charge(true, 0), "done captured"),
        // Released or given back: nobody can tell any more.
        (&sync(asked()), charge(true, rest), "unknown unreadable"),
        (&sale(), charge(false, 0), "unknown unreadable"),
        (&sale(), charge(true, -1), "unknown unreadable"),
        (&sale(), charge(true, AMOUNT), "unknown unreadable"),
        (&sale(), charge(true, AMOUNT + 1), "unknown unreadable"),
        (&sale(), with(charge(true, 0), "amount_refunded", Value::Null), "unknown unreadable"),
        (&sale(), with(charge(true, 0), "amount", Value::Null), "unknown unreadable"),
        (&sale(), with(charge(true, 0), "captured", Value::Null), "unknown unreadable"),
        (&part, with(charge(true, rest), "amount_captured", json!(1)), "mismatch captured"),
        (&sale(), json!("ch_1"), "unknown unreadable"),
    ] {
        assert_eq!(answered(op, &silent(charge.clone())), expected, "{op:?} {charge}");
    }
}

#[test]
fn an_event_that_names_no_amount_is_believed_only_where_it_tells_of_the_capture() {
    let told = |kind: &str, back: i64| {
        let body = json!({
            "id": "evt_1", "object": "event", "type": kind, "created": 1_772_442_000,
            "data": {"object": silent(charge(true, back))},
        });
        let events = stripe().events(body.to_string().as_bytes()).ok()?;
        let EventSubject::Payment(it) = &events[0].subject else { panic!("{events:?}") };
        Some(it.captured.minor())
    };
    assert_eq!(told("payment_intent.succeeded", 0), Some(AMOUNT));
    assert_eq!(told("payment_intent.succeeded", 7_000), Some(18_000));
    assert_eq!(told("payment_intent.succeeded", AMOUNT), None);
    assert_eq!(told("payment_intent.processing", 0), Some(AMOUNT));
    assert_eq!(told("payment_intent.processing", 7_000), None);
}

fn refused(op: &Operation, status: u16, error: &Value, prior: Prior) -> String {
    let mut answer = HttpAnswer::new(status, Headers::new(), json!({"error": error}).to_string());
    answer.prior = prior;
    brief(&stripe().parse(op, &answer))
}

#[test]
fn a_refusal_is_read_by_status_type_and_code() {
    let invalid = json!({"type": "invalid_request_error", "code": "parameter_missing"});
    for (op, status, error, expected) in [
        (sale(), 400, invalid.clone(), "rejected invalid_request"),
        (sale(), 400, json!({"code": "rate_limit"}), "rejected rate_limited"),
        (
            sale(),
            400,
            json!({"type": "card_error", "code": "expired_card"}),
            "declined expired_card",
        ),
        (sale(), 400, json!({"type": "api_error"}), "unknown server_error"),
        (sale(), 401, invalid.clone(), "rejected credentials"),
        (sale(), 403, invalid.clone(), "rejected credentials"),
        (refund(asked()), 404, json!({"code": "resource_missing"}), "rejected not_found"),
        (sync(asked()), 404, json!({"code": "resource_missing"}), "unknown not_found"),
        (sync(asked()), 402, json!({"type": "card_error"}), "unknown error_inside"),
        (sale(), 408, invalid.clone(), "unknown server_error"),
        (sale(), 409, invalid.clone(), "unknown busy"),
        (sale(), 424, invalid.clone(), "unknown server_error"),
        (sale(), 429, invalid, "rejected rate_limited"),
    ] {
        assert_eq!(refused(&op, status, &error, Prior::None), expected, "{status} {error}");
    }
}

#[test]
fn a_decline_that_carries_a_paid_payment_is_not_believed() {
    let error = json!({"type": "card_error", "code": "card_declined",
        "payment_intent": {"id": PI, "status": "succeeded"}});
    assert_eq!(refused(&sale(), 402, &error, Prior::None), "unknown error_inside");
}

#[test]
fn a_void_that_is_refused_because_the_hold_is_gone_is_asked_about() {
    let told = |op: &Operation, status: &str| {
        let payment = with(payment(status, 0), "capture_method", json!("manual"));
        let error = json!({
            "type": "invalid_request_error", "code": "payment_intent_unexpected_state",
            "message": "It is not in a state for this.", "payment_intent": payment,
        });
        refused(op, 400, &error, Prior::None)
    };
    assert_eq!(told(&void(asked()), "canceled"), "unknown error_inside");
    assert_eq!(told(&void(asked()), "succeeded"), "rejected invalid_request");
    assert_eq!(told(&capture(asked(), asked()), "canceled"), "rejected invalid_request");
}

#[test]
fn after_an_attempt_that_may_have_worked_a_refusal_proves_nothing() {
    let prior = Prior::MayHaveExecuted;
    let state = json!({"type": "invalid_request_error", "code": "payment_intent_unexpected_state"});
    let wrong = json!({"type": "invalid_request_error", "code": "parameter_missing"});
    let full = capture(asked(), asked());
    let decline = json!({"type": "card_error", "code": "card_declined"});
    assert_eq!(refused(&full, 400, &state, Prior::None), "rejected invalid_request");
    assert_eq!(refused(&full, 400, &state, prior), "unknown after_earlier_attempt");
    assert_eq!(refused(&refund(asked()), 400, &wrong, prior), "unknown after_earlier_attempt");
    for status in [401, 403, 429] {
        assert_eq!(refused(&sale(), status, &wrong, prior), "unknown after_earlier_attempt");
    }
    assert_eq!(refused(&sale(), 400, &wrong, prior), "rejected invalid_request");
    assert_eq!(refused(&sale(), 402, &decline, prior), "declined card_declined");
}

#[test]
fn only_a_soft_decline_or_a_rejection_opens_the_way_to_another_gateway() {
    let kinds = |code: &str| {
        let error =
            json!({"error": {"type": "card_error", "code": "card_declined", "decline_code": code}});
        parse(&sale(), 402, error.to_string())
    };
    assert!(kinds("insufficient_funds").allows_another_gateway());
    assert!(!kinds("stolen_card").allows_another_gateway());
    assert!(!parse(&sale(), 500, "").allows_another_gateway());
    assert!(
        !parse(&sale(), 200, payment("succeeded", AMOUNT).to_string()).allows_another_gateway()
    );
    let Outcome::Declined(it) = kinds("stolen_card") else { panic!() };
    assert_eq!(it.kind, DeclineKind::Hard);
}

#[test]
fn a_gateways_sentence_is_cut_and_its_secrets_are_taken_out() {
    let message = format!("Invalid API Key provided: sk_test_abc {}", "x".repeat(2_000));
    let body = json!({"error": {"type": "invalid_request_error", "message": message}});
    let Outcome::Rejected(it) = parse(&sale(), 401, body.to_string()) else { panic!() };
    assert!(it.message.starts_with("Invalid API Key provided: [secret] x"));
    assert!(it.message.len() <= 500 && it.reason.is_alarming());
}

#[test]
fn a_wait_the_gateway_asks_for_is_handed_on() {
    for (text, expected) in [("7", Some(7)), ("99999", Some(3600)), ("soon", None), ("-1", None)] {
        let headers = Headers::new().with("Retry-After", text);
        let answer = HttpAnswer::new(503, headers, "");
        let Outcome::Unknown(it) = stripe().parse(&sale(), &answer) else { panic!() };
        assert_eq!(it.retry_after.map(|wait| wait.as_secs()), expected, "{text}");
    }
}

/// Bodies near enough to real ones that most of the reading happens.
fn near_bodies() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("succeeded"),
        Just("requires_capture"),
        Just("requires_payment_method"),
        Just("canceled"),
        Just("pending"),
        Just("failed"),
        Just("x"),
        Just(""),
    ];
    let object = prop_oneof![Just("payment_intent"), Just("refund"), Just("error"), Just("")];
    let amounts = prop_oneof![Just(AMOUNT), Just(0), Just(-1), Just(i64::MAX), any::<i64>()];
    let code = prop_oneof![Just("aed"), Just("AED"), Just("jpy"), Just("isk"), Just("\u{e9}")];
    (word, object, amounts.clone(), amounts, code).prop_map(|(word, object, amount, got, code)| {
        json!({
            "id": PI, "object": object, "status": word, "amount": amount, "currency": code,
            "amount_received": got, "amount_capturable": got, "payment_intent": PI,
            "latest_charge": {"id": "ch_1", "amount_refunded": got, "balance_transaction": {
                "id": "txn_1", "amount": amount, "fee": got, "net": amount, "currency": code,
                "fee_details": [{"amount": got, "type": "tax"}]}},
        })
        .to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_status_and_bytes_give_an_outcome_and_only_a_2xx_can_be_done(
        status: u16,
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        near in near_bodies(),
        earlier: bool,
    ) {
        for body in [bytes.clone(), near.clone().into_bytes()] {
            for op in all_operations(asked()) {
                let mut answer = HttpAnswer::new(status, Headers::new(), body.clone());
                answer.prior = if earlier { Prior::MayHaveExecuted } else { Prior::None };
                let outcome = stripe().parse(&op, &answer);
                if !(200..300).contains(&status) {
                    prop_assert!(outcome.answer().is_none(), "{:?}", outcome);
                }
            }
        }
    }

    #[test]
    fn what_is_done_always_agrees_with_what_was_asked(near in near_bodies()) {
        for op in all_operations(asked()) {
            if let Outcome::Done(answer) = parse(&op, 200, near.clone()) {
                let amount = answer.payment().map(|it| it.amount);
                let amount = amount.or(answer.refund().map(|it| it.amount));
                prop_assert_eq!(amount, Some(asked()));
            }
        }
    }

    #[test]
    fn any_bytes_make_events_or_an_error(
        bytes: Vec<u8>,
        near in near_bodies(),
        which in 0_usize..6,
    ) {
        let _ = stripe().events(&bytes);
        let kinds = ["payment_intent.succeeded", "refund.updated", "charge.refunded",
            "charge.dispute.closed", "payout.paid", "transfer.created"];
        let object: Value = serde_json::from_str(&near).unwrap();
        let body = json!({"id": "evt_1", "object": "event", "type": kinds[which],
            "created": AMOUNT, "data": {"object": object}});
        let _ = stripe().events(body.to_string().as_bytes());
    }
}

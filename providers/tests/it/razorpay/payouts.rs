//! Payouts by RazorpayX: their key, their states, what they cost and what comes back.

use mizan_money::Money;
use mizan_providers::{
    CancelPayout, CreatePayout, EventSubject, IdempotencyKey, Operation, PayoutAnswer,
    PayoutDestination, Prior, Provider, Recovery, Replay, Subject, SyncPayout,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::shop::{
    ACCOUNT, adapter, answered, brief, built, key, money, never_a_success, operation, parse,
    parse_after, razorpay, reference, refused, said, with,
};

const POUT: &str = "pout_00000000000001";

fn our_payout() -> String {
    format!("po_{}", "0".repeat(31) + "8")
}

fn inr(minor: i64) -> Money {
    money(minor, "INR")
}

fn new(amount: Money) -> CreatePayout {
    CreatePayout {
        payout: our_payout().parse().unwrap(),
        operation: operation(),
        amount,
        destination: PayoutDestination::FundAccount(reference("fa_1")),
        description: Some("Vendor V 7".to_owned()),
    }
}

fn create() -> Operation {
    Operation::Payout(new(inr(100_000)))
}

fn sync() -> Operation {
    Operation::SyncPayout(SyncPayout {
        payout: our_payout().parse().unwrap(),
        provider_ref: reference(POUT),
        amount: inr(100_000),
        destination: PayoutDestination::FundAccount(reference("fa_1")),
    })
}

fn cancel() -> Operation {
    Operation::CancelPayout(CancelPayout {
        payout: our_payout().parse().unwrap(),
        provider_ref: reference(POUT),
        amount: inr(100_000),
        destination: PayoutDestination::FundAccount(reference("fa_1")),
    })
}

fn find() -> Operation {
    Operation::Find(Box::new(create()))
}

fn payout(status: &str) -> Value {
    json!({
        "id": POUT, "entity": "payout", "fund_account_id": "fa_1", "amount": 100_000,
        "currency": "INR", "notes": {"mizan_payout": our_payout()}, "fees": 1_062, "tax": 162,
        "status": status, "utr": "933815233814", "reference_id": our_payout(),
        "status_details": {"reason": "beneficiary_bank_offline"},
    })
}

fn facts(op: &Operation, body: &Value) -> PayoutAnswer {
    let outcome = parse(op, 200, body.to_string());
    let Some(answer) = outcome.answer() else { panic!("{outcome:?}") };
    let Subject::Payout(facts) = &answer.subject else { panic!("{answer:?}") };
    facts.as_ref().clone()
}

#[test]
fn a_payout_names_our_account_and_our_reference() {
    let (ours, operation) = (our_payout(), operation());
    assert_eq!(
        said(&create()),
        [
            r#"POST /v1/payouts {"account_number":"7878780080316316","fund_account_id":"fa_1","#,
            r#""amount":100000,"currency":"INR","mode":"IMPS","purpose":"payout","#,
            r#""queue_if_low_balance":true,"reference_id":""#,
            &ours,
            r#"","narration":"Vendor V 7","notes":{"mizan_operation":""#,
            &operation.to_string(),
            r#"","mizan_payout":""#,
            &ours,
            r#""}}"#,
        ]
        .concat()
    );
    let large = Operation::Payout(new(inr(50_000_001)));
    assert!(said(&large).contains(r#""mode":"NEFT""#));
    assert_eq!(said(&sync()), format!("GET /v1/payouts/{POUT}"));
    assert_eq!(said(&cancel()), format!("POST /v1/payouts/{POUT}/cancel"));
    let query = format!("account_number={ACCOUNT}&reference_id={ours}&count=100");
    assert_eq!(said(&find()), format!("GET /v1/payouts?{query}"));
}

#[test]
fn a_payout_carries_its_key_and_the_end_of_one_has_none() {
    let request = built(&create());
    assert_eq!(request.headers.get("X-Payout-Idempotency"), Some(key().as_str()));
    assert_eq!(request.replay, Replay::Keyed);
    assert_eq!(built(&cancel()).replay, Replay::Once);
    for bad in ["op1", "mizan.op.0001", "0123456789012345678901234567890123456"] {
        let bad = IdempotencyKey::parse(bad).unwrap();
        assert_eq!(adapter().build(&create(), &bad).unwrap_err().code(), "invalid_field");
    }
    let kept = adapter().capabilities().recovery.payout;
    assert_eq!(kept, Recovery::SameKey { hours: 144 });
}

#[test]
fn what_cannot_be_paid_out_is_refused() {
    let with = |change: fn(&mut CreatePayout)| {
        let mut it = new(inr(100_000));
        change(&mut it);
        refused(&Operation::Payout(it))
    };
    assert_eq!(with(|it| it.amount = inr(99)), "amount_not_representable");
    assert_eq!(with(|it| it.amount = money(100_000, "AED")), "amount_not_representable");
    assert_eq!(with(|it| it.description = Some("V-7".into())), "invalid_field");
    assert_eq!(with(|it| it.description = Some("x".repeat(31))), "invalid_field");
    assert_eq!(with(|it| it.destination = PayoutDestination::Email("a@b".into())), "invalid_field");
    // Keys of the payment gateway have no account to pay from.
    let error = razorpay().build(&create(), &key()).unwrap_err();
    assert_eq!(error.code(), "invalid_field");
    for bad in ["", "12", "7878 7800", "78/../78"] {
        assert!(razorpay().paying_from(SecretString::from(bad)).is_err(), "{bad}");
    }
    let shown = format!("{:?} {:?}", adapter(), built(&create()).auth);
    assert!(!shown.contains(ACCOUNT), "{shown}");
}

#[test]
fn every_state_of_a_payout_means_what_it_must() {
    let create = create();
    for (op, body, expected) in [
        (&create, payout("queued"), "pending pending"),
        (&create, payout("pending"), "pending pending"),
        (&create, payout("scheduled"), "pending pending"),
        (&create, payout("processing"), "pending in_transit"),
        (&create, payout("processed"), "done paid"),
        (&create, payout("reversed"), "declined payout_returned"),
        (&create, payout("rejected"), "declined payout_cancelled"),
        (&create, payout("failed"), "declined payout_failed"),
        (&create, payout("new_word"), "unknown unknown_status"),
        (&sync(), payout("reversed"), "done returned"),
        (&sync(), payout("failed"), "done failed"),
        (&cancel(), payout("cancelled"), "done cancelled"),
        (&cancel(), payout("processing"), "unknown unexpected_status"),
        (&create, with(payout("processed"), "amount", json!(1)), "mismatch amount"),
        (&create, with(payout("processed"), "currency", json!("USD")), "mismatch currency"),
        (
            &create,
            with(payout("processed"), "notes", json!({"mizan_payout": "x"})),
            "mismatch reference",
        ),
        (&sync(), with(payout("processed"), "id", json!("pout_2")), "mismatch provider_ref"),
        (&create, with(payout("processed"), "entity", json!("order")), "unknown unreadable"),
    ] {
        assert_eq!(answered(op, &body), expected, "{body}");
    }
    never_a_success(&create, &payout("processed"));
}

#[test]
fn a_payout_costs_fee_and_tax_and_a_reversed_one_gives_them_back() {
    let parts = |body: &Value| {
        let fee = facts(&sync(), body).fee?;
        Some([fee.gross, fee.fee, fee.tax, fee.net].map(Money::minor))
    };
    assert_eq!(parts(&payout("processed")), Some([-100_000, 900, 162, -101_062]));
    assert_eq!(parts(&payout("processing")), Some([-100_000, 900, 162, -101_062]));
    assert_eq!(parts(&payout("reversed")), Some([100_000, -900, -162, 101_062]));
    for status in ["queued", "cancelled", "rejected", "failed"] {
        assert_eq!(parts(&payout(status)), None, "{status}");
    }
    assert_eq!(parts(&with(payout("processed"), "tax", json!(2_000))), None);
    let paid = facts(&sync(), &payout("processed"));
    assert_eq!(paid.bank_reference.as_deref(), Some("933815233814"));
    assert_eq!((paid.reference, paid.reason), (our_payout().parse().ok(), None));
    let back = facts(&sync(), &payout("reversed"));
    assert_eq!(back.reason.as_deref(), Some("beneficiary_bank_offline"));
    let gone = with(payout("processed"), "utr", Value::Null);
    assert_eq!(facts(&sync(), &gone).bank_reference, None);
}

#[test]
fn a_lost_payout_is_found_by_our_reference_and_two_are_a_matter_for_people() {
    let list =
        |items: Vec<Value>| json!({"entity": "collection", "count": items.len(), "items": items});
    let other = with(payout("processed"), "reference_id", json!("Acme 12345"));
    let again = with(payout("processing"), "id", json!("pout_2"));
    for (items, expected) in [
        (vec![], "unknown not_found"),
        (vec![other.clone()], "unknown not_found"),
        (vec![other, payout("processed")], "done paid"),
        (vec![payout("queued")], "pending pending"),
        (vec![payout("failed")], "declined payout_failed"),
        (vec![payout("processed"), again], "unknown unreadable"),
    ] {
        assert_eq!(answered(&find(), &list(items.clone())), expected, "{items:?}");
    }
    never_a_success(&find(), &list(vec![payout("processed")]));
}

#[test]
fn refusals_of_a_payout_are_told_apart() {
    let error = |text: &str| json!({"error": {"code": "BAD_REQUEST_ERROR", "description": text}});
    for (text, expected) in [
        (
            "Different request body sent for the same Idempotency Header",
            "rejected idempotency_key_reused",
        ),
        ("Transactions from this IP are not allowed", "rejected credentials"),
        ("Idempotency key is missing.", "rejected invalid_request"),
    ] {
        let said = brief(&parse_after(&create(), 400, &error(text), Prior::None));
        assert_eq!(said, expected, "{text}");
    }
    let missing = super::fixtures::value("error.400.payout_idempotency_missing.json");
    let again = parse_after(&create(), 400, &missing, Prior::MayHaveExecuted);
    assert_eq!(brief(&again), "unknown after_earlier_attempt");
}

#[test]
fn an_event_tells_the_same_as_a_sync() {
    let body = json!({
        "entity": "event", "account_id": "acc_1", "event": "payout.reversed",
        "contains": ["payout"], "created_at": 1_756_455_700,
        "payload": {"payout": {"entity": payout("reversed")}},
    });
    let events = razorpay().events(body.to_string().as_bytes()).unwrap();
    let EventSubject::Payout(event) = &events[0].subject else { panic!() };
    assert_eq!(**event, facts(&sync(), &payout("reversed")));
}

//! Walks every sample of Razorpay and holds it to the outcome it deserves.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use chrono::DateTime;
use mizan_providers::{
    CaptureMethod, CapturePayment, Headers, Operation, Outcome, ProviderName, SyncRefund, inspect,
    webhook_reader,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::recorded::{NOT_ASKED_FOR, RECORDED};
use super::shop::{
    brief, capture, create, money, our_payment, parse, reference, refund, refund_of, sale, sync_of,
    whole_capture, with,
};

const ORDER_OF_EVENTS: &str = "order_DESoU0U4ikYA19";

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/razorpay")
}

pub fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn value(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

fn line(kind: &str, status: Option<&str>, id: &str, amount: Option<i64>) -> Value {
    json!({
        "kind": kind, "status": status, "provider_ref": id, "amount": amount,
        "currency": amount.map(|_| "INR"), "fee": null, "tax": null, "reason": null,
    })
}

fn payment(status: &str, order: &str) -> Value {
    line("payment", Some(status), order, Some(100))
}

fn dispute(status: &str, id: &str, amount: i64, reason: &str) -> Value {
    with(line("dispute", Some(status), id, Some(amount)), "reason", json!(reason))
}

fn payout(status: &str, id: &str, amount: i64) -> Value {
    line("payout", Some(status), id, Some(amount))
}

fn costing(line: Value, fee: i64, tax: i64) -> Value {
    with(with(line, "fee", json!(fee)), "tax", json!(tax))
}

/// Deliveries: name, the end of the event's id, what they say.
fn deliveries() -> Vec<(&'static str, &'static str, Value)> {
    let failed = with(payment("failed", ORDER_OF_EVENTS), "reason", json!("payment_failed"));
    let refunded = line("refund", Some("succeeded"), "rfnd_FS8TWyPrCsa0OB", Some(50_000));
    let (expired, number) = ("processed_invalid_expired_card", "non_matching_account_number");
    let (first, other) = ("disp_EsIAlDcoUr8CaQ", "disp_EsIUyp8XlaZOUt");
    let sample = "pout_1Aa00000000001";
    let paid = |order| costing(payment("captured", order), 2, 0);
    vec![
        ("order.paid.card", "sh_0005", paid(ORDER_OF_EVENTS)),
        ("payment.authorized.card", "sh_0001", payment("authorised", ORDER_OF_EVENTS)),
        ("payment.captured.card", "sh_0002", payment("captured", ORDER_OF_EVENTS)),
        ("payment.captured.netbanking", "sh_0101", paid("order_DESlLckIVRkHWj")),
        ("payment.captured.upi", "sh_0003", paid("order_DESxiijbl9xjDB")),
        (
            "payment.dispute.action_required",
            "sh_0504",
            dispute("needs_response", first, 390_000, expired),
        ),
        ("payment.dispute.created", "sh_0008", dispute("needs_response", first, 39_000, expired)),
        (
            "payment.dispute.under_review",
            "sh_0503",
            dispute("under_review", other, 130_000, number),
        ),
        ("payment.dispute.won", "sh_0009", dispute("won", other, 130_000, number)),
        ("payment.failed.card", "sh_0004", failed),
        ("payout.initiated", "sh_0014", costing(payout("in_transit", sample, 100), 500, 90)),
        ("payout.pending_approval", "sh_0605", payout("pending", sample, 100)),
        ("payout.processed", "sh_0015", costing(payout("paid", "pout_R7ambiUdUvg6AD", 100), 0, 0)),
        ("payout.queued", "sh_0013", payout("pending", sample, 286_540)),
        ("payout.updated", "sh_0604", costing(payout("paid", sample, 2_000_000), 900, 162)),
        ("product.route.activated", "sh_0012", line("other", None, "acc_prd_QTzcNTia8qHzYG", None)),
        (
            "product.route.needs_clarification",
            "sh_1203",
            line("other", None, "acc_prd_QTzgAPhwEwsO9Z", None),
        ),
        ("refund.created", "sh_0006", refunded.clone()),
        ("refund.processed", "sh_0007", refunded),
        (
            "settlement.processed",
            "sh_0010",
            line("settlement", None, "setl_Rf8uva1MU98B4l", Some(1_524)),
        ),
        (
            "transaction.created.add_funds",
            "sh_0017",
            line("other", None, "txn_00000000000001", None),
        ),
        ("transaction.created.payout", "sh_0016", line("other", None, "txn_1Aa00000000001", None)),
        (
            "transfer.processed",
            "sh_0011",
            costing(line("transfer", Some("created"), "trf_EB1gHgrzOZff6d", Some(100)), 1, 0),
        ),
    ]
}

fn inspected(name: &str) -> (Value, String) {
    let sidecar = value(&format!("webhook.{name}.headers.json"));
    let strings = |it: &Value| it.as_str().unwrap().to_owned();
    let headers: Headers = sidecar["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(header, text)| (header.clone(), strings(text)))
        .collect();
    let secrets: Vec<SecretString> = sidecar["secrets_configured"]
        .as_array()
        .unwrap()
        .iter()
        .map(|secret| SecretString::from(strings(secret)))
        .collect();
    let body = bytes(&strings(&sidecar["body_file"]));
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let adapter = webhook_reader(ProviderName::Razorpay);
    let inspection = inspect(adapter.as_ref(), &headers, &body, secrets.as_slice().into(), now);
    (serde_json::to_value(inspection).unwrap(), strings(&sidecar["expect_signature"]))
}

#[test]
fn every_genuine_delivery_is_accepted_and_says_what_it_should() {
    for (name, id, event) in deliveries() {
        let (said, expected) = inspected(name);
        assert_eq!(expected, "valid", "{name}");
        let dedupe_id = format!("evt_rzp_{id}");
        let whole = json!({
            "verified": true, "reason": null, "dedupe_id": dedupe_id, "events": [event],
        });
        assert_eq!(said, whole, "{name}");
    }
}

/// The published vectors have no header that names them.
const VECTORS: &[&str] = &[
    "vector.node_sdk",
    "vector.python_sdk.payment.authorized",
    "vector.ruby_sdk.payment.authorized",
];

#[test]
fn the_published_vectors_of_three_libraries_are_believed() {
    let captured = line("payment", Some("captured"), "order_100000000order", Some(1_000_000));
    for name in VECTORS {
        let (said, expected) = inspected(name);
        assert_eq!((expected.as_str(), &said["verified"]), ("valid", &json!(true)), "{name}");
        assert!(said["dedupe_id"].as_str().unwrap().starts_with("sha256:"), "{name}");
        if *name == "vector.node_sdk" {
            // Genuine, and no event at all: its bytes are kept with the reason.
            let reason = said["reason"].as_str().unwrap();
            assert!(reason.starts_with("the body is not an event"), "{reason}");
            assert_eq!(said["events"], json!([]));
        } else {
            assert_eq!(said["events"], json!([costing(captured.clone(), 20_000, 3_000)]), "{name}");
        }
    }
}

#[test]
fn a_delivery_signed_with_another_secret_is_refused_and_not_translated() {
    let (said, expected) = inspected("signature.reject_wrong_secret");
    assert_eq!(expected, "invalid");
    let reason = "no_match: no signature fits a configured secret";
    let whole = json!({"verified": false, "reason": reason, "dedupe_id": null, "events": []});
    assert_eq!(said, whole);
}

/// Answers to a create: file, amount, currency.
const ORDERS: &[(&str, i64, &str)] = &[
    ("order.aed.json", 25_000, "AED"),
    ("order.bhd_three_decimal.json", 12_340, "BHD"),
    ("order.create.response.json", 5_000, "INR"),
    ("order.entity.json", 50_000, "INR"),
    ("order.usd.json", 2_000, "USD"),
];

#[test]
fn every_order_answers_a_create_when_its_receipt_is_ours_and_only_then() {
    for (name, amount, currency) in ORDERS {
        let op = Operation::Create(create(money(*amount, currency), CaptureMethod::Automatic));
        assert_eq!(brief(&parse(&op, 200, bytes(name))), "mismatch reference", "{name}");
        let ours = with(value(name), "receipt", json!(our_payment())).to_string();
        assert_eq!(brief(&parse(&op, 200, ours)), "done requires_action", "{name}");
    }
}

/// Answers about a payment: file, what was asked, expected outcome.
fn payments() -> Vec<(&'static str, Operation, &'static str)> {
    let taken = CapturePayment {
        provider_ref: reference("order_GjCr5oKh4AVC51"),
        ..whole_capture(money(1_000, "INR"))
    };
    vec![
        ("payment.capture.response.json", Operation::Capture(taken), "done captured"),
        (
            "payment.captured.card.json",
            sync_of(money(9_900, "INR"), "pay_L0nSsccovt6zyp"),
            "done captured",
        ),
        (
            "payment.failed.card.json",
            sync_of(money(10_000, "INR"), "pay_Kb8P4crStfXJea"),
            "done failed",
        ),
    ]
}

#[test]
fn every_answer_about_a_payment_is_done_with_its_status() {
    for (name, op, expected) in payments() {
        assert_eq!(brief(&parse(&op, 200, bytes(name))), expected, "{name}");
    }
    let (name, op, _) = payments().pop().unwrap();
    let outcome = parse(&op, 200, bytes(name));
    let error = outcome.answer().unwrap().payment().unwrap().last_error.clone().unwrap();
    assert_eq!(error.code, "BAD_REQUEST_ERROR");
    assert_eq!(error.decline_code.as_deref(), Some("payment_cancelled"));
    assert!(error.message.starts_with("Your payment has been cancelled"));
}

/// Answers about a refund: file, refund, payment, amount, and whether it has a foreign receipt.
const REFUNDS: &[(&str, &str, &str, i64, bool)] = &[
    ("refund.entity.json", "rfnd_FgRAHdNOM4ZVbO", "pay_FgR9UMzgmKDJRi", 10_000, false),
    (
        "refund.instant_idempotent.response.json",
        "rfnd_FP8R8EGjGbPkVb",
        "pay_29QQoUBi66xm2f",
        500_100,
        true,
    ),
    ("refund.normal.response.json", "rfnd_FP8QHiV938haTz", "pay_29QQoUBi66xm2f", 500_100, false),
    (
        "refund.with_reverse_all.response.json",
        "rfnd_JJFNlNXPHY640A",
        "pay_JJCqynf4fQS0N1",
        100,
        false,
    ),
    ("sdk.fake_refund.json", "rfnd_FP8DDKxqJif6ca", "pay_FIKOnlyii5QGNx", 300_100, true),
];

#[test]
fn every_refund_answers_both_the_refund_and_its_sync() {
    for (name, id, payment, amount, foreign) in REFUNDS {
        let amount = money(*amount, "INR");
        let asked = refund_of(amount, payment);
        let sync = SyncRefund {
            refund: asked.refund,
            provider_ref: reference(id),
            charge_ref: Some(reference(payment)),
            payment_ref: reference("order_1"),
            amount,
        };
        let made = if *foreign { "mismatch reference" } else { "done succeeded" };
        // Asked by its own id it is that refund, whatever somebody else called it.
        for (op, expected) in
            [(Operation::Refund(asked), made), (Operation::SyncRefund(sync), "done succeeded")]
        {
            assert_eq!(brief(&parse(&op, 200, bytes(name))), expected, "{name}");
            let unnamed = with(value(name), "receipt", Value::Null).to_string();
            assert_eq!(brief(&parse(&op, 200, unnamed)), "done succeeded", "{name}");
        }
    }
}

/// Refusals: file, what was asked, status, expected outcome.
fn refusals() -> Vec<(&'static str, Operation, u16, &'static str)> {
    vec![
        ("order.create.error.json", sale(), 400, "rejected invalid_request"),
        ("payment.capture.error.json", capture(), 400, "rejected invalid_request"),
        ("error.401.api_key.json", sale(), 401, "rejected credentials"),
        ("error.404.url.json", capture(), 404, "rejected not_found"),
        (
            "error.409.refund_idempotency_mismatch.json",
            refund(),
            409,
            "rejected idempotency_key_reused",
        ),
        ("error.429.too_many_requests.json", sale(), 429, "rejected rate_limited"),
        ("error.500.server.json", sale(), 500, "unknown server_error"),
        ("error.502.gateway.json", capture(), 502, "unknown server_error"),
    ]
}

#[test]
fn every_refusal_has_its_class() {
    for (name, op, status, expected) in refusals() {
        assert_eq!(brief(&parse(&op, status, bytes(name))), expected, "{name}");
        // The same body with a status of success is no success.
        let inside = parse(&op, 200, bytes(name));
        assert!(matches!(inside, Outcome::Unknown(_)), "{name}");
    }
    let Outcome::Rejected(it) = parse(&sale(), 400, bytes("order.create.error.json")) else {
        panic!()
    };
    assert_eq!(it.code, "input_validation_failed");
    assert_eq!(it.message, "The amount must be at least INR 1.00");
}

#[test]
fn no_fixture_is_without_an_expected_outcome() {
    let mut known = BTreeSet::from(["README.md", "currency_exponents.json"].map(str::to_owned));
    let vectors = VECTORS.iter().copied().chain(["signature.reject_wrong_secret"]);
    for name in deliveries().into_iter().map(|(name, ..)| name).chain(vectors) {
        known.insert(format!("webhook.{name}.json"));
        known.insert(format!("webhook.{name}.headers.json"));
    }
    known.extend(ORDERS.iter().map(|(name, ..)| (*name).to_owned()));
    known.extend(payments().into_iter().map(|(name, ..)| name.to_owned()));
    known.extend(REFUNDS.iter().map(|(name, ..)| (*name).to_owned()));
    known.extend(refusals().into_iter().map(|(name, ..)| name.to_owned()));
    known.extend(RECORDED.iter().map(|(name, _)| (*name).to_owned()));
    known.extend(NOT_ASKED_FOR.iter().map(|name| (*name).to_owned()));
    known.insert("checkout_signature.vectors.json".to_owned());
    let found: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, known);
}

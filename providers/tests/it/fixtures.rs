//! Walks every fixture of every gateway and holds it to the outcome it deserves.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use chrono::DateTime;
use mizan_providers::{
    CaptureMethod, Headers, Operation, Outcome, Provider, ProviderName, inspect, webhook_reader,
};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::shop::{capture, create, money, parse, refund, stripe, sync, sync_refund};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn value(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// Delivery, kind, status, reference, amount, currency, fee, tax, reason.
type Delivery = (&'static str, &'static str, Value);

const PI: &str = "pi_1PgafyB7WZ01zgkWSjxsAJo3";
const RE: &str = "re_1Pgc72B7WZ01zgkWqPvrRrPE";
const DP: &str = "dp_1JAyTwJSZQVUcJYgPqasUEn1";

fn line(kind: &str, status: Option<&str>, id: &str, amount: Option<(i64, &str)>) -> Value {
    json!({
        "kind": kind, "status": status, "provider_ref": id,
        "amount": amount.map(|it| it.0), "currency": amount.map(|it| it.1),
        "fee": null, "tax": null, "reason": null,
    })
}

fn because(mut line: Value, reason: &str) -> Value {
    line["reason"] = json!(reason);
    line
}

fn dispute(status: &str) -> Value {
    let mut line = line("dispute", Some(status), DP, Some((1000, "USD")));
    line["fee"] = json!(1500);
    line["tax"] = json!(0);
    because(line, "fraudulent")
}

fn payment(status: &str) -> Value {
    line("payment", Some(status), PI, Some((25000, "AED")))
}

fn deliveries() -> Vec<Delivery> {
    let mut processing = payment("processing");
    processing["currency"] = json!("EUR");
    let refunded = line("refund", Some("succeeded"), RE, Some((25000, "AED")));
    let pending = line("refund", Some("pending"), "re_sh_0008", Some((4000, "AED")));
    let payout = "po_1Pgc79B7WZ01zgkWu1KToYf4";
    let transfer = "tr_1Pgc7BB7WZ01zgkWVJfE40RX";
    vec![
        (
            "account.updated",
            "evt_sh_account_updated_0001",
            line("other", None, "acct_1PgafTB7WZ01zgkW", None),
        ),
        ("charge.dispute.closed.lost", "evt_sh_displost_0001", dispute("lost")),
        ("charge.dispute.closed.won", "evt_sh_dispute_closed_0001", dispute("won")),
        ("charge.dispute.created", "evt_sh_dispute_created_0001", dispute("needs_response")),
        (
            "charge.refunded",
            "evt_sh_charge_refunded_0001",
            line("refund_notice", None, PI, Some((25000, "AED"))),
        ),
        (
            "payment_intent.amount_capturable_updated",
            "evt_sh_pi_capturable_0001",
            payment("authorised"),
        ),
        (
            "payment_intent.canceled",
            "evt_sh_pi_canceled_0001",
            because(payment("cancelled"), "automatic"),
        ),
        (
            "payment_intent.payment_failed",
            "evt_sh_pi_failed_0001",
            because(payment("failed"), "generic_decline"),
        ),
        ("payment_intent.processing", "evt_sh_pi_processing_0001", processing),
        ("payment_intent.requires_action", "evt_sh_pi_action_0001", payment("requires_action")),
        ("payment_intent.succeeded", "evt_sh_pi_succeeded_0001", payment("captured")),
        (
            "payout.paid.connected_account",
            "evt_sh_payout_paid_0001",
            line("payout", Some("paid"), payout, Some((20000, "AED"))),
        ),
        (
            "payout.reconciliation_completed",
            "evt_sh_payout_recon_0001",
            line("settlement", None, "po_s06", Some((3728, "USD"))),
        ),
        ("refund.created", "evt_sh_refund_created_0001", refunded.clone()),
        ("refund.created.pending", "evt_sh_rpend_0001", because(pending, "insufficient_funds")),
        ("refund.updated", "evt_sh_refund_updated_0001", refunded),
        ("signature.accept_v0_ignored", "evt_sh_sig_0001", payment("captured")),
        ("stripe_python_test_body", "evt_test_webhook", line("other", None, "rdr_123", None)),
        (
            "transfer.created",
            "evt_sh_transfer_created_0001",
            line("transfer", Some("created"), transfer, Some((20000, "AED"))),
        ),
        ("vector.async_stripe_invoiceitem", "evt_123", line("other", None, "ii_123", None)),
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
    let now = DateTime::from_timestamp(sidecar["verify_at_unix"].as_i64().unwrap(), 0).unwrap();
    let body = bytes(&strings(&sidecar["body_file"]));
    let adapter = webhook_reader(ProviderName::Stripe);
    let inspection = inspect(adapter.as_ref(), &headers, &body, secrets.as_slice().into(), now);
    (serde_json::to_value(inspection).unwrap(), strings(&sidecar["expect_signature"]))
}

#[test]
fn every_genuine_delivery_is_accepted_and_says_what_it_should() {
    for (name, dedupe_id, event) in deliveries() {
        let (said, expected) = inspected(name);
        assert_eq!(expected, "valid", "{name}");
        let whole = json!({
            "verified": true, "reason": null, "dedupe_id": dedupe_id, "events": [event],
        });
        assert_eq!(said, whole, "{name}");
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

/// Answers to a payment: file, what was asked, expected status, captured.
fn payments() -> Vec<(&'static str, Operation, &'static str, i64)> {
    let (usd, aed) = (money(1099, "USD"), money(25000, "AED"));
    let auto = Operation::Create(create(aed, CaptureMethod::Automatic));
    let hold = Operation::Create(create(aed, CaptureMethod::Manual));
    vec![
        ("payment_intent.canceled.json", sync(usd), "cancelled", 0),
        ("payment_intent.fixture.json", sync(usd), "failed", 0),
        ("payment_intent.processing.json", sync(usd), "processing", 0),
        ("payment_intent.requires_action.redirect.json", auto.clone(), "requires_action", 0),
        ("payment_intent.requires_capture.json", hold, "authorised", 0),
        ("payment_intent.requires_payment_method.json", sync(usd), "created", 0),
        ("payment_intent.succeeded.latest_charge_expanded.json", auto, "captured", 25000),
        (
            "payment_intent.succeeded.partial_capture.json",
            capture(aed, money(18000, "AED")),
            "captured",
            18000,
        ),
    ]
}

#[test]
fn every_answer_about_a_payment_is_done_with_its_status_and_what_was_captured() {
    for (name, op, status, captured) in payments() {
        let Outcome::Done(answer) = parse(&op, 200, bytes(name)) else {
            panic!("{name}: {:?}", parse(&op, 200, bytes(name)));
        };
        let payment = answer.payment().unwrap();
        assert_eq!(payment.status.as_str(), status, "{name}");
        assert_eq!(payment.captured.minor(), captured, "{name}");
    }
}

#[test]
fn a_redirect_and_a_fee_come_out_of_the_answers_that_have_them() {
    let op = Operation::Create(create(money(25000, "AED"), CaptureMethod::Automatic));
    let answer = parse(&op, 200, bytes("payment_intent.requires_action.redirect.json"));
    let action = answer.answer().unwrap().payment().unwrap().next_action.clone().unwrap();
    let expected = json!({
        "type": "redirect", "url": "https://hooks.stripe.com/3d_secure_2/redirect/example",
    });
    assert_eq!(serde_json::to_value(action).unwrap(), expected);

    let answer = parse(&op, 200, bytes("payment_intent.succeeded.latest_charge_expanded.json"));
    let fee = answer.answer().unwrap().payment().unwrap().fee.clone().unwrap();
    let said = [fee.gross, fee.fee, fee.tax, fee.net].map(|money| money.to_string());
    assert_eq!(said, ["250.00 AED", "7.55 AED", "0.00 AED", "242.45 AED"]);
}

#[test]
fn every_refusal_has_its_class() {
    let op = Operation::Create(create(money(1099, "USD"), CaptureMethod::Automatic));
    for (name, expected) in [
        ("error.400.amount_no_decimal", "rejected invalid_request"),
        ("error.400.balance_insufficient", "rejected invalid_request"),
        ("error.400.idempotency_mismatch", "rejected idempotency_key_reused"),
        ("error.402.authentication_required", "declined soft authentication_required"),
        ("error.402.card_declined", "declined soft insufficient_funds"),
        ("error.402.do_not_retry", "declined hard stolen_card"),
        ("error.409.idempotency_in_use", "unknown busy"),
        ("error.429.lock_timeout", "unknown busy"),
        ("error.429.rate_limit", "rejected rate_limited"),
        ("error.500.api_error", "unknown server_error"),
    ] {
        let status = name.split('.').nth(1).unwrap().parse().unwrap();
        let said = match parse(&op, status, bytes(&format!("{name}.json"))) {
            Outcome::Declined(it) => {
                format!("declined {} {}", it.kind, it.decline_code.unwrap_or_default())
            }
            Outcome::Rejected(it) => format!("rejected {}", it.reason),
            Outcome::Unknown(it) => format!("unknown {}", it.why.code()),
            other => format!("{other:?}"),
        };
        assert_eq!(said, expected, "{name}");
    }
}

/// Objects that events carry: file, event, kind, status.
const EVENT_OBJECTS: &[(&str, &str, &str, Option<&str>)] = &[
    ("dispute.fixture.json", "charge.dispute.created", "dispute", Some("warning")),
    (
        "dispute.needs_response.with_balance_transaction.json",
        "charge.dispute.funds_withdrawn",
        "dispute",
        Some("needs_response"),
    ),
    ("payout.fixture.json", "payout.updated", "payout", Some("in_transit")),
    ("payout.paid.reconciled.json", "payout.paid", "payout", Some("paid")),
    ("refund.fixture.json", "refund.updated", "refund", Some("succeeded")),
    ("transfer.fixture.json", "transfer.created", "transfer", Some("created")),
    // A charge tells the story of its payment a second time: no effect of its own.
    ("charge.fixture.json", "charge.succeeded", "other", None),
    // Vendors, fees of the platform, customers, instruments, reports: no event of theirs is used.
    ("account.fixture.json", "account.updated", "other", None),
    ("application_fee.fixture.json", "application_fee.created", "other", None),
    ("application_fee_refund.fixture.json", "application_fee.refund.updated", "other", None),
    ("balance.fixture.json", "balance.available", "other", None),
    ("checkout_session.fixture.json", "checkout.session.completed", "other", None),
    ("customer.fixture.json", "customer.created", "other", None),
    ("early_fraud_warning.fixture.json", "radar.early_fraud_warning.created", "other", None),
    ("payment_method.fixture.json", "payment_method.attached", "other", None),
    ("report_run.fixture.json", "reporting.report_run.succeeded", "other", None),
    ("setup_intent.fixture.json", "setup_intent.created", "other", None),
    ("topup.fixture.json", "topup.created", "other", None),
    ("transfer_reversal.fixture.json", "transfer_reversal.created", "other", None),
    ("webhook_endpoint.fixture.json", "webhook_endpoint.updated", "other", None),
];

#[test]
fn every_object_inside_an_event_is_used_or_set_aside_by_name() {
    for (name, event_type, kind, status) in EVENT_OBJECTS {
        let body = json!({
            "id": "evt_1", "object": "event", "type": event_type, "created": 1_780_000_000,
            "data": {"object": value(name)},
        });
        let events = stripe().events(body.to_string().as_bytes()).unwrap();
        assert_eq!(events.len(), 1, "{name}");
        assert_eq!((events[0].kind().as_str(), events[0].status()), (*kind, *status), "{name}");
    }
    let events = stripe().events(&bytes("event.fixture.json")).unwrap();
    assert_eq!(events[0].kind().as_str(), "other");
}

/// Rows of the balance: gross, fee, tax, net.
#[test]
fn every_row_of_the_balance_reads_as_a_fee() {
    for (name, expected) in [
        ("balance_transaction.charge_with_fee.json", ["20.00", "0.88", "0.00", "19.12"]),
        ("balance_transaction.fixture.json", ["1.00", "0.00", "0.00", "1.00"]),
    ] {
        let mut pi = value("payment_intent.succeeded.latest_charge_expanded.json");
        pi["latest_charge"]["balance_transaction"] = value(name);
        let outcome = parse(&sync(money(25000, "AED")), 200, pi.to_string());
        let fee = outcome.answer().unwrap().payment().unwrap().fee.clone().unwrap();
        let said = [fee.gross, fee.fee, fee.tax, fee.net].map(|money| money.major_string());
        assert_eq!(said, expected, "{name}");
    }
}

#[test]
fn a_recorded_refund_answers_both_the_refund_and_its_sync() {
    let amount = money(100, "USD");
    for op in [refund(amount), sync_refund(amount)] {
        let Outcome::Done(answer) = parse(&op, 200, bytes("refund.fixture.json")) else {
            panic!("{op:?}");
        };
        assert_eq!(answer.refund().unwrap().status.as_str(), "succeeded");
    }
}

/// Files of settlement lines (tested there) and the table of exponents (tested in `amount`).
const SET_ASIDE: &[&str] = &[
    "README.md",
    "balance_transactions.list_by_payout.json",
    "currency_exponents.json",
    "list.page1.json",
    "list.page2.json",
    "payout_reconciliation.itemized.csv",
];

#[test]
fn no_fixture_is_without_an_expected_outcome() {
    let mut known: BTreeSet<String> = SET_ASIDE.iter().map(ToString::to_string).collect();
    let reject = [("signature.reject_wrong_secret", "", Value::Null)];
    for (name, _, _) in deliveries().into_iter().chain(reject) {
        known.insert(format!("webhook.{name}.json"));
        known.insert(format!("webhook.{name}.headers.json"));
    }
    known.extend(payments().into_iter().map(|(name, ..)| name.to_owned()));
    known.extend(EVENT_OBJECTS.iter().map(|(name, ..)| (*name).to_owned()));
    known.insert("event.fixture.json".to_owned());
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let walked = name.starts_with("error.") || name.starts_with("balance_transaction.");
        assert!(walked || known.contains(&name), "{name} has no expected outcome");
    }
}

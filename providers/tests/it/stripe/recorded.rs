//! Every recorded object: what it is recognised as, and what it then says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use mizan_providers::{
    Headers, HttpAnswer, Outcome, Provider, Recorded, RecordedRequest, Subject, webhook_reader,
};

use super::brief;
use crate::shop::{money, stripe};

/// File, and what it says: operation, outcome, amount, what a checker sees as its reference.
const EXPECTED: &[(&str, &str)] = &[
    ("balance_transactions.list_by_payout.json", "list_settlement done 6 lines"),
    ("customer.fixture.json", "create_customer done customer cus_QXg1o8vcGmoR32"),
    ("dispute.fixture.json", "sync_dispute done warning 10.00 USD dp_1Pgc71B7WZ01zgkWMevJiAUx"),
    (
        "dispute.needs_response.with_balance_transaction.json",
        "sync_dispute done needs_response 10.00 USD dp_1JAyTwJSZQVUcJYgPqasUEn1",
    ),
    (
        "error.400.amount_no_decimal.json",
        "create rejected invalid_charge_amount_no_decimal_compatible",
    ),
    ("error.400.balance_insufficient.json", "create rejected balance_insufficient"),
    ("error.400.idempotency_mismatch.json", "create rejected idempotency_key_reused"),
    (
        "error.402.authentication_required.json",
        "create declined soft authentication_required pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    (
        "error.402.card_declined.json",
        "create declined soft insufficient_funds pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    ("error.402.do_not_retry.json", "create declined hard stolen_card"),
    ("error.409.idempotency_in_use.json", "create unknown busy"),
    ("error.429.lock_timeout.json", "create unknown busy"),
    ("error.429.rate_limit.json", "create rejected rate_limited"),
    ("error.500.api_error.json", "create unknown server_error"),
    ("list.page1.json", "list_settlement done 2 lines"),
    ("list.page2.json", "list_settlement done 1 lines"),
    ("payment_intent.canceled.json", "sync done cancelled 10.99 USD pi_1PgafyB7WZ01zgkWSjxsAJo3"),
    ("payment_intent.fixture.json", "sync done failed 10.99 USD pi_1PgafyB7WZ01zgkWSjxsAJo3"),
    (
        "payment_intent.processing.json",
        "sync done processing 10.99 USD pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    (
        "payment_intent.requires_action.redirect.json",
        "sync done requires_action 250.00 AED pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    (
        "payment_intent.requires_capture.json",
        "sync done authorised 250.00 AED pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    (
        "payment_intent.requires_payment_method.json",
        "sync done created 10.99 USD pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    (
        "payment_intent.succeeded.latest_charge_expanded.json",
        "sync done captured 250.00 AED pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    (
        "payment_intent.succeeded.partial_capture.json",
        "sync done captured 250.00 AED pi_1PgafyB7WZ01zgkWSjxsAJo3",
    ),
    ("payment_method.fixture.json", "remove_instrument done removed pm_1Pgc75B7WZ01zgkWlHVgdEGJ"),
    ("payout.fixture.json", "sync_payout done in_transit 11.00 USD po_1Pgc79B7WZ01zgkWu1KToYf4"),
    ("payout.paid.reconciled.json", "sync_payout done paid 37.28 USD po_s06"),
    ("refund.fixture.json", "sync_refund done succeeded 1.00 USD re_1Pgc72B7WZ01zgkWqPvrRrPE"),
    ("setup_intent.fixture.json", "sync_instrument done failed seti_1Pgag7B7WZ01zgkWSgwGdb8Z"),
    ("transfer.fixture.json", "sync_transfer done created 11.00 USD tr_1Pgc7BB7WZ01zgkWVJfE40RX"),
    (
        "transfer_reversal.fixture.json",
        "reverse_transfer done reversed 11.00 USD tr_1Pgc7BB7WZ01zgkWVJfE40RX",
    ),
];

/// Objects that answer nothing the adapter asks: vendors, fees of the platform, whole charges,
/// single rows of the balance, reports. Events carry some of them.
const NOT_ASKED_FOR: &[&str] = &[
    "account.fixture.json",
    "application_fee.fixture.json",
    "application_fee_refund.fixture.json",
    "balance.fixture.json",
    "balance_transaction.charge_with_fee.json",
    "balance_transaction.fixture.json",
    "charge.fixture.json",
    "checkout_session.fixture.json",
    "early_fraud_warning.fixture.json",
    "event.fixture.json",
    "report_run.fixture.json",
    "topup.fixture.json",
    "webhook_endpoint.fixture.json",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/stripe")
}

fn recorded(name: &str) -> Recorded {
    // The status of a refusal is in the name of its file.
    let status = name.strip_prefix("error.").and_then(|rest| rest.get(..3)?.parse().ok());
    let body = fs::read(folder().join(name)).unwrap();
    let answer = HttpAnswer::new(status.unwrap_or(200), Headers::new(), body);
    Recorded { kind: String::new(), request: None, answer, wanted: None }
}

fn said(exchange: &Recorded) -> String {
    let Some(op) = stripe().recognise(exchange) else { return "not an answer".to_owned() };
    let outcome = stripe().parse(&op, &exchange.answer);
    let amount = outcome.answer().and_then(|answer| match &answer.subject {
        Subject::Payment(it) => Some(it.amount),
        Subject::Refund(it) => Some(it.amount),
        Subject::Payout(it) => Some(it.amount),
        Subject::Transfer(it) => Some(it.amount),
        Subject::Dispute(it) => Some(it.amount),
        _ => None,
    });
    let reference = match &outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => answer.provider_ref().cloned(),
        Outcome::Declined(decline) => decline.provider_ref.clone(),
        _ => None,
    };
    let parts = [
        Some(op.kind().to_string()),
        Some(brief(&outcome)),
        amount.map(|money| money.to_string()),
        reference.map(|id| id.to_string()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_object_is_recognised_and_says_what_it_should() {
    let aside = NOT_ASKED_FOR.iter().map(|name| (*name, "not an answer"));
    let expected: BTreeMap<String, String> = EXPECTED
        .iter()
        .copied()
        .chain(aside)
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let others = ["README.md", "currency_exponents.json", "payout_reconciliation.itemized.csv"];
    let told: BTreeMap<String, String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("webhook.") && !others.contains(&name.as_str()))
        .map(|name| (name.clone(), said(&recorded(&name))))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn what_the_recording_wanted_wins_over_the_answers_own_word() {
    let mut exchange = recorded("payment_intent.requires_capture.json");
    assert_eq!(brief(&parsed(&exchange)), "done authorised");
    let request = RecordedRequest {
        path: "/v1/payment_intents".to_owned(),
        headers: Headers::new(),
        body: "amount=24999&currency=aed".to_owned(),
    };
    exchange.request = Some(request);
    assert_eq!(brief(&parsed(&exchange)), "mismatch amount");
    exchange.wanted = Some(money(25_000, "AED"));
    assert_eq!(brief(&parsed(&exchange)), "done authorised");
    exchange.wanted = Some(money(25_000, "USD"));
    assert_eq!(brief(&parsed(&exchange)), "mismatch currency");
}

fn parsed(exchange: &Recorded) -> Outcome {
    let adapter = webhook_reader(mizan_providers::ProviderName::Stripe);
    adapter.parse(&adapter.recognise(exchange).unwrap(), &exchange.answer)
}

proptest::proptest! {
    #[test]
    fn whatever_was_asked_no_bytes_make_a_success_and_no_spoiled_field_a_panic(
        bytes: Vec<u8>,
        status in 100_u16..600,
        which in 0_usize..1_000,
        field in 0_usize..1_000,
        value in proptest::sample::select(vec![
            "null", "-1", "0", "9223372036854775807", "1.5", "\"\"", "\"x\"", "[]", "{}", "true",
        ]),
    ) {
        let (name, _) = EXPECTED[which % EXPECTED.len()];
        let exchange = recorded(name);
        let op = stripe().recognise(&exchange).unwrap();
        let any = HttpAnswer::new(status, Headers::new(), bytes);
        proptest::prop_assert!(stripe().parse(&op, &any).answer().is_none());

        let mut body: serde_json::Value = serde_json::from_slice(&exchange.answer.body).unwrap();
        let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        body[&fields[field % fields.len()]] = serde_json::from_str(value).unwrap();
        let spoiled = HttpAnswer::new(status, Headers::new(), body.to_string());
        let outcome = stripe().parse(&op, &spoiled);
        proptest::prop_assert!((200..300).contains(&status) || outcome.answer().is_none());
    }

    #[test]
    fn any_bytes_are_recognised_or_not_without_a_panic(body: Vec<u8>, text in "\\PC{0,60}") {
        for body in [body, format!("{{\"object\":\"{text}\"}}").into_bytes()] {
            let answer = HttpAnswer::new(200, Headers::new(), body);
            let exchange = Recorded { kind: text.clone(), request: None, answer, wanted: None };
            let _ = stripe().recognise(&exchange);
        }
    }
}

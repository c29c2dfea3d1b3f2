//! Walks every sample of Telr and holds it to the outcome it says it deserves.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use chrono::DateTime;
use mizan_money::{Currency, Money};
use mizan_providers::telr::Telr;
use mizan_providers::{
    EventSubject, Headers, HttpAnswer, Mode, NextAction, Operation, Outcome, Provider,
    ProviderEvent, Recorded, RecordedRequest, RejectionReason, UnknownReason, inspect,
};
use secrecy::SecretString;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/telr")
}

fn names() -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    names
}

fn sample(name: &str) -> Value {
    let bytes = fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&bytes).unwrap()
}

fn body(part: &Value) -> String {
    match part.get("raw_body") {
        Some(text) => text.as_str().unwrap().to_owned(),
        None => part.get("body").map(ToString::to_string).unwrap_or_default(),
    }
}

fn recorded(sample: &Value) -> Recorded {
    let request = sample.get("request").map(|it| RecordedRequest {
        path: it["path"].as_str().unwrap().to_owned(),
        headers: Headers::new(),
        body: body(it),
    });
    let response = &sample["response"];
    let status = response["status"].as_u64().map_or(200, |it| u16::try_from(it).unwrap());
    let intent = &sample["config"]["intent"];
    let wanted = intent["minor"].as_i64().map(|minor| {
        Money::new(minor, Currency::parse(intent["currency"].as_str().unwrap()).unwrap())
    });
    Recorded {
        kind: sample["_meta"]["kind"].as_str().unwrap().to_owned(),
        request,
        answer: HttpAnswer::new(status, Headers::new(), body(response)),
        wanted,
    }
}

/// What the expectation says and what came out, by the same name.
type Said = Vec<(&'static str, Value)>;

fn event_says(event: &ProviderEvent, told: &Value) -> Said {
    let amount = event.amount();
    let mut said = vec![
        ("minor", json!(amount.map(Money::minor))),
        ("currency", json!(amount.map(|it| it.currency().code()))),
        ("amount", json!(amount.map(|it| it.major_string()))),
        ("dedupe_key", json!(event.id)),
        ("test_mode", json!(event.mode == Mode::Test)),
    ];
    match &event.subject {
        EventSubject::Payment(it) => {
            said.push(("status", json!(it.status.as_str())));
            said.push(("event", json!(event.event_type)));
            let charge = it.charge_ref.as_ref();
            let error = it.last_error.as_ref();
            let tran = charge.or(error.and_then(|it| it.charge_ref.as_ref()));
            said.push(("transaction_ref", json!(tran)));
            said.push(("decline_code", json!(error.and_then(|it| it.decline_code.clone()))));
            // Where the message has no order, the first transaction stands for it.
            said.push(("order_ref", json!(it.provider_ref)));
            said.push(("first_ref", json!(it.provider_ref)));
            said.push(("captured_total_after", json!(it.captured.minor())));
        }
        EventSubject::Refund(it) => {
            said.push(("event", json!("refund")));
            said.push(("refund_status", json!(it.status.as_str())));
            said.push(("transaction_ref", json!(it.provider_ref)));
        }
        EventSubject::Other(it) => {
            let is_cancel = event.event_type == "agreement cancel";
            said.push(("event", json!(if is_cancel { "agreement_cancelled" } else { "other" })));
            said.push(("agreement_ref", json!(it.object_id)));
        }
        other => panic!("{other:?} {told}"),
    }
    said
}

/// What a message cannot tell, and why.
const NOT_IN_A_MESSAGE: &[&str] = &[
    // That of another transaction, which our books know and this message does not.
    "authorised_total",
    // The parent of a capture: the events of a payment have no place for it.
    "parent_ref",
    // The shop's own reference is read only where it is one of ours.
    "merchant_ref",
    // What the caller does with it: `Trust::Hint`, `EventKind::Other`, `acknowledgement`.
    "posting",
    "follow_up",
    "reply",
    "signature_valid",
];

fn compare(name: &str, expect: &Value, said: &Said, left_out: &[&str]) {
    for (field, wanted) in expect.as_object().unwrap() {
        if left_out.contains(&field.as_str()) {
            continue;
        }
        let got = said.iter().find(|(key, _)| key == field);
        let (_, got) = got.unwrap_or_else(|| panic!("{name}: nothing is said of {field}"));
        assert_eq!(got, wanted, "{name}: {field}");
    }
}

fn message(name: &str, sample: &Value) {
    let secret = |field| sample["config"][field].as_str().map(SecretString::from);
    let secrets: Vec<SecretString> =
        [secret("advice_secret"), secret("auth_key")].into_iter().flatten().collect();
    let raw = body(&sample["message"]);
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let adapter = Telr::webhook_reader();
    let inspected =
        inspect(&adapter, &Headers::new(), raw.as_bytes(), secrets.as_slice().into(), now);
    let expect = &sample["expect"];
    assert_eq!(json!(inspected.verified), expect["signature_valid"], "{name}");
    let event = adapter.events(raw.as_bytes()).unwrap().remove(0);
    assert_eq!(inspected.dedupe_id.as_deref(), Some(event.id.as_str()), "{name}");
    compare(name, expect, &event_says(&event, expect), NOT_IN_A_MESSAGE);
    for other in [vec![SecretString::from("wrong")], Vec::new()] {
        let forged =
            inspect(&adapter, &Headers::new(), raw.as_bytes(), other.as_slice().into(), now);
        assert!(!forged.verified && forged.events.is_empty(), "{name}");
    }
}

/// What was asked, by the recording alone.
fn asked_says(op: &Operation) -> Said {
    let (word, amount, reference) = match op {
        Operation::Create(it) => ("create_payment", Some(it.amount), None),
        Operation::Sync(it) => ("get_payment", Some(it.amount), Some(&it.provider_ref)),
        Operation::Capture(it) => ("capture", Some(it.amount), it.charge_ref.as_ref()),
        Operation::Void(it) => ("release", Some(it.amount), it.charge_ref.as_ref()),
        Operation::Refund(it) => ("refund", Some(it.amount), it.charge_ref.as_ref()),
        other => panic!("{other:?}"),
    };
    vec![
        ("operation", json!(word)),
        ("minor", json!(amount.map(Money::minor))),
        ("currency", json!(amount.map(|it| it.currency().code()))),
        ("amount", json!(amount.map(|it| it.major_string()))),
        ("provider_ref", json!(reference)),
        ("parent_ref", json!(reference)),
    ]
}

fn outcome_says(outcome: &Outcome, asked: &Operation) -> Said {
    let mut said = asked_says(asked);
    match outcome {
        Outcome::Done(answer) => {
            if let Some(it) = answer.payment() {
                let next = it.next_action.as_ref();
                let url = next.and_then(|next| match next {
                    NextAction::Redirect { url } => Some(url),
                    _ => None,
                });
                let error = it.last_error.as_ref();
                said.retain(|(name, _)| *name != "provider_ref");
                said.push(("provider_ref", json!(it.provider_ref)));
                said.push(("status", json!(it.status.as_str())));
                said.push(("transaction_ref", json!(it.charge_ref)));
                said.push(("redirect_url", json!(url)));
                said.push(("reason", json!(it.cancellation_reason)));
                said.push(("decline_code", json!(error.and_then(|it| it.decline_code.clone()))));
                said.push(("status_letter", json!("A")));
            }
        }
        Outcome::Rejected(it) => {
            let class = match (it.reason, it.code.as_str()) {
                (RejectionReason::InvalidRequest, "E56") => "duplicate",
                (RejectionReason::Credentials, "401") => "authentication",
                (RejectionReason::Credentials, _) => "configuration",
                _ => "invalid_request",
            };
            let retryable = it.reason.is_retryable();
            said.push(("refund_status", json!("failed")));
            said.push(("provider_code", json!(it.code)));
            said.push(("retryable", json!(retryable)));
            said.push(("error", json!([class, it.code, retryable])));
        }
        Outcome::Unknown(it) => {
            let UnknownReason::NotFound { code } = &it.why else { panic!("{it:?}") };
            said.push(("error", json!(["not_found", code, false])));
        }
        Outcome::Mismatch(it) => {
            assert_eq!((it.field, it.got.as_str()), ("amount", "5.45 AED"));
            said.push(("action", json!("quarantine")));
        }
        other => panic!("{other:?}"),
    }
    said
}

/// What an answer cannot tell here, and why.
const NOT_IN_AN_ANSWER: &[&str] = &[
    // Sentences for people, and what follows from the outcome.
    "note",
    "not",
    "alert",
    "decline_reason",
    // The bank's approval, its number and the card's last digits have no place in our facts.
    "auth_code",
    "rrn",
    "card_last4",
    // The shop's own reference is read only where it is one of ours.
    "merchant_ref",
    // Compared with the connection's own, which a reader of recordings does not have.
    "test_mode",
    "error",
];

fn exchange(name: &str, sample: &Value) {
    let recorded = recorded(sample);
    let op = Telr::webhook_reader().recognise(&recorded);
    let op = op.unwrap_or_else(|| panic!("{name}: not recognised"));
    let expect = &sample["expect"];
    if sample.get("response").is_none() {
        return compare(name, expect, &asked_says(&op), NOT_IN_AN_ANSWER);
    }
    let outcome = Telr::webhook_reader().parse(&op, &recorded.answer);
    let said = outcome_says(&outcome, &op);
    let mut left_out = NOT_IN_AN_ANSWER.to_vec();
    if matches!(outcome, Outcome::Mismatch(_)) {
        left_out.push("reason");
    }
    compare(name, expect, &said, &left_out);
    if let Some(error) = expect.get("error") {
        let (_, got) = said.iter().find(|(key, _)| *key == "error").unwrap();
        assert_eq!(got[0], error["class"], "{name}");
        assert_eq!(got[2], error["retryable"], "{name}");
        if let Some(code) = error.get("provider_code") {
            assert_eq!(got[1], *code, "{name}");
        }
    }
}

#[test]
fn every_sample_means_what_it_says_it_does() {
    let mut kinds = BTreeSet::new();
    for name in names() {
        let sample = sample(&name);
        kinds.insert(sample.get("message").is_some());
        if sample.get("message").is_some() {
            message(&name, &sample);
        } else {
            exchange(&name, &sample);
        }
    }
    assert_eq!((names().len(), kinds.len()), (30, 2));
}

#[test]
fn an_amount_that_was_wanted_wins_over_what_was_recorded() {
    let mut recorded = recorded(&sample("check-order.paid.json"));
    recorded.wanted = Some(Money::new(451, Currency::AED));
    let op = Telr::webhook_reader().recognise(&recorded).unwrap();
    let outcome = Telr::webhook_reader().parse(&op, &recorded.answer);
    assert!(matches!(outcome, Outcome::Mismatch(it) if it.field == "amount"));
}

#[test]
fn whatever_was_recorded_is_recognised_or_not_and_nothing_panics() {
    for name in names() {
        let sample = sample(&name);
        let whole = recorded(&sample);
        let raw = whole.request.as_ref().map_or_else(String::new, |it| it.body.clone());
        for cut in (0..raw.len()).step_by(7).filter(|at| raw.is_char_boundary(*at)) {
            let mut part = whole.clone();
            part.request.as_mut().unwrap().body.truncate(cut);
            let _ = Telr::webhook_reader().recognise(&part);
        }
    }
}

//! Walks every sample of PayTabs and holds it to the outcome it says it deserves.

use std::fs;
use std::path::PathBuf;

use chrono::DateTime;
use mizan_money::{Currency, Money};
use mizan_providers::paytabs::Paytabs;
use mizan_providers::{
    DeclineKind, EventSubject, Headers, HttpAnswer, Inspection, NextAction, Operation, Outcome,
    PaymentAnswer, Provider, ProviderName, Recorded, RecordedRequest, RejectionReason, Subject,
    UnknownReason, inspect, webhook_reader,
};
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/paytabs")
}

fn value(name: &str) -> Value {
    let bytes = fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&bytes).unwrap()
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

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn headers(of: &Value) -> Headers {
    let pairs = of.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn inspected(file: &Value) -> (Inspection, String) {
    let message = &file["message"];
    let secrets = [SecretString::from(file["config"]["server_key"].as_str().unwrap())];
    let body = message["raw_body"].as_str().unwrap().to_owned();
    let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
    let adapter = webhook_reader(ProviderName::Paytabs);
    let headers = headers(&message["headers"]);
    let keys = secrets.as_slice().into();
    (inspect(adapter.as_ref(), &headers, body.as_bytes(), keys, now), body)
}

/// Messages: everything that `expect` says of each.
#[test]
fn every_message_is_what_it_says_it_is() {
    let mut messages = 0;
    for name in names() {
        let file = value(&name);
        if file["message"].is_null() {
            continue;
        }
        messages += 1;
        let expect = &file["expect"];
        let (said, body) = inspected(&file);
        assert_eq!(json!(said.verified), expect["signature_valid"], "{name}");
        if !said.verified {
            assert_eq!(said.reason.unwrap(), "missing_header: the header Signature is missing");
            continue;
        }
        assert_eq!(said.reason, None, "{name}");
        let dedupe = text(&expect["dedupe_key"]);
        assert!(dedupe.is_none_or(|key| said.dedupe_id.as_deref() == Some(key)), "{name}");
        let event = &said.events[0];
        let reference = text(&expect["provider_ref"]);
        assert!(reference.is_none_or(|it| event.provider_ref.as_deref() == Some(it)), "{name}");
        if name.starts_with("return.") {
            assert_eq!((event.kind, event.amount), ("other", None), "{name}");
            continue;
        }
        let refund = text(&expect["event"]) == Some("refund");
        assert_eq!(event.kind, if refund { "refund" } else { "payment" }, "{name}");
        let status = if refund { "refund_status" } else { "status" };
        assert_eq!(event.status, text(&expect[status]), "{name}");
        let amount = expect["minor"].as_i64();
        assert!(amount.is_none_or(|minor| event.amount == Some(minor)), "{name}");
        let currency = text(&expect["currency"]);
        assert!(currency.is_none_or(|code| event.currency == Some(code)), "{name}");
        let reason = text(&expect["reason"]).or(text(&expect["decline_code"]));
        assert_eq!(event.reason.as_deref(), reason, "{name}");
        told_more(&name, expect, &body);
    }
    assert_eq!(messages, 11);
}

/// What `expect` says of a message beyond its line.
fn told_more(name: &str, expect: &Value, body: &str) {
    let event = Paytabs::webhook_reader().events(body.as_bytes()).unwrap().pop().unwrap();
    if let Some(time) = text(&expect["occurred_at"]) {
        let at = event.occurred_at.unwrap();
        assert_eq!(at, DateTime::parse_from_rfc3339(time).unwrap(), "{name}");
    }
    match &event.subject {
        EventSubject::Payment(fact) => {
            let token = fact.instrument.as_ref().map(|it| it.token.as_str());
            assert_eq!(token, text(&expect["token"]), "{name}");
            let word = fact.last_error.as_ref().map(|error| error.code.as_str());
            assert_eq!(word, text(&expect["decline_reason"]), "{name}");
        }
        EventSubject::Refund(fact) => {
            let parent = fact.charge_ref.as_ref().map(|it| it.as_str());
            assert_eq!(parent, text(&expect["parent_ref"]), "{name}");
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn recorded(file: &Value) -> Recorded {
    let request = &file["request"];
    let request = request.is_object().then(|| RecordedRequest {
        path: request["path"].as_str().unwrap().to_owned(),
        headers: headers(&request["headers"]),
        body: request["body"].to_string(),
    });
    let answer = &file["response"];
    let status = answer["status"].as_u64().unwrap_or(200).try_into().unwrap();
    let body = if answer.is_null() { String::new() } else { answer["body"].to_string() };
    Recorded {
        kind: file["_meta"]["kind"].as_str().unwrap().to_owned(),
        request,
        answer: HttpAnswer::new(status, headers(&answer["headers"]), body),
        wanted: None,
    }
}

/// What a user of the checker sees as the reference of a payment's answer: the transaction that
/// the call made, where it is another one than the payment is known by.
fn shown(it: &PaymentAnswer) -> &str {
    it.charge_ref.as_ref().unwrap_or(&it.provider_ref).as_str()
}

/// Exchanges: everything that `expect` says of each.
#[test]
fn every_answer_is_what_it_says_it_is() {
    let mut answers = 0;
    for name in names() {
        let file = value(&name);
        if file["response"].is_null() {
            continue;
        }
        answers += 1;
        let exchange = recorded(&file);
        let reader = Paytabs::webhook_reader();
        let op = reader.recognise(&exchange).unwrap_or_else(|| panic!("{name}"));
        let outcome = reader.parse(&op, &exchange.answer);
        let expect = &file["expect"];
        match &outcome {
            Outcome::Done(answer) | Outcome::Pending(answer) => match &answer.subject {
                Subject::Payment(it) => paid_as_expected(&name, expect, it),
                Subject::Refund(it) => {
                    assert_eq!(Some(it.status.as_str()), text(&expect["refund_status"]), "{name}");
                    assert_eq!(Some(it.provider_ref.as_str()), text(&expect["provider_ref"]));
                    assert_eq!(it.charge_ref.as_ref().unwrap().as_str(), expect["parent_ref"]);
                    assert_eq!(json!(it.amount.minor()), expect["minor"], "{name}");
                }
                other => panic!("{name}: {other:?}"),
            },
            Outcome::Declined(it) => {
                assert_eq!(text(&expect["refund_status"]), Some("failed"), "{name}");
                assert_eq!((it.kind, &expect["retryable"]), (DeclineKind::Hard, &json!(false)));
            }
            other => refused_as_expected(&name, expect, other),
        }
    }
    assert_eq!(answers, 12);
}

fn paid_as_expected(name: &str, expect: &Value, it: &PaymentAnswer) {
    assert_eq!(Some(it.status.as_str()), text(&expect["status"]), "{name}");
    assert_eq!(Some(shown(it)), text(&expect["provider_ref"]), "{name}");
    if let Some(parent) = text(&expect["parent_ref"]) {
        assert_eq!(it.provider_ref.as_str(), parent, "{name}");
    }
    let amount = if it.captured.is_zero() { it.amount } else { it.captured };
    let minor = expect["minor"].as_i64();
    assert!(minor.is_none_or(|minor| amount.minor() == minor), "{name}");
    let currency = text(&expect["currency"]);
    assert!(currency.is_none_or(|code| amount.currency().code() == code), "{name}");
    let token = it.instrument.as_ref().map(|it| it.token.as_str());
    assert_eq!(token, text(&expect["token"]), "{name}");
    if let Some(url) = text(&expect["redirect_url"]) {
        assert_eq!(it.next_action, Some(NextAction::Redirect { url: url.to_owned() }));
    }
}

fn refused_as_expected(name: &str, expect: &Value, outcome: &Outcome) {
    let said = match outcome {
        Outcome::Rejected(it) if it.reason == RejectionReason::Credentials => {
            ("configuration", it.code.as_str(), it.reason.is_retryable())
        }
        Outcome::Rejected(it) => (it.reason.as_str(), it.code.as_str(), it.reason.is_retryable()),
        Outcome::Unknown(it) => match &it.why {
            UnknownReason::Busy { code } => ("duplicate", code.as_str(), false),
            // Nothing there: the checker's word for it.
            UnknownReason::NotFound { .. } => {
                assert_eq!(expect["found"], json!(false), "{name}");
                return;
            }
            other => panic!("{name}: {other:?}"),
        },
        other => panic!("{name}: {other:?}"),
    };
    let error = &expect["error"];
    assert_eq!(Some(said.0), text(&error["class"]), "{name}");
    assert_eq!(Some(said.1), text(&error["provider_code"]), "{name}");
    assert_eq!(json!(said.2), error["retryable"], "{name}");
}

#[test]
fn the_rest_of_a_hold_is_told_where_the_recording_says_what_was_wanted() {
    let file = value("follow-up.capture-partial.json");
    let wanted = Some(Money::new(20_000, Currency::AED));
    let exchange = Recorded { wanted, ..recorded(&file) };
    let reader = Paytabs::webhook_reader();
    let op = reader.recognise(&exchange).unwrap();
    let outcome = reader.parse(&op, &exchange.answer);
    let it = outcome.answer().unwrap().payment().unwrap();
    assert_eq!(json!(it.capturable.minor()), file["expect"]["remaining_minor"]);
    assert_eq!(Some(it.amount), wanted);
}

#[test]
fn a_wanted_amount_that_was_not_answered_is_a_mismatch() {
    let file = value("create-payment.redirect.json");
    let exchange = Recorded { wanted: Some(Money::new(1, Currency::AED)), ..recorded(&file) };
    let reader = Paytabs::webhook_reader();
    let op = reader.recognise(&exchange).unwrap();
    let outcome = reader.parse(&op, &exchange.answer);
    assert!(matches!(outcome, Outcome::Mismatch(it) if it.field == "currency"));
}

/// Requests without an answer: what they ask is recognised, or is nothing this adapter asks.
#[test]
fn a_request_alone_is_recognised_where_it_is_one_of_ours() {
    let reader = Paytabs::webhook_reader();
    let file = value("split-payout.create.json");
    let Some(Operation::Create(it)) = reader.recognise(&recorded(&file)) else { panic!() };
    assert_eq!(json!(it.amount.minor()), file["expect"]["minor"]);
    assert_eq!(json!(it.amount.currency().code()), file["expect"]["currency"]);
    // Payouts need a contract, and their answers are documented nowhere.
    assert!(reader.recognise(&recorded(&value("payout-batch.request-add.json"))).is_none());
    let alone = names().into_iter().filter(|name| {
        let file = value(name);
        file["message"].is_null() && file["response"].is_null()
    });
    assert_eq!(alone.count(), 2);
}

proptest! {
    #[test]
    fn any_recording_is_recognised_or_not(
        kind in "[a-z_]{0,12}",
        path in prop::sample::select(vec![
            "/payment/request", "/payment/query", "/payment/token/delete", "/x?y", "",
        ]),
        field in prop::sample::select(vec![
            "tran_type", "cart_id", "cart_currency", "cart_amount", "tran_ref", "token",
        ]),
        spoiled in "\\PC{0,12}",
        bytes: Vec<u8>,
    ) {
        let mut file = value("token.sale.json");
        file["request"]["body"][field] = json!(spoiled);
        file["response"]["body"][field] = json!(spoiled);
        let whole = recorded(&file);
        let request = whole.request.clone().map(|it| RecordedRequest { path: path.into(), ..it });
        let garbage = HttpAnswer { body: bytes, ..whole.answer.clone() };
        let reader = Paytabs::webhook_reader();
        for request in [request, None] {
            for answer in [whole.answer.clone(), garbage.clone()] {
                let (kind, request) = (kind.clone(), request.clone());
                let it = Recorded { kind, request, answer, wanted: None };
                if let Some(op) = reader.recognise(&it) {
                    let _ = reader.parse(&op, &it.answer);
                }
            }
        }
    }
}

//! What the adapter for Stripe promises beside payments: instruments, payouts, transfers, disputes,
//! settlement lines, and what recordings are recognised as.

mod disputes;
mod instruments;
mod payouts;
mod recorded;
mod settlement;
mod transfers;

use mizan_money::id::OperationId;
use mizan_providers::{
    Answer, HttpRequest, Method, Operation, Outcome, Provider, RejectionReason, Subject,
};
use serde_json::Value;

use crate::shop::{key, parse, stripe};

fn operation() -> OperationId {
    format!("op_{}", "0".repeat(31) + "9").parse().unwrap()
}

fn built(op: &Operation) -> HttpRequest {
    stripe().build(op, &key()).unwrap_or_else(|error| panic!("{op:?}: {error}"))
}

/// Method, path, account and the pairs of the query or form, decoded.
fn said(op: &Operation) -> String {
    let request = built(op);
    let encoded = match request.method {
        Method::Get => request.query.clone().unwrap_or_default(),
        _ => request.body.as_str().to_owned(),
    };
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&encoded).unwrap();
    let account = request.headers.get("Stripe-Account").map(|account| format!(" as {account}"));
    let mut lines = vec![format!("{request}{}", account.unwrap_or_default())];
    lines.extend(pairs.iter().map(|(name, value)| format!("{name}={value}")));
    lines.join("\n")
}

fn refused(op: &Operation) -> &'static str {
    stripe().build(op, &key()).unwrap_err().code()
}

/// The outcome in a few words.
fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            format!("{} {}", outcome.as_str(), state(answer))
        }
        Outcome::Declined(it) => {
            format!("declined {} {}", it.kind, it.decline_code.as_ref().unwrap_or(&it.code))
        }
        Outcome::Rejected(it) if it.reason == RejectionReason::InvalidRequest => {
            format!("rejected {}", it.code)
        }
        Outcome::Rejected(it) => format!("rejected {}", it.reason),
        Outcome::Unknown(it) => format!("unknown {}", it.why.code()),
        Outcome::Mismatch(it) => format!("mismatch {}", it.field),
    }
}

fn state(answer: &Answer) -> String {
    match &answer.subject {
        Subject::Payment(it) => it.status.to_string(),
        Subject::Refund(it) => it.status.to_string(),
        Subject::Customer(_) => "customer".to_owned(),
        Subject::Instrument(it) => it.status.to_string(),
        Subject::Payout(it) => it.status.to_string(),
        Subject::Transfer(it) => it.status.to_string(),
        Subject::Dispute(it) => it.status.to_string(),
        Subject::Disputes(it) => format!("{} disputes", it.disputes.len()),
        Subject::Settlement(it) => format!("{} lines", it.lines.len()),
    }
}

fn answered(op: &Operation, body: &Value) -> String {
    brief(&parse(op, 200, body.to_string()))
}

fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// A body that never is a success, with the outcome it has.
fn never_a_success(op: &Operation, good: &Value) {
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>busy</html>".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, r#"{"error":{"code":"x"}}"#.to_owned(), "unknown error_inside"),
        (200, with(good.clone(), "object", "thing".into()).to_string(), "unknown unreadable"),
        (302, good.to_string(), "unknown redirect"),
        (503, good.to_string(), "unknown server_error"),
        (400, good.to_string(), "unknown unreadable"),
    ] {
        assert_eq!(brief(&parse(op, status, body.clone())), expected, "{op:?} {status} {body}");
    }
}

//! The things the tests are about: one order, its payment, one refund, one adapter.

use std::collections::BTreeMap;

use mizan_money::Money;
use mizan_money::id::OperationId;
use mizan_providers::razorpay::Razorpay;
use mizan_providers::{
    Answer, CaptureMethod, CapturePayment, ConfirmPayment, Confirmation, CreatePayment, Finality,
    Headers, HttpAnswer, HttpRequest, IdempotencyKey, Operation, Outcome, Prior, Provider,
    RefundPayment, RefundReason, Subject, SyncPayment, SyncRefund, VoidPayment, VoidReason,
};
use secrecy::SecretString;
use serde_json::{Value, json};

pub use crate::shop::{money, our_payment, our_refund, reference};

pub const ORDER: &str = "order_RB58MiP5SPFYyM";
pub const PAY: &str = "pay_G3P9vcIhRs3NV4";
pub const RFND: &str = "rfnd_FP8QHiV938haTz";
pub const SECRET: &str = "never_shown_anywhere";
pub const ACCOUNT: &str = "7878780080316316";
pub const AMOUNT: i64 = 25_000;

pub fn asked() -> Money {
    money(AMOUNT, "INR")
}

pub fn key() -> IdempotencyKey {
    IdempotencyKey::parse("mizan-op_0001").unwrap()
}

pub fn razorpay() -> Razorpay {
    Razorpay::new("rzp_test_1DP5mmOlF5G5ag".to_owned(), SecretString::from(SECRET)).unwrap()
}

pub fn create(amount: Money, capture: CaptureMethod) -> CreatePayment {
    CreatePayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "3").parse().unwrap(),
        amount,
        capture,
        payment_method: None,
        confirmation: Confirmation::Now,
        return_url: None,
        description: None,
        metadata: BTreeMap::new(),
        instrument: None,
        keep: None,
    }
}

pub fn sale() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Automatic))
}

pub fn confirm() -> Operation {
    Operation::Confirm(ConfirmPayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(ORDER),
        amount: asked(),
        capture: CaptureMethod::Automatic,
        payment_method: None,
        return_url: None,
    })
}

pub fn whole_capture(amount: Money) -> CapturePayment {
    CapturePayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(PAY)),
        authorised: amount,
        captured_before: Money::zero(amount.currency()),
        amount,
        finality: Finality::Final,
    }
}

pub fn capture() -> Operation {
    Operation::Capture(whole_capture(asked()))
}

pub fn void() -> Operation {
    Operation::Void(VoidPayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: None,
        amount: asked(),
        reason: VoidReason::RequestedByCustomer,
    })
}

pub fn refund_of(amount: Money, payment: &str) -> RefundPayment {
    RefundPayment {
        payment: our_payment().parse().unwrap(),
        refund: our_refund().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "4").parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(payment)),
        amount,
        reason: RefundReason::RequestedByCustomer,
        known_refunds: Vec::new(),
    }
}

pub fn refund() -> Operation {
    Operation::Refund(refund_of(asked(), PAY))
}

pub fn sync_of(amount: Money, of: &str) -> Operation {
    let payment = our_payment().parse().unwrap();
    Operation::Sync(SyncPayment { payment, provider_ref: reference(of), charge_ref: None, amount })
}

pub fn sync() -> Operation {
    sync_of(asked(), ORDER)
}

pub fn find() -> Operation {
    Operation::Find(Box::new(Operation::Create(create(asked(), CaptureMethod::Automatic))))
}

pub fn sync_refund() -> Operation {
    Operation::SyncRefund(SyncRefund {
        refund: our_refund().parse().unwrap(),
        provider_ref: reference(RFND),
        payment_ref: reference(ORDER),
        charge_ref: None,
        amount: asked(),
    })
}

/// Everything that can be asked.
pub fn all_operations() -> Vec<Operation> {
    vec![sale(), capture(), refund(), sync(), sync_of(asked(), PAY), find(), sync_refund()]
}

/// An order as a create answers it.
pub fn order(status: &str) -> Value {
    json!({
        "id": ORDER, "entity": "order", "amount": AMOUNT, "amount_paid": 0, "amount_due": AMOUNT,
        "currency": "INR", "receipt": our_payment(), "status": status, "attempts": 0, "notes": [],
        "created_at": 1_756_455_561,
    })
}

/// A payment against it.
pub fn payment(status: &str) -> Value {
    json!({
        "id": PAY, "entity": "payment", "amount": AMOUNT, "currency": "INR", "status": status,
        "order_id": ORDER, "captured": status == "captured", "amount_refunded": 0, "notes": [],
        "fee": null, "tax": null, "created_at": 1_756_455_600,
    })
}

pub fn refunded(status: &str) -> Value {
    json!({
        "id": RFND, "entity": "refund", "amount": AMOUNT, "currency": "INR", "payment_id": PAY,
        "status": status, "receipt": our_refund(), "notes": {"mizan_refund": our_refund()},
    })
}

pub fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// The list that a query by receipt answers.
pub fn listed(orders: &[Value]) -> Value {
    json!({"entity": "collection", "count": orders.len(), "items": orders})
}

/// An order in such a list, with its payments.
pub fn tried(status: &str, payments: &[Value]) -> Value {
    let inner = json!({"entity": "collection", "count": payments.len(), "items": payments});
    with(order(status), "payments", inner)
}

pub fn parse(op: &Operation, status: u16, body: impl Into<Vec<u8>>) -> Outcome {
    razorpay().parse(op, &HttpAnswer::new(status, Headers::new(), body))
}

pub fn parse_after(op: &Operation, status: u16, body: &Value, prior: Prior) -> Outcome {
    let mut answer = HttpAnswer::new(status, Headers::new(), body.to_string());
    answer.prior = prior;
    razorpay().parse(op, &answer)
}

/// The outcome in a word or two.
pub fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            format!("{} {}", outcome.as_str(), state(answer))
        }
        Outcome::Declined(it) => format!("declined {}", it.code),
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

/// Answers with a success status that are none, whatever was asked.
pub fn never_a_success(op: &Operation, good: &Value) {
    for (status, body, expected) in [
        (200, String::new(), "unknown unreadable"),
        (200, "<html>busy</html>".to_owned(), "unknown unreadable"),
        (200, "[]".to_owned(), "unknown unreadable"),
        (200, "{}".to_owned(), "unknown unreadable"),
        (200, r#"{"error":{"code":"x"}}"#.to_owned(), "unknown error_inside"),
        (302, good.to_string(), "unknown redirect"),
        (503, good.to_string(), "unknown server_error"),
        (400, "{}".to_owned(), "unknown unreadable"),
    ] {
        assert_eq!(brief(&parse(op, status, body.clone())), expected, "{op:?} {status} {body}");
    }
}

pub fn built(op: &Operation) -> HttpRequest {
    adapter().build(op, &key()).unwrap_or_else(|error| panic!("{op:?}: {error}"))
}

/// An adapter that pays out as well.
pub fn adapter() -> Razorpay {
    razorpay().paying_from(SecretString::from(ACCOUNT)).unwrap()
}

/// Method, path, query and body.
pub fn said(op: &Operation) -> String {
    let request = built(op);
    let query = request.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{request}{query} {}", request.body.as_str()).trim_end().to_owned()
}

pub fn refused(op: &Operation) -> &'static str {
    adapter().build(op, &key()).unwrap_err().code()
}

pub fn operation() -> OperationId {
    format!("op_{}", "0".repeat(31) + "9").parse().unwrap()
}

pub fn answered(op: &Operation, body: &Value) -> String {
    brief(&parse(op, 200, body.to_string()))
}

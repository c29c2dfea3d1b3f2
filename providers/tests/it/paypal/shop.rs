//! The things the tests are about: one order, its authorisation, its capture, one refund.

use std::collections::BTreeMap;

use mizan_money::{Money, Timestamp};
use mizan_providers::paypal::{Environment, Paypal};
use mizan_providers::{
    AcceptDispute, CancelPayout, CaptureMethod, CapturePayment, ChargeSaved, ConfirmPayment,
    Confirmation, ContestDispute, CreatePayment, CreatePayout, Finality, Headers, HttpAnswer,
    IdempotencyKey, InstrumentAnswer, KeepInstrument, ListDisputes, ListSettlement, Operation,
    Outcome, PaymentAnswer, PayoutAnswer, PayoutDestination, Presence, Prior, Provider,
    RefundAnswer, RefundPayment, RefundReason, RemoveInstrument, SaveInstrument, SavedInstrument,
    Subject, SyncDispute, SyncInstrument, SyncPayment, SyncPayout, SyncRefund, VoidPayment,
    VoidReason,
};
use secrecy::SecretString;
use serde_json::{Value, json};

pub use crate::shop::{money, our_payment, our_refund, reference};

pub const ORDER: &str = "5O190127TN364715T";
pub const HOLD: &str = "0AW2184448108334S";
pub const CAPTURE: &str = "3C679366HH908993F";
pub const REFUND: &str = "1JU08902781691411";
pub const BATCH: &str = "5UXD2E8A7EBQJ";
pub const ITEM: &str = "8AELMXH8UB2P8";
pub const DISPUTE: &str = "PP-000-042-663-135";
pub const CLIENT: &str = "AeA1QIZXiflr1";
pub const SECRET: &str = "never_shown_anywhere";
pub const BACK: &str = "https://shop.example/back";

pub fn asked() -> Money {
    money(10_000, "USD")
}

pub fn key() -> IdempotencyKey {
    IdempotencyKey::parse("mizan-op_0001").unwrap()
}

pub fn our_payout() -> String {
    format!("po_{}", "0".repeat(31) + "6")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn operation<T: std::str::FromStr<Err: std::fmt::Debug>>(last: char) -> T {
    format!("op_{}{last}", "0".repeat(31)).parse().unwrap()
}

pub fn paypal() -> Paypal {
    let secret = SecretString::from(SECRET);
    Paypal::new(CLIENT.to_owned(), secret, Environment::Sandbox).unwrap()
}

pub fn create(amount: Money, capture: CaptureMethod) -> CreatePayment {
    CreatePayment {
        payment: our_payment().parse().unwrap(),
        operation: operation('3'),
        amount,
        capture,
        payment_method: None,
        confirmation: Confirmation::Now,
        return_url: Some(BACK.to_owned()),
        description: None,
        metadata: BTreeMap::new(),
        instrument: None,
        keep: None,
    }
}

pub fn sale() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Automatic))
}

pub fn saved() -> SavedInstrument {
    SavedInstrument {
        token: reference("8kk8451t"),
        customer: Some(reference("4029352050")),
        first_charge: None,
    }
}

pub fn charge_saved(capture: CaptureMethod) -> Operation {
    let charge = ChargeSaved { instrument: saved(), presence: Presence::OffSession };
    let instrument = Some(charge);
    Operation::Create(CreatePayment { instrument, return_url: None, ..create(asked(), capture) })
}

pub fn confirm(capture: CaptureMethod) -> Operation {
    Operation::Confirm(ConfirmPayment {
        payment: our_payment().parse().unwrap(),
        operation: operation('5'),
        provider_ref: reference(ORDER),
        amount: asked(),
        capture,
        payment_method: None,
        return_url: None,
    })
}

pub fn take() -> Operation {
    confirm(CaptureMethod::Automatic)
}

pub fn hold() -> Operation {
    confirm(CaptureMethod::Manual)
}

pub fn capture_of(amount: Money) -> CapturePayment {
    CapturePayment {
        payment: our_payment().parse().unwrap(),
        operation: operation('7'),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(HOLD)),
        authorised: asked(),
        captured_before: Money::zero(amount.currency()),
        amount,
        finality: Finality::Final,
    }
}

pub fn capture() -> Operation {
    Operation::Capture(capture_of(asked()))
}

pub fn void_of(charge: Option<&str>) -> Operation {
    Operation::Void(VoidPayment {
        payment: our_payment().parse().unwrap(),
        operation: operation('8'),
        provider_ref: reference(ORDER),
        charge_ref: charge.map(reference),
        amount: asked(),
        reason: VoidReason::RequestedByCustomer,
    })
}

pub fn void() -> Operation {
    void_of(Some(HOLD))
}

pub fn refund_of(amount: Money) -> RefundPayment {
    RefundPayment {
        payment: our_payment().parse().unwrap(),
        refund: our_refund().parse().unwrap(),
        operation: operation('4'),
        provider_ref: reference(ORDER),
        charge_ref: Some(reference(CAPTURE)),
        amount,
        reason: RefundReason::RequestedByCustomer,
        known_refunds: Vec::new(),
    }
}

pub fn refund() -> Operation {
    Operation::Refund(refund_of(asked()))
}

pub fn find_refund() -> Operation {
    Operation::Find(Box::new(refund()))
}

pub fn sync() -> Operation {
    Operation::Sync(SyncPayment {
        payment: our_payment().parse().unwrap(),
        provider_ref: reference(ORDER),
        charge_ref: None,
        amount: asked(),
    })
}

pub fn sync_refund() -> Operation {
    Operation::SyncRefund(SyncRefund {
        refund: our_refund().parse().unwrap(),
        provider_ref: reference(REFUND),
        payment_ref: reference(ORDER),
        charge_ref: Some(reference(CAPTURE)),
        amount: asked(),
    })
}

pub fn keep() -> KeepInstrument {
    let customer = format!("cus_{}", "0".repeat(31) + "9").parse().unwrap();
    KeepInstrument { customer, customer_ref: None }
}

pub fn save() -> Operation {
    Operation::SaveInstrument(SaveInstrument {
        operation: operation('a'),
        keep: keep(),
        currency: asked().currency(),
        payment_method: None,
        return_url: Some(BACK.to_owned()),
    })
}

pub fn sync_saved() -> Operation {
    Operation::SyncInstrument(SyncInstrument { provider_ref: reference("7C3310112A9999999") })
}

pub fn forget() -> Operation {
    Operation::RemoveInstrument(RemoveInstrument { instrument: saved() })
}

pub fn payout_to(destination: PayoutDestination) -> CreatePayout {
    CreatePayout {
        payout: our_payout().parse().unwrap(),
        operation: operation('b'),
        amount: asked(),
        destination,
        description: None,
    }
}

pub fn vendor() -> PayoutDestination {
    PayoutDestination::Email("vendor@example.com".to_owned())
}

pub fn payout() -> Operation {
    Operation::Payout(payout_to(vendor()))
}

pub fn sync_payout(of: &str) -> Operation {
    Operation::SyncPayout(SyncPayout {
        payout: our_payout().parse().unwrap(),
        provider_ref: reference(of),
        amount: asked(),
        destination: vendor(),
    })
}

pub fn cancel_payout(of: &str) -> Operation {
    Operation::CancelPayout(CancelPayout {
        payout: our_payout().parse().unwrap(),
        provider_ref: reference(of),
        amount: asked(),
        destination: vendor(),
    })
}

pub fn sync_dispute() -> Operation {
    Operation::SyncDispute(SyncDispute { provider_ref: reference(DISPUTE) })
}

pub fn list_disputes() -> Operation {
    let since = at("2026-01-02T03:04:05Z");
    Operation::ListDisputes(ListDisputes { since, page: None })
}

pub fn accept() -> Operation {
    let (operation, provider_ref) = (operation('c'), reference(DISPUTE));
    Operation::AcceptDispute(AcceptDispute { operation, provider_ref })
}

pub fn contest(evidence: &[(&str, &str)]) -> Operation {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    Operation::ContestDispute(ContestDispute {
        operation: operation('d'),
        provider_ref: reference(DISPUTE),
        evidence: evidence.iter().map(owned).collect(),
    })
}

pub fn report(from: &str, to: &str) -> ListSettlement {
    ListSettlement { from: at(from), to: at(to), settlement: None, page: None }
}

pub fn settlement() -> Operation {
    Operation::ListSettlement(report("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"))
}

/// Everything that can be asked.
pub fn all_operations() -> Vec<Operation> {
    vec![
        sale(),
        charge_saved(CaptureMethod::Manual),
        take(),
        hold(),
        capture(),
        void(),
        refund(),
        find_refund(),
        sync(),
        sync_refund(),
        save(),
        sync_saved(),
        forget(),
        payout(),
        sync_payout(&format!("batch:{BATCH}")),
        sync_payout(ITEM),
        cancel_payout(ITEM),
        sync_dispute(),
        list_disputes(),
        accept(),
        contest(&[("notes", "It was delivered.")]),
        settlement(),
    ]
}

pub fn usd(value: &str) -> Value {
    json!({"currency_code": "USD", "value": value})
}

/// An order as it is answered to `Prefer: return=representation`.
pub fn order(status: &str, intent: &str, payments: &Value) -> Value {
    json!({
        "id": ORDER, "status": status, "intent": intent,
        "purchase_units": [{
            "reference_id": "default", "custom_id": our_payment(), "amount": usd("100.00"),
            "payments": payments,
        }],
        "links": [{"rel": "payer-action", "href": "https://www.paypal.com/checkoutnow?token=5O19"}],
    })
}

/// An authorisation, a capture or a refund.
pub fn part(id: &str, status: &str, value: &str) -> Value {
    json!({"id": id, "status": status, "amount": usd(value)})
}

pub fn captured(status: &str) -> Value {
    order("COMPLETED", "CAPTURE", &json!({"captures": [part(CAPTURE, status, "100.00")]}))
}

pub fn held(status: &str) -> Value {
    order("COMPLETED", "AUTHORIZE", &json!({"authorizations": [part(HOLD, status, "100.00")]}))
}

/// The capture of a hold, by itself.
pub fn taken(status: &str, value: &str) -> Value {
    let href = format!("https://api-m.paypal.com/v2/payments/authorizations/{HOLD}");
    with(part(CAPTURE, status, value), "links", json!([{"rel": "up", "href": href}]))
}

/// A refund, by itself.
pub fn refunded(status: &str) -> Value {
    let href = format!("https://api-m.paypal.com/v2/payments/captures/{CAPTURE}");
    let body = with(part(REFUND, status, "100.00"), "custom_id", json!(our_refund()));
    with(body, "links", json!([{"rel": "up", "href": href}]))
}

pub fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

/// The same with the value at a place in it replaced.
pub fn at_place(mut body: Value, place: &str, value: Value) -> Value {
    *body.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value;
    body
}

pub fn parse(op: &Operation, status: u16, body: impl Into<Vec<u8>>) -> Outcome {
    paypal().parse(op, &HttpAnswer::new(status, Headers::new(), body))
}

pub fn parse_after(op: &Operation, status: u16, body: &Value, prior: Prior) -> Outcome {
    let mut answer = HttpAnswer::new(status, Headers::new(), body.to_string());
    answer.prior = prior;
    paypal().parse(op, &answer)
}

/// The state an answer tells.
pub fn status_of(subject: &Subject) -> &'static str {
    match subject {
        Subject::Customer(_) => unreachable!("PayPal has no customers of ours"),
        Subject::Payment(it) => it.status.as_str(),
        Subject::Refund(it) => it.status.as_str(),
        Subject::Instrument(it) => it.status.as_str(),
        Subject::Payout(it) => it.status.as_str(),
        Subject::Transfer(it) => it.status.as_str(),
        Subject::Dispute(it) => it.status.as_str(),
        Subject::Disputes(_) => "disputes",
        Subject::Settlement(_) => "settlement",
    }
}

/// The outcome in a word or two.
pub fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            format!("{} {}", outcome.as_str(), status_of(&answer.subject))
        }
        Outcome::Declined(it) => format!("declined {}", it.code),
        Outcome::Rejected(it) => format!("rejected {}", it.reason),
        Outcome::Unknown(it) => format!("unknown {}", it.why.code()),
        Outcome::Mismatch(it) => format!("mismatch {}", it.field),
    }
}

pub fn answered(op: &Operation, body: &Value) -> String {
    brief(&parse(op, 200, body.to_string()))
}

fn subject(op: &Operation, status: u16, body: &Value) -> Subject {
    let outcome = parse(op, status, body.to_string());
    outcome.answer().unwrap_or_else(|| panic!("{outcome:?}")).subject.clone()
}

pub fn payment(op: &Operation, body: &Value) -> PaymentAnswer {
    let Subject::Payment(it) = subject(op, 200, body) else { panic!("{body}") };
    *it
}

pub fn refund_told(op: &Operation, body: &Value) -> RefundAnswer {
    let Subject::Refund(it) = subject(op, 200, body) else { panic!("{body}") };
    *it
}

pub fn payout_told(op: &Operation, body: &Value) -> PayoutAnswer {
    let Subject::Payout(it) = subject(op, 200, body) else { panic!("{body}") };
    *it
}

pub fn instrument(op: &Operation, body: &Value) -> InstrumentAnswer {
    let Subject::Instrument(it) = subject(op, 201, body) else { panic!("{body}") };
    *it
}

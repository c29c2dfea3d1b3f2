//! The things the tests are about: one payment, one refund, one adapter.

use std::collections::BTreeMap;

use mizan_money::Money;
use mizan_providers::paytabs::Paytabs;
use mizan_providers::{
    CaptureMethod, CapturePayment, ChargeSaved, ConfirmPayment, Confirmation, CreatePayment,
    Finality, Headers, HttpAnswer, IdempotencyKey, KeepInstrument, Operation, Outcome, Presence,
    Prior, Provider, RefundPayment, RefundReason, RemoveInstrument, SaveInstrument,
    SavedInstrument, Subject, SyncInstrument, SyncPayment, SyncRefund, VoidPayment, VoidReason,
};
use secrecy::SecretString;
use serde_json::{Value, json};

pub use crate::shop::{money, our_payment, our_refund, reference};

pub const PAGE: &str = "TST2231101374414";
pub const TAKEN: &str = "TST2231101374415";
pub const BACK: &str = "TST2231101374416";
pub const TOKEN: &str = "2C4655BE67A3E537C6B593FF60817AB9";
pub const KEY: &str = "SNEVERSHOW-ANYWHERE00-AT00ALL000";
pub const PROFILE: u64 = 987_654;
pub const CREATED: &str = "pi_00000000000000000000000000000001-000000000003";
pub const FOLLOWED: &str = "pi_00000000000000000000000000000001-000000000005";
pub const REFUNDED: &str = "re_00000000000000000000000000000002-000000000004";
pub const SAVED: &str = "op_00000000000000000000000000000003";

pub fn asked() -> Money {
    money(20_000, "AED")
}

pub fn key() -> IdempotencyKey {
    IdempotencyKey::parse("mizan-op_0001").unwrap()
}

pub fn paytabs() -> Paytabs {
    let notify = Some("https://shop.example/webhooks/paytabs".to_owned());
    Paytabs::new(PROFILE, SecretString::from(KEY), notify).unwrap()
}

fn operation(last: u8) -> String {
    format!("op_{last:0>32}")
}

pub fn create(amount: Money, capture: CaptureMethod) -> CreatePayment {
    CreatePayment {
        payment: our_payment().parse().unwrap(),
        operation: operation(3).parse().unwrap(),
        amount,
        capture,
        payment_method: None,
        confirmation: Confirmation::Now,
        return_url: Some("https://shop.example/return".to_owned()),
        description: None,
        metadata: BTreeMap::new(),
        instrument: None,
        keep: None,
    }
}

pub fn sale() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Automatic))
}

pub fn hold() -> Operation {
    Operation::Create(create(asked(), CaptureMethod::Manual))
}

pub fn saved() -> SavedInstrument {
    let first_charge = Some(reference("TST2502902213573"));
    SavedInstrument { token: reference(TOKEN), customer: None, first_charge }
}

pub fn charge(presence: Presence) -> Operation {
    let instrument = Some(ChargeSaved { instrument: saved(), presence });
    Operation::Create(CreatePayment { instrument, ..create(asked(), CaptureMethod::Automatic) })
}

pub fn keep() -> KeepInstrument {
    KeepInstrument {
        customer: format!("cus_{}", "0".repeat(31) + "9").parse().unwrap(),
        customer_ref: None,
    }
}

pub fn save() -> SaveInstrument {
    SaveInstrument {
        operation: operation(3).parse().unwrap(),
        keep: keep(),
        currency: asked().currency(),
        payment_method: None,
        return_url: Some("https://shop.example/return".to_owned()),
    }
}

pub fn remove() -> Operation {
    Operation::RemoveInstrument(RemoveInstrument { instrument: saved() })
}

pub fn sync_instrument() -> Operation {
    Operation::SyncInstrument(SyncInstrument { provider_ref: reference(PAGE) })
}

pub fn confirm() -> Operation {
    Operation::Confirm(ConfirmPayment {
        payment: our_payment().parse().unwrap(),
        operation: operation(5).parse().unwrap(),
        provider_ref: reference(PAGE),
        amount: asked(),
        capture: CaptureMethod::Automatic,
        payment_method: None,
        return_url: None,
    })
}

pub fn capture_of(amount: Money) -> CapturePayment {
    CapturePayment {
        payment: our_payment().parse().unwrap(),
        operation: operation(5).parse().unwrap(),
        provider_ref: reference(PAGE),
        charge_ref: None,
        authorised: asked(),
        captured_before: Money::zero(amount.currency()),
        amount,
        finality: Finality::Final,
    }
}

pub fn capture() -> Operation {
    Operation::Capture(capture_of(asked()))
}

pub fn void_of(amount: Money, captured: bool) -> Operation {
    Operation::Void(VoidPayment {
        payment: our_payment().parse().unwrap(),
        operation: operation(5).parse().unwrap(),
        provider_ref: reference(PAGE),
        charge_ref: captured.then(|| reference(TAKEN)),
        amount,
        reason: VoidReason::RequestedByCustomer,
    })
}

pub fn void() -> Operation {
    void_of(asked(), false)
}

pub fn refund_of(amount: Money) -> RefundPayment {
    RefundPayment {
        payment: our_payment().parse().unwrap(),
        refund: our_refund().parse().unwrap(),
        operation: operation(4).parse().unwrap(),
        provider_ref: reference(PAGE),
        charge_ref: Some(reference(TAKEN)),
        amount,
        reason: RefundReason::RequestedByCustomer,
        known_refunds: Vec::new(),
    }
}

pub fn refund() -> Operation {
    Operation::Refund(refund_of(asked()))
}

pub fn sync_of(charge: Option<&str>) -> Operation {
    Operation::Sync(SyncPayment {
        payment: our_payment().parse().unwrap(),
        provider_ref: reference(PAGE),
        charge_ref: charge.map(reference),
        amount: asked(),
    })
}

pub fn sync() -> Operation {
    sync_of(None)
}

pub fn sync_refund() -> Operation {
    Operation::SyncRefund(SyncRefund {
        refund: our_refund().parse().unwrap(),
        provider_ref: reference(BACK),
        payment_ref: reference(PAGE),
        charge_ref: Some(reference(TAKEN)),
        amount: asked(),
    })
}

pub fn find(op: Operation) -> Operation {
    Operation::Find(Box::new(op))
}

/// Everything that makes a transaction.
pub fn writes() -> Vec<Operation> {
    let saving = Operation::SaveInstrument(save());
    let token = charge(Presence::OffSession);
    vec![sale(), hold(), token, capture(), void(), refund(), saving]
}

/// Everything that can be asked.
pub fn all_operations() -> Vec<Operation> {
    let mut all = writes();
    all.extend(writes().into_iter().map(find));
    all.extend([remove(), sync(), sync_of(Some(TAKEN)), sync_refund(), sync_instrument()]);
    all
}

/// A page as a create answers it.
pub fn page(kind: &str) -> Value {
    json!({
        "tran_ref": PAGE, "tran_type": kind, "cart_id": CREATED, "cart_description": "x",
        "cart_currency": "AED", "cart_amount": "200.00",
        "redirect_url": "https://secure.paytabs.com/payment/page/599B", "serviceId": 2,
        "profileId": PROFILE, "merchantId": 123_456, "trace": "PMNT0404.1",
    })
}

/// A transaction that ended.
pub fn told(kind: &str, letter: &str, own: &str, cart: &str) -> Value {
    json!({
        "tran_ref": own, "tran_type": kind, "cart_id": cart, "cart_currency": "AED",
        "cart_amount": "200.00", "tran_currency": "AED", "tran_total": "200.00",
        "payment_result": {
            "response_status": letter, "response_code": if letter == "A" { "G1" } else { "300" },
            "response_message": "x", "transaction_time": "2025-01-29T09:40:00Z",
        },
        "payment_info": {"payment_method": "Visa", "card_type": "Credit", "card_scheme": "Visa"},
        "profileId": PROFILE, "trace": "PMNT0404.2",
    })
}

/// What follows another transaction.
pub fn follows(kind: &str, letter: &str) -> Value {
    let (own, previous, cart) = match kind {
        "Refund" => (BACK, TAKEN, REFUNDED),
        "Capture" => (TAKEN, PAGE, FOLLOWED),
        _ => (BACK, PAGE, FOLLOWED),
    };
    with(told(kind, letter, own, cart), "previous_tran_ref", json!(previous))
}

/// A payment by its own transaction.
pub fn paid(kind: &str, letter: &str) -> Value {
    told(kind, letter, PAGE, CREATED)
}

pub fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

pub fn with_code(mut body: Value, code: &str) -> Value {
    body["payment_result"]["response_code"] = json!(code);
    body
}

pub fn parse(op: &Operation, status: u16, body: impl Into<Vec<u8>>) -> Outcome {
    paytabs().parse(op, &HttpAnswer::new(status, Headers::new(), body))
}

pub fn parse_after(op: &Operation, status: u16, body: &Value, prior: Prior) -> Outcome {
    let mut answer = HttpAnswer::new(status, Headers::new(), body.to_string());
    answer.prior = prior;
    paytabs().parse(op, &answer)
}

/// The outcome in a word or two.
pub fn brief(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            let status = match &answer.subject {
                Subject::Payment(it) => it.status.as_str(),
                Subject::Refund(it) => it.status.as_str(),
                Subject::Instrument(it) => it.status.as_str(),
                _ => "?",
            };
            format!("{} {status}", outcome.as_str())
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

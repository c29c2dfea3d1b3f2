//! The things the tests are about: one payment, one refund, one adapter.

use std::collections::BTreeMap;

use mizan_money::{Currency, Money};
use mizan_providers::stripe::Stripe;
use mizan_providers::{
    CaptureMethod, CapturePayment, ConfirmPayment, Confirmation, CreatePayment, Finality, Headers,
    HttpAnswer, IdempotencyKey, Operation, Outcome, Provider, ProviderRef, RefundPayment,
    RefundReason, SyncPayment, SyncRefund, VoidPayment, VoidReason,
};
use secrecy::SecretString;

pub const PI: &str = "pi_1PgafyB7WZ01zgkWSjxsAJo3";
pub const RE: &str = "re_1Pgc72B7WZ01zgkWqPvrRrPE";
pub const KEY_TEXT: &str = "sk_test_never_shown_anywhere";

pub fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap())
}

pub fn reference(text: &str) -> ProviderRef {
    ProviderRef::parse(text).unwrap()
}

pub fn key() -> IdempotencyKey {
    IdempotencyKey::parse("op_0001").unwrap()
}

pub fn stripe() -> Stripe {
    Stripe::new(SecretString::from(KEY_TEXT), None).unwrap()
}

pub fn our_payment() -> String {
    format!("pi_{}", "0".repeat(31) + "1")
}

pub fn our_refund() -> String {
    format!("re_{}", "0".repeat(31) + "2")
}

pub fn create(amount: Money, capture: CaptureMethod) -> CreatePayment {
    CreatePayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "3").parse().unwrap(),
        amount,
        capture,
        payment_method: Some("pm_card_visa".to_owned()),
        confirmation: Confirmation::Now,
        return_url: Some("https://shop.example.com/return".to_owned()),
        description: None,
        metadata: BTreeMap::new(),
        instrument: None,
        keep: None,
    }
}

pub fn confirm(amount: Money, capture: CaptureMethod) -> Operation {
    Operation::Confirm(ConfirmPayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(PI),
        amount,
        capture,
        payment_method: None,
        return_url: None,
    })
}

pub fn capture(authorised: Money, amount: Money) -> Operation {
    Operation::Capture(CapturePayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(PI),
        charge_ref: None,
        authorised,
        captured_before: Money::zero(authorised.currency()),
        amount,
        finality: Finality::Final,
    })
}

pub fn void(amount: Money) -> Operation {
    Operation::Void(VoidPayment {
        payment: our_payment().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "5").parse().unwrap(),
        provider_ref: reference(PI),
        charge_ref: None,
        amount,
        reason: VoidReason::RequestedByCustomer,
    })
}

pub fn refund(amount: Money) -> Operation {
    Operation::Refund(RefundPayment {
        payment: our_payment().parse().unwrap(),
        refund: our_refund().parse().unwrap(),
        operation: format!("op_{}", "0".repeat(31) + "4").parse().unwrap(),
        provider_ref: reference(PI),
        charge_ref: None,
        amount,
        reason: RefundReason::RequestedByCustomer,
        known_refunds: Vec::new(),
    })
}

pub fn sync(amount: Money) -> Operation {
    Operation::Sync(SyncPayment {
        payment: our_payment().parse().unwrap(),
        provider_ref: reference(PI),
        charge_ref: None,
        amount,
    })
}

pub fn sync_refund(amount: Money) -> Operation {
    Operation::SyncRefund(SyncRefund {
        refund: our_refund().parse().unwrap(),
        provider_ref: reference(RE),
        payment_ref: reference(PI),
        charge_ref: None,
        amount,
    })
}

pub fn all_operations(amount: Money) -> Vec<Operation> {
    vec![
        Operation::Create(create(amount, CaptureMethod::Automatic)),
        Operation::Create(create(amount, CaptureMethod::Manual)),
        Operation::Create(CreatePayment {
            confirmation: Confirmation::Later,
            ..create(amount, CaptureMethod::Automatic)
        }),
        confirm(amount, CaptureMethod::Automatic),
        capture(amount, amount),
        void(amount),
        refund(amount),
        sync(amount),
        sync_refund(amount),
    ]
}

pub fn parse(op: &Operation, status: u16, body: impl Into<Vec<u8>>) -> Outcome {
    stripe().parse(op, &HttpAnswer::new(status, Headers::new(), body))
}

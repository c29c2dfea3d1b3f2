//! Payments and refunds as our facts, from whatever answer told of them.

use mizan_money::Money;

use crate::instrument::SavedInstrument;
use crate::model::{PaymentStatus, ProviderRef, RefundStatus};
use crate::outcome::{Decline, PaymentAnswer, RefundAnswer};
use crate::redact;
use crate::telr::code;

/// A payment in this state, all of its amount moved or none.
pub(super) fn payment(
    provider_ref: ProviderRef,
    status: PaymentStatus,
    amount: Money,
) -> PaymentAnswer {
    let none = Money::zero(amount.currency());
    let part = |of: PaymentStatus| if status == of { amount } else { none };
    PaymentAnswer {
        provider_ref,
        status,
        amount,
        capturable: part(PaymentStatus::Authorised),
        captured: part(PaymentStatus::Captured),
        refunded: None,
        charge_ref: None,
        next_action: None,
        last_error: None,
        cancellation_reason: None,
        fee: None,
        instrument: None,
        reference: None,
    }
}

/// A refund in this state.
pub(super) fn refund(
    provider_ref: ProviderRef,
    status: RefundStatus,
    amount: Money,
) -> RefundAnswer {
    RefundAnswer {
        provider_ref,
        status,
        amount,
        payment_ref: None,
        charge_ref: None,
        reason: None,
        fee: None,
        reference: None,
        payment_reference: None,
    }
}

/// A saved card: the transaction that used it.
pub(super) fn saved(transaction: ProviderRef) -> SavedInstrument {
    SavedInstrument { token: transaction, customer: None, first_charge: None }
}

/// Why a try was declined.
pub(super) fn decline(told: &str, message: &str, saved: bool) -> Decline {
    let told = told.trim();
    let number = code::number(told);
    let word = if told.is_empty() { "declined" } else { told };
    Decline {
        code: word.chars().take(100).collect(),
        decline_code: number.map(|it| it.to_string()),
        advice_code: None,
        kind: code::decline_kind(number, saved),
        message: sentence(message),
        provider_ref: None,
        charge_ref: None,
    }
}

/// The number of a transaction; none where zeros say that none was made.
pub(super) fn transaction(text: &str) -> Option<ProviderRef> {
    let made = !text.is_empty() && text.bytes().any(|b| b != b'0');
    made.then(|| ProviderRef::parse(text).ok()).flatten()
}

/// A gateway's sentence: keys and card numbers taken out, at most 500 characters.
pub(super) fn sentence(text: &str) -> String {
    let bounded: String = text.chars().take(500).collect();
    redact::text(&bounded)
}

/// A gateway's word, bounded.
pub(super) fn word(text: &str) -> String {
    text.chars().take(40).collect()
}

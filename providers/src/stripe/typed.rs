//! async-stripe's types as ours: the strict reading, tried before the tolerant one.

use stripe_shared as shared;
use stripe_types::{Expandable, Object};

use crate::stripe::wire;

/// Reads a payment intent: strictly where every documented field is there, else tolerantly.
pub(super) fn payment_intent(body: &[u8]) -> Result<wire::PaymentIntent, serde_json::Error> {
    match serde_json::from_slice::<shared::PaymentIntent>(body) {
        Ok(strict) => Ok(strict.into()),
        Err(_) => serde_json::from_slice(body),
    }
}

/// Reads a refund: strictly where every documented field is there, else tolerantly.
pub(super) fn refund(body: &[u8]) -> Result<wire::Refund, serde_json::Error> {
    match serde_json::from_slice::<shared::Refund>(body) {
        Ok(strict) => Ok(strict.into()),
        Err(_) => serde_json::from_slice(body),
    }
}

fn reference<T: Object, W>(from: Expandable<T>) -> wire::Ref<W>
where
    T::Id: ToString,
    W: From<T>,
{
    match from {
        Expandable::Id(id) => wire::Ref::Id(id.to_string()),
        Expandable::Object(object) => wire::Ref::Object(Box::new(W::from(*object))),
    }
}

/// Only the id, expanded or not.
fn name<T: Object>(from: Expandable<T>) -> wire::Ref<wire::Named>
where
    T::Id: ToString,
{
    wire::Ref::Id(from.into_id().to_string())
}

impl From<shared::PaymentIntent> for wire::PaymentIntent {
    fn from(it: shared::PaymentIntent) -> Self {
        Self {
            id: it.id.to_string(),
            status: it.status.as_str().to_owned(),
            amount: it.amount,
            currency: it.currency.to_string(),
            amount_capturable: Some(it.amount_capturable),
            amount_received: Some(it.amount_received),
            latest_charge: it.latest_charge.map(reference),
            next_action: it.next_action.map(Into::into),
            last_payment_error: it.last_payment_error.map(|error| (*error).into()),
            cancellation_reason: it.cancellation_reason.map(|reason| reason.as_str().to_owned()),
            customer: it.customer.map(name),
            payment_method: it.payment_method.map(name),
            setup_future_usage: it.setup_future_usage.map(|usage| usage.as_str().to_owned()),
            metadata: it.metadata,
        }
    }
}

impl From<shared::PaymentIntentNextAction> for wire::NextAction {
    fn from(it: shared::PaymentIntentNextAction) -> Self {
        let redirect_to_url = it.redirect_to_url.map(|to| wire::RedirectToUrl { url: to.url });
        Self { kind: it.type_, redirect_to_url }
    }
}

impl From<shared::ApiErrors> for wire::ApiError {
    fn from(it: shared::ApiErrors) -> Self {
        Self {
            kind: Some(it.type_.as_str().to_owned()),
            code: it.code.map(|code| code.as_str().to_owned()),
            decline_code: it.decline_code,
            advice_code: it.advice_code,
            message: it.message,
            charge: it.charge.map(wire::Ref::Id),
            payment_intent: it.payment_intent.map(|pi| wire::Ref::Id(pi.id.to_string())),
        }
    }
}

impl From<shared::Charge> for wire::Charge {
    fn from(it: shared::Charge) -> Self {
        Self {
            id: it.id.to_string(),
            amount: Some(it.amount),
            captured: Some(it.captured),
            amount_captured: Some(it.amount_captured),
            amount_refunded: Some(it.amount_refunded),
            currency: Some(it.currency.to_string()),
            payment_intent: it.payment_intent.map(name),
            balance_transaction: it.balance_transaction.map(reference),
            metadata: it.metadata,
        }
    }
}

impl From<shared::BalanceTransaction> for wire::BalanceTransaction {
    fn from(it: shared::BalanceTransaction) -> Self {
        let detail = |fee: shared::Fee| wire::FeeDetail { amount: fee.amount, kind: fee.type_ };
        Self {
            id: it.id.to_string(),
            amount: it.amount,
            fee: it.fee,
            net: it.net,
            currency: it.currency.to_string(),
            fee_details: it.fee_details.into_iter().map(detail).collect(),
        }
    }
}

impl From<shared::Refund> for wire::Refund {
    fn from(it: shared::Refund) -> Self {
        Self {
            id: it.id.to_string(),
            status: it.status,
            amount: it.amount,
            currency: it.currency.to_string(),
            payment_intent: it.payment_intent.map(name),
            charge: it.charge.map(name),
            balance_transaction: it.balance_transaction.map(reference),
            failure_reason: it.failure_reason,
            pending_reason: it.pending_reason.map(|reason| reason.as_str().to_owned()),
            metadata: it.metadata.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    const PAYMENTS: &[&str] = &[
        include_str!("../../fixtures/stripe/payment_intent.canceled.json"),
        include_str!("../../fixtures/stripe/payment_intent.processing.json"),
        include_str!("../../fixtures/stripe/payment_intent.requires_action.redirect.json"),
        include_str!("../../fixtures/stripe/payment_intent.requires_capture.json"),
        include_str!("../../fixtures/stripe/payment_intent.requires_payment_method.json"),
        include_str!("../../fixtures/stripe/payment_intent.succeeded.partial_capture.json"),
    ];

    #[test]
    fn the_strict_and_the_tolerant_reading_of_a_whole_body_agree() {
        for body in PAYMENTS {
            let strict: shared::PaymentIntent = serde_json::from_str(body).unwrap();
            let tolerant: wire::PaymentIntent = serde_json::from_str(body).unwrap();
            assert_eq!(wire::PaymentIntent::from(strict), tolerant);
        }
        let body = include_str!("../../fixtures/stripe/refund.fixture.json");
        let strict: shared::Refund = serde_json::from_str(body).unwrap();
        let tolerant: wire::Refund = serde_json::from_str(body).unwrap();
        assert_eq!(wire::Refund::from(strict), tolerant);
    }

    #[test]
    fn an_expanded_charge_with_its_row_reads_the_same_both_ways() {
        let body = include_str!(
            "../../fixtures/stripe/payment_intent.succeeded.latest_charge_expanded.json"
        );
        let read = payment_intent(body.as_bytes()).unwrap();
        let tolerant: wire::PaymentIntent = serde_json::from_str(body).unwrap();
        assert_eq!(read, tolerant);
        let charge = read.latest_charge.unwrap();
        assert!(charge.object().unwrap().balance_transaction.is_some());
    }
}

//! Razorpay's payments and refunds as our facts: amounts in our units, states in our words, ids
//! checked.

use mizan_money::Money;

use crate::amount::WireAmountError;
use crate::instrument::SavedInstrument;
use crate::model::{PaymentStatus, ProviderFee, ProviderRef};
use crate::outcome::{Decline, DeclineKind, PaymentAnswer, RefundAnswer};
use crate::razorpay::amount::from_wire_amount;
use crate::razorpay::request::{PAYMENT_KEY, REFUND_KEY};
use crate::razorpay::{status, wire};

/// Why an object of Razorpay's is not a fact we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FactError {
    #[error("{0}")]
    Amount(#[from] WireAmountError),
    #[error("{field} is not an id")]
    Id { field: &'static str },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} cannot be {value}")]
    Impossible { field: &'static str, value: i64 },
    #[error("{field} contradicts the rest")]
    Contradiction { field: &'static str },
}

/// Facts, with what the checks need beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<T> {
    /// The facts.
    pub(super) facts: T,
    /// Razorpay's own word for the state.
    pub(super) word: String,
    /// Our reference as it came back, readable or not.
    pub(super) ours: Option<String>,
}

/// A payment's facts. It is known by its order, which is what we made; one without an order is
/// known by itself.
pub(super) fn payment(it: &wire::Payment) -> Result<Told<PaymentAnswer>, FactError> {
    let status = status::payment(&it.status, it.captured);
    let payment_ref = id("id", &it.id)?;
    let order_ref = it.order_id.as_deref().map(|text| id("order_id", text)).transpose()?;
    let amount = positive(it.amount, &it.currency)?;
    let refunded = amount_or_zero("amount_refunded", it.amount_refunded, &it.currency)?;
    if refunded.minor() > amount.minor() {
        let value = it.amount_refunded.unwrap_or_default();
        return Err(FactError::Impossible { field: "amount_refunded", value });
    }
    let none = Money::zero(amount.currency());
    let part = |of: PaymentStatus| if status == of { amount } else { none };
    let ours = it.notes.get(PAYMENT_KEY).map(ToOwned::to_owned);
    let facts = PaymentAnswer {
        provider_ref: order_ref.unwrap_or_else(|| payment_ref.clone()),
        status,
        amount,
        capturable: part(PaymentStatus::Authorised),
        captured: part(PaymentStatus::Captured),
        refunded: (status == PaymentStatus::Captured).then_some(refunded),
        charge_ref: has_money(status).then_some(payment_ref),
        next_action: None,
        last_error: (status == PaymentStatus::Failed).then(|| decline(it)),
        cancellation_reason: (status == PaymentStatus::Cancelled)
            .then(|| "not_captured_in_time".to_owned()),
        fee: (status == PaymentStatus::Captured).then(|| fee(it)).flatten(),
        instrument: kept(it, status),
        reference: ours.as_deref().and_then(|text| text.parse().ok()),
    };
    Ok(Told { facts, word: it.status.clone(), ours })
}

/// The token that was made with the payment, and the customer it belongs to.
fn kept(it: &wire::Payment, status: PaymentStatus) -> Option<SavedInstrument> {
    let reference = |text: &Option<String>| ProviderRef::parse(text.as_deref()?).ok();
    let (token, customer) = (reference(&it.token_id)?, reference(&it.customer_id)?);
    let saved = SavedInstrument { token, customer: Some(customer), first_charge: None };
    has_money(status).then_some(saved)
}

/// Whether a payment in this state is the one to capture or refund. A failed one is not named: the
/// next try of the same order has another id.
const fn has_money(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Authorised | PaymentStatus::Captured)
}

/// Why a payment failed. Always soft: the same order can be paid again.
fn decline(it: &wire::Payment) -> Decline {
    let reason = wire::word(it.error_reason.as_deref());
    let code = wire::word(it.error_code.as_deref()).or(reason).unwrap_or("payment_failed");
    Decline {
        code: code.chars().take(100).collect(),
        decline_code: reason.map(|reason| reason.chars().take(100).collect()),
        advice_code: None,
        kind: DeclineKind::Soft,
        message: sentence(it.error_description.as_deref()),
        provider_ref: it.order_id.as_deref().and_then(|text| ProviderRef::parse(text).ok()),
        charge_ref: ProviderRef::parse(it.id.as_str()).ok(),
    }
}

/// What Razorpay kept of a payment, in the currency of the settlement: that is INR, and for a
/// payment in another currency fee and base amount are in INR too
/// (razorpay.com/docs/payments/international-payments). Settlement rows name the payment's id.
fn fee(it: &wire::Payment) -> Option<ProviderFee> {
    let (gross, code) = if it.currency.eq_ignore_ascii_case("INR") {
        (it.amount, "INR")
    } else {
        (it.base_amount?, it.base_currency.as_deref().unwrap_or("INR"))
    };
    let (total, tax) = (it.fee?, it.tax.or(it.service_tax)?);
    let sound = gross > 0 && (0..=gross).contains(&total) && (0..=total).contains(&tax);
    if !sound {
        return None;
    }
    let money = |amount: i64| from_wire_amount(amount, code).ok();
    Some(ProviderFee {
        gross: money(gross)?,
        fee: money(total.checked_sub(tax)?)?,
        tax: money(tax)?,
        net: money(gross.checked_sub(total)?)?,
        balance_transaction: ProviderRef::parse(it.id.as_str()).ok()?,
    })
}

/// A refund's facts. It names the payment, `pay_…`; the order only stands beside it in an event.
pub(super) fn refund(it: &wire::Refund) -> Result<Told<RefundAnswer>, FactError> {
    let charge_ref = it.payment_id.as_deref().map(|text| id("payment_id", text)).transpose()?;
    let ours = it.notes.get(REFUND_KEY).or(it.receipt.as_deref()).map(ToOwned::to_owned);
    let payment_reference = it.notes.get(PAYMENT_KEY).and_then(|text| text.parse().ok());
    let facts = RefundAnswer {
        provider_ref: id("id", &it.id)?,
        status: status::refund(&it.status),
        amount: positive(it.amount, &it.currency)?,
        payment_ref: None,
        charge_ref,
        reason: None,
        fee: None,
        reference: ours.as_deref().and_then(|text| text.parse().ok()),
        payment_reference,
    };
    Ok(Told { facts, word: it.status.clone(), ours })
}

/// A gateway's sentence: keys and card numbers taken out, at most 500 characters.
pub(super) fn sentence(text: Option<&str>) -> String {
    let bounded: String = text.unwrap_or_default().chars().take(500).collect();
    crate::redact::text(&bounded)
}

/// A checked id.
pub(super) fn id(field: &'static str, text: &str) -> Result<ProviderRef, FactError> {
    ProviderRef::parse(text).map_err(|_| FactError::Id { field })
}

/// An amount that must be there and greater than zero.
pub(super) fn positive(value: i64, code: &str) -> Result<Money, FactError> {
    if value <= 0 {
        return Err(FactError::Impossible { field: "amount", value });
    }
    Ok(from_wire_amount(value, code)?)
}

/// An amount that may be missing or zero but not negative.
pub(super) fn amount_or_zero(
    field: &'static str,
    value: Option<i64>,
    code: &str,
) -> Result<Money, FactError> {
    let value = value.unwrap_or_default();
    if value < 0 {
        return Err(FactError::Impossible { field, value });
    }
    Ok(from_wire_amount(value, code)?)
}

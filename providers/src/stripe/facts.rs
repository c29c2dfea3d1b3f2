//! Stripe's objects as our facts: amounts in our units, states in our words, ids checked.

use std::collections::HashMap;

use mizan_money::Money;
use mizan_money::id::{PaymentIntentId, RefundId};

use crate::amount::WireAmountError;
use crate::instrument::SavedInstrument;
use crate::model::{NextAction, PaymentStatus, ProviderFee, ProviderRef};
use crate::outcome::{Decline, PaymentAnswer, RefundAnswer};
use crate::stripe::amount::from_wire_amount;
use crate::stripe::request::{PAYMENT_KEY, REFUND_KEY};
use crate::stripe::status;
use crate::stripe::wire::{self, HasId};

/// Why an object of Stripe's is not a fact we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FactError {
    #[error("{0}")]
    Amount(WireAmountError),
    #[error("{field} is not an id")]
    Id { field: &'static str },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} cannot be {value}")]
    Impossible { field: &'static str, value: i64 },
}

impl From<WireAmountError> for FactError {
    fn from(error: WireAmountError) -> Self {
        Self::Amount(error)
    }
}

/// When an object was written, which decides what its sums can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As the money was taken: nothing of it can have gone back yet.
    AtCapture,
    /// At some time or other.
    Later,
}

/// A payment intent's facts.
pub(super) fn payment(
    pi: &wire::PaymentIntent,
    written: Written,
) -> Result<PaymentAnswer, FactError> {
    let money = |amount: i64| from_wire_amount(amount, &pi.currency);
    let provider_ref = id("id", &pi.id)?;
    let status = status::payment(&pi.status, pi.last_payment_error.is_some());
    let charge = pi.latest_charge.as_ref().and_then(wire::Ref::object);
    if pi.amount <= 0 {
        return Err(FactError::Impossible { field: "amount", value: pi.amount });
    }
    let received = received(pi, charge, status, written)?;
    let capturable = match (pi.amount_capturable, status) {
        (Some(amount), _) => amount,
        // Trimmed bodies leave it out; a hold that nobody captured from is the whole amount.
        (None, PaymentStatus::Authorised) => pi.amount.saturating_sub(received),
        (None, _) => 0,
    };
    if !(0..=pi.amount).contains(&capturable) {
        return Err(FactError::Impossible { field: "amount_capturable", value: capturable });
    }
    let refunded = charge.and_then(|charge| charge.amount_refunded);
    let last_error = pi.last_payment_error.as_ref().map(|error| decline(error, Some(&pi.id)));
    Ok(PaymentAnswer {
        provider_ref,
        status,
        amount: money(pi.amount)?,
        capturable: money(capturable)?,
        captured: money(received)?,
        refunded: refunded.map(money).transpose()?,
        charge_ref: optional_id("latest_charge", pi.latest_charge.as_ref())?,
        next_action: pi.next_action.as_ref().map(next_action),
        last_error,
        cancellation_reason: pi.cancellation_reason.clone(),
        fee: charge.and_then(|charge| row(charge.balance_transaction.as_ref())),
        instrument: kept(pi, status),
        reference: payment_reference(&pi.metadata),
    })
}

/// The instrument that was kept with the payment: once the payment stands, and only where it was
/// asked for.
fn kept(pi: &wire::PaymentIntent, status: PaymentStatus) -> Option<SavedInstrument> {
    use PaymentStatus::{Authorised, Captured, Processing};
    pi.setup_future_usage.as_ref()?;
    if !matches!(status, Authorised | Captured | Processing) {
        return None;
    }
    let reference = |it: &wire::Ref<wire::Named>| ProviderRef::parse(it.id()).ok();
    Some(SavedInstrument {
        token: reference(pi.payment_method.as_ref()?)?,
        customer: Some(reference(pi.customer.as_ref()?)?),
        first_charge: None,
    })
}

/// What was taken. A success that does not say how much is no fact.
fn received(
    pi: &wire::PaymentIntent,
    charge: Option<&wire::Charge>,
    status: PaymentStatus,
    written: Written,
) -> Result<i64, FactError> {
    let field = "amount_received";
    let by_charge = |charge: &wire::Charge| charge.amount_captured.or(taken(charge, written));
    let said = pi.amount_received.or_else(|| charge.and_then(by_charge));
    let amount = match (said, status) {
        (Some(amount), _) => amount,
        (None, PaymentStatus::Captured) => return Err(FactError::Missing { field }),
        (None, _) => 0,
    };
    let nothing_taken = amount == 0 && status == PaymentStatus::Captured;
    if amount < 0 || nothing_taken {
        return Err(FactError::Impossible { field, value: amount });
    }
    Ok(amount)
}

/// What a charge took, where it names no such amount but says that it was captured.
///
/// The part of a hold that is not captured is released as a refund, and counts among
/// `amount_refunded` (docs.stripe.com: capture a partial amount of a hold). While that is zero,
/// all was taken; as the money is taken, the rest is what was taken. Later the released part and
/// true refunds are one sum, which tells neither.
fn taken(charge: &wire::Charge, written: Written) -> Option<i64> {
    let (amount, back) = (charge.amount?, charge.amount_refunded?);
    let told = written == Written::AtCapture || back == 0;
    let sound = charge.captured == Some(true) && (0..=amount).contains(&back);
    if told && sound { amount.checked_sub(back) } else { None }
}

/// A refund's facts.
pub(super) fn refund(re: &wire::Refund) -> Result<RefundAnswer, FactError> {
    let word = re.status.as_deref().ok_or(FactError::Missing { field: "status" })?;
    if re.amount <= 0 {
        return Err(FactError::Impossible { field: "amount", value: re.amount });
    }
    Ok(RefundAnswer {
        provider_ref: id("id", &re.id)?,
        status: status::refund(word),
        amount: from_wire_amount(re.amount, &re.currency)?,
        payment_ref: optional_id("payment_intent", re.payment_intent.as_ref())?,
        charge_ref: optional_id("charge", re.charge.as_ref())?,
        reason: re.failure_reason.clone().or_else(|| re.pending_reason.clone()),
        fee: row(re.balance_transaction.as_ref()),
        reference: re.metadata.get(REFUND_KEY).and_then(|text| text.parse::<RefundId>().ok()),
        payment_reference: payment_reference(&re.metadata),
    })
}

/// A decline, from an error envelope or a payment's last error.
pub(super) fn decline(error: &wire::ApiError, payment: Option<&str>) -> Decline {
    let code = error.code.clone().or_else(|| error.kind.clone()).unwrap_or_default();
    let decline_code = error.decline_code.clone();
    let advice_code = error.advice_code.clone();
    let kind = status::decline_kind(&code, decline_code.as_deref(), advice_code.as_deref());
    let named = payment.or_else(|| error.payment_intent.as_ref().map(wire::Ref::id));
    Decline {
        kind,
        decline_code,
        advice_code,
        message: sentence(error.message.as_deref()),
        provider_ref: named.and_then(|text| ProviderRef::parse(text).ok()),
        charge_ref: error.charge.as_ref().and_then(|it| ProviderRef::parse(it.id()).ok()),
        code: code.chars().take(100).collect(),
    }
}

/// A gateway's sentence: keys and card numbers taken out, at most 500 characters.
pub(super) fn sentence(text: Option<&str>) -> String {
    let bounded: String = text.unwrap_or_default().chars().take(500).collect();
    crate::redact::text(&bounded)
}

/// A row of the balance, when it was expanded and its figures agree with each other.
pub(super) fn row(from: Option<&wire::Ref<wire::BalanceTransaction>>) -> Option<ProviderFee> {
    from.and_then(wire::Ref::object).and_then(settlement_row)
}

/// A row of the balance: `net = amount - fee`, and the fee is the sum of its details.
pub(super) fn settlement_row(row: &wire::BalanceTransaction) -> Option<ProviderFee> {
    let money = |amount: i64| from_wire_amount(amount, &row.currency).ok();
    let charged = Charged::of(&row.fee_details, row.fee)?;
    if row.amount.checked_sub(row.fee) != Some(row.net) {
        return None;
    }
    Some(ProviderFee {
        gross: money(row.amount)?,
        fee: money(charged.fee)?,
        tax: money(charged.tax)?,
        net: money(row.net)?,
        balance_transaction: ProviderRef::parse(row.id.as_str()).ok()?,
    })
}

/// A fee and the tax on it, taken apart.
pub(super) struct Charged {
    pub(super) fee: i64,
    pub(super) tax: i64,
}

impl Charged {
    /// By the fee's details, which add up to the whole where they are told.
    pub(super) fn of(details: &[wire::FeeDetail], whole: i64) -> Option<Self> {
        let sum = |wanted: fn(&str) -> bool| {
            let details = details.iter().filter(|detail| wanted(&detail.kind));
            details.map(|detail| detail.amount).try_fold(0_i64, i64::checked_add)
        };
        let (tax, total) = (sum(is_tax)?, sum(|_| true)?);
        let agrees = details.is_empty() || total == whole;
        Some(Self { fee: whole.checked_sub(tax)?, tax }).filter(|_| agrees)
    }
}

fn is_tax(kind: &str) -> bool {
    matches!(kind, "tax" | "withheld_tax")
}

/// What the customer must do. Only web addresses are handed on: they end up in a browser.
pub(super) fn next_action(action: &wire::NextAction) -> NextAction {
    let url = action.redirect_to_url.as_ref().and_then(|to| to.url.as_deref());
    let web = |url: &&str| {
        reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    };
    match url.filter(web) {
        Some(url) => NextAction::Redirect { url: url.to_owned() },
        None => NextAction::Unsupported { kind: action.kind.chars().take(100).collect() },
    }
}

/// Our payment, as the metadata says.
pub(super) fn payment_reference(metadata: &HashMap<String, String>) -> Option<PaymentIntentId> {
    metadata.get(PAYMENT_KEY).and_then(|text| text.parse().ok())
}

/// A checked id.
pub(super) fn id(field: &'static str, text: &str) -> Result<ProviderRef, FactError> {
    ProviderRef::parse(text).map_err(|_| FactError::Id { field })
}

/// A checked id of a thing that need not be there.
pub(super) fn optional_id<T: HasId>(
    field: &'static str,
    from: Option<&wire::Ref<T>>,
) -> Result<Option<ProviderRef>, FactError> {
    from.map(|it| id(field, it.id())).transpose()
}

/// An amount of Stripe's that may be zero but not negative.
pub(super) fn amount(field: &'static str, value: i64, code: &str) -> Result<Money, FactError> {
    if value < 0 {
        return Err(FactError::Impossible { field, value });
    }
    Ok(from_wire_amount(value, code)?)
}

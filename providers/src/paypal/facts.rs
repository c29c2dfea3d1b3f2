//! PayPal's authorisations, captures and refunds as our facts: amounts in our units, states in our
//! words, ids checked.

use std::str::FromStr;

use mizan_money::{Currency, Money};
use sha2::{Digest, Sha256};

use crate::amount::WireAmountError;
use crate::model::{PaymentStatus, ProviderFee, ProviderRef};
use crate::outcome::{Decline, DeclineKind, PaymentAnswer, RefundAnswer};
use crate::paypal::amount::from_wire_amount;
use crate::paypal::{status, wire};
use crate::reference;

/// Why an object of PayPal's is not a fact we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FactError {
    #[error("{0}")]
    Amount(#[from] WireAmountError),
    #[error("{field} is not an id")]
    Id { field: &'static str },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} must not be negative or zero")]
    Impossible { field: &'static str },
    #[error("{field} contradicts the rest")]
    Contradiction { field: &'static str },
}

/// Facts, with what the checks need beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<T> {
    /// The facts.
    pub(super) facts: T,
    /// PayPal's own word for the state, with its object.
    pub(super) word: String,
    /// Our reference as it came back, readable or not.
    pub(super) ours: Option<String>,
    /// What the thing belongs to by its `up` link: a capture's authorisation, a refund's capture.
    pub(super) parent: Option<String>,
    /// `CAPTURE` or `AUTHORIZE`, where an order says it.
    pub(super) intent: Option<String>,
}

/// An authorisation or a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Authorization,
    Capture,
}

impl Kind {
    /// The name of the object in the table of states.
    pub(super) const fn object(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::Capture => "capture",
        }
    }
}

/// A payment by one of its transactions. PayPal's answer leaves the amount out unless it is asked
/// for everything; then what was asked for stands.
pub(super) fn payment(
    kind: Kind,
    it: &wire::Transaction,
    provider_ref: ProviderRef,
    asked: Option<Money>,
) -> Result<Told<PaymentAnswer>, FactError> {
    let status = status::payment(kind.object(), &it.status);
    let amount = amount_or(it.amount.as_ref(), asked)?;
    let none = Money::zero(amount.currency());
    let part = |of: PaymentStatus| if status == of { amount } else { none };
    let live = matches!(
        status,
        PaymentStatus::Authorised | PaymentStatus::Captured | PaymentStatus::Processing
    );
    let charge_ref = id("id", &it.id)?;
    let ours = it.custom_id.as_ref().or(it.invoice_id.as_ref()).cloned();
    let facts = PaymentAnswer {
        last_error: (status == PaymentStatus::Failed).then(|| decline(kind, it, &provider_ref)),
        provider_ref,
        status,
        amount,
        capturable: part(PaymentStatus::Authorised),
        captured: part(PaymentStatus::Captured),
        refunded: None,
        charge_ref: live.then_some(charge_ref),
        next_action: None,
        cancellation_reason: (status == PaymentStatus::Cancelled)
            .then(|| wire::word(&it.status.to_ascii_lowercase())),
        fee: (status == PaymentStatus::Captured).then(|| received(it)).flatten(),
        instrument: None,
        reference: payment_id(it.custom_id.as_deref(), it.invoice_id.as_deref()),
    };
    let parent = match wire::parent(&it.links) {
        Some(wire::Parent::Authorization(id)) => Some(id.to_owned()),
        _ => None,
    };
    let word = format!("{}: {}", kind.object(), it.status);
    Ok(Told { facts, word, ours, parent, intent: None })
}

/// A refund. What it was taken from stands in its `up` link only; the order, where it is named, in
/// the data beside it.
pub(super) fn refund(
    it: &wire::Transaction,
    asked: Option<Money>,
) -> Result<Told<RefundAnswer>, FactError> {
    let parent = match wire::parent(&it.links) {
        Some(wire::Parent::Capture(text)) => Some(id("links", text)?),
        _ => None,
    };
    let references = [it.custom_id.as_deref(), it.invoice_id.as_deref()];
    let ours = refund_text(references).map(ToOwned::to_owned);
    let facts = RefundAnswer {
        provider_ref: id("id", &it.id)?,
        status: status::refund(&it.status),
        amount: amount_or(it.amount.as_ref(), asked)?,
        payment_ref: order_of(it).or_else(|| parent.clone()),
        charge_ref: parent.clone(),
        reason: it.status_details.as_ref().and_then(|it| it.reason.as_deref()).map(wire::word),
        fee: returned(it),
        reference: ours.as_deref().and_then(reference::refund),
        payment_reference: payment_id(references[0], references[1]),
    };
    let parent = parent.map(|it| it.to_string());
    Ok(Told { facts, word: format!("refund: {}", it.status), ours, parent, intent: None })
}

/// Which of a refund's references is about the refund: PayPal may hand down those of its payment.
fn refund_text(references: [Option<&str>; 2]) -> Option<&str> {
    let texts = || references.into_iter().flatten();
    let ours = texts().find(|text| reference::refund(text).is_some());
    ours.or_else(|| texts().find(|text| reference::payment(text).is_none()))
}

/// The order a transaction belongs to, where it says so.
pub(super) fn order_of(it: &wire::Transaction) -> Option<ProviderRef> {
    let beside = it.supplementary_data.as_ref().and_then(|it| it.related_ids.as_ref());
    let beside = beside.and_then(|it| it.order_id.as_deref());
    let up = match wire::parent(&it.links) {
        Some(wire::Parent::Order(id)) => Some(id),
        _ => None,
    };
    beside.or(up).and_then(|text| ProviderRef::parse(text).ok())
}

/// Our payment by what travels as `custom_id`, or by the reference that travels as `invoice_id`.
pub(super) fn payment_id<T: FromStr>(custom: Option<&str>, invoice: Option<&str>) -> Option<T> {
    let read = |text: &str| text.split('-').next()?.parse().ok();
    custom.and_then(read).or_else(|| invoice.and_then(read))
}

/// The id of ours that a reference names. A foreign text names an id made of its digest: it never
/// is one that was asked for, but a recording of somebody else's can be held against itself.
pub(super) fn named<T: FromStr>(prefix: &str, text: &str) -> Option<T> {
    let digest = || hex::encode(Sha256::digest(text)).chars().take(32).collect::<String>();
    payment_id(Some(text), None).or_else(|| format!("{prefix}_{}", digest()).parse().ok())
}

/// Why an authorisation or a capture failed. Always soft: another way of paying may work.
fn decline(kind: Kind, it: &wire::Transaction, order: &ProviderRef) -> Decline {
    let code = it.processor_response.as_ref().and_then(|it| it.response_code.as_deref());
    let reason = it.status_details.as_ref().and_then(|it| it.reason.as_deref());
    Decline {
        code: wire::word(&format!("{}_{}", kind.object(), it.status).to_ascii_uppercase()),
        decline_code: code.or(reason).map(wire::word),
        advice_code: None,
        kind: DeclineKind::Soft,
        message: format!("the {} is {}", kind.object(), wire::word(&it.status).to_lowercase()),
        provider_ref: Some(order.clone()),
        charge_ref: ProviderRef::parse(it.id.as_str()).ok(),
    }
}

/// What a capture brought. Not told where it was credited in another currency: then only the
/// report knows the row. Rows are found by the capture's id.
fn received(it: &wire::Transaction) -> Option<ProviderFee> {
    let told = it.seller_receivable_breakdown.as_ref()?;
    let (gross, fee, net) = breakdown(told)?;
    if told.receivable_amount.as_ref().is_some_and(|it| it.currency_code != gross.currency().code())
    {
        return None;
    }
    row(gross, fee, net, &it.id)
}

/// What a refund took: all of it negative, since the money and a part of the fee go back.
fn returned(it: &wire::Transaction) -> Option<ProviderFee> {
    let (gross, fee, net) = breakdown(it.seller_payable_breakdown.as_ref()?)?;
    row(gross.checked_neg().ok()?, fee.checked_neg().ok()?, net.checked_neg().ok()?, &it.id)
}

fn breakdown(told: &wire::Breakdown) -> Option<(Money, Money, Money)> {
    let read = |it: &Option<wire::Amount>| it.as_ref().and_then(|it| amount(it).ok());
    let gross = read(&told.gross_amount)?;
    let fee = match &told.paypal_fee {
        None => Money::zero(gross.currency()),
        fee => read(fee)?,
    };
    Some((gross, fee, read(&told.net_amount)?))
}

/// A row that adds up; PayPal names no tax on its fee.
fn row(gross: Money, fee: Money, net: Money, id: &str) -> Option<ProviderFee> {
    let sound = gross.checked_sub(fee).is_ok_and(|rest| rest == net);
    let balance_transaction = ProviderRef::parse(id).ok()?;
    let tax = Money::zero(gross.currency());
    sound.then_some(ProviderFee { gross, fee, tax, net, balance_transaction })
}

/// A checked id.
pub(super) fn id(field: &'static str, text: &str) -> Result<ProviderRef, FactError> {
    ProviderRef::parse(text).map_err(|_| FactError::Id { field })
}

/// An amount as it stands.
pub(super) fn amount(it: &wire::Amount) -> Result<Money, WireAmountError> {
    from_wire_amount(&it.value, &it.currency_code)
}

/// An amount that must be greater than zero.
pub(super) fn positive(it: &wire::Amount) -> Result<Money, FactError> {
    let amount = amount(it)?;
    if amount.is_positive() { Ok(amount) } else { Err(FactError::Impossible { field: "amount" }) }
}

/// The amount that is told, else the one that was asked for.
pub(super) fn amount_or(
    told: Option<&wire::Amount>,
    asked: Option<Money>,
) -> Result<Money, FactError> {
    let told = told.map(positive).transpose()?;
    told.or(asked).ok_or(FactError::Missing { field: "amount" })
}

/// The sum of amounts that must share the currency.
pub(super) fn sum(currency: Currency, of: &[Money]) -> Result<Money, FactError> {
    let differs = |_| FactError::Contradiction { field: "currency" };
    Money::sum(currency, of.iter().copied()).map_err(differs)
}

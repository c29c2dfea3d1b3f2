//! PayTabs' transactions as our facts: amounts in our units, states in our words, ids checked.

use mizan_money::Money;

use crate::amount::WireAmountError;
use crate::instrument::{InstrumentAnswer, InstrumentStatus, SavedInstrument};
use crate::model::{NextAction, PaymentStatus, ProviderRef, RefundStatus};
use crate::outcome::{Decline, PaymentAnswer, RefundAnswer};
use crate::paytabs::amount::from_wire_amount;
use crate::paytabs::status;
use crate::paytabs::wire::{PaymentResult, Transaction};
use crate::reference;

/// Why a transaction of PayTabs' is not a fact we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FactError {
    #[error("{0}")]
    Amount(#[from] WireAmountError),
    #[error("{field} is not an id")]
    Id { field: &'static str },
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is not greater than zero")]
    NotPositive { field: &'static str },
    #[error("redirect_url is no address")]
    Redirect,
}

/// Facts, with what the checks need beside them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told<T> {
    /// The facts.
    pub(super) facts: T,
    /// PayTabs' own word for the state.
    pub(super) word: String,
    /// The transaction's own reference.
    pub(super) own: ProviderRef,
    /// The transaction it follows, where it names one.
    pub(super) previous: Option<ProviderRef>,
    /// Its type, in lower case.
    pub(super) kind: String,
    /// Our reference as it came back.
    pub(super) cart_id: String,
    /// The amount as it came back.
    pub(super) cart: Money,
    /// What was charged, held or given back.
    pub(super) total: Money,
    /// The profile as it came back.
    pub(super) profile: Option<String>,
    /// PayTabs' id of the exchange.
    pub(super) trace: Option<String>,
    /// The refusal, where it is one.
    pub(super) decline: Option<Decline>,
}

impl<T> Told<T> {
    /// The same for other facts.
    fn with<U>(self, facts: U) -> Told<U> {
        Told {
            facts,
            word: self.word,
            own: self.own,
            previous: self.previous,
            kind: self.kind,
            cart_id: self.cart_id,
            cart: self.cart,
            total: self.total,
            profile: self.profile,
            trace: self.trace,
            decline: self.decline,
        }
    }
}

/// What is read of every transaction.
fn told(it: &Transaction) -> Result<Told<()>, FactError> {
    let cart = from_wire_amount(&it.cart_amount.0, &it.cart_currency)?;
    let total = match &it.tran_total {
        Some(total) => {
            from_wire_amount(&total.0, it.tran_currency.as_deref().unwrap_or(&it.cart_currency))?
        }
        None => cart,
    };
    if !cart.is_positive() {
        return Err(FactError::NotPositive { field: "cart_amount" });
    }
    if !total.is_positive() {
        return Err(FactError::NotPositive { field: "tran_total" });
    }
    let own = id("tran_ref", &it.tran_ref)?;
    let letter = it.payment_result.as_ref().map_or("", |result| &result.response_status);
    Ok(Told {
        facts: (),
        word: status::word(&it.tran_type, letter).chars().take(40).collect(),
        decline: it.payment_result.as_ref().map(|result| decline(result, &own)),
        own,
        previous: it.previous().map(|text| id("previous_tran_ref", text)).transpose()?,
        kind: it.kind(),
        cart_id: it.cart_id.clone(),
        cart,
        total,
        profile: it.profile_id.as_ref().map(|profile| profile.0.clone()),
        trace: it.trace.as_ref().map(|trace| trace.chars().take(255).collect()),
    })
}

/// A payment's facts, by any of its transactions. The payment is known by [`root`].
pub(super) fn payment(it: &Transaction) -> Result<Told<PaymentAnswer>, FactError> {
    let told = told(it)?;
    let next_action = redirect(it)?;
    let status = match (&it.payment_result, &next_action) {
        (_, Some(_)) => PaymentStatus::RequiresAction,
        (Some(result), None) => status::payment(&told.word, result.code()),
        (None, None) => PaymentStatus::Created,
    };
    let none = Money::zero(told.total.currency());
    let part = |of: PaymentStatus| if status == of { told.total } else { none };
    let taken = status == PaymentStatus::Captured;
    let facts = PaymentAnswer {
        provider_ref: root(it)?,
        status,
        amount: told.cart,
        capturable: part(PaymentStatus::Authorised),
        captured: part(PaymentStatus::Captured),
        refunded: None,
        charge_ref: taken.then(|| told.own.clone()),
        next_action,
        last_error: told.decline.clone().filter(|_| status == PaymentStatus::Failed),
        cancellation_reason: (status == PaymentStatus::Cancelled)
            .then(|| cancellation(it).to_owned()),
        fee: None,
        instrument: matches!(status, PaymentStatus::Authorised | PaymentStatus::Captured)
            .then(|| instrument(it))
            .flatten(),
        reference: reference::payment(&it.cart_id),
    };
    Ok(told.with(facts))
}

/// The reference that a payment is known by.
///
/// A capture, void or release belongs to the auth it follows. A sale is its own, but for cash: a
/// sale that was paid without a card and follows something follows the page's payment request.
pub(super) fn root(it: &Transaction) -> Result<ProviderRef, FactError> {
    let own = id("tran_ref", &it.tran_ref)?;
    let scheme = it.payment_info.as_ref().map(|info| info.card_scheme.as_deref());
    let cash = matches!(scheme, Some(None | Some(""))) && it.token().is_none();
    match (it.kind().as_str(), it.previous()) {
        ("capture" | "void" | "release", None) => {
            Err(FactError::Missing { field: "previous_tran_ref" })
        }
        ("capture" | "void" | "release", Some(parent)) => id("previous_tran_ref", parent),
        ("sale", Some(parent)) if cash => id("previous_tran_ref", parent),
        _ => Ok(own),
    }
}

/// A refund's facts. What it follows is the sale or the capture.
pub(super) fn refund(it: &Transaction) -> Result<Told<RefundAnswer>, FactError> {
    let told = told(it)?;
    let result = it.payment_result.as_ref();
    let result = result.ok_or(FactError::Missing { field: "payment_result" })?;
    let status = status::refund(&told.word, result.code());
    let reason = told.decline.as_ref().map(|decline| decline.code.clone());
    let facts = RefundAnswer {
        provider_ref: told.own.clone(),
        status,
        amount: told.total,
        payment_ref: told.previous.clone(),
        charge_ref: told.previous.clone(),
        reason: reason.filter(|_| status == RefundStatus::Failed),
        fee: None,
        reference: reference::refund(&it.cart_id),
        payment_reference: reference::payment(&it.cart_id),
    };
    Ok(told.with(facts))
}

/// What became of saving an instrument. One that is verified has a token.
pub(super) fn saving(it: &Transaction) -> Result<Told<InstrumentAnswer>, FactError> {
    let told = told(it)?;
    let next_action = redirect(it)?;
    let status = match (&it.payment_result, &next_action) {
        (_, Some(_)) | (None, None) => InstrumentStatus::RequiresAction,
        (Some(result), None) => status::instrument(&told.word, result.code()),
    };
    let active = status == InstrumentStatus::Active;
    let saved = if active { instrument(it) } else { None };
    if active && saved.is_none() {
        return Err(FactError::Missing { field: "token" });
    }
    let facts = InstrumentAnswer {
        provider_ref: told.own.clone(),
        status,
        next_action,
        instrument: saved,
        last_error: told.decline.clone().filter(|_| status == InstrumentStatus::Failed),
    };
    Ok(told.with(facts))
}

/// The saved instrument. A sale with a saved card follows the transaction that first proved it.
fn instrument(it: &Transaction) -> Option<SavedInstrument> {
    let first = it.previous().filter(|_| it.kind() == "sale").unwrap_or(&it.tran_ref);
    Some(SavedInstrument {
        token: ProviderRef::parse(it.token()?).ok()?,
        customer: None,
        first_charge: ProviderRef::parse(first).ok(),
    })
}

/// The page, where the customer has to go to one.
fn redirect(it: &Transaction) -> Result<Option<NextAction>, FactError> {
    let Some(url) = it.redirect_url.as_deref().filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    let web = url.starts_with("https://") || url.starts_with("http://");
    if !web || url.len() > 2048 || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(FactError::Redirect);
    }
    Ok(Some(NextAction::Redirect { url: url.to_owned() }))
}

/// Why a payment was given up: by us, by time, or by the buyer.
fn cancellation(it: &Transaction) -> &'static str {
    match it.payment_result.as_ref().map(|result| result.response_status.as_str()) {
        Some("X") => "expired",
        Some("C") => "cancelled_by_buyer",
        _ => "voided",
    }
}

/// A refusal: our word for PayTabs' code, and the code.
fn decline(result: &PaymentResult, own: &ProviderRef) -> Decline {
    let code = result.code();
    let (word, kind) = status::reason(code);
    Decline {
        code: word.to_owned(),
        decline_code: (!code.is_empty()).then(|| code.chars().take(100).collect()),
        advice_code: None,
        kind,
        message: sentence(result.response_message.as_deref()),
        provider_ref: Some(own.clone()),
        charge_ref: None,
    }
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

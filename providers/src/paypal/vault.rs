//! Saved instruments: kept with a payment, saved alone, charged and forgotten (vault/v3).
//!
//! Saving alone takes two calls: a setup token, which the customer agrees to on PayPal's page and
//! which lives three days, and its exchange for a payment token, which can be charged. The exchange
//! is what [`crate::Operation::SyncInstrument`] does: its key is the setup token, so that asking
//! again saves nothing twice. Before the customer agreed PayPal refuses it, and the refusal says no
//! more than to ask later.

use serde_json::{Value, json};

use crate::error::BuildError;
use crate::instrument::{InstrumentAnswer, InstrumentStatus, KeepInstrument, SaveInstrument};
use crate::outcome::UnknownReason;
use crate::paypal::facts::{FactError, id};
use crate::paypal::order::{redirect, saved};
use crate::paypal::wire;

/// The customer, by PayPal's id where there is one, and by ours.
pub(super) fn customer(keep: &KeepInstrument) -> Value {
    let ours = keep.customer.to_string();
    match &keep.customer_ref {
        Some(theirs) => json!({"id": theirs, "merchant_customer_id": ours}),
        None => json!({"merchant_customer_id": ours}),
    }
}

/// A setup token.
pub(super) fn setup(it: &SaveInstrument) -> Result<Value, BuildError> {
    if it.payment_method.is_some() {
        let problem = "the customer chooses it at PayPal: leave it out";
        return Err(BuildError::Field { field: "payment_method", problem });
    }
    let back = it.return_url.as_deref().ok_or(BuildError::Field {
        field: "return_url",
        problem: "the customer agrees on PayPal's page and must come back from it",
    })?;
    Ok(json!({
        "customer": customer(&it.keep),
        "payment_source": {"paypal": {
            "usage_type": "MERCHANT",
            "experience_context": {
                "return_url": back,
                "cancel_url": back,
                "shipping_preference": "NO_SHIPPING",
            },
        }},
    }))
}

/// The exchange of a setup token.
pub(super) fn exchange(setup: &str) -> Value {
    json!({"payment_source": {"token": {"id": setup, "type": "SETUP_TOKEN"}}})
}

/// What a setup token answers: the customer is asked, whatever comes next.
pub(super) fn begun(it: &wire::Token) -> Result<InstrumentAnswer, UnknownReason> {
    let unreadable =
        |error: FactError| UnknownReason::Unreadable { status: 201, problem: error.to_string() };
    let word = it.status.as_deref().unwrap_or_default();
    if !matches!(word, "PAYER_ACTION_REQUIRED" | "CREATED" | "APPROVED") {
        return Err(UnknownReason::UnknownStatus { word: word.chars().take(40).collect() });
    }
    let text = it.id.as_deref().unwrap_or_default();
    let next = redirect(&it.links);
    if next.is_none() && word != "APPROVED" {
        return Err(unreadable(FactError::Missing { field: "links" }));
    }
    Ok(InstrumentAnswer {
        provider_ref: id("id", text).map_err(unreadable)?,
        status: match word {
            "APPROVED" => InstrumentStatus::Processing,
            _ => InstrumentStatus::RequiresAction,
        },
        next_action: next.filter(|_| word != "APPROVED"),
        instrument: None,
        last_error: None,
    })
}

/// What an exchange answers: a payment token, which can be charged.
pub(super) fn ended(it: &wire::Token) -> Result<InstrumentAnswer, FactError> {
    let instrument = saved(it).ok_or(FactError::Id { field: "id" })?;
    Ok(InstrumentAnswer {
        provider_ref: instrument.token.clone(),
        status: InstrumentStatus::Active,
        next_action: None,
        instrument: Some(instrument),
        last_error: None,
    })
}

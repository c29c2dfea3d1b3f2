//! Refunds of captured charges, whole or in part.

use serde_json::{Value, json};

use super::amount;
use super::balance;
use super::dispute;
use super::instrument::{self, Behaviour};
use super::state::{Charge, Refund, RefundStatus};
use super::wire::error::StripeError;
use super::wire::params::Params;
use super::wire::view;
use super::work::Work;

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

/// `POST /v1/refunds`.
pub fn create(work: &mut Work<'_>, mut params: Params) -> Result<Value, StripeError> {
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    let asked = params.integer("amount")?;
    let reason = params.word("reason", REASONS)?;
    let metadata = params.merge_metadata(&Default::default())?;
    params.finish()?;

    let charge = find_charge(work, intent.as_deref(), charge.as_deref())?;
    let left = charge.amount_captured - charge.amount_refunded;
    if left <= 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(StripeError::state("charge_already_refunded", &message));
    }
    let amount = asked.unwrap_or(left);
    if amount > left - disputed(work, &charge) {
        let message = format!("Charge {} is disputed by its bank.", charge.id);
        return Err(StripeError::state("charge_disputed", &message));
    }
    check_amount(&charge, amount, left)?;
    let slow = behaviour(work, &charge) == Some(Behaviour::RefundsSlowly);
    let bounces = behaviour(work, &charge) == Some(Behaviour::RefundsBounce);
    let mut refund = Refund {
        id: work.new_id(if charge.id.starts_with("py_") { "pyr" } else { "re" }),
        created: work.now,
        amount,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        intent: charge.intent.clone(),
        reason,
        metadata,
        status: if slow { RefundStatus::Pending } else { RefundStatus::Succeeded },
        balance_row: None,
        failure_balance_row: None,
        failure_reason: None,
        turns_at: (slow || bounces).then(|| work.now + work.settings.late_outcome),
    };
    refund.balance_row = Some(balance::write_refund(work, &refund));
    work.put(refund.clone());
    change_total(work, charge, amount, "charge.refunded");
    work.emit("refund.created", view::refund(&refund), None);
    Ok(view::refund(&refund))
}

/// What banks have of a charge, or have kept.
fn disputed(work: &Work<'_>, charge: &Charge) -> i64 {
    let own = work.state.disputes.oldest_first().filter(|it| it.charge == charge.id);
    own.filter(|it| dispute::has_money(work, it)).map(|it| it.amount).sum()
}

fn behaviour(work: &Work<'_>, charge: &Charge) -> Option<Behaviour> {
    let method = work.state.methods.get(&charge.payment_method)?;
    instrument::find(&method.token).map(|instrument| instrument.behaviour)
}

fn find_charge(
    work: &Work<'_>,
    intent: Option<&str>,
    charge: Option<&str>,
) -> Result<Charge, StripeError> {
    let id = match (intent, charge) {
        (None, None) => {
            let message = "One of `payment_intent` or `charge` is needed.";
            return Err(StripeError::param("payment_intent", "parameter_missing", message));
        }
        (Some(intent), charge) => {
            let found = work.state.intents.get(intent).ok_or_else(|| {
                StripeError::missing(404, "payment_intent", intent, "payment_intent")
            })?;
            let latest = found.latest_charge.as_deref();
            if charge.is_some() && charge != latest {
                let message = "The charge does not belong to this PaymentIntent.";
                return Err(StripeError::state("charge_invalid_parameter", message));
            }
            latest.unwrap_or_default().to_owned()
        }
        (None, Some(charge)) => charge.to_owned(),
    };
    match work.state.charges.get(&id) {
        Some(charge) if charge.captured => Ok(charge.clone()),
        None if intent.is_none() => Err(StripeError::missing(404, "charge", &id, "charge")),
        _ => {
            let message = "There is no captured charge to refund; an authorisation is released by \
                           canceling its PaymentIntent.";
            Err(StripeError::state("payment_intent_unexpected_state", message))
        }
    }
}

fn check_amount(charge: &Charge, amount: i64, left: i64) -> Result<(), StripeError> {
    if amount < 1 {
        let message = "The amount has to be at least 1.";
        return Err(StripeError::param("amount", "parameter_invalid_integer", message));
    }
    if amount > left {
        let message =
            format!("The refund of {amount} is greater than the {left} not refunded yet.");
        return Err(StripeError::too_much(&message));
    }
    amount::check_step(amount, &charge.currency, "amount")
}

/// Moves the refunded total of a charge and tells it.
fn change_total(work: &mut Work<'_>, mut charge: Charge, by: i64, event: &str) {
    let before = view::charge(work.state, &charge);
    charge.amount_refunded += by;
    let after = view::charge(work.state, &charge);
    work.put(charge);
    let previous = view::previous_attributes(&before, &after);
    work.emit(event, after, Some(previous));
}

/// A pending refund succeeds, a bouncing one fails and its money comes back.
pub fn finish(work: &mut Work<'_>, mut refund: Refund) {
    let before = view::refund(&refund);
    refund.turns_at = None;
    if refund.status == RefundStatus::Pending {
        refund.status = RefundStatus::Succeeded;
        work.put(refund.clone());
        tell_update(work, "refund.updated", &before, &refund);
        return;
    }
    refund.status = RefundStatus::Failed;
    refund.failure_reason = Some("expired_or_canceled_card".to_owned());
    refund.failure_balance_row = Some(balance::write_refund_failure(work, &refund));
    work.put(refund.clone());
    if let Some(charge) = work.state.charges.get(&refund.charge).cloned() {
        change_total(work, charge, -refund.amount, "charge.updated");
    }
    tell_update(work, "refund.updated", &before, &refund);
    tell_update(work, "refund.failed", &before, &refund);
}

fn tell_update(work: &mut Work<'_>, event: &str, before: &Value, refund: &Refund) {
    let after = view::refund(refund);
    let previous = view::previous_attributes(before, &after);
    work.emit(event, after, Some(previous));
}

/// `POST /v1/refunds/{id}`: only the metadata can be changed.
pub fn update(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let found = work.state.refunds.get(id).cloned();
    let mut refund = found.ok_or_else(|| StripeError::missing(404, "refund", id, "id"))?;
    let before = refund.metadata.clone();
    refund.metadata = params.merge_metadata(&before)?;
    params.finish()?;
    if refund.metadata != before {
        work.put(refund.clone());
        let previous = json!({ "metadata": before });
        work.emit("refund.updated", view::refund(&refund), Some(previous));
    }
    Ok(view::refund(&refund))
}

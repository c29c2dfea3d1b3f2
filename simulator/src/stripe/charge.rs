//! Charges: confirming an intent makes one, capturing takes its money.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};

use super::amount;
use super::balance::{self, Availability};
use super::instrument::{self, Behaviour, Decline, Instrument, Rail};
use super::intent;
use super::state::{CaptureMethod, Challenge, Charge, ChargeStatus, Intent, IntentStatus};
use super::wire::error::StripeError;
use super::wire::params::Params;
use super::wire::view;
use super::work::Work;

/// How long an authorisation holds (Visa and Mastercard, buyer not present).
const HOLD_DAYS: i64 = 7;

/// Whether the buyer is there to authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    BuyerPresent,
    BuyerAbsent,
}

/// Whether the buyer authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authentication {
    None,
    Passed,
}

fn instrument_of(work: &Work<'_>, id: &str) -> Option<&'static Instrument> {
    work.state.methods.get(id).and_then(|method| instrument::find(&method.token))
}

/// Confirms an open intent with its payment method.
///
/// # Errors
/// No payment method, or the bank said no: then the intent is open again with its last error.
pub fn confirm(
    work: &mut Work<'_>,
    mut intent: Intent,
    session: Session,
) -> Result<Intent, StripeError> {
    let method = intent.payment_method.clone();
    let Some(instrument) = method.as_deref().and_then(|id| instrument_of(work, id)) else {
        let message = "This PaymentIntent cannot be confirmed: it has no payment method.";
        let refusal = StripeError::state("payment_intent_unexpected_state", message);
        return Err(refusal.with("payment_intent", view::intent(&intent)));
    };
    if intent.automatic_methods.is_some() {
        intent.method_types = vec![instrument.rail.word().to_owned()];
    } else if !intent.method_types.iter().any(|kind| kind == instrument.rail.word()) {
        let message = "The payment method is of a type that this PaymentIntent does not take.";
        return Err(StripeError::state("payment_method_invalid_parameter", message));
    }
    intent.challenge = None;
    intent.last_error = None;
    match instrument.behaviour {
        Behaviour::Declines(decline) => Err(refuse(work, intent, decline)),
        Behaviour::SettlesLate | Behaviour::FailsLate(_) => Ok(start_debit(work, intent)),
        _ if wants_challenge(&intent, instrument) => match session {
            Session::BuyerPresent => Ok(challenge(work, intent)),
            Session::BuyerAbsent => Err(ask_for_buyer(work, intent)),
        },
        _ => Ok(authorise(work, intent, Authentication::None)),
    }
}

fn wants_challenge(intent: &Intent, instrument: &Instrument) -> bool {
    let asked = &intent.method_options["card"]["request_three_d_secure"];
    instrument.behaviour == Behaviour::Challenges || *asked == "any" || *asked == "challenge"
}

fn challenge(work: &mut Work<'_>, mut intent: Intent) -> Intent {
    let token = work.new_id("tds");
    intent.challenge = Some(Challenge {
        url: format!("{}/hosted/stripe/3ds/{token}", work.settings.public_url),
        token,
        return_url: intent.return_url.clone(),
    });
    intent.status = IntentStatus::RequiresAction;
    work.put(intent.clone());
    work.emit("payment_intent.requires_action", view::intent(&intent), None);
    intent
}

fn new_charge(work: &mut Work<'_>, intent: &Intent, status: ChargeStatus) -> Charge {
    let method = intent.payment_method.clone().unwrap_or_default();
    let rail = instrument_of(work, &method).map_or(Rail::Card, |instrument| instrument.rail);
    Charge {
        id: work.new_id(if rail == Rail::Card { "ch" } else { "py" }),
        created: work.now,
        amount: intent.amount,
        amount_captured: 0,
        amount_refunded: 0,
        currency: intent.currency.clone(),
        captured: false,
        status,
        intent: intent.id.clone(),
        customer: intent.customer.clone(),
        description: intent.echoes.get("description").cloned(),
        metadata: intent.metadata.clone(),
        payment_method: method,
        balance_row: None,
        failure: None,
        authenticated: false,
        capture_before: None,
    }
}

fn charge_view(work: &Work<'_>, charge: &Charge) -> Value {
    view::charge(work.state, charge)
}

/// The bank says yes: the money is held, or taken at once.
pub fn authorise(work: &mut Work<'_>, mut intent: Intent, proof: Authentication) -> Intent {
    let mut charge = new_charge(work, &intent, ChargeStatus::Succeeded);
    charge.authenticated = proof == Authentication::Passed;
    intent.challenge = None;
    intent.latest_charge = Some(charge.id.clone());
    intent::save_method(work, &intent);
    if intent.capture_method == CaptureMethod::Manual {
        let until = work.now + TimeDelta::days(HOLD_DAYS);
        charge.capture_before = Some(until);
        intent.turns_at = Some(until);
        intent.amount_capturable = intent.amount;
        intent.status = IntentStatus::RequiresCapture;
        work.put(charge.clone());
        work.put(intent.clone());
        work.emit("charge.succeeded", charge_view(work, &charge), None);
        work.emit("payment_intent.amount_capturable_updated", view::intent(&intent), None);
        return intent;
    }
    let charge = take_money(work, charge, intent.amount);
    work.emit("charge.succeeded", charge_view(work, &charge), None);
    succeed(work, intent, charge.amount_captured)
}

/// Takes part or all of a charge and writes the balance lines.
fn take_money(work: &mut Work<'_>, mut charge: Charge, taken: i64) -> Charge {
    charge.status = ChargeStatus::Succeeded;
    charge.captured = true;
    charge.amount_captured = taken;
    charge.capture_before = None;
    let behaviour = instrument_of(work, &charge.payment_method).map(|found| found.behaviour);
    let availability = match behaviour {
        Some(Behaviour::Immediate) => Availability::AtOnce,
        _ => Availability::Later,
    };
    charge.balance_row = Some(balance::write_capture(work, &charge, availability));
    work.put(charge.clone());
    charge
}

fn succeed(work: &mut Work<'_>, mut intent: Intent, received: i64) -> Intent {
    intent.status = IntentStatus::Succeeded;
    intent.amount_received = received;
    intent.amount_capturable = 0;
    intent.turns_at = None;
    work.put(intent.clone());
    work.emit("payment_intent.succeeded", view::intent(&intent), None);
    intent
}

/// A bank debit begins: it is decided later.
fn start_debit(work: &mut Work<'_>, mut intent: Intent) -> Intent {
    let charge = new_charge(work, &intent, ChargeStatus::Pending);
    intent.latest_charge = Some(charge.id.clone());
    intent.status = IntentStatus::Processing;
    intent.turns_at = Some(work.now + work.settings.late_outcome);
    work.put(charge.clone());
    work.put(intent.clone());
    work.emit("charge.pending", charge_view(work, &charge), None);
    work.emit("payment_intent.processing", view::intent(&intent), None);
    intent
}

/// A bank debit is decided.
pub fn finish_debit(work: &mut Work<'_>, intent: Intent) {
    let id = intent.latest_charge.clone().unwrap_or_default();
    let Some(charge) = work.state.charges.get(&id).cloned() else { return };
    let behaviour = instrument_of(work, &charge.payment_method).map(|found| found.behaviour);
    if let Some(Behaviour::FailsLate(decline)) = behaviour {
        fail(work, intent, charge, decline);
        return;
    }
    let taken = charge.amount;
    let charge = take_money(work, charge, taken);
    work.emit("charge.succeeded", charge_view(work, &charge), None);
    succeed(work, intent, taken);
}

/// The network says no: a failed charge, and the intent is open for another try.
fn refuse(work: &mut Work<'_>, intent: Intent, decline: Decline) -> StripeError {
    let charge = new_charge(work, &intent, ChargeStatus::Failed);
    let (intent, mut error) = fail(work, intent, charge, decline);
    error.insert("payment_intent".to_owned(), view::intent(&intent));
    StripeError::card(error)
}

fn fail(
    work: &mut Work<'_>,
    intent: Intent,
    mut charge: Charge,
    decline: Decline,
) -> (Intent, Map<String, Value>) {
    let mut error = Map::new();
    error.insert("type".to_owned(), "card_error".into());
    error.insert("code".to_owned(), decline.code.into());
    error.insert("message".to_owned(), decline.message.into());
    error.insert("charge".to_owned(), charge.id.as_str().into());
    let optional = [("decline_code", decline.decline_code), ("advice_code", decline.advice_code)];
    for (name, word) in optional {
        error.extend(word.map(|word| (name.to_owned(), word.into())));
    }
    charge.status = ChargeStatus::Failed;
    charge.failure = Some(Value::Object(error.clone()));
    work.put(charge.clone());
    work.emit("charge.failed", charge_view(work, &charge), None);
    let mut intent = intent;
    intent.latest_charge = Some(charge.id.clone());
    reopen(work, intent, error)
}

/// Makes the intent open again, with the error it remembers.
fn reopen(
    work: &mut Work<'_>,
    mut intent: Intent,
    mut error: Map<String, Value>,
) -> (Intent, Map<String, Value>) {
    let method = intent.payment_method.take();
    let method = method.and_then(|id| work.state.methods.get(&id)).map(view::payment_method);
    error.extend(method.map(|method| ("payment_method".to_owned(), method)));
    intent.challenge = None;
    intent.turns_at = None;
    intent.status = IntentStatus::RequiresPaymentMethod;
    intent.last_error = Some(Value::Object(error.clone()));
    work.put(intent.clone());
    work.emit("payment_intent.payment_failed", view::intent(&intent), None);
    (intent, error)
}

/// The buyer declined to authenticate, or failed.
pub fn fail_authentication(work: &mut Work<'_>, intent: Intent) -> Intent {
    let error = json!({
        "type": "invalid_request_error",
        "code": "payment_intent_authentication_failure",
        "message": "The payment method failed authentication; try again or use another one.",
    });
    let error = error.as_object().cloned().unwrap_or_default();
    reopen(work, intent, error).0
}

fn ask_for_buyer(work: &mut Work<'_>, intent: Intent) -> StripeError {
    let error = json!({
        "type": "card_error",
        "code": "authentication_required",
        "decline_code": "authentication_required",
        "message": "The card was declined: this payment needs the buyer to authenticate.",
    });
    let error = error.as_object().cloned().unwrap_or_default();
    let (intent, mut error) = reopen(work, intent, error);
    error.insert("payment_intent".to_owned(), view::intent(&intent));
    StripeError::card(error)
}

/// `POST /v1/payment_intents/{id}/capture`.
pub fn capture(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut intent = intent::find(work, id)?;
    let asked = params.integer("amount_to_capture")?;
    let is_final = params.flag("final_capture")? != Some(false);
    intent.metadata = params.merge_metadata(&intent.metadata)?;
    for name in ["statement_descriptor", "statement_descriptor_suffix"] {
        let text = params.text(name)?;
        intent.echoes.extend(text.map(|text| (name.to_owned(), text.into())));
    }
    params.finish()?;
    if intent.status != IntentStatus::RequiresCapture {
        return Err(intent::unexpected_state(&intent, "captured"));
    }
    if !is_final {
        let message = "This payment cannot be captured more than once.";
        return Err(StripeError::param("final_capture", "parameter_invalid", message));
    }
    let taken = asked.unwrap_or(intent.amount_capturable);
    check_capture(&intent, taken)?;
    let found = intent.latest_charge.as_deref().and_then(|id| work.state.charges.get(id)).cloned();
    let charge = found.ok_or_else(StripeError::internal)?;
    let charge = take_money(work, charge, taken);
    work.emit("charge.captured", charge_view(work, &charge), None);
    Ok(view::intent(&succeed(work, intent, taken)))
}

fn check_capture(intent: &Intent, taken: i64) -> Result<(), StripeError> {
    const PARAM: &str = "amount_to_capture";
    if taken < 1 {
        let message = "The amount to capture has to be at least 1.";
        return Err(StripeError::param(PARAM, "parameter_invalid_integer", message));
    }
    if taken > intent.amount_capturable {
        let left = intent.amount_capturable;
        let message = format!("The amount to capture is {taken}, only {left} can be captured.");
        return Err(StripeError::param(PARAM, "amount_too_large", &message).by_state());
    }
    amount::check_step(taken, &intent.currency, PARAM)
}

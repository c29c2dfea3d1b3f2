//! Saved instruments: a customer at Stripe, a setup intent that saves without a payment, and
//! forgetting (docs.stripe.com/payments/save-and-reuse).
//!
//! Stripe keeps instruments under a customer of its own, so that comes first.

use std::collections::HashMap;

use serde::Deserialize;

use crate::error::BuildError;
use crate::http::HttpAnswer;
use crate::instrument::{
    CustomerAnswer, InstrumentAnswer, InstrumentStatus, KeepInstrument, SaveInstrument,
    SavedInstrument,
};
use crate::model::ProviderRef;
use crate::operation::Operation;
use crate::outcome::{Outcome, Subject, UnknownReason};
use crate::stripe::answer::{
    Difference, Step, conclude, differs, object, request_id, same_reference, unknown_status,
    unreadable,
};
use crate::stripe::facts::{self, FactError};
use crate::stripe::request::{OPERATION_KEY, instrument, web_address};
use crate::stripe::transport::Call;
use crate::stripe::{status, wire};

/// Metadata key of our customer.
pub(super) const CUSTOMER_KEY: &str = "mizan_customer";

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Customer {
    id: String,
    #[serde(default, deserialize_with = "wire::null_is_default")]
    metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct SetupIntent {
    id: String,
    status: String,
    customer: Option<wire::Ref<wire::Named>>,
    payment_method: Option<wire::Ref<wire::Named>>,
    next_action: Option<wire::NextAction>,
    last_setup_error: Option<wire::ApiError>,
    #[serde(default, deserialize_with = "wire::null_is_default")]
    metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct PaymentMethod {
    id: String,
    customer: Option<wire::Ref<wire::Named>>,
}

/// Builds a call about customers and instruments.
pub(super) fn build(op: &Operation) -> Result<Option<Call>, BuildError> {
    Ok(Some(match op {
        Operation::CreateCustomer(it) => Call::post("/v1/customers".to_owned())
            .note(CUSTOMER_KEY, it.customer)
            .note(OPERATION_KEY, it.operation),
        Operation::SaveInstrument(it) => save(it)?,
        Operation::SyncInstrument(it) => {
            Call::get(format!("/v1/setup_intents/{}", it.provider_ref))
        }
        Operation::RemoveInstrument(it) => {
            Call::post(format!("/v1/payment_methods/{}/detach", it.instrument.token))
        }
        _ => return Ok(None),
    }))
}

/// The customer an instrument is kept for.
pub(super) fn customer_of(keep: &KeepInstrument) -> Result<&ProviderRef, BuildError> {
    keep.customer_ref.as_ref().ok_or(BuildError::Field {
        field: "customer_ref",
        problem: "Stripe keeps instruments under a customer of its own: create that first",
    })
}

fn save(it: &SaveInstrument) -> Result<Call, BuildError> {
    let token = it.payment_method.as_deref().ok_or(BuildError::Field {
        field: "payment_method",
        problem: "a token of Stripe's script (pm_…) is needed",
    })?;
    let call = Call::post("/v1/setup_intents".to_owned())
        .with("confirm", true)
        .with("customer", customer_of(&it.keep)?)
        .with("payment_method", instrument(token)?)
        .with("usage", "off_session")
        .note(CUSTOMER_KEY, it.keep.customer)
        .note(OPERATION_KEY, it.operation);
    Ok(match &it.return_url {
        Some(url) => call.with("return_url", web_address("return_url", url)?),
        // Without a way back Stripe must not choose an instrument that redirects.
        None => call
            .with("automatic_payment_methods[enabled]", true)
            .with("automatic_payment_methods[allow_redirects]", "never"),
    })
}

/// Reads an answer about customers and instruments.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    match op {
        Operation::CreateCustomer(_) => customer(op, answer),
        Operation::RemoveInstrument(_) => removed(op, answer),
        _ => saved(op, answer),
    }
}

fn customer(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let Operation::CreateCustomer(asked) = op else {
        return Err(unreadable(answer.status, "no customer was asked for"));
    };
    let it: Customer = object(answer, "customer")?;
    let provider_ref = facts::id("id", &it.id).map_err(|error| unreadable(answer.status, error))?;
    let difference = same_reference(&it.metadata, CUSTOMER_KEY, asked.customer).err();
    let reference = it.metadata.get(CUSTOMER_KEY).and_then(|text| text.parse().ok());
    let subject = Subject::Customer(Box::new(CustomerAnswer { provider_ref, reference }));
    conclude(op, Step::Done, "created", (subject, request_id(answer)), difference, None)
}

fn removed(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let Operation::RemoveInstrument(asked) = op else {
        return Err(unreadable(answer.status, "no removal was asked for"));
    };
    let it: PaymentMethod = object(answer, "payment_method")?;
    let provider_ref = facts::id("id", &it.id).map_err(|error| unreadable(answer.status, error))?;
    let difference = differs("provider_ref", &asked.instrument.token, &provider_ref).err();
    let (status, step) = match it.customer {
        None => (InstrumentStatus::Removed, Step::Done),
        Some(_) => (InstrumentStatus::Active, Step::Unexpected),
    };
    let facts = InstrumentAnswer {
        provider_ref,
        status,
        next_action: None,
        instrument: None,
        last_error: None,
    };
    let told = (Subject::Instrument(Box::new(facts)), request_id(answer));
    conclude(op, step, status.as_str(), told, difference, None)
}

fn saved(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let it: SetupIntent = object(answer, "setup_intent")?;
    let facts = setup(&it).map_err(|error| unreadable(answer.status, error))?;
    if facts.status == InstrumentStatus::Unknown {
        return Err(unknown_status(&it.status));
    }
    let difference = check(op, &facts, &it).err();
    let step = match (op, facts.status) {
        (Operation::SyncInstrument(_), _) | (_, InstrumentStatus::Active) => Step::Done,
        (_, InstrumentStatus::RequiresAction) if facts.next_action.is_some() => Step::Done,
        (_, InstrumentStatus::Processing) => Step::Pending,
        (_, InstrumentStatus::Failed) => Step::Declined,
        _ => Step::Unexpected,
    };
    let (status, decline) = (facts.status.as_str(), facts.last_error.clone());
    let told = (Subject::Instrument(Box::new(facts)), request_id(answer));
    conclude(op, step, status, told, difference, decline)
}

fn setup(it: &SetupIntent) -> Result<InstrumentAnswer, FactError> {
    let status = status::instrument(&it.status, it.last_setup_error.is_some());
    let token = facts::optional_id("payment_method", it.payment_method.as_ref())?;
    let customer = facts::optional_id("customer", it.customer.as_ref())?;
    let active = status == InstrumentStatus::Active;
    if active && token.is_none() {
        return Err(FactError::Missing { field: "payment_method" });
    }
    let waits = it.status == "requires_action";
    Ok(InstrumentAnswer {
        provider_ref: facts::id("id", &it.id)?,
        status,
        next_action: it.next_action.as_ref().filter(|_| waits).map(facts::next_action),
        instrument: token.filter(|_| active).map(|token| SavedInstrument {
            token,
            customer,
            first_charge: None,
        }),
        last_error: it.last_setup_error.as_ref().map(|error| facts::decline(error, None)),
    })
}

fn check(op: &Operation, facts: &InstrumentAnswer, it: &SetupIntent) -> Result<(), Difference> {
    match op {
        Operation::SyncInstrument(asked) => {
            differs("provider_ref", &asked.provider_ref, &facts.provider_ref)
        }
        Operation::SaveInstrument(asked) => {
            same_reference(&it.metadata, CUSTOMER_KEY, asked.keep.customer)?;
            match (&asked.keep.customer_ref, &it.customer) {
                (Some(asked), Some(got)) => differs("customer", asked, got.id()),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

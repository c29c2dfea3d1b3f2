//! Customers and their tokens (razorpay.com/docs/api/customers, recurring payments: tokens).
//!
//! A token is made in the checkout, with a payment of a customer; Razorpay keeps it, and the
//! payment names both. It cannot be charged from here: a later payment wants the customer's e-mail
//! address and phone number, which are not ours to hold; the customer chooses it in the checkout.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::BuildError;
use crate::http::{Body, HttpAnswer, HttpRequest, Method};
use crate::instrument::{
    CreateCustomer, CustomerAnswer, InstrumentAnswer, InstrumentStatus, RemoveInstrument,
    SavedInstrument,
};
use crate::operation::Operation;
use crate::outcome::{Answer, Decline, DeclineKind, Outcome, Subject, UnknownReason};
use crate::razorpay::adapter::Access;
use crate::razorpay::answer::{entity, mismatch, probe, unknown_status, unreadable};
use crate::razorpay::echo::differs;
use crate::razorpay::facts::{self, FactError};
use crate::razorpay::request::{OPERATION_KEY, get, json, write};
use crate::razorpay::{status, wire};

/// The note with our customer.
pub(super) const CUSTOMER_KEY: &str = "mizan_customer";

#[derive(Serialize)]
struct NewCustomer {
    fail_existing: &'static str,
    notes: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Customer {
    id: String,
    #[serde(default)]
    notes: wire::Notes,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Token {
    id: String,
    recurring_details: Option<Recurring>,
    created_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Recurring {
    status: Option<String>,
    failure_reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Deleted {
    deleted: bool,
}

/// Builds a request about customers and tokens.
pub(super) fn build(access: &Access, op: &Operation) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::CreateCustomer(it) => {
            let path = "/v1/customers".to_owned();
            Ok(write(access, Method::Post, path, json(&customer(it))?, None))
        }
        Operation::SyncInstrument(it) => {
            Ok(get(access, format!("/v1/customers/{}/tokens", it.provider_ref), None))
        }
        Operation::RemoveInstrument(it) => remove(access, it),
        _ => Err(BuildError::Unsupported {
            provider: "razorpay",
            what: "saving without a payment: a token is made with the customer's first one",
        }),
    }
}

/// A customer without personal data. One that is there already must be refused: with the same
/// details, which are none, it would be somebody else's.
fn customer(it: &CreateCustomer) -> NewCustomer {
    NewCustomer {
        fail_existing: "1",
        notes: BTreeMap::from([
            (CUSTOMER_KEY, it.customer.to_string()),
            (OPERATION_KEY, it.operation.to_string()),
        ]),
    }
}

fn remove(access: &Access, it: &RemoveInstrument) -> Result<HttpRequest, BuildError> {
    let Some(customer) = &it.instrument.customer else {
        let problem = "a token is known with its customer (cust_…) only";
        return Err(BuildError::Field { field: "customer", problem });
    };
    let path = format!("/v1/customers/{customer}/tokens/{}", it.instrument.token);
    Ok(write(access, Method::Delete, path, Body::Empty, None))
}

/// Reads an answer about customers and tokens.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    match op {
        Operation::CreateCustomer(asked) => made(asked, answer),
        Operation::RemoveInstrument(asked) => removed(asked, answer),
        _ => listed(answer),
    }
}

fn made(asked: &CreateCustomer, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let it: Customer = entity(answer, "customer")?;
    let ours = it.notes.get(CUSTOMER_KEY);
    let difference = ours.and_then(|got| differs("reference", asked.customer, got).err());
    let facts = CustomerAnswer {
        provider_ref: facts::id("id", &it.id).map_err(|error| unreadable(answer.status, error))?,
        reference: ours.and_then(|text| text.parse().ok()),
    };
    let answer = Answer { subject: Subject::Customer(Box::new(facts)), request_id: None };
    Ok(match difference {
        Some(difference) => mismatch(difference, answer),
        None => Outcome::Done(answer),
    })
}

fn removed(asked: &RemoveInstrument, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    probe(answer)?;
    let it: Deleted = serde_json::from_slice(&answer.body)
        .map_err(|_| unreadable(answer.status, "it does not say what was deleted"))?;
    if !it.deleted {
        return Err(unreadable(answer.status, "it says that nothing was deleted"));
    }
    let facts = InstrumentAnswer {
        provider_ref: asked.instrument.token.clone(),
        status: InstrumentStatus::Removed,
        next_action: None,
        instrument: None,
        last_error: None,
    };
    let subject = Subject::Instrument(Box::new(facts));
    Ok(Outcome::Done(Answer { subject, request_id: None }))
}

/// The tokens of a customer: the newest that can be charged, else the newest.
fn listed(answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let list: wire::Collection<Token> = entity(answer, "collection")?;
    let newest = list.items.iter().max_by_key(|it| {
        let usable = status_of(it) == InstrumentStatus::Active;
        (usable, it.created_at.unwrap_or_default())
    });
    let it = newest.ok_or_else(|| UnknownReason::NotFound { code: "no_token".to_owned() })?;
    let facts = token(it).map_err(|error| unreadable(answer.status, error))?;
    if facts.status == InstrumentStatus::Unknown {
        return Err(unknown_status(word_of(it).unwrap_or_default()));
    }
    let subject = Subject::Instrument(Box::new(facts));
    Ok(Outcome::Done(Answer { subject, request_id: None }))
}

fn word_of(it: &Token) -> Option<&str> {
    wire::word(it.recurring_details.as_ref()?.status.as_deref())
}

/// A token that is for no recurring payments has no state: it is there to be chosen.
fn status_of(it: &Token) -> InstrumentStatus {
    word_of(it).map_or(InstrumentStatus::Active, status::token)
}

fn token(it: &Token) -> Result<InstrumentAnswer, FactError> {
    let provider_ref = facts::id("id", &it.id)?;
    let status = status_of(it);
    let why = it.recurring_details.as_ref().and_then(|it| it.failure_reason.as_deref());
    let saved = SavedInstrument { token: provider_ref.clone(), customer: None, first_charge: None };
    Ok(InstrumentAnswer {
        status,
        next_action: None,
        instrument: (status == InstrumentStatus::Active).then_some(saved),
        last_error: wire::word(why).map(|why| Decline {
            code: "token_rejected".to_owned(),
            decline_code: None,
            advice_code: None,
            kind: DeclineKind::Soft,
            message: facts::sentence(Some(why)),
            provider_ref: Some(provider_ref.clone()),
            charge_ref: None,
        }),
        provider_ref,
    })
}

//! Disputes: read, listed, given in to and answered (razorpay.com/docs/api/disputes).

use std::collections::BTreeMap;

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::dispute::{ContestDispute, DisputePage, ListDisputes};
use crate::error::BuildError;
use crate::event::{DisputeEvent, FundsMovement};
use crate::http::{Body, HttpAnswer, HttpRequest, Method};
use crate::model::{DisputeStatus, ProviderFee, ProviderRef};
use crate::operation::Operation;
use crate::outcome::{Answer, Outcome, Subject, UnknownReason};
use crate::razorpay::adapter::Access;
use crate::razorpay::amount::from_wire_amount;
use crate::razorpay::answer::{entity, mismatch, unknown_status, unreadable};
use crate::razorpay::echo::differs;
use crate::razorpay::facts::{self, FactError};
use crate::razorpay::request::{PAGE, encoded, get, json, write};
use crate::razorpay::{status, wire};

/// Fields of the evidence that are lists of documents.
const DOCUMENTS: &[&str] = &[
    "access_activity_log",
    "billing_proof",
    "cancellation_proof",
    "customer_communication",
    "explanation_letter",
    "proof_of_service",
    "refund_cancellation_policy",
    "refund_confirmation",
    "shipping_proof",
    "term_and_conditions",
];
/// The field with the shop's own words.
const SUMMARY: &str = "summary";
/// Most characters of it.
const MAX_SUMMARY: usize = 1000;

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Dispute {
    id: String,
    pub(super) payment_id: Option<String>,
    amount: i64,
    currency: String,
    amount_deducted: Option<i64>,
    reason_code: Option<String>,
    respond_by: Option<i64>,
    status: String,
}

/// Builds a request about disputes.
pub(super) fn build(access: &Access, op: &Operation) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::SyncDispute(it) => {
            Ok(get(access, format!("/v1/disputes/{}", it.provider_ref), None))
        }
        Operation::ListDisputes(it) => list(access, it),
        Operation::AcceptDispute(it) => {
            let path = format!("/v1/disputes/{}/accept", it.provider_ref);
            Ok(write(access, Method::Post, path, Body::Empty, None))
        }
        Operation::ContestDispute(it) => {
            let path = format!("/v1/disputes/{}/contest", it.provider_ref);
            Ok(write(access, Method::Patch, path, json(&contest(it)?)?, None))
        }
        other => Err(BuildError::Unsupported { provider: "razorpay", what: other.kind().as_str() }),
    }
}

/// How many were seen before a page.
fn skipped(page: Option<&String>) -> Result<usize, BuildError> {
    let problem = "not where a page of Razorpay's ended";
    page.map_or(Ok(0), |text| text.parse())
        .map_err(|_| BuildError::Field { field: "page", problem })
}

fn list(access: &Access, it: &ListDisputes) -> Result<HttpRequest, BuildError> {
    let from = it.since.timestamp().to_string();
    let (count, skip) = (PAGE.to_string(), skipped(it.page.as_ref())?.to_string());
    let query = encoded(&[("from", &from), ("count", &count), ("skip", &skip)])?;
    Ok(get(access, "/v1/disputes".to_owned(), Some(query)))
}

/// The evidence, handed in at once. Documents are ids, several of them with commas between.
fn contest(it: &ContestDispute) -> Result<BTreeMap<&str, Value>, BuildError> {
    let refuse = |problem| BuildError::Field { field: "evidence", problem };
    let mut body = BTreeMap::from([("action", Value::from("submit"))]);
    let mut has_document = false;
    for (name, text) in &it.evidence {
        let value = if name == SUMMARY {
            if text.chars().count() > MAX_SUMMARY {
                return Err(refuse("a summary has at most 1000 characters"));
            }
            Value::from(text.as_str())
        } else if DOCUMENTS.contains(&name.as_str()) {
            let ids: Vec<&str> =
                text.split(',').map(str::trim).filter(|id| !id.is_empty()).collect();
            has_document |= !ids.is_empty();
            Value::from(ids)
        } else {
            return Err(refuse("its fields have Razorpay's names, such as shipping_proof"));
        };
        body.insert(name, value);
    }
    if !has_document {
        return Err(refuse("at least one uploaded document (doc_…) is needed"));
    }
    Ok(body)
}

/// Reads an answer about disputes.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    if let Operation::ListDisputes(asked) = op {
        let list: wire::Collection<Dispute> = entity(answer, "collection")?;
        let disputes: Result<Vec<_>, _> = list.items.iter().map(|it| facts(it, None)).collect();
        let seen = skipped(asked.page.as_ref())
            .map_err(|_| unreadable(answer.status, "no such page was asked for"))?;
        let more = list.items.len() >= PAGE;
        let next = more.then(|| seen.saturating_add(PAGE).to_string());
        let page = DisputePage { disputes: disputes.map_err(unusable)?, next };
        let subject = Subject::Disputes(Box::new(page));
        return Ok(Outcome::Done(Answer { subject, request_id: None }));
    }
    let it: Dispute = entity(answer, "dispute")?;
    let facts = facts(&it, None).map_err(unusable)?;
    if facts.status == DisputeStatus::Unknown {
        return Err(unknown_status(&it.status));
    }
    let (asked, as_asked) = match op {
        Operation::SyncDispute(asked) => (&asked.provider_ref, true),
        Operation::AcceptDispute(asked) => {
            (&asked.provider_ref, matches!(it.status.as_str(), "lost" | "closed"))
        }
        Operation::ContestDispute(asked) => {
            (&asked.provider_ref, matches!(it.status.as_str(), "under_review" | "won"))
        }
        _ => return Err(unreadable(answer.status, "no dispute was asked for")),
    };
    let difference = differs("provider_ref", asked, &facts.provider_ref).err();
    let status = facts.status.as_str();
    let answer = Answer { subject: Subject::Dispute(Box::new(facts)), request_id: None };
    match difference {
        Some(difference) => Ok(mismatch(difference, answer)),
        None if as_asked => Ok(Outcome::Done(answer)),
        None => Err(UnknownReason::UnexpectedStatus { operation: op.kind().as_str(), status }),
    }
}

/// A dispute's facts. Money leaves us when one is lost, and then as much as was deducted, which
/// may be less than the dispute is about (razorpay.com/docs/api/disputes/entity). What a later
/// phase gives back is told by the settlement only.
pub(super) fn facts(
    it: &Dispute,
    payment_ref: Option<ProviderRef>,
) -> Result<DisputeEvent, FactError> {
    let provider_ref = facts::id("id", &it.id)?;
    let deducted = facts::amount_or_zero("amount_deducted", it.amount_deducted, &it.currency)?;
    let status = match status::dispute(&it.status) {
        // No inquiry takes money; one that did is something else.
        DisputeStatus::Warning if !deducted.is_zero() => DisputeStatus::Unknown,
        status => status,
    };
    let lost = status == DisputeStatus::Lost && !deducted.is_zero();
    let row = || -> Option<ProviderFee> {
        let zero = from_wire_amount(0, &it.currency).ok()?;
        let moved = deducted.checked_neg().ok()?;
        let balance_transaction = provider_ref.clone();
        Some(ProviderFee { gross: moved, fee: zero, tax: zero, net: moved, balance_transaction })
    };
    let charge_ref = it.payment_id.as_deref().map(|id| facts::id("payment_id", id)).transpose()?;
    Ok(DisputeEvent {
        status,
        status_word: it.status.chars().take(100).collect(),
        amount: facts::positive(it.amount, &it.currency)?,
        payment_ref,
        charge_ref,
        reason: it.reason_code.clone(),
        evidence_due_by: it.respond_by.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        funds: if lost { FundsMovement::Withdrawn } else { FundsMovement::None },
        rows: if lost { row().into_iter().collect() } else { Vec::new() },
        reference: None,
        changed_at: None,
        unclear: None,
        provider_ref,
    })
}

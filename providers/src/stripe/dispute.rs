//! Disputes: read, listed, given in to and answered (docs.stripe.com/api/disputes).

use chrono::DateTime;

use crate::dispute::{ContestDispute, DisputePage, ListDisputes};
use crate::error::BuildError;
use crate::event::{DisputeEvent, FundsMovement};
use crate::http::HttpAnswer;
use crate::model::DisputeStatus;
use crate::operation::Operation;
use crate::outcome::{Answer, Outcome, Subject, UnknownReason};
use crate::stripe::answer::{
    Step, conclude, differs, object, request_id, unknown_status, unreadable,
};
use crate::stripe::facts::{self, FactError};
use crate::stripe::request::OPERATION_KEY;
use crate::stripe::transport::Call;
use crate::stripe::{status, wire};

/// Most objects of one page.
pub(super) const PAGE: u32 = 100;
/// Most characters that all evidence may have together.
const MAX_EVIDENCE: usize = 150_000;

/// Builds a call about disputes.
pub(super) fn build(op: &Operation) -> Result<Option<Call>, BuildError> {
    Ok(Some(match op {
        Operation::SyncDispute(it) => Call::get(format!("/v1/disputes/{}", it.provider_ref)),
        Operation::ListDisputes(it) => list(it),
        Operation::AcceptDispute(it) => {
            Call::post(format!("/v1/disputes/{}/close", it.provider_ref))
        }
        Operation::ContestDispute(it) => contest(it)?,
        _ => return Ok(None),
    }))
}

fn list(it: &ListDisputes) -> Call {
    let call = Call::get("/v1/disputes".to_owned())
        .with("created[gte]", it.since.timestamp())
        .with("limit", PAGE);
    match &it.page {
        Some(last) => call.with("starting_after", last),
        None => call,
    }
}

/// The evidence, handed in at once: it can be handed in only once.
fn contest(it: &ContestDispute) -> Result<Call, BuildError> {
    let refuse = |problem| BuildError::Field { field: "evidence", problem };
    if it.evidence.is_empty() {
        return Err(refuse("at least one field is needed"));
    }
    let plain = |name: &String| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    if !it.evidence.keys().all(plain) {
        return Err(refuse("its fields have Stripe's names, such as uncategorized_text"));
    }
    if it.evidence.values().map(|text| text.chars().count()).sum::<usize>() > MAX_EVIDENCE {
        return Err(refuse("at most 150000 characters in all"));
    }
    let call = Call::post(format!("/v1/disputes/{}", it.provider_ref))
        .with("submit", true)
        .note(OPERATION_KEY, it.operation);
    let fields = it.evidence.iter();
    Ok(fields.fold(call, |call, (name, text)| call.with(format!("evidence[{name}]"), text)))
}

/// Reads an answer about disputes.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    if matches!(op, Operation::ListDisputes(_)) {
        let list: wire::List<wire::Dispute> = object(answer, "list")?;
        let read = |dp: &wire::Dispute| facts(dp, FundsMovement::None);
        let disputes: Result<Vec<_>, _> = list.data.iter().map(read).collect();
        let next = list.next().map_err(|problem| unreadable(answer.status, problem))?;
        let page = DisputePage { disputes: disputes.map_err(unusable)?, next };
        let subject = Subject::Disputes(Box::new(page));
        return Ok(Outcome::Done(Answer { subject, request_id: request_id(answer) }));
    }
    let dp: wire::Dispute = object(answer, "dispute")?;
    let facts = facts(&dp, FundsMovement::None).map_err(unusable)?;
    if facts.status == DisputeStatus::Unknown {
        return Err(unknown_status(&dp.status));
    }
    let (asked, step) = match op {
        Operation::SyncDispute(it) => (Some(&it.provider_ref), Step::Done),
        Operation::AcceptDispute(it) => {
            (Some(&it.provider_ref), ended(&dp.status, &["lost", "warning_closed"]))
        }
        Operation::ContestDispute(it) => {
            let after = ["under_review", "warning_under_review", "won", "warning_closed"];
            (Some(&it.provider_ref), ended(&dp.status, &after))
        }
        _ => (None, Step::Unexpected),
    };
    let same = |asked| differs("provider_ref", asked, &facts.provider_ref);
    let difference = asked.and_then(|asked| same(asked).err());
    let status = facts.status.as_str();
    let told = (Subject::Dispute(Box::new(facts)), request_id(answer));
    conclude(op, step, status, told, difference, None)
}

fn ended(word: &str, wanted: &[&str]) -> Step {
    if wanted.contains(&word) { Step::Done } else { Step::Unexpected }
}

/// A dispute's facts; only an event says whether it moved money itself.
pub(super) fn facts(dp: &wire::Dispute, funds: FundsMovement) -> Result<DisputeEvent, FactError> {
    let due = dp.evidence_details.as_ref().and_then(|details| details.due_by);
    Ok(DisputeEvent {
        provider_ref: facts::id("id", &dp.id)?,
        status: status::dispute(&dp.status),
        status_word: dp.status.chars().take(100).collect(),
        amount: facts::amount("amount", dp.amount, &dp.currency)?,
        payment_ref: facts::optional_id("payment_intent", dp.payment_intent.as_ref())?,
        charge_ref: facts::optional_id("charge", dp.charge.as_ref())?,
        reason: dp.reason.clone(),
        evidence_due_by: due.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
        funds,
        rows: dp.balance_transactions.iter().filter_map(facts::settlement_row).collect(),
        reference: facts::payment_reference(&dp.metadata),
        changed_at: None,
        unclear: None,
    })
}

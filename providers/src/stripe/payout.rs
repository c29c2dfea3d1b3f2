//! Payouts: from the balance of a connected account to its bank.
//!
//! Every call is made on that account (`Stripe-Account`); its events carry it as `account`
//! (docs.stripe.com/connect/manual-payouts).

use serde_json::Value;

use crate::error::BuildError;
use crate::http::HttpAnswer;
use crate::model::PayoutStatus;
use crate::operation::Operation;
use crate::outcome::{Decline, DeclineKind, Outcome, Subject, UnknownReason};
use crate::payout::{CreatePayout, PayoutAnswer, PayoutDestination};
use crate::stripe::amount::to_payout_amount;
use crate::stripe::answer::{
    Difference, Step, conclude, differs, object, request_id, same_money, same_reference,
    unknown_status, unreadable,
};
use crate::stripe::facts::{self, FactError};
use crate::stripe::request::OPERATION_KEY;
use crate::stripe::transport::Call;
use crate::stripe::{status, wire};

/// Metadata key of our payout.
const PAYOUT_KEY: &str = "mizan_payout";
/// Asked with every payout, so that its fee is known.
const EXPAND: (&str, &str) = ("expand[0]", "balance_transaction");
/// Most characters of what stands on the vendor's bank statement.
const MAX_DESCRIPTOR: usize = 22;

/// Builds the call of a payout, its sync or its end.
pub(super) fn build(op: &Operation) -> Result<Option<Call>, BuildError> {
    Ok(Some(match op {
        Operation::Payout(it) => create(it)?,
        Operation::SyncPayout(it) => Call::get(format!("/v1/payouts/{}", it.provider_ref))
            .on(account(&it.destination)?)
            .with(EXPAND.0, EXPAND.1),
        Operation::CancelPayout(it) => {
            Call::post(format!("/v1/payouts/{}/cancel", it.provider_ref))
                .on(account(&it.destination)?)
                .with(EXPAND.0, EXPAND.1)
        }
        _ => return Ok(None),
    }))
}

fn create(it: &CreatePayout) -> Result<Call, BuildError> {
    let wire = to_payout_amount(it.amount)?;
    let mut call = Call::post("/v1/payouts".to_owned())
        .on(account(&it.destination)?)
        .with("amount", wire.amount)
        .with("currency", wire.currency)
        .with("method", "standard")
        .with(EXPAND.0, EXPAND.1)
        .note(PAYOUT_KEY, it.payout)
        .note(OPERATION_KEY, it.operation);
    if let PayoutDestination::ConnectedAccount { bank: Some(bank), .. } = &it.destination {
        call = call.with("destination", bank);
    }
    if let Some(text) = &it.description {
        if text.chars().count() > MAX_DESCRIPTOR {
            let problem = "at most 22 characters: it stands on a bank statement";
            return Err(BuildError::Field { field: "description", problem });
        }
        call = call.with("statement_descriptor", text);
    }
    Ok(call)
}

/// The connected account, whose balance it is.
fn account(destination: &PayoutDestination) -> Result<&str, BuildError> {
    match destination {
        PayoutDestination::ConnectedAccount { account, .. } if is_account(account) => Ok(account),
        _ => Err(BuildError::Field {
            field: "destination",
            problem: "a connected account (acct_…) is needed",
        }),
    }
}

/// Whether a text is a connected account's id.
pub(super) fn is_account(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.starts_with("acct_") && text.len() <= 255 && text.bytes().all(plain)
}

/// Reads an answer about a payout.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let po: wire::Payout = object(answer, "payout")?;
    let facts = facts(&po, None).map_err(|error| unreadable(answer.status, error))?;
    if facts.status == PayoutStatus::Unknown {
        return Err(unknown_status(&po.status));
    }
    let difference = check(op, &facts, &po).err();
    let (step, status) = (step(op, facts.status), facts.status.as_str());
    let decline = failed(&facts);
    let subject = Subject::Payout(Box::new(facts));
    let told = (subject, request_id(answer));
    conclude(op, step, status, told, difference, Some(decline))
}

fn step(op: &Operation, status: PayoutStatus) -> Step {
    use PayoutStatus as S;
    match (op, status) {
        (Operation::SyncPayout(_), _) => Step::Done,
        (Operation::CancelPayout(_), S::Cancelled) => Step::Done,
        (Operation::Payout(_), S::Paid) => Step::Done,
        (Operation::Payout(_), S::Pending | S::InTransit) => Step::Pending,
        (Operation::Payout(_), S::Failed | S::Cancelled | S::Returned) => Step::Declined,
        _ => Step::Unexpected,
    }
}

/// A payout that was made and failed at once: the money is back, and its id is kept.
fn failed(facts: &PayoutAnswer) -> Decline {
    let word = facts.status.as_str();
    Decline {
        code: format!("payout_{word}"),
        decline_code: facts.reason.clone(),
        advice_code: None,
        kind: DeclineKind::Hard,
        message: format!("the payout is {word}"),
        provider_ref: Some(facts.provider_ref.clone()),
        charge_ref: None,
    }
}

fn check(op: &Operation, facts: &PayoutAnswer, po: &wire::Payout) -> Result<(), Difference> {
    let (payout, asked, known) = match op {
        Operation::Payout(it) => (it.payout, it.amount, None),
        Operation::SyncPayout(it) => (it.payout, it.amount, Some(&it.provider_ref)),
        Operation::CancelPayout(it) => (it.payout, it.amount, Some(&it.provider_ref)),
        _ => return Ok(()),
    };
    known.map_or(Ok(()), |known| differs("provider_ref", known, &facts.provider_ref))?;
    same_reference(&po.metadata, PAYOUT_KEY, payout)?;
    same_money("amount", asked, facts.amount)
}

/// A payout's facts. `before` are the fields an event says have changed: one that was paid and
/// failed then came back.
pub(super) fn facts(po: &wire::Payout, before: Option<&Value>) -> Result<PayoutAnswer, FactError> {
    let status_before = before.and_then(|was| was.get("status")).and_then(Value::as_str);
    let trace = po.trace_id.as_ref().and_then(|trace| trace.value.as_deref());
    Ok(PayoutAnswer {
        provider_ref: facts::id("id", &po.id)?,
        status: status::payout(&po.status, status_before),
        status_word: po.status.chars().take(100).collect(),
        amount: facts::amount("amount", po.amount, &po.currency)?,
        fee: facts::row(po.balance_transaction.as_ref()),
        reason: po.failure_code.as_ref().map(|code| code.chars().take(100).collect()),
        bank_reference: trace.map(|text| text.chars().take(100).collect()),
        reference: po.metadata.get(PAYOUT_KEY).and_then(|text| text.parse().ok()),
    })
}

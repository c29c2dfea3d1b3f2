//! Transfers to a connected account's balance, and back. A transfer has no status of its own: what
//! came back tells it (docs.stripe.com/api/transfers).

use serde::Deserialize;

use crate::error::BuildError;
use crate::http::HttpAnswer;
use crate::model::TransferStatus;
use crate::operation::Operation;
use crate::outcome::{Outcome, Subject, UnknownReason};
use crate::stripe::amount::{from_wire_amount, to_wire_amount};
use crate::stripe::answer::{
    Difference, Step, conclude, differs, object, request_id, same_money, same_reference, unreadable,
};
use crate::stripe::facts::{self, FactError};
use crate::stripe::payout::is_account;
use crate::stripe::request::OPERATION_KEY;
use crate::stripe::transport::Call;
use crate::stripe::wire;
use crate::transfer::{CreateTransfer, ReverseTransfer, TransferAnswer};

/// Metadata key of our transfer.
const TRANSFER_KEY: &str = "mizan_transfer";

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Reversal {
    amount: i64,
    currency: String,
    transfer: wire::Ref<wire::Transfer>,
}

/// Builds the call of a transfer, its sync or its reversal.
pub(super) fn build(op: &Operation) -> Result<Option<Call>, BuildError> {
    Ok(Some(match op {
        Operation::Transfer(it) => create(it)?,
        Operation::SyncTransfer(it) => Call::get(format!("/v1/transfers/{}", it.provider_ref)),
        Operation::ReverseTransfer(it) => reverse(it)?,
        _ => return Ok(None),
    }))
}

fn create(it: &CreateTransfer) -> Result<Call, BuildError> {
    if !is_account(&it.destination) {
        let problem = "a connected account (acct_…) is needed";
        return Err(BuildError::Field { field: "destination", problem });
    }
    let wire = to_wire_amount(it.amount)?;
    let call = Call::post("/v1/transfers".to_owned())
        .with("amount", wire.amount)
        .with("currency", wire.currency)
        .with("destination", &it.destination)
        .note(TRANSFER_KEY, it.transfer)
        .note(OPERATION_KEY, it.operation);
    Ok(match &it.source {
        Some(charge) => call.with("source_transaction", charge),
        None => call,
    })
}

fn reverse(it: &ReverseTransfer) -> Result<Call, BuildError> {
    let too_much = BuildError::Field {
        field: "amount",
        problem: "with what came back before it is more than was moved",
    };
    let back = it.reversed_before.checked_add(it.amount).map_err(|_| too_much.clone())?;
    if back.try_cmp(it.transferred).map_or(true, std::cmp::Ordering::is_gt) {
        return Err(too_much);
    }
    Ok(Call::post(format!("/v1/transfers/{}/reversals", it.provider_ref))
        .with("amount", to_wire_amount(it.amount)?.amount)
        .with("expand[0]", "transfer")
        .note(TRANSFER_KEY, it.transfer)
        .note(OPERATION_KEY, it.operation))
}

/// Reads an answer about a transfer.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let unusable = |error: FactError| unreadable(answer.status, error);
    let (facts, difference) = match op {
        Operation::ReverseTransfer(it) => {
            let reversal: Reversal = object(answer, "transfer_reversal")?;
            reversed(it, &reversal).map_err(unusable)?
        }
        _ => {
            let tr: wire::Transfer = object(answer, "transfer")?;
            let facts = facts(&tr).map_err(unusable)?;
            let difference = check(op, &facts, &tr).err();
            (facts, difference)
        }
    };
    let step = match (op, facts.status) {
        (Operation::Transfer(_), TransferStatus::Created) => Step::Done,
        (Operation::Transfer(_), _) => Step::Unexpected,
        _ => Step::Done,
    };
    let status = facts.status.as_str();
    let told = (Subject::Transfer(Box::new(facts)), request_id(answer));
    conclude(op, step, status, told, difference, None)
}

fn check(op: &Operation, facts: &TransferAnswer, tr: &wire::Transfer) -> Result<(), Difference> {
    match op {
        Operation::Transfer(it) => {
            same_reference(&tr.metadata, TRANSFER_KEY, it.transfer)?;
            if let Some(got) = &facts.destination {
                differs("destination", &it.destination, got)?;
            }
            same_money("amount", it.amount, facts.amount)
        }
        Operation::SyncTransfer(it) => {
            differs("provider_ref", &it.provider_ref, &facts.provider_ref)?;
            same_reference(&tr.metadata, TRANSFER_KEY, it.transfer)?;
            same_money("amount", it.amount, facts.amount)
        }
        _ => Ok(()),
    }
}

/// A reversal's facts are those of its transfer: told with it, or as asked where it is not.
fn reversed(
    it: &ReverseTransfer,
    reversal: &Reversal,
) -> Result<(TransferAnswer, Option<Difference>), FactError> {
    let back = from_wire_amount(reversal.amount, &reversal.currency)?;
    let whole = reversal.transfer.object().map(facts).transpose()?;
    let total = it.reversed_before.checked_add(it.amount);
    let check = || {
        differs("provider_ref", &it.provider_ref, reversal.transfer.id())?;
        same_money("amount", it.amount, back)?;
        match (&whole, total) {
            (Some(whole), Ok(total)) => {
                same_money("transferred", it.transferred, whole.amount)?;
                same_money("reversed", total, whole.reversed)
            }
            _ => Ok(()),
        }
    };
    let difference = check().err();
    let told = match whole {
        Some(whole) => whole,
        None => {
            let reversed = total.map_err(|_| FactError::Missing { field: "transfer" })?;
            let all = reversed.try_cmp(it.transferred).is_ok_and(std::cmp::Ordering::is_ge);
            TransferAnswer {
                provider_ref: facts::id("transfer", reversal.transfer.id())?,
                status: match all {
                    true => TransferStatus::Reversed,
                    false => TransferStatus::PartiallyReversed,
                },
                amount: it.transferred,
                reversed,
                destination: None,
                fee: None,
                reference: None,
            }
        }
    };
    Ok((told, difference))
}

/// A transfer's facts.
pub(super) fn facts(tr: &wire::Transfer) -> Result<TransferAnswer, FactError> {
    let status = match tr.amount_reversed {
        back if back <= 0 => TransferStatus::Created,
        back if back < tr.amount => TransferStatus::PartiallyReversed,
        _ => TransferStatus::Reversed,
    };
    Ok(TransferAnswer {
        provider_ref: facts::id("id", &tr.id)?,
        status,
        amount: facts::amount("amount", tr.amount, &tr.currency)?,
        reversed: facts::amount("amount_reversed", tr.amount_reversed, &tr.currency)?,
        destination: tr.destination.as_ref().map(|it| it.id().to_owned()),
        fee: None,
        reference: tr.metadata.get(TRANSFER_KEY).and_then(|text| text.parse().ok()),
    })
}

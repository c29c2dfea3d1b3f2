//! Route: money moved to a linked account, from a payment or from our balance, in rupees, and back
//! (razorpay.com/docs/api/payments/route).
//!
//! Only a transfer from the balance carries a key; the others are looked up by our note before
//! they are sent again. A reversal is seen by what came back of its transfer.

use std::collections::BTreeMap;

use mizan_money::Money;
use serde::{Deserialize, Serialize};

use crate::error::BuildError;
use crate::http::{HttpAnswer, HttpRequest, Method};
use crate::model::{IdempotencyKey, ProviderFee, TransferStatus};
use crate::operation::Operation;
use crate::outcome::{Answer, Decline, DeclineKind, Outcome, Subject, UnknownReason};
use crate::razorpay::adapter::Access;
use crate::razorpay::amount::{from_wire_amount, to_rupees};
use crate::razorpay::answer::{entity, mismatch, unknown_status, unreadable};
use crate::razorpay::echo::{Difference, differs, same_money, same_ref};
use crate::razorpay::facts::{self, FactError};
use crate::razorpay::request::{
    OPERATION_KEY, PAGE, encoded, get, is_payment, json, short_key, write,
};
use crate::razorpay::{status, wire};
use crate::transfer::{CreateTransfer, ReverseTransfer, TransferAnswer};

/// The header of the key of a transfer from the balance.
const KEY_HEADER: &str = "X-Transfer-Idempotency";
/// The note with our transfer.
const TRANSFER_KEY: &str = "mizan_transfer";

#[derive(Serialize)]
struct NewTransfers<'a> {
    transfers: [NewTransfer<'a>; 1],
}

#[derive(Serialize)]
struct NewTransfer<'a> {
    account: &'a str,
    amount: i64,
    currency: &'static str,
    notes: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct NewReversal {
    amount: i64,
    notes: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Transfer {
    pub(super) id: String,
    status: Option<String>,
    transfer_status: Option<String>,
    amount: i64,
    currency: String,
    #[serde(default)]
    amount_reversed: i64,
    recipient: Option<String>,
    fees: Option<i64>,
    tax: Option<i64>,
    error: Option<wire::ApiError>,
    #[serde(default)]
    notes: wire::Notes,
}

impl Transfer {
    fn word(&self) -> Option<&str> {
        self.status.as_deref().or(self.transfer_status.as_deref())
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Reversal {
    transfer_id: String,
    amount: i64,
    currency: String,
}

/// A transfer's facts, with what the checks need beside them.
pub(super) struct Moved {
    pub(super) facts: TransferAnswer,
    /// Whether it waits: for the payment's settlement, or for the balance.
    pub(super) pending: bool,
    ours: Option<String>,
    error: Option<String>,
}

/// Builds the request of a transfer, its sync or its reversal.
pub(super) fn build(
    access: &Access,
    op: &Operation,
    key: &IdempotencyKey,
) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::Transfer(it) => create(access, it, key),
        Operation::SyncTransfer(it) => {
            Ok(get(access, format!("/v1/transfers/{}", it.provider_ref), None))
        }
        Operation::ReverseTransfer(it) => reverse(access, it),
        other => Err(BuildError::Unsupported { provider: "razorpay", what: other.kind().as_str() }),
    }
}

/// Builds the request that tells what became of a transfer or a reversal.
pub(super) fn find(access: &Access, op: &Operation) -> Result<HttpRequest, BuildError> {
    let count = encoded(&[("count", &PAGE.to_string())])?;
    match op {
        Operation::Transfer(CreateTransfer { source: Some(payment), .. }) => {
            Ok(get(access, format!("/v1/payments/{payment}/transfers"), Some(count)))
        }
        Operation::Transfer(_) => Ok(get(access, "/v1/transfers".to_owned(), Some(count))),
        Operation::ReverseTransfer(it) => {
            Ok(get(access, format!("/v1/transfers/{}", it.provider_ref), None))
        }
        other => Err(BuildError::Unsupported { provider: "razorpay", what: other.kind().as_str() }),
    }
}

fn create(
    access: &Access,
    it: &CreateTransfer,
    key: &IdempotencyKey,
) -> Result<HttpRequest, BuildError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !it.destination.starts_with("acc_") || !it.destination.bytes().all(plain) {
        let problem = "a linked account (acc_…) is needed";
        return Err(BuildError::Field { field: "destination", problem });
    }
    let new = NewTransfer {
        account: &it.destination,
        amount: to_rupees(it.amount)?,
        currency: "INR",
        notes: BTreeMap::from([
            (TRANSFER_KEY, it.transfer.to_string()),
            (OPERATION_KEY, it.operation.to_string()),
        ]),
    };
    let Some(payment) = &it.source else {
        let key = Some((KEY_HEADER, short_key(key)?));
        let path = "/v1/transfers".to_owned();
        return Ok(write(access, Method::Post, path, json(&new)?, key));
    };
    if !is_payment(payment) {
        let problem = "the payment (pay_…) that the money comes from is needed";
        return Err(BuildError::Field { field: "source", problem });
    }
    let path = format!("/v1/payments/{payment}/transfers");
    Ok(write(access, Method::Post, path, json(&NewTransfers { transfers: [new] })?, None))
}

fn reverse(access: &Access, it: &ReverseTransfer) -> Result<HttpRequest, BuildError> {
    let too_much = BuildError::Field {
        field: "amount",
        problem: "with what came back before it is more than was moved",
    };
    let back = it.reversed_before.checked_add(it.amount).map_err(|_| too_much.clone())?;
    if back.try_cmp(it.transferred).map_or(true, std::cmp::Ordering::is_gt) {
        return Err(too_much);
    }
    let new = NewReversal {
        amount: to_rupees(it.amount)?,
        notes: BTreeMap::from([
            (TRANSFER_KEY, it.transfer.to_string()),
            (OPERATION_KEY, it.operation.to_string()),
        ]),
    };
    let path = format!("/v1/transfers/{}/reversals", it.provider_ref);
    Ok(write(access, Method::Post, path, json(&new)?, None))
}

/// Reads an answer about a transfer. From a payment it comes in a collection, of one.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    match op {
        Operation::Transfer(it) if it.source.is_some() => {
            let list: wire::Collection<Transfer> = entity(answer, "collection")?;
            let to_ours = |tr: &&Transfer| tr.recipient.as_deref() == Some(&it.destination);
            let mut made = list.items.iter().filter(to_ours);
            let one = made.next().ok_or_else(|| unreadable(answer.status, "it is not there"))?;
            if made.any(|other| other.id != one.id) {
                return Err(unreadable(answer.status, "several transfers where one was asked for"));
            }
            settle(op, told(one, answer)?)
        }
        Operation::ReverseTransfer(it) => {
            let made: Reversal = entity(answer, "reversal")?;
            reversed(it, &made).map_err(|error| unreadable(answer.status, error))
        }
        _ => settle(op, told(&entity(answer, "transfer")?, answer)?),
    }
}

/// Reads what was found of a transfer, by our note, or of a reversal, by what came back.
pub(super) fn found(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let nothing = |code: &str| Err(UnknownReason::NotFound { code: code.to_owned() });
    match op {
        Operation::Transfer(asked) => {
            let list: wire::Collection<Transfer> = entity(answer, "collection")?;
            let ours = asked.transfer.to_string();
            let is_ours = |tr: &&Transfer| tr.notes.get(TRANSFER_KEY) == Some(&ours);
            match list.items.iter().find(is_ours) {
                Some(it) => settle(op, told(it, answer)?),
                None if list.items.len() >= PAGE => {
                    Err(unreadable(answer.status, "it is not among the newest hundred"))
                }
                None => nothing("no_such_transfer"),
            }
        }
        Operation::ReverseTransfer(asked) => {
            let it: Transfer = entity(answer, "transfer")?;
            let moved = told(&it, answer)?;
            if moved.facts.reversed == asked.reversed_before {
                return nothing("no_such_reversal");
            }
            settle(op, moved)
        }
        _ => Err(unreadable(answer.status, "no transfer was looked for")),
    }
}

/// The facts of an answer, whose word must be known.
fn told(it: &Transfer, answer: &HttpAnswer) -> Result<Moved, UnknownReason> {
    match it.word() {
        Some(word) if status::transfer(word).is_none() => Err(unknown_status(word)),
        _ => facts(it).map_err(|error| unreadable(answer.status, error)),
    }
}

fn settle(op: &Operation, moved: Moved) -> Result<Outcome, UnknownReason> {
    let Moved { facts, pending, ours, error } = moved;
    let difference = check(op, &facts, ours.as_deref()).err();
    let status = facts.status;
    let decline = refused(&facts, error);
    let answer = Answer { subject: Subject::Transfer(Box::new(facts)), request_id: None };
    if let Some(difference) = difference {
        return Ok(mismatch(difference, answer));
    }
    match (op, status) {
        _ if pending => Ok(Outcome::Pending(answer)),
        (Operation::Transfer(_), TransferStatus::Failed) => Ok(Outcome::Declined(decline)),
        (Operation::Transfer(_), TransferStatus::Created) => Ok(Outcome::Done(answer)),
        (Operation::SyncTransfer(_) | Operation::ReverseTransfer(_), _) => {
            Ok(Outcome::Done(answer))
        }
        _ => Err(UnknownReason::UnexpectedStatus {
            operation: op.kind().as_str(),
            status: status.as_str(),
        }),
    }
}

/// A transfer that was made and did not move the money: our balance has it.
fn refused(facts: &TransferAnswer, error: Option<String>) -> Decline {
    Decline {
        code: error.unwrap_or_else(|| "transfer_failed".to_owned()),
        decline_code: None,
        advice_code: None,
        kind: DeclineKind::Hard,
        message: "the transfer failed".to_owned(),
        provider_ref: Some(facts.provider_ref.clone()),
        charge_ref: None,
    }
}

fn check(op: &Operation, facts: &TransferAnswer, ours: Option<&str>) -> Result<(), Difference> {
    let (transfer, amount, known) = match op {
        Operation::Transfer(it) => (it.transfer, it.amount, None),
        Operation::SyncTransfer(it) => (it.transfer, it.amount, Some(&it.provider_ref)),
        Operation::ReverseTransfer(it) => (it.transfer, it.transferred, Some(&it.provider_ref)),
        _ => return Ok(()),
    };
    same_ref(known, Some(&facts.provider_ref))?;
    ours.map_or(Ok(()), |got| differs("reference", transfer, got))?;
    same_money("amount", amount, facts.amount)?;
    match op {
        Operation::Transfer(it) => match &facts.destination {
            Some(got) => differs("destination", &it.destination, got),
            None => Ok(()),
        },
        Operation::ReverseTransfer(it) => match it.reversed_before.checked_add(it.amount) {
            Ok(expected) => same_money("reversed", expected, facts.reversed),
            Err(error) => Err(("reversed", error.to_string(), facts.reversed.to_string())),
        },
        _ => Ok(()),
    }
}

/// A reversal that has an id happened. It tells its own amount only; the rest is as asked.
fn reversed(it: &ReverseTransfer, made: &Reversal) -> Result<Outcome, FactError> {
    let back = from_wire_amount(made.amount, &made.currency)?;
    let provider_ref = facts::id("transfer_id", &made.transfer_id)?;
    let overflow = |_| FactError::Impossible { field: "amount", value: made.amount };
    let reversed = it.reversed_before.checked_add(it.amount).map_err(overflow)?;
    let difference = differs("provider_ref", &it.provider_ref, &provider_ref)
        .and_then(|()| same_money("amount", it.amount, back))
        .err();
    let facts = TransferAnswer {
        provider_ref,
        status: by_amount(it.transferred, reversed),
        amount: it.transferred,
        reversed,
        destination: None,
        fee: None,
        reference: None,
    };
    let answer = Answer { subject: Subject::Transfer(Box::new(facts)), request_id: None };
    Ok(match difference {
        Some(difference) => mismatch(difference, answer),
        None => Outcome::Done(answer),
    })
}

fn by_amount(moved: Money, back: Money) -> TransferStatus {
    match back.minor() {
        0 => TransferStatus::Created,
        back if back < moved.minor() => TransferStatus::PartiallyReversed,
        _ => TransferStatus::Reversed,
    }
}

/// A transfer's facts. A body of older days has no status, and a published one that failed calls
/// itself processed: an error beside it wins.
pub(super) fn facts(it: &Transfer) -> Result<Moved, FactError> {
    let amount = facts::positive(it.amount, &it.currency)?;
    let back = Some(it.amount_reversed);
    let reversed = facts::amount_or_zero("amount_reversed", back, &it.currency)?;
    let code = it.error.as_ref().and_then(|error| wire::word(error.code.as_deref()));
    let told = match it.word() {
        Some(word) => status::transfer(word).ok_or(FactError::Contradiction { field: "status" })?,
        None => Some(TransferStatus::Created),
    };
    let status = match told {
        _ if code.is_some() => TransferStatus::Failed,
        Some(TransferStatus::Failed) => TransferStatus::Failed,
        Some(TransferStatus::Created) | None => by_amount(amount, reversed),
        Some(_) if reversed.is_zero() => {
            return Err(FactError::Contradiction { field: "amount_reversed" });
        }
        Some(_) => by_amount(amount, reversed),
    };
    let ours = it.notes.get(TRANSFER_KEY).map(ToOwned::to_owned);
    Ok(Moved {
        pending: told.is_none() && status == TransferStatus::Created,
        error: code.map(|code| code.chars().take(100).collect()),
        facts: TransferAnswer {
            provider_ref: facts::id("id", &it.id)?,
            status,
            amount,
            reversed,
            destination: it.recipient.as_ref().map(|text| text.chars().take(255).collect()),
            fee: (status != TransferStatus::Failed).then(|| fee(it, amount)).flatten(),
            reference: ours.as_deref().and_then(|text| text.parse().ok()),
        },
        ours,
    })
}

/// What leaves our balance: the amount, and the fee with its tax on top.
fn fee(it: &Transfer, amount: Money) -> Option<ProviderFee> {
    let (total, tax) = (it.fees?, it.tax?);
    if total < 0 || !(0..=total).contains(&tax) {
        return None;
    }
    let money = |minor: i64| Money::new(minor, amount.currency());
    Some(ProviderFee {
        gross: amount.checked_neg().ok()?,
        fee: money(total.checked_sub(tax)?),
        tax: money(tax),
        net: amount.checked_add(money(total)).ok()?.checked_neg().ok()?,
        balance_transaction: facts::id("id", &it.id).ok()?,
    })
}

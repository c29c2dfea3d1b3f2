//! Payouts by RazorpayX: from our account there to a fund account, in rupees
//! (razorpay.com/docs/api/x/payouts).
//!
//! RazorpayX has keys and webhook secrets of its own, so payouts are a connection of their own.
//! After a lost answer the same request with the same key is recognised for seven days; what our
//! reference names can be looked up besides. Processed is not final: a reversal days later gives
//! back the amount with fee and tax.

use std::collections::BTreeMap;

use mizan_money::Money;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::error::BuildError;
use crate::http::{HttpAnswer, HttpRequest, Method};
use crate::model::{IdempotencyKey, PayoutStatus, ProviderFee, ProviderRef};
use crate::operation::Operation;
use crate::outcome::{Answer, Decline, DeclineKind, Outcome, Subject, UnknownReason};
use crate::payout::{CreatePayout, PayoutAnswer, PayoutDestination};
use crate::razorpay::adapter::Access;
use crate::razorpay::amount::to_rupees;
use crate::razorpay::answer::{entity, mismatch, unknown_status, unreadable};
use crate::razorpay::echo::{Difference, differs, same_money, same_ref};
use crate::razorpay::facts::{self, FactError, Told};
use crate::razorpay::request::{OPERATION_KEY, PAGE, encoded, get, json, short_key, write};
use crate::razorpay::{status, wire};

/// The header of a payout's key; a payout without it is refused.
const KEY_HEADER: &str = "X-Payout-Idempotency";
/// The note with our payout.
const PAYOUT_KEY: &str = "mizan_payout";
/// The most that goes by IMPS, in paise: the bound of that network, 5 lakh rupees.
const IMPS_MAX: i64 = 50_000_000;
/// Most characters of what the receiver sees.
const MAX_NARRATION: usize = 30;

#[derive(Serialize)]
struct NewPayout<'a> {
    account_number: &'a str,
    fund_account_id: &'a str,
    amount: i64,
    currency: &'static str,
    mode: &'static str,
    purpose: &'static str,
    queue_if_low_balance: bool,
    reference_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    narration: Option<&'a str>,
    notes: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Payout {
    id: String,
    amount: i64,
    currency: String,
    status: String,
    status_details: Option<StatusDetails>,
    fees: Option<i64>,
    tax: Option<i64>,
    utr: Option<String>,
    reference_id: Option<String>,
    #[serde(default)]
    notes: wire::Notes,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct StatusDetails {
    reason: Option<String>,
}

/// Builds the request of a payout, its sync or its end.
pub(super) fn build(
    access: &Access,
    op: &Operation,
    key: &IdempotencyKey,
) -> Result<HttpRequest, BuildError> {
    match op {
        Operation::Payout(it) => {
            let body = json(&create(account(access)?, it)?)?;
            let key = Some((KEY_HEADER, short_key(key)?));
            Ok(write(access, Method::Post, "/v1/payouts".to_owned(), body, key))
        }
        Operation::SyncPayout(it) => {
            Ok(get(access, format!("/v1/payouts/{}", it.provider_ref), None))
        }
        Operation::CancelPayout(it) => {
            let path = format!("/v1/payouts/{}/cancel", it.provider_ref);
            Ok(write(access, Method::Post, path, crate::http::Body::Empty, None))
        }
        other => Err(BuildError::Unsupported { provider: "razorpay", what: other.kind().as_str() }),
    }
}

/// Builds the request that looks for a payout by our reference.
pub(super) fn find(access: &Access, it: &CreatePayout) -> Result<HttpRequest, BuildError> {
    let number = account(access)?.expose_secret();
    let reference = it.payout.to_string();
    let count = PAGE.to_string();
    let pairs = [("account_number", number), ("reference_id", &reference), ("count", &count)];
    Ok(get(access, "/v1/payouts".to_owned(), Some(encoded(&pairs)?)))
}

fn account(access: &Access) -> Result<&SecretString, BuildError> {
    access.payout_account.as_ref().ok_or(BuildError::Field {
        field: "payout_account",
        problem: "this connection names no RazorpayX account that payouts leave from",
    })
}

fn create<'a>(
    account: &'a SecretString,
    it: &'a CreatePayout,
) -> Result<NewPayout<'a>, BuildError> {
    let PayoutDestination::FundAccount(fund_account) = &it.destination else {
        let problem = "a fund account (fa_…) is needed";
        return Err(BuildError::Field { field: "destination", problem });
    };
    let amount = to_rupees(it.amount)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ' ';
    let fits = |text: &str| text.len() <= MAX_NARRATION && text.chars().all(plain);
    if it.description.as_deref().is_some_and(|text| !fits(text)) {
        let problem = "at most 30 letters, digits and blanks: it stands on a bank statement";
        return Err(BuildError::Field { field: "description", problem });
    }
    Ok(NewPayout {
        account_number: account.expose_secret(),
        fund_account_id: fund_account.as_str(),
        amount,
        currency: "INR",
        mode: if amount > IMPS_MAX { "NEFT" } else { "IMPS" },
        purpose: "payout",
        queue_if_low_balance: true,
        reference_id: it.payout.to_string(),
        narration: it.description.as_deref(),
        notes: BTreeMap::from([
            (PAYOUT_KEY, it.payout.to_string()),
            (OPERATION_KEY, it.operation.to_string()),
        ]),
    })
}

/// Reads an answer about a payout.
pub(super) fn read(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let it: Payout = entity(answer, "payout")?;
    settle(op, facts(&it).map_err(|error| unreadable(answer.status, error))?)
}

/// Reads what was found by our reference. Two would be money paid out twice: a person must look.
pub(super) fn found(op: &Operation, answer: &HttpAnswer) -> Result<Outcome, UnknownReason> {
    let Operation::Payout(asked) = op else {
        return Err(unreadable(answer.status, "no payout was looked for"));
    };
    let list: wire::Collection<Payout> = entity(answer, "collection")?;
    let ours = asked.payout.to_string();
    let mut found =
        list.items.iter().filter(|it| it.reference_id.as_deref() == Some(ours.as_str()));
    match (found.next(), found.next()) {
        (Some(it), None) => {
            settle(op, facts(it).map_err(|error| unreadable(answer.status, error))?)
        }
        (Some(_), Some(_)) => Err(unreadable(answer.status, "several payouts with our reference")),
        (None, _) => Err(UnknownReason::NotFound { code: "no_such_payout".to_owned() }),
    }
}

fn settle(op: &Operation, told: Told<PayoutAnswer>) -> Result<Outcome, UnknownReason> {
    use PayoutStatus as S;
    let status = told.facts.status;
    if status == S::Unknown {
        return Err(unknown_status(&told.word));
    }
    let difference = check(op, &told).err();
    let decline = failed(&told.facts);
    let answer = Answer { subject: Subject::Payout(Box::new(told.facts)), request_id: None };
    if let Some(difference) = difference {
        return Ok(mismatch(difference, answer));
    }
    match (op, status) {
        (Operation::SyncPayout(_), _)
        | (Operation::CancelPayout(_), S::Cancelled)
        | (Operation::Payout(_), S::Paid) => Ok(Outcome::Done(answer)),
        (Operation::Payout(_), S::Pending | S::InTransit) => Ok(Outcome::Pending(answer)),
        (Operation::Payout(_), _) => Ok(Outcome::Declined(decline)),
        _ => Err(UnknownReason::UnexpectedStatus {
            operation: op.kind().as_str(),
            status: status.as_str(),
        }),
    }
}

/// A payout that was made and did not arrive: the money is back, and its id is kept.
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

fn check(op: &Operation, told: &Told<PayoutAnswer>) -> Result<(), Difference> {
    let (payout, asked, known) = match op {
        Operation::Payout(it) => (it.payout, it.amount, None),
        Operation::SyncPayout(it) => (it.payout, it.amount, Some(&it.provider_ref)),
        Operation::CancelPayout(it) => (it.payout, it.amount, Some(&it.provider_ref)),
        _ => return Ok(()),
    };
    same_ref(known, Some(&told.facts.provider_ref))?;
    let ours = told.ours.as_deref().map(|got| differs("reference", payout, got));
    // Asked by its own id, a payout with somebody else's kind of reference is still that payout.
    let foreign = known.is_some() && told.facts.reference.is_none();
    ours.filter(|_| !foreign).unwrap_or(Ok(()))?;
    same_money("amount", asked, told.facts.amount)
}

/// A payout's facts.
pub(super) fn facts(it: &Payout) -> Result<Told<PayoutAnswer>, FactError> {
    use PayoutStatus::{Cancelled, Failed, Returned};
    let status = status::payout(&it.status);
    let amount = facts::positive(it.amount, &it.currency)?;
    let provider_ref = facts::id("id", &it.id)?;
    let told = it.status_details.as_ref().and_then(|details| details.reason.as_deref());
    let ended_badly = matches!(status, Cancelled | Failed | Returned);
    let ours = it.notes.get(PAYOUT_KEY).or(it.reference_id.as_deref()).map(ToOwned::to_owned);
    let bounded = |text: &str| text.chars().take(100).collect();
    let facts = PayoutAnswer {
        status,
        status_word: bounded(&it.status),
        amount,
        fee: fee(it, status, amount, &provider_ref),
        reason: wire::word(told).filter(|_| ended_badly).map(bounded),
        bank_reference: wire::word(it.utr.as_deref()).map(bounded),
        reference: ours.as_deref().and_then(|text| text.parse().ok()),
        provider_ref,
    };
    Ok(Told { facts, word: it.status.clone(), ours })
}

/// What leaves our account: the amount with fee and tax, known once the payout is on its way; of
/// one that was reversed, the same coming back. `fees` holds the tax.
fn fee(
    it: &Payout,
    status: PayoutStatus,
    amount: Money,
    provider_ref: &ProviderRef,
) -> Option<ProviderFee> {
    let (total, tax) = (it.fees?, it.tax.unwrap_or_default());
    if total < 0 || !(0..=total).contains(&tax) {
        return None;
    }
    let money = |minor: i64| Money::new(minor, amount.currency());
    let (fee, tax) = (money(total.checked_sub(tax)?), money(tax));
    let leaves = amount.checked_add(money(total)).ok()?;
    let back = |money: Money| money.checked_neg().ok();
    let balance_transaction = provider_ref.clone();
    let (gross, fee, tax, net) = match status {
        PayoutStatus::InTransit | PayoutStatus::Paid => (back(amount)?, fee, tax, back(leaves)?),
        PayoutStatus::Returned => (amount, back(fee)?, back(tax)?, leaves),
        _ => return None,
    };
    Some(ProviderFee { gross, fee, tax, net, balance_transaction })
}

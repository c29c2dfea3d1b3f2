//! Payouts: queued, sent, paid, and the ones that come back.

use mizan_money::Currency;
use serde_json::Value;

use super::book::{Entry, RowKind};
use super::cash::{Payout, PayoutState};
use super::record::{Metadata, Step};
use super::wire::Happened;
use super::work::{Refusal, Work};
use crate::fault::FaultKind;

const DIGITS: &[u8] = b"0123456789";

/// What a payout is made from.
#[derive(Clone, Debug)]
pub struct NewPayout {
    /// The gateway's id.
    pub id: String,
    /// The shop's own reference; may be empty.
    pub reference: String,
    /// What the beneficiary gets, above zero.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// Fee and the tax on it, on top of the amount.
    pub fee: (i64, i64),
    /// The gateway's id of the beneficiary.
    pub destination: String,
    /// What the caller attached.
    pub metadata: Metadata,
    /// What happens when the balance does not cover it.
    pub shortage: Shortage,
    /// The gateway's own fields.
    pub wire: Value,
}

/// What happens when the balance does not cover a payout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// It waits for money.
    Queues,
    /// It is refused.
    Refuses,
}

/// Makes a payout; it leaves at once when the balance covers it, and is paid later.
///
/// # Errors
/// The balance does not cover it and it may not wait.
pub fn create(work: &mut Work<'_>, new: NewPayout) -> Result<Payout, Refusal> {
    let (fee, tax) = new.fee;
    let balance = work.payout_balance(new.currency);
    let covered = balance >= new.amount + fee + tax;
    if !covered && new.shortage == Shortage::Refuses {
        return Err(Refusal::Balance { balance });
    }
    let late = work.settings.late_outcome;
    let mut plan = vec![Step { at: work.now + late, to: PayoutState::Paid }];
    let returns = work.late(FaultKind::ReturnedPayout).map(|at| at + late);
    plan.extend(returns.map(|at| Step { at, to: PayoutState::Returned }));
    let payout = Payout {
        id: new.id,
        created: work.now,
        reference: new.reference,
        amount: new.amount,
        currency: new.currency,
        fee,
        tax,
        state: PayoutState::Queued,
        destination: new.destination,
        metadata: new.metadata,
        reason: None,
        bank_reference: None,
        plan,
        rows: Vec::new(),
        wire: new.wire,
    };
    work.put(payout.clone());
    if covered {
        return send(work, payout);
    }
    work.announce(Happened::PayoutQueued, &payout.id);
    Ok(payout)
}

fn send(work: &mut Work<'_>, mut payout: Payout) -> Result<Payout, Refusal> {
    let entry = Entry::new(RowKind::Payout, payout.currency, -payout.amount, &payout.id);
    let book = work.wire.payout_book();
    let row = work.post(entry.fee(payout.fee, payout.tax).book(book));
    payout.rows.push(row);
    payout.state = PayoutState::InTransit;
    payout.bank_reference = Some(work.new_text(DIGITS, 12));
    let id = payout.id.clone();
    work.put(payout);
    work.announce(Happened::PayoutSent, &id);
    work.state.payouts.get(&id).cloned().ok_or(Refusal::Missing)
}

/// Sends what waited for money, oldest first, as far as the balance goes.
pub fn send_queued(work: &mut Work<'_>, currency: Currency) {
    let queued =
        |payout: &&Payout| payout.state == PayoutState::Queued && payout.currency == currency;
    let waiting: Vec<_> = work.state.payouts.oldest_first().filter(queued).cloned().collect();
    for mut payout in waiting {
        if work.payout_balance(currency) < payout.amount + payout.fee + payout.tax {
            break;
        }
        let waited = work.now - payout.created;
        payout.plan.iter_mut().for_each(|step| step.at += waited);
        if send(work, payout).is_err() {
            break;
        }
    }
}

/// A payout goes on to this state, with the reason where it is a bad one.
///
/// # Errors
/// Its state does not lead there.
pub fn turn(
    work: &mut Work<'_>,
    id: &str,
    to: PayoutState,
    reason: Option<&str>,
) -> Result<Payout, Refusal> {
    use PayoutState as S;
    let mut payout = work.state.payouts.get(id).cloned().ok_or(Refusal::Missing)?;
    let happened = match (payout.state, to) {
        (S::InTransit, S::Paid) => Happened::PayoutPaid,
        (S::InTransit | S::Paid, S::Returned) => Happened::PayoutReturned,
        (S::InTransit, S::Failed) => Happened::PayoutFailed,
        (S::Queued, S::Cancelled) => Happened::PayoutCancelled,
        _ => return Err(Refusal::state(payout.state)),
    };
    if matches!(to, S::Returned | S::Failed) {
        let entry = Entry::new(RowKind::PayoutReturned, payout.currency, payout.amount, id);
        let book = work.wire.payout_book();
        let row = work.post(entry.fee(-payout.fee, -payout.tax).book(book));
        payout.rows.push(row);
    }
    if to != S::Paid {
        payout.plan.clear();
        payout.reason = reason.map(str::to_owned);
    }
    payout.state = to;
    work.put(payout.clone());
    work.announce(happened, id);
    Ok(payout)
}

//! Disputes: opened, answered, won, lost, and the money that goes with them.

use serde_json::Value;

use super::book::{Entry, RowKind};
use super::cash::{Dispute, DisputeState, Withdrawal};
use super::wire::Happened;
use super::work::{Refusal, Work};

/// Opens a dispute of a captured payment (`None`: all that was captured).
///
/// # Errors
/// Nothing, or not that much, was captured.
pub fn open(
    work: &mut Work<'_>,
    payment: &str,
    amount: Option<i64>,
    reason: &str,
) -> Result<Dispute, Refusal> {
    let payment = work.state.payment(payment).cloned().ok_or(Refusal::Missing)?;
    let left = payment.captured;
    let amount = amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        return Err(Refusal::Amount { left });
    }
    let dispute = Dispute {
        id: work.wire.dispute_id(work),
        payment: payment.id,
        created: work.now,
        amount,
        base_amount: work.exchange(payment.currency).convert(amount),
        reason: reason.to_owned(),
        state: DisputeState::Open,
        withdrawn: false,
        rows: Vec::new(),
        wire: Value::Null,
    };
    let dispute = match work.wire.withdrawal() {
        Withdrawal::AtOpening => move_money(work, dispute, RowKind::Dispute),
        Withdrawal::AtLoss => dispute,
    };
    work.put(dispute.clone());
    work.announce(Happened::DisputeOpened, &dispute.id);
    Ok(dispute)
}

/// The shop has answered.
///
/// # Errors
/// It is not open.
pub fn review(work: &mut Work<'_>, id: &str) -> Result<Dispute, Refusal> {
    let dispute = undecided(work, id)?;
    if dispute.state != DisputeState::Open {
        return Err(Refusal::state(dispute.state));
    }
    close(work, dispute, DisputeState::UnderReview, Happened::DisputeUnderReview)
}

/// The shop keeps the money: what was withdrawn comes back.
///
/// # Errors
/// It is decided already.
pub fn win(work: &mut Work<'_>, id: &str) -> Result<Dispute, Refusal> {
    let mut dispute = undecided(work, id)?;
    if dispute.withdrawn {
        dispute = move_money(work, dispute, RowKind::DisputeReturned);
    }
    close(work, dispute, DisputeState::Won, Happened::DisputeWon)
}

/// It comes to nothing: what was withdrawn comes back.
///
/// # Errors
/// It is decided already.
pub fn give_up(work: &mut Work<'_>, id: &str) -> Result<Dispute, Refusal> {
    let mut dispute = undecided(work, id)?;
    if dispute.withdrawn {
        dispute = move_money(work, dispute, RowKind::DisputeReturned);
    }
    close(work, dispute, DisputeState::Closed, Happened::DisputeClosed)
}

/// The buyer keeps the money.
///
/// # Errors
/// It is decided already.
pub fn lose(work: &mut Work<'_>, id: &str) -> Result<Dispute, Refusal> {
    let mut dispute = undecided(work, id)?;
    if !dispute.withdrawn {
        dispute = move_money(work, dispute, RowKind::Dispute);
    }
    close(work, dispute, DisputeState::Lost, Happened::DisputeLost)
}

fn undecided(work: &Work<'_>, id: &str) -> Result<Dispute, Refusal> {
    let dispute = work.state.disputes.get(id).cloned().ok_or(Refusal::Missing)?;
    match dispute.state.is_closed() {
        true => Err(Refusal::state(dispute.state)),
        false => Ok(dispute),
    }
}

fn move_money(work: &mut Work<'_>, mut dispute: Dispute, kind: RowKind) -> Dispute {
    let payment = work.state.payments.get(&dispute.payment);
    let base = work.state.base_currency(&dispute.payment);
    let Some(currency) = base.or(payment.map(|payment| payment.currency)) else { return dispute };
    let takes = kind == RowKind::Dispute;
    let gross = if takes { -dispute.base_amount } else { dispute.base_amount };
    let entry = Entry::new(kind, currency, gross, &dispute.id);
    let row = work.post(entry.payment(&dispute.payment));
    dispute.rows.push(row);
    dispute.withdrawn = takes;
    dispute
}

fn close(
    work: &mut Work<'_>,
    mut dispute: Dispute,
    state: DisputeState,
    happened: Happened,
) -> Result<Dispute, Refusal> {
    dispute.state = state;
    work.put(dispute.clone());
    work.announce(happened, &dispute.id);
    Ok(dispute)
}

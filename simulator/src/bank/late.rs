//! What happens by itself as the clock goes on.

use super::cash::PayoutState;
use super::order;
use super::payment;
use super::payout;
use super::record::{PaymentState, RefundState, Step};
use super::refund;
use super::settlement::{self, Due};
use super::work::{Refusal, Work};

/// Does everything that is due by now, oldest first.
pub fn advance(work: &mut Work<'_>) {
    while let Some((at, id)) = work.state.agenda.first().cloned() {
        if at > work.now {
            break;
        }
        work.state.agenda.remove(&(at, id.clone()));
        turn(work, &id);
    }
}

/// The agenda may name what has changed since: only the record says whether its time has come.
/// A step that the record's state does not allow any more is dropped.
fn turn(work: &mut Work<'_>, id: &str) {
    while turn_payment(work, id) || turn_refund(work, id) || turn_payout(work, id) {}
    if let Some(order) = work.state.orders.get(id) {
        let is_over = order.expires_at.is_some_and(|at| at <= work.now);
        if is_over && order.state.can_expire() {
            let _ = order::expire(work, id);
        }
    } else if work.wire.settles()
        && work.settings.settle_after.is_some()
        && work.state.rows.get(id).is_some_and(|row| row.settlement.is_none())
    {
        settlement::settle(work, Due::ByNow);
    }
}

fn turn_payment(work: &mut Work<'_>, id: &str) -> bool {
    let Some(mut found) = work.state.payments.get(id).cloned() else { return false };
    let Some(to) = take_due(&mut found.plan, work) else { return false };
    work.put(found);
    let _ = match to {
        PaymentState::Reversed => payment::reverse(work, id),
        PaymentState::Expired => payment::expire(work, id),
        _ => Err(Refusal::state(to)),
    };
    true
}

fn turn_refund(work: &mut Work<'_>, id: &str) -> bool {
    let Some(mut found) = work.state.refunds.get(id).cloned() else { return false };
    let Some(to) = take_due(&mut found.plan, work) else { return false };
    work.put(found);
    let _ = match to {
        RefundState::Failed => refund::bounce(work, id, "returned_by_bank"),
        _ => refund::succeed(work, id),
    };
    true
}

fn turn_payout(work: &mut Work<'_>, id: &str) -> bool {
    let Some(mut found) = work.state.payouts.get(id).cloned() else { return false };
    // What waits for money goes on when there is money, with its times moved.
    if found.state == PayoutState::Queued {
        return false;
    }
    let Some(to) = take_due(&mut found.plan, work) else { return false };
    work.put(found);
    let reason = (to == PayoutState::Returned).then_some("beneficiary_bank_rejected");
    let _ = payout::turn(work, id, to, reason);
    true
}

/// The next step whose time has come, taken off the plan.
fn take_due<S: Copy>(plan: &mut Vec<Step<S>>, work: &Work<'_>) -> Option<S> {
    let due = plan.iter().position(|step| step.at <= work.now)?;
    Some(plan.remove(due).to)
}

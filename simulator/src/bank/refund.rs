//! Refunds: at once or later, and the ones that come back.

use serde_json::Value;

use super::book::{Entry, RowKind};
use super::record::{Capture, Metadata, Payment, PaymentState, Refund, RefundState, Step};
use super::wire::Happened;
use super::work::{Refusal, Work};
use crate::fault::FaultKind;

/// What a refund is made from.
#[derive(Clone, Debug)]
pub struct NewRefund<'a> {
    /// The gateway's id.
    pub id: String,
    /// A payment, or one of its captures.
    pub of: &'a str,
    /// In minor units; `None`: all that is left.
    pub amount: Option<i64>,
    /// The shop's own reference; may be empty.
    pub reference: String,
    /// What the caller attached.
    pub metadata: Metadata,
    /// Whether the buyer's bank takes its time.
    pub speed: Speed,
    /// The gateway's own fields.
    pub wire: Value,
}

/// How long a refund takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speed {
    /// Done at once.
    AtOnce,
    /// Pending first, done after the time of late outcomes.
    Later,
}

/// What is left to refund of a payment.
pub fn refundable(payment: &Payment) -> i64 {
    match payment.state {
        PaymentState::Reversed => 0,
        _ => payment.captured - payment.refunded,
    }
}

/// The capture that is refunded, and how much of it.
fn choose(
    work: &Work<'_>,
    payment: &Payment,
    new: &NewRefund<'_>,
) -> Result<(Capture, i64), Refusal> {
    let left = |capture: &Capture| capture.amount - capture.refunded;
    let asked = |capture: &Capture| new.amount.unwrap_or(left(capture));
    let fits = |capture: &&Capture| (1..=left(capture)).contains(&asked(capture));
    let (chosen, left) = match work.state.captures.get(new.of) {
        Some(named) => (Some(named).filter(fits), left(named)),
        None => (work.state.captures_of(&payment.id).find(fits), refundable(payment)),
    };
    let chosen = chosen.ok_or(Refusal::Amount { left })?;
    Ok((chosen.clone(), asked(chosen)))
}

/// Makes a refund. Of a payment with several captures it takes the oldest that has enough left.
///
/// # Errors
/// Nothing was captured, or that much is not left.
pub fn create(work: &mut Work<'_>, new: NewRefund<'_>) -> Result<Refund, Refusal> {
    let mut payment = work.state.payment(new.of).cloned().ok_or(Refusal::Missing)?;
    if payment.captured == 0 || payment.state == PaymentState::Reversed {
        return Err(Refusal::state(payment.state));
    }
    let (mut capture, amount) = choose(work, &payment, &new)?;
    let exchange = work.exchange(payment.currency);
    let before = exchange.convert(payment.refunded);
    payment.refunded += amount;
    capture.refunded += amount;
    let base_amount = exchange.convert(payment.refunded) - before;
    let entry = Entry::new(RowKind::Refund, capture.base_currency, -base_amount, &new.id);
    let row = work.post(entry.payment(&payment.id));

    let bounces = work.late(FaultKind::BouncedRefund);
    let fails = work.late(FaultKind::LateFailure).or(bounces);
    let pending = new.speed == Speed::Later || bounces.is_some();
    let done = Step { at: work.now + work.settings.late_outcome, to: RefundState::Succeeded };
    let mut plan: Vec<_> = Some(done).filter(|_| pending && fails.is_none()).into_iter().collect();
    plan.extend(fails.map(|at| Step { at, to: RefundState::Failed }));
    let refund = Refund {
        id: new.id,
        payment: payment.id.clone(),
        capture: capture.id.clone(),
        created: work.now,
        reference: new.reference,
        amount,
        base_amount,
        state: if pending { RefundState::Pending } else { RefundState::Succeeded },
        metadata: new.metadata,
        reason: None,
        plan,
        rows: vec![row],
        wire: new.wire,
    };
    work.put(payment);
    work.put(capture);
    work.put(refund.clone());
    work.announce(Happened::RefundCreated, &refund.id);
    if refund.state == RefundState::Succeeded {
        work.announce(Happened::RefundSucceeded, &refund.id);
    }
    Ok(refund)
}

/// A pending refund is done.
///
/// # Errors
/// It is not pending.
pub fn succeed(work: &mut Work<'_>, id: &str) -> Result<Refund, Refusal> {
    let mut refund = work.state.refunds.get(id).cloned().ok_or(Refusal::Missing)?;
    if refund.state != RefundState::Pending {
        return Err(Refusal::state(refund.state));
    }
    refund.state = RefundState::Succeeded;
    work.put(refund.clone());
    work.announce(Happened::RefundSucceeded, id);
    Ok(refund)
}

/// A refund fails, even one that had succeeded: the money is back in the balance.
///
/// # Errors
/// It has failed before.
pub fn bounce(work: &mut Work<'_>, id: &str, reason: &str) -> Result<Refund, Refusal> {
    let mut refund = work.state.refunds.get(id).cloned().ok_or(Refusal::Missing)?;
    if refund.state == RefundState::Failed {
        return Err(Refusal::state(refund.state));
    }
    let mut payment = work.state.payments.get(&refund.payment).cloned().ok_or(Refusal::Missing)?;
    let mut capture = work.state.captures.get(&refund.capture).cloned().ok_or(Refusal::Missing)?;
    payment.refunded -= refund.amount;
    capture.refunded -= refund.amount;
    let currency = capture.base_currency;
    let entry = Entry::new(RowKind::RefundReturned, currency, refund.base_amount, id);
    let row = work.post(entry.payment(&payment.id));
    refund.rows.push(row);
    refund.state = RefundState::Failed;
    refund.reason = Some(reason.to_owned());
    refund.plan.clear();
    work.put(payment);
    work.put(capture);
    work.put(refund.clone());
    work.announce(Happened::RefundFailed, id);
    Ok(refund)
}

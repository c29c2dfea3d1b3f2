//! Payments: authorised, captured, released, taken back.

use chrono::TimeDelta;
use serde_json::Value;

use super::book::{Entry, RowKind};
use super::record::{
    Capture, CaptureMode, Instrument, Order, OrderState, Payment, PaymentState, RefundState, Step,
};
use super::wire::Happened;
use super::work::{Refusal, Work};
use crate::fault::FaultKind;

/// What happens to the part of a hold that is not captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// It stays reserved for further captures.
    Stays,
    /// It is given back.
    Released,
}

/// Begins an attempt. Its id is the gateway's to choose: see [`begin`].
pub fn attempt(work: &mut Work<'_>, order: &Order, instrument: Instrument) -> Payment {
    let id = work.wire.payment_id(work, order);
    begin(work, order, instrument, id)
}

/// Begins an attempt under this id.
pub fn begin(work: &mut Work<'_>, order: &Order, instrument: Instrument, id: String) -> Payment {
    let payment = Payment {
        id,
        order: order.id.clone(),
        created: work.now,
        reference: order.reference.clone(),
        amount: order.amount,
        currency: order.currency,
        state: PaymentState::Processing,
        capture: order.capture,
        metadata: order.metadata.clone(),
        instrument,
        token: None,
        customer: order.customer.clone(),
        captured: 0,
        released: 0,
        refunded: 0,
        reversed_base: 0,
        reason: None,
        plan: Vec::new(),
        wire: Value::Null,
    };
    work.put(payment.clone());
    payment
}

/// The attempt waits for the buyer, the bank or a reviewer.
pub fn wait(work: &mut Work<'_>, mut payment: Payment, state: PaymentState) {
    payment.state = state;
    let id = payment.id.clone();
    work.put(payment);
    match state {
        PaymentState::Held => work.announce(Happened::PaymentHeld, &id),
        PaymentState::Processing => work.announce(Happened::PaymentPending, &id),
        _ => {}
    }
}

/// The attempt is declined.
pub fn fail(work: &mut Work<'_>, mut payment: Payment, reason: &str) {
    payment.state = PaymentState::Failed;
    payment.reason = Some(reason.to_owned());
    let id = payment.id.clone();
    work.put(payment);
    work.announce(Happened::PaymentFailed, &id);
}

/// The bank approves: the money is reserved, and taken at once where that was asked for.
pub fn authorise(work: &mut Work<'_>, mut payment: Payment) -> Payment {
    payment.state = PaymentState::Authorised;
    payment.reason = None;
    payment.plan.clear();
    let hold = work.state.orders.get(&payment.order).and_then(|order| order.hold_s);
    let (id, amount, mode) = (payment.id.clone(), payment.amount, payment.capture);
    if mode == CaptureMode::Manual {
        let ends = hold.map(|hold| work.now + TimeDelta::seconds(hold));
        payment.plan.extend(ends.map(|at| Step { at, to: PaymentState::Expired }));
        let fails = work.late(FaultKind::LateFailure);
        payment.plan.extend(fails.map(|at| Step { at, to: PaymentState::Reversed }));
    }
    work.put(payment.clone());
    work.announce(Happened::PaymentAuthorised, &id);
    if mode == CaptureMode::Automatic
        && let Err(refusal) = capture(work, &id, amount, Rest::Released)
    {
        tracing::error!(%refusal, id, "a fresh authorisation cannot be captured");
    }
    work.state.payments.get(&id).cloned().unwrap_or(payment)
}

/// Takes money from a hold.
///
/// # Errors
/// The payment is not on hold, or that much is not.
pub fn capture(work: &mut Work<'_>, id: &str, amount: i64, rest: Rest) -> Result<Capture, Refusal> {
    let mut payment = work.state.payments.get(id).cloned().ok_or(Refusal::Missing)?;
    if payment.state != PaymentState::Authorised {
        return Err(Refusal::state(payment.state));
    }
    let left = payment.on_hold();
    if !(1..=left).contains(&amount) {
        return Err(Refusal::Amount { left });
    }
    let exchange = work.exchange(payment.currency);
    let before = exchange.convert(payment.captured);
    payment.captured += amount;
    let base_amount = exchange.convert(payment.captured) - before;
    let (fee, tax) = work.fee(base_amount, exchange.currency);
    let capture_id = work.wire.capture_id(work, &payment);
    let entry = Entry::new(RowKind::Charge, exchange.currency, base_amount, &capture_id);
    let row = work.post(entry.fee(fee, tax).payment(id));
    let capture = Capture {
        id: capture_id,
        payment: id.to_owned(),
        created: work.now,
        amount,
        base_amount,
        base_currency: exchange.currency,
        fee,
        tax,
        refunded: 0,
        row,
        wire: Value::Null,
    };
    if amount == left || rest == Rest::Released {
        payment.released += left - amount;
        payment.state = PaymentState::Captured;
        payment.plan.retain(|step| step.to != PaymentState::Expired);
    }
    let fails = work.late(FaultKind::LateFailure);
    payment.plan.extend(fails.map(|at| Step { at, to: PaymentState::Reversed }));
    let order = payment.order.clone();
    work.put(payment);
    work.put(capture.clone());
    work.announce(Happened::Captured, &capture.id);
    finish_order(work, &order);
    Ok(capture)
}

/// An order is paid when one of its payments has taken all it will ever take.
fn finish_order(work: &mut Work<'_>, id: &str) {
    let Some(mut order) = work.state.orders.get(id).cloned() else { return };
    let taken = |payment: &Payment| payment.state == PaymentState::Captured;
    if order.state == OrderState::Paid || !work.state.payments_of(id).any(taken) {
        return;
    }
    order.state = OrderState::Paid;
    work.put(order);
    work.announce(Happened::OrderPaid, id);
}

/// Gives a hold back, or a part of what is left of it (`None`: all of it).
///
/// # Errors
/// The payment is not on hold, or that much is not.
pub fn release(work: &mut Work<'_>, id: &str, amount: Option<i64>) -> Result<Payment, Refusal> {
    give_back(work, id, amount, PaymentState::Cancelled, Happened::PaymentReleased)
}

/// The hold, or what is left of it, runs out.
///
/// # Errors
/// The payment is not on hold.
pub fn expire(work: &mut Work<'_>, id: &str) -> Result<Payment, Refusal> {
    give_back(work, id, None, PaymentState::Expired, Happened::PaymentExpired)
}

fn give_back(
    work: &mut Work<'_>,
    id: &str,
    amount: Option<i64>,
    end: PaymentState,
    happened: Happened,
) -> Result<Payment, Refusal> {
    let mut payment = work.state.payments.get(id).cloned().ok_or(Refusal::Missing)?;
    if payment.state != PaymentState::Authorised {
        return Err(Refusal::state(payment.state));
    }
    let left = payment.on_hold();
    let amount = amount.unwrap_or(left);
    if !(1..=left).contains(&amount) {
        return Err(Refusal::Amount { left });
    }
    payment.released += amount;
    if amount == left {
        payment.state = if payment.captured > 0 { PaymentState::Captured } else { end };
        payment.plan.retain(|step| step.to != PaymentState::Expired);
    }
    let order = payment.order.clone();
    work.put(payment.clone());
    work.announce(happened, id);
    finish_order(work, &order);
    Ok(payment)
}

/// A payment that looked paid is taken back: what was not refunded leaves the balance.
///
/// # Errors
/// Nothing was authorised, it was reversed before, or this gateway does not do it.
pub fn reverse(work: &mut Work<'_>, id: &str) -> Result<Payment, Refusal> {
    let mut payment = work.state.payments.get(id).cloned().ok_or(Refusal::Missing)?;
    let stands = matches!(payment.state, PaymentState::Authorised | PaymentState::Captured);
    if !stands || !work.wire.reverses_payments() {
        return Err(Refusal::state(payment.state));
    }
    let captured: i64 = work.state.captures_of(id).map(|capture| capture.base_amount).sum();
    let refunds = work.state.refunds_of(id);
    let standing = refunds.filter(|refund| refund.state != RefundState::Failed);
    let refunded: i64 = standing.map(|refund| refund.base_amount).sum();
    let base = captured - refunded;
    if base > 0 {
        let currency = work.state.base_currency(id).unwrap_or(payment.currency);
        let entry = Entry::new(RowKind::PaymentReversed, currency, -base, id);
        work.post(entry.payment(id));
    }
    payment.reversed_base = base;
    payment.state = PaymentState::Reversed;
    payment.plan.clear();
    work.put(payment.clone());
    work.announce(Happened::PaymentReversed, id);
    Ok(payment)
}

//! An order with the payments made against it, as one payment of ours.

use mizan_money::Money;

use crate::model::{NextAction, PaymentStatus};
use crate::outcome::PaymentAnswer;
use crate::razorpay::facts::{FactError, Told, id, payment, positive};
use crate::razorpay::request::PAYMENT_KEY;
use crate::razorpay::{status, wire};

/// What the customer must do with a fresh order: pay it in Razorpay's own script.
const CHECKOUT: &str = "razorpay_checkout";

/// An order by itself: what a create answers.
pub(super) fn alone(order: &wire::Order) -> Result<Told<PaymentAnswer>, FactError> {
    let status = status::order(&order.status);
    if status == PaymentStatus::Captured {
        // Paid, and nothing here says by which payment.
        return Err(FactError::Missing { field: "payments" });
    }
    told(order, status)
}

/// What an order tells of itself, no money held or taken.
fn told(order: &wire::Order, status: PaymentStatus) -> Result<Told<PaymentAnswer>, FactError> {
    let amount = positive(order.amount, &order.currency)?;
    let none = Money::zero(amount.currency());
    let ours = order.receipt.as_deref().or_else(|| order.notes.get(PAYMENT_KEY));
    let facts = PaymentAnswer {
        provider_ref: id("id", &order.id)?,
        status,
        amount,
        capturable: none,
        captured: none,
        refunded: None,
        charge_ref: None,
        next_action: (status == PaymentStatus::RequiresAction)
            .then(|| NextAction::Unsupported { kind: CHECKOUT.to_owned() }),
        last_error: None,
        cancellation_reason: None,
        fee: None,
        instrument: None,
        reference: ours.and_then(|text| text.parse().ok()),
    };
    Ok(Told { facts, word: order.status.clone(), ours: ours.map(ToOwned::to_owned) })
}

/// An order with its payments. The payment that went furthest tells the state, the newest of
/// several; of what was captured the sum is told, so that a second capture of the same order is
/// seen as too much. A payment in a state no table knows makes the whole unknown.
pub(super) fn with_payments(order: &wire::Order) -> Result<Told<PaymentAnswer>, FactError> {
    let missing = FactError::Missing { field: "payments" };
    let payments = &order.payments.as_ref().ok_or(missing)?.items;
    let foreign = |it: &wire::Payment| it.order_id.as_deref().is_some_and(|id| id != order.id);
    if payments.iter().any(foreign) {
        return Err(FactError::Contradiction { field: "order_id" });
    }
    let further = |it: &&wire::Payment| {
        (rank(status::payment(&it.status, it.captured)), it.created_at.unwrap_or_default())
    };
    let Some(furthest) = payments.iter().max_by_key(further) else { return alone(order) };
    let best = payment(furthest)?;
    if status::order(&order.status) == PaymentStatus::Captured
        && !matches!(best.facts.status, PaymentStatus::Captured | PaymentStatus::Unknown)
    {
        return Err(FactError::Contradiction { field: "status" });
    }
    let sums = sums(payments, best.facts.amount)?;
    let Told { facts: own, ours, .. } = told(order, best.facts.status)?;
    let facts = PaymentAnswer {
        provider_ref: own.provider_ref,
        amount: own.amount,
        captured: sums.captured,
        refunded: best.facts.refunded.map(|_| sums.refunded),
        fee: best.facts.fee.filter(|_| sums.count == 1),
        reference: own.reference,
        ..best.facts
    };
    Ok(Told { facts, word: best.word, ours })
}

/// What the captured payments of an order come to together.
struct Sums {
    count: usize,
    captured: Money,
    refunded: Money,
}

fn sums(payments: &[wire::Payment], of: Money) -> Result<Sums, FactError> {
    let none = Money::zero(of.currency());
    let mut sums = Sums { count: 0, captured: none, refunded: none };
    for it in payments {
        let facts = payment(it)?.facts;
        if facts.status != PaymentStatus::Captured {
            continue;
        }
        let differs = |_| FactError::Contradiction { field: "currency" };
        sums.count += 1;
        sums.captured = sums.captured.checked_add(facts.captured).map_err(differs)?;
        let refunded = facts.refunded.unwrap_or(none);
        sums.refunded = sums.refunded.checked_add(refunded).map_err(differs)?;
    }
    Ok(sums)
}

/// How far a payment went: money taken wins over money held, anything over a failure, and what is
/// not known over all.
const fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Unknown => 6,
        PaymentStatus::Captured => 5,
        PaymentStatus::Authorised => 4,
        PaymentStatus::Processing => 3,
        PaymentStatus::Cancelled => 2,
        _ => 1,
    }
}

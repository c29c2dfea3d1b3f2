//! Saved instruments.

use serde_json::Value;

use super::order::{self, NewOrder};
use super::payment;
use super::record::{Payment, Token};
use super::wire::Happened;
use super::work::{Refusal, Work};

/// Saves the instrument of a payment and notes it there.
pub fn save(work: &mut Work<'_>, mut payment: Payment) -> Payment {
    let token = Token {
        id: work.wire.token_id(work),
        customer: payment.customer.clone(),
        created: work.now,
        payment: payment.id.clone(),
        instrument: payment.instrument.clone(),
        active: true,
        wire: Value::Null,
    };
    payment.token = Some(token.id.clone());
    work.put(payment.clone());
    let id = token.id.clone();
    work.put(token);
    work.announce(Happened::TokenSaved, &id);
    payment
}

/// Charges a saved instrument without the buyer, on an order of its own.
///
/// # Errors
/// There is no such active token.
pub fn charge(work: &mut Work<'_>, id: &str, new: NewOrder) -> Result<Payment, Refusal> {
    active(work, id)?;
    let order = order::open(work, new);
    charge_order(work, id, &order.id)
}

/// Charges a saved instrument for an order that is there already.
///
/// # Errors
/// There is no such active token, or the order is not open.
pub fn charge_order(work: &mut Work<'_>, id: &str, order: &str) -> Result<Payment, Refusal> {
    let token = active(work, id)?;
    let order = work.state.orders.get(order).cloned().ok_or(Refusal::Missing)?;
    if order.state != super::record::OrderState::Open {
        return Err(Refusal::state(order.state));
    }
    let mut attempt = payment::attempt(work, &order, token.instrument);
    attempt.token = Some(token.id);
    attempt.customer = token.customer;
    Ok(payment::authorise(work, attempt))
}

/// Removes a saved instrument.
///
/// # Errors
/// There is no such active token.
pub fn remove(work: &mut Work<'_>, id: &str) -> Result<Token, Refusal> {
    let mut token = active(work, id)?;
    token.active = false;
    work.put(token.clone());
    work.announce(Happened::TokenRemoved, id);
    Ok(token)
}

fn active(work: &Work<'_>, id: &str) -> Result<Token, Refusal> {
    let token = work.state.tokens.get(id).filter(|token| token.active);
    token.cloned().ok_or(Refusal::Missing)
}

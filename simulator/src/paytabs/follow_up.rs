//! What is done with an earlier payment: capture, void, release, refund.
//!
//! What cannot mean anything is an error. What the bank will not do is a transaction of its own
//! that was declined, with HTTP 200.

use mizan_money::Currency;
use serde_json::{Value, json};

use super::create::{self, Terms, new_ref, once, sameness};
use super::error::Error;
use super::fields::{Cart, Fields};
use super::transaction::{FOLLOW_UP, FollowUp, cart_key, find};
use super::{event, trace, view};
use crate::bank::payment::{self, Rest};
use crate::bank::record::{Document, Metadata};
use crate::bank::refund::{self, NewRefund, Speed};
use crate::bank::state::State;
use crate::bank::work::{Refusal, Work};

/// `capture`, `void`, `release`, `refund`.
pub fn run(
    work: &mut Work<'_>,
    fields: &Fields,
    tran_type: &str,
    profile: u64,
) -> Result<Value, Error> {
    let tran_class = create::class(fields)?;
    let cart = Cart::read(fields)?;
    let parent = create::named(fields)?;
    let target = Target::find(work.state, tran_type, &parent);
    let target = target.ok_or_else(|| Error::field("tran_ref"))?;
    if target.currency != cart.currency {
        return Err(Error::currency());
    }
    let callback = fields.callback()?;
    once(work, sameness(fields, &cart))?;
    let id = new_ref(work);
    let mut follow_up = FollowUp {
        tran_type: tran_type.to_owned(),
        tran_class: tran_class.to_owned(),
        parent,
        order: target.order,
        payment: target.payment,
        cart,
        callback,
        is_declined: false,
    };
    keep(work, &id, &follow_up);
    list(work, &id, &follow_up.cart.id);
    if act(work, &id, &follow_up).is_err() {
        follow_up.is_declined = true;
        keep(work, &id, &follow_up);
        for message in event::about(work, &id, profile) {
            work.emit(message);
        }
    }
    let tran = find(work.state, &id).ok_or_else(|| Error::internal(500))?;
    Ok(view::answer(&tran, profile, &trace(work)))
}

/// What a follow-up is about.
struct Target {
    order: String,
    payment: Option<String>,
    currency: Currency,
}

impl Target {
    /// `None`: there is no such transaction, or none of a type that this can follow.
    fn find(state: &State, tran_type: &str, parent: &str) -> Option<Self> {
        let (order, payment) = match state.captures.get(parent) {
            Some(capture) if tran_type == "refund" => {
                let payment = state.payments.get(&capture.payment)?;
                (state.orders.get(&payment.order)?, Some(payment))
            }
            _ => {
                let order = state.orders.get(parent)?;
                let parent_type = if tran_type == "refund" { "sale" } else { "auth" };
                if Terms::of(order).tran_type != parent_type {
                    return None;
                }
                (order, state.payment(parent))
            }
        };
        let payment = payment.map(|payment| payment.id.clone());
        Some(Self { order: order.id.clone(), payment, currency: order.currency })
    }
}

fn keep(work: &mut Work<'_>, id: &str, follow_up: &FollowUp) {
    work.put(Document {
        id: id.to_owned(),
        kind: FOLLOW_UP.to_owned(),
        created: work.now,
        body: serde_json::to_value(follow_up).unwrap_or_default(),
    });
}

/// So that a query by the shop's reference finds it.
fn list(work: &mut Work<'_>, id: &str, cart: &str) {
    let key = cart_key(cart);
    let mut list = work.state.documents.get(&key).cloned().unwrap_or_else(|| Document {
        id: key,
        kind: "cart".to_owned(),
        created: work.now,
        body: json!([]),
    });
    if let Some(refs) = list.body.as_array_mut() {
        refs.push(id.into());
    }
    work.put(list);
}

/// Does it, or says why the bank will not.
fn act(work: &mut Work<'_>, id: &str, follow_up: &FollowUp) -> Result<(), Refusal> {
    let payment = follow_up.payment.as_deref().ok_or(Refusal::Missing)?;
    let amount = follow_up.cart.amount;
    if follow_up.tran_type == "refund" {
        return refund(work, id, follow_up);
    }
    let mut found = work.state.payments.get(payment).cloned().ok_or(Refusal::Missing)?;
    let (is_whole, left) = (found.on_hold() == found.amount, found.on_hold());
    // The bank asks for the reference of what it captures or gives back.
    found.wire = json!({ "follow_up": id });
    work.put(found.clone());
    match follow_up.tran_type.as_str() {
        "capture" => payment::capture(work, payment, amount, Rest::Stays).map(drop),
        "void" if is_whole && amount == found.amount => {
            payment::release(work, payment, None).map(drop)
        }
        "release" => payment::release(work, payment, Some(amount)).map(drop),
        _ => Err(Refusal::Amount { left }),
    }
}

/// A card's refund is done at once. With every other method it is pending first.
fn refund(work: &mut Work<'_>, id: &str, follow_up: &FollowUp) -> Result<(), Refusal> {
    // Without a capture there is nothing to refund; the page may still be paid.
    work.state.captures.get(&follow_up.parent).ok_or(Refusal::Missing)?;
    let payment = follow_up.payment.as_ref().and_then(|id| work.state.payments.get(id));
    let is_card = payment.is_some_and(|payment| payment.instrument.kind == "card");
    let new = NewRefund {
        id: id.to_owned(),
        of: &follow_up.parent,
        amount: Some(follow_up.cart.amount),
        reference: follow_up.cart.id.clone(),
        metadata: Metadata::new(),
        speed: if is_card { Speed::AtOnce } else { Speed::Later },
        wire: Value::Null,
    };
    refund::create(work, new).map(drop)
}

//! Transactions: what PayTabs gives a reference to, found in the bank's records.
//!
//! ```text
//! payment page, token charge   an order, with all its attempts
//! sale of a payment request    the capture of such an order, under a reference of its own
//! capture, void, release       a follow-up, a document
//! refund                       a follow-up, and the bank's refund once it was taken
//! ```

use mizan_money::Timestamp;
use serde::{Deserialize, Serialize};

use super::create::Terms;
use super::fields::Cart;
use super::verdict::{NOT_AUTHORISED, Verdict};
use crate::bank::record::{
    Capture, CaptureMode, Document, Order, OrderState, Payment, PaymentState, RefundState,
};
use crate::bank::state::State;

/// The kind of a document that is a follow-up.
pub const FOLLOW_UP: &str = "follow_up";

/// A request about an earlier transaction, as it is remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FollowUp {
    /// `capture`, `void`, `release`, `refund`.
    pub tran_type: String,
    /// `tran_class`, in lower case.
    pub tran_class: String,
    /// The reference it names.
    pub parent: String,
    /// The order of that.
    pub order: String,
    /// The payment, if the order has one.
    pub payment: Option<String>,
    /// What is captured, released or refunded.
    pub cart: Cart,
    /// Where its result goes.
    pub callback: Option<String>,
    /// Whether it was declined at once.
    pub is_declined: bool,
}

impl FollowUp {
    /// Reads it back.
    pub fn of(document: &Document) -> Option<Self> {
        let fits = document.kind == FOLLOW_UP;
        fits.then(|| serde_json::from_value(document.body.clone()).ok()).flatten()
    }
}

/// One transaction as it is now.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its reference.
    pub tran_ref: String,
    /// The reference of what it follows.
    pub previous: Option<String>,
    /// As PayTabs gives it back: `Sale`, `Payment Request`.
    pub tran_type: &'static str,
    /// As PayTabs gives it back: `ECom`.
    pub tran_class: &'static str,
    /// What is paid for.
    pub cart: Cart,
    /// What became of it.
    pub verdict: Verdict,
    /// When.
    pub time: Timestamp,
    /// What the shop asked for on the page.
    pub terms: Terms,
    /// Its order.
    pub order: Order,
    /// Its payment.
    pub payment: Option<Payment>,
    /// Where its result goes, beside the profile's endpoint.
    pub callback: Option<String>,
}

/// A word as PayTabs gives it back.
fn capitalised(word: &str) -> &'static str {
    match word {
        "sale" => "Sale",
        "auth" => "Auth",
        "register" => "Register",
        "capture" => "Capture",
        "void" => "Void",
        "release" => "Release",
        "refund" => "Refund",
        "moto" => "Moto",
        "recurring" => "Recurring",
        _ => "ECom",
    }
}

/// The transaction with this reference.
pub fn find(state: &State, tran_ref: &str) -> Option<Transaction> {
    if let Some(order) = state.orders.get(tran_ref) {
        return Some(of_order(state, order));
    }
    if let Some(document) = state.documents.get(tran_ref) {
        return of_follow_up(state, document);
    }
    of_sale(state, state.captures.get(tran_ref)?)
}

/// All transactions with this reference of the shop: pages with their late sales, oldest first,
/// and then what followed.
pub fn for_cart(state: &State, cart: &str) -> Vec<Transaction> {
    let mut found = Vec::new();
    for order in state.orders_for(cart) {
        found.push(of_order(state, order));
        let captures = state.payments_of(&order.id).flat_map(|it| state.captures_of(&it.id));
        found.extend(captures.filter_map(|capture| of_sale(state, capture)));
    }
    let follow_ups = state.documents.get(&cart_key(cart));
    let refs = follow_ups.and_then(|document| document.body.as_array());
    let refs = refs.into_iter().flatten().filter_map(|it| it.as_str());
    found.extend(refs.filter_map(|tran_ref| find(state, tran_ref)));
    found
}

/// The id of the document that lists the follow-ups of a reference of the shop.
pub fn cart_key(cart: &str) -> String {
    format!("cart {cart}")
}

/// A page, or the charge of a token.
fn of_order(state: &State, order: &Order) -> Transaction {
    let terms = Terms::of(order);
    let payment = state.payment(&order.id).cloned();
    let (verdict, time) = page_verdict(order, payment.as_ref(), &terms);
    let tran_type = if terms.deferred { "Payment Request" } else { capitalised(&terms.tran_type) };
    Transaction {
        tran_ref: order.id.clone(),
        previous: terms.previous.clone(),
        tran_type,
        tran_class: capitalised(&terms.tran_class),
        cart: terms.cart(order),
        verdict,
        time,
        order: order.clone(),
        payment,
        callback: order.notify_url.clone(),
        terms,
    }
}

fn page_verdict(order: &Order, payment: Option<&Payment>, terms: &Terms) -> (Verdict, Timestamp) {
    match order.state {
        OrderState::Cancelled => return (Verdict::cancelled(), order.created),
        OrderState::Expired => {
            return (Verdict::expired(), order.expires_at.unwrap_or(order.created));
        }
        _ => {}
    }
    let Some(payment) = payment else { return (Verdict::pending(), order.created) };
    let verdict = match payment.state {
        PaymentState::RequiresAction | PaymentState::Processing => Verdict::pending(),
        // The request stays as it is: what was paid for it is a sale with its own reference.
        PaymentState::Captured | PaymentState::Reversed if terms.deferred => Verdict::pending(),
        PaymentState::Held => Verdict::held(&order.id),
        PaymentState::Authorised | PaymentState::Captured => Verdict::approved(&order.id),
        PaymentState::Cancelled if terms.is_register() => Verdict::approved(&order.id),
        PaymentState::Cancelled | PaymentState::Reversed => Verdict::voided(&order.id),
        PaymentState::Expired => Verdict::expired(),
        PaymentState::Failed => {
            Verdict::declined(payment.reason.as_deref().unwrap_or(NOT_AUTHORISED))
        }
    };
    (verdict, payment.created)
}

/// The sale of a payment request that was paid; `None`: the capture has no reference of its own.
fn of_sale(state: &State, capture: &Capture) -> Option<Transaction> {
    let payment = state.payments.get(&capture.payment)?;
    let order = state.orders.get(&payment.order)?;
    if payment.capture == CaptureMode::Manual || capture.id == order.id {
        return None;
    }
    let page = of_order(state, order);
    let verdict = match payment.state {
        PaymentState::Reversed => Verdict::voided(&capture.id),
        _ => Verdict::approved(&capture.id),
    };
    Some(Transaction {
        tran_ref: capture.id.clone(),
        previous: Some(order.id.clone()),
        tran_type: "Sale",
        verdict,
        time: capture.created,
        payment: Some(payment.clone()),
        ..page
    })
}

fn of_follow_up(state: &State, document: &Document) -> Option<Transaction> {
    let follow_up = FollowUp::of(document)?;
    let order = state.orders.get(&follow_up.order)?.clone();
    let payment = follow_up.payment.as_ref().and_then(|id| state.payments.get(id)).cloned();
    let id = &document.id;
    let was_reversed = payment.as_ref().is_some_and(|it| it.state == PaymentState::Reversed);
    let refund = state.refunds.get(id).map(|refund| refund.state);
    let verdict = match refund {
        _ if follow_up.is_declined => Verdict::declined(NOT_AUTHORISED),
        Some(RefundState::Pending) => Verdict::pending(),
        Some(RefundState::Failed) => Verdict::declined(NOT_AUTHORISED),
        None if was_reversed && state.captures.get(id).is_some() => Verdict::voided(id),
        Some(RefundState::Succeeded) | None => Verdict::approved(id),
    };
    Some(Transaction {
        tran_ref: id.clone(),
        previous: Some(follow_up.parent),
        tran_type: capitalised(&follow_up.tran_type),
        tran_class: capitalised(&follow_up.tran_class),
        cart: follow_up.cart,
        verdict,
        time: document.created,
        terms: Terms::of(&order),
        order,
        payment,
        callback: follow_up.callback,
    })
}

//! Everything that has a transaction reference, as Telr sees it: payments, and what follows them.
//!
//! A sale is one transaction, so its capture has the payment's reference. An authorisation and
//! each of its captures have references of their own. Releases, voids and reversals have no record
//! in the bank; they are documents: [`keep`].

use mizan_money::{Currency, Money, Timestamp};
use serde_json::{Value, json};

use super::code;
use crate::bank::record::{
    Capture, CaptureMode, Document, Order, Payment, PaymentState, Refund, RefundState,
};
use crate::bank::state::State;
use crate::bank::work::Work;

/// Where references begin; they have twelve digits.
const FIRST_REFERENCE: u64 = 40_035_000_000;
/// The reference of something that was not made.
pub const NOTHING: &str = "000000000000";

/// One transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Twelve digits.
    pub reference: String,
    /// `sale`, `auth`, `capture`, `refund`, `void`, `release`, `capture reversal`, ...
    pub kind: String,
    /// The one it follows; a first one may name itself.
    pub previous: String,
    /// The first of the chain.
    pub first: String,
    /// In minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// A, H, P, D, C or X.
    pub letter: &'static str,
    /// The approval code of the issuer, or why it was declined.
    pub code: String,
    /// For people.
    pub message: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its payment.
    pub payment: String,
}

impl Transaction {
    /// The amount as text in major units.
    pub fn amount_text(&self) -> String {
        Money::new(self.amount, self.currency).major_string()
    }
}

/// A new reference; later ones are larger.
pub fn new_reference(work: &mut Work<'_>) -> String {
    work.state.counter += 1;
    format!("{:012}", FIRST_REFERENCE + work.state.counter)
}

/// The approval code that belongs to a reference.
fn approval(reference: &str) -> String {
    reference.get(6..).unwrap_or(reference).to_owned()
}

/// Keeps a transaction that the bank has no record for.
pub fn keep(work: &mut Work<'_>, kind: &str, payment: &Payment, of: (&str, i64)) -> String {
    let reference = new_reference(work);
    let (previous, amount) = of;
    work.put(Document {
        id: reference.clone(),
        kind: kind.to_owned(),
        created: work.now,
        body: json!({ "payment": payment.id, "previous": previous, "amount": amount }),
    });
    reference
}

/// What a buyer has tried; `None` while no card was tried.
pub fn of_payment(state: &State, payment: &Payment) -> Option<Transaction> {
    let kind = match payment.capture {
        CaptureMode::Automatic => "sale",
        CaptureMode::Manual => "auth",
    };
    let failed = code::of_reason(payment.reason.as_deref().unwrap_or_default());
    let letter = match payment.state {
        PaymentState::RequiresAction => return None,
        PaymentState::Processing => "P",
        PaymentState::Held => "H",
        PaymentState::Failed => code::letter(failed),
        PaymentState::Expired => "X",
        _ => "A",
    };
    let id = payment.id.clone();
    let parent = parent(state, &payment.order);
    let (previous, first) = match (letter, parent) {
        ("A" | "X", Some(parent)) => (parent.clone(), parent),
        ("A" | "X", None) if kind == "sale" => (id.clone(), id.clone()),
        ("A" | "X", None) => (String::new(), id.clone()),
        (_, Some(parent)) => (parent.clone(), parent),
        _ => (String::new(), String::new()),
    };
    let (code, message) = match letter {
        "A" => (approval(&id), "Authorised"),
        "H" => (approval(&id), "Authorised but placed on hold"),
        "P" => (String::new(), "Pending"),
        "X" => ("53".to_owned(), code::message(53)),
        _ => (failed.to_string(), code::message(failed)),
    };
    Some(Transaction {
        reference: id.clone(),
        kind: kind.to_owned(),
        previous,
        first,
        amount: payment.amount,
        currency: payment.currency,
        letter,
        code,
        message: message.to_owned(),
        created: payment.created,
        payment: id,
    })
}

fn parent(state: &State, order: &str) -> Option<String> {
    let order = state.orders.get(order)?;
    order.wire["parent"].as_str().map(str::to_owned)
}

/// What follows a payment: made and done, until something says otherwise.
fn follower(payment: &Payment, reference: &str, kind: &str, previous: &str) -> Transaction {
    Transaction {
        reference: reference.to_owned(),
        kind: kind.to_owned(),
        previous: previous.to_owned(),
        first: payment.id.clone(),
        amount: payment.amount,
        currency: payment.currency,
        letter: "A",
        code: approval(reference),
        message: "Accepted".to_owned(),
        created: payment.created,
        payment: payment.id.clone(),
    }
}

/// A capture of an authorisation.
pub fn of_capture(payment: &Payment, capture: &Capture) -> Transaction {
    let made = follower(payment, &capture.id, "capture", &payment.id);
    Transaction { amount: capture.amount, created: capture.created, ..made }
}

/// A refund. One that came back after it was done stays as it was: the reversal tells.
pub fn of_refund(payment: &Payment, refund: &Refund) -> Transaction {
    let made = follower(payment, &refund.id, "refund", &refund.capture);
    let made = Transaction { amount: refund.amount, created: refund.created, ..made };
    match refund.state {
        RefundState::Pending => {
            Transaction { letter: "H", message: "Accepted but placed on hold".to_owned(), ..made }
        }
        RefundState::Failed if refund.wire["done"] != true => Transaction {
            letter: "D",
            code: "70".to_owned(),
            message: code::message(70).to_owned(),
            ..made
        },
        RefundState::Succeeded | RefundState::Failed => made,
    }
}

fn of_document(payment: &Payment, document: &Document) -> Transaction {
    let text = |name: &str| document.body[name].as_str().unwrap_or_default();
    let made = follower(payment, &document.id, &document.kind, text("previous"));
    let amount = document.body["amount"].as_i64().unwrap_or_default();
    Transaction { amount, created: document.created, ..made }
}

/// The documents of a payment, oldest first.
pub fn documents<'a>(state: &'a State, payment: &str) -> impl Iterator<Item = &'a Document> {
    let of = Value::from(payment);
    state.documents.oldest_first().filter(move |document| document.body["payment"] == of)
}

/// The payment and all that followed it, in the order of their references.
pub fn linked(state: &State, payment: &Payment) -> Vec<Transaction> {
    let mut all: Vec<_> = of_payment(state, payment).into_iter().collect();
    if payment.capture == CaptureMode::Manual {
        all.extend(state.captures_of(&payment.id).map(|capture| of_capture(payment, capture)));
    }
    all.extend(state.refunds_of(&payment.id).map(|refund| of_refund(payment, refund)));
    all.extend(documents(state, &payment.id).map(|document| of_document(payment, document)));
    all.sort_by(|one, other| one.reference.cmp(&other.reference));
    all
}

/// The payment that a transaction reference belongs to.
pub fn root<'a>(state: &'a State, reference: &str) -> Option<&'a Payment> {
    let capture = || state.captures.get(reference).map(|capture| capture.payment.as_str());
    let refund = || state.refunds.get(reference).map(|refund| refund.payment.as_str());
    let document = || state.documents.get(reference).and_then(|it| it.body["payment"].as_str());
    let payment = state.payments.get(reference);
    payment.or_else(|| state.payments.get(capture().or_else(refund).or_else(document)?))
}

/// The transaction with this reference.
pub fn find(state: &State, reference: &str) -> Option<Transaction> {
    let payment = root(state, reference)?;
    linked(state, payment).into_iter().find(|transaction| transaction.reference == reference)
}

/// All transactions of the store, newest first.
pub fn newest_first(state: &State) -> Vec<Transaction> {
    let payments = state.payments.oldest_first();
    let mut all: Vec<_> = payments.flat_map(|payment| linked(state, payment)).collect();
    all.sort_by(|one, other| other.reference.cmp(&one.reference));
    all
}

/// The order of a transaction.
pub fn order<'a>(state: &'a State, transaction: &Transaction) -> Option<&'a Order> {
    let payment = state.payments.get(&transaction.payment)?;
    state.orders.get(&payment.order)
}

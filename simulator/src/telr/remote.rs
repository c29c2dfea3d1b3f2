//! The remote API: what follows a transaction, and charging a card again without its buyer.

use serde_json::{Value, json};

use super::ask::Ask;
use super::code::{self, Failure};
use super::order;
use super::transaction::{self, NOTHING, Transaction};
use super::xml;
use crate::bank::order::{self as core, NewOrder};
use crate::bank::payment::{self, Rest};
use crate::bank::record::{CaptureMode, Metadata, Payment, PaymentState, Returns};
use crate::bank::refund::{self, NewRefund, Speed};
use crate::bank::state::State;
use crate::bank::wire::Answer;
use crate::bank::work::Work;

const HEXADECIMAL: &[u8] = b"0123456789ABCDEF";

/// In which language the caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `remote.xml`
    Xml,
    /// `remote.html`
    Form,
    /// `remote.json`
    Json,
}

/// What is asked.
struct Order<'a> {
    ask: &'a Ask,
    kind: &'a str,
    parent: Payment,
    /// The transaction that was named: the payment, or something that followed it.
    named: Transaction,
}

/// The type of transaction that a body asks for.
pub fn kind(ask: &Ask) -> Option<&str> {
    ask.text(&["ivp_trantype", "tran.type"])
}

/// The transaction that a body names.
pub fn parent(ask: &Ask) -> Option<&str> {
    ask.text(&["tran_ref", "tran.ref"])
}

/// Does it.
///
/// # Errors
/// It cannot be done; nothing was made.
pub fn run(work: &mut Work<'_>, ask: &Ask) -> Result<Transaction, Failure> {
    let order = read(work.state, ask)?;
    let reference = match order.kind {
        "sale" => charge_again(work, &order)?,
        "capture" => capture(work, &order)?,
        "release" => release(work, &order)?,
        "void" => void(work, &order)?,
        _ => give_back(work, &order)?,
    };
    transaction::find(work.state, &reference).ok_or_else(|| Failure::of(99))
}

fn read<'a>(state: &State, ask: &'a Ask) -> Result<Order<'a>, Failure> {
    if !ask.is_latin() {
        return Err(Failure::because(1, "A character cannot be processed"));
    }
    let kind = kind(ask).ok_or_else(|| Failure::of(40))?;
    let class = ask.text(&["ivp_tranclass", "tran.class"]).unwrap_or("ecom");
    match (kind, class) {
        ("sale", "cont") | ("capture" | "release", "ecom" | "moto") => {}
        ("void" | "refund", "ecom" | "moto" | "cont") => {}
        ("sale" | "auth" | "verify", "ecom" | "moto") => return Err(Failure::of(10)),
        ("sale" | "auth" | "verify" | "capture" | "release" | "void" | "refund", _) => {
            return Err(Failure::of(39));
        }
        _ => return Err(Failure::of(40)),
    }
    let reference = parent(ask).ok_or_else(|| Failure::of(22))?;
    let named = transaction::find(state, reference).ok_or_else(|| Failure::of(22))?;
    let parent = transaction::root(state, reference).cloned().ok_or_else(|| Failure::of(22))?;
    let is_test = state.orders.get(&parent.order).is_some_and(|order| order.wire["test"] == true);
    if ask.flag(&["ivp_test", "tran.test"]).is_some_and(|test| test != is_test) {
        return Err(Failure::of(45));
    }
    Ok(Order { ask, kind, parent, named })
}

impl Order<'_> {
    /// The amount in the parent's currency; `None` when none was given.
    fn amount(&self) -> Result<Option<i64>, Failure> {
        let given = self.ask.text(&["ivp_amount", "tran.amount"]);
        if given.is_none() && self.ask.text(&["ivp_currency", "tran.currency"]).is_none() {
            return Ok(None);
        }
        let (amount, currency) =
            self.ask.money(&["ivp_amount", "tran.amount"], &["ivp_currency", "tran.currency"])?;
        if currency != self.parent.currency {
            return Err(Failure::of(24));
        }
        Ok(Some(amount))
    }

    fn required_amount(&self) -> Result<i64, Failure> {
        self.amount()?.ok_or_else(|| Failure::of(2))
    }

    /// The parent as an authorisation with something on hold.
    fn on_hold(&self) -> Result<&Payment, Failure> {
        let parent = &self.parent;
        let is_auth = self.named.reference == parent.id && parent.capture == CaptureMode::Manual;
        match parent.state {
            _ if !is_auth => Err(Failure::of(25)),
            PaymentState::Authorised => Ok(parent),
            PaymentState::Held => Err(Failure::of(36)),
            PaymentState::Captured => Err(Failure::of(29)),
            PaymentState::Cancelled | PaymentState::Reversed => Err(Failure::of(26)),
            PaymentState::Expired => Err(Failure::of(53)),
            _ => Err(Failure::of(25)),
        }
    }
}

fn capture(work: &mut Work<'_>, order: &Order<'_>) -> Result<String, Failure> {
    let held = order.on_hold()?;
    let amount = order.required_amount()?;
    Ok(payment::capture(work, &held.id, amount, Rest::Stays)?.id)
}

fn release(work: &mut Work<'_>, order: &Order<'_>) -> Result<String, Failure> {
    let held = order.on_hold()?;
    let amount = order.amount()?.unwrap_or(held.on_hold());
    give_up(work, "release", held, amount)
}

/// Gives a hold back, under a reference of its own.
fn give_up(
    work: &mut Work<'_>,
    kind: &str,
    held: &Payment,
    amount: i64,
) -> Result<String, Failure> {
    if amount > held.on_hold() {
        return Err(Failure::of(29));
    }
    let reference = transaction::keep(work, kind, held, (&held.id, amount));
    payment::release(work, &held.id, Some(amount))?;
    Ok(reference)
}

/// The whole transaction, on the day it was made and before it is settled.
fn void(work: &mut Work<'_>, order: &Order<'_>) -> Result<String, Failure> {
    let parent = &order.parent;
    let amount = order.amount()?;
    if order.named.reference != parent.id {
        return Err(Failure::of(32));
    }
    if parent.capture == CaptureMode::Manual {
        let held = order.on_hold()?;
        if held.captured + held.released > 0 {
            return Err(Failure::of(32));
        }
        whole(amount, held)?;
        return give_up(work, "void", held, held.amount);
    }
    match parent.state {
        PaymentState::Captured => {}
        PaymentState::Held => return Err(Failure::of(36)),
        PaymentState::Reversed => return Err(Failure::of(26)),
        _ => return Err(Failure::of(25)),
    }
    whole(amount, parent)?;
    let taken = work.state.captures.get(&parent.id);
    let row = taken.and_then(|capture| work.state.rows.get(&capture.row));
    let is_settled = row.is_some_and(|row| row.settlement.is_some());
    let is_today = order::day(parent.created) == order::day(work.now);
    if is_settled || !is_today || parent.refunded > 0 {
        return Err(Failure::of(32));
    }
    let reference = transaction::keep(work, "void", parent, (&parent.id, parent.amount));
    payment::reverse(work, &parent.id)?;
    Ok(reference)
}

fn whole(amount: Option<i64>, parent: &Payment) -> Result<(), Failure> {
    match amount {
        Some(amount) if amount != parent.amount => Err(Failure::of(23)),
        _ => Ok(()),
    }
}

fn give_back(work: &mut Work<'_>, order: &Order<'_>) -> Result<String, Failure> {
    match order.parent.state {
        PaymentState::Held => return Err(Failure::of(36)),
        PaymentState::Reversed => return Err(Failure::of(26)),
        _ => {}
    }
    if !matches!(order.named.kind.as_str(), "sale" | "capture") {
        return Err(Failure::of(35));
    }
    if order.named.letter != "A" {
        return Err(Failure::of(25));
    }
    let amount = order.required_amount()?;
    let id = transaction::new_reference(work);
    let cart = order.ask.text(&["ivp_cart", "tran.cartid"]).unwrap_or_default();
    let new = NewRefund {
        id,
        of: &order.named.reference,
        amount: Some(amount),
        reference: cart.to_owned(),
        metadata: Metadata::new(),
        speed: Speed::AtOnce,
        wire: Value::Null,
    };
    Ok(refund::create(work, new)?.id)
}

/// A sale of class `cont`: the card of an earlier transaction is charged on an order of its own.
fn charge_again(work: &mut Work<'_>, order: &Order<'_>) -> Result<String, Failure> {
    let (ask, parent) = (order.ask, &order.parent);
    let first = work.state.orders.get(&parent.order).cloned().ok_or_else(|| Failure::of(22))?;
    let is_usable = order.named.reference == parent.id
        && order.named.letter == "A"
        && parent.state != PaymentState::Reversed
        && parent.instrument.kind == "card";
    if !is_usable {
        return Err(Failure::of(57));
    }
    let reference = order::new_cart(work.state, ask.text(&["ivp_cart", "tran.cartid"]))?;
    let (amount, currency) =
        ask.money(&["ivp_amount", "tran.amount"], &["ivp_currency", "tran.currency"])?;
    let description = ask.text(&["ivp_desc", "tran.description"]).unwrap_or_default();
    let new = NewOrder {
        id: work.new_text(HEXADECIMAL, 64),
        metadata: order::matched(&reference, description),
        reference,
        amount,
        currency,
        capture: CaptureMode::Automatic,
        returns: Returns::default(),
        notify_url: None,
        expires_at: None,
        hold: None,
        customer: parent.customer.clone(),
        wire: json!({
            "test": first.wire["test"],
            "class": "cont",
            "description": description,
            "bill": first.wire["bill"],
            "names_order": false,
            "parent": parent.id,
        }),
    };
    let made = core::open(work, new);
    let attempt = payment::attempt(work, &made, parent.instrument.clone());
    Ok(payment::authorise(work, attempt).id)
}

/// The answer to what was done.
pub fn answer(work: &Work<'_>, dialect: Dialect, done: &Transaction) -> Answer {
    let order = transaction::order(work.state, done);
    let class = order.map_or("ecom", |order| order.wire["class"].as_str().unwrap_or("ecom"));
    match dialect {
        Dialect::Form => form([done.letter, &done.code, &done.message, &done.reference]),
        Dialect::Json => {
            let body = json!({
                "method": "transaction",
                "trace": order::trace(work),
                "transaction": {
                    "ref": done.reference,
                    "type": done.kind,
                    "class": class,
                    "status": done.letter,
                    "code": done.code,
                    "message": done.message,
                },
            });
            Answer::json(200, &body)
        }
        Dialect::Xml => {
            let cart = order.map_or("", |order| order.reference.as_str());
            let auth = [
                ("status", done.letter),
                ("code", &done.code),
                ("message", &done.message),
                ("tranref", &done.reference),
                ("cvv", "X"),
                ("avs", "X"),
                ("networktranid", &done.reference),
                ("cartid", cart),
                ("rrn", &done.code),
                ("trace", &order::trace(work)),
            ];
            let payment = work.state.payments.get(&done.payment);
            let card = payment.filter(|it| it.instrument.kind == "card").map_or_else(
                String::new,
                |payment| {
                    let (brand, last4) = (&payment.instrument.brand, &payment.instrument.last4);
                    let leaves = [
                        ("code", "VC"),
                        ("description", &format!("{brand} Credit ending {last4}")),
                        ("card_end", last4),
                        ("card_bin", "411111"),
                        ("card_country", "AE"),
                    ];
                    xml::wrap("payment", &leaves.map(|(name, text)| xml::leaf(name, text)).concat())
                },
            );
            let auth = xml::wrap("auth", &auth.map(|(name, text)| xml::leaf(name, text)).concat());
            document(&(auth + &card))
        }
    }
}

/// The answer to what was not done.
pub fn refusal(dialect: Dialect, failure: &Failure) -> Answer {
    let (letter, number) = (code::letter(failure.code), format!("{:02}", failure.code));
    let message = code::message(failure.code);
    match dialect {
        Dialect::Form => form([letter, &number, message, NOTHING]),
        Dialect::Json => {
            let error = json!({ "message": failure.text(), "note": failure.note });
            Answer::json(200, &json!({ "method": "transaction", "error": error }))
        }
        Dialect::Xml => {
            let leaves =
                [("status", letter), ("code", &number), ("message", message), ("tranref", NOTHING)];
            let leaves = leaves.map(|(name, text)| xml::leaf(name, text)).concat();
            document(&xml::wrap("auth", &leaves))
        }
    }
}

fn form(values: [&str; 4]) -> Answer {
    let names = ["auth_status", "auth_code", "auth_message", "auth_tranref"];
    let pairs: Vec<_> = names.into_iter().zip(values).collect();
    let body = serde_urlencoded::to_string(pairs).unwrap_or_default();
    Answer::new(200, "application/x-www-form-urlencoded", body)
}

fn document(inner: &str) -> Answer {
    Answer::new(200, "application/xml", xml::document(&xml::wrap("remote", inner)))
}

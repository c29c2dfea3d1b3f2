//! Messages: the store's advice, the orders' callbacks, and what is said of the account.

use mizan_money::Money;

use super::Telr;
use super::order;
use super::sign::Pairs;
use super::transaction::{self, Transaction};
use crate::bank::record::{CaptureMode, Metadata, Order, Payment};
use crate::bank::wire::{Happened, Message};
use crate::bank::work::Work;

/// The messages about something that happened.
pub fn messages(telr: &Telr, work: &mut Work<'_>, happened: Happened, id: &str) -> Vec<Message> {
    use Happened as H;
    let told = match happened {
        // A sale is told when its money is taken, in the same moment.
        H::PaymentAuthorised if is_auth(work, id) => vec![id.to_owned()],
        H::PaymentFailed | H::PaymentHeld | H::Captured | H::RefundSucceeded => {
            vec![id.to_owned()]
        }
        H::RefundCreated if is_pending(work, id) => vec![id.to_owned()],
        H::PaymentReleased => newest(work, id, &["release", "void"]).into_iter().collect(),
        H::PaymentReversed => reversed(work, id),
        H::RefundFailed => vec![failed_refund(work, id)],
        H::OrderCancelled => return cancelled(telr, work, id).into_iter().collect(),
        H::Settled => return payout(telr, work, id).into_iter().collect(),
        _ => Vec::new(),
    };
    if happened == H::RefundSucceeded {
        mark_done(work, id);
    }
    told.iter().flat_map(|reference| tell(telr, work, reference)).collect()
}

fn is_auth(work: &Work<'_>, id: &str) -> bool {
    let payment = work.state.payments.get(id);
    payment.is_some_and(|payment| payment.capture == CaptureMode::Manual)
}

fn is_pending(work: &Work<'_>, id: &str) -> bool {
    let refund = work.state.refunds.get(id);
    refund.is_some_and(|refund| refund.state == crate::bank::record::RefundState::Pending)
}

/// What fails after it was done is a reversal, not a decline.
fn mark_done(work: &mut Work<'_>, id: &str) {
    if let Some(mut refund) = work.state.refunds.get(id).cloned() {
        refund.wire["done"] = true.into();
        work.put(refund);
    }
}

fn newest(work: &Work<'_>, payment: &str, kinds: &[&str]) -> Option<String> {
    let documents = transaction::documents(work.state, payment);
    let of_kind = documents.filter(|document| kinds.contains(&document.kind.as_str()));
    of_kind.last().map(|document| document.id.clone())
}

/// A payment was taken back: by a void of the shop, which is there already, or by the bank.
fn reversed(work: &mut Work<'_>, id: &str) -> Vec<String> {
    let Some(payment) = work.state.payments.get(id).cloned() else { return Vec::new() };
    if let Some(void) = newest(work, id, &["void"]) {
        return vec![void];
    }
    let captures: Vec<_> = work.state.captures_of(id).cloned().collect();
    if payment.capture == CaptureMode::Automatic || captures.is_empty() {
        return vec![transaction::keep(work, "void", &payment, (id, payment.amount))];
    }
    let mut kept = Vec::new();
    for capture in captures {
        let of = (capture.id.as_str(), capture.amount);
        kept.push(transaction::keep(work, "capture reversal", &payment, of));
    }
    kept
}

fn failed_refund(work: &mut Work<'_>, id: &str) -> String {
    let Some(refund) = work.state.refunds.get(id).cloned() else { return id.to_owned() };
    let payment = work.state.payments.get(&refund.payment).cloned();
    match payment.filter(|_| refund.wire["done"] == true) {
        Some(payment) => transaction::keep(work, "refund reversal", &payment, (id, refund.amount)),
        None => id.to_owned(),
    }
}

/// The number of a type in callbacks. Releases and reversed refunds have none.
fn number(kind: &str) -> Option<u8> {
    match kind {
        "sale" => Some(1),
        "void" => Some(2),
        "refund" => Some(3),
        "auth" => Some(4),
        "capture" => Some(7),
        "capture reversal" => Some(8),
        _ => None,
    }
}

fn tell(telr: &Telr, work: &mut Work<'_>, reference: &str) -> Vec<Message> {
    let Some(transaction) = transaction::find(work.state, reference) else { return Vec::new() };
    let Some(order) = transaction::order(work.state, &transaction).cloned() else {
        return Vec::new();
    };
    let payment = work.state.payments.get(&transaction.payment).cloned();
    let advice = advice(telr, &transaction, &order, payment.as_ref());
    let kind = format!("advice.{}", transaction.kind.replace(' ', "_"));
    let mut told = vec![message(work, kind, &advice, None, &order.metadata)];
    // An attempt that ends with its order is told by the order's own callback.
    let number = number(&transaction.kind).filter(|_| transaction.letter != "C");
    if let (Some(number), Some(url)) = (number, &order.notify_url) {
        let pairs = callback(telr, number, &transaction, &order);
        let kind = format!("callback.{}", transaction.kind.replace(' ', "_"));
        told.push(message(work, kind, &pairs, Some(url.clone()), &order.metadata));
    }
    told
}

fn message(
    work: &mut Work<'_>,
    kind: String,
    pairs: &Pairs,
    url: Option<String>,
    metadata: &Metadata,
) -> Message {
    Message {
        id: work.new_id("msg_", 14),
        kind,
        body: serde_urlencoded::to_string(pairs).unwrap_or_default(),
        url,
        metadata: metadata.clone(),
    }
}

fn owned(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn advice(
    telr: &Telr,
    transaction: &Transaction,
    order: &Order,
    payment: Option<&Payment>,
) -> Pairs {
    let wire = |name: &str| order.wire[name].as_str().unwrap_or_default();
    let test = if order.wire["test"] == true { "1" } else { "0" };
    let mut pairs = owned(&[
        ("tran_store", &telr.keys.store),
        ("tran_type", &transaction.kind),
        ("tran_class", wire("class")),
        ("tran_test", test),
        ("tran_ref", &transaction.reference),
        ("tran_prevref", &transaction.previous),
        ("tran_firstref", &transaction.first),
    ]);
    // Nobody has published whether advice names the order, so it does for half of them.
    if order.wire["names_order"] == true {
        pairs.extend(owned(&[("tran_order", &order.id)]));
    }
    pairs.extend(owned(&[
        ("tran_currency", transaction.currency.code()),
        ("tran_amount", &transaction.amount_text()),
        ("tran_cartid", &order.reference),
        ("tran_desc", wire("description")),
        ("tran_status", transaction.letter),
        ("tran_authcode", &transaction.code),
        ("tran_authmessage", &transaction.message),
    ]));
    if let Some(payment) = payment.filter(|payment| payment.instrument.kind == "card") {
        pairs.extend(owned(&[
            ("card_code", "VC"),
            ("card_payment", &format!("{} Credit", payment.instrument.brand)),
            ("bin_number", "411111"),
            ("card_issuer", "Simulated Bank"),
            ("card_country", "AE"),
            ("card_last4", &payment.instrument.last4),
        ]));
    }
    for (name, field, _) in order::BILL {
        if let Some(text) = order.wire["bill"][name].as_str().filter(|_| field != "bill_tel") {
            pairs.extend(owned(&[(field, text)]));
        }
    }
    pairs
}

fn callback(telr: &Telr, number: u8, transaction: &Transaction, order: &Order) -> Pairs {
    owned(&[
        ("tran_store", &telr.keys.store),
        ("tran_cartid", &order.reference),
        ("tran_order", &order.id),
        ("tran_ref", &transaction.reference),
        ("tran_type", &number.to_string()),
        ("tran_authstatus", transaction.letter),
        ("tran_authcode", &transaction.code),
        ("tran_authmessage", &transaction.message),
        ("tran_currency", transaction.currency.code()),
        ("tran_amount", &transaction.amount_text()),
    ])
}

/// The buyer left the page. There is no transaction, so only the order's callback tells.
fn cancelled(telr: &Telr, work: &mut Work<'_>, id: &str) -> Option<Message> {
    let order = work.state.orders.get(id).cloned()?;
    let url = order.notify_url.clone()?;
    let pairs = owned(&[
        ("tran_store", &telr.keys.store),
        ("tran_cartid", &order.reference),
        ("tran_order", &order.id),
        ("tran_ref", ""),
        ("tran_type", "6"),
        ("tran_authstatus", "C"),
        ("tran_authcode", "33"),
        ("tran_authmessage", "Cancelled"),
        ("tran_currency", order.currency.code()),
        ("tran_amount", &Money::new(order.amount, order.currency).major_string()),
    ]);
    Some(message(work, "callback.cancel".to_owned(), &pairs, Some(url), &order.metadata))
}

fn payout(telr: &Telr, work: &mut Work<'_>, id: &str) -> Option<Message> {
    let settlement = work.state.settlements.get(id).cloned()?;
    let currency = settlement.currency;
    let text = |minor: i64| Money::new(minor, currency).major_string();
    let pairs = owned(&[
        ("type", "account"),
        ("action", "payout"),
        ("account_id", &telr.keys.account),
        ("store_id", &telr.keys.store),
        ("payout_id", id),
        ("amount", &text(settlement.net)),
        ("currency", currency.code()),
        ("date", &order::day(settlement.created).to_string()),
        ("payout_interval", "daily"),
        ("payout_fee", &text(0)),
    ]);
    Some(message(work, "account.payout".to_owned(), &pairs, None, &Metadata::new()))
}

//! The Service API: transactions by reference, chain and cart, and the reports. XML.

use chrono::TimeDelta;

use super::account::{Line, line};
use super::code::{self, Failure};
use super::transaction::{self, Transaction};
use super::{order, xml};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::Answer;
use crate::bank::work::Work;

const RECENT: TimeDelta = TimeDelta::hours(48);
const RECENT_MAX: usize = 30;
const REPORTS_MAX: usize = 50;
const FILE: &str = "file1";

/// `GET /tools/api/xml/...`.
pub fn get(work: &Work<'_>, store: &str, request: &Request) -> Answer {
    let state = &*work.state;
    let segments = request.segments();
    let ["tools", "api", "xml", rest @ ..] = segments.as_slice() else { return nothing() };
    if request.verb() != "GET" {
        return nothing();
    }
    match rest {
        ["transaction"] => match request.query_value("cart_id") {
            Some(cart) => list(state, store, &of_cart(state, &cart)),
            None => list(state, store, &recent(work)),
        },
        ["transaction", reference] => match transaction::find(state, reference) {
            Some(found) => document(&view(state, store, &found)),
            None => refusal(404, &Failure::of(22)),
        },
        ["transaction", reference, "linked"] => {
            let root = transaction::root(state, reference);
            let linked = root.map(|payment| transaction::linked(state, payment));
            list(state, store, &linked.unwrap_or_default())
        }
        ["transaction", cart, "cart"] => list(state, store, &of_cart(state, &decoded(cart))),
        ["report"] => reports(state),
        ["report", id, FILE] => report(state, id),
        _ => nothing(),
    }
}

fn recent(work: &Work<'_>) -> Vec<Transaction> {
    let mut all = transaction::newest_first(work.state);
    all.retain(|transaction| transaction.created + RECENT > work.now);
    all.truncate(RECENT_MAX);
    all
}

fn of_cart(state: &State, cart: &str) -> Vec<Transaction> {
    let orders = state.orders_for(cart);
    let payments = orders.flat_map(|order| state.payments_of(&order.id));
    payments.flat_map(|payment| transaction::linked(state, payment)).collect()
}

/// A part of a path, decoded once; a plus is a plus.
fn decoded(part: &str) -> String {
    let pair = format!("part={}", part.replace('+', "%2B"));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(&pair).unwrap_or_default();
    pairs.into_iter().next().map(|(_, text)| text).unwrap_or_default()
}

fn document(root: &str) -> Answer {
    Answer::new(200, "application/xml", xml::document(root))
}

fn nothing() -> Answer {
    refusal(404, &Failure::of(106))
}

/// A refusal.
pub fn refusal(status: u16, failure: &Failure) -> Answer {
    let leaves = [
        xml::leaf("code", &failure.code.to_string()),
        xml::leaf("message", code::message(failure.code)),
    ];
    Answer { status, ..document(&xml::wrap("error", &leaves.concat())) }
}

fn list(state: &State, store: &str, all: &[Transaction]) -> Answer {
    let count = xml::leaf("trancount", &all.len().to_string());
    let views: String = all.iter().map(|transaction| view(state, store, transaction)).collect();
    document(&xml::wrap("transactions", &(count + &views)))
}

fn leaves(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(name, text)| xml::leaf(name, text)).collect()
}

fn view(state: &State, store: &str, transaction: &Transaction) -> String {
    let order = transaction::order(state, transaction);
    let wire = |name: &str| order.and_then(|order| order.wire[name].as_str()).unwrap_or_default();
    let is_test = order.is_some_and(|order| order.wire["test"] == true);
    let date = transaction.created.format("%d %b %Y %H:%M:%S GMT").to_string();
    let mut inner = leaves(&[
        ("id", &transaction.reference),
        ("prev_id", &transaction.previous),
        ("init_id", &transaction.first),
        ("date", &date),
        ("store", store),
        ("type", &transaction.kind),
        ("class", wire("class")),
        ("test", if is_test { "1" } else { "0" }),
        ("cartid", order.map_or("", |order| &order.reference)),
        ("description", wire("description")),
        ("currency", transaction.currency.code()),
        ("amount", &transaction.amount_text()),
    ]);
    let auth = leaves(&[
        ("status", transaction.letter),
        ("statustxt", status_text(transaction.letter)),
        ("code", &transaction.code),
        ("message", &transaction.message),
    ]);
    inner += &xml::wrap("auth", &auth);
    let payment = state.payments.get(&transaction.payment);
    if let Some(card) = payment.map(|it| &it.instrument).filter(|it| it.kind == "card") {
        let card = leaves(&[
            ("type", &format!("{} Credit", card.brand)),
            ("number", &format!("411111******{}", card.last4)),
            ("country", "United Arab Emirates"),
            ("country_iso", "AE"),
        ]);
        inner += &xml::wrap("card", &card);
    }
    let bill = |name: &str| order.and_then(|order| order.wire["bill"][name].as_str());
    let billing: String = order::BILL
        .iter()
        .filter(|(name, form, _)| *form != "bill_phone1" && bill(name).is_some())
        .map(|(name, form, _)| {
            let shown = if *form == "bill_tel" { "tel" } else { name };
            xml::leaf(shown, bill(name).unwrap_or_default())
        })
        .collect();
    inner += &xml::wrap("billing", &billing);
    xml::wrap("transaction", &inner)
}

fn status_text(letter: &str) -> &'static str {
    match letter {
        "A" => "Authorised",
        "H" => "On Hold",
        "P" => "Pending",
        "C" => "Cancelled",
        "X" => "Expired",
        "D" => "Declined",
        _ => "Error",
    }
}

/// One report for each payout, newest first.
fn reports(state: &State) -> Answer {
    let newest = state.settlements.newest_first().take(REPORTS_MAX);
    let views: Vec<_> = newest
        .map(|settlement| {
            let date = order::day(settlement.created).to_string();
            let name = format!("Payout {} {}", settlement.id, settlement.currency.code());
            let inner = leaves(&[("id", &settlement.id), ("name", &name), ("date", &date)]);
            xml::wrap("report", &(inner + &xml::leaf("file", FILE)))
        })
        .collect();
    let count = xml::leaf("reportcount", &views.len().to_string());
    document(&xml::wrap("reports", &(count + &views.concat())))
}

/// The rows of a payout as comma-separated text.
fn report(state: &State, id: &str) -> Answer {
    let Some(settlement) = state.settlements.get(id) else { return nothing() };
    let mut text = Line::COLUMNS.join(",") + "\r\n";
    for row in settlement.rows.iter().filter_map(|id| state.rows.get(id)) {
        let line = line(state, row);
        text += &line.cells().map(cell).join(",");
        text += "\r\n";
    }
    Answer::new(200, "text/csv", text)
}

fn cell(text: &str) -> String {
    match text.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

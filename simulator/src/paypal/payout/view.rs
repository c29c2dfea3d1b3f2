//! Batches of payouts and their items, as the bank's records look in PayPal's words.

use mizan_money::Currency;
use serde_json::{Value, json};

use crate::bank::cash::{Payout, PayoutState};
use crate::bank::record::Document;
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::Answer;
use crate::bank::work::Work;
use crate::paypal::amount::{self, older};
use crate::paypal::error::Error;
use crate::paypal::time::iso;
use crate::paypal::view::{View, compact};

/// The kinds of documents: batches, and items of denied batches.
pub const BATCH: &str = "payout_batch";
pub const ITEM: &str = "payout_item";
pub const UNREGISTERED: &str = "RECEIVER_UNREGISTERED";
const PAGE_MAX: usize = 1000;

/// What waits there for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The receiver has no account.
    Unclaimed,
    /// PayPal looks at it first.
    OnHold,
}

/// What an item waits for.
pub fn waiting(payout: &Payout) -> Option<Waiting> {
    match payout.wire["waits"].as_str() {
        Some("unclaimed") => Some(Waiting::Unclaimed),
        Some("onhold") => Some(Waiting::OnHold),
        _ => None,
    }
}

/// The batch of this id.
pub fn batch(state: &State, id: &str) -> Result<Document, Error> {
    let found = state.documents.get(id).filter(|document| document.kind == BATCH);
    found.cloned().ok_or_else(Error::missing)
}

fn item_ids(batch: &Document) -> impl Iterator<Item = &str> {
    batch.body["items"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The payouts of a batch; `None` where one is not made yet.
pub fn payouts_of<'a>(state: &'a State, batch: &Document) -> Vec<Option<&'a Payout>> {
    item_ids(batch).map(|id| state.payouts.get(id)).collect()
}

/// The word for a batch's state. SUCCESS says that it was worked through, not that it was paid.
pub fn status(batch: &Value) -> &'static str {
    match (batch["denied"] == true, batch["completed"].is_null()) {
        (true, _) => "DENIED",
        (false, true) => "PROCESSING",
        (false, false) => "SUCCESS",
    }
}

/// The header of a batch.
pub fn header(state: &State, id: &str) -> Option<Value> {
    let batch = batch(state, id).ok()?;
    let items = item_ids(&batch).filter_map(|id| parts(state, id));
    let (mut amount, mut fees) = (0_i64, 0_i64);
    let mut currency = Currency::USD;
    for part in items {
        currency = part.currency;
        amount = amount.saturating_add(part.amount);
        fees = fees.saturating_add(part.fee);
    }
    Some(compact(json!({
        "payout_batch_id": id,
        "batch_status": status(&batch.body),
        "time_created": iso(batch.created),
        "time_completed": batch.body["completed"],
        "sender_batch_header": batch.body["header"],
        "amount": older(amount, currency),
        "fees": older(fees, currency),
    })))
}

/// What an item with and one without money have in common.
struct Parts {
    amount: i64,
    fee: i64,
    currency: Currency,
    body: Value,
}

fn parts(state: &State, id: &str) -> Option<Parts> {
    if let Some(payout) = state.payouts.get(id) {
        let (amount, fee, currency) = (payout.amount, payout.fee, payout.currency);
        return Some(Parts { amount, fee, currency, body: with_money(payout) });
    }
    let document = state.documents.get(id).filter(|document| document.kind == ITEM)?;
    let item = &document.body["item"];
    let (amount, currency) = amount::read(&item["amount"], "amount").ok()?;
    let body = compact(json!({
        "payout_item_id": id,
        "transaction_status": "FAILED",
        "payout_item_fee": older(0, currency),
        "payout_batch_id": document.body["batch"],
        "sender_batch_id": document.body["sender_batch_id"],
        "payout_item": item,
        "time_processed": iso(document.created),
        "errors": errors("INSUFFICIENT_FUNDS", "Sender does not have sufficient funds."),
    }));
    Some(Parts { amount, fee: 0, currency, body })
}

fn errors(name: &str, message: &str) -> Value {
    let page = "https://developer.paypal.com/docs/api/payments.payouts-batch#errors";
    json!({ "name": name, "message": message, "information_link": page })
}

fn with_money(payout: &Payout) -> Value {
    let reason = payout.reason.as_deref();
    let waits = waiting(payout);
    let status = match (payout.state, reason, waits) {
        (PayoutState::Queued, ..) => "PENDING",
        (PayoutState::InTransit, _, Some(Waiting::Unclaimed)) => "UNCLAIMED",
        (PayoutState::InTransit, _, Some(Waiting::OnHold)) => "ONHOLD",
        (PayoutState::InTransit, ..) => "PENDING",
        (PayoutState::Paid, ..) => "SUCCESS",
        (PayoutState::Returned, Some("REFUNDED"), _) => "REFUNDED",
        (PayoutState::Returned, Some("REVERSED"), _) => "REVERSED",
        (PayoutState::Returned | PayoutState::Cancelled, ..) => "RETURNED",
        (PayoutState::Failed, Some("BLOCKED"), _) => "BLOCKED",
        (PayoutState::Failed, ..) => "FAILED",
    };
    let unclaimed = waits == Some(Waiting::Unclaimed) && payout.state != PayoutState::Paid;
    let wrong = match payout.state {
        _ if unclaimed => Some(errors(UNREGISTERED, "Receiver is unregistered")),
        PayoutState::Failed => Some(errors(reason.unwrap_or("FAILED"), "The payout failed.")),
        _ => None,
    };
    compact(json!({
        "payout_item_id": payout.id,
        "transaction_id": payout.wire["transaction_id"],
        "activity_id": payout.bank_reference,
        "transaction_status": status,
        "payout_item_fee": older(payout.fee, payout.currency),
        "payout_batch_id": payout.wire["batch"],
        "sender_batch_id": payout.wire["sender_batch_id"],
        "payout_item": payout.wire["item"],
        "time_processed": iso(payout.created),
        "errors": wrong,
    }))
}

/// One item.
pub fn item(view: &View<'_>, id: &str) -> Option<Value> {
    let mut body = parts(view.state, id)?.body;
    let batch = body["payout_batch_id"].as_str().unwrap_or_default();
    let links = json!([
        view.link("self", "GET", &format!("/v1/payments/payouts-item/{id}")),
        view.link("batch", "GET", &format!("/v1/payments/payouts/{batch}")),
    ]);
    body["links"] = links;
    Some(body)
}

/// Refuses an id that no item has.
pub fn exists(state: &State, id: &str) -> Result<(), Error> {
    parts(state, id).map(drop).ok_or_else(Error::missing)
}

/// `GET /v1/payments/payouts-item/{id}`.
pub fn get_item(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let item = item(&View::of(work), id).ok_or_else(Error::missing)?;
    Ok(Answer::json(200, &item))
}

/// `GET /v1/payments/payouts/{id}?page=&page_size=&total_required=`.
pub fn get_batch(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Answer, Error> {
    let batch = batch(work.state, id)?;
    let number = |name: &str, default: usize| match request.query_value(name) {
        None => Ok(default),
        Some(text) => match text.parse::<usize>().ok().filter(|n| (1..=PAGE_MAX).contains(n)) {
            Some(number) => Ok(number),
            None => Err(Error::unknown_value(name)),
        },
    };
    let (page, size) = (number("page", 1)?, number("page_size", PAGE_MAX)?);
    let view = View::of(work);
    let skip = (page - 1).saturating_mul(size);
    let shown = item_ids(&batch).skip(skip).take(size).filter_map(|id| item(&view, id));
    let mut body = json!({
        "batch_header": header(work.state, id),
        "items": shown.collect::<Vec<_>>(),
        "links": [view.link("self", "GET", &format!("/v1/payments/payouts/{id}"))],
    });
    if request.query_value("total_required").as_deref() == Some("true") {
        let total = item_ids(&batch).count();
        body["total_items"] = total.into();
        body["total_pages"] = total.div_ceil(size).into();
    }
    Ok(Answer::json(200, &body))
}

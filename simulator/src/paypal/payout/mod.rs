//! Payouts: batches of items, each of which goes its own way.
//!
//! A receiver that begins with `unclaimed` has no account: the money waits there for 30 days. One
//! that begins with `onhold` is looked at first. Both go on when the control plane says so.

mod view;

pub use view::{Waiting, get_batch, get_item, header, item, waiting};

use mizan_money::Currency;
use serde_json::{Value, json};

use crate::bank::cash::{Payout, PayoutState};
use crate::bank::payout::{self as core, NewPayout, Shortage};
use crate::bank::record::{Document, Metadata, Step};
use crate::bank::request::Request;
use crate::bank::wire::Answer;
use crate::bank::work::Work;
use crate::paypal::amount::{self, minor_per_unit, older};
use crate::paypal::error::Error;
use crate::paypal::event;
use crate::paypal::once::{self, Made};
use crate::paypal::time::{days, iso};
use crate::paypal::view::{View, compact};
use crate::paypal::{UPPER, new_id, object};

use view::{BATCH, ITEM, UNREGISTERED, batch, exists, payouts_of, status};

const ITEMS_MAX: usize = 15_000;
const BATCH_ID_MAX: usize = 256;
const ITEM_ID_MAX: usize = 63;
const CLAIM_DAYS: i64 = 30;
const ID_CHARS: usize = 13;
/// What an item costs: so many of the smallest units that PayPal writes.
const FEE_UNITS: i64 = 25;

/// One item of a request, read.
struct Item {
    amount: i64,
    currency: Currency,
    fields: Value,
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap_or_default()
}

fn read_items(body: &Value) -> Result<Vec<Item>, Error> {
    let items = body["items"].as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Error::missing_field("items"))?;
    if items.len() > ITEMS_MAX {
        return Err(Error::unknown_value("items"));
    }
    let header = &body["sender_batch_header"];
    let read = |(place, item): (usize, &Value)| {
        let field = |name: &str| format!("items[{place}]/{name}");
        let (amount, currency) = amount::read(&item["amount"], &field("amount"))?;
        let kind = item["recipient_type"].as_str().or(header["recipient_type"].as_str());
        let kind = kind.unwrap_or("EMAIL");
        if !matches!(kind, "EMAIL" | "PHONE" | "PAYPAL_ID") {
            return Err(Error::unknown_value(&field("recipient_type")));
        }
        if text(item, "receiver").is_empty() {
            return Err(Error::missing_field(&field("receiver")));
        }
        if text(item, "sender_item_id").len() > ITEM_ID_MAX {
            return Err(Error::too_long(&field("sender_item_id")));
        }
        let fields = compact(json!({
            "recipient_type": kind,
            "amount": older(amount, currency),
            "note": item["note"],
            "receiver": item["receiver"],
            "sender_item_id": item["sender_item_id"],
            "recipient_wallet": item["recipient_wallet"],
        }));
        Ok(Item { amount, currency, fields })
    };
    items.iter().enumerate().map(read).collect()
}

/// `POST /v1/payments/payouts`.
pub fn create(work: &mut Work<'_>, request: &Request) -> Result<Answer, Error> {
    let body = object(request)?;
    let made = once::once(work, request, once::payout_window(), |work| make(work, &body))?;
    answer(work, &made)
}

fn answer(work: &Work<'_>, made: &Made) -> Result<Answer, Error> {
    let batch = batch(work.state, &made.id)?;
    let mut header = json!({
        "sender_batch_header": batch.body["header"],
        "payout_batch_id": made.id,
        "batch_status": if made.before { status(&batch.body) } else { "PENDING" },
    });
    header["time_created"] = iso(batch.created).into();
    let path = format!("/v1/payments/payouts/{}", made.id);
    let links = json!([View::of(work).link("self", "GET", &path)]);
    let body = json!({ "batch_header": header, "links": links });
    Ok(Answer::json(if made.before { 200 } else { 201 }, &body))
}

fn make(work: &mut Work<'_>, body: &Value) -> Result<String, Error> {
    let header = &body["sender_batch_header"];
    if !header.is_object() {
        return Err(Error::missing_field("sender_batch_header"));
    }
    let sender_id = text(header, "sender_batch_id");
    if sender_id.len() > BATCH_ID_MAX {
        return Err(Error::too_long("sender_batch_header/sender_batch_id"));
    }
    check_batch_id(work, sender_id)?;
    let items = read_items(body)?;
    let denied = !covered(work, &items);
    let id = work.new_text(UPPER, ID_CHARS);
    let item_ids: Vec<_> = items.iter().map(|_| work.new_text(UPPER, ID_CHARS)).collect();
    let batch = json!({
        "header": header, "items": item_ids, "denied": denied,
        "completed": if denied { Value::from(iso(work.now)) } else { Value::Null },
    });
    work.put(Document { id: id.clone(), kind: BATCH.into(), created: work.now, body: batch });
    if denied {
        for (item_id, item) in item_ids.into_iter().zip(items) {
            let body = json!({ "batch": id, "item": item.fields, "sender_batch_id": sender_id });
            work.put(Document { id: item_id, kind: ITEM.into(), created: work.now, body });
        }
        event::batch(work, &id, "PAYMENT.PAYOUTSBATCH.DENIED");
        return Ok(id);
    }
    event::batch(work, &id, "PAYMENT.PAYOUTSBATCH.PROCESSING");
    for (item_id, item) in item_ids.into_iter().zip(items) {
        send(work, &id, sender_id, (item_id, item))?;
    }
    finish(work, &id);
    Ok(id)
}

/// A batch id is used once in 30 days; the refusal names the first batch.
fn check_batch_id(work: &Work<'_>, sender_id: &str) -> Result<(), Error> {
    let recent = |document: &&Document| {
        document.kind == BATCH
            && document.created + once::payout_window() > work.now
            && text(&document.body["header"], "sender_batch_id") == sender_id
    };
    let known = work.state.documents.newest_first().find(recent).filter(|_| !sender_id.is_empty());
    let Some(known) = known else { return Ok(()) };
    let refusal = Error::named("USER_BUSINESS_ERROR", "User business error.");
    let text = "Batch with given sender_batch_id already exists";
    let href = format!("{}/v1/payments/payouts/{}", work.settings.public_url, known.id);
    Err(refusal.reason(text, "sender_batch_id").link("self", &href))
}

fn fee(currency: Currency) -> i64 {
    FEE_UNITS * minor_per_unit(currency)
}

/// Whether the balances cover all items and their fees.
fn covered(work: &mut Work<'_>, items: &[Item]) -> bool {
    let mut sums: std::collections::BTreeMap<Currency, i64> = std::collections::BTreeMap::new();
    for item in items {
        let sum = sums.entry(item.currency).or_default();
        *sum = sum.saturating_add(item.amount).saturating_add(fee(item.currency));
    }
    sums.into_iter().all(|(currency, sum)| work.payout_balance(currency) >= sum)
}

fn send(
    work: &mut Work<'_>,
    batch: &str,
    sender_batch_id: &str,
    (id, item): (String, Item),
) -> Result<(), Error> {
    let receiver = text(&item.fields, "receiver").to_owned();
    let reference = text(&item.fields, "sender_item_id").to_owned();
    let waits = ["unclaimed", "onhold"].into_iter().find(|word| receiver.starts_with(word));
    let mut metadata = Metadata::new();
    metadata.insert("sender_item_id".to_owned(), reference.clone());
    metadata.insert("sender_batch_id".to_owned(), sender_batch_id.to_owned());
    let new = NewPayout {
        id: id.clone(),
        reference,
        amount: item.amount,
        currency: item.currency,
        fee: (fee(item.currency), 0),
        destination: receiver,
        metadata,
        shortage: Shortage::Refuses,
        wire: json!({
            "batch": batch, "sender_batch_id": sender_batch_id, "item": item.fields,
            "transaction_id": new_id(work), "waits": waits, "cancelled": false,
        }),
    };
    let made = core::create(work, new).map_err(|_| Error::server(500))?;
    if let Some(waits) = waits {
        let mut made = work.state.payouts.get(&made.id).cloned().unwrap_or(made);
        let returns = Step { at: work.now + days(CLAIM_DAYS), to: PayoutState::Returned };
        made.plan = if waits == "unclaimed" { vec![returns] } else { Vec::new() };
        work.put(made);
    }
    Ok(())
}

/// A batch is done when none of its items is on its way any more.
pub fn finish(work: &mut Work<'_>, id: &str) {
    let Ok(mut batch) = batch(work.state, id) else { return };
    let moves =
        |payout: &&Payout| payout.state == PayoutState::InTransit && waiting(payout).is_none();
    let payouts = payouts_of(work.state, &batch);
    let begun = payouts.iter().all(Option::is_some);
    if !batch.body["completed"].is_null() || !begun || payouts.iter().flatten().any(moves) {
        return;
    }
    batch.body["completed"] = iso(work.now).into();
    work.put(batch);
    event::batch(work, id, "PAYMENT.PAYOUTSBATCH.SUCCESS");
}

/// `POST /v1/payments/payouts-item/{id}/cancel`: only while it is unclaimed.
pub fn cancel_item(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    exists(work.state, id)?;
    let found = work.state.payouts.get(id).cloned();
    let unclaimed = found.filter(|payout| {
        payout.state == PayoutState::InTransit && waiting(payout) == Some(Waiting::Unclaimed)
    });
    let refusal = || {
        let text = "Item cannot be cancelled in its current status.";
        Error::named("ITEM_INCORRECT_STATUS", text)
    };
    let mut payout = unclaimed.ok_or_else(refusal)?;
    payout.wire["cancelled"] = true.into();
    work.put(payout);
    core::turn(work, id, PayoutState::Returned, Some(UNREGISTERED)).map_err(|_| refusal())?;
    get_item(work, id)
}

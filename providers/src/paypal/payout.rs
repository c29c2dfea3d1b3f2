//! Payouts: a batch with one item, and what becomes of the item.
//!
//! The batch is known at once and its item a little later, so a payout has two names here:
//! `batch:…` until the item is known, then the item's own id. A batch that is a success was
//! processed, no more; only the item tells whether it was paid, and what was paid can come back.

use mizan_money::Money;
use serde_json::{Value, json};

use crate::error::BuildError;
use crate::model::{PayoutStatus, ProviderFee, ProviderRef};
use crate::outcome::UnknownReason;
use crate::payout::{CreatePayout, PayoutAnswer, PayoutDestination, SyncPayout};
use crate::paypal::amount::to_wire_amount;
use crate::paypal::facts::{FactError, Told, amount, id, named, positive};
use crate::paypal::{status, wire};
use crate::reference;

/// What a batch's id begins with here; PayPal's ids of batches and items look alike.
const BATCH: &str = "batch:";
/// Most characters of the note beside a payout.
const MAX_NOTE_CHARS: usize = 4000;

/// The batch a reference names, where it names one.
pub(super) fn batch_id(reference: &ProviderRef) -> Option<&str> {
    reference.as_str().strip_prefix(BATCH)
}

/// Says a payout. The batch is named by our payout and operation, so that PayPal refuses a second
/// one of the same attempt even after its keys are forgotten.
pub(super) fn body(it: &CreatePayout) -> Result<Value, BuildError> {
    let wire = to_wire_amount(it.amount)?;
    let (kind, receiver) = match &it.destination {
        PayoutDestination::Email(address) => ("EMAIL", address),
        PayoutDestination::PayeeAccount(account) => ("PAYPAL_ID", account),
        PayoutDestination::ConnectedAccount { .. } | PayoutDestination::FundAccount(_) => {
            let what = "a payout to a bank: it pays e-mail addresses and accounts of its own";
            return Err(BuildError::Unsupported { provider: "paypal", what });
        }
    };
    let plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
    if !plain(receiver) || receiver.len() > 127 {
        let problem = "an e-mail address or an account id has 1 to 127 characters";
        return Err(BuildError::Field { field: "destination", problem });
    }
    let mut item = json!({
        "recipient_type": kind,
        "receiver": receiver,
        "amount": {"currency": wire.currency_code, "value": wire.value},
        "sender_item_id": it.payout.to_string(),
    });
    if let Some(note) = &it.description {
        if note.chars().count() > MAX_NOTE_CHARS {
            let problem = "a note has at most 4000 characters";
            return Err(BuildError::Field { field: "description", problem });
        }
        if let Some(fields) = item.as_object_mut() {
            fields.insert("note".to_owned(), json!(note));
        }
    }
    let batch = reference::of_payout(it.payout, it.operation);
    Ok(json!({"sender_batch_header": {"sender_batch_id": batch}, "items": [item]}))
}

/// A batch by itself: what a payout answers at once.
pub(super) fn batch(
    header: &wire::BatchHeader,
    asked: Option<Money>,
) -> Result<Told<PayoutAnswer>, FactError> {
    let ours = header.sender_batch_header.as_ref().and_then(|it| it.sender_batch_id.clone());
    let told = header.amount.as_ref().map(positive).transpose()?;
    let facts = PayoutAnswer {
        provider_ref: id("payout_batch_id", &format!("{BATCH}{}", header.payout_batch_id))?,
        status: status::payout("batch", &header.batch_status),
        status_word: wire::word(&header.batch_status),
        amount: told.or(asked).ok_or(FactError::Missing { field: "amount" })?,
        fee: None,
        reason: None,
        bank_reference: None,
        reference: ours.as_deref().and_then(reference::payout),
    };
    let word = format!("batch: {}", header.batch_status);
    Ok(Told { facts, word, ours, parent: None, intent: None })
}

/// A batch with its items: our item as soon as there is one.
pub(super) fn in_batch(
    it: &wire::Batch,
    asked: &SyncPayout,
) -> Result<Told<PayoutAnswer>, UnknownReason> {
    let unreadable =
        |error: FactError| UnknownReason::Unreadable { status: 200, problem: error.to_string() };
    if batch_id(&asked.provider_ref) != Some(it.batch_header.payout_batch_id.as_str()) {
        return Err(unreadable(FactError::Contradiction { field: "payout_batch_id" }));
    }
    let read = |value: &Value| serde_json::from_value::<wire::Item>(value.clone()).ok();
    let items: Vec<wire::Item> = it.items.iter().filter_map(read).collect();
    let is_ours = |item: &&wire::Item| {
        let text = item.payout_item.sender_item_id.as_deref();
        text.and_then(|text| named("po", text)) == Some(asked.payout)
    };
    let mut found = items.iter().filter(is_ours);
    match (found.next(), found.next()) {
        (Some(only), None) => item(only).map_err(unreadable),
        (None, _) if it.items.is_empty() => {
            batch(&it.batch_header, Some(asked.amount)).map_err(unreadable)
        }
        _ => Err(unreadable(FactError::Contradiction { field: "items" })),
    }
}

/// An item by itself.
pub(super) fn item(it: &wire::Item) -> Result<Told<PayoutAnswer>, FactError> {
    let status = status::payout("item", &it.transaction_status);
    let amount = positive(&it.payout_item.amount)?;
    let ours = it.payout_item.sender_item_id.clone();
    let left = matches!(status, PayoutStatus::InTransit | PayoutStatus::Paid);
    let facts = PayoutAnswer {
        provider_ref: id("payout_item_id", &it.payout_item_id)?,
        status,
        status_word: wire::word(&it.transaction_status),
        amount,
        fee: left.then(|| fee(it, amount)).flatten(),
        reason: it.errors.as_ref().and_then(|error| error.name.as_deref()).map(wire::word),
        bank_reference: None,
        reference: ours.as_deref().and_then(reference::payout),
    };
    let word = format!("item: {}", it.transaction_status);
    Ok(Told { facts, word, ours, parent: None, intent: None })
}

/// What PayPal takes for it, on top of what arrives. Whether it gives the fee back when the payout
/// comes back only the report tells.
fn fee(it: &wire::Item, paid: Money) -> Option<ProviderFee> {
    let told: wire::Amount = serde_json::from_value(it.payout_item_fee.clone()).ok()?;
    let fee = amount(&told).ok().filter(|fee| fee.minor() >= 0)?;
    let gross = paid.checked_neg().ok()?;
    let row = it.transaction_id.as_deref().unwrap_or(&it.payout_item_id);
    Some(ProviderFee {
        gross,
        fee,
        tax: Money::zero(fee.currency()),
        net: gross.checked_sub(fee).ok()?,
        balance_transaction: ProviderRef::parse(row).ok()?,
    })
}

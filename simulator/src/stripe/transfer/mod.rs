//! Transfers to connected accounts, and taking them back.
//!
//! A transfer has no state: `amount_reversed` grows until `reversed` is true. From the balance it
//! takes what is available; from a charge it may be made earlier, up to the charge's amount, and is
//! available when the charge is. Connected accounts are not kept: every id that looks like one of
//! Stripe's is an account, and keeps what it was sent until it is taken back.

pub mod control;
pub mod record;
mod view;

use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::amount;
use super::balance::{self, Moved};
use super::state::{Charge, State};
use super::wire::error::StripeError;
use super::wire::params::{Params, required};
use super::wire::view::previous_attributes;
use super::work::Work;
use record::{Reversal, Transfer};

pub use view::{show, show_reversal};

/// What ids of accounts begin with, and how much follows.
const ACCOUNT: (&str, usize) = ("acct_1", 15);

/// What is asked for.
struct Asked {
    amount: i64,
    currency: String,
    destination: String,
    source: Option<String>,
    group: Option<String>,
}

fn read(params: &mut Params) -> Result<Asked, StripeError> {
    let amount = required(params.integer("amount")?, "amount")?;
    let currency = amount::currency(&required(params.text("currency")?, "currency")?)?;
    let destination = required(params.text("destination")?, "destination")?;
    let source = params.text("source_transaction")?;
    let group = params.text("transfer_group")?;
    let source_type = params.word("source_type", &["card", "bank_account", "fpx"])?;
    if source.is_some() && source_type.is_some() {
        let message = "You cannot give both `source_type` and `source_transaction`.";
        let code = "transfer_source_balance_parameters_mismatch";
        return Err(StripeError::param("source_type", code, message));
    }
    if amount < 1 {
        let message = "This value must be greater than or equal to 1.";
        return Err(StripeError::param("amount", "parameter_invalid_integer", message));
    }
    amount::check_step(amount, &currency, "amount")?;
    Ok(Asked { amount, currency, destination, source, group })
}

fn is_account(id: &str) -> bool {
    let rest = id.strip_prefix(ACCOUNT.0).unwrap_or_default();
    rest.len() == ACCOUNT.1 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `POST /v1/transfers`.
pub fn create(work: &mut Work<'_>, mut params: Params) -> Result<Value, StripeError> {
    let asked = read(&mut params)?;
    let description = params.text("description")?;
    let metadata = params.merge_metadata(&Default::default())?;
    params.finish()?;

    if !is_account(&asked.destination) {
        return Err(StripeError::missing(400, "destination", &asked.destination, "destination"));
    }
    let charge = match &asked.source {
        None => {
            check_balance(work, &asked)?;
            None
        }
        Some(id) => Some(source(work, id, &asked)?),
    };
    let id = work.new_id("tr");
    let (at, group) = match &charge {
        None => (work.now, asked.group),
        Some(charge) => {
            let row = charge.balance_row.as_deref().and_then(|row| work.state.rows.get(row));
            let at = row.map_or(work.now, |row| row.available_on.max(work.now));
            (at, asked.group.or_else(|| Some(group_of(work.state, charge))))
        }
    };
    let moved = Moved { of: &id, currency: &asked.currency, amount: -asked.amount, at };
    let text = format!("Transfer to {}", asked.destination);
    let balance_row = balance::write_move(work, moved, ("transfer", "transfer"), text);
    let transfer = Transfer {
        destination_payment: work.new_id("py"),
        id,
        created: work.now,
        amount: asked.amount,
        amount_reversed: 0,
        currency: asked.currency,
        description,
        destination: asked.destination,
        source: asked.source,
        group,
        metadata,
        balance_row,
    };
    work.put(transfer.clone());
    let shown = show(work.state, &transfer);
    work.emit("transfer.created", shown.clone(), None);
    Ok(shown)
}

fn check_balance(work: &Work<'_>, asked: &Asked) -> Result<(), StripeError> {
    if balance::available(work.state, &asked.currency, work.now) >= asked.amount {
        return Ok(());
    }
    let message = "You have insufficient available funds in your Stripe account.";
    Err(StripeError::state("balance_insufficient", message))
}

/// The charge that a transfer is paid from.
fn source(work: &Work<'_>, id: &str, asked: &Asked) -> Result<Charge, StripeError> {
    const PARAM: &str = "source_transaction";
    let charge = work.state.charges.get(id).filter(|charge| charge.captured);
    let charge = charge.ok_or_else(|| StripeError::missing(400, "charge", id, PARAM))?;
    if charge.currency != asked.currency {
        let message = format!(
            "The currency of the source transaction's balance transaction ({}) must be the same \
             as the transfer currency ({}).",
            charge.currency, asked.currency
        );
        return Err(StripeError::param(PARAM, "parameter_invalid", &message).by_state());
    }
    let made = work.state.transfers.oldest_first();
    let made = made.filter(|transfer| transfer.source.as_deref() == Some(id));
    let gone: i64 = made.map(|transfer| transfer.amount - transfer.amount_reversed).sum();
    if asked.amount > charge.amount_captured - gone {
        let message = format!(
            "Transfers using this transaction as a source must not exceed the source amount of \
             {}. There have been {gone} transferred already.",
            charge.amount_captured
        );
        return Err(StripeError::too_much(&message));
    }
    Ok(charge.clone())
}

/// The group of a charge: its payment's, or one that is made up of it.
fn group_of(state: &State, charge: &Charge) -> String {
    let intent = state.intents.get(&charge.intent);
    let told = intent.and_then(|intent| intent.echoes.get("transfer_group")?.as_str());
    told.map_or_else(|| format!("group_{}", charge.intent), str::to_owned)
}

fn find(work: &Work<'_>, id: &str) -> Result<Transfer, StripeError> {
    let found = work.state.transfers.get(id).cloned();
    found.ok_or_else(|| StripeError::missing(404, "transfer", id, "id"))
}

/// `POST /v1/transfers/{id}`: only what the caller attached can be changed.
pub fn update(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut transfer = find(work, id)?;
    let before = show(work.state, &transfer);
    transfer.metadata = params.merge_metadata(&transfer.metadata)?;
    transfer.description = params.text("description")?.or(transfer.description);
    params.finish()?;
    let after = show(work.state, &transfer);
    if after != before {
        work.put(transfer);
        let previous = previous_attributes(&before, &after);
        work.emit("transfer.updated", after.clone(), Some(previous));
    }
    Ok(after)
}

/// `POST /v1/transfers/{id}/reversals`: all that is left, or a part.
pub fn reverse(work: &mut Work<'_>, id: &str, mut params: Params) -> Result<Value, StripeError> {
    let mut transfer = find(work, id)?;
    let asked = params.integer("amount")?;
    // Nothing shows it again.
    params.text("description")?;
    params.flag("refund_application_fee")?;
    let metadata = params.merge_metadata(&Default::default())?;
    params.finish()?;

    let left = transfer.amount - transfer.amount_reversed;
    let amount = asked.unwrap_or(left);
    if asked.is_some_and(|amount| amount < 1) {
        let message = "This value must be greater than or equal to 1.";
        return Err(StripeError::param("amount", "parameter_invalid_integer", message));
    }
    if left == 0 {
        let message = format!("Transfer {id} is already fully reversed.");
        return Err(StripeError::invalid(&message).by_state());
    }
    if amount > left {
        let message = format!("The reversal of {amount} is greater than the {left} not reversed.");
        return Err(StripeError::too_much(&message));
    }
    amount::check_step(amount, &transfer.currency, "amount")?;
    let before = show(work.state, &transfer);
    let reversal = take_back(work, &transfer, amount);
    let reversal = Reversal { metadata, ..reversal };
    work.put(reversal.clone());
    transfer.amount_reversed += amount;
    work.put(transfer.clone());
    let after = show(work.state, &transfer);
    let previous = previous_attributes(&before, &after);
    work.emit("transfer.reversed", after, Some(previous));
    Ok(show_reversal(&reversal))
}

/// Writes the line that brings money back: not before the transfer's own money was available.
fn take_back(work: &mut Work<'_>, transfer: &Transfer, amount: i64) -> Reversal {
    let id = work.new_id("trr");
    let row = work.state.rows.get(&transfer.balance_row);
    let at: Timestamp = row.map_or(work.now, |row| row.available_on.max(work.now));
    let moved = Moved { of: &id, currency: &transfer.currency, amount, at };
    let text = format!("REFUND FOR TRANSFER ({})", transfer.id);
    let balance_row =
        balance::write_move(work, moved, ("transfer_refund", "transfer_reversal"), text);
    Reversal {
        id,
        created: work.now,
        amount,
        currency: transfer.currency.clone(),
        transfer: transfer.id.clone(),
        metadata: Default::default(),
        balance_row,
    }
}

/// Money of the account's own comes into the balance at once; below zero some leaves.
fn top_up(work: &mut Work<'_>, amount: i64, currency: &str) -> Value {
    let id = work.new_id("tu");
    let moved = Moved { of: &id, currency, amount, at: work.now };
    balance::write_move(work, moved, ("topup", "topup"), "Top-up".to_owned());
    let balance = balance::available(work.state, currency, work.now);
    json!({ "balance": balance, "currency": currency })
}

//! Everything that only reads: single objects and lists.

use serde_json::Value;

use super::balance;
use super::dispute as disputed;
use super::state::{PaymentMethod, State};
use super::transfer as transferred;
use super::wire::error::StripeError;
use super::wire::list::Page;
use super::wire::params::Params;
use super::wire::view;
use mizan_money::Timestamp;

type Answer = Result<Value, StripeError>;

fn one<T>(found: Option<T>, noun: &str, id: &str, params: Params) -> Result<T, StripeError> {
    params.finish()?;
    found.ok_or_else(|| StripeError::missing(404, noun, id, "id"))
}

/// One PaymentIntent; a browser may add its client secret.
pub fn intent(state: &State, id: &str, mut params: Params) -> Answer {
    let secret = params.text("client_secret")?;
    let intent = one(state.intents.get(id), "payment_intent", id, params)?;
    if secret.is_some_and(|secret| secret != intent.client_secret) {
        let message = "The client secret does not belong to this PaymentIntent.";
        return Err(StripeError::param("client_secret", "resource_missing", message));
    }
    Ok(view::intent(intent))
}

/// One charge.
pub fn charge(state: &State, id: &str, params: Params) -> Answer {
    one(state.charges.get(id), "charge", id, params).map(|charge| view::charge(state, charge))
}

/// One refund.
pub fn refund(state: &State, id: &str, params: Params) -> Answer {
    one(state.refunds.get(id), "refund", id, params).map(view::refund)
}

/// One dispute.
pub fn dispute(state: &State, now: Timestamp, id: &str, params: Params) -> Answer {
    let found = one(state.disputes.get(id), "dispute", id, params)?;
    Ok(disputed::show(state, found, now))
}

/// One transfer.
pub fn transfer(state: &State, id: &str, params: Params) -> Answer {
    let found = one(state.transfers.get(id), "transfer", id, params)?;
    Ok(transferred::show(state, found))
}

/// One balance transaction.
pub fn row(state: &State, now: Timestamp, id: &str, params: Params) -> Answer {
    let row = one(state.rows.get(id), "balance transaction", id, params)?;
    Ok(view::balance_row(row, now))
}

/// One event.
pub fn event(state: &State, id: &str, params: Params) -> Answer {
    one(state.events.get(id), "event", id, params).map(|event| view::event(state, event))
}

/// One customer.
pub fn customer(state: &State, id: &str, params: Params) -> Answer {
    one(state.customers.get(id), "customer", id, params).map(view::customer)
}

/// One payment method.
pub fn payment_method(state: &State, id: &str, params: Params) -> Answer {
    let method: &PaymentMethod = one(state.methods.get(id), "PaymentMethod", id, params)?;
    Ok(view::payment_method(method))
}

/// The balance.
pub fn balance(state: &State, now: Timestamp, params: Params) -> Answer {
    params.finish()?;
    Ok(balance::view(state, now))
}

fn fits(filter: Option<&String>, value: &str) -> bool {
    filter.is_none_or(|filter| filter == value)
}

fn fits_optional(filter: Option<&String>, value: Option<&String>) -> bool {
    filter.is_none() || filter == value
}

/// PaymentIntents.
pub fn intents(state: &State, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let customer = params.text("customer")?;
    params.finish()?;
    page.of(
        "/v1/payment_intents",
        &state.intents,
        |row| row.created,
        |row| fits_optional(customer.as_ref(), row.customer.as_ref()),
        view::intent,
    )
}

/// Charges.
pub fn charges(state: &State, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let intent = params.text("payment_intent")?;
    let customer = params.text("customer")?;
    params.finish()?;
    page.of(
        "/v1/charges",
        &state.charges,
        |row| row.created,
        |row| {
            fits(intent.as_ref(), &row.intent)
                && fits_optional(customer.as_ref(), row.customer.as_ref())
        },
        |row| view::charge(state, row),
    )
}

/// Refunds.
pub fn refunds(state: &State, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    params.finish()?;
    page.of(
        "/v1/refunds",
        &state.refunds,
        |row| row.created,
        |row| fits(intent.as_ref(), &row.intent) && fits(charge.as_ref(), &row.charge),
        view::refund,
    )
}

/// Disputes.
pub fn disputes(state: &State, now: Timestamp, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let intent = params.text("payment_intent")?;
    let charge = params.text("charge")?;
    params.finish()?;
    page.of(
        "/v1/disputes",
        &state.disputes,
        |row| row.created,
        |row| fits(intent.as_ref(), &row.intent) && fits(charge.as_ref(), &row.charge),
        |row| disputed::show(state, row, now),
    )
}

/// Transfers.
pub fn transfers(state: &State, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let destination = params.text("destination")?;
    let group = params.text("transfer_group")?;
    params.finish()?;
    page.of(
        "/v1/transfers",
        &state.transfers,
        |row| row.created,
        |row| {
            fits(destination.as_ref(), &row.destination)
                && fits_optional(group.as_ref(), row.group.as_ref())
        },
        |row| transferred::show(state, row),
    )
}

/// Balance transactions. There are no payouts yet, so the filter `payout` finds nothing.
pub fn rows(state: &State, now: Timestamp, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let kind = params.text("type")?;
    let source = params.text("source")?;
    let currency = params.text("currency")?;
    let payout = params.text("payout")?;
    params.finish()?;
    page.of(
        "/v1/balance_transactions",
        &state.rows,
        |row| row.created,
        |row| {
            payout.is_none()
                && fits(kind.as_ref(), &row.kind)
                && fits(source.as_ref(), &row.source)
                && fits(currency.as_ref(), &row.currency)
        },
        |row| view::balance_row(row, now),
    )
}

/// Events.
pub fn events(state: &State, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let kind = params.text("type")?;
    let kinds = params.texts("types")?;
    params.finish()?;
    page.of(
        "/v1/events",
        &state.events,
        |row| row.created,
        |row| {
            let listed = kinds.as_ref().is_none_or(|kinds| kinds.contains(&row.kind));
            listed && fits(kind.as_ref(), &row.kind)
        },
        |row| view::event(state, row),
    )
}

/// Customers.
pub fn customers(state: &State, mut params: Params) -> Answer {
    let page = Page::take(&mut params)?;
    let email = params.text("email")?;
    params.finish()?;
    page.of(
        "/v1/customers",
        &state.customers,
        |row| row.created,
        |row| email.is_none() || row.texts.get("email").and_then(Value::as_str) == email.as_deref(),
        view::customer,
    )
}

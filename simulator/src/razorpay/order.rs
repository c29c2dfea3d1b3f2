//! Orders: created once per receipt, found by receipt, paid on the hosted page.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::error::Error;
use super::params::{Fields, Paging, all};
use super::view;
use crate::bank::order::{self, NewOrder};
use crate::bank::record::{CaptureMode, Returns};
use crate::bank::request::Request;
use crate::bank::work::Work;

const RECEIPT_MAX: usize = 40;
const INR_MIN: i64 = 100;
/// How long an authorisation holds where the order says nothing.
const HOLD_MINUTES: i64 = 3 * 24 * 60;
const HOLD_MINUTES_LEAST: i64 = 12;
const HOLD_MINUTES_MOST: i64 = 7_200;

/// `POST /v1/orders`.
pub fn create(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let amount = fields.required_amount("amount")?;
    let currency = fields.currency()?;
    if currency.code() == "INR" && amount < INR_MIN {
        return Err(Error::field("amount", "The amount must be at least INR 1.00"));
    }
    if currency.exponent() == 3 && amount % 10 != 0 {
        return Err(Error::field("amount", "The last digit of the amount must be 0."));
    }
    let receipt = fields.text("receipt");
    if receipt.is_some_and(|receipt| receipt.len() > RECEIPT_MAX || !receipt.is_ascii()) {
        return Err(Error::field("receipt", "The receipt may not be greater than 40 characters."));
    }
    if receipt.is_some_and(|receipt| work.state.orders_for(receipt).next().is_some()) {
        let text = "Duplicate request. This request has already been processed.";
        return Err(Error::state(text));
    }
    let (capture, hold) = capture_settings(&fields)?;
    let metadata = fields.notes()?;
    let receipt = receipt.map(str::to_owned);
    let transfers = fields.value("transfers").cloned();
    super::transfer::check_order(amount, currency.code(), transfers.as_ref())?;
    let new = NewOrder {
        id: work.new_id("order_", 14),
        reference: receipt.clone().unwrap_or_default(),
        amount,
        currency,
        capture,
        metadata,
        returns: Returns::default(),
        notify_url: None,
        expires_at: None,
        hold: Some(hold),
        customer: fields.text("customer_id").map(str::to_owned),
        wire: json!({ "receipt": receipt, "transfers": transfers }),
    };
    let order = order::open(work, new);
    Ok(view::order(work.state, &order))
}

/// Automatic is the account's default.
fn capture_settings(fields: &Fields) -> Result<(CaptureMode, TimeDelta), Error> {
    let payment = Fields::of(fields.value("payment").unwrap_or(&Value::Null));
    let options = Fields::of(payment.value("capture_options").unwrap_or(&Value::Null));
    let mode = match payment.text("capture") {
        None | Some("automatic") => CaptureMode::Automatic,
        Some("manual") => CaptureMode::Manual,
        Some(_) => return Err(Error::field("payment.capture", "The selected capture is invalid.")),
    };
    let name = match mode {
        CaptureMode::Automatic => "automatic_expiry_period",
        CaptureMode::Manual => "manual_expiry_period",
    };
    let minutes = options.amount(name)?.unwrap_or(HOLD_MINUTES);
    if !(HOLD_MINUTES_LEAST..=HOLD_MINUTES_MOST).contains(&minutes) {
        return Err(Error::field(name, "The expiry period must be between 12 and 7200 minutes."));
    }
    Ok((mode, TimeDelta::minutes(minutes)))
}

/// `GET /v1/orders`: newest first, by receipt, with `expand[]=payments`.
pub fn list(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    let receipt = request.query_value("receipt");
    let expands = request.query().iter().any(|(name, value)| {
        (name == "expand[]" || name.starts_with("expand[")) && value == "payments"
    });
    let state = &*work.state;
    let orders = state.orders.newest_first();
    let orders =
        orders.filter(|it| receipt.as_ref().is_none_or(|receipt| it.reference == *receipt));
    Ok(paging.page(orders.map(|order| {
        let mut entity = view::order(state, order);
        if expands {
            let payments = state.payments_of(&order.id);
            entity["payments"] = all(payments.map(|payment| view::payment(state, payment)));
        }
        (order.created, entity)
    })))
}

/// `GET /v1/orders/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    let order = work.state.orders.get(id).ok_or_else(Error::missing)?;
    Ok(view::order(work.state, order))
}

/// `GET /v1/orders/{id}/payments`.
pub fn payments(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    let order = work.state.orders.get(id).ok_or_else(Error::missing)?;
    let payments = work.state.payments_of(&order.id);
    Ok(all(payments.map(|payment| view::payment(work.state, payment))))
}

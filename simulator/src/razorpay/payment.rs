//! Payments and their refunds.

use serde_json::{Value, json};

use super::error::Error;
use super::params::{Fields, Paging, all};
use super::view;
use crate::bank::payment::{self, Rest};
use crate::bank::record::PaymentState;
use crate::bank::refund::{self, NewRefund, Speed};
use crate::bank::request::Request;
use crate::bank::work::{Refusal, Work};

/// `GET /v1/payments`, newest first.
pub fn list(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    let state = &*work.state;
    let payments = state.payments.newest_first();
    Ok(paging.page(payments.map(|it| (it.created, view::payment(state, it)))))
}

/// `GET /v1/payments/{id}`.
pub fn get(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    let payment = work.state.payments.get(id).ok_or_else(Error::missing)?;
    Ok(view::payment(work.state, payment))
}

/// `POST /v1/payments/{id}/capture`: the whole authorised amount, in its currency.
pub fn capture(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let amount = fields.required_amount("amount")?;
    let currency = fields.currency()?;
    let payment = work.state.payments.get(id).cloned().ok_or_else(Error::missing)?;
    match payment.state {
        PaymentState::Authorised => {}
        PaymentState::Captured | PaymentState::Expired | PaymentState::Cancelled => {
            let text = "This payment has already been captured or voided";
            return Err(Error::state(text));
        }
        _ => {
            let text = "Only payments which have been authorized and not yet captured can be \
                        captured";
            return Err(Error::state(text));
        }
    }
    if amount != payment.amount {
        let text = "Capture amount must be equal to the amount authorized";
        return Err(Error::field("amount", text));
    }
    if currency != payment.currency {
        let text = "Currency mismatch between the capture and the payment";
        return Err(Error::field("currency", text));
    }
    payment::capture(work, id, amount, Rest::Released)
        .map_err(|_| Error::state("Another payment operation is in progress"))?;
    get(work, id)
}

/// `POST /v1/payments/{id}/refund`.
pub fn refund(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Value, Error> {
    let fields = Fields::read(request)?;
    let amount = fields.amount("amount")?;
    if amount.is_some_and(|amount| amount <= 0) {
        return Err(Error::field("amount", "The amount must be at least INR 1.00"));
    }
    let speed = match fields.text("speed") {
        None | Some("normal") => "normal",
        Some("optimum") => "optimum",
        Some(_) => return Err(Error::field("speed", "The selected speed is invalid.")),
    };
    let metadata = fields.notes()?;
    let payment = work.state.payments.get(id).cloned().ok_or_else(Error::missing)?;
    if payment.captured == 0 {
        return Err(Error::state("The payment status should be captured for action to be taken"));
    }
    let left = refund::refundable(&payment);
    if left == 0 {
        return Err(Error::state("The payment has been fully refunded already."));
    }
    if amount.is_some_and(|amount| amount > left) {
        let text = "The refund amount provided is greater than amount captured.";
        return Err(Error::field("amount", text));
    }
    if fields.is_on("reverse_all") {
        super::transfer::reverse_all(work, id, amount)?;
    }
    let receipt = fields.text("receipt").map(str::to_owned);
    let new = NewRefund {
        id: work.new_id("rfnd_", 14),
        of: id,
        amount,
        reference: receipt.clone().unwrap_or_default(),
        metadata,
        speed: Speed::AtOnce,
        wire: json!({ "receipt": receipt, "speed": speed }),
    };
    match refund::create(work, new) {
        Ok(refund) => Ok(view::refund(work.state, &refund)),
        Err(Refusal::Missing) => Err(Error::missing()),
        Err(refusal) => Err(Error::state(&refusal.to_string())),
    }
}

/// `GET /v1/payments/{id}/refunds`, newest first.
pub fn refunds_of(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    work.state.payments.get(id).ok_or_else(Error::missing)?;
    let state = &*work.state;
    let refunds = state.refunds_of(id).rev();
    Ok(paging.page(refunds.map(|it| (it.created, view::refund(state, it)))))
}

/// `GET /v1/refunds`, newest first.
pub fn refunds(work: &mut Work<'_>, request: &Request) -> Result<Value, Error> {
    let paging = Paging::read(request, 100)?;
    let state = &*work.state;
    let refunds = state.refunds.newest_first();
    Ok(paging.page(refunds.map(|it| (it.created, view::refund(state, it)))))
}

/// `GET /v1/refunds/{id}` and `GET /v1/payments/{id}/refunds/{id}`.
pub fn get_refund(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    let refund = work.state.refunds.get(id).ok_or_else(Error::missing)?;
    Ok(view::refund(work.state, refund))
}

/// `GET /v1/payments/{id}/transfers`.
pub fn transfers_of(work: &mut Work<'_>, id: &str) -> Result<Value, Error> {
    work.state.payments.get(id).ok_or_else(Error::missing)?;
    Ok(all(work.state.transfers_of(id).map(view::transfer)))
}

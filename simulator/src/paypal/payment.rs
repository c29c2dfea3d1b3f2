//! Authorisations, their captures, and refunds.

use serde_json::{Value, json};

use super::amount;
use super::error::Error;
use super::extra::{OrderExtra, PaymentExtra};
use super::once::{self, Made};
use super::order::extent;
use super::time::days;
use super::view::{Extent, View, minimal};
use super::{new_id, object};
use crate::bank::cash::DisputeState;
use crate::bank::payment::{self as core, Rest};
use crate::bank::record::{Capture, CaptureMode, Metadata, Payment, PaymentState};
use crate::bank::refund::{self, NewRefund, Speed};
use crate::bank::request::Request;
use crate::bank::state::State;
use crate::bank::wire::Answer;
use crate::bank::work::Work;

const CAPTURES_MAX: usize = 10;
const HONOUR_DAYS: i64 = 3;
const REFUND_DAYS: i64 = 180;
/// A new authorisation may be higher: by 15 %, and by at most this in US dollars.
const MORE_PERCENT: i64 = 115;
const MORE_USD_MINOR: i64 = 7_500;
const REFUND_KIND: &str = "bank";

fn authorization(state: &State, id: &str) -> Result<Payment, Error> {
    let found = state.payments.get(id).filter(|payment| {
        payment.capture == CaptureMode::Manual && !PaymentExtra::of(payment).hidden
    });
    found.cloned().ok_or_else(Error::missing)
}

/// A capture with its payment; `None` where the payment alone stands for it.
fn capture_of(state: &State, id: &str) -> Result<(Payment, Option<Capture>), Error> {
    if let Some(capture) = state.captures.get(id) {
        let payment = state.payments.get(&capture.payment).cloned();
        return Ok((payment.ok_or_else(Error::missing)?, Some(capture.clone())));
    }
    let direct = state.payments.get(id).filter(|payment| {
        payment.capture == CaptureMode::Automatic && !PaymentExtra::of(payment).hidden
    });
    Ok((direct.cloned().ok_or_else(Error::missing)?, None))
}

fn sized(body: Value, extent: Extent) -> Value {
    if extent == Extent::Full { body } else { minimal(&body) }
}

/// `GET /v2/payments/authorizations/{id}`.
pub fn get_authorization(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let payment = authorization(work.state, id)?;
    Ok(Answer::json(200, &View::of(work).authorization(&payment)))
}

/// `GET /v2/payments/captures/{id}`.
pub fn get_capture(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    Ok(Answer::json(200, &shown_capture(work, id)?))
}

fn shown_capture(work: &Work<'_>, id: &str) -> Result<Value, Error> {
    let view = View::of(work);
    Ok(match capture_of(work.state, id)? {
        (payment, Some(capture)) => view.capture(&payment, &capture),
        (payment, None) => view.untaken(&payment),
    })
}

/// `GET /v2/payments/refunds/{id}`.
pub fn get_refund(work: &mut Work<'_>, id: &str) -> Result<Answer, Error> {
    let refund = work.state.refunds.get(id).ok_or_else(Error::missing)?;
    Ok(Answer::json(200, &View::of(work).refund(refund)))
}

/// The amount of a body; `None`: there is none.
fn amount_in(body: &Value, of: &Payment, mismatch: &str) -> Result<Option<i64>, Error> {
    if body["amount"].is_null() {
        return Ok(None);
    }
    let (minor, currency) = amount::read(&body["amount"], "/amount")?;
    match currency == of.currency {
        true => Ok(Some(minor)),
        false => {
            let text = "The currency must be the one of the payment.";
            Err(Error::issue(mismatch, text).at("/amount/currency_code"))
        }
    }
}

/// Why an authorisation cannot be used.
fn unusable(payment: &Payment) -> Option<Error> {
    let extra = PaymentExtra::of(payment);
    let (issue, text) = match payment.state {
        PaymentState::Authorised => return None,
        PaymentState::Captured if !extra.voided => {
            ("AUTHORIZATION_ALREADY_CAPTURED", "Authorization has already been captured.")
        }
        PaymentState::Captured | PaymentState::Cancelled => {
            ("AUTHORIZATION_VOIDED", "A voided authorization cannot be captured or reauthorized.")
        }
        PaymentState::Expired => ("AUTHORIZATION_EXPIRED", "The authorization is expired."),
        PaymentState::Failed | PaymentState::Reversed => {
            ("AUTHORIZATION_DENIED", "A denied authorization cannot be captured.")
        }
        PaymentState::RequiresAction | PaymentState::Processing | PaymentState::Held => {
            ("PENDING_AUTHORIZATION", "A pending authorization cannot be captured.")
        }
    };
    Some(Error::issue(issue, text))
}

/// `POST /v2/payments/authorizations/{id}/capture`.
pub fn capture(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Answer, Error> {
    let body = object(request)?;
    let made = once::once(work, request, once::payment_window(), |work| {
        let mut payment = authorization(work.state, id)?;
        if let Some(refusal) = unusable(&payment) {
            return Err(refusal);
        }
        let left = payment.on_hold();
        let amount = amount_in(&body, &payment, "CURRENCY_MISMATCH")?.unwrap_or(left);
        if amount > left {
            let text = "Capture amount exceeds allowable limit.";
            return Err(Error::issue("MAX_CAPTURE_AMOUNT_EXCEEDED", text));
        }
        if work.state.captures_of(id).count() >= CAPTURES_MAX {
            let text = "Maximum number of allowable captures has been reached.";
            return Err(Error::issue("MAX_CAPTURE_COUNT_EXCEEDED", text));
        }
        let mut extra = PaymentExtra::of(&payment);
        extra.invoices.push(body["invoice_id"].as_str().map(str::to_owned));
        payment.wire = extra.wire();
        work.put(payment);
        let rest = if body["final_capture"] == true { Rest::Released } else { Rest::Stays };
        let made = core::capture(work, id, amount, rest);
        made.map(|capture| capture.id).map_err(|_| Error::server(500))
    })?;
    let body = sized(shown_capture(work, &made.id)?, extent(request));
    Ok(Answer::json(made.status(), &body))
}

/// `POST /v2/payments/authorizations/{id}/void`: 204, or 200 with the authorisation.
pub fn void(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Answer, Error> {
    once::once(work, request, once::payment_window(), |work| {
        let mut payment = authorization(work.state, id)?;
        let mut extra = PaymentExtra::of(&payment);
        match payment.state {
            PaymentState::Authorised => {}
            PaymentState::Captured if !extra.voided => {
                let text = "Authorization has been previously captured and hence cannot be voided.";
                return Err(Error::issue("PREVIOUSLY_CAPTURED", text));
            }
            PaymentState::Captured | PaymentState::Cancelled => {
                let text = "Authorization has been previously voided and hence cannot be voided \
                            again.";
                return Err(Error::issue("PREVIOUSLY_VOIDED", text));
            }
            _ => return Err(unusable(&payment).unwrap_or_else(|| Error::server(500))),
        }
        extra.voided = true;
        payment.wire = extra.wire();
        work.put(payment);
        core::release(work, id, None).map_err(|_| Error::server(500))?;
        Ok(id.to_owned())
    })?;
    match extent(request) {
        Extent::Full => get_authorization(work, id),
        Extent::Minimal => {
            let answer = Answer::json(204, &Value::Null);
            Ok(Answer { headers: Vec::new(), body: String::new(), ..answer })
        }
    }
}

/// `POST /v2/payments/authorizations/{id}/reauthorize`: a new one takes its place.
pub fn reauthorize(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Answer, Error> {
    let body = object(request)?;
    let made = once::once(work, request, once::payment_window(), |work| {
        let payment = authorization(work.state, id)?;
        if let Some(refusal) = unusable(&payment) {
            return Err(refusal);
        }
        let amount = amount_in(&body, &payment, "CURRENCY_MISMATCH")?;
        let amount = amount.unwrap_or(payment.amount);
        check_again(work, &payment, amount)?;
        replace(work, payment, amount)
    })?;
    let payment = authorization(work.state, &made.id)?;
    let body = View::of(work).authorization(&payment);
    Ok(Answer::json(made.status(), &sized(body, extent(request))))
}

fn check_again(work: &Work<'_>, payment: &Payment, amount: i64) -> Result<(), Error> {
    if payment.captured > 0 || PaymentExtra::of(payment).replaces.is_some() {
        let text = "A reauthorization is not supported for this authorization.";
        return Err(Error::issue("REAUTHORIZATION_NOT_SUPPORTED", text));
    }
    if work.now < payment.created + days(HONOUR_DAYS) {
        let text = "A reauthorization is not allowed within the honor period.";
        return Err(Error::issue("REAUTHORIZATION_TOO_SOON", text));
    }
    let mut most = payment.amount.saturating_mul(MORE_PERCENT) / 100;
    if payment.currency.code() == "USD" {
        most = most.min(payment.amount.saturating_add(MORE_USD_MINOR));
    }
    if amount > most {
        let text = "The reauthorized amount exceeds the allowable limit.";
        return Err(Error::issue("AUTHORIZATION_AMOUNT_EXCEEDED", text));
    }
    Ok(())
}

fn replace(work: &mut Work<'_>, mut old: Payment, amount: i64) -> Result<String, Error> {
    let order = work.state.orders.get(&old.order).cloned().ok_or_else(Error::missing)?;
    let id = new_id(work);
    let mut extra = PaymentExtra::of(&old);
    extra.replaced_by = Some(id.clone());
    old.wire = extra.wire();
    let (old_id, instrument) = (old.id.clone(), old.instrument.clone());
    let (token, customer) = (old.token.clone(), old.customer.clone());
    work.put(old);
    core::release(work, &old_id, None).map_err(|_| Error::server(500))?;
    let mut new = core::begin(work, &order, instrument, id.clone());
    (new.amount, new.token, new.customer) = (amount, token, customer);
    new.wire = PaymentExtra { replaces: Some(old_id), ..PaymentExtra::default() }.wire();
    core::authorise(work, new);
    Ok(id)
}

/// `POST /v2/payments/captures/{id}/refund`: an empty body is all that is left.
pub fn refund(work: &mut Work<'_>, request: &Request, id: &str) -> Result<Answer, Error> {
    let body = object(request)?;
    let made = once::once(work, request, once::payment_window(), |work| {
        let (payment, capture) = capture_of(work.state, id)?;
        let Some(capture) = capture else {
            let text = "Cannot initiate a refund as the capture is pending.";
            return Err(match payment.state.is_open() {
                true => Error::issue("PENDING_CAPTURE", text),
                false => Error::issue("REFUND_NOT_ALLOWED", "The capture was not completed."),
            });
        };
        let amount = amount_in(&body, &payment, "REFUND_CAPTURE_CURRENCY_MISMATCH")?;
        check_refund(work, &payment, &capture, amount)?;
        check_refund_invoice(work.state, &body)?;
        let slow = payment.instrument.kind == REFUND_KIND;
        let speed = if slow { Speed::Later } else { Speed::AtOnce };
        let new = NewRefund {
            id: new_id(work),
            of: id,
            amount,
            reference: body["invoice_id"].as_str().unwrap_or_default().to_owned(),
            metadata: Metadata::new(),
            speed,
            wire: json!({
                "note_to_payer": body["note_to_payer"], "custom_id": body["custom_id"],
                "invoice_id": body["invoice_id"],
            }),
        };
        refund::create(work, new).map(|refund| refund.id).map_err(|_| Error::server(500))
    })?;
    answer_refund(work, request, &made)
}

fn answer_refund(work: &Work<'_>, request: &Request, made: &Made) -> Result<Answer, Error> {
    let refund = work.state.refunds.get(&made.id).ok_or_else(Error::missing)?;
    let body = sized(View::of(work).refund(refund), extent(request));
    Ok(Answer::json(made.status(), &body))
}

fn check_refund(
    work: &mut Work<'_>,
    payment: &Payment,
    capture: &Capture,
    amount: Option<i64>,
) -> Result<(), Error> {
    let left = capture.amount - capture.refunded;
    let amount = amount.unwrap_or(left);
    let disputes = work.state.disputes.oldest_first().filter(|it| it.payment == payment.id);
    let states: Vec<_> = disputes.map(|dispute| dispute.state).collect();
    let (issue, text) = if payment.state == PaymentState::Reversed
        || states.contains(&DisputeState::Lost)
    {
        let text = "Refunds are not allowed on a transaction that was charged back.";
        ("REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", text)
    } else if states.iter().any(|state| !state.is_closed()) {
        ("TRANSACTION_DISPUTED", "There is an open case on this transaction.")
    } else if left == 0 {
        ("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
    } else if amount > left {
        let text = "The refund amount must be less than or equal to the capture amount that has \
                    not yet been refunded.";
        ("REFUND_AMOUNT_EXCEEDED", text)
    } else if work.now > capture.created + days(REFUND_DAYS) {
        ("REFUND_TIME_LIMIT_EXCEEDED", "You are over the time limit to perform a refund.")
    } else if work.payout_balance(capture.base_currency) < amount {
        let text = "Capture could not be refunded due to insufficient funds.";
        ("REFUND_FAILED_INSUFFICIENT_FUNDS", text)
    } else {
        return Ok(());
    };
    Err(Error::issue(issue, text))
}

/// The shop's number of a refund is used once.
fn check_refund_invoice(state: &State, body: &Value) -> Result<(), Error> {
    let Some(invoice) = body["invoice_id"].as_str() else { return Ok(()) };
    match state.refunds.oldest_first().any(|refund| refund.reference == invoice) {
        true => {
            let text = "Requested invoice number has been previously refunded.";
            Err(Error::issue("DUPLICATE_INVOICE_ID", text))
        }
        false => Ok(()),
    }
}

/// The shop's references that a payment carries, for the `match` of a fault rule.
pub fn matched(state: &State, payment: &Payment) -> Metadata {
    let order = state.orders.get(&payment.order).filter(|order| !OrderExtra::of(order).setup);
    order.map(|order| order.metadata.clone()).unwrap_or_default()
}

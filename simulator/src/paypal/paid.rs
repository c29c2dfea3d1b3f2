//! Authorisations, captures and refunds, as the bank's records look in PayPal's words.
//!
//! A capture without an authorisation and its payment are one thing with one id: while it waits,
//! or when it was declined, the payment alone stands for it.

use mizan_money::{Currency, Timestamp};
use serde_json::{Value, json};

use super::amount::money;
use super::extra::{self, OrderExtra, PaymentExtra};
use super::time::{days, iso};
use super::view::{View, compact};
use crate::bank::record::{Capture, CaptureMode, Payment, PaymentState, Refund, RefundState};

/// What a declined capture shows of the processor.
const DECLINED: &str = "5900";
/// How long an authorisation holds.
pub const HOLD_DAYS: i64 = 29;

/// The word for an authorisation's state.
fn authorization_status(payment: &Payment, extra: &PaymentExtra) -> &'static str {
    use PaymentState as S;
    match payment.state {
        S::RequiresAction | S::Processing | S::Held => "PENDING",
        S::Authorised if payment.captured > 0 => "PARTIALLY_CAPTURED",
        S::Authorised => "CREATED",
        S::Captured if extra.voided => "VOIDED",
        S::Captured => "CAPTURED",
        S::Failed => "DENIED",
        S::Cancelled => "VOIDED",
        S::Expired => "EXPIRED",
        S::Reversed if payment.captured > 0 => "CAPTURED",
        S::Reversed => "VOIDED",
    }
}

/// The word for a taken capture's state. What was taken back counts as given back.
fn capture_status(payment: &Payment, capture: &Capture) -> &'static str {
    if payment.state == PaymentState::Reversed || capture.refunded >= capture.amount {
        "REFUNDED"
    } else if capture.refunded > 0 {
        "PARTIALLY_REFUNDED"
    } else {
        "COMPLETED"
    }
}

fn seller_protection() -> Value {
    json!({
        "status": "ELIGIBLE",
        "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
    })
}

/// What a capture without a record of its own, and one with, have in common.
struct CaptureParts<'a> {
    id: &'a str,
    status: &'static str,
    amount: i64,
    created: Timestamp,
    updated: Timestamp,
    is_final: bool,
    invoice: Option<String>,
    fee: Option<i64>,
}

impl View<'_> {
    fn custom_id(&self, payment: &Payment) -> (Option<String>, Option<String>) {
        let order = self.state.orders.get(&payment.order);
        let extra = order.map(OrderExtra::of).unwrap_or_default();
        (extra.custom_id, extra.invoice_id)
    }

    /// An authorisation.
    pub fn authorization(&self, payment: &Payment) -> Value {
        let extra = PaymentExtra::of(payment);
        let status = authorization_status(payment, &extra);
        let path = format!("/v2/payments/authorizations/{}", payment.id);
        let mut links = vec![self.link("self", "GET", &path)];
        if payment.on_hold() > 0 {
            for rel in ["capture", "void", "reauthorize"] {
                links.push(self.link(rel, "POST", &format!("{path}/{rel}")));
            }
        }
        let (custom_id, invoice_id) = self.custom_id(payment);
        let reason = extra.pending.filter(|_| status == "PENDING");
        compact(json!({
            "id": payment.id,
            "status": status,
            "status_details": reason.map(|reason| json!({ "reason": reason })),
            "amount": money(payment.amount, payment.currency),
            "invoice_id": invoice_id,
            "custom_id": custom_id,
            "seller_protection": seller_protection(),
            "expiration_time": iso(payment.created + days(HOLD_DAYS)),
            "create_time": iso(payment.created),
            "update_time": iso(payment.created),
            "supplementary_data": { "related_ids": { "order_id": payment.order } },
            "links": links,
        }))
    }

    /// A capture that took money.
    pub fn capture(&self, payment: &Payment, capture: &Capture) -> Value {
        let newest = self.state.captures_of(&payment.id).next_back();
        let is_newest = newest.is_some_and(|newest| newest.id == capture.id);
        let holds = payment.state == PaymentState::Authorised;
        let voided = PaymentExtra::of(payment).voided;
        let refunds = self.state.refunds_of(&payment.id);
        let updated = refunds.filter(|it| it.capture == capture.id).map(|it| it.created).max();
        let parts = CaptureParts {
            id: &capture.id,
            status: capture_status(payment, capture),
            amount: capture.amount,
            created: capture.created,
            updated: updated.unwrap_or(capture.created),
            is_final: is_newest && !holds && !voided,
            invoice: extra::invoice(self.state, payment, capture),
            fee: Some(capture.fee + capture.tax),
        };
        self.capture_of(payment, parts)
    }

    /// A capture that waits, or was declined: the payment stands for it.
    pub fn untaken(&self, payment: &Payment) -> Value {
        let status = if payment.state.is_open() { "PENDING" } else { "DECLINED" };
        let parts = CaptureParts {
            id: &payment.id,
            status,
            amount: payment.amount,
            created: payment.created,
            updated: payment.created,
            is_final: true,
            invoice: None,
            fee: None,
        };
        let mut body = self.capture_of(payment, parts);
        if status == "PENDING" {
            let reason = PaymentExtra::of(payment).pending;
            body["status_details"] = json!({ "reason": reason.as_deref().unwrap_or("OTHER") });
        } else {
            body["processor_response"] = json!({ "response_code": DECLINED });
        }
        body
    }

    fn capture_of(&self, payment: &Payment, parts: CaptureParts<'_>) -> Value {
        let path = format!("/v2/payments/captures/{}", parts.id);
        let is_direct = payment.capture == CaptureMode::Automatic;
        let up = match is_direct {
            true => format!("/v2/checkout/orders/{}", payment.order),
            false => format!("/v2/payments/authorizations/{}", payment.id),
        };
        let mut related = json!({ "order_id": payment.order });
        if !is_direct {
            related["authorization_id"] = payment.id.as_str().into();
        }
        let (custom_id, invoice_id) = self.custom_id(payment);
        let sum = |minor: i64| money(minor, payment.currency);
        compact(json!({
            "id": parts.id,
            "status": parts.status,
            "amount": sum(parts.amount),
            "final_capture": parts.is_final,
            "seller_protection": seller_protection(),
            "disbursement_mode": "INSTANT",
            "seller_receivable_breakdown": parts.fee.map(|fee| json!({
                "gross_amount": sum(parts.amount),
                "paypal_fee": sum(fee),
                "net_amount": sum(parts.amount - fee),
            })),
            "invoice_id": parts.invoice.or(invoice_id),
            "custom_id": custom_id,
            "create_time": iso(parts.created),
            "update_time": iso(parts.updated),
            "supplementary_data": { "related_ids": related },
            "links": [
                self.link("self", "GET", &path),
                self.link("refund", "POST", &format!("{path}/refund")),
                self.link("up", "GET", &up),
            ],
        }))
    }

    /// A refund. No fee comes back with it.
    pub fn refund(&self, refund: &Refund) -> Value {
        let currency = self.state.payments.get(&refund.payment).map(|payment| payment.currency);
        let currency = currency.unwrap_or(Currency::USD);
        let sum = |minor: i64| money(minor, currency);
        let of_capture = self.state.refunds_of(&refund.payment);
        let of_capture = of_capture.filter(|other| other.capture == refund.capture);
        let others = of_capture.take_while(|other| other.id != refund.id);
        let standing = others.filter(|other| other.state != RefundState::Failed);
        let before: i64 = standing.map(|other| other.amount).sum();
        let (status, reason) = match refund.state {
            RefundState::Pending => ("PENDING", Some(json!({ "reason": "ECHECK" }))),
            RefundState::Succeeded => ("COMPLETED", None),
            RefundState::Failed => ("FAILED", None),
        };
        compact(json!({
            "id": refund.id,
            "status": status,
            "status_details": reason,
            "amount": sum(refund.amount),
            "note_to_payer": refund.wire.get("note_to_payer"),
            "custom_id": refund.wire.get("custom_id"),
            "invoice_id": refund.wire.get("invoice_id"),
            "seller_payable_breakdown": {
                "gross_amount": sum(refund.amount),
                "paypal_fee": sum(0),
                "net_amount": sum(refund.amount),
                "total_refunded_amount": sum(before + refund.amount),
            },
            "create_time": iso(refund.created),
            "update_time": iso(refund.created),
            "links": self.refund_links(&refund.id, &refund.capture),
        }))
    }

    /// The addresses of a refund; the only trace of its capture is in them.
    pub fn refund_links(&self, id: &str, capture: &str) -> Value {
        json!([
            self.link("self", "GET", &format!("/v2/payments/refunds/{id}")),
            self.link("up", "GET", &format!("/v2/payments/captures/{capture}")),
        ])
    }
}

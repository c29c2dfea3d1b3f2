//! Razorpay's entities, as the bank's records look in its words.

use serde_json::{Value, json};

use super::params::notes;
use crate::bank::cash::{
    Dispute, DisputeState, Payout, PayoutState, Reversal, Settlement, Transfer, TransferState,
};
use crate::bank::record::{
    Metadata, Order, OrderState, Payment, PaymentState, Refund, RefundState, Token,
};
use crate::bank::state::State;

/// An order.
pub fn order(state: &State, order: &Order) -> Value {
    let attempts = state.payments_of(&order.id).count();
    let paid: i64 = state.payments_of(&order.id).map(|payment| payment.captured).sum();
    let status = match order.state {
        OrderState::Paid => "paid",
        _ if attempts > 0 => "attempted",
        _ => "created",
    };
    json!({
        "id": order.id,
        "entity": "order",
        "amount": order.amount,
        "amount_paid": paid,
        "amount_due": order.amount - paid,
        "currency": order.currency.code(),
        "receipt": order.wire.get("receipt"),
        "offer_id": null,
        "status": status,
        "attempts": attempts,
        "notes": notes(&order.metadata),
        "created_at": order.created.timestamp(),
    })
}

/// What the buyer paid, minus what failed refunds gave back, and the word for it.
fn refunded(payment: &Payment) -> (i64, Value) {
    match payment.state {
        // The hold ran out, so the buyer has the money back.
        PaymentState::Expired => (payment.amount, "full".into()),
        _ if payment.refunded == 0 => (0, Value::Null),
        _ if payment.refunded == payment.captured => (payment.refunded, "full".into()),
        _ => (payment.refunded, "partial".into()),
    }
}

/// Razorpay's word for a payment's state.
pub fn payment_status(payment: &Payment) -> &'static str {
    match payment.state {
        PaymentState::RequiresAction | PaymentState::Processing | PaymentState::Held => "created",
        PaymentState::Authorised => "authorized",
        PaymentState::Expired => "refunded",
        PaymentState::Captured if payment.refunded == payment.captured => "refunded",
        PaymentState::Captured => "captured",
        PaymentState::Failed | PaymentState::Cancelled | PaymentState::Reversed => "failed",
    }
}

/// A payment.
pub fn payment(state: &State, payment: &Payment) -> Value {
    let captures = || state.captures_of(&payment.id);
    let is_captured = payment.captured > 0;
    let sum = |amount: i64| if is_captured { Value::from(amount) } else { Value::Null };
    let tax = captures().map(|capture| capture.tax).sum::<i64>();
    let fee = captures().map(|capture| capture.fee).sum::<i64>() + tax;
    let (amount_refunded, refund_status) = refunded(payment);
    let is_card = payment.instrument.kind == "card";
    let card_id = is_card.then(|| payment.id.replacen("pay_", "card_", 1));
    let transferred: i64 = state.transfers_of(&payment.id).map(|it| it.amount - it.reversed).sum();
    let mut view = json!({
        "id": payment.id,
        "entity": "payment",
        "amount": payment.amount,
        "currency": payment.currency.code(),
        "status": payment_status(payment),
        "order_id": payment.order,
        "invoice_id": null,
        "international": payment.currency.code() != "INR",
        "method": payment.instrument.kind,
        "amount_refunded": amount_refunded,
        "amount_transferred": transferred,
        "refund_status": refund_status,
        "captured": is_captured,
        "description": null,
        "card_id": card_id,
        "bank": (payment.instrument.kind == "netbanking").then_some("HDFC"),
        "wallet": (payment.instrument.kind == "wallet").then_some("payzapp"),
        "vpa": (payment.instrument.kind == "upi").then_some("success@razorpay"),
        "email": "buyer@example.com",
        "contact": "+919000090000",
        "notes": [],
        "fee": sum(fee),
        "tax": sum(tax),
        "acquirer_data": {
            "auth_code": is_captured.then_some("299196"),
            "authentication_reference_number": null,
        },
        "created_at": payment.created.timestamp(),
    });
    if let Some(id) = &card_id {
        view["card"] = card(id, payment);
    }
    if let Some(base) = state.base_currency(&payment.id).filter(|base| *base != payment.currency) {
        view["base_amount"] = captures().map(|capture| capture.base_amount).sum::<i64>().into();
        view["base_currency"] = base.code().into();
    }
    for (name, value) in [("customer_id", &payment.customer), ("token_id", &payment.token)] {
        if let Some(value) = value {
            view[name] = value.as_str().into();
        }
    }
    failure(&mut view, payment);
    view
}

fn card(id: &str, payment: &Payment) -> Value {
    json!({
        "id": id, "entity": "card", "name": "", "last4": payment.instrument.last4,
        "network": payment.instrument.brand, "type": "credit", "issuer": null,
        "international": false, "emi": false, "sub_type": "consumer", "token_iin": null,
    })
}

fn failure(view: &mut Value, payment: &Payment) {
    let reason = payment.reason.as_deref().filter(|_| payment_status(payment) == "failed");
    let step = "payment_authentication";
    let (description, step) = match reason {
        None => (None, None),
        Some("payment_cancelled") => {
            let text = "Your payment has been cancelled. Try again or complete the payment later.";
            (Some(text), Some(step))
        }
        Some("authentication_failed") => (Some("The authentication failed."), Some(step)),
        Some(_) => (Some("Your payment was declined by the bank."), Some("payment_authorization")),
    };
    let source = match reason {
        Some("payment_cancelled" | "authentication_failed") => Some("customer"),
        Some(_) => Some("issuer_bank"),
        None => None,
    };
    view["error_code"] = reason.map(|_| "BAD_REQUEST_ERROR").into();
    view["error_description"] = description.into();
    view["error_source"] = source.into();
    view["error_step"] = step.into();
    view["error_reason"] = reason.into();
}

/// A refund.
pub fn refund(state: &State, refund: &Refund) -> Value {
    let payment = state.payments.get(&refund.payment);
    let currency = payment.map_or("INR", |payment| payment.currency.code());
    let status = match refund.state {
        RefundState::Pending => "pending",
        RefundState::Succeeded => "processed",
        RefundState::Failed => "failed",
    };
    json!({
        "id": refund.id,
        "entity": "refund",
        "amount": refund.amount,
        "currency": currency,
        "payment_id": refund.payment,
        "notes": notes(&refund.metadata),
        "receipt": refund.wire.get("receipt"),
        "acquirer_data": { "arn": null },
        "created_at": refund.created.timestamp(),
        "batch_id": null,
        "status": status,
        "speed_processed": "normal",
        "speed_requested": refund.wire.get("speed"),
    })
}

/// A saved instrument.
pub fn token(token: &Token) -> Value {
    json!({
        "id": token.id,
        "entity": "token",
        "token": token.id.trim_start_matches("token_"),
        "bank": null,
        "wallet": null,
        "method": token.instrument.kind,
        "card": {
            "entity": "card", "name": "", "last4": token.instrument.last4,
            "network": token.instrument.brand, "type": "credit", "issuer": null,
            "international": false, "emi": false, "sub_type": "consumer",
            "expiry_month": 12, "expiry_year": 2034,
            "flows": { "otp": true, "recurring": true },
        },
        "recurring": true,
        "recurring_details": { "status": "confirmed", "failure_reason": null },
        "auth_type": null,
        "mrn": null,
        "used_at": token.created.timestamp(),
        "created_at": token.created.timestamp(),
        "expired_at": 2_051_222_399,
        "dcc_enabled": false,
        "billing_address": null,
    })
}

/// A dispute. The deducted amount is zero until it is lost.
pub fn dispute(state: &State, dispute: &Dispute) -> Value {
    let payment = state.payments.get(&dispute.payment);
    let status = match dispute.state {
        DisputeState::Open => "open",
        DisputeState::UnderReview => "under_review",
        DisputeState::Won => "won",
        DisputeState::Lost => "lost",
        DisputeState::Closed => "closed",
    };
    json!({
        "id": dispute.id,
        "entity": "dispute",
        "payment_id": dispute.payment,
        "amount": dispute.amount,
        "currency": payment.map_or("INR", |payment| payment.currency.code()),
        "amount_deducted": if dispute.withdrawn { dispute.amount } else { 0 },
        "reason_code": dispute.reason,
        "respond_by": dispute.created.timestamp() + 7 * 24 * 3600,
        "status": status,
        "phase": "chargeback",
        "created_at": dispute.created.timestamp(),
        "evidence": evidence(dispute),
    })
}

/// What the shop said, with null where it said nothing.
fn evidence(dispute: &Dispute) -> Value {
    let mut evidence = json!({
        "amount": dispute.amount, "summary": null, "shipping_proof": null, "billing_proof": null,
        "cancellation_proof": null, "customer_communication": null, "proof_of_service": null,
        "explanation_letter": null, "refund_confirmation": null, "access_activity_log": null,
        "refund_cancellation_policy": null, "term_and_conditions": null, "others": null,
        "submitted_at": null,
    });
    for (name, value) in dispute.wire.as_object().into_iter().flatten() {
        evidence[name] = value.clone();
    }
    evidence
}

/// A payout of RazorpayX. Fees and tax are known once it has left.
pub fn payout(payout: &Payout) -> Value {
    let status = match payout.state {
        PayoutState::Queued => "queued",
        PayoutState::InTransit => "processing",
        PayoutState::Paid => "processed",
        PayoutState::Returned => "reversed",
        PayoutState::Failed => "failed",
        PayoutState::Cancelled => "cancelled",
    };
    let has_left = !matches!(payout.state, PayoutState::Queued | PayoutState::Cancelled);
    let fees = if has_left { payout.fee + payout.tax } else { 0 };
    let of = |name: &str| payout.wire.get(name).cloned().unwrap_or_default();
    json!({
        "id": payout.id,
        "entity": "payout",
        "fund_account_id": payout.destination,
        "amount": payout.amount,
        "currency": payout.currency.code(),
        "notes": notes(&payout.metadata),
        "fees": fees,
        "tax": if has_left { payout.tax } else { 0 },
        "status": status,
        "utr": payout.bank_reference,
        "mode": of("mode"),
        "purpose": of("purpose"),
        "reference_id": of("reference_id"),
        "narration": of("narration"),
        "batch_id": null,
        "debit_account_number": of("account_number"),
        "fee_type": null,
        "failure_reason": payout.reason,
        "status_details": payout_details(payout),
        "created_at": payout.created.timestamp(),
    })
}

fn payout_details(payout: &Payout) -> Value {
    let (reason, source, description) = match payout.state {
        PayoutState::Queued => (
            "low_balance",
            "business",
            "Payout is queued as there is insufficient balance in your business account to \
             process the payout",
        ),
        PayoutState::InTransit | PayoutState::Cancelled => return Value::Null,
        PayoutState::Paid => (
            "payout_processed",
            "beneficiary_bank",
            "Payout is processed and the money has been credited into the beneficiary account.",
        ),
        PayoutState::Returned | PayoutState::Failed => {
            let reason = payout.reason.as_deref().unwrap_or("beneficiary_bank_rejected");
            let source = "beneficiary_bank";
            let description = "The beneficiary bank did not take the money.";
            return json!({ "reason": reason, "source": source, "description": description });
        }
    };
    json!({ "reason": reason, "source": source, "description": description })
}

/// A transfer of Route.
pub fn transfer(transfer: &Transfer) -> Value {
    let status = match transfer.state {
        TransferState::Pending => "pending",
        TransferState::Failed => "failed",
        TransferState::Reversed => "reversed",
        TransferState::Paid if transfer.reversed > 0 => "partially_reversed",
        TransferState::Paid => "processed",
    };
    let of = |name: &str| transfer.wire.get(name).cloned().unwrap_or_default();
    json!({
        "id": transfer.id,
        "entity": "transfer",
        "status": status,
        "source": transfer.payment.clone().unwrap_or_else(|| super::ACCOUNT.to_owned()),
        "recipient": transfer.recipient,
        "amount": transfer.amount,
        "currency": transfer.currency.code(),
        "amount_reversed": transfer.reversed,
        "fees": transfer.fee + transfer.tax,
        "tax": transfer.tax,
        "notes": notes(&transfer.metadata),
        "linked_account_notes": of("linked_account_notes"),
        "on_hold": of("on_hold"),
        "on_hold_until": of("on_hold_until"),
        "recipient_settlement_id": null,
        "created_at": transfer.created.timestamp(),
        "processed_at": transfer.created.timestamp(),
        "error": {
            "code": null, "description": null, "reason": transfer.reason, "field": null,
            "step": null, "id": transfer.id, "source": null, "metadata": null,
        },
    })
}

/// A reversal of a transfer.
pub fn reversal(reversal: &Reversal, notes_given: &Metadata) -> Value {
    json!({
        "id": reversal.id,
        "entity": "reversal",
        "transfer_id": reversal.transfer,
        "amount": reversal.amount,
        "fee": 0,
        "tax": 0,
        "currency": "INR",
        "notes": notes(notes_given),
        "initiator_id": super::ACCOUNT.trim_start_matches("acc_"),
        "customer_refund_id": null,
        "created_at": reversal.created.timestamp(),
    })
}

/// A settlement. Its fees are in its rows, not here.
pub fn settlement(settlement: &Settlement) -> Value {
    json!({
        "id": settlement.id,
        "entity": "settlement",
        "amount": settlement.net,
        "status": "processed",
        "fees": 0,
        "tax": 0,
        "utr": settlement.bank_reference,
        "created_at": settlement.created.timestamp(),
    })
}

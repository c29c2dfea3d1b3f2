//! Stripe's objects as JSON, with the whole field set of API version 2026-06-24.dahlia.

use serde_json::{Map, Value, json};

use crate::stripe::instrument::{self, Instrument, Rail};
use crate::stripe::state::{
    BalanceRow, Charge, ChargeStatus, Event, Intent, Refund, RefundStatus, State,
};
use mizan_money::Timestamp;

pub use super::party::{customer, payment_method};

/// The version of every shape below.
pub const API_VERSION: &str = "2026-06-24.dahlia";

fn seconds(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, |at| at.timestamp().into())
}

/// A PaymentIntent.
pub fn intent(intent: &Intent) -> Value {
    let echo = |name: &str| intent.echoes.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount,
        "amount_capturable": intent.amount_capturable,
        "amount_details": { "tip": {} },
        "amount_received": intent.amount_received,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": intent.automatic_methods,
        "canceled_at": seconds(intent.canceled_at),
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": intent.capture_method.word(),
        "client_secret": intent.client_secret,
        "confirmation_method": "automatic",
        "created": intent.created.timestamp(),
        "currency": intent.currency,
        "customer": intent.customer,
        "customer_account": null,
        "description": echo("description"),
        "excluded_payment_method_types": null,
        "last_payment_error": intent.last_error,
        "latest_charge": intent.latest_charge,
        "livemode": false,
        "managed_payments": null,
        "metadata": intent.metadata,
        "next_action": next_action(intent),
        "on_behalf_of": null,
        "payment_method": intent.payment_method,
        "payment_method_configuration_details": null,
        "payment_method_options": intent.method_options,
        "payment_method_types": intent.method_types,
        "processing": null,
        "receipt_email": echo("receipt_email"),
        "review": null,
        "setup_future_usage": echo("setup_future_usage"),
        "shipping": echo("shipping"),
        "source": null,
        "statement_descriptor": echo("statement_descriptor"),
        "statement_descriptor_suffix": echo("statement_descriptor_suffix"),
        "status": intent.status.word(),
        "transfer_data": null,
        "transfer_group": echo("transfer_group"),
    })
}

fn next_action(intent: &Intent) -> Value {
    match &intent.challenge {
        None => Value::Null,
        Some(challenge) => match &challenge.return_url {
            Some(return_url) => json!({
                "type": "redirect_to_url",
                "redirect_to_url": { "return_url": return_url, "url": challenge.url }
            }),
            None => json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": { "type": "three_d_secure_redirect", "stripe_js": challenge.url }
            }),
        },
    }
}

/// A Charge, with its card details taken from the payment method's token.
pub fn charge(state: &State, charge: &Charge) -> Value {
    let method = state.methods.get(&charge.payment_method);
    let instrument = method.and_then(|method| instrument::find(&method.token));
    let failure = charge.failure.as_ref();
    let of_failure =
        |name: &str| failure.and_then(|failure| failure.get(name)).cloned().unwrap_or(Value::Null);
    let fully_refunded = charge.captured && charge.amount_refunded >= charge.amount_captured;
    let mut view = json!({
        "id": charge.id,
        "object": "charge",
        "amount": charge.amount,
        "amount_captured": charge.amount_captured,
        "amount_refunded": charge.amount_refunded,
        "application": null,
        "application_fee": null,
        "application_fee_amount": null,
        "balance_transaction": charge.balance_row,
        "billing_details": super::party::billing_details(),
        "calculated_statement_descriptor": "MIZAN SIMULATOR",
        "captured": charge.captured,
        "created": charge.created.timestamp(),
        "currency": charge.currency,
        "customer": charge.customer,
        "description": charge.description,
        "disputed": state.disputes.oldest_first().any(|it| it.charge == charge.id),
        "failure_balance_transaction": null,
        "failure_code": of_failure("code"),
        "failure_message": of_failure("message"),
        "fraud_details": {},
        "livemode": false,
        "metadata": charge.metadata,
        "on_behalf_of": null,
        "outcome": outcome(charge),
        "paid": charge.status == ChargeStatus::Succeeded,
        "payment_intent": charge.intent,
        "payment_method": charge.payment_method,
        "payment_method_details": method_details(charge, instrument),
        "receipt_email": null,
        "receipt_number": null,
        "receipt_url": null,
        "refunded": fully_refunded,
        "refunds": null,
        "review": null,
        "shipping": null,
        "source": null,
        "source_transfer": null,
    });
    let rest = json!({
        "statement_descriptor": null,
        "statement_descriptor_suffix": null,
        "status": charge.status.word(),
        "transfer_data": null,
        "transfer_group": null,
    });
    if let (Value::Object(fields), Value::Object(rest)) = (&mut view, rest) {
        fields.extend(rest);
    }
    view
}

fn outcome(charge: &Charge) -> Value {
    let failure = charge.failure.as_ref();
    let of = |name: &str| failure.and_then(|failure| failure.get(name)).cloned();
    let (network, seller, kind) = match charge.status {
        ChargeStatus::Failed => {
            ("declined_by_network", "The bank did not accept the payment.", "issuer_declined")
        }
        ChargeStatus::Succeeded => ("approved_by_network", "Payment complete.", "authorized"),
        ChargeStatus::Pending => ("not_sent_to_network", "Payment pending.", "authorized"),
    };
    json!({
        "advice_code": of("advice_code"),
        "network_advice_code": null,
        "network_decline_code": null,
        "network_status": network,
        "reason": of("decline_code"),
        "risk_level": "normal",
        "seller_message": seller,
        "type": kind,
    })
}

fn method_details(charge: &Charge, instrument: Option<&Instrument>) -> Value {
    let Some(instrument) = instrument else { return Value::Null };
    if instrument.rail == Rail::Bank {
        return json!({
            "type": "us_bank_account",
            "us_bank_account": {
                "account_holder_type": "individual", "account_type": "checking",
                "bank_name": "STRIPE TEST BANK", "fingerprint": instrument.fingerprint(),
                "last4": instrument.last4, "payment_reference": null,
                "routing_number": "110000000"
            }
        });
    }
    let three_d_secure = if charge.authenticated {
        json!({
            "authentication_flow": "challenge", "electronic_commerce_indicator": "05",
            "exemption_indicator": null, "result": "authenticated", "result_reason": null,
            "transaction_id": null, "version": "2.2.0"
        })
    } else {
        Value::Null
    };
    json!({
        "type": "card",
        "card": {
            "amount_authorized": charge.amount,
            "authorization_code": null,
            "brand": instrument.brand,
            "capture_before": seconds(charge.capture_before),
            "checks": {
                "address_line1_check": null, "address_postal_code_check": null,
                "cvc_check": "pass"
            },
            "country": instrument.country,
            "exp_month": 12,
            "exp_year": 2034,
            "extended_authorization": { "status": "disabled" },
            "fingerprint": instrument.fingerprint(),
            "funding": "credit",
            "incremental_authorization": { "status": "unavailable" },
            "installments": null,
            "last4": instrument.last4,
            "mandate": null,
            "multicapture": { "status": "unavailable" },
            "network": instrument.brand,
            "network_token": { "used": false },
            "network_transaction_id": null,
            "overcapture": {
                "maximum_amount_capturable": charge.amount, "status": "unavailable"
            },
            "regulated_status": "unregulated",
            "three_d_secure": three_d_secure,
            "transaction_link_id": null,
            "wallet": null,
        }
    })
}

/// A Refund.
pub fn refund(refund: &Refund) -> Value {
    let mut view = json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount,
        "balance_transaction": refund.balance_row,
        "charge": refund.charge,
        "created": refund.created.timestamp(),
        "currency": refund.currency,
        "customer": null,
        "customer_account": null,
        "destination_details": {
            "card": { "reference_status": "pending", "type": "refund" }, "type": "card"
        },
        "failure_balance_transaction": refund.failure_balance_row,
        "failure_reason": refund.failure_reason,
        "metadata": refund.metadata,
        "payment_intent": refund.intent,
        "payment_method": null,
        "reason": refund.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.status.word(),
        "transfer_reversal": null,
    });
    if refund.status == RefundStatus::Pending {
        view["pending_reason"] = "processing".into();
    }
    view
}

/// A balance transaction, available or pending by the clock.
pub fn balance_row(row: &BalanceRow, now: Timestamp) -> Value {
    let detail = |amount: i64, kind: &str, description: &str| {
        json!({
            "amount": amount, "application": null, "currency": row.currency,
            "description": description, "type": kind
        })
    };
    let mut details = Vec::new();
    if row.processing_fee != 0 {
        details.push(detail(row.processing_fee, "stripe_fee", "Stripe processing fees"));
    }
    if row.tax != 0 {
        details.push(detail(row.tax, "tax", "VAT"));
    }
    json!({
        "id": row.id,
        "object": "balance_transaction",
        "amount": row.amount,
        "available_on": row.available_on.timestamp(),
        "balance_type": "payments",
        "created": row.created.timestamp(),
        "currency": row.currency,
        "description": row.description,
        "exchange_rate": null,
        "fee": row.fee(),
        "fee_details": details,
        "net": row.net(),
        "reporting_category": row.category,
        "source": row.source,
        "status": if row.available_on <= now { "available" } else { "pending" },
        "type": row.kind,
    })
}

/// An event as the API lists it: the envelope, with the number of deliveries still open now.
pub fn event(state: &State, event: &Event) -> Value {
    let open = state.open_deliveries.iter().filter_map(|id| state.deliveries.get(id));
    let open = open.filter(|delivery| delivery.event_id == event.id).count();
    let mut view = event.envelope.clone();
    view["pending_webhooks"] = open.into();
    view
}

/// The fields of `before` that `after` has with another value.
pub fn previous_attributes(before: &Value, after: &Value) -> Value {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else {
        return Value::Null;
    };
    let changed = after.iter().filter_map(|(name, value)| {
        let old = before.get(name).unwrap_or(&Value::Null);
        (old != value).then(|| (name.clone(), old.clone()))
    });
    Value::Object(changed.collect::<Map<_, _>>())
}

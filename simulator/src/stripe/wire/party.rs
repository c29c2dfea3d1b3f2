//! Customers and payment methods as JSON.

use serde_json::{Value, json};

use crate::stripe::instrument::{self, Rail};
use crate::stripe::state::{Customer, PaymentMethod};

fn empty_address() -> Value {
    json!({
        "city": null, "country": null, "line1": null, "line2": null, "postal_code": null,
        "state": null
    })
}

/// Nobody's billing details.
pub fn billing_details() -> Value {
    json!({
        "address": empty_address(), "email": null, "name": null, "phone": null, "tax_id": null
    })
}

/// A customer.
pub fn customer(customer: &Customer) -> Value {
    let text = |name: &str| customer.texts.get(name).cloned().unwrap_or(Value::Null);
    json!({
        "id": customer.id,
        "object": "customer",
        "address": null,
        "balance": 0,
        "created": customer.created.timestamp(),
        "currency": null,
        "default_source": null,
        "delinquent": false,
        "description": text("description"),
        "discount": null,
        "email": text("email"),
        "invoice_prefix": null,
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null,
            "rendering_options": null
        },
        "livemode": false,
        "metadata": customer.metadata,
        "name": text("name"),
        "next_invoice_sequence": 1,
        "phone": text("phone"),
        "preferred_locales": [],
        "shipping": null,
        "tax_exempt": "none",
        "test_clock": null,
    })
}

/// A payment method made from a test token.
pub fn payment_method(method: &PaymentMethod) -> Value {
    let Some(instrument) = instrument::find(&method.token) else { return Value::Null };
    let mut view = json!({
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(),
        "created": method.created.timestamp(),
        "customer": method.customer,
        "customer_account": null,
        "livemode": false,
        "metadata": {},
        "type": instrument.rail.word(),
    });
    view[instrument.rail.word()] = match instrument.rail {
        Rail::Bank => json!({
            "account_holder_type": "individual", "account_type": "checking",
            "bank_name": "STRIPE TEST BANK", "financial_connections_account": null,
            "fingerprint": instrument.fingerprint(), "last4": instrument.last4,
            "networks": { "preferred": "ach", "supported": ["ach"] },
            "routing_number": "110000000", "status_details": {}
        }),
        Rail::Card => json!({
            "brand": instrument.brand,
            "checks": {
                "address_line1_check": null, "address_postal_code_check": null,
                "cvc_check": "pass"
            },
            "country": instrument.country,
            "display_brand": instrument.brand,
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": instrument.fingerprint(),
            "funding": "credit",
            "generated_from": null,
            "last4": instrument.last4,
            "networks": { "available": [instrument.brand], "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        }),
    };
    view
}

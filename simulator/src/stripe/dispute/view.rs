//! A dispute as JSON.

use mizan_money::Timestamp;
use serde_json::{Value, json};

use super::record::Dispute;
use crate::stripe::state::State;
use crate::stripe::wire::view::balance_row;

/// The parts of the evidence that are texts or files of their own.
const EVIDENCE: &[&str] = &[
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// A Dispute with the lines of the balance that it made.
pub fn show(state: &State, dispute: &Dispute, now: Timestamp) -> Value {
    let part = |name: &&str| {
        let value = dispute.evidence.get(*name).cloned().unwrap_or_default();
        ((*name).to_owned(), value)
    };
    let evidence = Value::Object(EVIDENCE.iter().map(part).collect());
    let rows = dispute.rows.iter().filter_map(|id| state.rows.get(id));
    let rows: Vec<Value> = rows.map(|row| balance_row(row, now)).collect();
    let refundable = dispute.status.is_inquiry();
    json!({
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount,
        "balance_transaction": dispute.rows.first(),
        "balance_transactions": rows,
        "charge": dispute.charge,
        "created": dispute.created.timestamp(),
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": dispute.due_by.timestamp(),
            "enhanced_eligibility": {},
            "has_evidence": !dispute.evidence.is_empty(),
            "past_due": dispute.due_by < now,
            "submission_count": dispute.submissions,
        },
        "is_charge_refundable": refundable,
        "livemode": false,
        "metadata": dispute.metadata,
        "payment_intent": dispute.intent,
        "reason": dispute.reason,
        "status": dispute.status.word(),
    })
}

/// Whether the evidence has a part of this name.
pub fn is_evidence(name: &str) -> bool {
    EVIDENCE.contains(&name)
}

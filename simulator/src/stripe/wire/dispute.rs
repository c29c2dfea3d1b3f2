//! Stripe's dispute as JSON.

use mizan_money::Timestamp;
use serde_json::{Map, Value, json};

use super::view::balance_row;
use crate::stripe::dispute::Dispute;
use crate::stripe::state::State;

/// The texts that evidence may have.
const EVIDENCE: [&str; 27] = [
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

/// A dispute, with the lines of the balance that it made.
pub fn view(state: &State, now: Timestamp, dispute: &Dispute) -> Value {
    let rows = dispute.rows.iter().filter_map(|id| state.rows.get(id));
    let rows: Vec<Value> = rows.map(|row| balance_row(row, now)).collect();
    let text = |name: &&str| ((*name).to_owned(), json!(dispute.evidence.get(*name)));
    let evidence: Map<String, Value> = EVIDENCE.iter().map(text).collect();
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
            "has_evidence": !dispute.evidence.is_empty(),
            "past_due": now > dispute.due_by,
            "submission_count": dispute.submissions,
        },
        "is_charge_refundable": dispute.status.starts_with("warning"),
        "livemode": false,
        "metadata": dispute.metadata,
        "payment_intent": dispute.intent,
        "payment_method_details": null,
        "reason": dispute.reason,
        "status": dispute.status,
    })
}

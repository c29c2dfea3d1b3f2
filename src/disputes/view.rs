//! Disputes as the interface and the outbox show them.

use std::collections::BTreeMap;

use mizan_money::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::payments::Payment;
use crate::payments::dispute::{Booked, Dispute};

/// A dispute. Amounts are minor units of `currency`, but for the fee.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dispute)]
pub struct DisputeView {
    /// `dp_…`
    pub id: String,
    /// Always `dispute`.
    pub object: &'static str,
    /// `pi_…`
    pub payment_intent: String,
    /// Your order.
    pub order: String,
    /// What is disputed.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// `warning`, `warning_closed`, `needs_response`, `under_review`, `accepted`, `won`, `lost`.
    pub status: &'static str,
    /// The bank's reason, in the gateway's words.
    pub reason: Option<String>,
    /// `nothing`, `held`, `lost`: what the books say of the money.
    pub booked: &'static str,
    /// What the gateway has of the money.
    pub amount_withdrawn: i64,
    /// What of that is the order's; the rest is beyond it and the platform's cost.
    pub amount_of_order: i64,
    /// What of vendors' money is held for it.
    pub amount_held: i64,
    /// What the gateway charged in all, less what it gave back.
    pub fee: i64,
    /// The currency of the fee.
    pub fee_currency: String,
    /// What of the fee each vendor bears, without the tax on it.
    pub fee_by_vendor: BTreeMap<String, i64>,
    /// What is held of vendors' money.
    pub held: Vec<HeldView>,
    /// Until when evidence is taken.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub evidence_due_by: Option<Timestamp>,
    /// The evidence that was handed in.
    pub evidence: Option<BTreeMap<String, String>>,
    /// When the gateway took it.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub evidence_sent_at: Option<Timestamp>,
    /// When it was given in to.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub accepted_at: Option<Timestamp>,
    /// The API key that entered it by hand; none where the gateway told.
    pub entered_by: Option<String>,
    /// The API key that entered how it ended.
    pub decided_by: Option<String>,
    /// The gateway.
    pub provider: &'static str,
    /// The gateway's id.
    pub provider_ref: String,
    /// When we heard of it first.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
}

/// A vendor's money that waits for the end of a dispute.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DisputeHeld)]
pub struct HeldView {
    /// The order's line.
    pub line: i16,
    /// Whose it is.
    pub vendor: String,
    /// The bucket it was taken out of.
    pub from: String,
    /// How much.
    pub amount: i64,
}

impl DisputeView {
    /// A dispute of this payment.
    pub fn of(payment: &Payment, dispute: &Dispute) -> Self {
        let held = match dispute.booked {
            Booked::Held => dispute.held.as_slice(),
            Booked::Nothing | Booked::Lost => &[],
        };
        Self {
            id: dispute.id.to_string(),
            object: "dispute",
            payment_intent: payment.intent.id.to_string(),
            order: payment.intent.order_name(),
            amount: dispute.amount.minor(),
            currency: dispute.amount.currency().code().to_owned(),
            status: dispute.shown_state(),
            reason: dispute.reason.clone(),
            booked: dispute.booked.as_str(),
            amount_withdrawn: dispute.withdrawn.minor(),
            amount_of_order: dispute.taken.minor(),
            amount_held: held.iter().map(|it| it.amount.minor()).sum(),
            fee: dispute.fee.minor(),
            fee_currency: dispute.fee.currency().code().to_owned(),
            fee_by_vendor: dispute.charged.clone(),
            held: held
                .iter()
                .map(|it| HeldView {
                    line: it.n,
                    vendor: it.vendor.clone(),
                    from: it.from.clone(),
                    amount: it.amount.minor(),
                })
                .collect(),
            evidence_due_by: dispute.evidence_due_by,
            evidence: dispute.evidence.clone(),
            evidence_sent_at: dispute.evidence_sent_at,
            accepted_at: dispute.accepted_at,
            entered_by: dispute.entered_by.clone(),
            decided_by: dispute.decided_by.clone(),
            provider: dispute.provider.as_str(),
            provider_ref: dispute.provider_ref.to_string(),
            created: dispute.created_at,
            updated: dispute.updated_at,
        }
    }
}

/// What an event tells of a dispute: the figures and the state, no evidence.
pub fn event_payload(payment: &Payment, dispute: &Dispute) -> Value {
    json!({
        "dispute": dispute.id.to_string(),
        "payment_intent": payment.intent.id.to_string(),
        "status": dispute.shown_state(),
        "currency": dispute.amount.currency().code(),
        "amount": dispute.amount.minor(),
        "amount_withdrawn": dispute.withdrawn.minor(),
        "fee": dispute.fee.minor(),
        "fee_currency": dispute.fee.currency().code(),
        "reason": dispute.reason,
        "evidence_due_by": dispute.evidence_due_by,
        "metadata": payment.intent.metadata,
    })
}

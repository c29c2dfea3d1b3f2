//! What a gateway said of a dispute, as a row that can be read again.

use mizan_money::Timestamp;
use mizan_providers::{DisputeAnswer, FundsMovement, ProviderRef};
use serde::{Deserialize, Serialize};

use super::super::error::PaymentError;
use super::rows::{Amount, FeeRow, reference, text};

/// The facts of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeRow {
    id: String,
    status: String,
    word: String,
    amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    funds: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<FeeRow>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unclear: Option<String>,
}

impl From<&DisputeAnswer> for DisputeRow {
    fn from(fact: &DisputeAnswer) -> Self {
        DisputeRow {
            id: text(&fact.provider_ref),
            status: fact.status.as_str().to_owned(),
            word: fact.status_word.clone(),
            amount: fact.amount.into(),
            payment: fact.payment_ref.as_ref().map(text),
            charge: fact.charge_ref.as_ref().map(text),
            reason: fact.reason.clone(),
            due: fact.evidence_due_by,
            funds: fact.funds.as_str().to_owned(),
            rows: fact.rows.iter().map(Into::into).collect(),
            changed: fact.changed_at,
            unclear: fact.unclear.clone(),
        }
    }
}

impl DisputeRow {
    /// What was said.
    ///
    /// # Errors
    /// A word that this version does not know.
    pub(super) fn fact(&self) -> Result<DisputeAnswer, PaymentError> {
        Ok(DisputeAnswer {
            provider_ref: ProviderRef::parse(self.id.as_str())?,
            status: self.status.parse()?,
            status_word: self.word.clone(),
            amount: self.amount.into(),
            payment_ref: reference(self.payment.as_ref())?,
            charge_ref: reference(self.charge.as_ref())?,
            reason: self.reason.clone(),
            evidence_due_by: self.due,
            funds: self.funds.parse::<FundsMovement>()?,
            rows: self.rows.iter().map(FeeRow::fee).collect::<Result<_, _>>()?,
            reference: None,
            changed_at: self.changed,
            unclear: self.unclear.clone(),
        })
    }
}

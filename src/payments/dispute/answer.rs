//! Answering a dispute: evidence, or giving in. Written down first, then asked of the gateway; of
//! one that was entered by hand nobody is asked.

use std::collections::BTreeMap;

use mizan_money::id::DisputeId;
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::hand::{Ending, end_dispute};
use crate::payments::ask::{Step, gateway_of, send};
use crate::payments::error::PaymentError;
use crate::payments::gateway::Gateways;
use crate::payments::intent::Payment;
use crate::payments::operation::{Operation, OperationKind};
use crate::payments::store;
use crate::payments::word::{self, Word};

/// The evidence of a dispute, by the gateway's names of its fields; none to give in.
pub type Evidence = Option<BTreeMap<String, String>>;

/// Writes the answer to a dispute down, about to be sent to its gateway. It can be given once. To
/// give in to one that was entered by hand loses it at once.
///
/// # Errors
/// An unknown dispute, one that is decided or answered, a gateway that cannot; the database.
pub async fn answer_dispute(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    key: &str,
    (id, evidence): (DisputeId, &Evidence),
) -> Result<Step, PaymentError> {
    let missing = || PaymentError::NotFound { id: id.to_string() };
    let intent = store::dispute_owner(conn, tenant, id).await?.ok_or_else(missing)?;
    let mut payment = store::lock(conn, tenant, &[intent]).await?.pop().ok_or_else(missing)?;
    let open = store::open_operations(conn, tenant, intent).await?;
    if let Some(under_way) = open.iter().find(|operation| operation.dispute == Some(id)) {
        let kind = under_way.kind.as_str().to_owned();
        return Err(PaymentError::OperationUnderWay { payment: intent, kind });
    }
    payment.begin_dispute_answer(id, evidence.clone(), now)?;
    let dispute = payment.dispute(id).ok_or_else(missing)?;
    if dispute.entered_by.is_some() {
        store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
        return match evidence {
            // It is sent to the gateway as it was told: by mail.
            Some(_) => Ok(Step::Done(payment)),
            None => {
                let lost = (id, Ending::Lost { fee: 0 });
                end_dispute(conn, tenant, now, key, lost).await.map(Step::Done)
            }
        };
    }
    let paid = payment.attempt(dispute.attempt);
    let attempt = paid.ok_or(PaymentError::UnknownAttempt { attempt: dispute.attempt })?.clone();
    let gateway = gateway_of(gateways, &attempt)?;
    let kind = match evidence {
        Some(_) => OperationKind::ContestDispute,
        None => OperationKind::AcceptDispute,
    };
    let mut operation = Operation::about_to_send(&payment, attempt.id, kind, now);
    operation.dispute = Some(id);
    operation.evidence.clone_from(evidence);
    // What the gateway cannot do is refused when the question is written down.
    let call = send(conn, tenant, &payment, operation, gateway).await?;
    store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
    word::keep(conn, tenant, now, [Word::asked(call.operation)]).await?;
    Ok(Step::Call(call))
}

impl Payment {
    /// An answer to a dispute is on its way: evidence, or giving in.
    ///
    /// # Errors
    /// An unknown dispute, one that is decided or answered already.
    pub fn begin_dispute_answer(
        &mut self,
        id: DisputeId,
        evidence: Evidence,
        now: Timestamp,
    ) -> Result<(), PaymentError> {
        let missing = || PaymentError::NotFound { id: id.to_string() };
        let found = self.disputes.iter_mut().find(|dispute| dispute.id == id);
        let dispute = found.ok_or_else(missing)?;
        let action = if evidence.is_some() { "handing in evidence" } else { "giving in" };
        // Of one that was entered by hand, evidence is kept and binds nobody.
        let binds = evidence.is_some() || dispute.entered_by.is_none();
        let answered = dispute.accepted_at.is_some() || (dispute.evidence.is_some() && binds);
        if !dispute.state.is_open() || answered {
            let state = match dispute.evidence.is_some() && dispute.state.is_open() {
                true => "answered already",
                false => dispute.shown_state(),
            };
            let needs = "warning or needs_response, and no answer before";
            return Err(PaymentError::WrongDisputeState { dispute: id, state, action, needs });
        }
        match evidence {
            Some(_) => dispute.evidence = evidence,
            None => dispute.accepted_at = Some(now),
        }
        dispute.updated_at = now;
        Ok(())
    }

    /// The gateway took the answer.
    pub fn dispute_answered(&mut self, operation: &Operation, now: Timestamp) {
        let evidence = operation.kind == OperationKind::ContestDispute;
        let mut own = self.disputes.iter_mut().filter(|it| Some(it.id) == operation.dispute);
        if let Some(dispute) = own.find(|it| evidence && it.evidence.is_some()) {
            dispute.evidence_sent_at.get_or_insert(now);
        }
    }

    /// The gateway did not take the answer: another can be given.
    pub fn dispute_not_answered(&mut self, operation: &Operation, now: Timestamp) {
        for dispute in self.disputes.iter_mut().filter(|it| Some(it.id) == operation.dispute) {
            match operation.kind {
                OperationKind::ContestDispute => dispute.evidence = None,
                _ => dispute.accepted_at = None,
            }
            dispute.updated_at = now;
        }
    }
}

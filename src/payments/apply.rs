//! What gateways say, applied: many words in one transaction, posted at once.

use std::collections::BTreeMap;

use mizan_ledger::read;
use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{PaymentAnswer, PaymentStatus, RefundAnswer, RefundStatus};
use serde_json::json;
use sqlx::PgConnection;

use super::error::PaymentError;
use super::facts::{Effect, STATUS_NOT_KNOWN};
use super::intent::{Payment, Refund, RefundState};
use super::operation::{Operation, OperationKind, OperationState};
use super::plan::Plan;
use super::refund_facts::requested_key;
use super::store;

/// A gateway's word about one payment.
#[derive(Debug, Clone)]
pub struct Said {
    /// The intent it is about.
    pub intent: PaymentIntentId,
    /// What it says.
    pub fact: Fact,
    /// When, by the gateway's clock.
    pub at: Timestamp,
}

/// What is said.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Of an attempt.
    Payment(AttemptId, Box<PaymentAnswer>),
    /// Of a refund we know.
    Refund(RefundId, Box<RefundAnswer>),
    /// Of a refund that was made at the gateway, not here.
    ForeignRefund(AttemptId, Box<RefundAnswer>),
}

/// Applies words in the order given, each to its payment; answers what each came to.
///
/// # Errors
/// The database; an intent that is not there; a plan the ledger refused. The caller rolls back.
pub async fn apply(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    actor: &'static str,
    said: &[Said],
) -> Result<Vec<Effect>, PaymentError> {
    let mut ids: Vec<PaymentIntentId> = said.iter().map(|said| said.intent).collect();
    ids.sort_unstable();
    ids.dedup();
    let locked = store::lock(conn, tenant, &ids).await?;
    let mut payments: BTreeMap<PaymentIntentId, Payment> =
        locked.into_iter().map(|payment| (payment.intent.id, payment)).collect();
    let policy = store::policy(conn, tenant).await?;
    let promises = promises_of(conn, tenant, said).await?;
    let mut plan = Plan::new(now, actor);
    let mut effects = Vec::with_capacity(said.len());
    for Said { intent, fact, at } in said {
        let missing = || PaymentError::NotFound { id: intent.to_string() };
        let payment = payments.get_mut(intent).ok_or_else(missing)?;
        effects.push(match fact {
            Fact::Payment(attempt, fact) => {
                payment.apply_payment_fact(*attempt, fact, *at, &policy, &mut plan)?
            }
            Fact::Refund(id, fact) => {
                payment.apply_refund_fact(*id, fact, *at, promises.get(id), &mut plan)?
            }
            Fact::ForeignRefund(attempt, fact) => {
                let known = payment
                    .refunds
                    .iter()
                    .find(|refund| refund.provider_ref.as_ref() == Some(&fact.provider_ref));
                let id = match (known, fact.status) {
                    (Some(refund), _) => refund.id,
                    // It came to nothing before we heard of it.
                    (None, RefundStatus::Failed | RefundStatus::Cancelled) => {
                        effects.push(Effect::Known);
                        continue;
                    }
                    // Whether anything goes back at all, nobody knows: nobody gives a part yet.
                    (None, RefundStatus::Unknown) => {
                        effects.push(Effect::Unclear(STATUS_NOT_KNOWN.into()));
                        continue;
                    }
                    (None, RefundStatus::Pending | RefundStatus::Succeeded) => {
                        let refund = foreign_refund(*attempt, fact, now);
                        let id = refund.id;
                        payment.admit_foreign_refund(refund, &policy, &mut plan)?;
                        id
                    }
                };
                payment.apply_refund_fact(id, fact, *at, promises.get(&id), &mut plan)?
            }
        });
    }
    let payments: Vec<Payment> = payments.into_values().collect();
    write(conn, tenant, &payments, plan).await?;
    Ok(effects)
}

/// Writes, posts and announces what was decided for locked payments, and ends the operations
/// that it answers.
///
/// # Errors
/// The database; a plan the ledger refused.
pub(super) async fn write(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    plan: Plan,
) -> Result<(), PaymentError> {
    let now = plan.now();
    for payment in payments {
        end_answered_operations(conn, tenant, payment, now).await?;
    }
    // Before the journal: after its book is taken, nothing may wait for anybody.
    store::save(conn, tenant, payments, now).await?;
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await
}

/// The entries that promised the refunds which may have to be taken back.
async fn promises_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    said: &[Said],
) -> Result<BTreeMap<RefundId, read::Transaction>, PaymentError> {
    let mut promises = BTreeMap::new();
    for said in said {
        if let Fact::Refund(id, fact) = &said.fact
            && matches!(fact.status, RefundStatus::Failed | RefundStatus::Cancelled)
            && let Some(promise) = promise(conn, tenant, *id).await?
        {
            promises.insert(*id, promise);
        }
    }
    Ok(promises)
}

/// The entry that promised a refund.
pub(super) async fn promise(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Option<read::Transaction>, PaymentError> {
    Ok(read::transaction_by_key(conn, tenant, &requested_key(refund)).await?)
}

fn foreign_refund(attempt: AttemptId, fact: &RefundAnswer, now: Timestamp) -> Refund {
    Refund {
        id: RefundId::generate(now),
        attempt,
        amount: fact.amount,
        reason: "other".to_owned(),
        state: RefundState::Requested,
        status_at: now,
        origin: "gateway",
        provider_ref: Some(fact.provider_ref.clone()),
        failure_reason: None,
        parts: Vec::new(),
        repays: None,
        metadata: Default::default(),
        created_at: now,
        updated_at: now,
    }
}

/// A word that arrives by another way than the answer ends the operation all the same: an
/// answer that was lost needs no second question once the webhook has told.
async fn end_answered_operations(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    now: Timestamp,
) -> Result<(), PaymentError> {
    for operation in store::open_operations(conn, tenant, payment.intent.id).await? {
        let Some(state) = answered(&operation, payment) else { continue };
        let mut ended = store::lock_operation(conn, tenant, operation.id).await?;
        if !ended.state.is_final() {
            ended.state = state;
            ended.outcome = Some(json!({
                "outcome": state.as_str(),
                "detail": payment.intent.last_error,
            }));
            ended.next_check_at = None;
            ended.finished_at = Some(now);
            store::finish_operation(conn, tenant, &ended).await?;
        }
    }
    Ok(())
}

/// The end of an operation, as far as the payment shows it.
fn answered(operation: &Operation, payment: &Payment) -> Option<OperationState> {
    let status = payment.attempt(operation.attempt)?.status;
    match (operation.kind, status) {
        (OperationKind::Create, PaymentStatus::Failed) => Some(OperationState::Declined),
        (
            OperationKind::Create,
            PaymentStatus::Created | PaymentStatus::Unknown | PaymentStatus::Processing,
        ) => None,
        (OperationKind::Create, _) => Some(OperationState::Succeeded),
        (OperationKind::Capture, PaymentStatus::Captured) => Some(OperationState::Succeeded),
        (OperationKind::Capture, PaymentStatus::Cancelled) => Some(OperationState::Declined),
        (OperationKind::Void, PaymentStatus::Cancelled) => Some(OperationState::Succeeded),
        (OperationKind::Void, PaymentStatus::Captured) => Some(OperationState::Declined),
        (OperationKind::Refund, _) => match payment.refund(operation.refund?)?.state {
            RefundState::Succeeded | RefundState::Bounced => Some(OperationState::Succeeded),
            RefundState::Failed => Some(OperationState::Declined),
            RefundState::Requested | RefundState::Sent | RefundState::Pending => None,
        },
        _ => None,
    }
}

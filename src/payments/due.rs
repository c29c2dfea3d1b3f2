//! What is due to be asked about, and whose turn it is.

use mizan_money::TenantId;
use mizan_money::id::{AttemptId, OperationId, PaymentIntentId};
use mizan_providers::PaymentStatus;

use super::error::PaymentError;
use super::operation::{CALL_TIME_MAX, next_check};
use super::store;
use crate::app::App;
use crate::db::work;

/// How many of each kind are taken, and asked about, at once.
const AT_ONCE: i64 = 8;

/// Reads what is due, with how often each was asked about, and postpones it in the same
/// transaction for as long as a call may take, so that nobody else takes it. Whoever ends before
/// the gateway was asked has cost it no more than that: how long a gateway remembers a key is
/// counted in days, and the ladder must not be climbed by crashes.
pub(super) async fn take_due_operations(
    app: &App,
    tenant: TenantId,
) -> Result<Vec<(OperationId, i16)>, PaymentError> {
    let now = app.now_for(tenant);
    app.db
        .transaction("take_due_operations", tenant, |tx| {
            work(async move {
                let due = store::due_operations(tx, tenant, now, AT_ONCE).await?;
                for (id, checks) in &due {
                    let back = now + CALL_TIME_MAX;
                    store::postpone_operation(tx, tenant, *id, *checks, back).await?;
                }
                Ok(due)
            })
        })
        .await
}

/// Counts that an operation was asked about; one that is still open waits for its next turn.
pub(super) async fn was_asked(
    app: &App,
    tenant: TenantId,
    id: OperationId,
    checks: i16,
) -> Result<(), PaymentError> {
    let next = next_check(checks + 1, app.now_for(tenant));
    app.db
        .transaction("was_asked", tenant, |tx| {
            work(async move { store::postpone_operation(tx, tenant, id, checks + 1, next).await })
        })
        .await
}

/// The same for attempts: fees that are not known, pages nobody came back from, hints.
pub(super) async fn take_due_attempts(
    app: &App,
    tenant: TenantId,
) -> Result<Vec<(PaymentIntentId, AttemptId)>, PaymentError> {
    let now = app.now_for(tenant);
    app.db
        .transaction("take_due_attempts", tenant, |tx| {
            work(async move {
                let due = store::due_attempts(tx, tenant, now, AT_ONCE).await?;
                for one in &due {
                    let syncs = one.syncs + 1;
                    let more = syncs < syncs_max(one.status);
                    let at = more.then(|| next_check(one.syncs, now));
                    store::postpone_attempt(tx, tenant, one.attempt, syncs, at).await?;
                }
                Ok(due.into_iter().map(|one| (one.intent, one.attempt)).collect())
            })
        })
        .await
}

/// How often an attempt is asked about before it is left alone: a fee to reconciliation; a page
/// that nobody came back from ends at its gateway within weeks.
const fn syncs_max(status: PaymentStatus) -> i16 {
    match status {
        PaymentStatus::Captured => 6,
        PaymentStatus::Failed | PaymentStatus::Cancelled => 3,
        _ => 40,
    }
}

//! What is due to be asked about, and whose turn it is.

use mizan_money::TenantId;
use mizan_money::id::{AttemptId, OperationId, PaymentIntentId};

use super::error::PaymentError;
use super::operation::{CALL_TIME_MAX, next_check};
use super::store;
use crate::app::App;
use crate::db::work;

/// How many of each kind are taken, and asked about, at once.
const AT_ONCE: i64 = 8;

/// How often a fee is asked for before it is left to reconciliation.
const FEE_CHECKS_MAX: i16 = 6;

/// Reads what is due, with how often each was asked about, and postpones it in the same
/// transaction for as long as a call may take, so that nobody else takes it. Whoever ends before
/// the gateway was asked has cost it no more than that: how long a gateway remembers a key is
/// counted in days, and the ladder must not be climbed by crashes.
pub(super) async fn take_due_operations(
    app: &App,
    tenant: TenantId,
) -> Result<Vec<(OperationId, i16)>, PaymentError> {
    let now = app.clock.now();
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
    let next = next_check(checks + 1, app.clock.now());
    app.db
        .transaction("was_asked", tenant, |tx| {
            work(async move { store::postpone_operation(tx, tenant, id, checks + 1, next).await })
        })
        .await
}

/// The same for fees that are not known, which are asked for so many times at most.
pub(super) async fn take_due_fees(
    app: &App,
    tenant: TenantId,
) -> Result<Vec<(PaymentIntentId, AttemptId)>, PaymentError> {
    let now = app.clock.now();
    app.db
        .transaction("take_due_fees", tenant, |tx| {
            work(async move {
                let due = store::due_fees(tx, tenant, now, AT_ONCE).await?;
                for (_, attempt, checks) in &due {
                    let wait = match checks + 1 >= FEE_CHECKS_MAX {
                        true => chrono::Duration::days(365),
                        false => next_check(*checks, now) - now,
                    };
                    store::postpone_fee(tx, tenant, *attempt, checks + 1, now + wait).await?;
                }
                Ok(due.into_iter().map(|(intent, attempt, _)| (intent, attempt)).collect())
            })
        })
        .await
}

//! Finding payments: by page, by what is due; and proving them.

use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::PaymentStatus;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, corrupt};

/// Whether some attempt over this connection has no gateway id yet, so that the gateway may
/// speak of it without our knowing.
///
/// # Errors
/// The database.
pub async fn awaits_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
) -> Result<bool> {
    let awaits = sqlx::query_scalar(
        "select exists (
             select from payments.attempt
             where tenant_id = $1 and connection = $2 and provider_ref is null
                 and status not in ('failed', 'cancelled')
         )",
    )
    .bind(tenant.0)
    .bind(connection)
    .fetch_one(conn)
    .await?;
    Ok(awaits)
}

/// The intent a refund belongs to.
///
/// # Errors
/// The database.
pub async fn refund_owner(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Option<PaymentIntentId>> {
    let owner: Option<Uuid> = sqlx::query_scalar(
        "select intent_id from payments.refund where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(owner.map(PaymentIntentId::from_uuid))
}

/// An attempt that is due to be asked about.
#[derive(Debug, Clone, Copy)]
pub struct DueAttempt {
    /// Its payment.
    pub intent: PaymentIntentId,
    /// Itself.
    pub attempt: AttemptId,
    /// What the gateway said last.
    pub status: PaymentStatus,
    /// How often it was asked about.
    pub syncs: i16,
}

/// Attempts that are due to be asked about, locked; those that somebody else has are left out.
///
/// # Errors
/// The database.
pub async fn due_attempts(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<DueAttempt>> {
    let rows: Vec<(Uuid, Uuid, String, i16)> = sqlx::query_as(
        "select intent_id, id, status, syncs from payments.attempt
         where tenant_id = $1 and sync_at <= $2
         order by sync_at
         limit $3
         for no key update skip locked",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let due = |(intent, id, status, syncs): (Uuid, Uuid, String, i16)| {
        let status = status.parse().map_err(corrupt)?;
        let (intent, attempt) = (PaymentIntentId::from_uuid(intent), AttemptId::from_uuid(id));
        Ok(DueAttempt { intent, attempt, status, syncs })
    };
    rows.into_iter().map(due).collect()
}

/// Says when to ask next about an attempt.
///
/// # Errors
/// The database.
pub async fn postpone_attempt(
    conn: &mut PgConnection,
    tenant: TenantId,
    attempt: AttemptId,
    syncs: i16,
    at: Option<Timestamp>,
) -> Result<()> {
    sqlx::query(
        "update payments.attempt set syncs = $3, sync_at = $4
         where tenant_id = $1 and id = $2 and sync_at is not null",
    )
    .bind(tenant.0)
    .bind(attempt.uuid())
    .bind(syncs)
    .bind(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Says that attempts are to be asked about at once: a hint came. One that somebody is changing
/// is left to them and to its ladder: nothing waits here.
///
/// # Errors
/// The database.
pub async fn hint_attempts(
    conn: &mut PgConnection,
    tenant: TenantId,
    attempts: &[AttemptId],
    now: Timestamp,
) -> Result<()> {
    if attempts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update payments.attempt set sync_at = $3, syncs = 0
         where tenant_id = $1 and id in (
             select id from payments.attempt
             where tenant_id = $1 and id = any ($2)
             for no key update skip locked
         )",
    )
    .bind(tenant.0)
    .bind(attempts.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What a list of intents or refunds is narrowed to, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing<'a> {
    /// How many.
    pub limit: i64,
    /// Older than this one.
    pub after: Option<Uuid>,
    /// Newer than this one.
    pub before: Option<Uuid>,
    /// In this state.
    pub state: Option<&'a str>,
    /// Of this intent; for refunds.
    pub intent: Option<Uuid>,
    /// Of this customer; for intents.
    pub customer: Option<&'a str>,
}

/// Ids of intents, newest first; going backwards they come oldest first.
///
/// # Errors
/// The database.
pub async fn intents(
    conn: &mut PgConnection,
    tenant: TenantId,
    listing: Listing<'_>,
) -> Result<Vec<PaymentIntentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from payments.intent
         where tenant_id = $1
             and ($2::uuid is null or id < $2)
             and ($3::uuid is null or id > $3)
             and ($4::text is null or state = $4)
             and ($6::text is null or customer = $6)
         order by case when $3::uuid is not null then id end, id desc
         limit $5",
    )
    .bind(tenant.0)
    .bind(listing.after)
    .bind(listing.before)
    .bind(listing.state)
    .bind(listing.limit)
    .bind(listing.customer)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

/// Refunds with their intents, newest first; going backwards they come oldest first.
///
/// # Errors
/// The database.
pub async fn refunds(
    conn: &mut PgConnection,
    tenant: TenantId,
    listing: Listing<'_>,
) -> Result<Vec<(PaymentIntentId, RefundId)>> {
    let ids: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select intent_id, id from payments.refund
         where tenant_id = $1
             and ($2::uuid is null or id < $2)
             and ($3::uuid is null or id > $3)
             and ($4::text is null or state = $4)
             and ($5::uuid is null or intent_id = $5)
         order by case when $3::uuid is not null then id end, id desc
         limit $6",
    )
    .bind(tenant.0)
    .bind(listing.after)
    .bind(listing.before)
    .bind(listing.state)
    .bind(listing.intent)
    .bind(listing.limit)
    .fetch_all(conn)
    .await?;
    let ids = ids.into_iter();
    Ok(ids.map(|(i, r)| (PaymentIntentId::from_uuid(i), RefundId::from_uuid(r))).collect())
}

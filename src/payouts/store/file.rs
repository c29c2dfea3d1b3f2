//! The files that banks are given.

use mizan_money::id::{PayoutFileId, PayoutId, PayoutRunId};
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, load};
use crate::payouts::payout::Payout;

/// Adds a file.
///
/// # Errors
/// The database.
pub async fn insert_file(
    conn: &mut PgConnection,
    tenant: TenantId,
    file: PayoutFileId,
    run: Option<PayoutRunId>,
    (now, by): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "insert into payouts.file (tenant_id, id, run_id, created_at, created_by)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(tenant.0)
    .bind(file.uuid())
    .bind(run.map(PayoutRunId::uuid))
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest file of a run, and when it was made.
///
/// # Errors
/// The database.
pub async fn file_of_run(
    conn: &mut PgConnection,
    tenant: TenantId,
    run: PayoutRunId,
) -> Result<Option<(PayoutFileId, Timestamp)>> {
    let row: Option<(Uuid, Timestamp)> = sqlx::query_as(
        "select id, created_at from payouts.file where tenant_id = $1 and run_id = $2
         order by id desc
         limit 1",
    )
    .bind(tenant.0)
    .bind(run.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(id, at)| (PayoutFileId::from_uuid(id), at)))
}

/// When a file was made; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn file_made_at(
    conn: &mut PgConnection,
    tenant: TenantId,
    file: PayoutFileId,
) -> Result<Option<Timestamp>> {
    let at = sqlx::query_scalar(
        "select created_at from payouts.file where tenant_id = $1 and id = $2",
    );
    Ok(at.bind(tenant.0).bind(file.uuid()).fetch_optional(conn).await?)
}

/// Puts payouts that are locked into a file.
///
/// # Errors
/// The database.
pub async fn put_into_file(
    conn: &mut PgConnection,
    tenant: TenantId,
    file: PayoutFileId,
    payouts: &[PayoutId],
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update payouts.payout set file_id = $3, state = 'submitted', submitted_at = $4
         where tenant_id = $1 and id = any($2) and state = 'reserved'",
    )
    .bind(tenant.0)
    .bind(payouts.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(file.uuid())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The payouts of a file, in the order in which it lists them.
///
/// # Errors
/// The database.
pub async fn file_members(
    conn: &mut PgConnection,
    tenant: TenantId,
    file: PayoutFileId,
) -> Result<Vec<Payout>> {
    load::of_file(conn, tenant, file).await
}

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

/// The files of a run and when they were made, newest first.
///
/// # Errors
/// The database.
pub async fn files_of_run(
    conn: &mut PgConnection,
    tenant: TenantId,
    run: PayoutRunId,
) -> Result<Vec<(PayoutFileId, Timestamp)>> {
    let rows: Vec<(Uuid, Timestamp)> = sqlx::query_as(
        "select id, created_at from payouts.file where tenant_id = $1 and run_id = $2
         order by id desc",
    )
    .bind(tenant.0)
    .bind(run.uuid())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, at)| (PayoutFileId::from_uuid(id), at)).collect())
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

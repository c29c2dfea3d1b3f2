//! The statements of test clocks.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use crate::db::DbError;

type Result<T> = std::result::Result<T, DbError>;

/// How far each tenant that has a clock is ahead, in microseconds.
///
/// # Errors
/// The database.
pub(super) async fn all(conn: &mut PgConnection) -> Result<Vec<(TenantId, i64)>> {
    let rows: Vec<(i32, i64)> =
        sqlx::query_as("select tenant_id, ahead_micros from finance.test_clocks()")
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|(tenant, micros)| (TenantId(tenant), micros)).collect())
}

/// How far a tenant is ahead, in microseconds, and when it was moved; none without a clock.
///
/// # Errors
/// The database.
pub(super) async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Option<(i64, Timestamp)>> {
    let found = sqlx::query_as(
        "select ahead_micros, moved_at from finance.test_clock where tenant_id = $1",
    );
    Ok(found.bind(tenant.0).fetch_optional(conn).await?)
}

/// Makes a clock that is not ahead yet, where there is none.
///
/// # Errors
/// The database; its rule `test_clock_is_for_play_money`.
pub(super) async fn make(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    by: &str,
) -> Result<()> {
    sqlx::query(
        "insert into finance.test_clock (tenant_id, ahead_micros, moved_at, moved_by)
         values ($1, 0, $2, $3)
         on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

/// How far a tenant is ahead, held until the end of the transaction.
///
/// # Errors
/// The database.
pub(super) async fn lock(conn: &mut PgConnection, tenant: TenantId) -> Result<i64> {
    let found = sqlx::query_scalar(
        "select ahead_micros from finance.test_clock where tenant_id = $1 for no key update",
    );
    Ok(found.bind(tenant.0).fetch_one(conn).await?)
}

/// Moves a clock.
///
/// # Errors
/// The database; its rules.
pub(super) async fn set(
    conn: &mut PgConnection,
    tenant: TenantId,
    ahead_micros: i64,
    now: Timestamp,
    by: &str,
) -> Result<()> {
    sqlx::query(
        "update finance.test_clock
         set ahead_micros = $2, moved_at = $3, moved_by = $4
         where tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(ahead_micros)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(())
}

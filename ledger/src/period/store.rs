//! The statements that close days and tell which are closed.

use chrono::{DateTime, NaiveDate, Utc};
use mizan_money::TenantId;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{Closing, Period, Timestamp};
use crate::error::LedgerError;

/// Closes all days up to and with `through`, once that day is over in the tenant's time zone.
/// Closing what is closed answers the period that did it.
///
/// # Errors
/// The database; then nothing is closed and the caller must roll back.
pub async fn close(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: DateTime<Utc>,
    through: NaiveDate,
    by: &str,
) -> Result<Closing, LedgerError> {
    // The lock first: zone, position and what is closed are read after it was granted.
    sqlx::query("select from ledger.book where tenant_id = $1 for no key update")
        .bind(tenant.0)
        .execute(&mut *conn)
        .await?;
    if let Some(before) = closed_by(conn, tenant, through).await? {
        return Ok(Closing::ClosedBefore(before));
    }
    let ends_at: Timestamp = sqlx::query_scalar(
        "select ledger.day_start($2::date + 1, time_zone) from mizan.tenant where tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(through)
    .fetch_one(&mut *conn)
    .await?;
    if now < ends_at {
        return Ok(Closing::NotOver { ends_at });
    }
    let row = sqlx::query(
        "with moved as (
             update ledger.book set closed_before = $3
             where tenant_id = $1
             returning position
         )
         insert into ledger.period
             (tenant_id, closed_through, ends_at, position, closed_at, closed_by)
         select $1, $2, $3, position, $4, $5 from moved
         returning closed_through, ends_at, position, closed_at, closed_by",
    )
    .bind(tenant.0)
    .bind(through)
    .bind(ends_at)
    .bind(now)
    .bind(by)
    .fetch_one(conn)
    .await?;
    Ok(Closing::Closed(period(&row)?))
}

/// The period that closed this day, if one did.
async fn closed_by(
    conn: &mut PgConnection,
    tenant: TenantId,
    day: NaiveDate,
) -> Result<Option<Period>, LedgerError> {
    let row = sqlx::query(
        "select closed_through, ends_at, position, closed_at, closed_by
         from ledger.period
         where tenant_id = $1 and closed_through >= $2
         order by closed_through
         limit 1",
    )
    .bind(tenant.0)
    .bind(day)
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(period).transpose()
}

/// Closed periods, newest first, at most `limit`; those before `before` where it is given.
///
/// # Errors
/// The database.
pub async fn periods(
    conn: &mut PgConnection,
    tenant: TenantId,
    before: Option<NaiveDate>,
    limit: u32,
) -> Result<Vec<Period>, LedgerError> {
    let rows = sqlx::query(
        "select closed_through, ends_at, position, closed_at, closed_by
         from ledger.period
         where tenant_id = $1 and ($2::date is null or closed_through < $2)
         order by closed_through desc
         limit $3",
    )
    .bind(tenant.0)
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(conn)
    .await?;
    rows.iter().map(period).collect()
}

fn period(row: &PgRow) -> Result<Period, LedgerError> {
    Ok(Period {
        closed_through: row.try_get("closed_through")?,
        ends_at: row.try_get("ends_at")?,
        position: row.try_get("position")?,
        closed_at: row.try_get("closed_at")?,
        closed_by: row.try_get("closed_by")?,
    })
}

//! Runs: who is due on a day, and what was paid for it already.

use chrono::NaiveDate;
use mizan_ledger::postings::Payee;
use mizan_money::id::{PayoutId, PayoutRunId};
use mizan_money::{Currency, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::payee::terms_of;
use super::{Result, currency, payee_of};
use crate::payouts::payout::Payout;
use crate::payouts::run::Run;
use crate::payouts::terms::Terms;

/// The day that a moment belongs to in the tenant's time zone.
///
/// # Errors
/// The database.
pub async fn day_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    moment: Timestamp,
) -> Result<NaiveDate> {
    let day = sqlx::query_scalar(
        "select ledger.day_of($2, time_zone) from mizan.tenant where tenant_id = $1",
    );
    Ok(day.bind(tenant.0).bind(moment).fetch_one(conn).await?)
}

/// Adds the run of a day where there is none.
///
/// # Errors
/// The database.
pub async fn insert_run(conn: &mut PgConnection, tenant: TenantId, run: &Run) -> Result<()> {
    sqlx::query(
        "insert into payouts.run (tenant_id, id, on_day, created_at, created_by)
         values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, on_day) do nothing",
    )
    .bind(tenant.0)
    .bind(run.id.uuid())
    .bind(run.on)
    .bind(run.created_at)
    .bind(&run.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

fn run_of(row: &PgRow) -> Result<Run> {
    Ok(Run {
        id: PayoutRunId::from_uuid(row.try_get("id")?),
        on: row.try_get("on_day")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

/// The run of a day.
///
/// # Errors
/// The database.
pub async fn run_on(
    conn: &mut PgConnection,
    tenant: TenantId,
    on: NaiveDate,
) -> Result<Option<Run>> {
    let row = sqlx::query("select * from payouts.run where tenant_id = $1 and on_day = $2");
    let row = row.bind(tenant.0).bind(on).fetch_optional(conn).await?;
    row.as_ref().map(run_of).transpose()
}

/// A run; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn run(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PayoutRunId,
) -> Result<Option<Run>> {
    let row = sqlx::query("select * from payouts.run where tenant_id = $1 and id = $2");
    let row = row.bind(tenant.0).bind(id.uuid()).fetch_optional(conn).await?;
    row.as_ref().map(run_of).transpose()
}

/// Every payee that has a schedule, in the order in which payees are locked.
///
/// # Errors
/// The database.
pub async fn payees_with_schedule(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<(Payee, Terms)>> {
    let rows = sqlx::query(
        "select kind, payee, schedule, weekday, month_day, minimum, pay_currency, rail
         from payouts.payee where tenant_id = $1 and schedule <> 'manual'",
    );
    let rows = rows.bind(tenant.0).fetch_all(conn).await?;
    let both = |row: &PgRow| Ok((payee_of(row)?, terms_of(row)?));
    let mut found = rows.iter().map(both).collect::<Result<Vec<_>>>()?;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// For whom and in which currency there is a payout of a day.
///
/// # Errors
/// The database.
pub async fn days_that_paid(
    conn: &mut PgConnection,
    tenant: TenantId,
    on: NaiveDate,
) -> Result<Vec<(Payee, Currency)>> {
    let rows = sqlx::query(
        "select kind, payee, currency from payouts.payout where tenant_id = $1 and on_day = $2",
    );
    let rows = rows.bind(tenant.0).bind(on).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((payee_of(row)?, currency(row, "currency")?))).collect()
}

/// The payouts of a run that are still at a gate, locked. Their payees are locked before.
///
/// # Errors
/// The database.
pub async fn lock_gated(
    conn: &mut PgConnection,
    tenant: TenantId,
    run: PayoutRunId,
) -> Result<Vec<Payout>> {
    let rows = sqlx::query(
        "select * from payouts.payout where tenant_id = $1 and run_id = $2 and state = 'gated'
         order by id
         for no key update",
    );
    let rows = rows.bind(tenant.0).bind(run.uuid()).fetch_all(conn).await?;
    rows.iter().map(super::load::payout_of).collect()
}

/// The payouts of earlier runs for a payee and currency that are still at a gate: a new run takes
/// their place.
///
/// # Errors
/// The database.
pub async fn lock_stale(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    currency: Currency,
    on: NaiveDate,
) -> Result<Vec<PayoutId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from payouts.payout
         where tenant_id = $1 and kind = $2 and payee = $3 and currency = $4::char(3)
             and on_day < $5 and state = 'gated'
         order by id
         for no key update",
    )
    .bind(tenant.0)
    .bind(payee.kind())
    .bind(payee.id())
    .bind(currency.code())
    .bind(on)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PayoutId::from_uuid).collect())
}

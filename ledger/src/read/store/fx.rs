//! What stands open on the conversion account, and when a day ends.

use chrono::{DateTime, NaiveDate, Utc};
use mizan_money::{Currency, Money, TenantId};
use sqlx::PgConnection;

use super::super::FxPosition;
use super::Result;

/// The first moment after a day in the tenant's time zone.
///
/// # Errors
/// The database.
pub async fn day_ends(
    conn: &mut PgConnection,
    tenant: TenantId,
    day: NaiveDate,
) -> Result<DateTime<Utc>> {
    let ends = sqlx::query_scalar(
        "select ledger.day_start($2::date + 1, time_zone) from mizan.tenant where tenant_id = $1",
    );
    Ok(ends.bind(tenant.0).bind(day).fetch_one(conn).await?)
}

/// The position in `currency` that counts before a moment, and what stands against it in
/// `into`. A conversion's two currencies meet in one transaction, or in several that belong to
/// one thing: only what belongs to a thing that moved `currency` stands against it.
///
/// # Errors
/// The database.
pub async fn fx_position(
    conn: &mut PgConnection,
    tenant: TenantId,
    (currency, into): (Currency, Currency),
    before: DateTime<Utc>,
) -> Result<FxPosition> {
    let (open, book): (i64, i64) = sqlx::query_as(
        "with moved as (
             select t.position, e.currency, nullif(t.source, '') as source,
                 case e.side when 'd' then e.amount else -e.amount end as net
             from ledger.account a
             join ledger.entry e on e.tenant_id = a.tenant_id and e.account_id = a.id
             join ledger.transaction t on t.tenant_id = e.tenant_id and t.position = e.position
             where a.tenant_id = $1 and a.path = 'fx_clearing'
                 and a.currency in ($2::char(3), $3::char(3))
                 and t.effective_at < $4
         )
         select
             coalesce(sum(-m.net) filter (where m.currency = $2::char(3)), 0)::bigint,
             coalesce(sum(m.net) filter (where m.currency = $3::char(3) and (
                 m.position in (select o.position from moved o where o.currency = $2::char(3))
                 or m.source in (select o.source from moved o where o.currency = $2::char(3))
             )), 0)::bigint
         from moved m",
    )
    .bind(tenant.0)
    .bind(currency.code())
    .bind(into.code())
    .bind(before)
    .fetch_one(conn)
    .await?;
    Ok(FxPosition { open: Money::new(open, currency), book: Money::new(book, into) })
}

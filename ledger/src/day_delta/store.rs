//! The statements that sum days up, and the proof that the sums are right.

use chrono::{DateTime, NaiveDate, Utc};
use mizan_money::TenantId;
use sqlx::{PgConnection, query_scalar};

use super::{EndedDay, FoldedDay, GRACE};
use crate::error::LedgerError;
use crate::verify::{Law, NAMED_MAX};

/// The day of the first transaction that is not summed up, if that day is over by `now`.
async fn next_day(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<Option<EndedDay>, LedgerError> {
    let next = sqlx::query_as::<_, (NaiveDate, DateTime<Utc>)>(
        "select next.day, next.ends_at
         from mizan.tenant owner
         join ledger.transaction t on t.tenant_id = owner.tenant_id
             and t.position = 1 + coalesce((
                 select f.last_position from ledger.folded_day f
                 where f.tenant_id = $1
                 order by f.known_day desc
                 limit 1
             ), 0)
         cross join lateral (
             select day, ledger.day_start(day + 1, owner.time_zone) as ends_at
             from ledger.day_of(t.recorded_at, owner.time_zone) as day
         ) next
         where owner.tenant_id = $1 and next.ends_at <= $2",
    )
    .bind(tenant.0)
    .bind(now - GRACE)
    .fetch_optional(conn)
    .await?;
    Ok(next.map(|(day, ends_at)| EndedDay { day, ends_at }))
}

/// Ends the oldest day of recording that is over and not summed up: after the commit nothing
/// can be recorded in it. None where there is no such day. The book is locked until then.
///
/// # Errors
/// The database.
pub async fn end_day(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: DateTime<Utc>,
) -> Result<Option<EndedDay>, LedgerError> {
    if next_day(conn, tenant, now).await?.is_none() {
        return Ok(None);
    }
    sqlx::query("select from ledger.book where tenant_id = $1 for no key update")
        .bind(tenant.0)
        .execute(&mut *conn)
        .await?;
    // Once more, now that the zone cannot change: its change takes the same lock.
    let Some(ended) = next_day(conn, tenant, now).await? else { return Ok(None) };
    sqlx::query(
        "update ledger.book set recorded_from = $2 where tenant_id = $1 and recorded_from < $2",
    )
    .bind(tenant.0)
    .bind(ended.ends_at)
    .execute(conn)
    .await?;
    Ok(Some(ended))
}

/// Sums up a day that [`end_day`] ended and that was committed since. None where somebody else
/// has done it.
///
/// # Errors
/// The database.
pub async fn fold_day(
    conn: &mut PgConnection,
    tenant: TenantId,
    ended: EndedDay,
) -> Result<Option<FoldedDay>, LedgerError> {
    // Long days are summed up longer than a request may take; nobody waits for it. It reads a
    // whole day, which is planned otherwise than what a connection mostly writes.
    sqlx::query(
        "select set_config(name, setting, true)
         from (values ('statement_timeout', '600s'), ('plan_cache_mode', 'force_custom_plan'),
             ('enable_hashjoin', 'on'), ('enable_mergejoin', 'on')) as wanted (name, setting)",
    )
    .execute(&mut *conn)
    .await?;
    let Some((first_position, last_position)) = claim_day(conn, tenant, ended).await? else {
        return Ok(None);
    };
    let written = sqlx::query(FOLD)
        .bind(tenant.0)
        .bind(ended.day)
        .bind(first_position)
        .bind(last_position)
        .execute(conn)
        .await?;
    let (day, sums) = (ended.day, written.rows_affected());
    Ok(Some(FoldedDay { day, first_position, last_position, sums }))
}

/// Writes the day's row, for which another one at the same work waits.
async fn claim_day(
    conn: &mut PgConnection,
    tenant: TenantId,
    ended: EndedDay,
) -> Result<Option<(i64, i64)>, LedgerError> {
    let claimed = sqlx::query_as::<_, (i64, i64)>(
        "insert into ledger.folded_day
             (tenant_id, known_day, ends_at, first_position, last_position)
         select $1, $2, $3, folded.position + 1, coalesce((
                 select t.position - 1
                 from ledger.transaction t
                 where t.tenant_id = $1 and t.position > folded.position and t.recorded_at >= $3
                 order by t.position
                 limit 1
             ), (select max(t.position) from ledger.transaction t where t.tenant_id = $1))
         from (
             select coalesce(max(f.last_position), 0) as position
             from ledger.folded_day f
             where f.tenant_id = $1 and f.known_day < $2
         ) folded
         on conflict (tenant_id, known_day) do nothing
         returning first_position, last_position",
    )
    .bind(tenant.0)
    .bind(ended.day)
    .bind(ended.ends_at)
    .fetch_optional(conn)
    .await?;
    Ok(claimed)
}

/// The days of a range of transactions are found by halving in the list of their first moments:
/// asking the zone for each entry would take most of the time.
macro_rules! sums_of_days {
    () => {
        "span as (
                 select min(t.effective_at) as first, max(t.effective_at) as last,
                     min(t.recorded_at) as recorded_first, max(t.recorded_at) as recorded_last
                 from ledger.transaction t
                 where t.tenant_id = $1 and t.position between $3 and $4
             ),
             days as materialized (
                 select local.first - 1 as first, array(
                     select ledger.day_start(local.first + n, owner.time_zone)
                     from generate_series(-1, local.last - local.first + 1) n
                     order by n
                 ) as starts
                 from span
                 join mizan.tenant owner on owner.tenant_id = $1
                 cross join lateral (
                     select (span.first at time zone owner.time_zone)::date as first,
                         (span.last at time zone owner.time_zone)::date as last
                 ) local
             ),
             sums as (
                 select e.account_id,
                     days.first + width_bucket(t.effective_at, days.starts) - 1 as effective_day,
                     $2::date as known_day,
                     coalesce(sum(e.amount) filter (where e.side = 'd'), 0)::bigint as debits,
                     coalesce(sum(e.amount) filter (where e.side = 'c'), 0)::bigint as credits
                 from ledger.transaction t
                 join ledger.entry e on e.tenant_id = t.tenant_id and e.position = t.position,
                     days
                 where t.tenant_id = $1 and t.position between $3 and $4
                     and e.recorded_at >= (select recorded_first from span)
                     and e.recorded_at <= (select recorded_last from span)
                 group by 1, 2
             )"
    };
}

const FOLD: &str = concat!(
    "with ",
    sums_of_days!(),
    " insert into ledger.day_delta
         (tenant_id, account_id, effective_day, known_day, debits, credits)
     select $1, account_id, effective_day, known_day, debits, credits
     from sums
     order by account_id, effective_day"
);

const BROKEN_SUMS: &str = concat!(
    "with ",
    sums_of_days!(),
    " select 'account ' || account_id || ' on ' || effective_day || ' as known on ' || known_day
             || ' says ' || coalesce(d.debits, 0) || ', ' || coalesce(d.credits, 0)
             || '; its entries say ' || coalesce(s.debits, 0) || ', ' || coalesce(s.credits, 0)
     from sums s
     full join (
         select * from ledger.day_delta where tenant_id = $1 and known_day = $2
     ) d using (account_id, effective_day, known_day)
     where (s.debits, s.credits) is distinct from (d.debits, d.credits)
     order by account_id, effective_day
     limit $5"
);

const BROKEN_DAYS: &str = "
select 'day ' || day.known_day || case
    when day.first_position <> day.previous + 1
        then ' begins with transaction ' || day.first_position || ' after ' || day.previous
    else ' has not the transactions that were recorded in it' end
from (
    select f.*, lag(f.last_position, 1, 0::bigint) over (order by f.known_day) as previous
    from ledger.folded_day f
    where f.tenant_id = $1
) day
join mizan.tenant owner using (tenant_id)
where day.first_position <> day.previous + 1 or exists (
    select from unnest(
        array[day.first_position, day.last_position, day.last_position + 1]
    ) as edge (position)
    cross join lateral (
        select t.recorded_at from ledger.transaction t
        where t.tenant_id = $1 and t.position = edge.position
        limit 1
    ) t
    where (edge.position <= day.last_position) <> (
        t.recorded_at >= ledger.day_start(day.known_day, owner.time_zone)
        and t.recorded_at < day.ends_at)
)
order by day.known_day
limit $2";

/// Proves that the daily sums equal the entries of their days, for the days that go beyond the
/// journal number `since`, that no day is missing between them, and that each has the
/// transactions that were recorded in it.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn law_day_deltas(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: i64,
) -> Result<Law, LedgerError> {
    let mut law = Law::new("daily sums equal their entries", "sums");
    law.broken = query_scalar(BROKEN_DAYS)
        .bind(tenant.0)
        .bind(NAMED_MAX as i64)
        .fetch_all(&mut *conn)
        .await?;
    let days = sqlx::query_as::<_, (NaiveDate, i64, i64)>(
        "select known_day, first_position, last_position
         from ledger.folded_day
         where tenant_id = $1 and last_position > $2
         order by known_day",
    )
    .bind(tenant.0)
    .bind(since)
    .fetch_all(&mut *conn)
    .await?;
    for (day, first, last) in days {
        law.checked += query_scalar::<_, i64>(
            "select count(*) from ledger.day_delta where tenant_id = $1 and known_day = $2",
        )
        .bind(tenant.0)
        .bind(day)
        .fetch_one(&mut *conn)
        .await?;
        let room = NAMED_MAX.saturating_sub(law.broken.len());
        let broken: Vec<String> = query_scalar(BROKEN_SUMS)
            .bind(tenant.0)
            .bind(day)
            .bind(first)
            .bind(last)
            .bind(room as i64)
            .fetch_all(&mut *conn)
            .await?;
        law.broken.extend(broken);
    }
    Ok(law)
}

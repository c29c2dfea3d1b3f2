//! The statements behind questions about the past.
//!
//! Days of recording that are summed up are read from `day_delta`, the days after them from
//! their entries. Which is which is decided by journal number, so every part of an answer
//! counts the same transactions, whatever is posted or summed up meanwhile.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use mizan_money::{AccountId, TenantId};
use sqlx::{PgConnection, Row};

use super::super::past::{AsOf, Horizon, Known, PastBalance};
use super::super::{Detail, TrialLine};
use super::account::{account, trial_lines};
use super::{Result, corrupt};

/// Places a question in the tenant's time zone and in the journal as it stands.
///
/// # Errors
/// The database.
pub async fn horizon(
    conn: &mut PgConnection,
    tenant: TenantId,
    as_of: AsOf,
    now: DateTime<Utc>,
) -> Result<Horizon> {
    let (day, moment) = match as_of.known {
        Known::Now => (None, None),
        Known::Day(day) => (Some(day), None),
        // The database counts in microseconds, and the moment itself is known.
        Known::At(moment) => (None, moment.checked_add_signed(TimeDelta::microseconds(1))),
    };
    let row = sqlx::query(
        "select owner.time_zone, ledger.day_of($4, owner.time_zone) as today, known.before,
             case when known.before is null then b.position
                 else ledger.last_position_before($1, known.before) end as position
         from mizan.tenant owner
         join ledger.book b using (tenant_id)
         cross join lateral (
             select coalesce($3::timestamptz, ledger.day_start($2::date + 1, owner.time_zone))
                 as before
         ) known
         where tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(day)
    .bind(moment)
    .bind(now)
    .fetch_one(conn)
    .await?;
    Ok(Horizon {
        as_of,
        time_zone: row.try_get("time_zone")?,
        today: row.try_get("today")?,
        position: row.try_get("position")?,
        known_before: row.try_get("before")?,
    })
}

/// What an account's entries add up to, as far as they count. `$2` is the account or null for
/// all; `$3` the last journal number; `$4` the last day, or null.
macro_rules! counted {
    () => {
        "folded as (
             select f.known_day, f.ends_at
             from ledger.folded_day f
             where f.tenant_id = $1 and f.last_position <= $3
             order by f.known_day desc
             limit 1
         ),
         counted as (
             select d.account_id, d.debits, d.credits
             from ledger.day_delta d
             where d.tenant_id = $1 and ($2::bigint is null or d.account_id = $2)
                 and d.known_day <= (select known_day from folded)
                 and ($4::date is null or d.effective_day <= $4)
             union all
             select e.account_id, case e.side when 'd' then e.amount else 0 end,
                 case e.side when 'c' then e.amount else 0 end
             from ledger.entry e
             join ledger.transaction t on t.tenant_id = e.tenant_id and t.position = e.position
             where e.tenant_id = $1 and ($2::bigint is null or e.account_id = $2)
                 and e.position <= $3
                 and e.recorded_at >= coalesce((select ends_at from folded), '-infinity')
                 and ($4::date is null or t.effective_at < (
                     select ledger.day_start($4 + 1, owner.time_zone)
                     from mizan.tenant owner where owner.tenant_id = $1))
         )"
    };
}

const SUMS: &str = concat!(
    "with ",
    counted!(),
    " select coalesce(sum(debits), 0)::bigint as debits,
         coalesce(sum(credits), 0)::bigint as credits
     from counted"
);

const TRIAL: &str = concat!(
    "with ",
    counted!(),
    " select case when $5 then a.path else split_part(a.path, ':', 1) end as path,
         a.currency, (sum(c.debits) - sum(c.credits))::text as net
     from counted c
     join ledger.account a on a.tenant_id = $1 and a.id = c.account_id
     group by 1, a.currency
     having sum(c.debits) <> sum(c.credits)"
);

/// Debits and credits of an account up to and with a day, within a horizon.
pub(super) async fn sums(
    conn: &mut PgConnection,
    tenant: TenantId,
    number: i64,
    horizon: &Horizon,
    through: Option<NaiveDate>,
) -> Result<(i64, i64)> {
    let sums = sqlx::query_as::<_, (i64, i64)>(SUMS)
        .bind(tenant.0)
        .bind(number)
        .bind(horizon.position)
        .bind(through)
        .fetch_one(conn)
        .await?;
    Ok(sums)
}

/// The key inside of an account that is there.
pub(super) async fn number_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: AccountId,
) -> Result<i64> {
    let query = "select id from ledger.account where tenant_id = $1 and public_id = $2";
    Ok(sqlx::query_scalar(query).bind(tenant.0).bind(id.uuid()).fetch_one(conn).await?)
}

/// An account's balance within a horizon; none where the account is unknown.
///
/// Where no day of the world leaves entries out, the balance is that of the account's last entry
/// within the horizon, and the sums must say the same.
///
/// # Errors
/// The database; sums and entries that contradict each other.
pub async fn balance_as_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: AccountId,
    horizon: &Horizon,
) -> Result<Option<PastBalance>> {
    let Some(account) = account(conn, tenant, id).await? else { return Ok(None) };
    let number = number_of(conn, tenant, id).await?;
    let through = horizon.as_of.effective;
    let (debits, credits) = sums(conn, tenant, number, horizon, through).await?;
    let entries = match through {
        Some(_) => None,
        None => {
            let (seq, balance) = last_entry(conn, tenant, number, horizon).await?;
            if balance != debits - credits {
                return Err(corrupt(format!(
                    "{}: entry {seq} leaves {balance}, the sums of days {}",
                    account.account,
                    debits - credits
                )));
            }
            Some(seq)
        }
    };
    Ok(Some(PastBalance { account, debits, credits, entries }))
}

/// The number of an account's last entry within a horizon and the balance it left.
async fn last_entry(
    conn: &mut PgConnection,
    tenant: TenantId,
    number: i64,
    horizon: &Horizon,
) -> Result<(i64, i64)> {
    let last = sqlx::query_as::<_, (i64, i64)>(
        "select e.seq, e.balance_after
         from ledger.entry e
         where e.tenant_id = $1 and e.account_id = $2 and e.position <= $4
             and ($3::timestamptz is null or e.recorded_at < $3)
             and e.seq <= case when $3::timestamptz is null then 9223372036854775807
                 else ledger.last_seq_before($1, $2, $3) end
         order by e.seq desc
         limit 1",
    )
    .bind(tenant.0)
    .bind(number)
    .bind(horizon.known_before)
    .bind(horizon.position)
    .fetch_optional(conn)
    .await?;
    Ok(last.unwrap_or_default())
}

/// Every balance that is not zero within a horizon, in the order of the chart.
///
/// # Errors
/// The database.
pub async fn trial_balance_as_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    detail: Detail,
    horizon: &Horizon,
) -> Result<Vec<TrialLine>> {
    let rows = sqlx::query(TRIAL)
        .bind(tenant.0)
        .bind(None::<i64>)
        .bind(horizon.position)
        .bind(horizon.as_of.effective)
        .bind(detail == Detail::Account)
        .fetch_all(conn)
        .await?;
    trial_lines(&rows)
}

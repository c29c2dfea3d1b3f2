//! The laws that are asked once of the whole book: the book itself, keys, reversals, strays.

use mizan_money::{TenantId, Timestamp};
use sqlx::{PgConnection, Row, query, query_scalar};

use crate::error::LedgerError;

type Result<T> = std::result::Result<T, LedgerError>;

/// Where the book stands, and where the journal ends.
pub(super) struct Book {
    pub(super) position: i64,
    pub(super) event_position: i64,
    pub(super) recorded_at: Timestamp,
    /// The newest transaction's number.
    pub(super) end: i64,
}

/// Reads the book; its absence means that nothing of the tenant can be seen.
pub(super) async fn book(conn: &mut PgConnection, tenant: TenantId) -> Result<Book> {
    let row = query(
        "select b.position, b.event_position,
             case when isfinite(b.recorded_at) then b.recorded_at else 'epoch' end as recorded_at,
             coalesce((select max(t.position) from ledger.transaction t
                 where t.tenant_id = b.tenant_id), 0) as journal_end
         from ledger.book b
         where b.tenant_id = $1",
    )
    .bind(tenant.0)
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else {
        let what = format!("the book of tenant {tenant} is not there, so nothing can be proved");
        return Err(LedgerError::Corrupt { what });
    };
    Ok(Book {
        position: row.try_get("position")?,
        event_position: row.try_get("event_position")?,
        recorded_at: row.try_get("recorded_at")?,
        end: row.try_get("journal_end")?,
    })
}

/// Every key has one outcome and every transaction after `since` a key.
pub(super) async fn keys(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: i64,
) -> Result<(i64, Vec<String>)> {
    let row = query(
        "select (select count(*) from ledger.outcome where tenant_id = $1) as keys,
             (select count(*) from ledger.rejection where tenant_id = $1)
                 + (select position from ledger.book where tenant_id = $1) as outcomes",
    )
    .bind(tenant.0)
    .fetch_one(&mut *conn)
    .await?;
    let (keys, outcomes): (i64, i64) = (row.try_get("keys")?, row.try_get("outcomes")?);
    // As many keys as transactions and refusals, and none missing: then none has two either.
    // Without looking at each key that is as far as an increment goes.
    let statement = if since == 0 || keys != outcomes { EVERY_KEY } else { MISSING_KEYS };
    let broken = query_scalar(statement).bind(tenant.0).bind(since).fetch_all(conn).await?;
    Ok((keys, broken))
}

const MISSING_KEYS: &str = "
    select 'transaction ' || t.position || ' has no key'
    from ledger.transaction t
    left join ledger.outcome o on o.tenant_id = t.tenant_id and o.transaction_id = t.id
    where t.tenant_id = $1 and t.position > $2 and o.key is null
    order by t.position
    limit 20";

const EVERY_KEY: &str = "
    select case
        when o.key is null then 'transaction ' || t.position || ' has no key'
        else 'key ' || o.key || ' was claimed and has '
            || case when t.id is null then 'no outcome' else 'two outcomes' end end
    from (select id, position from ledger.transaction where tenant_id = $1) t
    full join (
        select o.key, o.transaction_id, r.key is not null as is_refused
        from ledger.outcome o
        left join ledger.rejection r on r.tenant_id = o.tenant_id and r.key = o.key
        where o.tenant_id = $1
    ) o on o.transaction_id = t.id
    where o.key is null or (t.id is null) = not o.is_refused
    limit 20";

/// A reversal follows what it reverses, which is reversed once.
pub(super) async fn reversals(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: i64,
) -> Result<(i64, Vec<String>)> {
    let checked = query_scalar(
        "select count(*) from ledger.transaction
         where tenant_id = $1 and reverses is not null and position > $2",
    )
    .bind(tenant.0)
    .bind(since)
    .fetch_one(&mut *conn)
    .await?;
    let broken = query_scalar(
        "select 'transaction ' || r.position || ' reverses ' || r.reverses || case
                 when r.reverses >= r.position then ', which does not come before it'
                 when t.position is null then ', which is not there'
                 else ', which is reversed already' end
         from (
             select tenant_id, position, reverses,
                 row_number() over (partition by reverses order by position) as nth
             from ledger.transaction
             where tenant_id = $1 and reverses is not null
         ) r
         left join ledger.transaction t
             on t.tenant_id = r.tenant_id and t.position = r.reverses
         where r.position > $2
             and (r.reverses >= r.position or t.position is null or r.nth > 1)
         order by r.position
         limit 20",
    )
    .bind(tenant.0)
    .bind(since)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// How many entries there are after a journal number and from a time on, of whatever they are.
pub(super) async fn entries(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Option<(i64, Timestamp)>,
) -> Result<i64> {
    let count = query_scalar(
        "select count(*) from ledger.entry
         where tenant_id = $1 and ($2::bigint is null or position > $2)
             and recorded_at >= coalesce($3, '-infinity'::timestamptz)",
    )
    .bind(tenant.0)
    .bind(since.map(|(position, _)| position))
    .bind(since.map(|(_, time)| time))
    .fetch_one(conn)
    .await?;
    Ok(count)
}

/// The entries that the spans have not met: those of no transaction, or of another time.
pub(super) async fn strays(conn: &mut PgConnection, tenant: TenantId) -> Result<Vec<String>> {
    let broken = query_scalar(
        "select 'entry ' || e.seq || ' of account ' || e.account_id || case
                 when t.position is null then ' is of no transaction (' || e.position || ')'
                 else ' has another time than transaction ' || e.position end
         from ledger.entry e
         left join ledger.transaction t
             on t.tenant_id = e.tenant_id and t.position = e.position
         where e.tenant_id = $1 and t.recorded_at is distinct from e.recorded_at
         limit 20",
    )
    .bind(tenant.0)
    .fetch_all(conn)
    .await?;
    Ok(broken)
}

//! The statements of the outbox.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::NewEvent;
use crate::db::DbError;

/// Appends events in the order given. Takes the book's row, so nothing may block after it.
///
/// # Errors
/// The database.
pub async fn append(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    events: &[NewEvent],
) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "with taken as (
             update ledger.book set event_position = event_position + $2
             where tenant_id = $1
             returning event_position - $2 as base
         )
         insert into outbox.event
             (tenant_id, event_position, id, kind, object_id, journal_position, payload, created_at)
         select $1, taken.base + e.n, e.id, e.kind, e.object_id, e.journal_position, e.payload, $3
         from taken, unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::jsonb[])
             with ordinality as e (id, kind, object_id, journal_position, payload, n)",
    )
    .bind(tenant.0)
    .bind(events.len() as i64)
    .bind(now)
    .bind(events.iter().map(|event| event.id.uuid()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.kind).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.object_id.as_str()).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.journal_position).collect::<Vec<_>>())
    .bind(events.iter().map(|event| event.payload.clone()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Proves that event numbers have no gap and that every transaction is announced, of what came
/// after an event number and a journal number. Answers how many events were checked and what
/// breaks the law.
///
/// # Errors
/// The database.
pub async fn law_announced(
    conn: &mut PgConnection,
    tenant: TenantId,
    (event_position, position): (i64, i64),
) -> Result<(i64, Vec<String>), DbError> {
    let checked = sqlx::query_scalar(
        "select count(*) from outbox.event where tenant_id = $1 and event_position > $2",
    )
    .bind(tenant.0)
    .bind(event_position)
    .fetch_one(&mut *conn)
    .await?;
    let broken = sqlx::query_scalar(
        "select 'event ' || event_position || ' follows ' || previous from (
             select event_position,
                 lag(event_position, 1, $2) over (order by event_position) as previous
             from outbox.event where tenant_id = $1 and event_position > $2
         ) numbers where event_position <> previous + 1
         union all
         select 'the book stands at event ' || b.event_position || ' and the outbox ends at '
             || coalesce(max(e.event_position), 0)
         from ledger.book b left join outbox.event e on e.tenant_id = b.tenant_id
         where b.tenant_id = $1
         group by b.event_position
         having b.event_position <> coalesce(max(e.event_position), 0)
         union all
         select 'transaction ' || t.position || ' (' || t.kind || ') was never announced'
         from ledger.transaction t
         left join outbox.event e
             on e.tenant_id = t.tenant_id and e.journal_position = t.position
             and e.event_position > $2
         where t.tenant_id = $1 and t.position > $3 and e.id is null
         limit 20",
    )
    .bind(tenant.0)
    .bind(event_position)
    .bind(position)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

//! The statements about the journal: what was booked for a thing, announced, and paid out.

use mizan_money::id::{EventId, TransactionId};
use mizan_money::{TenantId, Timestamp};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::Result;

/// The most keys that are read of one thing.
const KEYS_MAX: i64 = 200;
/// Around the place of a transaction's events so many are read: those that were committed
/// together may stand in another order than their entries.
const EVENTS_AROUND: i64 = 250;

/// The transactions whose posting keys begin with one of these ids, each with its key.
///
/// An id ends in hexadecimal digits, so that every key that begins with it lies between it and
/// the id behind it, in whatever order the database sorts other signs.
pub(in crate::trace) async fn posted(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[(&str, Uuid)],
) -> Result<Vec<(String, TransactionId)>> {
    let text = |prefix: &str, id: Uuid| format!("{prefix}_{}", id.simple());
    let behind = |id: Uuid| Uuid::from_u128(id.as_u128().saturating_add(1));
    let rows: Vec<(String, Uuid)> = sqlx::query_as(
        "select o.key, o.transaction_id
         from unnest($2::text[], $3::text[]) as w (first, beyond)
         cross join lateral (
             select key, transaction_id from ledger.outcome
             where tenant_id = $1 and key >= w.first and key < w.beyond
             order by key
             limit $4
         ) o
         where starts_with(o.key, w.first || ':')
         order by o.key collate \"C\"",
    )
    .bind(tenant.0)
    .bind(ids.iter().map(|(prefix, id)| text(prefix, *id)).collect::<Vec<_>>())
    .bind(ids.iter().map(|(prefix, id)| text(prefix, behind(*id))).collect::<Vec<_>>())
    .bind(KEYS_MAX)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(key, id)| (key, TransactionId::from_uuid(id))).collect())
}

/// An event of the outbox.
#[derive(Debug, Clone, FromRow)]
pub(in crate::trace) struct EventRow {
    pub(in crate::trace) id: Uuid,
    pub(in crate::trace) event_position: i64,
    pub(in crate::trace) kind: String,
    pub(in crate::trace) object_id: String,
    pub(in crate::trace) journal_position: Option<i64>,
    pub(in crate::trace) created_at: Timestamp,
}

/// One event.
pub(in crate::trace) async fn event(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: EventId,
) -> Result<Option<EventRow>> {
    sqlx::query_as(
        "select id, event_position, kind, object_id, journal_position, created_at
         from outbox.event where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_optional(conn)
    .await
}

/// The events that announce these transactions, by their journal numbers.
///
/// Events are numbered in the order of the commits, as transactions are: the place of each is
/// found by halves, and what lies around it is read.
pub(in crate::trace) async fn events(
    conn: &mut PgConnection,
    tenant: TenantId,
    positions: &[i64],
) -> Result<Vec<EventRow>> {
    sqlx::query_as(
        "with recursive search as (
             select w.wanted, 0::bigint as low, b.event_position + 1 as high
             from unnest($2::bigint[]) as w (wanted)
             cross join ledger.book b
             where b.tenant_id = $1
             union all
             select s.wanted,
                 case when probe.journal_position < s.wanted then probe.event_position
                     else s.low end,
                 case when probe.journal_position < s.wanted then s.high else s.middle end
             from (select wanted, low, high, (low + high) / 2 as middle
                 from search where high - low > 1) s
             left join lateral (
                 select e.event_position, e.journal_position from outbox.event e
                 where e.tenant_id = $1 and e.event_position >= s.middle
                     and e.event_position < s.high and e.journal_position is not null
                 order by e.event_position
                 limit 1
             ) probe on true
         ),
         place as (select wanted, max(low) as low from search group by wanted)
         select e.id, e.event_position, e.kind, e.object_id, e.journal_position, e.created_at
         from place
         cross join lateral (
             select * from outbox.event e
             where e.tenant_id = $1 and e.event_position >= place.low - $3
                 and e.event_position <= place.low + $3
         ) e
         where e.journal_position = place.wanted
         order by e.event_position",
    )
    .bind(tenant.0)
    .bind(positions)
    .bind(EVENTS_AROUND)
    .fetch_all(conn)
    .await
}

/// The payouts that itemise these transactions: payout, number, transaction, amount in minor
/// units, currency; oldest payouts first.
pub(in crate::trace) async fn items_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    transactions: &[TransactionId],
) -> Result<Vec<(Uuid, i32, Uuid, i64, String)>> {
    sqlx::query_as(
        "select i.payout_id, i.n, i.transaction_id, i.amount, p.currency::text
         from payouts.item i
         join payouts.payout p on p.tenant_id = i.tenant_id and p.id = i.payout_id
         where i.tenant_id = $1 and i.transaction_id = any($2)
         order by i.payout_id, i.n",
    )
    .bind(tenant.0)
    .bind(transactions.iter().map(|it| it.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await
}

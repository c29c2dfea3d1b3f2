//! Deliveries kept once and disposed of, many in one statement.
//!
//! Each is found by a probe of an index in a `lateral` subquery, which no planner can turn into a
//! join: a connection keeps a plan, and one that was made for an empty table must stay good. What
//! this transaction holds is written by its place.

use std::collections::{BTreeMap, HashSet};

use mizan_money::{DeliveryId, TenantId, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{Result, count_of, id_of, state_of};
use crate::delivery::{Kept, NewDelivery};
use crate::disposition::{DeliveryState, Disposition};
use crate::error::WebhookError;

/// Stores a delivery unless it is known: [`keep_many`] of one.
///
/// # Errors
/// The database.
pub async fn keep(
    conn: &mut PgConnection,
    tenant: TenantId,
    new: &NewDelivery,
    now: Timestamp,
) -> Result<Kept> {
    let mut kept = keep_many(conn, tenant, std::slice::from_ref(&new), now).await?;
    kept.pop().ok_or(WebhookError::Corrupt { id: new.id, what: "place" })
}

/// Stores deliveries unless they are known, in two statements at most; answers each, in order. A
/// repetition that runs at the same time waits here for the first one's commit; a known delivery
/// is locked, so that a repetition of a parked one may be applied again. One that comes twice in
/// `new` is answered the second time as it would be after the first: known, and received.
///
/// # Errors
/// The database.
pub async fn keep_many(
    conn: &mut PgConnection,
    tenant: TenantId,
    new: &[&NewDelivery],
    now: Timestamp,
) -> Result<Vec<Kept>> {
    // Sorted, as everybody does it: two that wait for each other's deliveries would never end.
    let mut first: BTreeMap<(&str, &str), &NewDelivery> = BTreeMap::new();
    for new in new {
        first.entry((&new.connection, &new.dedupe_id)).or_insert(new);
    }
    let distinct: Vec<&NewDelivery> = first.into_values().collect();
    let inserted = insert(conn, tenant, &distinct, now).await?;
    let met: Vec<&NewDelivery> =
        distinct.iter().filter(|new| !inserted.contains(&new.id)).copied().collect();
    let mut standing = known(conn, tenant, &met).await?;
    let mut kept = Vec::with_capacity(new.len());
    for new in new {
        let name = (new.connection.clone(), new.dedupe_id.clone());
        let found = standing.get(&name).copied().unwrap_or(Kept::New(new.id));
        kept.push(found);
        let after = Kept::Known {
            id: found.id(),
            state: DeliveryState::Received,
            attempts: found.attempts(),
        };
        if matches!(found, Kept::New(_)) {
            standing.insert(name, after);
        }
    }
    Ok(kept)
}

/// Inserts those that nobody has; answers their ids.
async fn insert(
    conn: &mut PgConnection,
    tenant: TenantId,
    new: &[&NewDelivery],
    now: Timestamp,
) -> Result<HashSet<DeliveryId>> {
    let headers = |new: &&NewDelivery| {
        let pair = |(name, value): &(String, String)| Value::from(vec![&**name, &**value]);
        Value::from(new.headers.iter().map(pair).collect::<Vec<_>>())
    };
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "insert into webhooks.delivery (tenant_id, id, connection, provider, dedupe_id,
             event_type, object_ref, body, headers, signed_at, received_at, occurred_at)
         select $1, n.id, n.connection, n.provider, n.dedupe_id, n.event_type, n.object_ref,
             n.body, n.headers, n.signed_at, $2, n.occurred_at
         from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                 $9::bytea[], $10::jsonb[], $11::timestamptz[], $12::timestamptz[])
             as n (id, connection, provider, dedupe_id, event_type, object_ref, body, headers,
                 signed_at, occurred_at)
         on conflict (tenant_id, connection, dedupe_id) do nothing
         returning id",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(new.iter().map(|new| new.id.uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.connection.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.provider.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.dedupe_id.as_str()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.event_type.as_deref()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.object_ref.as_deref()).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.body.as_slice()).collect::<Vec<_>>())
    .bind(new.iter().map(headers).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.signed_at).collect::<Vec<_>>())
    .bind(new.iter().map(|new| new.occurred_at).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(DeliveryId::from_uuid).collect())
}

/// The first of each name, by connection and name, locked in their order. A statement of its
/// own: only a new one sees what a transaction that was waited for has committed.
async fn known(
    conn: &mut PgConnection,
    tenant: TenantId,
    met: &[&NewDelivery],
) -> Result<BTreeMap<(String, String), Kept>> {
    if met.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query(
        "select d.* from unnest($2::text[], $3::text[]) as w (connection, dedupe_id)
         cross join lateral (
             select id, connection, dedupe_id, state, attempts, sha256(body) as digest
             from webhooks.delivery
             where tenant_id = $1 and connection = w.connection and dedupe_id = w.dedupe_id
             for no key update
         ) d",
    )
    .bind(tenant.0)
    .bind(met.iter().map(|new| new.connection.as_str()).collect::<Vec<_>>())
    .bind(met.iter().map(|new| new.dedupe_id.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut found = BTreeMap::new();
    for row in &rows {
        let id = id_of(row)?;
        let name: (String, String) = (row.try_get("connection")?, row.try_get("dedupe_id")?);
        let digest: Vec<u8> = row.try_get("digest")?;
        let same =
            |new: &&&NewDelivery| (&*new.connection, &*new.dedupe_id) == (&*name.0, &*name.1);
        let told = met.iter().find(same);
        if told.is_some_and(|new| Sha256::digest(&new.body)[..] != digest[..]) {
            // Gateways count pending deliveries inside the body, so this is no alarm.
            tracing::debug!(%id, "repeated with other bytes; the first ones are kept");
        }
        let (state, attempts) = (state_of(id, row)?, count_of(id, row, "attempts")?);
        found.insert(name, Kept::Known { id, state, attempts });
    }
    Ok(found)
}

/// Says what became of an open delivery: [`dispose_many`] of one.
///
/// # Errors
/// [`WebhookError::NotOpen`] when it is finished already or unknown, or the database.
pub async fn dispose(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: DeliveryId,
    disposition: &Disposition,
    now: Timestamp,
) -> Result<()> {
    dispose_many(conn, tenant, &[(id, disposition)], now).await
}

/// Says what became of open deliveries, each named once, in one statement; counts as one attempt
/// of each.
///
/// # Errors
/// [`WebhookError::NotOpen`] when one is finished already or unknown, or the database.
pub async fn dispose_many(
    conn: &mut PgConnection,
    tenant: TenantId,
    ends: &[(DeliveryId, &Disposition)],
    now: Timestamp,
) -> Result<()> {
    if ends.is_empty() {
        return Ok(());
    }
    let retry_at = |(_, end): &(DeliveryId, &Disposition)| match end {
        Disposition::Parked { retry_at, .. } => Some(*retry_at),
        _ => None,
    };
    let ended: Vec<Uuid> = sqlx::query_scalar(
        "update webhooks.delivery d
         set state = n.state, reason = n.reason, next_attempt_at = n.retry_at,
             finished_at = case when n.retry_at is null then $2 end, attempts = attempts + 1
         from (
             select stored.place, e.*
             from unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
                 as e (id, state, reason, retry_at)
             cross join lateral (
                 select ctid as place, id from webhooks.delivery
                 where tenant_id = $1 and id >= e.id
                 order by id
                 limit 1
             ) stored
             where stored.id = e.id
         ) n
         where d.tenant_id = $1 and d.ctid = n.place and d.finished_at is null
         returning d.id",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(ends.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, end)| end.state().as_str()).collect::<Vec<_>>())
    .bind(ends.iter().map(|(_, end)| end.stored_reason()).collect::<Vec<_>>())
    .bind(ends.iter().map(retry_at).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let ended: HashSet<Uuid> = ended.into_iter().collect();
    match ends.iter().find(|(id, _)| !ended.contains(&id.uuid())) {
        Some((id, _)) => Err(WebhookError::NotOpen { id: *id }),
        None => Ok(()),
    }
}

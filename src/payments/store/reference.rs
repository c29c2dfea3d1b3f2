//! Finding what gateways speak of, many at once: by the gateway's id, else by our reference.
//!
//! Each look-up is two statements at most. How they probe the indexes: the front page of this
//! folder.

use std::collections::HashMap;

use mizan_money::TenantId;
use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_providers::Trust;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;

/// What a gateway calls something of ours.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a, T> {
    /// The connection it speaks over.
    pub connection: &'a str,
    /// Its own id.
    pub theirs: Option<&'a str>,
    /// Our reference, where it repeats it.
    pub ours: Option<T>,
    /// What its word is worth.
    pub trust: Trust,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<T> {
    /// The intent it belongs to.
    pub intent: PaymentIntentId,
    /// The thing itself.
    pub id: T,
    /// By what it was found.
    pub by: FoundBy,
}

/// By what something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// The gateway's id.
    Theirs,
    /// Our reference: the gateway's id is not stored yet.
    Ours,
}

/// The attempts that gateways speak of: by the gateway's id, else the newest of the intent whose
/// gateway id has not reached us yet. One answer for each wanted, in order.
///
/// # Errors
/// The database.
pub async fn attempts_by_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    wanted: &[Wanted<'_, PaymentIntentId>],
) -> Result<Vec<Option<Found<AttemptId>>>> {
    let mut answers = vec![None; wanted.len()];
    for column in [BY_PAYMENT, BY_CHARGE] {
        let missing = wanted.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
        let theirs = distinct(missing.filter_map(|(w, _)| Some((w.connection, w.theirs?))));
        if theirs.is_empty() {
            break;
        }
        let known = attempts_called(conn, tenant, column, &theirs).await?;
        for (w, answer) in wanted.iter().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
            let name = w.theirs.map(|theirs| (w.connection.to_owned(), theirs.to_owned()));
            let row = name.and_then(|name| known.get(&name));
            *answer = row.map(|(intent, id)| found(*intent, *id, FoundBy::Theirs));
        }
    }
    let missing = wanted.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
    let ours = distinct(missing.filter_map(|(w, _)| w.ours).map(|id| id.uuid()));
    if ours.is_empty() {
        return Ok(answers);
    }
    let rows: Vec<(String, Uuid, Uuid, bool)> = sqlx::query_as(
        "select a.connection, a.intent_id, a.id, a.provider_ref is null
         from unnest($2::uuid[]) as w (intent_id)
         cross join lateral (
             select connection, intent_id, id, provider_ref from payments.attempt
             where tenant_id = $1 and intent_id = w.intent_id
             offset 0
         ) a
         order by a.id",
    )
    .bind(tenant.0)
    .bind(ours)
    .fetch_all(conn)
    .await?;
    for (w, answer) in wanted.iter().zip(&mut answers).filter(|(_, answer)| answer.is_none()) {
        let Some(intent) = w.ours.map(|id| id.uuid()) else { continue };
        // The newest comes last.
        let own = rows.iter().rev().filter(|row| row.0 == w.connection && row.1 == intent);
        *answer = own.clone().find(|row| row.3).map(|row| found(intent, row.2, FoundBy::Ours));
        if answer.is_none() && w.trust == Trust::Hint {
            // A reason to ask, whatever the gateway calls it.
            *answer = own.clone().next().map(|row| found(intent, row.2, FoundBy::Theirs));
        }
    }
    Ok(answers)
}

/// By the gateway's id of the payment.
const BY_PAYMENT: &str = "select a.connection, a.provider_ref, a.intent_id, a.id
     from unnest($2::text[], $3::text[]) as w (connection, theirs)
     cross join lateral (
         select connection, provider_ref, intent_id, id from payments.attempt
         where tenant_id = $1 and connection = w.connection and provider_ref >= w.theirs
         order by provider_ref
         limit 1
     ) a
     where a.provider_ref = w.theirs";

/// By its id of the newest transaction, where it calls a payment by that.
const BY_CHARGE: &str = "select a.connection, a.charge_ref, a.intent_id, a.id
     from unnest($2::text[], $3::text[]) as w (connection, theirs)
     cross join lateral (
         select connection, charge_ref, intent_id, id from payments.attempt
         where tenant_id = $1 and connection = w.connection and charge_ref >= w.theirs
         order by charge_ref
         limit 1
     ) a
     where a.charge_ref = w.theirs";

/// Attempts with their intents, by the connection and what the gateway calls them.
type Called = HashMap<(String, String), (Uuid, Uuid)>;

async fn attempts_called(
    conn: &mut PgConnection,
    tenant: TenantId,
    statement: &'static str,
    theirs: &[(&str, &str)],
) -> Result<Called> {
    let rows: Vec<(String, String, Uuid, Uuid)> = sqlx::query_as(statement)
        .bind(tenant.0)
        .bind(theirs.iter().map(|(connection, _)| *connection).collect::<Vec<_>>())
        .bind(theirs.iter().map(|(_, theirs)| *theirs).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    Ok(rows.into_iter().map(|(c, r, intent, id)| ((c, r), (intent, id))).collect())
}

fn found(intent: Uuid, id: Uuid, by: FoundBy) -> Found<AttemptId> {
    let intent = PaymentIntentId::from_uuid(intent);
    Found { intent, id: AttemptId::from_uuid(id), by }
}

/// The refunds that gateways speak of: by the gateway's id, else by our own reference where the
/// gateway's id has not reached us yet. One answer for each wanted, in order.
///
/// # Errors
/// The database.
pub async fn refunds_by_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    wanted: &[Wanted<'_, RefundId>],
) -> Result<Vec<Option<Found<RefundId>>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, Option<String>, Uuid, Uuid)> = sqlx::query_as(
        "with found as (
             select r.* from unnest($2::text[]) as w (theirs)
             cross join lateral (
                 select provider_ref, intent_id, id, attempt_id from payments.refund
                 where tenant_id = $1 and provider_ref = w.theirs
                 offset 0
             ) r
             union all
             select r.* from unnest($3::uuid[]) as w (id)
             cross join lateral (
                 select provider_ref, intent_id, id, attempt_id from payments.refund
                 where tenant_id = $1 and id >= w.id
                 order by id
                 limit 1
             ) r
             where r.id = w.id and r.provider_ref is null
         )
         select a.connection, found.provider_ref, found.intent_id, found.id
         from found
         cross join lateral (
             select id, connection from payments.attempt
             where tenant_id = $1 and id >= found.attempt_id
             order by id
             limit 1
         ) a
         where a.id = found.attempt_id",
    )
    .bind(tenant.0)
    .bind(distinct(wanted.iter().filter_map(|w| w.theirs)))
    .bind(distinct(wanted.iter().filter_map(|w| w.ours).map(|id| id.uuid())))
    .fetch_all(conn)
    .await?;
    let find = |w: &Wanted<'_, RefundId>| {
        let of_connection = || rows.iter().filter(|(connection, ..)| connection == w.connection);
        let theirs = of_connection()
            .find(|(_, theirs, ..)| theirs.is_some() && theirs.as_deref() == w.theirs)
            .map(|row| (row, FoundBy::Theirs));
        let ours = || {
            let id = w.ours?.uuid();
            let row = of_connection().find(|(_, theirs, _, own)| theirs.is_none() && *own == id);
            row.map(|row| (row, FoundBy::Ours))
        };
        theirs.or_else(ours).map(|((_, _, intent, id), by)| Found {
            intent: PaymentIntentId::from_uuid(*intent),
            id: RefundId::from_uuid(*id),
            by,
        })
    };
    Ok(wanted.iter().map(find).collect())
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

//! What is asked of gateways for payouts.

use mizan_money::id::{OperationId, PayoutId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::ProviderRef;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::Result;
use crate::payments::store::Wanted;
use crate::payouts::call::{Call, Stage};
use crate::payouts::error::corrupt;

/// Writes a question down.
///
/// # Errors
/// The database.
pub async fn insert_call(
    conn: &mut PgConnection,
    tenant: TenantId,
    call: &Call,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "insert into payouts.call
             (tenant_id, payout_id, id, connection, state, created_at, next_check_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(tenant.0)
    .bind(call.payout.uuid())
    .bind(call.id.uuid())
    .bind(&call.connection)
    .bind(call.stage.as_str())
    .bind(now)
    .bind(call.next_check_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes that a question is asked from now on, and until when nobody else asks it.
///
/// # Errors
/// The database.
pub async fn begin_call(conn: &mut PgConnection, tenant: TenantId, call: &Call) -> Result<()> {
    sqlx::query(
        "update payouts.call set state = $3, sent_at = $4, next_check_at = $5, asking_until = $5
         where tenant_id = $1 and payout_id = $2",
    )
    .bind(tenant.0)
    .bind(call.payout.uuid())
    .bind(call.stage.as_str())
    .bind(call.sent_at)
    .bind(call.next_check_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what came of asking. Where a hint came meanwhile, the answer may be older than what the
/// hint is about: it is asked again at once, if there is still something to ask.
///
/// # Errors
/// The database.
pub async fn end_call(
    conn: &mut PgConnection,
    tenant: TenantId,
    call: &Call,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update payouts.call set state = $3, provider_ref = $4, said = $5, checks = $6,
             sent_at = $7, asking_until = null,
             next_check_at = case
                 when next_check_at < asking_until and ($4 is not null or $8 is not null) then $9
                 else $8
             end
         where tenant_id = $1 and payout_id = $2",
    )
    .bind(tenant.0)
    .bind(call.payout.uuid())
    .bind(call.stage.as_str())
    .bind(call.provider_ref.as_ref().map(ProviderRef::as_str))
    .bind(&call.said)
    .bind(call.checks)
    .bind(call.sent_at)
    .bind(call.next_check_at)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// The payouts that gateways speak of over a connection: by our name, else by the gateway's own.
/// One answer for each wanted, in order.
///
/// # Errors
/// The database.
pub async fn payouts_by_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    wanted: &[Wanted<'_, PayoutId>],
) -> Result<Vec<Option<PayoutId>>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<Option<Uuid>> = sqlx::query_scalar(
        "select coalesce(
             (select c.payout_id from payouts.call c
              where c.tenant_id = $1 and c.payout_id = w.ours and c.connection = w.connection),
             (select c.payout_id from payouts.call c
              where c.tenant_id = $1 and c.provider_ref = w.theirs
                and c.connection = w.connection
              order by c.payout_id
              limit 1)
         )
         from unnest($2::text[], $3::text[], $4::uuid[])
             with ordinality as w (connection, theirs, ours, n)
         order by w.n",
    )
    .bind(tenant.0)
    .bind(wanted.iter().map(|it| it.connection).collect::<Vec<_>>())
    .bind(wanted.iter().map(|it| it.theirs).collect::<Vec<_>>())
    .bind(wanted.iter().map(|it| it.ours.map(|id| id.uuid())).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(|id| id.map(PayoutId::from_uuid)).collect())
}

/// Says that payouts are to be asked about at once: a hint came. Nothing is asked about for which
/// the gateway has no name and nothing more is asked, since that would be a new question.
///
/// # Errors
/// The database.
pub async fn hint_calls(
    conn: &mut PgConnection,
    tenant: TenantId,
    payouts: &[PayoutId],
    now: Timestamp,
) -> Result<()> {
    if payouts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update payouts.call set next_check_at = $3, checks = 0
         where tenant_id = $1 and payout_id in (
             select payout_id from payouts.call
             where tenant_id = $1 and payout_id = any ($2)
               and (provider_ref is not null or next_check_at is not null)
             order by payout_id
             for no key update
         )",
    )
    .bind(tenant.0)
    .bind(payouts.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

fn call_of(row: &PgRow) -> Result<Call> {
    let word: String = row.try_get("state")?;
    let name: Option<String> = row.try_get("provider_ref")?;
    Ok(Call {
        payout: PayoutId::from_uuid(row.try_get("payout_id")?),
        id: OperationId::from_uuid(row.try_get("id")?),
        connection: row.try_get("connection")?,
        stage: Stage::parse(&word).ok_or_else(|| corrupt(format!("stage `{word}`")))?,
        provider_ref: name.map(|it| ProviderRef::parse(&it)).transpose().map_err(corrupt)?,
        said: row.try_get("said")?,
        checks: row.try_get("checks")?,
        sent_at: row.try_get("sent_at")?,
        next_check_at: row.try_get("next_check_at")?,
    })
}

/// What was asked for a payout.
///
/// # Errors
/// The database.
pub async fn call(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: PayoutId,
) -> Result<Option<Call>> {
    let row = sqlx::query("select * from payouts.call where tenant_id = $1 and payout_id = $2");
    let row = row.bind(tenant.0).bind(payout.uuid()).fetch_optional(conn).await?;
    row.as_ref().map(call_of).transpose()
}

/// What is due to be asked, locked; what somebody else has, or is asking, is left out.
///
/// # Errors
/// The database.
pub async fn lock_due_calls(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Call>> {
    let rows = sqlx::query(
        "select * from payouts.call
         where tenant_id = $1 and next_check_at <= $2
           and (asking_until is null or asking_until <= $2)
         order by next_check_at
         limit $3
         for no key update skip locked",
    );
    let rows = rows.bind(tenant.0).bind(now).bind(limit).fetch_all(conn).await?;
    rows.iter().map(call_of).collect()
}

//! What is asked of gateways for payouts.

use mizan_money::id::{OperationId, PayoutId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::ProviderRef;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::Result;
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

/// Writes everything of a question that can change.
///
/// # Errors
/// The database.
pub async fn save_call(conn: &mut PgConnection, tenant: TenantId, call: &Call) -> Result<()> {
    sqlx::query(
        "update payouts.call set state = $3, provider_ref = $4, said = $5, checks = $6,
             sent_at = $7, next_check_at = $8
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

/// What is due to be asked, locked; what somebody else has is left out.
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
        "select * from payouts.call where tenant_id = $1 and next_check_at <= $2
         order by next_check_at
         limit $3
         for no key update skip locked",
    );
    let rows = rows.bind(tenant.0).bind(now).bind(limit).fetch_all(conn).await?;
    rows.iter().map(call_of).collect()
}

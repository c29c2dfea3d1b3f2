//! Every statement on API keys.

use mizan_money::{ApiKeyId, TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::CreateKey;

pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    command: &CreateKey,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into auth.api_key (tenant_id, id, name, mode, digest, created_at)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(&command.name)
    .bind(command.mode.as_str())
    .bind(digest.as_slice())
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

pub(super) async fn revoke(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update auth.api_key
         set revoked_at = greatest($3, created_at)
         where tenant_id = $1 and id = $2 and revoked_at is null",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The tenant, id and mode of a key that was not revoked.
pub(super) async fn tenant_of_key(
    conn: &mut PgConnection,
    digest: &[u8; 32],
) -> Result<Option<(i32, Uuid, String)>, sqlx::Error> {
    sqlx::query_as("select tenant_id, key_id, mode from auth.tenant_of_key($1)")
        .bind(digest.as_slice())
        .fetch_optional(conn)
        .await
}

//! Every statement on API keys.

use mizan_money::{ApiKeyId, TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{CreateKey, ListedKey};

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

/// As many keys as a list shows.
const LISTED_MAX: i64 = 500;

type KeyRow = (Uuid, String, String, Timestamp, Option<Timestamp>);

/// The public side of a tenant's keys, newest first, at most 500.
pub(super) async fn list(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<ListedKey>, sqlx::Error> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "select id, name, mode, created_at, revoked_at
         from auth.api_key
         where tenant_id = $1
         order by id desc
         limit $2",
    )
    .bind(tenant.0)
    .bind(LISTED_MAX)
    .fetch_all(conn)
    .await?;
    let key = |(id, name, mode, created_at, revoked_at): KeyRow| {
        let id = ApiKeyId::from_uuid(id);
        ListedKey { id, name, mode, created_at, revoked_at }
    };
    Ok(rows.into_iter().map(key).collect())
}

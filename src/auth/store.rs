//! Every statement on API keys.

use chrono::TimeDelta;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::lookups::Digest;
use super::{Caller, CreateKey, ListedKey, Mode};

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

/// Who holds each key, in the order of the digests; none for one that is unknown or was revoked.
pub(super) async fn tenants_of_keys(
    conn: &mut PgConnection,
    digests: &[Digest],
) -> Result<Vec<Option<Caller>>, sqlx::Error> {
    let asked: Vec<&[u8]> = digests.iter().map(|digest| digest.as_slice()).collect();
    let rows: Vec<(i64, i32, Uuid, String, i64)> = sqlx::query_as(
        "select n, tenant_id, key_id, mode, ahead_micros from auth.tenants_of_keys($1)",
    )
    .bind(asked)
    .fetch_all(conn)
    .await?;
    let mut callers = vec![None; digests.len()];
    for (n, tenant, id, mode, ahead) in rows {
        let place = usize::try_from(n - 1).ok().and_then(|n| callers.get_mut(n));
        if let (Some(place), Some(mode)) = (place, Mode::from_word(&mode)) {
            let (key, ahead) = (ApiKeyId::from_uuid(id), TimeDelta::microseconds(ahead));
            *place = Some(Caller::new(TenantId(tenant), key, mode, ahead));
        }
    }
    Ok(callers)
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

//! Every statement on API keys.

use chrono::TimeDelta;
use mizan_money::{ApiKeyId, TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::caller::Holder;
use super::lookups::Digest;
use super::role::{Role, Subject};
use super::scope::{Scope, Scopes};
use super::{CreateKey, ListedKey, Mode};

pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    command: &CreateKey,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let scopes: Vec<String> = command.scopes.iter().map(Scope::to_string).collect();
    sqlx::query(
        "insert into auth.api_key
             (tenant_id, id, name, mode, digest, created_at, role, scopes, subject, expires_at,
              rolled_from, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(&command.name)
    .bind(command.mode.as_str())
    .bind(digest.as_slice())
    .bind(now)
    .bind(command.role.as_str())
    .bind(scopes)
    .bind(&command.subject)
    .bind(command.expires_at)
    .bind(command.rolled_from.map(|it| it.uuid()))
    .bind(&command.by)
    .execute(conn)
    .await
    .map(drop)
}

/// Writes down when keys were used; never an earlier time than was known.
pub(super) async fn used(
    conn: &mut PgConnection,
    tenant: TenantId,
    used: &[(ApiKeyId, Timestamp)],
) -> Result<(), sqlx::Error> {
    let (ids, times): (Vec<Uuid>, Vec<Timestamp>) =
        used.iter().map(|(id, at)| (id.uuid(), *at)).unzip();
    sqlx::query(
        "update auth.api_key k
         set last_used_at = greatest(k.last_used_at, used.at)
         from unnest($2::uuid[], $3::timestamptz[]) as used (id, at)
         where k.tenant_id = $1 and k.id = used.id",
    )
    .bind(tenant.0)
    .bind(ids)
    .bind(times)
    .execute(conn)
    .await
    .map(drop)
}

/// Lets a key end at a time, if it is still good then; answers whether there is such a key.
pub(super) async fn expire(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update auth.api_key set expires_at = least(expires_at, $3)
         where tenant_id = $1 and id = $2 and revoked_at is null",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(at)
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

/// A key as it is looked up by its digest.
#[derive(sqlx::FromRow)]
struct HolderRow {
    n: i64,
    tenant_id: i32,
    key_id: Uuid,
    mode: String,
    ahead_micros: i64,
    role: String,
    scopes: Vec<String>,
    subject: Option<String>,
    expires_at: Option<Timestamp>,
}

/// Who holds each key, in the order of the digests; none for one that is unknown or was revoked.
pub(super) async fn tenants_of_keys(
    conn: &mut PgConnection,
    digests: &[Digest],
) -> Result<Vec<Option<Holder>>, sqlx::Error> {
    let asked: Vec<&[u8]> = digests.iter().map(|digest| digest.as_slice()).collect();
    let rows: Vec<HolderRow> = sqlx::query_as("select * from auth.tenants_of_keys($1)")
        .bind(asked)
        .fetch_all(conn)
        .await?;
    let mut holders = vec![None; digests.len()];
    for row in rows {
        let place = usize::try_from(row.n - 1).ok().and_then(|n| holders.get_mut(n));
        let (mode, role) = (Mode::from_word(&row.mode), Role::from_word(&row.role));
        let (Some(place), Some(mode), Some(role)) = (place, mode, role) else { continue };
        *place = Some(Holder {
            tenant: TenantId(row.tenant_id),
            key: ApiKeyId::from_uuid(row.key_id),
            mode,
            ahead: TimeDelta::microseconds(row.ahead_micros),
            role,
            scopes: Scopes::of(&scopes(&row.scopes)?),
            subject: row.subject.as_deref().map(Subject::new),
            expires_at: row.expires_at,
        });
    }
    Ok(holders)
}

/// A scope that this program does not know must not widen a key: it is an error.
fn scopes(words: &[String]) -> Result<Vec<Scope>, sqlx::Error> {
    let unknown = |error: String| sqlx::Error::Decode(error.into());
    words.iter().map(|word| word.parse().map_err(unknown)).collect()
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    id: Uuid,
    name: String,
    mode: String,
    role: String,
    scopes: Vec<String>,
    subject: Option<String>,
    created_at: Timestamp,
    created_by: String,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    rolled_from: Option<Uuid>,
}

impl KeyRow {
    fn read(self) -> Result<ListedKey, sqlx::Error> {
        let unknown = |what: &str| sqlx::Error::Decode(format!("unknown {what}").into());
        Ok(ListedKey {
            id: ApiKeyId::from_uuid(self.id),
            name: self.name,
            mode: Mode::from_word(&self.mode).ok_or_else(|| unknown("mode"))?,
            role: Role::from_word(&self.role).ok_or_else(|| unknown("role"))?,
            scopes: scopes(&self.scopes)?,
            subject: self.subject,
            created_at: self.created_at,
            created_by: self.created_by,
            expires_at: self.expires_at,
            last_used_at: self.last_used_at,
            revoked_at: self.revoked_at,
            rolled_from: self.rolled_from.map(ApiKeyId::from_uuid),
        })
    }
}

/// The public side of a tenant's keys, newest first, from behind one.
pub(super) async fn list(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<ApiKeyId>,
    limit: i64,
) -> Result<Vec<ListedKey>, sqlx::Error> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "select * from auth.api_key
         where tenant_id = $1 and ($2::uuid is null or id < $2)
         order by id desc
         limit $3",
    )
    .bind(tenant.0)
    .bind(after.map(|id| id.uuid()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(KeyRow::read).collect()
}

/// The public side of one key.
pub(super) async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: ApiKeyId,
) -> Result<Option<ListedKey>, sqlx::Error> {
    let row: Option<KeyRow> =
        sqlx::query_as("select * from auth.api_key where tenant_id = $1 and id = $2 for update")
            .bind(tenant.0)
            .bind(id.uuid())
            .fetch_optional(conn)
            .await?;
    row.map(KeyRow::read).transpose()
}

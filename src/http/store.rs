//! Every statement on the table of idempotency keys.

use axum::http::StatusCode;
use mizan_money::{TenantId, Timestamp};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::idempotency::{Idempotent, StoredAnswer};
use super::idempotency_key::IdempotencyKey;

/// What came of trying to take a key.
#[derive(FromRow)]
pub(super) struct Taken {
    pub locked: bool,
    pub inserted: bool,
}

/// A key that was there before.
pub(super) struct KnownKey {
    pub fingerprint: Vec<u8>,
    pub operation_id: Option<Uuid>,
    pub answer: Option<(StatusCode, Vec<u8>)>,
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct KeyRow {
    fingerprint: Vec<u8>,
    operation_id: Option<Uuid>,
    status: Option<i16>,
    body: Option<Vec<u8>>,
    created_at: Timestamp,
}

/// Takes the key's lock without waiting and, with the lock, the key itself if it is free. One
/// round trip for the usual case of a new key.
pub(super) async fn take_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    request: &Idempotent,
    lock: i64,
    now: Timestamp,
) -> Result<Taken, sqlx::Error> {
    sqlx::query_as(
        "with lock as materialized (
            select pg_try_advisory_xact_lock($4) as taken
         ),
         claim as (
            insert into http.idempotency (tenant_id, key, fingerprint, state, created_at)
            select $1, $2, $3, 'running', $5 from lock where lock.taken
            on conflict (tenant_id, key) do nothing
            returning key
         )
         select lock.taken as locked, exists (select from claim) as inserted from lock",
    )
    .bind(tenant.0)
    .bind(request.key().as_str())
    .bind(request.fingerprint().as_bytes().as_slice())
    .bind(lock)
    .bind(now)
    .fetch_one(conn)
    .await
}

/// A statement of its own, so that it sees what committed before the lock was granted.
pub(super) async fn load_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    key: &IdempotencyKey,
) -> Result<KnownKey, sqlx::Error> {
    let row: KeyRow = sqlx::query_as(
        "select fingerprint, operation_id, status, body, created_at
         from http.idempotency
         where tenant_id = $1 and key = $2",
    )
    .bind(tenant.0)
    .bind(key.as_str())
    .fetch_one(conn)
    .await?;
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    Ok(KnownKey {
        fingerprint: row.fingerprint,
        operation_id: row.operation_id,
        answer: status.zip(row.body),
        created_at: row.created_at,
    })
}

/// An answer is given once: a key that has one keeps it.
pub(super) async fn finish_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    key: &IdempotencyKey,
    answer: &StoredAnswer,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update http.idempotency
         set state = 'done', status = $3, body = $4, finished_at = $5
         where tenant_id = $1 and key = $2 and state = 'running'",
    )
    .bind(tenant.0)
    .bind(key.as_str())
    .bind(i32::from(answer.status.as_u16()))
    .bind(answer.body.as_slice())
    .bind(now)
    .execute(conn)
    .await
    .map(drop)
}

pub(super) async fn attach_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    key: &IdempotencyKey,
    operation_id: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update http.idempotency
         set operation_id = $3
         where tenant_id = $1 and key = $2 and state = 'running'",
    )
    .bind(tenant.0)
    .bind(key.as_str())
    .bind(operation_id)
    .execute(conn)
    .await
    .map(drop)
}

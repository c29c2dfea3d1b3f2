//! Every statement on the table of idempotency keys.

use axum::http::StatusCode;
use mizan_money::{RequestId, TenantId, Timestamp};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::{IdempotencyKey, Idempotent, StoredAnswer};
use crate::audit::{self, Doer};
use crate::auth::Role;

/// A key that is not simply free.
pub(super) struct TakenKey {
    /// The place in the question.
    pub place: usize,
    /// What is known of it; none while another request holds it.
    pub known: Option<KnownKey>,
}

/// A key that was used before.
pub(super) struct KnownKey {
    pub fingerprint: Vec<u8>,
    pub operation_id: Option<Uuid>,
    pub answer: Option<(StatusCode, Vec<u8>)>,
    pub created_at: Timestamp,
}

#[derive(FromRow)]
struct KeyRow {
    n: i64,
    is_ours: bool,
    fingerprint: Option<Vec<u8>>,
    operation_id: Option<Uuid>,
    status: Option<i16>,
    body: Option<Vec<u8>>,
    created_at: Option<Timestamp>,
}

/// Takes the locks of keys without waiting, and tells of those that are not simply free. A key
/// of which nothing is said is free until the transaction ends.
pub(super) async fn take_keys(
    conn: &mut PgConnection,
    tenant: TenantId,
    keys: &[&IdempotencyKey],
) -> Result<Vec<TakenKey>, sqlx::Error> {
    let rows: Vec<KeyRow> = sqlx::query_as(
        "select n, is_ours, fingerprint, operation_id, status, body, created_at
         from http.take_keys($1, $2, $3)",
    )
    .bind(tenant.0)
    .bind(keys.iter().map(|key| key.as_str()).collect::<Vec<_>>())
    .bind(keys.iter().map(|key| key.lock_number(tenant)).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(KeyRow::read).collect())
}

impl KeyRow {
    fn read(self) -> Option<TakenKey> {
        let place = usize::try_from(self.n - 1).ok()?;
        let known = match (self.is_ours, self.fingerprint, self.created_at) {
            (true, Some(fingerprint), Some(created_at)) => {
                let status = self.status.and_then(|status| u16::try_from(status).ok());
                let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                let answer = status.zip(self.body);
                Some(KnownKey { fingerprint, operation_id: self.operation_id, answer, created_at })
            }
            _ => None,
        };
        Some(TakenKey { place, known })
    }
}

/// Writes keys with their answers, each row once and whole; a key that is running is finished.
/// Answers how many took their answer: an answer is given once, and a key that has one keeps it.
pub(super) async fn write_answers(
    conn: &mut PgConnection,
    tenant: TenantId,
    answers: &[(&Idempotent, &StoredAnswer)],
    now: Timestamp,
) -> Result<u64, sqlx::Error> {
    let notes = notes(answers, now);
    let (requests, answers): (Vec<&Idempotent>, Vec<&StoredAnswer>) =
        answers.iter().copied().unzip();
    let done = sqlx::query(
        "with noted as (
             insert into audit.entry
                 (tenant_id, id, at, actor, role, action, object, status, request_id,
                  idempotency_key, before)
             select $1, note.id, $2, note.actor, note.role, note.action, note.object, note.status,
                 note.request_id, note.key,
                 nullif(current_setting('mizan.audit_before', true), '')::jsonb
             from unnest($7::uuid[], $8::text[], $9::text[], $10::text[], $11::text[],
                     $12::smallint[], $13::uuid[], $14::text[])
                 as note (id, actor, role, action, object, status, request_id, key)
         )
         insert into http.idempotency as known
             (tenant_id, key, fingerprint, state, status, body, created_at, finished_at)
         select $1, given.key, given.fingerprint, 'done', given.status, given.body, $2, $2
         from unnest($3::text[], $4::bytea[], $5::smallint[], $6::bytea[])
             as given (key, fingerprint, status, body)
         on conflict (tenant_id, key) do update
         set state = excluded.state, status = excluded.status, body = excluded.body,
             finished_at = excluded.finished_at
         where known.state = 'running'",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(requests.iter().map(|request| request.key().as_str()).collect::<Vec<_>>())
    .bind(requests.iter().map(|r| r.fingerprint().as_bytes().as_slice()).collect::<Vec<_>>())
    .bind(answers.iter().map(|a| a.status.as_u16().cast_signed()).collect::<Vec<_>>())
    .bind(answers.iter().map(|answer| answer.body.as_slice()).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.id).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.doer.actor.as_str()).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.doer.role.map(Role::as_str)).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.doer.action.as_str()).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.object.as_deref()).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.status).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.doer.request.map(RequestId::uuid)).collect::<Vec<_>>())
    .bind(notes.iter().map(|note| note.key).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// A row of the audit log.
struct Note<'a> {
    id: Uuid,
    doer: &'a Doer,
    object: Option<String>,
    status: i16,
    key: &'a str,
}

fn notes<'a>(answers: &[(&'a Idempotent, &StoredAnswer)], now: Timestamp) -> Vec<Note<'a>> {
    let note = |(request, answer): &(&'a Idempotent, &StoredAnswer)| {
        let doer = request.doer()?;
        Some(Note {
            id: audit::new_id(now),
            doer,
            object: audit::object_of(&answer.body, doer),
            status: answer.status.as_u16().cast_signed(),
            key: request.key().as_str(),
        })
    };
    answers.iter().filter_map(note).collect()
}

/// Writes a key whose answer is to come, or names the operation of one that is there.
pub(super) async fn attach_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    request: &Idempotent,
    operation_id: Uuid,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let doer = request.doer();
    sqlx::query(
        "with noted as (
             insert into audit.entry
                 (tenant_id, id, at, actor, role, action, object, request_id, idempotency_key)
             select $1, $6, $5, $7, $8, $9, $10, $11, $2 where $7 is not null
         )
         insert into http.idempotency as known
             (tenant_id, key, fingerprint, state, operation_id, created_at)
         values ($1, $2, $3, 'running', $4, $5)
         on conflict (tenant_id, key) do update
         set operation_id = excluded.operation_id
         where known.state = 'running'",
    )
    .bind(tenant.0)
    .bind(request.key().as_str())
    .bind(request.fingerprint().as_bytes().as_slice())
    .bind(operation_id)
    .bind(now)
    .bind(audit::new_id(now))
    .bind(doer.map(|doer| doer.actor.as_str()))
    .bind(doer.and_then(|doer| doer.role).map(Role::as_str))
    .bind(doer.map(|doer| doer.action.as_str()))
    .bind(doer.and_then(|doer| doer.object.as_deref()))
    .bind(doer.and_then(|doer| doer.request).map(RequestId::uuid))
    .execute(conn)
    .await
    .map(drop)
}

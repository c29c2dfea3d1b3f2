//! Operations: written before the call, finished after it, found again by the sweeper.

use mizan_money::id::{AttemptId, DisputeId, OperationId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::operation::{Operation, OperationKind, OperationState};
use super::{Result, corrupt, word};

const COLUMNS: &str = "select o.*, i.currency
     from payments.operation o
     join payments.intent i on i.tenant_id = o.tenant_id and i.id = o.intent_id
     where o.tenant_id = $1 and o.id = $2";

fn operation_from(row: &PgRow) -> Result<Operation> {
    let currency = Currency::parse(row.try_get("currency")?).map_err(corrupt)?;
    Ok(Operation {
        id: OperationId::from_uuid(row.try_get("id")?),
        intent: PaymentIntentId::from_uuid(row.try_get("intent_id")?),
        attempt: AttemptId::from_uuid(row.try_get("attempt_id")?),
        refund: row.try_get::<Option<Uuid>, _>("refund_id")?.map(RefundId::from_uuid),
        dispute: row.try_get::<Option<Uuid>, _>("dispute_id")?.map(DisputeId::from_uuid),
        evidence: match row.try_get::<Option<serde_json::Value>, _>("evidence")? {
            Some(value) => Some(serde_json::from_value(value).map_err(corrupt)?),
            None => None,
        },
        kind: word(row, "kind", OperationKind::parse)?,
        state: word(row, "state", OperationState::parse)?,
        amount: row.try_get::<Option<i64>, _>("amount")?.map(|minor| Money::new(minor, currency)),
        key: row.try_get("key")?,
        request_hash: row.try_get("request_hash")?,
        outcome: row.try_get("outcome")?,
        checks: row.try_get("checks")?,
        created_at: row.try_get("created_at")?,
        sent_at: row.try_get::<Option<_>, _>("sent_at")?.unwrap_or(row.try_get("created_at")?),
        next_check_at: row.try_get("next_check_at")?,
        finished_at: row.try_get("finished_at")?,
    })
}

/// One operation; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: OperationId,
) -> Result<Option<Operation>> {
    let row = sqlx::query(COLUMNS).bind(tenant.0).bind(id.uuid()).fetch_optional(conn).await?;
    row.as_ref().map(operation_from).transpose()
}

/// One operation, locked. Its intent is locked first, by the caller.
///
/// # Errors
/// The database; an id that is unknown.
pub async fn lock_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: OperationId,
) -> Result<Operation> {
    sqlx::query(
        "select id from payments.operation where tenant_id = $1 and id = $2 for no key update",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .execute(&mut *conn)
    .await?;
    operation(conn, tenant, id).await?.ok_or_else(|| corrupt(format!("{id} is not there")))
}

/// Writes an operation down, as it is about to be sent.
///
/// # Errors
/// The database.
pub async fn insert_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    operation: &Operation,
) -> Result<()> {
    sqlx::query(
        "insert into payments.operation
             (tenant_id, id, intent_id, attempt_id, refund_id, kind, state, amount, key,
              request_hash, created_at, sent_at, next_check_at, dispute_id, evidence)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14)",
    )
    .bind(tenant.0)
    .bind(operation.id.uuid())
    .bind(operation.intent.uuid())
    .bind(operation.attempt.uuid())
    .bind(operation.refund.map(|id| id.uuid()))
    .bind(operation.kind.as_str())
    .bind(operation.state.as_str())
    .bind(operation.amount.map(Money::minor))
    .bind(&operation.key)
    .bind(&operation.request_hash)
    .bind(operation.created_at)
    .bind(operation.next_check_at)
    .bind(operation.dispute.map(|id| id.uuid()))
    .bind(operation.evidence.as_ref().map(serde_json::to_value).transpose().map_err(corrupt)?)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the turn to send an operation again, where nobody sent it since `known`.
///
/// # Errors
/// The database.
pub async fn take_sending(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: OperationId,
    known: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let taken = sqlx::query(
        "update payments.operation set sent_at = $4
         where tenant_id = $1 and id = $2 and coalesce(sent_at, created_at) = $3
             and state in ('sent', 'unknown')",
    );
    let taken = taken.bind(tenant.0).bind(id.uuid()).bind(known).bind(now).execute(conn).await?;
    Ok(taken.rows_affected() == 1)
}

/// Writes what came of operations, in one statement.
///
/// # Errors
/// The database.
pub async fn finish_operations(
    conn: &mut PgConnection,
    tenant: TenantId,
    ended: &[Operation],
) -> Result<()> {
    if ended.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update payments.operation o
         set state = n.state, outcome = n.outcome, checks = n.checks,
             next_check_at = n.next_check_at, finished_at = n.finished_at
         from (
             select stored.place, e.*
             from unnest($2::uuid[], $3::text[], $4::jsonb[], $5::smallint[], $6::timestamptz[],
                     $7::timestamptz[])
                 as e (id, state, outcome, checks, next_check_at, finished_at)
             cross join lateral (
                 select ctid as place, id from payments.operation
                 where tenant_id = $1 and id >= e.id
                 order by id
                 limit 1
             ) stored
             where stored.id = e.id
         ) n
         where o.tenant_id = $1 and o.ctid = n.place",
    )
    .bind(tenant.0)
    .bind(ended.iter().map(|o| o.id.uuid()).collect::<Vec<_>>())
    .bind(ended.iter().map(|o| o.state.as_str()).collect::<Vec<_>>())
    .bind(ended.iter().map(|o| o.outcome.clone()).collect::<Vec<_>>())
    .bind(ended.iter().map(|o| o.checks).collect::<Vec<_>>())
    .bind(ended.iter().map(|o| o.next_check_at).collect::<Vec<_>>())
    .bind(ended.iter().map(|o| o.finished_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// The operation under way on an intent, if any; refunds and answers to disputes stand in nobody's
/// way.
///
/// # Errors
/// The database.
pub async fn open_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: PaymentIntentId,
) -> Result<Option<String>> {
    let kind = sqlx::query_scalar(
        "select kind from payments.operation
         where tenant_id = $1 and intent_id = $2 and next_check_at is not null
             and kind not in ('refund', 'accept_dispute', 'contest_dispute')
         limit 1",
    )
    .bind(tenant.0)
    .bind(intent.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(kind)
}

/// Operations of an intent that have no outcome, oldest first.
///
/// # Errors
/// The database.
pub async fn open_operations(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: PaymentIntentId,
) -> Result<Vec<Operation>> {
    let rows = sqlx::query(
        "select o.*, i.currency
         from payments.operation o
         join payments.intent i on i.tenant_id = o.tenant_id and i.id = o.intent_id
         where o.tenant_id = $1 and o.intent_id = $2 and o.next_check_at is not null
         order by o.id",
    )
    .bind(tenant.0)
    .bind(intent.uuid())
    .fetch_all(conn)
    .await?;
    rows.iter().map(operation_from).collect()
}

/// Operations of these intents that have no outcome, locked in the order of their ids. Their
/// intents are locked first, by the caller.
///
/// # Errors
/// The database.
pub async fn lock_open_operations(
    conn: &mut PgConnection,
    tenant: TenantId,
    intents: &[PaymentIntentId],
) -> Result<Vec<Operation>> {
    let rows = sqlx::query(
        // The partial index of open operations is kept out: it leads to all of the tenant's.
        "select o.*, i.currency
         from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.operation
             where tenant_id = $1 and intent_id = w.id
                 and coalesce(next_check_at, 'infinity') < 'infinity'
             offset 0
             for no key update
         ) o
         cross join lateral (
             select currency from payments.intent where tenant_id = $1 and id = w.id offset 0
         ) i
         order by o.id",
    )
    .bind(tenant.0)
    .bind(intents.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.iter().map(operation_from).collect()
}

/// Operations that are due to be asked about. Whoever reads them postpones them in the same
/// transaction, so that two sweepers do not ask at once.
///
/// # Errors
/// The database.
pub async fn due_operations(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(OperationId, i16)>> {
    let rows: Vec<(Uuid, i16)> = sqlx::query_as(
        "select id, checks from payments.operation
         where tenant_id = $1 and next_check_at <= $2
         order by next_check_at
         limit $3
         for no key update skip locked",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, checks)| (OperationId::from_uuid(id), checks)).collect())
}

/// Says when to ask next about an operation that is open, at the earliest: a gateway that asked
/// for a longer wait gets it.
///
/// # Errors
/// The database.
pub async fn postpone_operation(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: OperationId,
    checks: i16,
    next_check_at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update payments.operation
         set checks = $3, next_check_at = greatest(next_check_at, $4)
         where tenant_id = $1 and id = $2 and next_check_at is not null",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(checks)
    .bind(next_check_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps what was said over the wire, cleaned by the client.
///
/// # Errors
/// The database.
pub async fn archive(
    conn: &mut PgConnection,
    tenant: TenantId,
    operation: OperationId,
    archived: &serde_json::Value,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "insert into payments.exchange (tenant_id, operation_id, n, archived, created_at)
         select $1, $2, coalesce(max(n), 0) + 1, $3, $4
         from payments.exchange where tenant_id = $1 and operation_id = $2",
    )
    .bind(tenant.0)
    .bind(operation.uuid())
    .bind(archived)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

//! The statements about what belongs to a payment, a payout, a booking or a party.

use mizan_money::id::{DeliveryId, PaymentIntentId, PayoutFileId, PayoutId};
use mizan_money::{TenantId, Timestamp};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::Result;
use crate::payouts::payout::Payout;
use crate::trace::graph::Knot;

/// Something that was asked of a gateway. The amount is in minor units of its payment.
#[derive(Debug, Clone, FromRow)]
pub(in crate::trace) struct OperationRow {
    pub(in crate::trace) id: Uuid,
    pub(in crate::trace) attempt_id: Uuid,
    pub(in crate::trace) refund_id: Option<Uuid>,
    pub(in crate::trace) kind: String,
    pub(in crate::trace) state: String,
    pub(in crate::trace) amount: Option<i64>,
    pub(in crate::trace) code: Option<String>,
    pub(in crate::trace) created_at: Timestamp,
    pub(in crate::trace) finished_at: Option<Timestamp>,
}

/// What was asked for a payment, oldest first.
pub(in crate::trace) async fn operations(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: PaymentIntentId,
) -> Result<Vec<OperationRow>> {
    sqlx::query_as(
        "select id, attempt_id, refund_id, kind, state, amount, created_at, finished_at,
             left(outcome #>> '{detail,code}', 80) as code
         from payments.operation
         where tenant_id = $1 and intent_id = $2
         order by id",
    )
    .bind(tenant.0)
    .bind(intent.uuid())
    .fetch_all(conn)
    .await
}

/// A question to a gateway and its answer, without what either said.
#[derive(Debug, Clone, FromRow)]
pub(in crate::trace) struct ExchangeRow {
    pub(in crate::trace) operation_id: Uuid,
    pub(in crate::trace) n: i32,
    pub(in crate::trace) method: Option<String>,
    pub(in crate::trace) path: Option<String>,
    pub(in crate::trace) fingerprint: Option<String>,
    pub(in crate::trace) tries: i32,
    pub(in crate::trace) status: Option<String>,
    pub(in crate::trace) created_at: Timestamp,
}

/// The exchanges of operations, in their order.
pub(in crate::trace) async fn exchanges(
    conn: &mut PgConnection,
    tenant: TenantId,
    operations: &[Uuid],
) -> Result<Vec<ExchangeRow>> {
    sqlx::query_as(
        "select operation_id, n, created_at, left(archived ->> 'method', 10) as method,
             left(archived ->> 'path', 120) as path,
             left(archived ->> 'fingerprint', 64) as fingerprint,
             coalesce(jsonb_array_length(archived -> 'attempts'), 0) as tries,
             archived #>> '{attempts,-1,status}' as status
         from payments.exchange
         where tenant_id = $1 and operation_id = any($2)
         order by operation_id, n",
    )
    .bind(tenant.0)
    .bind(operations)
    .fetch_all(conn)
    .await
}

/// A dispute. Amounts are in minor units of its currency, the fee in those of its own.
#[derive(Debug, Clone, FromRow)]
pub(in crate::trace) struct DisputeRow {
    pub(in crate::trace) id: Uuid,
    pub(in crate::trace) attempt_id: Uuid,
    pub(in crate::trace) provider_ref: String,
    pub(in crate::trace) state: String,
    pub(in crate::trace) amount: i64,
    pub(in crate::trace) withdrawn: i64,
    pub(in crate::trace) fee: i64,
    pub(in crate::trace) fee_currency: String,
    pub(in crate::trace) reason: Option<String>,
    pub(in crate::trace) booked: String,
    pub(in crate::trace) created_at: Timestamp,
}

/// The disputes of a payment, oldest first.
pub(in crate::trace) async fn disputes(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: PaymentIntentId,
) -> Result<Vec<DisputeRow>> {
    sqlx::query_as(
        "select id, attempt_id, provider_ref, state, amount, withdrawn, fee,
             fee_currency::text, reason, booked, created_at
         from payments.dispute
         where tenant_id = $1 and intent_id = $2
         order by id",
    )
    .bind(tenant.0)
    .bind(intent.uuid())
    .fetch_all(conn)
    .await
}

/// A webhook as it was received: its bytes by their digest only.
#[derive(Debug, Clone, FromRow)]
pub(in crate::trace) struct DeliveryRow {
    pub(in crate::trace) id: Uuid,
    pub(in crate::trace) connection: String,
    pub(in crate::trace) provider: String,
    pub(in crate::trace) dedupe_id: String,
    pub(in crate::trace) event_type: Option<String>,
    pub(in crate::trace) object_ref: Option<String>,
    pub(in crate::trace) received_at: Timestamp,
    pub(in crate::trace) state: String,
    pub(in crate::trace) reason: Option<String>,
    pub(in crate::trace) bytes: i32,
    pub(in crate::trace) sha256: String,
}

/// The most webhooks that are read at once.
const DELIVERIES_MAX: i64 = 101;

/// These webhooks, and those that speak of one of these references; as they came.
pub(in crate::trace) async fn deliveries(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[DeliveryId],
    references: &[String],
) -> Result<Vec<DeliveryRow>> {
    sqlx::query_as(
        "with wanted as (
             select id from webhooks.delivery where tenant_id = $1 and id = any($2)
             union
             select id from webhooks.delivery where tenant_id = $1 and object_ref = any($3)
             order by id
             limit $4
         )
         select id, connection, provider, dedupe_id, event_type, object_ref, received_at, state,
             reason, octet_length(body) as bytes, encode(sha256(body), 'hex') as sha256
         from webhooks.delivery
         where tenant_id = $1 and id in (select id from wanted)
         order by id",
    )
    .bind(tenant.0)
    .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .bind(references)
    .bind(DELIVERIES_MAX)
    .fetch_all(conn)
    .await
}

/// The credits and the commissions that a payment has earned others: the prefix of each kind of
/// id with the id, for the keys under which they were booked.
pub(in crate::trace) async fn sides(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: PaymentIntentId,
) -> Result<Vec<(bool, Uuid)>> {
    sqlx::query_as(
        "(select true, id from wallets.lot
          where tenant_id = $1 and payment_id = $2 order by id limit 100)
         union all
         (select false, id from affiliates.accrual
          where tenant_id = $1 and payment_id = $2 order by id limit 100)",
    )
    .bind(tenant.0)
    .bind(intent.uuid())
    .fetch_all(conn)
    .await
}

/// The payout that left something to this one: the one before of the same payee and currency.
pub(in crate::trace) async fn left_behind_by(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: &Payout,
) -> Result<Option<PayoutId>> {
    let found: Option<Uuid> = sqlx::query_scalar(
        "select id from payouts.payout
         where tenant_id = $1 and kind = $2 and payee = $3 and currency = $4::char(3)
             and cut_to = $5 and id <> $6
         order by id desc
         limit 1",
    )
    .bind(tenant.0)
    .bind(payout.payee.kind())
    .bind(payout.payee.id())
    .bind(payout.amount.currency().code())
    .bind(payout.cut.map(|(from, _)| from))
    .bind(payout.id.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(PayoutId::from_uuid))
}

/// When a bank file was made, and by whom.
pub(in crate::trace) async fn file_row(
    conn: &mut PgConnection,
    tenant: TenantId,
    file: PayoutFileId,
) -> Result<Option<(Timestamp, String)>> {
    sqlx::query_as(
        "select created_at, created_by from payouts.file where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(file.uuid())
    .fetch_optional(conn)
    .await
}

/// The newest payments of a vendor, an affiliate or a customer; one more than the limit where
/// there are more.
pub(in crate::trace) async fn payments_of_party(
    conn: &mut PgConnection,
    tenant: TenantId,
    (kind, name): (&str, &str),
    limit: i64,
) -> Result<Vec<PaymentIntentId>> {
    let statement = match kind {
        "vendor" => {
            "select distinct intent_id from payments.line
             where tenant_id = $1 and vendor = $2
             order by intent_id desc limit $3"
        }
        "affiliate" => {
            "select distinct payment_id from affiliates.accrual
             where tenant_id = $1 and affiliate = $2
             order by payment_id desc limit $3"
        }
        _ => {
            "select id from payments.intent
             where tenant_id = $1 and customer = $2
             order by id desc limit $3"
        }
    };
    let ids: Vec<Uuid> = sqlx::query_scalar(statement)
        .bind(tenant.0)
        .bind(name)
        .bind(limit + 1)
        .fetch_all(conn)
        .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

/// What finance has booked by hand.
#[derive(Debug, Clone, FromRow)]
pub(in crate::trace) struct BookedRow {
    /// What happened, in words without amounts.
    pub(in crate::trace) says: String,
    pub(in crate::trace) state: Option<String>,
    pub(in crate::trace) amount: Option<i64>,
    pub(in crate::trace) currency: Option<String>,
    pub(in crate::trace) reference: Option<String>,
    pub(in crate::trace) at: Timestamp,
    pub(in crate::trace) transactions: Vec<Uuid>,
    pub(in crate::trace) corrects: Option<Uuid>,
}

const JOURNAL: &str = "
select kind || ' journal by ' || created_by || ': ' || reason
         || coalesce('; decided by ' || decided_by, '') || coalesce(': ' || decision, '') as says,
    state, null::bigint as amount, null::text as currency, null::text as reference,
    created_at as at, transactions, corrects
from finance.journal where tenant_id = $1 and id = $2";

const SETTLEMENT: &str = "
select stage || ' settlement of ' || provider || coalesce(' into bank ' || bank, '')
         || ' by ' || created_by as says,
    stage as state, amount, currency::text, reference, occurred_at as at,
    array[transaction_id] as transactions, null::uuid as corrects
from finance.settlement where tenant_id = $1 and id = $2";

const REMITTANCE: &str = "
select account || ' is paid from bank ' || bank || ' by ' || created_by as says,
    null::text as state, amount, currency::text, reference, occurred_at as at,
    array[transaction_id] as transactions, null::uuid as corrects
from finance.remittance where tenant_id = $1 and id = $2";

const REVALUATION: &str = "
select 'the position in ' || currency || ' at its value of ' || on_day || ', by rate ' || rate
         as says,
    null::text as state, difference as amount, into_currency::text as currency,
    null::text as reference, created_at as at,
    array_remove(array[transaction_id, reversal_id], null) as transactions,
    null::uuid as corrects
from finance.fx_revaluation where tenant_id = $1 and id = $2";

const WRITE_OFF: &str = "
select 'debt of vendor ' || vendor || ' given up, asked by ' || requested_by || ': ' || reason
         || coalesce('; decided by ' || decided_by, '') as says,
    state, amount, currency::text, null::text as reference, created_at as at,
    '{}'::uuid[] as transactions, null::uuid as corrects
from vendors.write_off where tenant_id = $1 and id = $2";

/// A journal, a settlement, a remittance, a revaluation or a debt given up; none for anything else.
pub(in crate::trace) async fn booked(
    conn: &mut PgConnection,
    tenant: TenantId,
    knot: &Knot,
) -> Result<Option<BookedRow>> {
    let (statement, id) = match knot {
        Knot::Journal(id) => (JOURNAL, id.uuid()),
        Knot::Settlement(id) => (SETTLEMENT, id.uuid()),
        Knot::Remittance(id) => (REMITTANCE, id.uuid()),
        Knot::Revaluation(id) => (REVALUATION, id.uuid()),
        Knot::WriteOff(id) => (WRITE_OFF, id.uuid()),
        _ => return Ok(None),
    };
    sqlx::query_as(statement).bind(tenant.0).bind(id).fetch_optional(conn).await
}

/// The settlements that are the same money: reported by the gateway and received by the bank.
pub(in crate::trace) async fn settled_as(
    conn: &mut PgConnection,
    tenant: TenantId,
    settlement: Uuid,
) -> Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "select o.id
         from finance.settlement s
         join finance.settlement o on o.tenant_id = s.tenant_id and o.provider = s.provider
             and o.reference = s.reference and o.id <> s.id
         where s.tenant_id = $1 and s.id = $2
         order by o.id limit 10",
    )
    .bind(tenant.0)
    .bind(settlement)
    .fetch_all(conn)
    .await
}

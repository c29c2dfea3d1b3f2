//! Every statement of a replay: what is read of the source, in parts, and put into the copy.

use mizan_money::id::DeliveryId;
use mizan_money::{OperationId, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use uuid::Uuid;

use crate::payments::intent::Metadata;
use crate::payments::word::{KeptWord, Word};

mod copied;

pub(super) use self::copied::{COPIED, Copied};

/// How many rows are read at once.
const AT_ONCE: usize = 100;

type Result<T> = std::result::Result<T, sqlx::Error>;

/// Rows that are read in parts from one snapshot.
pub(super) struct Cursor(&'static str);

impl Cursor {
    /// Opens a cursor; `name` is one of a few words of this folder.
    async fn open(conn: &mut PgConnection, name: &'static str, read: &str) -> Result<Cursor> {
        let declare = format!("declare {name} no scroll cursor for {read}");
        sqlx::raw_sql(AssertSqlSafe(declare)).execute(conn).await?;
        Ok(Cursor(name))
    }

    /// The next rows; none at the end.
    async fn next<R>(&self, conn: &mut PgConnection) -> Result<Vec<R>>
    where
        R: for<'r> FromRow<'r, sqlx::postgres::PgRow> + Send + Unpin,
    {
        let fetch = AssertSqlSafe(format!("fetch forward {AT_ONCE} from {}", self.0));
        sqlx::query_as(fetch).persistent(false).fetch_all(conn).await
    }

    async fn close(self, conn: &mut PgConnection) -> Result<()> {
        let close = AssertSqlSafe(format!("close {}", self.0));
        sqlx::raw_sql(close).execute(conn).await.map(drop)
    }
}

/// Whether this program's schema is there.
pub(super) async fn has_schema(owner: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar("select to_regclass('ledger.book') is not null").fetch_one(owner).await
}

/// Whether nobody has made a table.
pub(super) async fn has_no_table(owner: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar(
        "select not exists (
             select from pg_catalog.pg_class c
             join pg_catalog.pg_namespace n on n.oid = c.relnamespace
             where c.relkind in ('r', 'p') and n.nspname <> 'information_schema'
                 and n.nspname not like 'pg\\_%')",
    )
    .fetch_one(owner)
    .await
}

/// Whether nothing was ever asked of this database, as its owner sees it.
pub(super) async fn is_untouched(owner: &mut PgConnection) -> Result<bool> {
    sqlx::query_scalar(
        "select not exists (select from payments.intent)
             and not exists (select from webhooks.delivery)
             and not exists (select from http.idempotency)
             and not exists (select from ledger.account)
             and not exists (select from ledger.book where position > 0 or event_position > 0)",
    )
    .fetch_one(owner)
    .await
}

/// The tenant's own row.
pub(super) async fn tenant(conn: &mut PgConnection, tenant: TenantId) -> Result<Value> {
    sqlx::query_scalar("select to_jsonb(t) from mizan.tenant t where tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(conn)
        .await
}

/// Puts a tenant's row, with what it has decided, into the copy.
pub(super) async fn put_tenant(owner: &mut PgConnection, row: &Value) -> Result<()> {
    sqlx::query(
        "insert into mizan.tenant
         select r.* from jsonb_populate_record(null::mizan.tenant, $1) r
         on conflict (tenant_id) do update
         set name = excluded.name, time_zone = excluded.time_zone,
             jurisdiction = excluded.jurisdiction, vat_percent = excluded.vat_percent,
             refund_tenders = excluded.refund_tenders, expired_credit = excluded.expired_credit,
             wallet_top_up = excluded.wallet_top_up,
             created_at = excluded.created_at",
    )
    .bind(row)
    .execute(owner)
    .await
    .map(drop)
}

/// Between which moments the tenant's journal was written, where there is any.
pub(super) async fn journal_span(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Option<(Timestamp, Timestamp)>> {
    sqlx::query_as(
        "select t.recorded_at, b.recorded_at
         from ledger.transaction t join ledger.book b using (tenant_id)
         where t.tenant_id = $1 and t.position = 1",
    )
    .bind(tenant.0)
    .fetch_optional(conn)
    .await
}

/// Makes the months of the copy's journal; at most 60 of them.
pub(super) async fn ensure_months(
    conn: &mut PgConnection,
    from: Timestamp,
    to: Timestamp,
) -> Result<()> {
    sqlx::query("select ledger.ensure_partitions($1, $2)")
        .bind(from)
        .bind(to)
        .execute(conn)
        .await
        .map(drop)
}

impl Copied {
    /// Begins to read the rows of the source.
    pub(super) async fn begin(&self, source: &mut PgConnection) -> Result<Cursor> {
        Cursor::open(source, "copied", self.read).await
    }

    /// Writes rows into the copy.
    pub(super) async fn put(&self, target: &mut PgConnection, rows: &Value) -> Result<()> {
        sqlx::query(self.write).bind(rows).execute(target).await.map(drop)
    }
}

/// The next rows of a table; none when it is read.
pub(super) async fn next_rows(source: &mut PgConnection, rows: &Cursor) -> Result<Vec<Value>> {
    let rows: Vec<(Value,)> = rows.next(source).await?;
    Ok(rows.into_iter().map(|(row,)| row).collect())
}

pub(super) async fn close(source: &mut PgConnection, cursor: Cursor) -> Result<()> {
    cursor.close(source).await
}

/// Begins to read the words, in their order.
pub(super) async fn words(source: &mut PgConnection) -> Result<Cursor> {
    let read = "select position, recorded_at, word from payments.word
         where tenant_id = mizan.current_tenant() order by n";
    Cursor::open(source, "words", read).await
}

/// The next words. A word that this version cannot read comes as its text.
pub(super) async fn next_words(
    source: &mut PgConnection,
    words: &Cursor,
) -> Result<Vec<std::result::Result<KeptWord, String>>> {
    let rows: Vec<(i64, Timestamp, Value)> = words.next(source).await?;
    let read = |(position, recorded_at, word): (i64, Timestamp, Value)| {
        let word: Word = serde_json::from_value(word).map_err(|error| error.to_string())?;
        Ok(KeptWord { position, recorded_at, word })
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Begins to read the answers that plain transactions were given, by journal number.
pub(super) async fn answers(source: &mut PgConnection) -> Result<Cursor> {
    let read = "select convert_from(body, 'UTF8') from http.idempotency
         where tenant_id = mizan.current_tenant() and status = 201
             and position('\"object\":\"ledger_transaction\"'::bytea in body) > 0
         order by (convert_from(body, 'UTF8')::jsonb ->> 'position')::bigint";
    Cursor::open(source, "answers", read).await
}

/// The next answers, as they were sent.
pub(super) async fn next_answers(
    source: &mut PgConnection,
    answers: &Cursor,
) -> Result<Vec<String>> {
    let rows: Vec<(String,)> = answers.next(source).await?;
    Ok(rows.into_iter().map(|(body,)| body).collect())
}

/// What an operation asked, with the attempt and the refund that began with it.
#[derive(Debug, Clone, FromRow)]
pub(super) struct AskedRow {
    pub operation: Value,
    pub operation_id: Uuid,
    pub kind: String,
    pub intent_id: Uuid,
    pub attempt_id: Uuid,
    pub connection: String,
    pub provider: String,
    pub charge: i64,
    pub currency: String,
    pub refund_id: Option<Uuid>,
    pub dispute_id: Option<Uuid>,
    pub refund: Option<Value>,
}

/// A refund as it was asked for. Amounts are minor units of its payment's currency.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct RefundRow {
    pub amount: i64,
    pub charge: i64,
    pub to_cash: i64,
    pub to_promo: i64,
    pub cash_part: i64,
    pub withheld: i64,
    pub reason: String,
    pub parts: Value,
    pub metadata: Metadata,
}

/// An operation as it was when it was asked.
pub(super) async fn asked(
    source: &mut PgConnection,
    tenant: TenantId,
    operation: OperationId,
) -> Result<Option<AskedRow>> {
    sqlx::query_as(
        "select o.id as operation_id, o.kind, o.intent_id, o.attempt_id, a.connection, a.provider,
             a.charge, i.currency::text as currency, o.refund_id, o.dispute_id,
             case when r.id is not null then to_jsonb(r) end as refund,
             to_jsonb(o) || jsonb_build_object(
                 'state', 'sent', 'outcome', null, 'checks', 0, 'finished_at', null,
                 'next_check_at', o.created_at + interval '1 minute') as operation
         from payments.operation o
         join payments.intent i on i.tenant_id = o.tenant_id and i.id = o.intent_id
         join payments.attempt a on a.tenant_id = o.tenant_id and a.id = o.attempt_id
         left join payments.refund r on r.tenant_id = o.tenant_id and r.id = o.refund_id
         where o.tenant_id = $1 and o.id = $2",
    )
    .bind(tenant.0)
    .bind(operation.uuid())
    .fetch_optional(source)
    .await
}

/// Writes an operation into the copy.
pub(super) async fn put_operation(target: &mut PgConnection, row: &Value) -> Result<()> {
    sqlx::query(
        "insert into payments.operation
         select r.* from jsonb_populate_record(null::payments.operation, $1) r",
    )
    .bind(row)
    .execute(target)
    .await
    .map(drop)
}

/// The deliveries of which nobody said anything yet, in the order of arrival.
pub(super) async fn untouched_deliveries(
    target: &mut PgConnection,
    tenant: TenantId,
    after: DeliveryId,
) -> Result<Vec<DeliveryId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from webhooks.delivery
         where tenant_id = $1 and id > $2 and state = 'received'
         order by id limit 100",
    )
    .bind(tenant.0)
    .bind(after.uuid())
    .fetch_all(target)
    .await?;
    Ok(ids.into_iter().map(DeliveryId::from_uuid).collect())
}

/// The deliveries that came since a moment, in the order of arrival.
pub(super) async fn arrived(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Option<Timestamp>,
    after: DeliveryId,
) -> Result<Vec<DeliveryId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from webhooks.delivery
         where tenant_id = $1 and id > $3 and received_at >= coalesce($2, '-infinity')
         order by id limit 100",
    )
    .bind(tenant.0)
    .bind(since)
    .bind(after.uuid())
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(DeliveryId::from_uuid).collect())
}

/// The journal's last number.
pub(super) async fn position(conn: &mut PgConnection, tenant: TenantId) -> Result<i64> {
    sqlx::query_scalar("select position from ledger.book where tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(conn)
        .await
}

/// Every account with its sums: path and currency, debits, credits.
pub(super) async fn sums(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<(String, i64, i64)>> {
    sqlx::query_as(
        "select a.path || ' ' || a.currency, b.debits, b.credits
         from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.tenant_id = $1
         order by 1",
    )
    .bind(tenant.0)
    .fetch_all(conn)
    .await
}

/// Every payment with where it stands, as one text.
pub(super) async fn standings(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Uuid,
) -> Result<Vec<(Uuid, String)>> {
    sqlx::query_as(
        "select id, state || ' captured ' || captured || ' pending ' || refund_pending
             || ' refunded ' || refunded || ' unapplied ' || unapplied
             || ' disputed ' || disputed || ' lost ' || lost
         from payments.intent
         where tenant_id = $1 and id > $2
         order by id limit 1000",
    )
    .bind(tenant.0)
    .bind(after)
    .fetch_all(conn)
    .await
}

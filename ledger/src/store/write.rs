//! Writing a batch: the book, the heads, the transactions and their entries in one statement.

use mizan_money::TenantId;
use sqlx::{PgConnection, Row};

use super::{EntryRow, Timestamp, TransactionRow, Written};
use crate::error::LedgerError;
use crate::period::kept_metadata;
use crate::post::Folded;

/// Takes the positions, moves the heads, and writes transactions and entries.
pub(crate) async fn write(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    folded: &Folded<'_>,
) -> Result<Written, LedgerError> {
    let Folded { transactions, entries, heads, .. } = folded;
    let last = entries.last();
    let asked = || transactions.iter().map(|row| row.transaction);
    let row = sqlx::query(WRITE)
        .bind(tenant.0)
        .bind(now)
        .bind(transactions.len() as i64)
        .bind(heads.iter().map(|h| h.head.account_id).collect::<Vec<_>>())
        .bind(heads.iter().map(|h| h.head.debits).collect::<Vec<_>>())
        .bind(heads.iter().map(|h| h.head.credits).collect::<Vec<_>>())
        .bind(heads.iter().map(|h| h.head.version).collect::<Vec<_>>())
        .bind(heads.iter().map(|h| h.expected).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.id.uuid()).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.effective_at).collect::<Vec<_>>())
        .bind(last.map(|row| row.entry.account_id).unwrap_or_default())
        .bind(last.map(|row| row.entry.seq).unwrap_or_default())
        .bind(transactions.iter().map(|row| row.reverses).collect::<Vec<_>>())
        .bind(asked().map(|t| t.kind.as_str()).collect::<Vec<_>>())
        .bind(asked().map(|t| t.source.as_str()).collect::<Vec<_>>())
        .bind(asked().map(|t| t.actor.as_str()).collect::<Vec<_>>())
        .bind(transactions.iter().map(metadata).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.offset).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.account_id).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.seq).collect::<Vec<_>>())
        .bind(entries.iter().map(EntryRow::letter).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.amount.minor()).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.balance_after).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.entry_count).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.amount.currency().code()).collect::<Vec<_>>())
        .fetch_one(conn)
        .await?;
    Ok(Written {
        base: row.try_get("base")?,
        recorded_at: row.try_get("recorded_at")?,
        heads_moved: row.try_get("heads_moved")?,
    })
}

fn metadata(row: &TransactionRow<'_>) -> Option<serde_json::Value> {
    let metadata = kept_metadata(row.transaction, row.effective_at);
    (!metadata.is_empty()).then_some(serde_json::Value::Object(metadata))
}

/// The order inside is explicit: the book, then the heads, then what hangs on them. Nothing is
/// joined but the heads: a connection keeps a plan, and a plan made for a few rows must be as
/// good for thousands.
const WRITE: &str = "
with taken as (
    update ledger.book
    set position = position + $3, before_position = position,
        recorded_at = greatest(recorded_at, recorded_from, $2), last_account = $11, last_seq = $12
    where tenant_id = $1
    returning before_position as base, position, recorded_at
),
moved as (
    update ledger.balance b
    set debits = new.debits, credits = new.credits, version = new.version,
        before_debits = b.debits, before_credits = b.credits, before_version = b.version,
        position = taken.position
    from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
            as new (account_id, debits, credits, version, expected),
        taken
    where b.tenant_id = $1 and b.account_id = new.account_id and b.version = new.expected
    returning b.account_id
),
all_moved as materialized (
    select count(*) as heads_moved from moved
),
written as (
    insert into ledger.transaction (tenant_id, entry_count, position, id, effective_at,
        recorded_at, reverses, kind, source, actor, metadata)
    select $1, entry_count, taken.base + t.n, id, effective_at, taken.recorded_at, reverses,
        kind, source, actor, metadata
    from taken,
        unnest($9::uuid[], $10::timestamptz[], $13::bigint[], $14::text[], $15::text[],
            $16::text[], $17::jsonb[], $24::integer[]) with ordinality
            as t (id, effective_at, reverses, kind, source, actor, metadata, entry_count, n)
),
entered as (
    insert into ledger.entry (tenant_id, account_id, seq, position, side, amount, currency,
        balance_after, recorded_at)
    select $1, e.account_id, e.seq, taken.base + e.n, e.side, e.amount, e.currency,
        e.balance_after, taken.recorded_at
    from taken, all_moved,
        unnest($18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::bigint[],
            $23::bigint[], $25::text[])
            as e (n, account_id, seq, side, amount, balance_after, currency)
)
select taken.base, taken.recorded_at, all_moved.heads_moved
from taken, all_moved";

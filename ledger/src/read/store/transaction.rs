//! Transactions with their entries, and the statements of accounts.

use chrono::{DateTime, Utc};
use mizan_money::{AccountId, Money, TenantId, TransactionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::{Cursor, Entry, Listed, Page, Transaction, on_normal_side};
use super::{Bounds, Result, account_ref, bounds, currency, listed, side};

const TRANSACTIONS: &str =
    "select t.id, t.position, t.kind, t.effective_at, t.recorded_at, t.source, t.actor,
        t.metadata, r.id as reverses
     from ledger.transaction t
     left join ledger.transaction r on r.tenant_id = t.tenant_id and r.position = t.reverses
     where t.tenant_id = $1
         and ($2::uuid is null or t.id = $2)
         and ($3::text is null or t.kind = $3)
         and ($4::text is null or t.source = $4)
         and t.position > $5 and t.position < $6
     order by case when $7 then t.position end, t.position desc
     limit $8";

/// One transaction with its entries; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn transaction(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: TransactionId,
) -> Result<Option<Transaction>> {
    let all = bounds(Cursor::Start, 0);
    let mut found = fetch(conn, tenant, (Some(id.uuid()), None, None), &all, 1).await?;
    Ok(found.pop())
}

/// The transaction that a posting key stands for; none where the key was never accepted.
///
/// # Errors
/// The database.
pub async fn transaction_by_key(
    conn: &mut PgConnection,
    tenant: TenantId,
    key: &str,
) -> Result<Option<Transaction>> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "select transaction_id from ledger.outcome where tenant_id = $1 and key = $2",
    )
    .bind(tenant.0)
    .bind(key)
    .fetch_optional(&mut *conn)
    .await?;
    match id {
        Some(id) => transaction(conn, tenant, TransactionId::from_uuid(id)).await,
        None => Ok(None),
    }
}

/// These transactions with their entries, in journal order. Ids that are unknown are left out.
///
/// # Errors
/// The database.
pub async fn transactions_by_id(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<Vec<Transaction>> {
    let rows = sqlx::query(
        "select t.id, t.position, t.kind, t.effective_at, t.recorded_at, t.source, t.actor,
            t.metadata, r.id as reverses
         from ledger.transaction t
         left join ledger.transaction r on r.tenant_id = t.tenant_id and r.position = t.reverses
         where t.tenant_id = $1 and t.id = any($2)
         order by t.position",
    )
    .bind(tenant.0)
    .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(&mut *conn)
    .await?;
    let mut found = rows.iter().map(transaction_from).collect::<Result<Vec<_>>>()?;
    add_entries(conn, tenant, &mut found).await?;
    Ok(found)
}

/// Transactions with their entries, newest first; optionally of one kind or one source. None
/// where the cursor names no transaction.
///
/// # Errors
/// The database.
pub async fn transactions(
    conn: &mut PgConnection,
    tenant: TenantId,
    kind: Option<&str>,
    source: Option<&str>,
    page: Page,
) -> Result<Option<Listed<Transaction>>> {
    let number = match page.cursor {
        Cursor::Start => 0,
        Cursor::After(id) | Cursor::Before(id) => {
            match transaction(conn, tenant, TransactionId::from_uuid(id)).await? {
                Some(found) => found.position,
                None => return Ok(None),
            }
        }
    };
    let within = bounds(page.cursor, number);
    let limit = i64::from(page.limit) + 1;
    let found = fetch(conn, tenant, (None, kind, source), &within, limit).await?;
    Ok(Some(listed(found, page.limit.into(), within.backwards)))
}

async fn fetch(
    conn: &mut PgConnection,
    tenant: TenantId,
    (id, kind, source): (Option<Uuid>, Option<&str>, Option<&str>),
    within: &Bounds,
    limit: i64,
) -> Result<Vec<Transaction>> {
    let rows = sqlx::query(TRANSACTIONS)
        .bind(tenant.0)
        .bind(id)
        .bind(kind)
        .bind(source)
        .bind(within.above)
        .bind(within.below)
        .bind(within.backwards)
        .bind(limit)
        .fetch_all(&mut *conn)
        .await?;
    let mut found = rows.iter().map(transaction_from).collect::<Result<Vec<_>>>()?;
    add_entries(conn, tenant, &mut found).await?;
    Ok(found)
}

/// A transaction without its entries.
fn transaction_from(row: &PgRow) -> Result<Transaction> {
    Ok(Transaction {
        id: TransactionId::from_uuid(row.try_get("id")?),
        position: row.try_get("position")?,
        kind: row.try_get("kind")?,
        effective_at: row.try_get("effective_at")?,
        recorded_at: row.try_get("recorded_at")?,
        source: row.try_get("source")?,
        actor: row.try_get("actor")?,
        reverses: row.try_get::<Option<Uuid>, _>("reverses")?.map(TransactionId::from_uuid),
        metadata: row.try_get("metadata")?,
        entries: Vec::new(),
    })
}

/// Entries lie where their transaction's `recorded_at` says, which is what the index knows.
async fn add_entries(
    conn: &mut PgConnection,
    tenant: TenantId,
    transactions: &mut [Transaction],
) -> Result<()> {
    let times: Vec<DateTime<Utc>> = transactions.iter().map(|t| t.recorded_at).collect();
    let positions: Vec<i64> = transactions.iter().map(|t| t.position).collect();
    let rows = sqlx::query(
        "select e.position, a.public_id, a.path, e.currency, e.seq, e.side, e.amount,
             e.balance_after
         from ledger.entry e
         join ledger.account a on a.tenant_id = e.tenant_id and a.id = e.account_id
         where e.tenant_id = $1 and e.position = any($2) and e.recorded_at = any($3)
         order by e.position, e.side desc, a.path collate \"C\", e.currency, e.seq",
    )
    .bind(tenant.0)
    .bind(positions)
    .bind(times)
    .fetch_all(conn)
    .await?;
    for row in &rows {
        let position: i64 = row.try_get("position")?;
        let entry = entry_from(row)?;
        if let Some(owner) = transactions.iter_mut().find(|t| t.position == position) {
            owner.entries.push(entry);
        }
    }
    Ok(())
}

fn entry_from(row: &PgRow) -> Result<Entry> {
    let account = account_ref(row)?;
    let currency = currency(row)?;
    let balance_after = on_normal_side(account.role().line(), row.try_get("balance_after")?);
    Ok(Entry {
        account_id: AccountId::from_uuid(row.try_get("public_id")?),
        account,
        seq: row.try_get("seq")?,
        side: side(row)?,
        amount: Money::new(row.try_get("amount")?, currency),
        balance_after: Money::new(balance_after, currency),
    })
}

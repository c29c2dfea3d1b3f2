//! Every statement that writes the ledger or that the posting path reads.

mod open;
mod write;

pub(crate) use open::{create_accounts, lock_heads, open};
pub(crate) use write::write;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use mizan_money::{TenantId, TransactionId};
use sqlx::{PgConnection, Row};

use crate::error::LedgerError;
use crate::fold::{AccountKey, Head, NewEntry};
use crate::period::ClosedBefore;
use crate::transaction::{NewTransaction, Outcome, Posted, PostingKey, Refusal, RequestHash};

type Timestamp = DateTime<Utc>;

pub(crate) struct Claim<'a> {
    pub key: &'a PostingKey,
    pub request_hash: RequestHash,
    pub transaction_id: TransactionId,
}

/// What came of opening a batch.
pub(crate) struct Opened {
    /// The keys that nobody had.
    pub claimed: BTreeSet<String>,
    /// Whether every account is there.
    pub complete: bool,
    /// The locked heads; none where an account is missing or no key was free.
    pub heads: HashMap<AccountKey, Head>,
    /// What was closed before any wait; the database looks again after it.
    pub closed: ClosedBefore,
}

/// An answer given before.
pub(crate) struct Stored {
    pub request_hash: RequestHash,
    pub outcome: Outcome,
}

pub(crate) struct Original {
    pub position: i64,
    pub reversed_by: Option<i64>,
}

pub(crate) struct TransactionRow<'a> {
    pub id: TransactionId,
    pub transaction: &'a NewTransaction,
    /// When it counts: as asked, or the first open moment.
    pub effective_at: Timestamp,
    pub reverses: Option<i64>,
    /// At most the legs of a posting and what they spill into: thousands.
    pub entry_count: i32,
}

pub(crate) struct EntryRow {
    /// Which transaction of the batch, from 1.
    pub offset: i64,
    pub entry: NewEntry,
}

pub(crate) struct HeadRow {
    pub head: Head,
    pub expected: i64,
}

pub(crate) struct Written {
    /// The journal number before the first of the batch.
    pub base: i64,
    pub recorded_at: Timestamp,
    pub heads_moved: i64,
}

/// Makes the monthly partitions of the entries between two times; answers how many it made.
///
/// # Errors
/// The database, or more than 60 months at once.
pub async fn ensure_partitions(
    conn: &mut PgConnection,
    from: Timestamp,
    to: Timestamp,
) -> Result<i32, LedgerError> {
    let made = sqlx::query_scalar("select ledger.ensure_partitions($1, $2)")
        .bind(from)
        .bind(to)
        .fetch_one(conn)
        .await?;
    Ok(made)
}

/// The answers given before to these keys.
pub(crate) async fn recall<'a>(
    conn: &mut PgConnection,
    tenant: TenantId,
    keys: &[&'a PostingKey],
) -> Result<HashMap<&'a PostingKey, Stored>, LedgerError> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query(
        "select o.key, o.request_hash, o.transaction_id, t.position, t.recorded_at, t.effective_at,
             r.reason
         from ledger.outcome o
         left join ledger.transaction t on t.tenant_id = o.tenant_id and t.id = o.transaction_id
         left join ledger.rejection r on r.tenant_id = o.tenant_id and r.key = o.key
         where o.tenant_id = $1 and o.key = any($2)",
    )
    .bind(tenant.0)
    .bind(keys.iter().map(|key| key.as_str()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let by_text: HashMap<&str, &'a PostingKey> = keys.iter().map(|k| (k.as_str(), *k)).collect();
    let mut stored = HashMap::with_capacity(rows.len());
    for row in rows {
        let key: String = row.try_get("key")?;
        let hash: Vec<u8> = row.try_get("request_hash")?;
        let corrupt = |what: &str| LedgerError::Corrupt { what: format!("{what} of key `{key}`") };
        let reason: Option<serde_json::Value> = row.try_get("reason")?;
        let outcome = match (row.try_get::<Option<i64>, _>("position")?, reason) {
            (Some(position), _) => Outcome::Posted(Posted {
                id: TransactionId::from_uuid(row.try_get("transaction_id")?),
                position,
                recorded_at: row.try_get("recorded_at")?,
                effective_at: row.try_get("effective_at")?,
                replayed: true,
                entries: Vec::new(),
            }),
            (None, Some(reason)) => Outcome::Refused(
                serde_json::from_value::<Refusal>(reason).map_err(|_| corrupt("the refusal"))?,
            ),
            (None, None) => return Err(corrupt("the missing outcome")),
        };
        let request_hash = hash.try_into().map_err(|_| corrupt("the hash"))?;
        if let Some(asked) = by_text.get(key.as_str()) {
            stored.insert(*asked, Stored { request_hash, outcome });
        }
    }
    Ok(stored)
}

/// The transactions to be reversed and whether they were. Called after the heads are locked:
/// two reversals of one transaction touch the same heads, so one of them sees the other.
pub(crate) async fn originals(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[TransactionId],
) -> Result<HashMap<TransactionId, Original>, LedgerError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query_as::<_, (uuid::Uuid, i64, Option<i64>)>(
        "select t.id, t.position, r.position
         from ledger.transaction t
         left join ledger.transaction r on r.tenant_id = t.tenant_id and r.reverses = t.position
         where t.tenant_id = $1 and t.id = any($2)",
    )
    .bind(tenant.0)
    .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let original = |(id, position, reversed_by)| {
        (TransactionId::from_uuid(id), Original { position, reversed_by })
    };
    Ok(rows.into_iter().map(original).collect())
}

/// Keeps refusals with their keys.
pub(crate) async fn reject(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    refusals: &[(&PostingKey, Refusal)],
) -> Result<(), LedgerError> {
    if refusals.is_empty() {
        return Ok(());
    }
    let reasons = refusals.iter().map(|(_, refusal)| serde_json::to_value(refusal));
    let reasons: Result<Vec<_>, _> = reasons.collect();
    let reasons = reasons.map_err(|e| LedgerError::Corrupt { what: e.to_string() })?;
    sqlx::query(
        "insert into ledger.rejection (tenant_id, key, reason, recorded_at)
         select $1, refused.key, refused.reason, $2
         from unnest($3::text[], $4::jsonb[]) as refused (key, reason)",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(refusals.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>())
    .bind(reasons)
    .execute(conn)
    .await?;
    Ok(())
}

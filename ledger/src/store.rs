//! Every statement that writes the ledger or that the posting path reads.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use mizan_money::{AccountId, TenantId, TransactionId};
use sqlx::{PgConnection, Row};

use crate::error::LedgerError;
use crate::fold::{AccountKey, Head, NewEntry};
use crate::post::Folded;
use crate::transaction::{NewTransaction, Outcome, Posted, PostingKey, Refusal};

type Timestamp = DateTime<Utc>;

pub(crate) struct Claim<'a> {
    pub key: &'a PostingKey,
    pub request_hash: [u8; 32],
    pub transaction_id: TransactionId,
}

/// An answer given before.
pub(crate) struct Stored {
    pub request_hash: [u8; 32],
    pub outcome: Outcome,
}

pub(crate) struct Original {
    pub position: i64,
    pub reversed_by: Option<i64>,
}

pub(crate) struct TransactionRow<'a> {
    pub id: TransactionId,
    pub transaction: &'a NewTransaction,
    pub reverses: Option<i64>,
    pub first_account: i64,
    pub first_seq: i64,
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

/// Claims keys, sorted; answers those that nobody had. Waits for a claim in flight.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    tenant: TenantId,
    claims: &[Claim<'_>],
) -> Result<BTreeSet<String>, LedgerError> {
    let rows = sqlx::query_scalar::<_, String>(
        "insert into ledger.outcome (tenant_id, key, request_hash, transaction_id)
         select $1, claim.key, claim.request_hash, claim.transaction_id
         from unnest($2::text[], $3::bytea[], $4::uuid[])
             as claim (key, request_hash, transaction_id)
         on conflict (tenant_id, key) do nothing
         returning key",
    )
    .bind(tenant.0)
    .bind(claims.iter().map(|claim| claim.key.as_str()).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.request_hash.to_vec()).collect::<Vec<_>>())
    .bind(claims.iter().map(|claim| claim.transaction_id.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
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
        "select o.key, o.request_hash, o.transaction_id, t.position, t.recorded_at, r.reason
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
                replayed: true,
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

fn paths(accounts: &[&AccountKey]) -> (Vec<String>, Vec<&'static str>) {
    accounts.iter().map(|(a, currency)| (a.path().to_owned(), currency.code())).unzip()
}

/// The internal ids of those accounts that exist.
pub(crate) async fn account_ids(
    conn: &mut PgConnection,
    tenant: TenantId,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, i64>, LedgerError> {
    let (account_paths, currencies) = paths(&accounts.iter().collect::<Vec<_>>());
    let rows = sqlx::query_as::<_, (i64, i64)>(
        "select wanted.n, a.id
         from unnest($2::text[], $3::text[]) with ordinality as wanted (path, currency, n)
         join ledger.account a
             on a.tenant_id = $1 and a.path = wanted.path
             and a.currency = wanted.currency::char(3)",
    )
    .bind(tenant.0)
    .bind(account_paths)
    .bind(currencies)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(n, id)| (accounts[n as usize - 1].clone(), id)).collect())
}

/// Creates accounts with their empty heads, in the order given (sorted by the caller). Another
/// transaction that creates one of them at the same time is waited for.
pub(crate) async fn create_accounts(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    accounts: &[&AccountKey],
) -> Result<(), LedgerError> {
    let (account_paths, currencies) = paths(accounts);
    let floors = accounts.iter().map(|(a, _)| a.floor_side().map(|side| side.letter()));
    let ids = accounts.iter().map(|_| AccountId::generate(now).uuid());
    sqlx::query(
        "with wanted as (
             select * from unnest($3::uuid[], $4::text[], $5::text[], $6::text[])
                 as w (public_id, path, currency, floor_side)
         ),
         created as (
             insert into ledger.account (tenant_id, public_id, path, currency, created_at)
             select $1, public_id, path, currency, $2 from wanted
             on conflict (tenant_id, path, currency) do nothing
             returning id, path, currency
         )
         insert into ledger.balance (tenant_id, account_id, currency, floor_side)
         select $1, created.id, created.currency, wanted.floor_side
         from created
         join wanted on wanted.path = created.path and wanted.currency::char(3) = created.currency",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(ids.collect::<Vec<_>>())
    .bind(account_paths)
    .bind(currencies)
    .bind(floors.collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks heads in the order of their ids and reads them as they are under the lock.
pub(crate) async fn lock_heads(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: Vec<i64>,
) -> Result<HashMap<i64, Head>, LedgerError> {
    let rows = sqlx::query_as::<_, (i64, i64, i64, i64)>(
        "select account_id, debits, credits, version
         from ledger.balance
         where tenant_id = $1 and account_id = any($2)
         order by account_id
         for no key update",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    let head = |(account_id, debits, credits, version)| {
        (account_id, Head { account_id, debits, credits, version })
    };
    Ok(rows.into_iter().map(head).collect())
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

/// Takes the positions, moves the heads, and writes transactions and entries.
pub(crate) async fn write(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    folded: &Folded<'_>,
) -> Result<Written, LedgerError> {
    let Folded { transactions, entries, heads, .. } = folded;
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
        .bind(asked().map(|t| t.effective_at).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.reverses).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.first_account).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.first_seq).collect::<Vec<_>>())
        .bind(asked().map(|t| t.kind.as_str()).collect::<Vec<_>>())
        .bind(asked().map(|t| t.source.as_str()).collect::<Vec<_>>())
        .bind(asked().map(|t| t.actor.as_str()).collect::<Vec<_>>())
        .bind(asked().map(metadata).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.offset).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.account_id).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.seq).collect::<Vec<_>>())
        .bind(entries.iter().map(EntryRow::letter).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.amount).collect::<Vec<_>>())
        .bind(entries.iter().map(|row| row.entry.balance_after).collect::<Vec<_>>())
        .bind(transactions.iter().map(|row| row.entry_count).collect::<Vec<_>>())
        .fetch_one(conn)
        .await?;
    Ok(Written {
        base: row.try_get("base")?,
        recorded_at: row.try_get("recorded_at")?,
        heads_moved: row.try_get("heads_moved")?,
    })
}

fn metadata(transaction: &NewTransaction) -> Option<serde_json::Value> {
    let metadata = &transaction.metadata;
    (!metadata.is_empty()).then(|| serde_json::Value::Object(metadata.clone()))
}

/// The order inside is explicit: the book, then the heads, then what hangs on them.
const WRITE: &str = "
with taken as (
    update ledger.book
    set position = position + $3, recorded_at = greatest(recorded_at, $2)
    where tenant_id = $1
    returning position - $3 as base, recorded_at
),
moved as (
    update ledger.balance b
    set debits = new.debits, credits = new.credits, version = new.version
    from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
            as new (account_id, debits, credits, version, expected),
        taken
    where b.tenant_id = $1 and b.account_id = new.account_id and b.version = new.expected
    returning b.account_id, b.currency
),
new_transaction as (
    select t.*, taken.base + t.n as position, taken.recorded_at
    from taken,
        unnest($9::uuid[], $10::timestamptz[], $11::bigint[], $12::bigint[], $13::bigint[],
            $14::text[], $15::text[], $16::text[], $17::jsonb[], $24::integer[]) with ordinality
            as t (id, effective_at, reverses, first_account, first_seq, kind, source, actor,
                metadata, entry_count, n)
),
written as (
    insert into ledger.transaction (tenant_id, entry_count, position, id, effective_at,
        recorded_at, reverses, first_account, first_seq, kind, source, actor, metadata)
    select $1, entry_count, position, id, effective_at, recorded_at, reverses,
        first_account, first_seq, kind, source, actor, metadata
    from new_transaction
),
entered as (
    insert into ledger.entry (tenant_id, account_id, seq, position, side, amount, currency,
        balance_after, effective_at, recorded_at)
    select $1, e.account_id, e.seq, t.position, e.side, e.amount, moved.currency,
        e.balance_after, t.effective_at, t.recorded_at
    from unnest($18::bigint[], $19::bigint[], $20::bigint[], $21::text[], $22::bigint[],
            $23::bigint[]) as e (n, account_id, seq, side, amount, balance_after)
    join moved on moved.account_id = e.account_id
    join new_transaction t on t.n = e.n
)
select taken.base, taken.recorded_at, (select count(*) from moved) as heads_moved
from taken";

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

//! The statements behind the ledger's reads.

use chrono::{DateTime, Utc};
use mizan_money::{AccountId, Currency, Money, TenantId, TransactionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    Account, Cursor, Detail, Entry, Listed, Page, StatementLine, Transaction, TrialLine,
    on_normal_side,
};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Side;
use crate::error::LedgerError;

type Result<T> = std::result::Result<T, LedgerError>;

fn corrupt(what: impl std::fmt::Display) -> LedgerError {
    LedgerError::Corrupt { what: what.to_string() }
}

fn currency(row: &PgRow) -> Result<Currency> {
    Currency::parse(row.try_get("currency")?).map_err(corrupt)
}

fn account_ref(row: &PgRow) -> Result<AccountRef> {
    AccountRef::parse(row.try_get("path")?).map_err(corrupt)
}

fn side(row: &PgRow) -> Result<Side> {
    let letter: String = row.try_get("side")?;
    Side::from_letter(&letter).ok_or_else(|| corrupt(format!("side `{letter}`")))
}

fn account_from(row: &PgRow) -> Result<Account> {
    Ok(Account {
        id: AccountId::from_uuid(row.try_get("public_id")?),
        account: account_ref(row)?,
        currency: currency(row)?,
        debits: row.try_get("debits")?,
        credits: row.try_get("credits")?,
        entries: row.try_get("version")?,
        created_at: row.try_get("created_at")?,
    })
}

/// One account with its balance now; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn account(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: AccountId,
) -> Result<Option<Account>> {
    let row = sqlx::query(
        "select a.public_id, a.path, a.currency, a.created_at, b.debits, b.credits, b.version
         from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.tenant_id = $1 and a.public_id = $2",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(account_from).transpose()
}

/// The account of this path and currency with its balance now; none before its first use.
///
/// # Errors
/// The database.
pub async fn account_at(
    conn: &mut PgConnection,
    tenant: TenantId,
    path: &AccountRef,
    currency: Currency,
) -> Result<Option<Account>> {
    let row = sqlx::query(
        "select a.public_id, a.path, a.currency, a.created_at, b.debits, b.credits, b.version
         from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.tenant_id = $1 and a.path = $2 and a.currency = $3::char(3)",
    )
    .bind(tenant.0)
    .bind(path.path())
    .bind(currency.code())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(account_from).transpose()
}

/// Accounts that have entries, by path and currency; optionally of one role. None where the
/// cursor names no account.
///
/// # Errors
/// The database.
pub async fn accounts(
    conn: &mut PgConnection,
    tenant: TenantId,
    role: Option<Role>,
    page: Page,
) -> Result<Option<Listed<Account>>> {
    let (bound, backwards) = match page.cursor {
        Cursor::Start => (None, false),
        Cursor::After(id) => (Some(id), false),
        Cursor::Before(id) => (Some(id), true),
    };
    let bound: Option<(String, String)> = match bound {
        None => None,
        Some(id) => match account(conn, tenant, AccountId::from_uuid(id)).await? {
            Some(found) => Some((found.account.path().to_owned(), found.currency.code().into())),
            None => return Ok(None),
        },
    };
    let rows = sqlx::query(
        "select a.public_id, a.path, a.currency, a.created_at, b.debits, b.credits, b.version
         from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.tenant_id = $1
             and b.version > 0
             and ($2::text is null or split_part(a.path, ':', 1) = $2)
             and ($3::text is null
                 or (not $5 and (a.path, a.currency::text) > ($3, $4))
                 or ($5 and (a.path, a.currency::text) < ($3, $4)))
         order by
             case when $5 then a.path end desc, case when $5 then a.currency end desc,
             a.path, a.currency
         limit $6",
    )
    .bind(tenant.0)
    .bind(role.map(|role| role.line().name))
    .bind(bound.as_ref().map(|bound| bound.0.as_str()))
    .bind(bound.as_ref().map(|bound| bound.1.as_str()))
    .bind(backwards)
    .bind(i64::from(page.limit) + 1)
    .fetch_all(conn)
    .await?;
    let found = rows.iter().map(account_from).collect::<Result<Vec<_>>>()?;
    Ok(Some(listed(found, page.limit, backwards)))
}

/// Cuts the row that only tells that there are more, and puts the page in its order.
fn listed<T>(mut found: Vec<T>, limit: u16, backwards: bool) -> Listed<T> {
    let has_more = found.len() > usize::from(limit);
    found.truncate(usize::from(limit));
    if backwards {
        found.reverse();
    }
    Listed { data: found, has_more }
}

/// The bounds of a page in a list that is ordered by a number, newest first.
struct Bounds {
    above: i64,
    below: i64,
    backwards: bool,
}

fn bounds(cursor: Cursor, number: i64) -> Bounds {
    match cursor {
        Cursor::Start => Bounds { above: 0, below: i64::MAX, backwards: false },
        Cursor::After(_) => Bounds { above: 0, below: number, backwards: false },
        Cursor::Before(_) => Bounds { above: number, below: i64::MAX, backwards: true },
    }
}

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
    Ok(Some(listed(found, page.limit, within.backwards)))
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
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(Transaction {
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
        });
    }
    add_entries(conn, tenant, &mut found).await?;
    Ok(found)
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
         order by e.position, e.side desc, a.path, e.seq",
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

/// An account's entries, newest first. None where the account or the cursor (a transaction of
/// the account) is unknown.
///
/// # Errors
/// The database.
pub async fn statement(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: AccountId,
    page: Page,
) -> Result<Option<Listed<StatementLine>>> {
    let Some(owner) = account(conn, tenant, id).await? else { return Ok(None) };
    let number = match page.cursor {
        Cursor::Start => 0,
        Cursor::After(cursor) | Cursor::Before(cursor) => {
            let known = transaction(conn, tenant, TransactionId::from_uuid(cursor)).await?;
            match known {
                Some(known) => known.position,
                None => return Ok(None),
            }
        }
    };
    let within = bounds(page.cursor, number);
    let rows = sqlx::query(
        "select t.id, t.position, t.kind, t.source, e.effective_at, e.recorded_at, e.seq, e.side,
             e.amount, e.balance_after
         from ledger.account a
         join ledger.entry e on e.tenant_id = a.tenant_id and e.account_id = a.id
         join ledger.transaction t on t.tenant_id = e.tenant_id and t.position = e.position
         where a.tenant_id = $1 and a.public_id = $2
             and e.position > $3 and e.position < $4
         order by case when $5 then e.seq end, e.seq desc
         limit $6",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(within.above)
    .bind(within.below)
    .bind(within.backwards)
    .bind(i64::from(page.limit) + 1)
    .fetch_all(conn)
    .await?;
    let line = |row: &PgRow| {
        let balance_after = on_normal_side(owner.line(), row.try_get("balance_after")?);
        Ok(StatementLine {
            transaction: TransactionId::from_uuid(row.try_get("id")?),
            position: row.try_get("position")?,
            kind: row.try_get("kind")?,
            source: row.try_get("source")?,
            effective_at: row.try_get("effective_at")?,
            recorded_at: row.try_get("recorded_at")?,
            seq: row.try_get("seq")?,
            side: side(row)?,
            amount: Money::new(row.try_get("amount")?, owner.currency),
            balance_after: Money::new(balance_after, owner.currency),
        })
    };
    let found = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    Ok(Some(listed(found, page.limit, within.backwards)))
}

/// Every balance that is not zero, in the order of the chart.
///
/// # Errors
/// The database.
pub async fn trial_balance(
    conn: &mut PgConnection,
    tenant: TenantId,
    detail: Detail,
) -> Result<Vec<TrialLine>> {
    let rows = sqlx::query(
        "select case when $2 then a.path else split_part(a.path, ':', 1) end as path,
             b.currency, (sum(b.debits) - sum(b.credits))::text as net
         from ledger.balance b
         join ledger.account a on a.tenant_id = b.tenant_id and a.id = b.account_id
         where b.tenant_id = $1 and b.version > 0
         group by 1, b.currency
         having sum(b.debits) <> sum(b.credits)",
    )
    .bind(tenant.0)
    .bind(detail == Detail::Account)
    .fetch_all(conn)
    .await?;
    let line = |row: &PgRow| {
        let path: String = row.try_get("path")?;
        let role = Role::parse(path.split(':').next().unwrap_or_default());
        let net: i128 = row.try_get::<String, _>("net")?.parse().map_err(corrupt)?;
        Ok(TrialLine {
            line: role.ok_or_else(|| corrupt(&path))?.line(),
            path,
            currency: currency(row)?,
            debit: net.max(0),
            credit: (-net).max(0),
        })
    };
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>>>()?;
    lines.sort_by(|a, b| {
        (a.currency, a.line.code, &a.path).cmp(&(b.currency, b.line.code, &b.path))
    });
    Ok(lines)
}

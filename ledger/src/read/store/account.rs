//! Accounts, their balances now, and the trial balance.

use mizan_money::{AccountId, Currency, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::super::{Account, Cursor, Detail, Listed, Page, TrialLine};
use super::{Result, account_ref, corrupt, currency, listed};
use crate::account::AccountRef;
use crate::chart::Role;

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

/// The accounts of these paths in every currency they have entries in, by path and currency.
///
/// # Errors
/// The database.
pub async fn accounts_at(
    conn: &mut PgConnection,
    tenant: TenantId,
    paths: &[AccountRef],
) -> Result<Vec<Account>> {
    let rows = sqlx::query(
        "select a.public_id, a.path, a.currency, a.created_at, b.debits, b.credits, b.version
         from ledger.account a
         join ledger.balance b on b.tenant_id = a.tenant_id and b.account_id = a.id
         where a.tenant_id = $1 and a.path = any($2) and b.version > 0
         order by a.path, a.currency",
    )
    .bind(tenant.0)
    .bind(paths.iter().map(AccountRef::path).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.iter().map(account_from).collect()
}

/// The accounts of these paths, in every currency in which they have more than nothing on their
/// normal side, by path and currency. The balances are not locked.
///
/// # Errors
/// The database.
pub async fn accounts_above_zero(
    conn: &mut PgConnection,
    tenant: TenantId,
    paths: &[AccountRef],
) -> Result<Vec<Account>> {
    let found = accounts_at(conn, tenant, paths).await?;
    Ok(found.into_iter().filter(|account| account.balance().is_positive()).collect())
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
    Ok(Some(listed(found, page.limit.into(), backwards)))
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
    trial_lines(&rows)
}

/// The lines of a trial balance in the order of the chart.
pub(super) fn trial_lines(rows: &[PgRow]) -> Result<Vec<TrialLine>> {
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

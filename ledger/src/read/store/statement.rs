//! The statements behind an account's statement.

use mizan_money::{AccountId, Money, TenantId, TransactionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::{Account, Cursor, Listed, Page, StatementLine, on_normal_side};
use super::account::account;
use super::{Result, listed, side};
use crate::entry::LEGS_MAX;

/// Both directions read the key of the entries in its own order and stop at the limit.
macro_rules! lines {
    ($beyond:literal, $order:literal) => {
        concat!(
            "select t.id, t.position, t.kind, t.source, t.effective_at, t.recorded_at, e.seq,
                 e.side, e.amount, e.balance_after
             from ledger.entry e
             join ledger.transaction t on t.tenant_id = e.tenant_id and t.position = e.position
             where e.tenant_id = $1
                 and e.account_id =
                     (select id from ledger.account where tenant_id = $1 and public_id = $2)
                 and e.seq ",
            $beyond,
            " $3 order by e.seq ",
            $order,
            " limit $4"
        )
    };
}
const BACK_IN_TIME: &str = lines!("<", "desc");
const ON_IN_TIME: &str = lines!(">", "asc");

/// An account's entries, newest first. None where the account or the cursor (a transaction of
/// the account) is unknown.
///
/// A cursor names a transaction, so a page ends with one: where the transaction at the limit
/// touches the account more than once, its further lines come with it.
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
    let (query, bound) = match page.cursor {
        Cursor::Start => (BACK_IN_TIME, Some(i64::MAX)),
        Cursor::After(cursor) => {
            (BACK_IN_TIME, seqs(conn, tenant, id, cursor).await?.map(|(oldest, _)| oldest))
        }
        Cursor::Before(cursor) => {
            (ON_IN_TIME, seqs(conn, tenant, id, cursor).await?.map(|(_, newest)| newest))
        }
    };
    let Some(bound) = bound else { return Ok(None) };
    let limit = usize::from(page.limit.max(1));
    let mut lines = fetch(conn, tenant, &owner, query, (bound, limit + 1)).await?;
    if let Some(beyond) = lines.get(limit)
        && beyond.position == lines[limit - 1].position
    {
        let beyond = (beyond.seq, LEGS_MAX + 1);
        lines.extend(fetch(conn, tenant, &owner, query, beyond).await?);
    }
    let last = lines.get(limit - 1).map(|line| line.position);
    let further = lines.iter().skip(limit).take_while(|line| Some(line.position) == last).count();
    let backwards = matches!(page.cursor, Cursor::Before(_));
    Ok(Some(listed(lines, limit + further, backwards)))
}

/// An account's entries behind one sequence number up to another, oldest first: what moved it
/// from one moment to another. Empty where the account is unknown.
///
/// # Errors
/// The database.
pub async fn lines_between(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: AccountId,
    (after, through): (i64, i64),
) -> Result<Vec<StatementLine>> {
    let Some(owner) = account(conn, tenant, id).await? else { return Ok(Vec::new()) };
    let count = through.saturating_sub(after).max(0);
    let lines =
        fetch(conn, tenant, &owner, ON_IN_TIME, (after, usize::try_from(count).unwrap_or(0)));
    Ok(lines.await?.into_iter().filter(|line| line.seq <= through).collect())
}

/// The oldest and the newest sequence number that a transaction has in an account.
pub(super) async fn seqs(
    conn: &mut PgConnection,
    tenant: TenantId,
    account: AccountId,
    transaction: Uuid,
) -> Result<Option<(i64, i64)>> {
    let (oldest, newest) = sqlx::query_as::<_, (Option<i64>, Option<i64>)>(
        "select min(e.seq), max(e.seq)
         from ledger.transaction t
         join ledger.entry e on e.tenant_id = t.tenant_id
             and e.position = t.position
             and e.recorded_at = t.recorded_at
             and e.account_id =
                 (select id from ledger.account where tenant_id = $1 and public_id = $2)
         where t.tenant_id = $1 and t.id = $3",
    )
    .bind(tenant.0)
    .bind(account.uuid())
    .bind(transaction)
    .fetch_one(conn)
    .await?;
    Ok(oldest.zip(newest))
}

async fn fetch(
    conn: &mut PgConnection,
    tenant: TenantId,
    owner: &Account,
    query: &'static str,
    (bound, limit): (i64, usize),
) -> Result<Vec<StatementLine>> {
    let rows = sqlx::query(query)
        .bind(tenant.0)
        .bind(owner.id.uuid())
        .bind(bound)
        .bind(limit as i64)
        .fetch_all(conn)
        .await?;
    rows.iter().map(|row| line(row, owner)).collect()
}

pub(super) fn line(row: &PgRow, owner: &Account) -> Result<StatementLine> {
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
}

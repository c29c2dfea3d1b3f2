//! Claiming keys, and finding, making and locking the heads of accounts.

use std::collections::HashMap;

use mizan_money::{AccountId, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::{Claim, Opened, Timestamp};
use crate::error::LedgerError;
use crate::fold::{AccountKey, Head};
use crate::period::ClosedBefore;

/// Claims keys, sorted, and where all accounts are there and a key was free, locks their heads
/// in the order of their ids. Waits for a claim in flight and then for the heads: the locks are
/// the last step, above a sort that has read everything under it.
pub(crate) async fn open(
    conn: &mut PgConnection,
    tenant: TenantId,
    claims: &[Claim<'_>],
    accounts: &[AccountKey],
) -> Result<Opened, LedgerError> {
    let keys = claims.iter().map(|claim| claim.key.as_str()).collect::<Vec<_>>();
    let hashes = claims.iter().map(|claim| claim.request_hash.as_slice()).collect::<Vec<_>>();
    let ids = claims.iter().map(|claim| claim.transaction_id.uuid()).collect::<Vec<_>>();
    let (account_paths, currencies) = paths(accounts);
    let row = sqlx::query(OPEN)
        .bind(tenant.0)
        .bind(account_paths)
        .bind(currencies)
        .bind(keys)
        .bind(hashes)
        .bind(ids)
        .fetch_one(conn)
        .await?;
    let claimed: Option<Vec<String>> = row.try_get("claimed")?;
    Ok(Opened {
        claimed: claimed.unwrap_or_default().into_iter().collect(),
        complete: row.try_get::<Option<bool>, _>("complete")?.unwrap_or(true),
        heads: heads_of(&row, accounts)?,
        closed: ClosedBefore(row.try_get("closed_before")?),
    })
}

/// Locks the heads of accounts that are there and reads them as they are under the lock.
pub(crate) async fn lock_heads(
    conn: &mut PgConnection,
    tenant: TenantId,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, Head>, LedgerError> {
    let (account_paths, currencies) = paths(accounts);
    let row = sqlx::query(LOCK)
        .bind(tenant.0)
        .bind(account_paths)
        .bind(currencies)
        .fetch_one(conn)
        .await?;
    heads_of(&row, accounts)
}

fn heads_of(
    row: &PgRow,
    accounts: &[AccountKey],
) -> Result<HashMap<AccountKey, Head>, LedgerError> {
    let column = |name| Ok::<_, LedgerError>(row.try_get::<Option<Vec<i64>>, _>(name)?);
    let (Some(n), Some(account_id), Some(debits), Some(credits), Some(version)) = (
        column("n")?,
        column("account_id")?,
        column("debits")?,
        column("credits")?,
        column("version")?,
    ) else {
        return Ok(HashMap::new());
    };
    let public_id: Vec<uuid::Uuid> = row.try_get("public_id")?;
    let head = |at: usize| {
        let head = Head {
            account_id: account_id[at],
            public_id: AccountId::from_uuid(public_id[at]),
            debits: debits[at],
            credits: credits[at],
            version: version[at],
        };
        (accounts[n[at] as usize - 1].clone(), head)
    };
    Ok((0..n.len()).map(head).collect())
}

/// Each row is looked for by itself ("limit 1"): a connection keeps its plan, and one made while
/// a table was small would read the whole of it later. Heads are locked in the order of the ids.
macro_rules! locking {
    ($claim:literal, $gate:literal) => {
        concat!(
            "with ",
            $claim,
            "wanted as materialized (
                 select w.n, a.id, a.public_id
                 from unnest($2::text[], $3::text[]) with ordinality as w (path, currency, n)
                 left join lateral (
                     select a.id, a.public_id
                     from ledger.account a
                     where a.tenant_id = $1 and a.path = w.path
                         and a.currency = w.currency::char(3)
                     limit 1
                 ) a on true
             ),
             gate as materialized (",
            $gate,
            "),
             locked as materialized (
                 select w.n, w.public_id, b.*
                 from (select * from wanted where (select is_open from gate) order by id) w
                 cross join lateral (
                     select b.account_id, b.debits, b.credits, b.version
                     from ledger.balance b
                     where b.tenant_id = $1 and b.account_id = w.id
                     limit 1
                     for no key update
                 ) b
             ),
             heads as (
                 select array_agg(n) as n, array_agg(public_id) as public_id,
                     array_agg(account_id) as account_id, array_agg(debits) as debits,
                     array_agg(credits) as credits, array_agg(version) as version
                 from locked
             )
             select gate.*, heads.*,
                 (select nullif(closed_before, '-infinity') from ledger.book
                  where tenant_id = $1) as closed_before
             from gate, heads"
        )
    };
}

const OPEN: &str = locking!(
    "claimed as (
         insert into ledger.outcome (tenant_id, key, request_hash, transaction_id)
         select $1, claim.key, claim.request_hash, claim.transaction_id
         from unnest($4::text[], $5::bytea[], $6::uuid[])
             as claim (key, request_hash, transaction_id)
         on conflict (tenant_id, key) do nothing
         returning key
     ),",
    "select c.claimed, a.complete, c.claimed is not null and a.complete as is_open
     from (select array_agg(key) as claimed from claimed) c,
         (select bool_and(id is not null) as complete from wanted) a"
);
const LOCK: &str = locking!("", "select true as is_open");

fn paths<'a>(
    accounts: impl IntoIterator<Item = &'a AccountKey>,
) -> (Vec<&'a str>, Vec<&'static str>) {
    accounts.into_iter().map(|(a, currency)| (a.path(), currency.code())).unzip()
}

/// Creates accounts with their empty heads, in the order given (sorted by the caller). Another
/// transaction that creates one of them at the same time is waited for.
pub(crate) async fn create_accounts(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    accounts: &[AccountKey],
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
         select $1, max(id), currency, max(floor_side)
         from (
             select id, path, currency, null as floor_side from created
             union all
             select null, path, currency::char(3), floor_side from wanted
         ) both_sides
         group by path, currency
         having max(id) is not null",
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

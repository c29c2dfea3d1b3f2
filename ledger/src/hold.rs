//! Balances that stay as they are until the end of the transaction: read under their locks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use mizan_money::{AccountId, Currency, Money, TenantId};
use sqlx::PgConnection;

use crate::account::AccountRef;
use crate::error::LedgerError;
use crate::read::on_normal_side;
use crate::store;

/// An account in one currency, as it is under its lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The account's public id.
    pub id: AccountId,
    /// The balance on its normal side.
    pub balance: Money,
    /// The sequence number of its newest entry.
    pub entries: i64,
}

/// Locks the heads of accounts, in the order in which [`post`](crate::post()) takes them, and
/// reads them. Accounts that are missing are made. Name every account that will be posted to in
/// this transaction, so that posting waits for no further head.
///
/// # Errors
/// The database.
pub async fn hold(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: DateTime<Utc>,
    accounts: &[(AccountRef, Currency)],
) -> Result<BTreeMap<(AccountRef, Currency), Held>, LedgerError> {
    let mut wanted = accounts.to_vec();
    wanted.sort();
    wanted.dedup();
    let mut heads = store::lock_heads(conn, tenant, &wanted).await?;
    if heads.len() < wanted.len() {
        store::create_accounts(conn, tenant, now, &wanted).await?;
        heads = store::lock_heads(conn, tenant, &wanted).await?;
    }
    let held = |key: (AccountRef, Currency)| {
        let head = heads.get(&key).ok_or_else(|| LedgerError::Corrupt {
            what: format!("account {} {} has no balance row", key.0, key.1),
        })?;
        let net = on_normal_side(key.0.role().line(), head.debits - head.credits);
        let balance = Money::new(net, key.1);
        Ok((key, Held { id: head.public_id, balance, entries: head.version }))
    };
    wanted.into_iter().map(held).collect()
}

/// Locks the same heads and tells what each account holds on its normal side. None is made: one
/// that nobody has used yet holds nothing.
///
/// # Errors
/// The database.
pub async fn lock_balances(
    conn: &mut PgConnection,
    tenant: TenantId,
    accounts: impl IntoIterator<Item = (AccountRef, Currency)>,
) -> Result<BTreeMap<(AccountRef, Currency), Money>, LedgerError> {
    let accounts: Vec<_> = accounts.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    if accounts.is_empty() {
        return Ok(BTreeMap::new());
    }
    let heads = store::lock_heads(conn, tenant, &accounts).await?;
    let balance = |key: (AccountRef, Currency)| {
        let net = heads.get(&key).map_or(0, |head| head.debits - head.credits);
        let minor = on_normal_side(key.0.role().line(), net);
        let money = Money::new(minor, key.1);
        (key, money)
    };
    Ok(accounts.into_iter().map(balance).collect())
}

//! Balances that nobody else can move until the transaction ends: for who decides by them.

use std::collections::{BTreeMap, BTreeSet};

use mizan_money::{Currency, Money, TenantId};
use sqlx::PgConnection;

use crate::account::AccountRef;
use crate::error::LedgerError;
use crate::read::on_normal_side;
use crate::store;

/// Locks the heads of accounts, in the order in which everybody locks them, and tells what each
/// holds on its normal side, in minor units. An account that nobody has used yet holds nothing.
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

//! The two books side by side: account by account, then payment by payment.

use std::collections::BTreeMap;

use mizan_money::TenantId;
use mizan_money::id::PaymentIntentId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rebuild::Rebuilt;
use super::{ReplayError, store};
use crate::db::{Db, work};

/// Compares debits and credits of every account, how many transactions there are, and where every
/// payment stands.
///
/// # Errors
/// A database.
pub(super) async fn compare(
    source: &mut PgConnection,
    target: &Db,
    tenant: TenantId,
    rebuilt: &mut Rebuilt,
) -> Result<(), ReplayError> {
    let first = used(store::sums(source, tenant).await?);
    let (position, second) = target
        .read("replay_sums", tenant, |tx| {
            work(async move {
                let position = store::position(tx, tenant).await?;
                Ok::<_, ReplayError>((position, store::sums(tx, tenant).await?))
            })
        })
        .await?;
    rebuilt.transactions = store::position(source, tenant).await?;
    rebuilt.transactions_again = position;
    let second = used(second);
    for (account, (debits, credits)) in &first {
        let (d, c) = second.get(account).copied().unwrap_or_default();
        if (d, c) == (*debits, *credits) {
            rebuilt.accounts_alike += 1;
            continue;
        }
        rebuilt
            .differing
            .add(format!("{account}: debits {debits} and credits {credits} became {d} and {c}"));
    }
    for (account, (d, c)) in second.iter().filter(|(path, _)| !first.contains_key(*path)) {
        rebuilt.differing.add(format!("{account}: no entry became debits {d} and credits {c}"));
    }
    compare_payments(source, target, tenant, rebuilt).await
}

/// The sums by account. One that was made for a refused command has no entries, and is not in the
/// copy.
fn used(sums: Vec<(String, i64, i64)>) -> BTreeMap<String, (i64, i64)> {
    let used = sums.into_iter().filter(|(_, debits, credits)| (*debits, *credits) != (0, 0));
    used.map(|(account, debits, credits)| (account, (debits, credits))).collect()
}

async fn compare_payments(
    source: &mut PgConnection,
    target: &Db,
    tenant: TenantId,
    rebuilt: &mut Rebuilt,
) -> Result<(), ReplayError> {
    let mut after = Uuid::nil();
    loop {
        let first = store::standings(source, tenant, after).await?;
        let Some((last, _)) = first.last() else { return Ok(()) };
        let second = target
            .read("replay_standings", tenant, |tx| {
                work(
                    async move { Ok::<_, ReplayError>(store::standings(tx, tenant, after).await?) },
                )
            })
            .await?;
        after = *last;
        // Payments are copied as commands, so both have the same.
        for ((id, before), (_, now)) in first.iter().zip(&second) {
            if before != now {
                let id = PaymentIntentId::from_uuid(*id);
                rebuilt.differing.add(format!("{id}: {before}, became {now}"));
            }
        }
    }
}

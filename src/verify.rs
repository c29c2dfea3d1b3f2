//! Proving the books on the live database: every law, every tenant.

use mizan_ledger::verify::{Law, ledger_laws};
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use crate::clock::Clock;
use crate::db::{Db, work};
use crate::inbox::InboxError;
use crate::outbox;
use crate::payments::PaymentError;
use crate::payments::laws::payment_laws;

/// How long a delivery may be parked before that breaks a law.
const PARK_LIMIT: chrono::Duration = chrono::Duration::days(3);

/// Proves all laws for one tenant.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn laws(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<Law>, InboxError> {
    let mut laws = ledger_laws(conn, tenant).await.map_err(PaymentError::from)?;
    laws.extend(payment_laws(conn, tenant, now).await?);
    let limit = PARK_LIMIT;
    let (checked, broken) = mizan_webhooks::law_deliveries(conn, tenant, now, limit).await?;
    let name = "webhooks are applied, ignored with a reason, or parked for a while";
    laws.push(Law { name, checked, unit: "deliveries", broken });
    let (checked, broken) = outbox::store::law_announced(conn, tenant).await?;
    let name = "events have no gap and every transaction is announced";
    laws.push(Law { name, checked, unit: "events", broken });
    Ok(laws)
}

/// Proves all laws for every tenant, each on one snapshot of its rows.
///
/// # Errors
/// The database.
pub async fn verify(db: &Db, clock: &Clock) -> Result<Vec<(TenantId, Vec<Law>)>, InboxError> {
    let (mut proved, now) = (Vec::new(), clock.now());
    for tenant in db.tenant_ids().await? {
        let laws = db
            .read("verify", tenant, |tx| work(async move { laws(tx, tenant, now).await }))
            .await?;
        proved.push((tenant, laws));
    }
    Ok(proved)
}

//! Parked deliveries, tried again on their ladder.

use mizan_money::{TenantId, Timestamp};
use mizan_webhooks::{Delivery, Disposition};
use sqlx::PgConnection;

use super::receive::{InboxError, apply_one};
use super::round::Open;
use crate::app::App;
use crate::db::{savepoint, work};
use crate::payments::gateway::Gateway;

/// How many one run tries per tenant.
const AT_ONCE: usize = 100;

/// Tries parked deliveries whose time has come, one transaction each; answers how many.
///
/// # Errors
/// The database.
pub async fn retry_parked(app: &App) -> Result<usize, InboxError> {
    let mut tried = 0;
    for tenant in app.db.tenant_ids().await? {
        let now = app.now_for(tenant);
        for _ in 0..AT_ONCE {
            let one = app
                .db
                .transaction("retry_webhook", tenant, |tx| {
                    work(async move { retry_one(tx, app, tenant, now).await })
                })
                .await;
            match one {
                Ok(true) => tried += 1,
                Ok(false) => break,
                Err(error) => {
                    tracing::error!(%tenant, %error, "parked webhooks could not be tried again");
                    break;
                }
            }
        }
    }
    Ok(tried)
}

/// Tries the one that is due longest; answers whether there was one.
async fn retry_one(
    conn: &mut PgConnection,
    app: &App,
    tenant: TenantId,
    now: Timestamp,
) -> Result<bool, InboxError> {
    let Some(delivery) = mizan_webhooks::due_parked(conn, tenant, now, 1).await?.pop() else {
        return Ok(false);
    };
    let (id, attempts) = (delivery.summary.id, delivery.summary.attempts);
    let disposition = match app.gateways.get(&delivery.summary.connection) {
        Some(gateway) => apply_stored(conn, tenant, gateway, &delivery, now).await?,
        None => Disposition::parked("its connection is not configured", attempts, now),
    };
    mizan_webhooks::dispose(conn, tenant, id, &disposition, now).await?;
    Ok(true)
}

/// Applies a stored delivery behind a savepoint, so that a failure leaves nothing but its
/// reason. The bytes were verified when they came.
async fn apply_stored(
    conn: &mut PgConnection,
    tenant: TenantId,
    gateway: &Gateway,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Disposition, InboxError> {
    let (id, attempts) = (delivery.summary.id, delivery.summary.attempts);
    let events = match gateway.provider.events(&delivery.body) {
        Ok(events) => events,
        Err(error) => return Ok(Disposition::parked(error.to_string(), attempts, now)),
    };
    let applied = savepoint(conn, |tx| {
        let connection = gateway.connection.as_str();
        let trust = gateway.provider.capabilities().webhook_trust;
        let open = Open { id, connection, trust, events: Ok(&events), attempts };
        work(async move { apply_one(tx, tenant, open, now).await })
    });
    Ok(match applied.await? {
        Ok(disposition) => disposition,
        Err(error) => Disposition::parked(error.to_string(), attempts, now),
    })
}

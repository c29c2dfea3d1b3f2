//! A kept delivery, applied once more the way it was applied when it came.

use mizan_money::{TenantId, Timestamp};
use mizan_webhooks::{Checked, Delivery, Disposition};
use sqlx::PgConnection;

use super::receive::{InboxError, apply_one, trust};
use super::round::Open;

/// Applies a delivery that was verified again; answers what becomes of it. To dispose of it is
/// left to the caller.
///
/// # Errors
/// The database; what it says cannot be booked. The caller rolls back.
pub async fn apply_again(
    conn: &mut PgConnection,
    tenant: TenantId,
    delivery: &Delivery,
    checked: &Checked<'_>,
    now: Timestamp,
) -> Result<Disposition, InboxError> {
    let kept = &delivery.summary;
    match checked.events() {
        Ok(events) => {
            let connection = kept.connection.as_str();
            let (id, attempts) = (kept.id, kept.attempts);
            let trust = trust(kept.provider);
            let open = Open { id, connection, trust, events: Ok(events), attempts };
            apply_one(conn, tenant, open, now).await
        }
        Err(error) => Ok(Disposition::parked(error.to_string(), kept.attempts, now)),
    }
}

//! Again: every delivery verified and applied once more to the books as they are, and undone.

use mizan_money::id::DeliveryId;
use mizan_money::{TenantId, Timestamp};
use mizan_webhooks::{DeliveryState, Disposition};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Findings, Readers, ReplayError, Tally, store};
use crate::db::{Db, DbError, Retry, Retryable, work};
use crate::inbox::{InboxError, apply_again};

/// What a replay on the books as they are came to, for one tenant.
#[derive(Debug, Clone, Serialize)]
pub struct Replayed {
    /// Whose.
    pub tenant: i32,
    /// What became of the deliveries.
    pub tally: Tally,
    /// What should not be: bytes that are not believed any more, and finished deliveries that
    /// would change something.
    pub findings: Findings,
}

/// How one attempt ended; always rolled back.
enum Undone {
    As { disposition: Disposition, before: DeliveryState },
    Unverifiable(String),
    Gone,
    Failed(InboxError),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<InboxError> for Undone {
    fn from(error: InboxError) -> Self {
        Self::Failed(error)
    }
}

impl Retryable for Undone {
    fn retry(&self) -> Retry {
        match self {
            Self::Failed(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

/// Verifies every delivery since a moment once more, applies it to the books as they are, and
/// rolls that back. Nothing stays changed, whatever it comes to.
///
/// # Errors
/// The database.
pub async fn replay(
    db: &Db,
    readers: &Readers,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Replayed>, ReplayError> {
    let mut all = Vec::new();
    for tenant in db.tenant_ids().await? {
        let (mut tally, mut findings) = (Tally::default(), Findings::default());
        let mut after = DeliveryId::from_uuid(Uuid::nil());
        loop {
            let ids = db
                .read("replay_arrived", tenant, |tx| {
                    work(async move {
                        Ok::<_, ReplayError>(store::arrived(tx, tenant, since, after).await?)
                    })
                })
                .await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            for id in ids {
                replay_one(db, tenant, readers, id, now, (&mut tally, &mut findings)).await?;
            }
        }
        all.push(Replayed { tenant: tenant.0, tally, findings });
    }
    Ok(all)
}

async fn replay_one(
    db: &Db,
    tenant: TenantId,
    readers: &Readers,
    id: DeliveryId,
    now: Timestamp,
    (tally, findings): (&mut Tally, &mut Findings),
) -> Result<(), ReplayError> {
    let undone = db
        .transaction("replay", tenant, |tx| {
            work(async move { Err::<(), _>(apply_and_undo(tx, tenant, readers, id, now).await) })
        })
        .await;
    match undone {
        Err(Undone::As { disposition, before }) => {
            tally.count(&disposition);
            if !before.is_open() && disposition.state() == DeliveryState::Applied {
                let before = before.as_str();
                findings.add(format!("{id} is {before} and would have an effect again"));
            }
        }
        Err(Undone::Unverifiable(why)) => {
            tally.count_unverifiable();
            findings.add(format!("{id}: {why}"));
        }
        Err(Undone::Failed(error)) => return Err(error.into()),
        Err(Undone::Gone) | Ok(()) => {}
    }
    Ok(())
}

async fn apply_and_undo(
    conn: &mut PgConnection,
    tenant: TenantId,
    readers: &Readers,
    id: DeliveryId,
    now: Timestamp,
) -> Undone {
    let delivery = match mizan_webhooks::delivery(conn, tenant, id).await {
        Ok(Some(delivery)) => delivery,
        Ok(None) => return Undone::Gone,
        Err(error) => return Undone::Failed(error.into()),
    };
    let checked = match readers.check(&delivery) {
        Ok(checked) => checked,
        Err(why) => return Undone::Unverifiable(why.to_string()),
    };
    match apply_again(conn, tenant, &delivery, &checked, now).await {
        Ok(disposition) => Undone::As { disposition, before: delivery.summary.standing.state() },
        Err(error) => Undone::Failed(error),
    }
}

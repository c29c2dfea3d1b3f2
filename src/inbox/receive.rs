//! Taking deliveries in: kept, applied and disposed of in one transaction, as many as come at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mizan_money::id::DeliveryId;
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{ProviderEvent, ProviderName, Trust, webhook_reader};
use mizan_webhooks::{Checked, DeliveryState, Disposition, Kept, NewDelivery, WebhookError};
use sqlx::PgConnection;

use super::round::{Open, hear_all};
use crate::app::App;
use crate::clock::Clock;
use crate::db::{DbError, Retry, Retryable, Tx, work};
use crate::lane::{BoxFuture, Grouped, LaneLimits};
use crate::payments::PaymentError;
use crate::payments::gateway::Gateway;

/// The word for a delivery that is known already and finished.
const DUPLICATE: &str = "duplicate";

/// Bounds of the inbox's lane: a body may have a mebibyte, and all of a group are in memory.
pub const LIMITS: LaneLimits =
    LaneLimits { group_max: 256, waiting_max: 4_096, second_from: usize::MAX };

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its id here; that of the first where it is a repetition.
    pub id: DeliveryId,
    /// `applied`, `ignored`, `stale`, `parked`, or `duplicate`.
    pub status: &'static str,
}

/// Why a delivery could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum InboxError {
    /// The store of deliveries.
    #[error(transparent)]
    Webhooks(WebhookError),
    /// What it says cannot be applied.
    #[error(transparent)]
    Payments(#[from] PaymentError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<WebhookError> for InboxError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Database(error) => Self::Db(error.into()),
            other => Self::Webhooks(other),
        }
    }
}

impl InboxError {
    /// Whether the database is what failed, so that the gateway should call again.
    fn is_passing(&self) -> bool {
        match self {
            Self::Db(error) | Self::Payments(PaymentError::Db(error)) => {
                !matches!(error, DbError::Constraint { .. } | DbError::Other { .. })
            }
            _ => false,
        }
    }
}

impl Retryable for InboxError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            Self::Payments(error) => error.retry(),
            Self::Webhooks(_) => Retry::Never,
        }
    }
}

/// A checked delivery on its way in.
#[derive(Debug)]
pub struct Arrived {
    delivery: NewDelivery,
    /// What it says, or why that cannot be read.
    events: Result<Vec<ProviderEvent>, String>,
}

impl Arrived {
    /// A checked delivery that came in over `connection`, under an id of ours.
    pub fn new(checked: Checked<'_>, id: DeliveryId, connection: &str) -> Arrived {
        let delivery = checked.delivery(id, connection);
        Arrived { delivery, events: checked.into_events().map_err(|error| error.to_string()) }
    }

    fn open(&self, kept: Kept) -> Open<'_> {
        Open {
            id: kept.id(),
            connection: self.delivery.connection(),
            trust: trust(self.delivery.provider()),
            events: self.events.as_deref().map_err(String::as_str),
            attempts: kept.attempts(),
        }
    }
}

/// What deliveries of a gateway are worth.
pub(super) fn trust(provider: ProviderName) -> Trust {
    webhook_reader(provider).capabilities().webhook_trust
}

/// The work of the inbox's lane.
#[derive(Debug)]
pub struct Inbox {
    clock: Clock,
}

impl Inbox {
    /// An inbox by this clock.
    pub fn new(clock: Clock) -> Inbox {
        Inbox { clock }
    }
}

impl Grouped for Inbox {
    type Item = Arc<Arrived>;
    type Answer = Receipt;
    type Error = InboxError;

    const NAME: &'static str = "receive_webhook";

    fn run<'t>(
        &'t self,
        tx: &'t mut Tx,
        tenant: TenantId,
        items: &'t [Arc<Arc<Arrived>>],
    ) -> BoxFuture<'t, Result<Vec<Receipt>, InboxError>> {
        let now = self.clock.now();
        let arrived: Vec<&Arrived> = items.iter().map(|item| &***item).collect();
        Box::pin(async move { receive_many(tx, tenant, now, &arrived).await })
    }
}

/// Takes a checked delivery in, with those that come at the same time. What the database refuses
/// to apply is kept alone and parked.
///
/// # Errors
/// The database is away or too busy: nothing was kept, and the gateway calls again.
pub async fn receive(
    app: &App,
    gateway: &Gateway,
    checked: Checked<'_>,
) -> Result<Receipt, InboxError> {
    let id = DeliveryId::generate(app.clock.now());
    let arrived = Arc::new(Arrived::new(checked, id, &gateway.connection));
    match app.inbox.submit(gateway.tenant, Arc::clone(&arrived)).await {
        Err(error) if !error.is_passing() => {
            park(app, gateway.tenant, &arrived.delivery, &error.to_string()).await
        }
        other => other,
    }
}

/// Takes deliveries of one tenant in, in the order given; answers each as if it had come alone.
/// One that cannot be applied is parked and leaves the others alone.
///
/// # Errors
/// The database; then none of them is kept.
pub async fn receive_many(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    arrived: &[&Arrived],
) -> Result<Vec<Receipt>, InboxError> {
    let new: Vec<&NewDelivery> = arrived.iter().map(|one| &one.delivery).collect();
    let kept = mizan_webhooks::keep_many(conn, tenant, &new, now).await?;
    let pairs = || arrived.iter().zip(&kept);
    let open: Vec<Open<'_>> =
        pairs().filter(|(_, kept)| kept.is_open()).map(|(one, kept)| one.open(*kept)).collect();
    let ends = hear_all(conn, tenant, now, &open).await?;
    // Of one that was tried twice, the last counts.
    let tried = open.iter().zip(&ends).filter_map(|(one, end)| Some((one.id, end.as_ref()?)));
    let last: BTreeMap<DeliveryId, &Disposition> = tried.collect();
    let ended: Vec<(DeliveryId, &Disposition)> = last.iter().map(|(id, e)| (*id, *e)).collect();
    mizan_webhooks::dispose_many(conn, tenant, &ended, now).await?;

    let mut ends = ends.iter();
    let mut parked = BTreeSet::new();
    let receipt = |(one, kept): (&&Arrived, &Kept)| {
        let id = kept.id();
        let status = match kept {
            Kept::Known { state, .. } if !kept.is_open() => {
                // Under its own id it stands by a commit that was not confirmed before this run.
                if id == one.delivery.id() { state.as_str() } else { DUPLICATE }
            }
            _ => match ends.next().and_then(Option::as_ref) {
                Some(end) => {
                    match end {
                        Disposition::Parked { .. } => parked.insert(id),
                        _ => parked.remove(&id),
                    };
                    end.state().as_str()
                }
                // A repetition that was not worth a try: as it stood before.
                None if parked.contains(&id) => DeliveryState::Parked.as_str(),
                None => DUPLICATE,
            },
        };
        Receipt { id, status }
    };
    Ok(pairs().map(receipt).collect())
}

/// Keeps a delivery that could not be applied: the bytes alone, with the reason.
async fn park(
    app: &App,
    tenant: TenantId,
    new: &NewDelivery,
    reason: &str,
) -> Result<Receipt, InboxError> {
    let (id, now) = (new.id(), app.clock.now());
    tracing::error!(%id, reason, "a webhook could not be applied and is parked");
    app.db
        .transaction("park_webhook", tenant, |tx| {
            work(async move {
                let kept = mizan_webhooks::keep(tx, tenant, new, now).await?;
                if !kept.is_open() {
                    return Ok(Receipt { id: kept.id(), status: DUPLICATE });
                }
                let disposition = Disposition::parked(reason, kept.attempts(), now);
                mizan_webhooks::dispose(tx, tenant, kept.id(), &disposition, now).await?;
                Ok(Receipt { id: kept.id(), status: disposition.state().as_str() })
            })
        })
        .await
}

/// Applies one stored delivery; answers what becomes of it.
///
/// # Errors
/// The database.
pub(super) async fn apply_one(
    conn: &mut PgConnection,
    tenant: TenantId,
    open: Open<'_>,
    now: Timestamp,
) -> Result<Disposition, InboxError> {
    let attempts = open.attempts;
    let end = hear_all(conn, tenant, now, &[open]).await?.pop().flatten();
    Ok(end.unwrap_or_else(|| Disposition::parked("it came to nothing", attempts, now)))
}

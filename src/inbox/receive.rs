//! Taking a delivery in: kept, applied and disposed of in one transaction.

use mizan_money::id::DeliveryId;
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{DisputeEvent, EventSubject, FundsMovement, ProviderEvent, RefundAnswer};
use mizan_webhooks::{Checked, Disposition, Kept, WebhookError};
use sqlx::PgConnection;

use crate::app::App;
use crate::db::{DbError, Retry, Retryable, work};
use crate::payments::PaymentError;
use crate::payments::apply::{Fact, Said, apply};
use crate::payments::facts::Effect;
use crate::payments::gateway::Gateway;
use crate::payments::store;

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

/// Takes a checked delivery in. What cannot be applied is kept alone and parked.
///
/// # Errors
/// The database is away or too busy: nothing was kept, and the gateway calls again.
pub async fn receive(
    app: &App,
    gateway: &Gateway,
    checked: &Checked<'_>,
) -> Result<Receipt, InboxError> {
    let (tenant, now) = (gateway.tenant, app.clock.now());
    let id = DeliveryId::generate(now);
    let applied = app
        .db
        .transaction("receive_webhook", tenant, |tx| {
            work(async move {
                let new = checked.delivery(id, &gateway.connection);
                let kept = mizan_webhooks::keep(tx, tenant, &new, now).await?;
                if !kept.is_open() {
                    return Ok(Receipt { id: kept.id(), status: "duplicate" });
                }
                let disposition = match checked.events() {
                    Ok(events) => {
                        apply_events(tx, tenant, gateway, events, kept.attempts(), now).await?
                    }
                    Err(error) => Disposition::parked(error.to_string(), kept.attempts(), now),
                };
                dispose(tx, tenant, kept, &disposition, now).await
            })
        })
        .await;
    match applied {
        Err(error) if !error.is_passing() => {
            park(app, gateway, checked, id, &error.to_string()).await
        }
        other => other,
    }
}

async fn dispose(
    conn: &mut PgConnection,
    tenant: TenantId,
    kept: Kept,
    disposition: &Disposition,
    now: Timestamp,
) -> Result<Receipt, InboxError> {
    mizan_webhooks::dispose(conn, tenant, kept.id(), disposition, now).await?;
    Ok(Receipt { id: kept.id(), status: disposition.state().as_str() })
}

/// Keeps a delivery that could not be applied: the bytes alone, with the reason.
async fn park(
    app: &App,
    gateway: &Gateway,
    checked: &Checked<'_>,
    id: DeliveryId,
    reason: &str,
) -> Result<Receipt, InboxError> {
    let (tenant, now) = (gateway.tenant, app.clock.now());
    tracing::error!(%id, reason, "a webhook could not be applied and is parked");
    app.db
        .transaction("park_webhook", tenant, |tx| {
            work(async move {
                let new = checked.delivery(id, &gateway.connection);
                let kept = mizan_webhooks::keep(tx, tenant, &new, now).await?;
                if !kept.is_open() {
                    return Ok(Receipt { id: kept.id(), status: "duplicate" });
                }
                let disposition = Disposition::parked(reason, kept.attempts(), now);
                dispose(tx, tenant, kept, &disposition, now).await
            })
        })
        .await
}

/// What one event is to the books.
enum Meaning {
    Said(Said),
    Ignored(&'static str),
    Parked(String),
}

/// Applies the events of one delivery; answers what becomes of it.
pub(super) async fn apply_events(
    conn: &mut PgConnection,
    tenant: TenantId,
    gateway: &Gateway,
    events: &[ProviderEvent],
    attempts: u32,
    now: Timestamp,
) -> Result<Disposition, InboxError> {
    let (mut said, mut ignored) = (Vec::new(), "the delivery holds no event");
    for event in events {
        match meaning(conn, tenant, &gateway.connection, event, now).await? {
            Meaning::Said(word) => said.push(word),
            Meaning::Ignored(reason) => ignored = reason,
            Meaning::Parked(reason) => return Ok(Disposition::parked(reason, attempts, now)),
        }
    }
    if said.is_empty() {
        return Ok(Disposition::Ignored { reason: ignored.to_owned() });
    }
    let effects = apply(conn, tenant, now, "webhook", &said).await?;
    let (mut stale, mut applied) = (None, false);
    for effect in effects {
        match effect {
            Effect::Unclear(reason) => return Ok(Disposition::parked(reason, attempts, now)),
            Effect::Applied => applied = true,
            Effect::Stale(reason) => stale = Some(reason),
            Effect::Known => {}
        }
    }
    Ok(match stale {
        _ if applied => Disposition::Applied,
        Some(reason) => Disposition::Stale { reason },
        None => Disposition::Ignored { reason: "it was known already".to_owned() },
    })
}

async fn meaning(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
    event: &ProviderEvent,
    now: Timestamp,
) -> Result<Meaning, InboxError> {
    let at = event.occurred_at.unwrap_or(now);
    Ok(match &event.subject {
        EventSubject::Payment(fact) => {
            let reference = Some(&fact.provider_ref);
            let known =
                store::attempt_by_reference(conn, tenant, connection, reference, fact.reference)
                    .await?;
            match known {
                Some((intent, attempt)) => {
                    Meaning::Said(Said { intent, fact: Fact::Payment(attempt, fact.clone()), at })
                }
                // One of ours carries our reference from its first moment.
                None if fact.reference.is_none() => {
                    Meaning::Ignored("a payment that was not made through here")
                }
                None => Meaning::Parked(format!("{} is no payment of ours", fact.provider_ref)),
            }
        }
        EventSubject::Refund(fact) => {
            return refund_meaning(conn, tenant, connection, fact, at).await;
        }
        EventSubject::Dispute(fact) if fact.funds != FundsMovement::None => {
            return dispute_meaning(conn, tenant, connection, fact).await;
        }
        EventSubject::RefundNotice(_) => {
            Meaning::Ignored("a notice: refunds are booked from their own events")
        }
        EventSubject::Dispute(_) => Meaning::Ignored("a dispute's state, which moves no money"),
        EventSubject::Payout(_)
        | EventSubject::Transfer(_)
        | EventSubject::Settlement(_)
        | EventSubject::Other(_) => Meaning::Ignored("an event of no use here"),
    })
}

async fn refund_meaning(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
    fact: &RefundAnswer,
    at: Timestamp,
) -> Result<Meaning, InboxError> {
    let (theirs, ours) = (&fact.provider_ref, fact.reference);
    let known = store::refund_by_reference(conn, tenant, connection, theirs, ours).await?;
    if let Some((intent, refund)) = known {
        let fact = Fact::Refund(refund, Box::new(fact.clone()));
        return Ok(Meaning::Said(Said { intent, fact, at }));
    }
    let (payment, reference) = (fact.payment_ref.as_ref(), fact.payment_reference);
    let owner = store::attempt_by_reference(conn, tenant, connection, payment, reference).await?;
    Ok(match owner {
        Some((intent, attempt)) => {
            let fact = Fact::ForeignRefund(attempt, Box::new(fact.clone()));
            Meaning::Said(Said { intent, fact, at })
        }
        // Its payment may be one of ours whose gateway id is not known yet.
        None if store::awaits_reference(conn, tenant, connection).await? => {
            Meaning::Parked(format!("{theirs} is no refund of ours"))
        }
        None => Meaning::Ignored("a refund of a payment that was not made through here"),
    })
}

async fn dispute_meaning(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
    fact: &DisputeEvent,
) -> Result<Meaning, InboxError> {
    let (payment, reference) = (fact.payment_ref.as_ref(), fact.reference);
    let owner = store::attempt_by_reference(conn, tenant, connection, payment, reference).await?;
    let awaits = store::awaits_reference(conn, tenant, connection).await?;
    Ok(match owner.is_some() || awaits || payment.is_none() {
        true => {
            Meaning::Parked(format!("{}: disputes are booked by hand so far", fact.provider_ref))
        }
        false => Meaning::Ignored("a dispute of a payment that was not made through here"),
    })
}

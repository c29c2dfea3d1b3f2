//! Finding payments by their order, and lines whose time has come.

use mizan_money::id::PaymentIntentId;
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;

/// The most payments of one order that are looked at.
const PAYMENTS_MAX: i64 = 100;

/// The intents of an order of the shop's, oldest first.
///
/// # Errors
/// The database.
pub async fn intents_of_order(
    conn: &mut PgConnection,
    tenant: TenantId,
    order: &str,
) -> Result<Vec<PaymentIntentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from payments.intent
         where tenant_id = $1 and order_id = $2
         order by id limit $3",
    )
    .bind(tenant.0)
    .bind(order)
    .bind(PAYMENTS_MAX)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

/// Intents with lines of which a vendor's part is due to become available, or a reserve to be
/// freed: those that are due longest first.
///
/// # Errors
/// The database.
pub async fn due_releases(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<PaymentIntentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select intent_id from (
             (select intent_id, release_at as due from payments.line
              where tenant_id = $1 and release_at <= $2 and released_at is null
              order by release_at limit $3)
             union all
             (select intent_id, reserve_until from payments.line
              where tenant_id = $1 and reserve_until <= $2
              order by reserve_until limit $3)
         ) l
         group by intent_id
         order by min(due)
         limit $3",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

/// Intents that hold wallet money, are tried by nobody and have not changed since a time.
///
/// # Errors
/// The database.
pub async fn idle_holds(
    conn: &mut PgConnection,
    tenant: TenantId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<PaymentIntentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from payments.intent
         where tenant_id = $1 and wallet_state = 'held' and updated_at <= $2
             and state in ('requires_payment_method', 'requires_confirmation')
         order by updated_at limit $3",
    )
    .bind(tenant.0)
    .bind(since)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

//! What gateways are to be asked about disputes of which they hinted.

use mizan_money::id::{AttemptId, DeliveryId, PaymentIntentId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::ProviderRef;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, corrupt};

/// A dispute of which a webhook hinted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeHint {
    /// The webhook.
    pub delivery: DeliveryId,
    /// The gateway's dispute.
    pub provider_ref: ProviderRef,
    /// The payment it is about.
    pub intent: PaymentIntentId,
    /// The attempt whose money it is about.
    pub attempt: AttemptId,
}

/// Writes down that a gateway is to be asked about disputes at once. A hint is a row of its own,
/// so that one which comes while the gateway is asked has a question of its own and nothing waits.
///
/// # Errors
/// The database.
pub async fn hint_disputes(
    conn: &mut PgConnection,
    tenant: TenantId,
    hints: &[DisputeHint],
    now: Timestamp,
) -> Result<()> {
    if hints.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into payments.dispute_question
             (tenant_id, delivery_id, provider_ref, intent_id, attempt_id, hinted_at, ask_at)
         select $1, h.delivery, h.theirs, h.intent, h.attempt, $6, $6
         from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[])
             as h (delivery, theirs, intent, attempt)
         on conflict do nothing",
    )
    .bind(tenant.0)
    .bind(hints.iter().map(|it| it.delivery.uuid()).collect::<Vec<_>>())
    .bind(hints.iter().map(|it| it.provider_ref.as_str()).collect::<Vec<_>>())
    .bind(hints.iter().map(|it| it.intent.uuid()).collect::<Vec<_>>())
    .bind(hints.iter().map(|it| it.attempt.uuid()).collect::<Vec<_>>())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// What is to be asked about disputes of which a hint is due, with how often it was asked, locked;
/// what somebody else has is left out. All hints of a dispute come together: one answer is for all
/// that came before it.
///
/// # Errors
/// The database.
pub async fn due_dispute_hints(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(DisputeHint, i16)>> {
    let rows: Vec<(Uuid, String, Uuid, Uuid, i16)> = sqlx::query_as(
        "with due as (
             select attempt_id, provider_ref from payments.dispute_question
             where tenant_id = $1 and ask_at <= $2
             group by attempt_id, provider_ref
             order by min(ask_at), provider_ref
             limit $3
         )
         select q.delivery_id, q.provider_ref, q.intent_id, q.attempt_id, q.asks
         from payments.dispute_question q
         join due d on d.attempt_id = q.attempt_id and d.provider_ref = q.provider_ref
         where q.tenant_id = $1
         order by q.delivery_id
         for update of q skip locked",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let hint = |(delivery, theirs, intent, attempt, asks): (Uuid, String, Uuid, Uuid, i16)| {
        let hint = DisputeHint {
            delivery: DeliveryId::from_uuid(delivery),
            provider_ref: ProviderRef::parse(theirs).map_err(corrupt)?,
            intent: PaymentIntentId::from_uuid(intent),
            attempt: AttemptId::from_uuid(attempt),
        };
        Ok((hint, asks))
    };
    rows.into_iter().map(hint).collect()
}

/// Says when to ask next; never again where there is no time.
///
/// # Errors
/// The database.
pub async fn postpone_dispute_hint(
    conn: &mut PgConnection,
    tenant: TenantId,
    hint: &DisputeHint,
    asks: i16,
    at: Option<Timestamp>,
) -> Result<()> {
    sqlx::query(
        "update payments.dispute_question set asks = $4, ask_at = $5
         where tenant_id = $1 and delivery_id = $2 and provider_ref = $3",
    )
    .bind(tenant.0)
    .bind(hint.delivery.uuid())
    .bind(hint.provider_ref.as_str())
    .bind(asks)
    .bind(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes questions that were answered.
///
/// # Errors
/// The database.
pub async fn forget_dispute_hints(
    conn: &mut PgConnection,
    tenant: TenantId,
    hints: &[DisputeHint],
) -> Result<()> {
    sqlx::query(
        "delete from payments.dispute_question q
         using unnest($2::uuid[], $3::text[]) as h (delivery, theirs)
         where q.tenant_id = $1 and q.delivery_id = h.delivery and q.provider_ref = h.theirs",
    )
    .bind(tenant.0)
    .bind(hints.iter().map(|it| it.delivery.uuid()).collect::<Vec<_>>())
    .bind(hints.iter().map(|it| it.provider_ref.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

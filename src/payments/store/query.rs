//! Finding payments: by the gateway's words, by page, by what is due; and proving them.

use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::ProviderRef;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Result;

/// The attempt that a gateway speaks of: by the gateway's id, else by our own reference where
/// the gateway's id has not reached us yet.
///
/// # Errors
/// The database.
pub async fn attempt_by_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
    provider_ref: Option<&ProviderRef>,
    reference: Option<PaymentIntentId>,
) -> Result<Option<(PaymentIntentId, AttemptId)>> {
    let found: Option<(Uuid, Uuid)> = sqlx::query_as(
        "select intent_id, id from payments.attempt
         where tenant_id = $1 and connection = $2
             and (provider_ref = $3 or (intent_id = $4 and provider_ref is null))
         order by provider_ref is null, id desc
         limit 1",
    )
    .bind(tenant.0)
    .bind(connection)
    .bind(provider_ref.map(ProviderRef::as_str))
    .bind(reference.map(|id| id.uuid()))
    .fetch_optional(conn)
    .await?;
    let ids = |(intent, id)| (PaymentIntentId::from_uuid(intent), AttemptId::from_uuid(id));
    Ok(found.map(ids))
}

/// Whether some attempt over this connection has no gateway id yet, so that the gateway may
/// speak of it without our knowing.
///
/// # Errors
/// The database.
pub async fn awaits_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
) -> Result<bool> {
    let awaits = sqlx::query_scalar(
        "select exists (
             select from payments.attempt
             where tenant_id = $1 and connection = $2 and provider_ref is null
                 and status not in ('failed', 'cancelled')
         )",
    )
    .bind(tenant.0)
    .bind(connection)
    .fetch_one(conn)
    .await?;
    Ok(awaits)
}

/// The refund that a gateway speaks of: by the gateway's id, else by our own reference.
///
/// # Errors
/// The database.
pub async fn refund_by_reference(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
    provider_ref: &ProviderRef,
    reference: Option<RefundId>,
) -> Result<Option<(PaymentIntentId, RefundId)>> {
    let found: Option<(Uuid, Uuid)> = sqlx::query_as(
        "select r.intent_id, r.id
         from payments.refund r
         join payments.attempt a on a.tenant_id = r.tenant_id and a.id = r.attempt_id
         where r.tenant_id = $1 and a.connection = $4
             and (r.provider_ref = $2 or (r.id = $3 and r.provider_ref is null))
         order by r.provider_ref is null
         limit 1",
    )
    .bind(tenant.0)
    .bind(provider_ref.as_str())
    .bind(reference.map(|id| id.uuid()))
    .bind(connection)
    .fetch_optional(conn)
    .await?;
    let ids = |(intent, id)| (PaymentIntentId::from_uuid(intent), RefundId::from_uuid(id));
    Ok(found.map(ids))
}

/// The intent a refund belongs to.
///
/// # Errors
/// The database.
pub async fn refund_owner(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Option<PaymentIntentId>> {
    let owner: Option<Uuid> = sqlx::query_scalar(
        "select intent_id from payments.refund where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(owner.map(PaymentIntentId::from_uuid))
}

/// Captured attempts whose fee is due to be asked for; to be postponed by whoever reads them.
///
/// # Errors
/// The database.
pub async fn due_fees(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(PaymentIntentId, AttemptId, i16)>> {
    let rows: Vec<(Uuid, Uuid, i16)> = sqlx::query_as(
        "select intent_id, id, fee_checks from payments.attempt
         where tenant_id = $1 and fee_check_at <= $2
         order by fee_check_at
         limit $3
         for no key update skip locked",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    let ids = |(intent, id, checks)| {
        (PaymentIntentId::from_uuid(intent), AttemptId::from_uuid(id), checks)
    };
    Ok(rows.into_iter().map(ids).collect())
}

/// Says when to ask next for a fee.
///
/// # Errors
/// The database.
pub async fn postpone_fee(
    conn: &mut PgConnection,
    tenant: TenantId,
    attempt: AttemptId,
    checks: i16,
    check_at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update payments.attempt set fee_checks = $3, fee_check_at = $4
         where tenant_id = $1 and id = $2 and fee_check_at is not null",
    )
    .bind(tenant.0)
    .bind(attempt.uuid())
    .bind(checks)
    .bind(check_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// What a list of intents or refunds is narrowed to, newest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing<'a> {
    /// How many.
    pub limit: i64,
    /// Older than this one.
    pub after: Option<Uuid>,
    /// Newer than this one.
    pub before: Option<Uuid>,
    /// In this state.
    pub state: Option<&'a str>,
    /// Of this intent; for refunds.
    pub intent: Option<Uuid>,
}

/// Ids of intents, newest first; going backwards they come oldest first.
///
/// # Errors
/// The database.
pub async fn intents(
    conn: &mut PgConnection,
    tenant: TenantId,
    listing: Listing<'_>,
) -> Result<Vec<PaymentIntentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from payments.intent
         where tenant_id = $1
             and ($2::uuid is null or id < $2)
             and ($3::uuid is null or id > $3)
             and ($4::text is null or state = $4)
         order by case when $3::uuid is not null then id end, id desc
         limit $5",
    )
    .bind(tenant.0)
    .bind(listing.after)
    .bind(listing.before)
    .bind(listing.state)
    .bind(listing.limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

/// Refunds with their intents, newest first; going backwards they come oldest first.
///
/// # Errors
/// The database.
pub async fn refunds(
    conn: &mut PgConnection,
    tenant: TenantId,
    listing: Listing<'_>,
) -> Result<Vec<(PaymentIntentId, RefundId)>> {
    let ids: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select intent_id, id from payments.refund
         where tenant_id = $1
             and ($2::uuid is null or id < $2)
             and ($3::uuid is null or id > $3)
             and ($4::text is null or state = $4)
             and ($5::uuid is null or intent_id = $5)
         order by case when $3::uuid is not null then id end, id desc
         limit $6",
    )
    .bind(tenant.0)
    .bind(listing.after)
    .bind(listing.before)
    .bind(listing.state)
    .bind(listing.intent)
    .bind(listing.limit)
    .fetch_all(conn)
    .await?;
    let ids = ids.into_iter();
    Ok(ids.map(|(i, r)| (PaymentIntentId::from_uuid(i), RefundId::from_uuid(r))).collect())
}

/// Proves that what intents say was taken is what their entries say. Answers how many intents
/// were checked and what breaks the law.
///
/// # Errors
/// The database.
pub async fn law_books_agree(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<(i64, Vec<String>)> {
    let checked = sqlx::query_scalar("select count(*) from payments.intent where tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(&mut *conn)
        .await?;
    let broken = sqlx::query_scalar(
        "with journal as (
             select t.source, e.currency,
                 sum(case e.side when 'd' then e.amount else -e.amount end)
                     filter (where t.kind = 'payment.captured') as captured,
                 sum(case e.side when 'd' then e.amount else -e.amount end)
                     filter (where t.kind in ('receipt.unapplied', 'receipt.returned'))
                     as unapplied,
                 sum(case e.side when 'c' then e.amount else -e.amount end)
                     filter (where t.kind = 'provider.fee') as fees
             from ledger.transaction t
             join ledger.entry e
                 on e.tenant_id = t.tenant_id and e.position = t.position
                 and e.recorded_at = t.recorded_at
             join ledger.account a on a.tenant_id = e.tenant_id and a.id = e.account_id
             where t.tenant_id = $1 and split_part(a.path, ':', 1) = 'gateway_clearing'
             group by t.source, e.currency
         ),
         booked_fee as (select source, sum(fees) as fees from journal group by source),
         fee as (
             select intent_id, sum(fee + fee_tax) as fees
             from payments.attempt where tenant_id = $1 group by intent_id
         )
         select 'pi_' || replace(i.id::text, '-', '') || ' says captured ' || i.captured
             || ', unapplied ' || i.unapplied || ', fees ' || coalesce(f.fees, 0)
             || '; its entries say ' || coalesce(j.captured, 0) || ', '
             || coalesce(j.unapplied, 0) || ', ' || coalesce(b.fees, 0)
         from payments.intent i
         left join journal j
             on j.source = 'pi_' || replace(i.id::text, '-', '') and j.currency = i.currency
         left join booked_fee b on b.source = 'pi_' || replace(i.id::text, '-', '')
         left join fee f on f.intent_id = i.id
         where i.tenant_id = $1
             and (i.captured, i.unapplied, coalesce(f.fees, 0)) is distinct from
                 (coalesce(j.captured, 0), coalesce(j.unapplied, 0), coalesce(b.fees, 0))
         limit 20",
    )
    .bind(tenant.0)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

/// Proves that what intents say goes back, and has gone back, is what the entries of their
/// refunds say.
///
/// # Errors
/// The database.
pub async fn law_refunds_agree(
    conn: &mut PgConnection,
    tenant: TenantId,
) -> Result<(i64, Vec<String>)> {
    let checked = sqlx::query_scalar("select count(*) from payments.refund where tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(&mut *conn)
        .await?;
    let broken = sqlx::query_scalar(
        "with journal as (
             select t.source,
                 sum(case e.side when 'c' then e.amount else -e.amount end)
                     filter (where a.path = 'refunds_payable') as promised,
                 sum(case e.side when 'c' then e.amount else -e.amount end)
                     filter (where split_part(a.path, ':', 1) = 'gateway_clearing') as gone
             from ledger.transaction t
             join ledger.entry e
                 on e.tenant_id = t.tenant_id and e.position = t.position
                 and e.recorded_at = t.recorded_at
             join ledger.account a on a.tenant_id = e.tenant_id and a.id = e.account_id
             where t.tenant_id = $1 and t.source like 're\\_%'
             group by t.source
         ),
         refund as (
             select r.intent_id, sum(coalesce(j.promised, 0)) as promised,
                 sum(coalesce(j.gone, 0)) as gone
             from payments.refund r
             left join journal j on j.source = 're_' || replace(r.id::text, '-', '')
             where r.tenant_id = $1
             group by r.intent_id
         )
         select 'pi_' || replace(i.id::text, '-', '') || ' says ' || i.refund_pending
             || ' pending and ' || i.refunded || ' refunded; its entries say '
             || coalesce(r.promised, 0) || ' and ' || coalesce(r.gone, 0)
         from payments.intent i
         left join refund r on r.intent_id = i.id
         where i.tenant_id = $1
             and (i.refund_pending, i.refunded) is distinct from
                 (coalesce(r.promised, 0), coalesce(r.gone, 0))
         limit 20",
    )
    .bind(tenant.0)
    .fetch_all(conn)
    .await?;
    Ok((checked, broken))
}

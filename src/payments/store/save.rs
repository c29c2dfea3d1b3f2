//! Writing payments back as a whole, after the ledger has posted what they say.

use mizan_money::{Money, TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::intent::{Attempt, Payment, Refund};
use super::super::split::StoredParts;
use super::{Result, corrupt};

/// Inserts a new intent with its lines.
///
/// # Errors
/// The database.
pub async fn insert_intent(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
) -> Result<()> {
    let intent = &payment.intent;
    sqlx::query(
        "insert into payments.intent
             (tenant_id, id, currency, amount, capture_method, state, description,
              payment_method, return_url, metadata, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)",
    )
    .bind(tenant.0)
    .bind(intent.id.uuid())
    .bind(intent.currency.code())
    .bind(intent.amount.minor())
    .bind(intent.capture_method.as_str())
    .bind(intent.state.as_str())
    .bind(&intent.description)
    .bind(&intent.payment_method)
    .bind(&intent.return_url)
    .bind(serde_json::to_value(&intent.metadata).map_err(corrupt)?)
    .bind(intent.created_at)
    .execute(&mut *conn)
    .await?;
    let lines = &payment.lines;
    sqlx::query(
        "insert into payments.line
             (tenant_id, intent_id, n, vendor, description, amount, tax_percent, commission_percent)
         select $1, $2, l.*
         from unnest($3::smallint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[])
             as l (n, vendor, description, amount, tax_percent, commission_percent)",
    )
    .bind(tenant.0)
    .bind(intent.id.uuid())
    .bind(lines.iter().map(|line| line.n).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.vendor.as_str()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.description.clone()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.amount.minor()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.tax.as_percent_string()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.commission.as_percent_string()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes back what may have changed of locked payments: intents, splits, attempts, refunds.
///
/// # Errors
/// The database, also where a bound of the schema refuses an amount.
pub async fn save(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    now: Timestamp,
) -> Result<()> {
    save_intents(conn, tenant, payments, now).await?;
    save_lines(conn, tenant, payments).await?;
    save_attempts(conn, tenant, payments).await?;
    save_refunds(conn, tenant, payments, now).await
}

async fn save_intents(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    now: Timestamp,
) -> Result<()> {
    for payment in payments {
        let intent = &payment.intent;
        sqlx::query(
            "update payments.intent
             set state = $3, authorised = $4, captured = $5, voided = $6, refund_pending = $7,
                 refunded = $8, disputed = $9, lost = $10, unapplied = $11, payment_method = $12,
                 return_url = $13, next_action = $14, last_error = $15, review_reason = $16,
                 cancellation_reason = $17, updated_at = $18
             where tenant_id = $1 and id = $2",
        )
        .bind(tenant.0)
        .bind(intent.id.uuid())
        .bind(intent.state.as_str())
        .bind(intent.authorised.minor())
        .bind(intent.captured.minor())
        .bind(intent.voided.minor())
        .bind(intent.refund_pending.minor())
        .bind(intent.refunded.minor())
        .bind(intent.disputed.minor())
        .bind(intent.lost.minor())
        .bind(intent.unapplied.minor())
        .bind(&intent.payment_method)
        .bind(&intent.return_url)
        .bind(&intent.next_action)
        .bind(&intent.last_error)
        .bind(&intent.review_reason)
        .bind(&intent.cancellation_reason)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn save_lines(conn: &mut PgConnection, tenant: TenantId, payments: &[Payment]) -> Result<()> {
    let split = payments.iter().filter(|payment| !payment.intent.captured.is_zero());
    let lines: Vec<(Uuid, &super::super::Line)> =
        split.flat_map(|p| p.lines.iter().map(|line| (p.intent.id.uuid(), line))).collect();
    if lines.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&super::super::Line) -> Money| {
        lines.iter().map(|(_, line)| of(line).minor()).collect::<Vec<i64>>()
    };
    sqlx::query(
        "update payments.line l
         set captured = s.captured, tax = s.tax, share = s.share, commission = s.commission,
             commission_vat = s.commission_vat, refunded_share = s.refunded_share,
             refunded_commission = s.refunded_commission,
             refunded_commission_vat = s.refunded_commission_vat
         from unnest($2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
                 $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
             as s (intent_id, n, captured, tax, share, commission, commission_vat,
                 refunded_share, refunded_commission, refunded_commission_vat)
         where l.tenant_id = $1 and l.intent_id = s.intent_id and l.n = s.n",
    )
    .bind(tenant.0)
    .bind(lines.iter().map(|(intent, _)| *intent).collect::<Vec<_>>())
    .bind(lines.iter().map(|(_, line)| line.n).collect::<Vec<_>>())
    .bind(column(|line| line.captured))
    .bind(column(|line| line.captured_tax))
    .bind(column(|line| line.parts.share))
    .bind(column(|line| line.parts.commission))
    .bind(column(|line| line.parts.commission_vat))
    .bind(column(|line| line.refunded.share))
    .bind(column(|line| line.refunded.commission))
    .bind(column(|line| line.refunded.commission_vat))
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_attempts(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
) -> Result<()> {
    let attempts: Vec<(Uuid, &Attempt)> = payments
        .iter()
        .flat_map(|p| p.changed_attempts().map(|attempt| (p.intent.id.uuid(), attempt)))
        .collect();
    for (intent, attempt) in attempts {
        sqlx::query(
            "insert into payments.attempt
                 (tenant_id, id, intent_id, connection, provider, provider_ref, charge_ref,
                  status, status_at, captured, fee, fee_tax, fee_currency, fee_ref, fee_check_at,
                  fee_checks, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             on conflict (tenant_id, id) do update
             set provider_ref = excluded.provider_ref, charge_ref = excluded.charge_ref,
                 status = excluded.status, status_at = excluded.status_at,
                 captured = excluded.captured, fee = excluded.fee,
                 fee_tax = excluded.fee_tax, fee_currency = excluded.fee_currency,
                 fee_ref = excluded.fee_ref, fee_check_at = excluded.fee_check_at,
                 fee_checks = excluded.fee_checks",
        )
        .bind(tenant.0)
        .bind(attempt.id.uuid())
        .bind(intent)
        .bind(&attempt.connection)
        .bind(attempt.provider.as_str())
        .bind(attempt.provider_ref.as_ref().map(|r| r.as_str()))
        .bind(attempt.charge_ref.as_ref().map(|r| r.as_str()))
        .bind(attempt.status.as_str())
        .bind(attempt.status_at)
        .bind(attempt.captured.minor())
        .bind(attempt.fee.as_ref().map(|fee| fee.fee.minor()))
        .bind(attempt.fee.as_ref().map(|fee| fee.tax.minor()))
        .bind(attempt.fee.as_ref().map(|fee| fee.fee.currency().code()))
        .bind(attempt.fee.as_ref().map(|fee| fee.reference.as_str()))
        .bind(attempt.fee_check_at)
        .bind(attempt.fee_checks)
        .bind(attempt.created_at)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

fn stored_parts(refund: &Refund) -> Result<serde_json::Value> {
    let part = |(n, parts): &(i16, super::super::split::Parts)| StoredParts {
        n: *n,
        share: parts.share.minor(),
        commission: parts.commission.minor(),
        commission_vat: parts.commission_vat.minor(),
    };
    let parts: Vec<StoredParts> = refund.parts.iter().map(part).collect();
    serde_json::to_value(parts).map_err(corrupt)
}

async fn save_refunds(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    now: Timestamp,
) -> Result<()> {
    let refunds: Vec<(Uuid, &Refund)> = payments
        .iter()
        .flat_map(|p| p.changed_refunds().map(|refund| (p.intent.id.uuid(), refund)))
        .collect();
    for (intent, refund) in refunds {
        sqlx::query(
            "insert into payments.refund
                 (tenant_id, id, intent_id, attempt_id, amount, currency, reason, state, origin,
                  provider_ref, failure_reason, parts, repays, metadata, created_at, updated_at,
                  status_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
             on conflict (tenant_id, id) do update
             set state = excluded.state, status_at = excluded.status_at,
                 provider_ref = excluded.provider_ref,
                 failure_reason = excluded.failure_reason, updated_at = excluded.updated_at
             where refund.state <> excluded.state
                 or refund.provider_ref is distinct from excluded.provider_ref",
        )
        .bind(tenant.0)
        .bind(refund.id.uuid())
        .bind(intent)
        .bind(refund.attempt.uuid())
        .bind(refund.amount.minor())
        .bind(refund.amount.currency().code())
        .bind(&refund.reason)
        .bind(refund.state.as_str())
        .bind(refund.origin)
        .bind(refund.provider_ref.as_ref().map(|r| r.as_str()))
        .bind(&refund.failure_reason)
        .bind(stored_parts(refund)?)
        .bind(refund.repays.map(|id| id.uuid()))
        .bind(serde_json::to_value(&refund.metadata).map_err(corrupt)?)
        .bind(refund.created_at)
        .bind(now)
        .bind(refund.status_at)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

//! Writing payments back as a whole, after the ledger has posted what they say.

use mizan_money::{Money, TenantId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::intent::{Attempt, Intent, Payment, Refund};
use super::super::line::Line;
use super::dispute::save_disputes;
use super::parts::{given_to_json, parts_to_json};
use super::{Result, corrupt};

/// Writes back what changed of locked payments: intents, splits, attempts, refunds, each in one
/// statement whatever the number of payments; disputes, one by one. What is as it was loaded is
/// left alone.
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
    save_refunds(conn, tenant, payments, now).await?;
    save_disputes(conn, tenant, payments).await
}

/// An intent is newer whenever anything of its payment is.
async fn save_intents(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    now: Timestamp,
) -> Result<()> {
    let changed = payments.iter().filter(|payment| payment.is_changed());
    let intents: Vec<&Intent> = changed.map(|payment| &payment.intent).collect();
    if intents.is_empty() {
        return Ok(());
    }
    let minor = |of: fn(&Intent) -> Money| -> Vec<i64> {
        intents.iter().map(|intent| of(intent).minor()).collect()
    };
    let text = |of: fn(&Intent) -> Option<&str>| -> Vec<Option<&str>> {
        intents.iter().map(|intent| of(intent)).collect()
    };
    sqlx::query(
        "update payments.intent i
         set state = n.state, authorised = n.authorised, captured = n.captured,
             voided = n.voided, refund_pending = n.refund_pending, refunded = n.refunded,
             disputed = n.disputed, lost = n.lost, unapplied = n.unapplied,
             payment_method = n.payment_method, return_url = n.return_url,
             next_action = n.next_action, last_error = n.last_error,
             review_reason = n.review_reason, cancellation_reason = n.cancellation_reason,
             wallet_state = n.wallet_state, cash_back = n.cash_back,
             promo_back = n.promo_back, withheld = n.withheld, updated_at = $2
         from (
             select stored.place, n.*
             from unnest($3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
                     $13::text[], $14::text[], $15::jsonb[], $16::jsonb[], $17::text[],
                     $18::text[], $19::text[], $20::bigint[], $21::bigint[], $22::bigint[])
                 as n (id, state, authorised, captured, voided, refund_pending, refunded,
                     disputed, lost, unapplied, payment_method, return_url, next_action,
                     last_error, review_reason, cancellation_reason, wallet_state, cash_back,
                     promo_back, withheld)
             cross join lateral (
                 select ctid as place from payments.intent where tenant_id = $1 and id = n.id
                 offset 0
             ) stored
         ) n
         where i.tenant_id = $1 and i.ctid = n.place",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(intents.iter().map(|intent| intent.id.uuid()).collect::<Vec<_>>())
    .bind(intents.iter().map(|intent| intent.state.as_str()).collect::<Vec<_>>())
    .bind(minor(|intent| intent.authorised))
    .bind(minor(|intent| intent.captured))
    .bind(minor(|intent| intent.voided))
    .bind(minor(|intent| intent.refund_pending))
    .bind(minor(|intent| intent.refunded))
    .bind(minor(|intent| intent.disputed))
    .bind(minor(|intent| intent.lost))
    .bind(minor(|intent| intent.unapplied))
    .bind(text(|intent| intent.payment_method.as_deref()))
    .bind(text(|intent| intent.return_url.as_deref()))
    .bind(intents.iter().map(|intent| intent.next_action.clone()).collect::<Vec<_>>())
    .bind(intents.iter().map(|intent| intent.last_error.clone()).collect::<Vec<_>>())
    .bind(text(|intent| intent.review_reason.as_deref()))
    .bind(text(|intent| intent.cancellation_reason.as_deref()))
    .bind(intents.iter().map(|intent| intent.wallet.state.as_str()).collect::<Vec<_>>())
    .bind(minor(|intent| intent.wallet.cash_back))
    .bind(minor(|intent| intent.wallet.promo_back))
    .bind(minor(|intent| intent.withheld))
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_lines(conn: &mut PgConnection, tenant: TenantId, payments: &[Payment]) -> Result<()> {
    let of = |p: &'_ Payment| p.intent.id.uuid();
    let lines: Vec<(Uuid, &Line)> = payments
        .iter()
        .flat_map(|payment| payment.changed_lines().map(move |line| (of(payment), line)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let all = || lines.iter().map(|(_, line)| *line);
    let column = |minor: fn(&Line) -> Money| all().map(|l| minor(l).minor()).collect::<Vec<i64>>();
    let deals: std::result::Result<Vec<_>, _> =
        all().map(|l| l.deal.as_ref().map(serde_json::to_value).transpose()).collect();
    sqlx::query(
        "update payments.line l
         set captured = s.captured, tax = s.tax, coupon = s.coupon, parts = s.parts,
             deal = s.deal, refunded = s.refunded, coupon_back = s.coupon_back,
             delivery = s.delivery, delivered_at = s.delivered_at, release_at = s.release_at,
             released_at = s.released_at, reserved = s.reserved, reserve_until = s.reserve_until
         from (
             select stored.place, s.*
             from unnest($2::uuid[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::jsonb[], $8::jsonb[], $9::bigint[], $10::bigint[], $11::text[],
                     $12::timestamptz[], $13::timestamptz[], $14::timestamptz[], $15::bigint[],
                     $16::timestamptz[])
                 as s (intent_id, n, captured, tax, coupon, parts, deal, refunded, coupon_back,
                     delivery, delivered_at, release_at, released_at, reserved, reserve_until)
             cross join lateral (
                 select ctid as place from payments.line
                 where tenant_id = $1 and intent_id = s.intent_id and n = s.n
                 offset 0
             ) stored
         ) s
         where l.tenant_id = $1 and l.ctid = s.place",
    )
    .bind(tenant.0)
    .bind(lines.iter().map(|(intent, _)| *intent).collect::<Vec<_>>())
    .bind(all().map(|line| line.n).collect::<Vec<_>>())
    .bind(column(|line| line.captured))
    .bind(column(|line| line.captured_tax))
    .bind(column(|line| line.coupon))
    .bind(all().map(|l| parts_to_json(&l.parts)).collect::<Result<Vec<_>>>()?)
    .bind(deals.map_err(corrupt)?)
    .bind(column(|line| line.refunded))
    .bind(column(|line| line.coupon_back))
    .bind(all().map(|l| l.delivery.map(|it| it.as_str())).collect::<Vec<_>>())
    .bind(all().map(|l| l.delivered_at).collect::<Vec<_>>())
    .bind(all().map(|l| l.release_at).collect::<Vec<_>>())
    .bind(all().map(|l| l.released_at).collect::<Vec<_>>())
    .bind(column(|line| line.reserved))
    .bind(all().map(|l| l.reserve_until).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_attempts(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
) -> Result<()> {
    let of = |p: &'_ Payment| p.intent.id.uuid();
    let attempts: Vec<(Uuid, &Attempt)> = payments
        .iter()
        .flat_map(|payment| payment.changed_attempts().map(move |attempt| (of(payment), attempt)))
        .collect();
    if attempts.is_empty() {
        return Ok(());
    }
    let all = || attempts.iter().map(|(_, attempt)| *attempt);
    let fees = || all().map(|attempt| attempt.fee.as_ref());
    sqlx::query(
        "insert into payments.attempt
             (tenant_id, id, intent_id, connection, provider, provider_ref, charge_ref,
              status, status_at, charge, captured, fee, fee_tax, fee_currency, fee_ref, sync_at,
              syncs, route, created_at)
         select $1, a.*
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                 $8::text[], $9::timestamptz[], $10::bigint[], $11::bigint[], $12::bigint[],
                 $13::bigint[], $14::text[], $15::text[], $16::timestamptz[], $17::smallint[],
                 $18::jsonb[], $19::timestamptz[]) as a
         on conflict (tenant_id, id) do update
         set provider_ref = excluded.provider_ref, charge_ref = excluded.charge_ref,
             status = excluded.status, status_at = excluded.status_at,
             captured = excluded.captured, fee = excluded.fee,
             fee_tax = excluded.fee_tax, fee_currency = excluded.fee_currency,
             fee_ref = excluded.fee_ref, sync_at = excluded.sync_at,
             syncs = excluded.syncs",
    )
    .bind(tenant.0)
    .bind(all().map(|a| a.id.uuid()).collect::<Vec<_>>())
    .bind(attempts.iter().map(|(intent, _)| *intent).collect::<Vec<_>>())
    .bind(all().map(|a| a.connection.as_str()).collect::<Vec<_>>())
    .bind(all().map(|a| a.provider.as_str()).collect::<Vec<_>>())
    .bind(all().map(|a| a.provider_ref.as_ref().map(|r| r.as_str())).collect::<Vec<_>>())
    .bind(all().map(|a| a.charge_ref.as_ref().map(|r| r.as_str())).collect::<Vec<_>>())
    .bind(all().map(|a| a.status.as_str()).collect::<Vec<_>>())
    .bind(all().map(|a| a.status_at).collect::<Vec<_>>())
    .bind(all().map(|a| a.charge.minor()).collect::<Vec<_>>())
    .bind(all().map(|a| a.captured.minor()).collect::<Vec<_>>())
    .bind(fees().map(|fee| Some(fee?.fee.minor())).collect::<Vec<_>>())
    .bind(fees().map(|fee| Some(fee?.tax.minor())).collect::<Vec<_>>())
    .bind(fees().map(|fee| Some(fee?.fee.currency().code())).collect::<Vec<_>>())
    .bind(fees().map(|fee| Some(fee?.reference.as_str())).collect::<Vec<_>>())
    .bind(all().map(|a| a.sync_at).collect::<Vec<_>>())
    .bind(all().map(|a| a.syncs).collect::<Vec<_>>())
    .bind(all().map(|a| a.route.clone()).collect::<Vec<_>>())
    .bind(all().map(|a| a.created_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

async fn save_refunds(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    now: Timestamp,
) -> Result<()> {
    let of = |p: &'_ Payment| p.intent.id.uuid();
    let refunds: Vec<(Uuid, &Refund)> = payments
        .iter()
        .flat_map(|payment| payment.changed_refunds().map(move |refund| (of(payment), refund)))
        .collect();
    if refunds.is_empty() {
        return Ok(());
    }
    let all = || refunds.iter().map(|(_, refund)| *refund);
    let minor = |of: fn(&Refund) -> Money| all().map(|r| of(r).minor()).collect::<Vec<i64>>();
    let metadata: std::result::Result<Vec<_>, _> =
        all().map(|r| serde_json::to_value(&r.metadata)).collect();
    sqlx::query(
        "insert into payments.refund
             (tenant_id, id, intent_id, attempt_id, amount, currency, reason, state, origin,
              provider_ref, failure_reason, parts, repays, metadata, created_at, status_at,
              charge, to_cash, to_promo, cash_part, withheld, updated_at)
         select $1, r.*, $2
         from unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::text[],
                 $9::text[], $10::text[], $11::text[], $12::text[], $13::jsonb[], $14::uuid[],
                 $15::jsonb[], $16::timestamptz[], $17::timestamptz[], $18::bigint[],
                 $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[]) as r
         on conflict (tenant_id, id) do update
         set state = excluded.state, status_at = excluded.status_at,
             provider_ref = excluded.provider_ref,
             failure_reason = excluded.failure_reason, updated_at = excluded.updated_at
         where refund.state <> excluded.state
             or refund.provider_ref is distinct from excluded.provider_ref",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(all().map(|r| r.id.uuid()).collect::<Vec<_>>())
    .bind(refunds.iter().map(|(intent, _)| *intent).collect::<Vec<_>>())
    .bind(all().map(|r| r.attempt.map(|id| id.uuid())).collect::<Vec<_>>())
    .bind(all().map(|r| r.amount.minor()).collect::<Vec<_>>())
    .bind(all().map(|r| r.amount.currency().code()).collect::<Vec<_>>())
    .bind(all().map(|r| r.reason.as_str()).collect::<Vec<_>>())
    .bind(all().map(|r| r.state.as_str()).collect::<Vec<_>>())
    .bind(all().map(|r| r.origin).collect::<Vec<_>>())
    .bind(all().map(|r| r.provider_ref.as_ref().map(|r| r.as_str())).collect::<Vec<_>>())
    .bind(all().map(|r| r.failure_reason.as_deref()).collect::<Vec<_>>())
    .bind(all().map(|r| given_to_json(&r.parts)).collect::<Result<Vec<_>>>()?)
    .bind(all().map(|r| r.repays.map(|id| id.uuid())).collect::<Vec<_>>())
    .bind(metadata.map_err(corrupt)?)
    .bind(all().map(|r| r.created_at).collect::<Vec<_>>())
    .bind(all().map(|r| r.status_at).collect::<Vec<_>>())
    .bind(minor(|r| r.charge))
    .bind(minor(|r| r.to_cash))
    .bind(minor(|r| r.to_promo))
    .bind(minor(|r| r.cash_part))
    .bind(minor(|r| r.withheld))
    .execute(conn)
    .await?;
    Ok(())
}

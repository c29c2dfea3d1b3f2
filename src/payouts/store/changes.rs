//! Writing payouts, their gates, items and steps.

use mizan_money::id::PayoutId;
use mizan_money::{Currency, Money, TenantId, Timestamp};
use sqlx::PgConnection;

use super::{Item, Result};
use crate::payouts::gates::Gate;
use crate::payouts::payout::Payout;

/// Adds a payout as a draft.
///
/// # Errors
/// The database.
pub async fn insert_payout(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: &Payout,
) -> Result<()> {
    let conversion = payout.conversion.as_ref();
    sqlx::query(
        "insert into payouts.payout
             (tenant_id, id, kind, payee, state, rail, currency, asked, amount, pay_currency,
              pay_amount, rate, rate_source, rate_at, created_at, created_by, retry_of, run_id,
              on_day)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19)",
    )
    .bind(tenant.0)
    .bind(payout.id.uuid())
    .bind(payout.payee.kind())
    .bind(payout.payee.id())
    .bind(payout.state.as_str())
    .bind(&payout.rail)
    .bind(payout.amount.currency().code())
    .bind(payout.asked)
    .bind(payout.amount.minor())
    .bind(payout.pays.currency().code())
    .bind(payout.pays.minor())
    .bind(conversion.map(|it| it.rate.to_string()))
    .bind(conversion.map(|it| &it.source))
    .bind(conversion.map(|it| it.at))
    .bind(payout.created_at)
    .bind(&payout.created_by)
    .bind(payout.retry_of.map(PayoutId::uuid))
    .bind(payout.run.map(|it| it.0.uuid()))
    .bind(payout.run.map(|it| it.1))
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes everything of a payout that can change.
///
/// # Errors
/// The database.
pub async fn save(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: &Payout,
    now: Timestamp,
) -> Result<()> {
    let code = |money: Option<Money>| money.map(|it| Currency::code(it.currency()));
    let minor = |money: Option<Money>| money.map(Money::minor);
    sqlx::query(
        "update payouts.payout set state = $3, amount = $4, pay_amount = $5, bank_version = $6,
             approved = $7, approved_by = $8,
             approved_at = case when $8::text is null then null else coalesce(approved_at, $9) end,
             file_id = $10, cut_from = $11, cut_to = $12, reserved_at = $13, submitted_at = $14,
             paid_at = $15, ended_at = $16, till = $17, cost_currency = $18, cost = $19,
             fee_currency = $20, fee = $21, reason = $22, reason_code = $23
         where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(payout.id.uuid())
    .bind(payout.state.as_str())
    .bind(payout.amount.minor())
    .bind(payout.pays.minor())
    .bind(payout.bank_version)
    .bind(payout.approval.as_ref().map(|it| it.up_to))
    .bind(payout.approval.as_ref().map(|it| &it.by))
    .bind(now)
    .bind(payout.file.map(|it| it.uuid()))
    .bind(payout.cut.map(|it| it.0))
    .bind(payout.cut.map(|it| it.1))
    .bind(payout.reserved_at)
    .bind(payout.submitted_at)
    .bind(payout.paid_at)
    .bind(payout.ended_at)
    .bind(&payout.till)
    .bind(code(payout.cost))
    .bind(minor(payout.cost))
    .bind(code(payout.fee))
    .bind(minor(payout.fee))
    .bind(payout.trouble.as_ref().map(|it| it.reason.as_str()))
    .bind(payout.trouble.as_ref().and_then(|it| it.code.as_ref()))
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps how the gates were found.
///
/// # Errors
/// The database.
pub async fn keep_gates(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: PayoutId,
    gates: &[Gate],
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "insert into payouts.gate (tenant_id, payout_id, gate, passed, reason, checked_at)
         select $1, $2, g.gate, g.passed, g.reason, $3
         from unnest($4::text[], $5::boolean[], $6::text[]) g (gate, passed, reason)
         on conflict (tenant_id, payout_id, gate)
         do update set passed = excluded.passed, reason = excluded.reason,
             checked_at = excluded.checked_at",
    )
    .bind(tenant.0)
    .bind(payout.uuid())
    .bind(now)
    .bind(gates.iter().map(|it| it.gate).collect::<Vec<_>>())
    .bind(gates.iter().map(|it| it.passed).collect::<Vec<_>>())
    .bind(gates.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Freezes what a payout pays.
///
/// # Errors
/// The database.
pub async fn insert_items(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: PayoutId,
    items: &[Item],
) -> Result<()> {
    let transaction = |it: &Item| it.transaction.map(mizan_money::TransactionId::uuid);
    sqlx::query(
        "insert into payouts.item
             (tenant_id, payout_id, n, kind, source, amount, seq, transaction_id, effective_at)
         select $1, $2, i.n, i.kind, i.source, i.amount, i.seq, i.transaction_id, i.effective_at
         from unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::uuid[],
             $8::timestamptz[])
             with ordinality as i (kind, source, amount, seq, transaction_id, effective_at, n)",
    )
    .bind(tenant.0)
    .bind(payout.uuid())
    .bind(items.iter().map(|it| it.kind.as_str()).collect::<Vec<_>>())
    .bind(items.iter().map(|it| it.source.as_str()).collect::<Vec<_>>())
    .bind(items.iter().map(|it| it.amount).collect::<Vec<_>>())
    .bind(items.iter().map(|it| it.seq).collect::<Vec<_>>())
    .bind(items.iter().map(transaction).collect::<Vec<_>>())
    .bind(items.iter().map(|it| it.effective_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps the steps that a payout took now, behind those it took before.
///
/// # Errors
/// The database.
pub async fn keep_steps(
    conn: &mut PgConnection,
    tenant: TenantId,
    payout: PayoutId,
    steps: &[(&str, Option<String>)],
    (now, actor): (Timestamp, &str),
) -> Result<()> {
    sqlx::query(
        "insert into payouts.step (tenant_id, payout_id, n, state, at, actor, detail)
         select $1, $2, s.n + (
                 select coalesce(max(n), 0) from payouts.step
                 where tenant_id = $1 and payout_id = $2
             ), s.state, $3, $4, s.detail
         from unnest($5::text[], $6::text[]) with ordinality as s (state, detail, n)",
    )
    .bind(tenant.0)
    .bind(payout.uuid())
    .bind(now)
    .bind(actor)
    .bind(steps.iter().map(|it| it.0).collect::<Vec<_>>())
    .bind(steps.iter().map(|it| it.1.as_deref()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

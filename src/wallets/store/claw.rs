//! What refunds took back of cashback, in the database.

use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use sqlx::{PgConnection, Row};

use super::super::claw::{ClawBack, RefundOfOrder, Taken};
use super::super::lot::LotId;
use super::{Result, currency as parsed};

/// Writes down that a refund takes. Answers whether it is the first time.
pub(in super::super) async fn claim_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    of: &RefundOfOrder,
    now: Timestamp,
) -> Result<bool> {
    let claimed = sqlx::query(
        "insert into wallets.claw_back
             (tenant_id, refund_id, payment_id, currency, state, taken_at)
         values ($1, $2, $3, $4, 'taken', $5)
         on conflict (tenant_id, refund_id) do nothing",
    )
    .bind(tenant.0)
    .bind(of.refund.uuid())
    .bind(of.payment.uuid())
    .bind(of.refunded.currency().code())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() > 0)
}

/// What a refund has taken; nothing where that was undone.
pub(in super::super) async fn clawed_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    currency: Currency,
) -> Result<ClawBack> {
    let row = sqlx::query(
        "select pending, promo, withheld from wallets.claw_back
         where tenant_id = $1 and refund_id = $2 and state = 'taken'",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(ClawBack::none(currency)) };
    Ok(ClawBack {
        pending: Money::new(row.try_get("pending")?, currency),
        promo: Money::new(row.try_get("promo")?, currency),
        withheld: Money::new(row.try_get("withheld")?, currency),
    })
}

/// Writes down what a refund has taken, in all and of which lots.
pub(in super::super) async fn keep_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    sums: &ClawBack,
    taken: &[Taken],
) -> Result<()> {
    sqlx::query(
        "with parts as (
             insert into wallets.claw_back_lot (tenant_id, refund_id, lot_id, taken, withheld)
             select $1, $2, t.lot, t.taken, t.withheld
             from unnest($3::uuid[], $4::bigint[], $5::bigint[]) as t (lot, taken, withheld)
         )
         update wallets.claw_back set pending = $6, promo = $7, withheld = $8
         where tenant_id = $1 and refund_id = $2",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .bind(taken.iter().map(|part| part.lot.uuid()).collect::<Vec<_>>())
    .bind(taken.iter().map(|part| part.taken).collect::<Vec<_>>())
    .bind(taken.iter().map(|part| part.withheld).collect::<Vec<_>>())
    .bind(sums.pending.minor())
    .bind(sums.promo.minor())
    .bind(sums.withheld.minor())
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down that what a refund took is given back. Answers of which payment and in what;
/// none where it took nothing, or that was undone before.
pub(in super::super) async fn end_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Option<(PaymentIntentId, Currency)>> {
    let row = sqlx::query(
        "update wallets.claw_back set state = 'undone'
         where tenant_id = $1 and refund_id = $2 and state = 'taken'
         returning payment_id, currency, pending + promo + withheld as taken",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let taken: i64 = row.try_get("taken")?;
    let payment = PaymentIntentId::from_uuid(row.try_get("payment_id")?);
    let currency = parsed(row.try_get("currency")?)?;
    Ok((taken > 0).then_some((payment, currency)))
}

/// What a refund took of which lots, in the order of their ids.
pub(in super::super) async fn taken_by(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Vec<Taken>> {
    let rows = sqlx::query(
        "select lot_id, taken, withheld from wallets.claw_back_lot
         where tenant_id = $1 and refund_id = $2
         order by lot_id",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_all(conn)
    .await?;
    let taken = |row: &sqlx::postgres::PgRow| {
        Ok(Taken {
            lot: LotId::from_uuid(row.try_get("lot_id")?),
            taken: row.try_get("taken")?,
            withheld: row.try_get("withheld")?,
        })
    };
    rows.iter().map(taken).collect()
}

//! What refunds took back of commissions, in the database.

use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Money, TenantId, Timestamp};
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::accrual::{AccrualId, Bucket, Reversed};
use super::super::affiliate::FundedBy;
use super::{Result, corrupt, currency};

/// Writes down that a refund takes. Answers whether it is the first time.
pub(in super::super) async fn claim_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    payment: PaymentIntentId,
    now: Timestamp,
) -> Result<bool> {
    let claimed = sqlx::query(
        "insert into affiliates.claw_back (tenant_id, refund_id, payment_id, state, taken_at)
         values ($1, $2, $3, 'taken', $4)
         on conflict (tenant_id, refund_id) do nothing",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .bind(payment.uuid())
    .bind(now)
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() > 0)
}

/// Writes down of which commissions a refund has taken, and where they were then.
pub(in super::super) async fn keep_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    taken: &[(AccrualId, Bucket, Money)],
) -> Result<()> {
    sqlx::query(
        "insert into affiliates.claw_back_part (tenant_id, refund_id, accrual_id, bucket, amount)
         select $1, $2, t.accrual, t.bucket, t.amount
         from unnest($3::uuid[], $4::text[], $5::bigint[]) as t (accrual, bucket, amount)",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .bind(taken.iter().map(|(id, _, _)| id.uuid()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, bucket, _)| bucket.as_str()).collect::<Vec<_>>())
    .bind(taken.iter().map(|(_, _, amount)| amount.minor()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// What a refund has taken; nothing where that was undone.
pub(in super::super) async fn clawed_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Vec<Reversed>> {
    let rows = sqlx::query(
        "select a.affiliate, a.currency, a.funded_by, p.bucket, sum(p.amount)::bigint as amount
         from affiliates.claw_back c
         join affiliates.claw_back_part p
             on p.tenant_id = c.tenant_id and p.refund_id = c.refund_id
         join affiliates.accrual a on a.tenant_id = p.tenant_id and a.id = p.accrual_id
         where c.tenant_id = $1 and c.refund_id = $2 and c.state = 'taken'
         group by a.affiliate, a.currency, a.funded_by, p.bucket
         order by a.affiliate, p.bucket desc, a.funded_by",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_all(conn)
    .await?;
    let reversed = |row: &sqlx::postgres::PgRow| {
        let (bucket, payer): (String, String) = (row.try_get("bucket")?, row.try_get("funded_by")?);
        let currency = currency(row.try_get("currency")?)?;
        Ok(Reversed {
            affiliate: row.try_get("affiliate")?,
            amount: Money::new(row.try_get("amount")?, currency),
            bucket: Bucket::parse(&bucket).ok_or_else(|| corrupt(&bucket))?,
            funded_by: FundedBy::parse(&payer).ok_or_else(|| corrupt(&payer))?,
        })
    };
    rows.iter().map(reversed).collect()
}

/// Writes down that what a refund took is given back. Answers of which payment; none where that
/// was done before, or the refund took nothing.
pub(in super::super) async fn end_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Option<PaymentIntentId>> {
    let payment: Option<Uuid> = sqlx::query_scalar(
        "update affiliates.claw_back set state = 'undone'
         where tenant_id = $1 and refund_id = $2 and state = 'taken'
         returning payment_id",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(payment.map(PaymentIntentId::from_uuid))
}

/// How many minor units a refund took of which commissions.
pub(in super::super) async fn taken_by(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Vec<(AccrualId, i64)>> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "select accrual_id, amount from affiliates.claw_back_part
         where tenant_id = $1 and refund_id = $2
         order by accrual_id",
    )
    .bind(tenant.0)
    .bind(refund.uuid())
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, amount)| (AccrualId::from_uuid(id), amount)).collect())
}

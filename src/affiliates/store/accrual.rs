//! Commissions of lines in the database.

use mizan_money::id::PaymentIntentId;
use mizan_money::{TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::accrual::{Accrual, AccrualId, Bucket};
use super::super::affiliate::FundedBy;
use super::{Result, corrupt, currency, rate};

/// Adds the accruals of lines that have none. Answers which were added.
pub(in super::super) async fn insert_accruals(
    conn: &mut PgConnection,
    tenant: TenantId,
    accruals: &[Accrual],
) -> Result<Vec<AccrualId>> {
    let mut added = Vec::new();
    for accrual in accruals {
        let id: Option<Uuid> = sqlx::query_scalar(
            "insert into affiliates.accrual
                 (tenant_id, id, payment_id, line, affiliate, currency, percent, funded_by, base,
                  amount, state, accrued_at, release_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (tenant_id, payment_id, line) do nothing
             returning id",
        )
        .bind(tenant.0)
        .bind(accrual.id.uuid())
        .bind(accrual.payment.uuid())
        .bind(accrual.line)
        .bind(&accrual.affiliate)
        .bind(accrual.currency.code())
        .bind(accrual.rate.as_percent_string())
        .bind(accrual.funded_by.as_str())
        .bind(accrual.base)
        .bind(accrual.amount)
        .bind(accrual.bucket.as_str())
        .bind(accrual.accrued_at)
        .bind(accrual.release_at)
        .fetch_optional(&mut *conn)
        .await?;
        added.extend(id.map(AccrualId::from_uuid));
    }
    Ok(added)
}

/// Lines of a payment were delivered: their commissions will be released.
pub(in super::super) async fn start_release(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
    lines: &[i16],
    release_at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "update affiliates.accrual set release_at = $4
         where tenant_id = $1 and payment_id = $2 and line = any($3) and release_at is null",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .bind(lines)
    .bind(release_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// The commissions of payments, locked in the order of their ids.
pub(in super::super) async fn lock_accruals(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[PaymentIntentId],
) -> Result<Vec<Accrual>> {
    let rows = sqlx::query(
        "select * from affiliates.accrual
         where tenant_id = $1 and payment_id = any($2)
         order by id
         for no key update",
    )
    .bind(tenant.0)
    .bind(payments.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    rows.iter().map(accrual_from).collect()
}

/// Writes what can change of accruals that were locked before.
pub(in super::super) async fn save_accruals(
    conn: &mut PgConnection,
    tenant: TenantId,
    accruals: &[Accrual],
) -> Result<()> {
    if accruals.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update affiliates.accrual a
         set reversed = s.reversed, state = s.state
         from unnest($2::uuid[], $3::bigint[], $4::text[]) as s (id, reversed, state)
         where a.tenant_id = $1 and a.id = s.id",
    )
    .bind(tenant.0)
    .bind(accruals.iter().map(|it| it.id.uuid()).collect::<Vec<_>>())
    .bind(accruals.iter().map(|it| it.reversed).collect::<Vec<_>>())
    .bind(accruals.iter().map(|it| it.bucket.as_str()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// Payments with commissions that are due, behind one, in the order of their ids.
pub(in super::super) async fn due_payments(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    after: Option<PaymentIntentId>,
    limit: i64,
) -> Result<Vec<PaymentIntentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select distinct payment_id from affiliates.accrual
         where tenant_id = $1 and state = 'pending' and release_at <= $2
             and ($3::uuid is null or payment_id > $3)
         order by payment_id
         limit $4",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(after.map(|id| id.uuid()))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(PaymentIntentId::from_uuid).collect())
}

fn accrual_from(row: &PgRow) -> Result<Accrual> {
    let funded_by: String = row.try_get("funded_by")?;
    let state: String = row.try_get("state")?;
    Ok(Accrual {
        id: AccrualId::from_uuid(row.try_get("id")?),
        payment: PaymentIntentId::from_uuid(row.try_get("payment_id")?),
        line: row.try_get("line")?,
        affiliate: row.try_get("affiliate")?,
        currency: currency(row.try_get("currency")?)?,
        rate: rate(row.try_get("percent")?)?,
        funded_by: FundedBy::parse(&funded_by).ok_or_else(|| corrupt(&funded_by))?,
        base: row.try_get("base")?,
        amount: row.try_get("amount")?,
        reversed: row.try_get("reversed")?,
        bucket: Bucket::parse(&state).ok_or_else(|| corrupt(&state))?,
        accrued_at: row.try_get("accrued_at")?,
        release_at: row.try_get("release_at")?,
    })
}

//! The statements of rates and revaluations: added, never changed.

use mizan_money::{Currency, FxRate, Money, TenantId, Timestamp, TransactionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{
    FxRateId, FxRevaluationId, NewRate, NewRevaluation, Revaluation, RevaluedAt, StoredRate,
};
use crate::finance::error::FinanceError;

type Result<T> = std::result::Result<T, FinanceError>;

/// Adds a rate.
///
/// # Errors
/// The database.
pub(super) async fn insert_rate(
    conn: &mut PgConnection,
    tenant: TenantId,
    rate: &StoredRate,
) -> Result<()> {
    sqlx::query(
        "insert into finance.fx_rate
             (tenant_id, id, base, quote, rate, source, at, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(rate.id.uuid())
    .bind(rate.says.base.code())
    .bind(rate.says.quote.code())
    .bind(rate.says.rate.to_string())
    .bind(&rate.says.source)
    .bind(rate.says.at)
    .bind(rate.created_at)
    .bind(&rate.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Which rates are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RatesAsked {
    pub base: Option<Currency>,
    pub quote: Option<Currency>,
    /// Not after this.
    pub at: Option<Timestamp>,
    pub after: Option<FxRateId>,
    pub rows: i64,
}

/// Rates, the newest first by the time they are for.
///
/// # Errors
/// The database.
pub(super) async fn rates(
    conn: &mut PgConnection,
    tenant: TenantId,
    asked: &RatesAsked,
) -> Result<Vec<StoredRate>> {
    let rows = sqlx::query(
        "select * from finance.fx_rate r
         where r.tenant_id = $1
             and ($2::text is null or r.base = $2::char(3))
             and ($3::text is null or r.quote = $3::char(3))
             and ($4::timestamptz is null or r.at <= $4)
             and ($5::uuid is null or (r.at, r.id) < (
                 select c.at, c.id from finance.fx_rate c
                 where c.tenant_id = $1 and c.id = $5))
         order by r.at desc, r.id desc
         limit $6",
    )
    .bind(tenant.0)
    .bind(asked.base.map(Currency::code))
    .bind(asked.quote.map(Currency::code))
    .bind(asked.at)
    .bind(asked.after.map(FxRateId::uuid))
    .bind(asked.rows)
    .fetch_all(conn)
    .await?;
    rows.iter().map(rate_from).collect()
}

/// The newest rate of a pair that is not after a time.
///
/// # Errors
/// The database.
pub async fn newest_rate(
    conn: &mut PgConnection,
    tenant: TenantId,
    base: Currency,
    quote: Currency,
    at: Timestamp,
) -> Result<Option<StoredRate>> {
    let asked = RatesAsked {
        base: Some(base),
        quote: Some(quote),
        at: Some(at),
        rows: 1,
        ..RatesAsked::default()
    };
    Ok(rates(conn, tenant, &asked).await?.pop())
}

/// Makes revaluations of one pair wait for each other.
///
/// # Errors
/// The database.
pub(super) async fn lock_pair(
    conn: &mut PgConnection,
    tenant: TenantId,
    currency: Currency,
    into: Currency,
) -> Result<()> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("finance.fx_revaluation:{tenant}:{currency}:{into}"))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a pair was valued for a day.
///
/// # Errors
/// The database.
pub(super) async fn is_revalued(
    conn: &mut PgConnection,
    tenant: TenantId,
    new: &NewRevaluation,
) -> Result<bool> {
    let found = sqlx::query_scalar(
        "select exists (
             select from finance.fx_revaluation
             where tenant_id = $1 and currency = $2::char(3) and into_currency = $3::char(3)
                 and on_day = $4)",
    );
    let found = found.bind(tenant.0).bind(new.currency.code()).bind(new.into.code());
    Ok(found.bind(new.on).fetch_one(conn).await?)
}

/// Keeps a revaluation.
///
/// # Errors
/// The database.
pub(super) async fn insert_revaluation(
    conn: &mut PgConnection,
    tenant: TenantId,
    told: &Revaluation,
) -> Result<()> {
    let (posted, reversed) = told.posted.unzip();
    sqlx::query(
        "insert into finance.fx_revaluation
             (tenant_id, id, currency, into_currency, on_day, rate, fx_rate_id, position, book,
              value, difference, transaction_id, reversal_id, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(tenant.0)
    .bind(told.id.uuid())
    .bind(told.position.currency().code())
    .bind(told.book.currency().code())
    .bind(told.on)
    .bind(told.at.rate.to_string())
    .bind(told.at.stored.map(FxRateId::uuid))
    .bind(told.position.minor())
    .bind(told.book.minor())
    .bind(told.value.minor())
    .bind(told.difference.minor())
    .bind(posted.map(TransactionId::uuid))
    .bind(reversed.map(TransactionId::uuid))
    .bind(told.created_at)
    .bind(&told.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Revaluations, newest first, from behind one.
///
/// # Errors
/// The database.
pub(super) async fn revaluations(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<FxRevaluationId>,
    limit: i64,
) -> Result<Vec<Revaluation>> {
    let rows = sqlx::query(
        "select * from finance.fx_revaluation
         where tenant_id = $1 and ($2::uuid is null or id < $2)
         order by id desc
         limit $3",
    )
    .bind(tenant.0)
    .bind(after.map(FxRevaluationId::uuid))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(revaluation_from).collect()
}

fn currency(row: &PgRow, column: &str) -> Result<Currency> {
    let code: String = row.try_get(column)?;
    Currency::parse(&code).map_err(FinanceError::corrupt)
}

fn fx_rate(row: &PgRow) -> Result<FxRate> {
    let rate: String = row.try_get("rate")?;
    FxRate::parse(&rate).map_err(FinanceError::corrupt)
}

fn rate_from(row: &PgRow) -> Result<StoredRate> {
    Ok(StoredRate {
        id: FxRateId::from_uuid(row.try_get("id")?),
        says: NewRate {
            base: currency(row, "base")?,
            quote: currency(row, "quote")?,
            rate: fx_rate(row)?,
            source: row.try_get("source")?,
            at: row.try_get("at")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

fn revaluation_from(row: &PgRow) -> Result<Revaluation> {
    let into = currency(row, "into_currency")?;
    let money = |column: &str| -> Result<Money> { Ok(Money::new(row.try_get(column)?, into)) };
    let id = |column: &str| -> Result<Option<TransactionId>> {
        let id: Option<Uuid> = row.try_get(column)?;
        Ok(id.map(TransactionId::from_uuid))
    };
    let stored: Option<Uuid> = row.try_get("fx_rate_id")?;
    Ok(Revaluation {
        id: FxRevaluationId::from_uuid(row.try_get("id")?),
        on: row.try_get("on_day")?,
        at: RevaluedAt { rate: fx_rate(row)?, stored: stored.map(FxRateId::from_uuid) },
        position: Money::new(row.try_get("position")?, currency(row, "currency")?),
        book: money("book")?,
        value: money("value")?,
        difference: money("difference")?,
        posted: id("transaction_id")?.zip(id("reversal_id")?),
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

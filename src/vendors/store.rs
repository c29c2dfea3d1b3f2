//! Every statement on the schema `vendors`, and what is read of order lines for vendors.

use std::collections::BTreeMap;

use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::terms::Terms;
use super::write_off::{WriteOff, WriteOffId, WriteOffState};
use crate::payments::PaymentError;

type Result<T> = std::result::Result<T, PaymentError>;

fn corrupt(what: impl std::fmt::Display) -> PaymentError {
    PaymentError::Corrupt { what: what.to_string() }
}

/// Every version of the terms of these vendors, and of the default ones, oldest first.
///
/// # Errors
/// The database.
pub async fn terms_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    vendors: &[String],
) -> Result<BTreeMap<String, Vec<(Timestamp, Terms)>>> {
    let rows = sqlx::query(
        "select t.* from unnest($2::text[] || array['default']) as w (vendor)
         cross join lateral (
             select vendor, valid_from, terms from vendors.terms
             where tenant_id = $1 and vendor = w.vendor
             order by valid_from desc limit 50
         ) t
         order by t.valid_from",
    )
    .bind(tenant.0)
    .bind(vendors)
    .fetch_all(conn)
    .await?;
    let mut all: BTreeMap<String, Vec<(Timestamp, Terms)>> = BTreeMap::new();
    for row in &rows {
        let terms = serde_json::from_value(row.try_get("terms")?).map_err(corrupt)?;
        all.entry(row.try_get("vendor")?).or_default().push((row.try_get("valid_from")?, terms));
    }
    Ok(all)
}

/// Adds a version; one of the same moment is said again.
///
/// # Errors
/// The database; other terms from the same moment on.
pub async fn insert_terms(
    conn: &mut PgConnection,
    tenant: TenantId,
    vendor: &str,
    valid_from: Timestamp,
    terms: &Terms,
    (now, by): (Timestamp, &str),
) -> Result<bool> {
    let done = sqlx::query(
        "insert into vendors.terms (tenant_id, vendor, valid_from, terms, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (tenant_id, vendor, valid_from) do nothing",
    )
    .bind(tenant.0)
    .bind(vendor)
    .bind(valid_from)
    .bind(serde_json::to_value(terms).map_err(corrupt)?)
    .bind(now)
    .bind(by)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A line, by its payment and its number.
pub type LineAt = (PaymentIntentId, i16);

/// The lines of a vendor of which money was taken, newest first, behind one.
///
/// # Errors
/// The database.
pub async fn lines_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    vendor: &str,
    after: Option<LineAt>,
    limit: i64,
) -> Result<Vec<LineAt>> {
    let rows: Vec<(Uuid, i16)> = sqlx::query_as(
        "select intent_id, n from payments.line
         where tenant_id = $1 and vendor = $2 and captured + coupon > 0
             and ($3::uuid is null or (intent_id, n) < ($3, $4))
         order by intent_id desc, n desc
         limit $5",
    )
    .bind(tenant.0)
    .bind(vendor)
    .bind(after.map(|(id, _)| id.uuid()))
    .bind(after.map(|(_, n)| n))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|(id, n)| (PaymentIntentId::from_uuid(id), n)).collect())
}

/// Adds a debt to be given up.
///
/// # Errors
/// The database.
pub async fn insert_write_off(
    conn: &mut PgConnection,
    tenant: TenantId,
    it: &WriteOff,
) -> Result<()> {
    sqlx::query(
        "insert into vendors.write_off
             (tenant_id, id, vendor, currency, amount, reason, state, requested_by, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(it.id.uuid())
    .bind(&it.vendor)
    .bind(it.amount.currency().code())
    .bind(it.amount.minor())
    .bind(&it.reason)
    .bind(it.state.as_str())
    .bind(&it.requested_by)
    .bind(it.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// A debt to be given up, locked; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn lock_write_off(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: WriteOffId,
) -> Result<Option<WriteOff>> {
    let row = sqlx::query(
        "select * from vendors.write_off where tenant_id = $1 and id = $2 for no key update",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(write_off_from).transpose()
}

/// Writes what was decided.
///
/// # Errors
/// The database.
pub async fn save_write_off(
    conn: &mut PgConnection,
    tenant: TenantId,
    it: &WriteOff,
) -> Result<()> {
    sqlx::query(
        "update vendors.write_off set state = $3, decided_by = $4, decided_at = $5
         where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(it.id.uuid())
    .bind(it.state.as_str())
    .bind(&it.decided_by)
    .bind(it.decided_at)
    .execute(conn)
    .await?;
    Ok(())
}

fn write_off_from(row: &PgRow) -> Result<WriteOff> {
    let (state, currency): (String, String) = (row.try_get("state")?, row.try_get("currency")?);
    let currency = Currency::parse(&currency).map_err(corrupt)?;
    Ok(WriteOff {
        id: WriteOffId::from_uuid(row.try_get("id")?),
        vendor: row.try_get("vendor")?,
        amount: Money::new(row.try_get("amount")?, currency),
        reason: row.try_get("reason")?,
        state: WriteOffState::parse(&state).ok_or_else(|| corrupt(state))?,
        requested_by: row.try_get("requested_by")?,
        decided_by: row.try_get("decided_by")?,
        created_at: row.try_get("created_at")?,
        decided_at: row.try_get("decided_at")?,
    })
}

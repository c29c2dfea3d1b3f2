//! Every statement on the schema `vendors`, and what is read of order lines for vendors.

use std::collections::BTreeMap;

use mizan_money::{TenantId, Timestamp};
use sqlx::{PgConnection, Row};

use super::terms::Terms;
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

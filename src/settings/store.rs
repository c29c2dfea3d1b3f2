//! The statements on a tenant's own row.

use mizan_money::{Rate, TenantId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::payments::PaymentError;

type Result<T> = std::result::Result<T, PaymentError>;

/// What a tenant has decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub jurisdiction: String,
    pub vat_percent: Rate,
    pub time_zone: String,
    pub refund_tenders: String,
    pub expired_credit: String,
    pub wallet_top_up: bool,
}

fn settings_from(row: &PgRow) -> Result<Settings> {
    let percent: String = row.try_get("vat_percent")?;
    let corrupt = |error: mizan_money::RateError| PaymentError::Corrupt { what: error.to_string() };
    Ok(Settings {
        jurisdiction: row.try_get("jurisdiction")?,
        vat_percent: Rate::percent(&percent).map_err(corrupt)?,
        time_zone: row.try_get("time_zone")?,
        refund_tenders: row.try_get("refund_tenders")?,
        expired_credit: row.try_get("expired_credit")?,
        wallet_top_up: row.try_get("wallet_top_up")?,
    })
}

/// What the tenant has decided, which nobody else changes until the transaction ends.
///
/// # Errors
/// The database.
pub(super) async fn lock(conn: &mut PgConnection, tenant: TenantId) -> Result<Settings> {
    let row = sqlx::query("select * from mizan.tenant where tenant_id = $1 for update")
        .bind(tenant.0)
        .fetch_one(conn)
        .await?;
    settings_from(&row)
}

/// What the tenant has decided.
///
/// # Errors
/// The database.
pub(super) async fn load(conn: &mut PgConnection, tenant: TenantId) -> Result<Settings> {
    let row = sqlx::query("select * from mizan.tenant where tenant_id = $1")
        .bind(tenant.0)
        .fetch_one(conn)
        .await?;
    settings_from(&row)
}

/// Writes what was decided.
///
/// # Errors
/// The database.
pub(super) async fn save(conn: &mut PgConnection, tenant: TenantId, it: &Settings) -> Result<()> {
    sqlx::query(
        "update mizan.tenant
         set jurisdiction = $2, vat_percent = $3, time_zone = $4, refund_tenders = $5,
             expired_credit = $6, wallet_top_up = $7
         where tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(&it.jurisdiction)
    .bind(it.vat_percent.as_percent_string())
    .bind(&it.time_zone)
    .bind(&it.refund_tenders)
    .bind(&it.expired_credit)
    .bind(it.wallet_top_up)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the database knows this time zone by its name.
///
/// # Errors
/// The database.
pub(super) async fn is_time_zone(conn: &mut PgConnection, name: &str) -> Result<bool> {
    let known = "select exists (select from pg_catalog.pg_timezone_names where name = $1)";
    Ok(sqlx::query_scalar(known).bind(name).fetch_one(conn).await?)
}

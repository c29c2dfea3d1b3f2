//! Commission rules and tax policies in the database: added and ended, never changed.

use mizan_money::{Currency, Rate, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::rule::{Base, CommissionRuleId, NewRule, Rule};
use super::tax::{NewTaxPolicy, Regime, TaxPolicy, TaxPolicyId};
use crate::db::DatedRules;
use crate::payments::PaymentError;

type Result<T> = std::result::Result<T, PaymentError>;

/// The most rules, and the most policies, of a tenant that are in force or to come.
pub const RULES_MAX: i64 = 2_000;

const RULES: DatedRules = DatedRules("commissions.rule");
const TAXES: DatedRules = DatedRules("commissions.tax_policy");

fn corrupt(what: impl std::fmt::Display) -> PaymentError {
    PaymentError::Corrupt { what: what.to_string() }
}

fn rate(row: &PgRow, column: &str) -> Result<Rate> {
    Rate::percent(row.try_get(column)?).map_err(corrupt)
}

/// Every rule that is not over at a time.
///
/// # Errors
/// The database.
pub async fn rules_in_force(
    conn: &mut PgConnection,
    tenant: TenantId,
    at: Timestamp,
) -> Result<Vec<Rule>> {
    RULES.not_over(conn, tenant, at, RULES_MAX).await?.iter().map(rule_from).collect()
}

/// Every policy that is not over at a time.
///
/// # Errors
/// The database.
pub async fn taxes_in_force(
    conn: &mut PgConnection,
    tenant: TenantId,
    at: Timestamp,
) -> Result<Vec<TaxPolicy>> {
    TAXES.not_over(conn, tenant, at, RULES_MAX).await?.iter().map(tax_from).collect()
}

/// How many rules are not over at a time.
///
/// # Errors
/// The database.
pub async fn rules_to_come(
    conn: &mut PgConnection,
    tenant: TenantId,
    at: Timestamp,
) -> Result<i64> {
    Ok(RULES.count_not_over(conn, tenant, at).await?)
}

/// Rules, newest first, from behind one.
///
/// # Errors
/// The database.
pub async fn rules(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Rule>> {
    RULES.page(conn, tenant, after, limit).await?.iter().map(rule_from).collect()
}

/// Policies, newest first, from behind one.
///
/// # Errors
/// The database.
pub async fn taxes(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<TaxPolicy>> {
    TAXES.page(conn, tenant, after, limit).await?.iter().map(tax_from).collect()
}

/// Adds a rule.
///
/// # Errors
/// The database.
pub async fn insert_rule(conn: &mut PgConnection, tenant: TenantId, rule: &Rule) -> Result<()> {
    let says = &rule.says;
    sqlx::query(
        "insert into commissions.rule
             (tenant_id, id, name, vendor, category, tier, percent, base, fixed, least, most,
              currency, valid_from, valid_until, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(tenant.0)
    .bind(rule.id.uuid())
    .bind(&says.name)
    .bind(&says.vendor)
    .bind(&says.category)
    .bind(&says.tier)
    .bind(says.percent.as_percent_string())
    .bind(says.base.as_str())
    .bind(says.fixed)
    .bind(says.least)
    .bind(says.most)
    .bind(says.currency.map(Currency::code))
    .bind(says.valid_from)
    .bind(says.valid_until)
    .bind(rule.created_at)
    .bind(&rule.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a policy.
///
/// # Errors
/// The database.
pub async fn insert_tax(conn: &mut PgConnection, tenant: TenantId, tax: &TaxPolicy) -> Result<()> {
    let says = &tax.says;
    sqlx::query(
        "insert into commissions.tax_policy
             (tenant_id, id, jurisdiction, regime, percent, home_state, tcs_percent, tds_percent,
              tds_section, valid_from, valid_until, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(tenant.0)
    .bind(tax.id.uuid())
    .bind(&says.jurisdiction)
    .bind(says.regime.as_str())
    .bind(says.percent.as_percent_string())
    .bind(&says.home_state)
    .bind(says.tcs.as_percent_string())
    .bind(says.tds.as_percent_string())
    .bind(&says.tds_section)
    .bind(says.valid_from)
    .bind(says.valid_until)
    .bind(tax.created_at)
    .bind(&tax.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a rule; what is over stays as it is.
///
/// # Errors
/// The database; a rule that is not there.
pub async fn end_rule(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: CommissionRuleId,
    now: Timestamp,
) -> Result<Rule> {
    let row = RULES.end(conn, tenant, id.uuid(), now).await?;
    let missing = || PaymentError::NotFound { id: id.to_string() };
    row.as_ref().map(rule_from).transpose()?.ok_or_else(missing)
}

fn rule_from(row: &PgRow) -> Result<Rule> {
    let base: String = row.try_get("base")?;
    let currency: Option<String> = row.try_get("currency")?;
    Ok(Rule {
        id: CommissionRuleId::from_uuid(row.try_get("id")?),
        says: NewRule {
            name: row.try_get("name")?,
            vendor: row.try_get("vendor")?,
            category: row.try_get("category")?,
            tier: row.try_get("tier")?,
            percent: rate(row, "percent")?,
            base: if base == "gross" { Base::Gross } else { Base::Net },
            fixed: row.try_get("fixed")?,
            least: row.try_get("least")?,
            most: row.try_get("most")?,
            currency: currency.map(|code| Currency::parse(&code)).transpose().map_err(corrupt)?,
            valid_from: row.try_get("valid_from")?,
            valid_until: row.try_get("valid_until")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

fn tax_from(row: &PgRow) -> Result<TaxPolicy> {
    let regime: String = row.try_get("regime")?;
    Ok(TaxPolicy {
        id: TaxPolicyId::from_uuid(row.try_get("id")?),
        says: NewTaxPolicy {
            jurisdiction: row.try_get("jurisdiction")?,
            regime: Regime::parse(&regime).ok_or_else(|| corrupt(regime))?,
            percent: rate(row, "percent")?,
            home_state: row.try_get("home_state")?,
            tcs: rate(row, "tcs_percent")?,
            tds: rate(row, "tds_percent")?,
            tds_section: row.try_get("tds_section")?,
            valid_from: row.try_get("valid_from")?,
            valid_until: row.try_get("valid_until")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

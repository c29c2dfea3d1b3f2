//! Routing rules in the database: added and ended, never changed.

use mizan_money::{Currency, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use super::error::RoutingError;
use super::rule::{NewRule, Others, RoutingRuleId, Rule};
use crate::db::{DatedRules, DbError};

type Result<T> = std::result::Result<T, RoutingError>;

const RULES: DatedRules = DatedRules("payments.routing_rule");

/// Most rules that one decision looks at.
pub const RULES_MAX: i64 = 500;

/// The rules that are in force.
///
/// # Errors
/// The database.
pub async fn rules_in_force(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<Rule>> {
    let rows = sqlx::query(
        "select * from payments.routing_rule
         where tenant_id = $1 and valid_from <= $2 and (valid_until is null or valid_until > $2)
         order by priority desc, created_at desc, id desc
         limit $3",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(RULES_MAX)
    .fetch_all(conn)
    .await?;
    rows.iter().map(rule_from).collect()
}

/// Rules, newest first, from behind one.
///
/// # Errors
/// The database.
pub async fn rules(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<RoutingRuleId>,
    limit: i64,
) -> Result<Vec<Rule>> {
    let rows = RULES.page(conn, tenant, after.map(|id| id.uuid()), limit).await?;
    rows.iter().map(rule_from).collect()
}

/// How many rules are not over at a time.
///
/// # Errors
/// The database.
pub async fn rules_to_come(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<i64> {
    Ok(RULES.count_not_over(conn, tenant, now).await?)
}

/// Adds a rule.
///
/// # Errors
/// The database.
pub async fn insert(conn: &mut PgConnection, tenant: TenantId, rule: &Rule) -> Result<()> {
    let says = &rule.says;
    sqlx::query(
        "insert into payments.routing_rule
             (tenant_id, id, name, priority, connections, others, currencies, countries, methods,
              amount_min, amount_max, valid_from, valid_until, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(tenant.0)
    .bind(rule.id.uuid())
    .bind(&says.name)
    .bind(says.priority)
    .bind(&says.connections)
    .bind(says.others == Others::Follow)
    .bind(says.currencies.iter().map(|it| it.code()).collect::<Vec<_>>())
    .bind(&says.countries)
    .bind(&says.methods)
    .bind(says.amount_min)
    .bind(says.amount_max)
    .bind(says.valid_from)
    .bind(says.valid_until)
    .bind(rule.created_at)
    .bind(&rule.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends a rule that is not over, and answers it; one that has not begun is over before it begins.
///
/// # Errors
/// The database; an id that is unknown.
pub async fn end(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: RoutingRuleId,
    now: Timestamp,
) -> Result<Rule> {
    let row = RULES.end(conn, tenant, id.uuid(), now).await?;
    row.as_ref()
        .map(rule_from)
        .transpose()?
        .ok_or_else(|| RoutingError::NotFound { id: id.to_string() })
}

fn rule_from(row: &PgRow) -> Result<Rule> {
    let codes: Vec<String> = row.try_get("currencies")?;
    let currencies =
        codes.iter().map(|code| Currency::parse(code)).collect::<std::result::Result<_, _>>();
    let currencies =
        currencies.map_err(|error| DbError::from(sqlx::Error::Decode(Box::new(error))))?;
    let follow: bool = row.try_get("others")?;
    Ok(Rule {
        id: RoutingRuleId::from_uuid(row.try_get("id")?),
        says: NewRule {
            name: row.try_get("name")?,
            priority: row.try_get("priority")?,
            connections: row.try_get("connections")?,
            others: if follow { Others::Follow } else { Others::LeftOut },
            currencies,
            countries: row.try_get("countries")?,
            methods: row.try_get("methods")?,
            amount_min: row.try_get("amount_min")?,
            amount_max: row.try_get("amount_max")?,
            valid_from: row.try_get("valid_from")?,
            valid_until: row.try_get("valid_until")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

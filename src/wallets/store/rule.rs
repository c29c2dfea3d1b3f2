//! Cashback rules and what was granted by them, in the database.

use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::error::WalletError;
use super::super::grant::Delivered;
use super::super::rule::{Basis, CashbackRule, CashbackRuleId, NewCashbackRule};
use super::{Result, corrupt, currency, rate};
use crate::db::DatedRules;

const RULES: DatedRules = DatedRules("wallets.cashback_rule");

/// Most rules that one grant looks at.
const RULES_MAX: i64 = 500;

/// What a payment's deliveries came to, in minor units.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Earned {
    /// What the gateway took for them.
    pub paid: i64,
    /// Their price.
    pub price: i64,
    /// The cashback they were granted.
    pub granted: i64,
    /// By which rule, where there was any.
    pub rule: Option<CashbackRuleId>,
}

/// Adds a rule.
pub(in super::super) async fn insert_rule(
    conn: &mut PgConnection,
    tenant: TenantId,
    rule: &CashbackRule,
) -> Result<()> {
    let says = &rule.says;
    sqlx::query(
        "insert into wallets.cashback_rule
             (tenant_id, id, name, percent, basis, cap, min_amount, currency, first_order,
              vest_days, expiry_days, valid_from, valid_until, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(tenant.0)
    .bind(rule.id.uuid())
    .bind(&says.name)
    .bind(says.percent.as_percent_string())
    .bind(says.basis.as_str())
    .bind(says.cap)
    .bind(says.min_amount)
    .bind(says.currency.map(Currency::code))
    .bind(says.first_order)
    .bind(says.vest_days)
    .bind(says.expiry_days)
    .bind(says.valid_from)
    .bind(says.valid_until)
    .bind(rule.created_at)
    .bind(&rule.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// How many rules are not over at a time.
pub(in super::super) async fn rules_to_come(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<i64> {
    Ok(RULES.count_not_over(conn, tenant, now).await?)
}

/// Rules, newest first, from behind one.
pub(in super::super) async fn rules(
    conn: &mut PgConnection,
    tenant: TenantId,
    after: Option<CashbackRuleId>,
    limit: i64,
) -> Result<Vec<CashbackRule>> {
    let rows = RULES.page(conn, tenant, after.map(|id| id.uuid()), limit).await?;
    rows.iter().map(rule_from).collect()
}

/// The rules in force at a time; only the one where one has granted already.
pub(in super::super) async fn rules_at(
    conn: &mut PgConnection,
    tenant: TenantId,
    at: Timestamp,
    only: Option<CashbackRuleId>,
) -> Result<Vec<CashbackRule>> {
    let rows = sqlx::query(
        "select * from wallets.cashback_rule
         where tenant_id = $1 and valid_from <= $2 and (valid_until is null or valid_until > $2)
             and ($3::uuid is null or id = $3)
         order by id
         limit $4",
    )
    .bind(tenant.0)
    .bind(at)
    .bind(only.map(|id| id.uuid()))
    .bind(RULES_MAX)
    .fetch_all(conn)
    .await?;
    rows.iter().map(rule_from).collect()
}

/// Ends a rule that is not over, and answers it; one that has not begun is over before it begins.
pub(in super::super) async fn end_rule(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: CashbackRuleId,
    now: Timestamp,
) -> Result<CashbackRule> {
    let row = RULES.end(conn, tenant, id.uuid(), now).await?;
    let row = row.ok_or_else(|| WalletError::NotFound { id: id.to_string() })?;
    rule_from(&row)
}

/// Whether the order is the customer's first to be delivered; the first asked about is.
pub(in super::super) async fn is_first_order(
    conn: &mut PgConnection,
    tenant: TenantId,
    customer: &str,
    order: &str,
) -> Result<bool> {
    sqlx::query(
        "insert into wallets.first_order (tenant_id, customer, order_ref) values ($1, $2, $3)
         on conflict (tenant_id, customer) do nothing",
    )
    .bind(tenant.0)
    .bind(customer)
    .bind(order)
    .execute(&mut *conn)
    .await?;
    let is_first = sqlx::query_scalar(
        "select exists (
             select from wallets.first_order
             where tenant_id = $1 and customer = $2 and order_ref = $3)",
    );
    Ok(is_first.bind(tenant.0).bind(customer).bind(order).fetch_one(conn).await?)
}

/// Writes down which lines were delivered. Answers whether any of them is new.
pub(in super::super) async fn add_delivered_lines(
    conn: &mut PgConnection,
    tenant: TenantId,
    delivered: &Delivered,
) -> Result<bool> {
    let lines = &delivered.lines;
    let added = sqlx::query(
        "insert into wallets.delivered_line (tenant_id, payment_id, line, paid, price)
         select $1, $2, d.line, d.paid, d.price
         from unnest($3::smallint[], $4::bigint[], $5::bigint[]) as d (line, paid, price)
         order by d.line
         on conflict (tenant_id, payment_id, line) do nothing",
    )
    .bind(tenant.0)
    .bind(delivered.payment.uuid())
    .bind(lines.iter().map(|line| line.n).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.paid_by_gateway.minor()).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.price.minor()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(added.rows_affected() > 0)
}

/// What a payment's deliveries came to until now, and what they were granted.
pub(in super::super) async fn earned_so_far(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
) -> Result<Earned> {
    let row = sqlx::query(
        "select d.paid, d.price, l.granted, l.rule_id
         from (
             select coalesce(sum(paid), 0)::bigint as paid,
                 coalesce(sum(price), 0)::bigint as price
             from wallets.delivered_line where tenant_id = $1 and payment_id = $2
         ) d, (
             select coalesce(sum(amount), 0)::bigint as granted,
                 (array_agg(rule_id order by id))[1] as rule_id
             from wallets.lot
             where tenant_id = $1 and payment_id = $2 and origin = 'cashback'
         ) l",
    )
    .bind(tenant.0)
    .bind(payment.uuid())
    .fetch_one(conn)
    .await?;
    Ok(Earned {
        paid: row.try_get("paid")?,
        price: row.try_get("price")?,
        granted: row.try_get("granted")?,
        rule: row.try_get::<Option<Uuid>, _>("rule_id")?.map(CashbackRuleId::from_uuid),
    })
}

fn rule_from(row: &PgRow) -> Result<CashbackRule> {
    let basis: String = row.try_get("basis")?;
    let code: Option<String> = row.try_get("currency")?;
    Ok(CashbackRule {
        id: CashbackRuleId::from_uuid(row.try_get("id")?),
        says: NewCashbackRule {
            name: row.try_get("name")?,
            percent: rate(row.try_get("percent")?)?,
            basis: Basis::parse(&basis).ok_or_else(|| corrupt(&basis))?,
            cap: row.try_get("cap")?,
            min_amount: row.try_get("min_amount")?,
            currency: code.as_deref().map(currency).transpose()?,
            first_order: row.try_get("first_order")?,
            vest_days: row.try_get("vest_days")?,
            expiry_days: row.try_get("expiry_days")?,
            valid_from: row.try_get("valid_from")?,
            valid_until: row.try_get("valid_until")?,
        },
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

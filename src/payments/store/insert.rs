//! Writing a new intent with its lines.

use mizan_money::TenantId;
use sqlx::PgConnection;

use super::super::intent::{Intent, Payment};
use super::super::line::Line;
use super::{Result, corrupt};

/// Inserts a new intent with its lines.
///
/// # Errors
/// The database.
pub async fn insert_intent(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
) -> Result<()> {
    insert_head(conn, tenant, &payment.intent).await?;
    insert_lines(conn, tenant, &payment.intent, &payment.lines).await
}

async fn insert_head(conn: &mut PgConnection, tenant: TenantId, intent: &Intent) -> Result<()> {
    let attribution = intent.attribution.as_ref().map(serde_json::to_value).transpose();
    sqlx::query(
        "insert into payments.intent
             (tenant_id, id, currency, amount, capture_method, state, description,
              payment_method, return_url, metadata, country, method, order_id, customer,
              customer_state, attribution, wallet_cash, wallet_promo, wallet_state,
              created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $20)",
    )
    .bind(tenant.0)
    .bind(intent.id.uuid())
    .bind(intent.currency.code())
    .bind(intent.amount.minor())
    .bind(intent.capture_method.as_str())
    .bind(intent.state.as_str())
    .bind(&intent.description)
    .bind(&intent.payment_method)
    .bind(&intent.return_url)
    .bind(serde_json::to_value(&intent.metadata).map_err(corrupt)?)
    .bind(&intent.country)
    .bind(&intent.method)
    .bind(&intent.order)
    .bind(&intent.customer)
    .bind(&intent.customer_state)
    .bind(attribution.map_err(corrupt)?)
    .bind(intent.wallet.cash.minor())
    .bind(intent.wallet.promo.minor())
    .bind(intent.wallet.state.as_str())
    .bind(intent.created_at)
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_lines(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: &Intent,
    lines: &[Line],
) -> Result<()> {
    let text =
        |of: fn(&Line) -> Option<&str>| -> Vec<Option<&str>> { lines.iter().map(of).collect() };
    let minor = |of: fn(&Line) -> i64| -> Vec<i64> { lines.iter().map(of).collect() };
    let commission = |line: &Line| line.commission.map(|rate| rate.as_percent_string());
    sqlx::query(
        "insert into payments.line
             (tenant_id, intent_id, n, kind, vendor, item, category, quantity, contract,
              description, price, vendor_discount, platform_discount, amount, tax_amount,
              tax_percent, commission_percent)
         select $1, $2, l.*
         from unnest($3::smallint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
             $9::text[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
             $15::bigint[], $16::text[], $17::text[]) as l",
    )
    .bind(tenant.0)
    .bind(intent.id.uuid())
    .bind(lines.iter().map(|line| line.n).collect::<Vec<_>>())
    .bind(lines.iter().map(|line| line.kind.as_str()).collect::<Vec<_>>())
    .bind(text(|line| line.vendor.as_deref()))
    .bind(text(|line| line.item.as_deref()))
    .bind(text(|line| line.category.as_deref()))
    .bind(lines.iter().map(|line| line.quantity).collect::<Vec<_>>())
    .bind(text(|line| line.contract.as_deref()))
    .bind(text(|line| line.description.as_deref()))
    .bind(minor(|line| line.price.minor()))
    .bind(minor(|line| line.vendor_discount.minor()))
    .bind(minor(|line| line.platform_discount.minor()))
    .bind(minor(|line| line.amount.minor()))
    .bind(minor(|line| line.tax_amount.minor()))
    .bind(lines.iter().map(|line| line.tax.as_percent_string()).collect::<Vec<_>>())
    .bind(lines.iter().map(commission).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

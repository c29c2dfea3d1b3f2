//! Loading payments with everything that belongs to them, locked or not.

use std::collections::BTreeMap;

use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, Rate, TenantId};
use mizan_providers::ProviderRef;
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::super::intent::{
    Attempt, Fee, Intent, IntentState, Metadata, Payment, Refund, RefundState,
};
use super::super::line::{Delivery, Line, LineKind};
use super::super::wallet_part::{WalletPart, WalletState};
use super::dispute::disputes_of;
use super::parts::{given_from_json, parts_from_json};
use super::{Result, corrupt, currency, money, rate, word};

/// Locks intents in the order of their ids and loads them with everything that belongs to them,
/// in the same few statements whatever their number. Ids that are unknown are left out.
///
/// # Errors
/// The database.
pub async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[PaymentIntentId],
) -> Result<Vec<Payment>> {
    // A row that was waited for comes back as it is after the wait.
    let rows = sqlx::query(
        "select i.* from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.intent where tenant_id = $1 and id = w.id
             for no key update
         ) i",
    )
    .bind(tenant.0)
    .bind(uuids(ids))
    .fetch_all(&mut *conn)
    .await?;
    // Later statements: they see what the lock waited for.
    whole(conn, tenant, &rows).await
}

/// In order and each once: everybody locks in this order.
fn uuids(ids: &[PaymentIntentId]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Loads payments in the order of their ids. Ids that are unknown are left out.
///
/// # Errors
/// The database.
pub async fn load(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[PaymentIntentId],
) -> Result<Vec<Payment>> {
    let rows = sqlx::query(
        "select i.* from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.intent where tenant_id = $1 and id = w.id offset 0
         ) i",
    )
    .bind(tenant.0)
    .bind(uuids(ids))
    .fetch_all(&mut *conn)
    .await?;
    whole(conn, tenant, &rows).await
}

/// Payments of these rows, in the order of their ids.
async fn whole(
    conn: &mut PgConnection,
    tenant: TenantId,
    intents: &[PgRow],
) -> Result<Vec<Payment>> {
    let mut payments = BTreeMap::new();
    for row in intents {
        let intent = intent_from(row)?;
        payments.insert(intent.id.uuid(), Payment::bare(intent));
    }
    if payments.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = payments.keys().copied().collect();
    let rows = sqlx::query(
        "select o.* from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.line where tenant_id = $1 and intent_id = w.id offset 0
         ) o
         order by o.n",
    )
    .bind(tenant.0)
    .bind(&ids)
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        if let Some(payment) = payments.get_mut(&row.try_get::<Uuid, _>("intent_id")?) {
            let line = line_from(row, payment.intent.currency)?;
            payment.lines.push(line);
        }
    }
    let rows = sqlx::query(
        "select o.* from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.attempt where tenant_id = $1 and intent_id = w.id offset 0
         ) o
         order by o.id",
    )
    .bind(tenant.0)
    .bind(&ids)
    .fetch_all(&mut *conn)
    .await?;
    for row in &rows {
        if let Some(payment) = payments.get_mut(&row.try_get::<Uuid, _>("intent_id")?) {
            let attempt = attempt_from(row, payment.intent.currency)?;
            payment.attempts.push(attempt);
        }
    }
    add_refunds(conn, tenant, &ids, &mut payments).await?;
    for (intent, dispute) in disputes_of(conn, tenant, &ids).await? {
        if let Some(payment) = payments.get_mut(&intent) {
            payment.disputes.push(dispute);
        }
    }
    for payment in payments.values_mut() {
        payment.remember();
    }
    Ok(payments.into_values().collect())
}

async fn add_refunds(
    conn: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
    payments: &mut BTreeMap<Uuid, Payment>,
) -> Result<()> {
    let rows = sqlx::query(
        "select o.* from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.refund where tenant_id = $1 and intent_id = w.id offset 0
         ) o
         order by o.id",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(conn)
    .await?;
    for row in &rows {
        if let Some(payment) = payments.get_mut(&row.try_get::<Uuid, _>("intent_id")?) {
            payment.refunds.push(refund_from(row)?);
        }
    }
    Ok(())
}

fn metadata(row: &PgRow) -> Result<Metadata> {
    serde_json::from_value(row.try_get("metadata")?).map_err(corrupt)
}

fn intent_from(row: &PgRow) -> Result<Intent> {
    let currency = currency(row, "currency")?;
    let money = |column| money(row, column, currency);
    Ok(Intent {
        id: PaymentIntentId::from_uuid(row.try_get("id")?),
        currency,
        amount: money("amount")?,
        capture_method: word(row, "capture_method", |w| w.parse().ok())?,
        state: word(row, "state", IntentState::parse)?,
        authorised: money("authorised")?,
        captured: money("captured")?,
        voided: money("voided")?,
        refund_pending: money("refund_pending")?,
        refunded: money("refunded")?,
        disputed: money("disputed")?,
        lost: money("lost")?,
        unapplied: money("unapplied")?,
        description: row.try_get("description")?,
        order: row.try_get("order_id")?,
        customer: row.try_get("customer")?,
        customer_state: row.try_get("customer_state")?,
        attribution: match row.try_get::<Option<serde_json::Value>, _>("attribution")? {
            Some(value) => Some(serde_json::from_value(value).map_err(corrupt)?),
            None => None,
        },
        wallet: WalletPart {
            cash: money("wallet_cash")?,
            promo: money("wallet_promo")?,
            state: word(row, "wallet_state", WalletState::parse)?,
            cash_back: money("cash_back")?,
            promo_back: money("promo_back")?,
        },
        withheld: money("withheld")?,
        country: row.try_get("country")?,
        method: row.try_get("method")?,
        payment_method: row.try_get("payment_method")?,
        return_url: row.try_get("return_url")?,
        metadata: metadata(row)?,
        next_action: row.try_get("next_action")?,
        last_error: row.try_get("last_error")?,
        review_reason: row.try_get("review_reason")?,
        cancellation_reason: row.try_get("cancellation_reason")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn line_from(row: &PgRow, currency: Currency) -> Result<Line> {
    let money = |column| money(row, column, currency);
    let commission: Option<String> = row.try_get("commission_percent")?;
    let delivery: Option<String> = row.try_get("delivery")?;
    let deal: Option<serde_json::Value> = row.try_get("deal")?;
    Ok(Line {
        n: row.try_get("n")?,
        kind: word(row, "kind", LineKind::parse)?,
        vendor: row.try_get("vendor")?,
        item: row.try_get("item")?,
        category: row.try_get("category")?,
        quantity: row.try_get("quantity")?,
        contract: row.try_get("contract")?,
        description: row.try_get("description")?,
        price: money("price")?,
        vendor_discount: money("vendor_discount")?,
        platform_discount: money("platform_discount")?,
        amount: money("amount")?,
        tax_amount: money("tax_amount")?,
        tax: rate(row, "tax_percent")?,
        commission: commission.map(|it| Rate::percent(&it)).transpose().map_err(corrupt)?,
        captured: money("captured")?,
        coupon: money("coupon")?,
        captured_tax: money("tax")?,
        parts: parts_from_json(row.try_get("parts")?, currency)?,
        deal: deal.map(serde_json::from_value).transpose().map_err(corrupt)?,
        refunded: money("refunded")?,
        coupon_back: money("coupon_back")?,
        delivery: match delivery {
            Some(word) => Some(Delivery::parse(&word).ok_or_else(|| corrupt(word))?),
            None => None,
        },
        delivered_at: row.try_get("delivered_at")?,
        release_at: row.try_get("release_at")?,
        released_at: row.try_get("released_at")?,
        reserved: money("reserved")?,
        reserve_until: row.try_get("reserve_until")?,
    })
}

fn provider_ref(row: &PgRow, column: &str) -> Result<Option<ProviderRef>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(ProviderRef::parse).transpose().map_err(corrupt)
}

fn attempt_from(row: &PgRow, of: Currency) -> Result<Attempt> {
    let fee: Option<i64> = row.try_get("fee")?;
    let fee = match fee {
        None => None,
        Some(fee) => {
            let currency = currency(row, "fee_currency")?;
            Some(Fee {
                fee: Money::new(fee, currency),
                tax: money(row, "fee_tax", currency)?,
                reference: row.try_get("fee_ref")?,
            })
        }
    };
    Ok(Attempt {
        id: AttemptId::from_uuid(row.try_get("id")?),
        connection: row.try_get("connection")?,
        provider: word(row, "provider", |w| w.parse().ok())?,
        provider_ref: provider_ref(row, "provider_ref")?,
        charge_ref: provider_ref(row, "charge_ref")?,
        status: word(row, "status", |w| w.parse().ok())?,
        status_at: row.try_get("status_at")?,
        charge: money(row, "charge", of)?,
        captured: money(row, "captured", of)?,
        fee,
        sync_at: row.try_get("sync_at")?,
        syncs: row.try_get("syncs")?,
        route: row.try_get("route")?,
        created_at: row.try_get("created_at")?,
    })
}

fn refund_from(row: &PgRow) -> Result<Refund> {
    let currency = currency(row, "currency")?;
    let origin: String = row.try_get("origin")?;
    Ok(Refund {
        id: RefundId::from_uuid(row.try_get("id")?),
        attempt: row.try_get::<Option<Uuid>, _>("attempt_id")?.map(AttemptId::from_uuid),
        amount: money(row, "amount", currency)?,
        charge: money(row, "charge", currency)?,
        to_cash: money(row, "to_cash", currency)?,
        to_promo: money(row, "to_promo", currency)?,
        cash_part: money(row, "cash_part", currency)?,
        withheld: money(row, "withheld", currency)?,
        reason: row.try_get("reason")?,
        state: word(row, "state", RefundState::parse)?,
        status_at: row.try_get("status_at")?,
        origin: if origin == "gateway" { "gateway" } else { "api" },
        provider_ref: provider_ref(row, "provider_ref")?,
        failure_reason: row.try_get("failure_reason")?,
        parts: given_from_json(row.try_get("parts")?, currency)?,
        repays: row.try_get::<Option<Uuid>, _>("repays")?.map(RefundId::from_uuid),
        metadata: metadata(row)?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

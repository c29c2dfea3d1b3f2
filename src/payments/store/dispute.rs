//! Disputes: loaded and written back with their payments, and found by page.

use std::collections::BTreeMap;

use mizan_money::id::{AttemptId, DisputeId, PaymentIntentId};
use mizan_money::{Currency, Money, TenantId};
use mizan_providers::ProviderRef;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;

use super::parts::{given_from_json, given_to_json};
use super::query::Listing;
use super::{Result, corrupt, currency, money, word};
use crate::payments::dispute::{Booked, Dispute, DisputeState, Held, Row};
use crate::payments::error::PaymentError;
use crate::payments::intent::Payment;

/// A row of the gateway's balance. Amounts are minor units of the currencies beside them.
#[derive(Debug, Serialize, Deserialize)]
struct StoredRow {
    id: String,
    gross: (i64, Currency),
    fee: (i64, Currency),
}

/// What is held of a vendor's money, in minor units of the payment's currency.
#[derive(Debug, Serialize, Deserialize)]
struct StoredHeld {
    n: i16,
    vendor: String,
    from: String,
    amount: i64,
}

fn rows_to_json(rows: &[Row]) -> Result<serde_json::Value> {
    let pair = |money: Money| (money.minor(), money.currency());
    let stored =
        |row: &Row| StoredRow { id: row.id.clone(), gross: pair(row.gross), fee: pair(row.fee) };
    serde_json::to_value(rows.iter().map(stored).collect::<Vec<_>>()).map_err(corrupt)
}

fn rows_from_json(value: serde_json::Value) -> Result<Vec<Row>> {
    let stored: Vec<StoredRow> = serde_json::from_value(value).map_err(corrupt)?;
    let money = |(minor, currency)| Money::new(minor, currency);
    let row = |it: StoredRow| Row { id: it.id, gross: money(it.gross), fee: money(it.fee) };
    Ok(stored.into_iter().map(row).collect())
}

fn held_to_json(held: &[Held]) -> Result<serde_json::Value> {
    let stored = |it: &Held| StoredHeld {
        n: it.n,
        vendor: it.vendor.clone(),
        from: it.from.clone(),
        amount: it.amount.minor(),
    };
    serde_json::to_value(held.iter().map(stored).collect::<Vec<_>>()).map_err(corrupt)
}

fn held_from_json(value: serde_json::Value, of: Currency) -> Result<Vec<Held>> {
    let stored: Vec<StoredHeld> = serde_json::from_value(value).map_err(corrupt)?;
    let held = |it: StoredHeld| Held {
        n: it.n,
        vendor: it.vendor,
        from: it.from,
        amount: Money::new(it.amount, of),
    };
    Ok(stored.into_iter().map(held).collect())
}

/// The disputes of intents, each with its intent, oldest first.
///
/// # Errors
/// The database.
pub(super) async fn disputes_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    intents: &[Uuid],
) -> Result<Vec<(Uuid, Dispute)>> {
    let rows = sqlx::query(
        "select o.* from unnest($2::uuid[]) as w (id)
         cross join lateral (
             select * from payments.dispute where tenant_id = $1 and intent_id = w.id offset 0
         ) o
         order by o.id",
    )
    .bind(tenant.0)
    .bind(intents)
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((row.try_get("intent_id")?, dispute_from(row)?))).collect()
}

fn dispute_from(row: &PgRow) -> Result<Dispute> {
    let of = currency(row, "currency")?;
    let money = |column| money(row, column, of);
    let evidence: Option<serde_json::Value> = row.try_get("evidence")?;
    let charged: serde_json::Value = row.try_get("charged")?;
    let spread: serde_json::Value = row.try_get("spread")?;
    let provider_ref: String = row.try_get("provider_ref")?;
    Ok(Dispute {
        id: DisputeId::from_uuid(row.try_get("id")?),
        attempt: AttemptId::from_uuid(row.try_get("attempt_id")?),
        connection: row.try_get("connection")?,
        provider: word(row, "provider", |w| w.parse().ok())?,
        provider_ref: ProviderRef::parse(provider_ref).map_err(corrupt)?,
        state: word(row, "state", DisputeState::parse)?,
        status_at: row.try_get("status_at")?,
        status_rows: row.try_get("status_rows")?,
        amount: money("amount")?,
        reason: row.try_get("reason")?,
        evidence_due_by: row.try_get("evidence_due_by")?,
        evidence: evidence.map(serde_json::from_value).transpose().map_err(corrupt)?,
        evidence_sent_at: row.try_get("evidence_sent_at")?,
        accepted_at: row.try_get("accepted_at")?,
        entered_by: row.try_get("entered_by")?,
        decided_by: row.try_get("decided_by")?,
        rows: rows_from_json(row.try_get("rows")?)?,
        booked: word(row, "booked", Booked::parse)?,
        withdrawn: money("withdrawn")?,
        fee: Money::new(row.try_get("fee")?, currency(row, "fee_currency")?),
        taken: money("taken")?,
        rounding: money("rounding")?,
        spread: serde_json::from_value(spread).map_err(corrupt)?,
        parts: given_from_json(row.try_get("parts")?, of)?,
        held: held_from_json(row.try_get("held")?, of)?,
        charged: serde_json::from_value::<BTreeMap<String, i64>>(charged).map_err(corrupt)?,
        step: row.try_get("step")?,
        lost_step: row.try_get("lost_step")?,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

/// Writes back the disputes that changed, each whole: there are few of them.
///
/// # Errors
/// The database, also where a bound of the schema refuses an amount.
pub(super) async fn save_disputes(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
) -> Result<()> {
    for payment in payments {
        for dispute in payment.changed_disputes() {
            save_dispute(conn, tenant, payment.intent.id, dispute).await?;
        }
    }
    Ok(())
}

/// Writes one dispute. An id is made of its name and the moment, so that another payment may have
/// taken the same at the same time.
async fn save_dispute(
    conn: &mut PgConnection,
    tenant: TenantId,
    intent: PaymentIntentId,
    it: &Dispute,
) -> Result<()> {
    let saved = sqlx::query(
        "insert into payments.dispute
             (tenant_id, id, intent_id, attempt_id, connection, provider, provider_ref, state,
              status_at, status_rows, currency, amount, reason, evidence_due_by, evidence,
              evidence_sent_at, accepted_at, rows, booked, withdrawn, fee, fee_currency, taken,
              rounding, spread, parts, held, charged, step, lost_step, created_at, updated_at,
              entered_by, decided_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34)
         on conflict (tenant_id, id) do update
         set state = excluded.state, status_at = excluded.status_at,
             status_rows = excluded.status_rows, amount = excluded.amount,
             reason = excluded.reason, evidence_due_by = excluded.evidence_due_by,
             evidence = excluded.evidence, evidence_sent_at = excluded.evidence_sent_at,
             accepted_at = excluded.accepted_at, rows = excluded.rows, booked = excluded.booked,
             withdrawn = excluded.withdrawn, fee = excluded.fee,
             fee_currency = excluded.fee_currency, taken = excluded.taken,
             rounding = excluded.rounding, spread = excluded.spread, parts = excluded.parts,
             held = excluded.held, charged = excluded.charged, step = excluded.step,
             lost_step = excluded.lost_step, updated_at = excluded.updated_at,
             decided_by = excluded.decided_by
         where payments.dispute.intent_id = excluded.intent_id",
    )
    .bind(tenant.0)
    .bind(it.id.uuid())
    .bind(intent.uuid())
    .bind(it.attempt.uuid())
    .bind(&it.connection)
    .bind(it.provider.as_str())
    .bind(it.provider_ref.as_str())
    .bind(it.state.as_str())
    .bind(it.status_at)
    .bind(it.status_rows)
    .bind(it.amount.currency().code())
    .bind(it.amount.minor())
    .bind(&it.reason)
    .bind(it.evidence_due_by)
    .bind(it.evidence.as_ref().map(serde_json::to_value).transpose().map_err(corrupt)?)
    .bind(it.evidence_sent_at)
    .bind(it.accepted_at)
    .bind(rows_to_json(&it.rows)?)
    .bind(it.booked.as_str())
    .bind(it.withdrawn.minor())
    .bind(it.fee.minor())
    .bind(it.fee.currency().code())
    .bind(it.taken.minor())
    .bind(it.rounding.minor())
    .bind(serde_json::to_value(&it.spread).map_err(corrupt)?)
    .bind(given_to_json(&it.parts)?)
    .bind(held_to_json(&it.held)?)
    .bind(serde_json::to_value(&it.charged).map_err(corrupt)?)
    .bind(it.step)
    .bind(it.lost_step)
    .bind(it.created_at)
    .bind(it.updated_at)
    .bind(&it.entered_by)
    .bind(&it.decided_by)
    .execute(conn)
    .await?;
    match saved.rows_affected() {
        0 => Err(PaymentError::DisputeKnown { reference: it.provider_ref.to_string() }),
        _ => Ok(()),
    }
}

/// The intent a dispute belongs to.
///
/// # Errors
/// The database.
pub async fn dispute_owner(
    conn: &mut PgConnection,
    tenant: TenantId,
    dispute: DisputeId,
) -> Result<Option<PaymentIntentId>> {
    let owner: Option<Uuid> = sqlx::query_scalar(
        "select intent_id from payments.dispute where tenant_id = $1 and id = $2",
    )
    .bind(tenant.0)
    .bind(dispute.uuid())
    .fetch_optional(conn)
    .await?;
    Ok(owner.map(PaymentIntentId::from_uuid))
}

/// Whether a gateway's dispute is known already.
///
/// # Errors
/// The database.
pub async fn is_dispute_known(
    conn: &mut PgConnection,
    tenant: TenantId,
    connection: &str,
    theirs: &ProviderRef,
) -> Result<bool> {
    let known = sqlx::query_scalar(
        "select exists (
             select from payments.dispute
             where tenant_id = $1 and connection = $2 and provider_ref = $3
         )",
    )
    .bind(tenant.0)
    .bind(connection)
    .bind(theirs.as_str())
    .fetch_one(conn)
    .await?;
    Ok(known)
}

/// Disputes with their intents, newest first; going backwards they come oldest first. Those that
/// we gave in to are `accepted` until the gateway says what came of it.
///
/// # Errors
/// The database.
pub async fn disputes(
    conn: &mut PgConnection,
    tenant: TenantId,
    listing: Listing<'_>,
) -> Result<Vec<(PaymentIntentId, DisputeId)>> {
    let ids: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select intent_id, id from payments.dispute
         where tenant_id = $1
             and ($2::uuid is null or id < $2)
             and ($3::uuid is null or id > $3)
             and ($4::text is null or $4 = case
                 when accepted_at is not null and state in ('warning', 'needs_response')
                     then 'accepted' else state end)
             and ($5::uuid is null or intent_id = $5)
         order by case when $3::uuid is not null then id end, id desc
         limit $6",
    )
    .bind(tenant.0)
    .bind(listing.after)
    .bind(listing.before)
    .bind(listing.state)
    .bind(listing.intent)
    .bind(listing.limit)
    .fetch_all(conn)
    .await?;
    let ids = ids.into_iter();
    Ok(ids.map(|(i, d)| (PaymentIntentId::from_uuid(i), DisputeId::from_uuid(d))).collect())
}

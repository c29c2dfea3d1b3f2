//! Payouts as they stand, with what belongs to them.

use std::collections::BTreeMap;

use mizan_ledger::postings::Payee;
use mizan_money::id::{PayoutFileId, PayoutId, PayoutRunId, TransactionId};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row};
use uuid::Uuid;

use super::{Result, currency, money, payee_of};
use crate::payouts::convert::FxRate;
use crate::payouts::error::corrupt;
use crate::payouts::gates::Approval;
use crate::payouts::payout::{Conversion, Payout, State, Trouble};
use crate::payouts::reason::Reason;

/// What a payout pays, or what was taken off.
#[derive(Debug, Clone)]
pub struct Item {
    /// The kind of the transaction; `carried_in` and `carried_out` for what is of other payouts.
    pub kind: String,
    /// The thing it belongs to.
    pub source: String,
    /// Minor units; below zero what was taken off.
    pub amount: i64,
    /// The entry's number in the payee's account.
    pub seq: Option<i64>,
    /// The transaction.
    pub transaction: Option<TransactionId>,
    /// When it was true.
    pub effective_at: Option<Timestamp>,
}

/// One step of a payout.
#[derive(Debug, Clone)]
pub struct Step {
    /// Where it came to.
    pub state: String,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: String,
    /// What else was said.
    pub detail: Option<String>,
}

/// Which payouts are listed.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// How many at most.
    pub limit: i64,
    /// Older than this one.
    pub after: Option<PayoutId>,
    /// Newer than this one, nearest first.
    pub before: Option<PayoutId>,
    /// Of this payee.
    pub payee: Option<Payee>,
    /// In this state.
    pub state: Option<State>,
}

fn conversion(row: &PgRow) -> Result<Option<Conversion>> {
    let Some(rate) = row.try_get::<Option<String>, _>("rate")? else { return Ok(None) };
    let source: Option<String> = row.try_get("rate_source")?;
    let at: Option<Timestamp> = row.try_get("rate_at")?;
    Ok(Some(Conversion {
        rate: FxRate::parse(&rate).ok_or_else(|| corrupt(format!("rate `{rate}`")))?,
        source: source.unwrap_or_default(),
        at: at.ok_or_else(|| corrupt("a rate without a time"))?,
    }))
}

pub(super) fn payout_of(row: &PgRow) -> Result<Payout> {
    let word: String = row.try_get("state")?;
    let approval: Option<(String, i64)> =
        row.try_get::<Option<String>, _>("approved_by")?.zip(row.try_get("approved")?);
    let run: Option<Uuid> = row.try_get("run_id")?;
    let cut: Option<(i64, i64)> =
        row.try_get::<Option<i64>, _>("cut_from")?.zip(row.try_get("cut_to")?);
    let trouble = row.try_get::<Option<String>, _>("reason")?.map(|word| {
        let reason = Reason::of_word(&word).ok_or_else(|| corrupt(format!("reason `{word}`")))?;
        Ok::<_, crate::payouts::PayoutError>(Trouble { reason, code: row.try_get("reason_code")? })
    });
    Ok(Payout {
        id: PayoutId::from_uuid(row.try_get("id")?),
        payee: payee_of(row)?,
        state: State::parse(&word).ok_or_else(|| corrupt(format!("state `{word}`")))?,
        rail: row.try_get("rail")?,
        asked: row.try_get("asked")?,
        amount: Money::new(row.try_get("amount")?, currency(row, "currency")?),
        pays: Money::new(row.try_get("pay_amount")?, currency(row, "pay_currency")?),
        conversion: conversion(row)?,
        bank_version: row.try_get("bank_version")?,
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
        approval: approval.map(|(by, up_to)| Approval { by, up_to }),
        retry_of: row.try_get::<Option<Uuid>, _>("retry_of")?.map(PayoutId::from_uuid),
        run: run.map(PayoutRunId::from_uuid).zip(row.try_get("on_day")?),
        file: row.try_get::<Option<Uuid>, _>("file_id")?.map(PayoutFileId::from_uuid),
        cut,
        reserved_at: row.try_get("reserved_at")?,
        submitted_at: row.try_get("submitted_at")?,
        paid_at: row.try_get("paid_at")?,
        ended_at: row.try_get("ended_at")?,
        till: row.try_get("till")?,
        cost: money(row, "cost", "cost_currency")?,
        fee: money(row, "fee", "fee_currency")?,
        trouble: trouble.transpose()?,
    })
}

/// One payout; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn payout(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PayoutId,
) -> Result<Option<Payout>> {
    let row = sqlx::query("select * from payouts.payout where tenant_id = $1 and id = $2");
    let row = row.bind(tenant.0).bind(id.uuid()).fetch_optional(conn).await?;
    row.as_ref().map(payout_of).transpose()
}

/// The same, locked. Its payee is locked before.
///
/// # Errors
/// The database.
pub async fn lock_payout(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PayoutId,
) -> Result<Option<Payout>> {
    let row = sqlx::query(
        "select * from payouts.payout where tenant_id = $1 and id = $2 for no key update",
    );
    let row = row.bind(tenant.0).bind(id.uuid()).fetch_optional(conn).await?;
    row.as_ref().map(payout_of).transpose()
}

/// Payouts, newest first; before one the nearest first.
///
/// # Errors
/// The database.
pub async fn payouts(
    conn: &mut PgConnection,
    tenant: TenantId,
    listing: &Listing,
) -> Result<Vec<Payout>> {
    let order = if listing.before.is_some() { "asc" } else { "desc" };
    let rows = sqlx::query(AssertSqlSafe(format!(
        "select * from payouts.payout
         where tenant_id = $1 and ($2::uuid is null or id < $2) and ($3::uuid is null or id > $3)
             and ($4::text is null or (kind = $4 and payee = $5))
             and ($6::text is null or state = $6)
         order by id {order}
         limit $7"
    )))
    .bind(tenant.0)
    .bind(listing.after.map(PayoutId::uuid))
    .bind(listing.before.map(PayoutId::uuid))
    .bind(listing.payee.as_ref().map(Payee::kind))
    .bind(listing.payee.as_ref().map(Payee::id))
    .bind(listing.state.map(State::as_str))
    .bind(listing.limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(payout_of).collect()
}

/// The payouts of a run, in the order of their payees.
///
/// # Errors
/// The database.
pub async fn payouts_of_run(
    conn: &mut PgConnection,
    tenant: TenantId,
    run: PayoutRunId,
) -> Result<Vec<Payout>> {
    let rows = sqlx::query(
        "select * from payouts.payout where tenant_id = $1 and run_id = $2
         order by kind, payee, currency",
    );
    let rows = rows.bind(tenant.0).bind(run.uuid()).fetch_all(conn).await?;
    rows.iter().map(payout_of).collect()
}

/// The payouts of a file, in the order in which it lists them.
///
/// # Errors
/// The database.
pub(super) async fn of_file(
    conn: &mut PgConnection,
    tenant: TenantId,
    file: PayoutFileId,
) -> Result<Vec<Payout>> {
    let rows = sqlx::query(
        "select * from payouts.payout where tenant_id = $1 and file_id = $2
         order by pay_currency, kind, payee, id",
    );
    let rows = rows.bind(tenant.0).bind(file.uuid()).fetch_all(conn).await?;
    rows.iter().map(payout_of).collect()
}

/// Up to which entry the payouts of a payee have itemised its account; zero before the first.
///
/// # Errors
/// The database.
pub async fn last_cut(
    conn: &mut PgConnection,
    tenant: TenantId,
    payee: &Payee,
    currency: Currency,
) -> Result<i64> {
    let cut = sqlx::query_scalar(
        "select coalesce(max(cut_to), 0) from payouts.payout
         where tenant_id = $1 and kind = $2 and payee = $3 and currency = $4::char(3)",
    );
    let cut = cut.bind(tenant.0).bind(payee.kind()).bind(payee.id()).bind(currency.code());
    Ok(cut.fetch_one(conn).await?)
}

/// The gates of a payout as they were seen last, in the order in which they are looked at.
///
/// # Errors
/// The database.
pub async fn gates(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PayoutId,
) -> Result<Vec<(String, bool, String, Timestamp)>> {
    let rows = sqlx::query_as(
        "select gate, passed, reason, checked_at from payouts.gate
         where tenant_id = $1 and payout_id = $2
         order by array_position(array['kyc', 'bank_details', 'cooling_time', 'blocks', 'debt',
             'funds', 'minimum', 'limit', 'approval'], gate)",
    );
    Ok(rows.bind(tenant.0).bind(id.uuid()).fetch_all(conn).await?)
}

/// What a payout pays.
///
/// # Errors
/// The database.
pub async fn items(conn: &mut PgConnection, tenant: TenantId, id: PayoutId) -> Result<Vec<Item>> {
    let rows = sqlx::query(
        "select kind, source, amount, seq, transaction_id, effective_at from payouts.item
         where tenant_id = $1 and payout_id = $2
         order by n",
    );
    let rows = rows.bind(tenant.0).bind(id.uuid()).fetch_all(conn).await?;
    let item = |row: &PgRow| {
        let transaction: Option<Uuid> = row.try_get("transaction_id")?;
        Ok(Item {
            kind: row.try_get("kind")?,
            source: row.try_get("source")?,
            amount: row.try_get("amount")?,
            seq: row.try_get("seq")?,
            transaction: transaction.map(TransactionId::from_uuid),
            effective_at: row.try_get("effective_at")?,
        })
    };
    rows.iter().map(item).collect()
}

/// In which payout each of these transactions is paid: the newest that itemises it. Those that
/// are in none are left out.
///
/// # Errors
/// The database.
pub async fn paid_in(
    conn: &mut PgConnection,
    tenant: TenantId,
    transactions: &[TransactionId],
) -> Result<BTreeMap<TransactionId, (PayoutId, State)>> {
    let rows: Vec<(Uuid, Uuid, String)> = sqlx::query_as(
        "select distinct on (i.transaction_id) i.transaction_id, p.id, p.state
         from payouts.item i
         join payouts.payout p on p.tenant_id = i.tenant_id and p.id = i.payout_id
         where i.tenant_id = $1 and i.transaction_id = any($2)
         order by i.transaction_id, p.id desc",
    )
    .bind(tenant.0)
    .bind(transactions.iter().map(|it| it.uuid()).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let found = |(transaction, id, word): (Uuid, Uuid, String)| {
        let state = State::parse(&word).ok_or_else(|| corrupt(format!("state `{word}`")))?;
        Ok((TransactionId::from_uuid(transaction), (PayoutId::from_uuid(id), state)))
    };
    rows.into_iter().map(found).collect()
}

/// What became of a payout.
///
/// # Errors
/// The database.
pub async fn steps(conn: &mut PgConnection, tenant: TenantId, id: PayoutId) -> Result<Vec<Step>> {
    let rows: Vec<(String, Timestamp, String, Option<String>)> = sqlx::query_as(
        "select state, at, actor, detail from payouts.step
         where tenant_id = $1 and payout_id = $2
         order by n",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_all(conn)
    .await?;
    let step = |(state, at, actor, detail)| Step { state, at, actor, detail };
    Ok(rows.into_iter().map(step).collect())
}

/// A payout, what it is a new attempt of, and what is a new attempt of it, oldest first.
///
/// # Errors
/// The database.
pub async fn attempts(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PayoutId,
) -> Result<Vec<Payout>> {
    let rows = sqlx::query(
        "with recursive earlier as (
             select id, retry_of from payouts.payout where tenant_id = $1 and id = $2
             union all
             select p.id, p.retry_of from earlier
             join payouts.payout p on p.tenant_id = $1 and p.id = earlier.retry_of
         ), later as (
             select id from payouts.payout where tenant_id = $1 and id = $2
             union all
             select p.id from later
             join payouts.payout p on p.tenant_id = $1 and p.retry_of = later.id
         )
         select * from payouts.payout
         where tenant_id = $1
             and id in (select id from earlier union select id from later)
         order by id",
    );
    let rows = rows.bind(tenant.0).bind(id.uuid()).fetch_all(conn).await?;
    rows.iter().map(payout_of).collect()
}

/// The newest rate that was stored for a conversion, where rates are kept at all.
///
/// # Errors
/// The database.
pub async fn newest_rate(
    conn: &mut PgConnection,
    tenant: TenantId,
    (of, into): (Currency, Currency),
    now: Timestamp,
) -> Result<Option<Conversion>> {
    let kept: bool = sqlx::query_scalar("select to_regclass('finance.fx_rate') is not null")
        .fetch_one(&mut *conn)
        .await?;
    if !kept {
        return Ok(None);
    }
    let row: Option<(String, String, Timestamp)> = sqlx::query_as(
        "select rate, source, at from finance.fx_rate
         where tenant_id = $1 and base = $2::char(3) and quote = $3::char(3) and at <= $4
         order by at desc, id desc
         limit 1",
    )
    .bind(tenant.0)
    .bind(into.code())
    .bind(of.code())
    .bind(now)
    .fetch_optional(conn)
    .await?;
    let Some((rate, source, at)) = row else { return Ok(None) };
    let rate = FxRate::parse(&rate).ok_or_else(|| corrupt(format!("rate `{rate}`")))?;
    Ok(Some(Conversion { rate, source, at }))
}

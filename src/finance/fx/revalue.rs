//! Values an open position at the end of a day, and takes it back on the next.

use chrono::{NaiveDate, TimeDelta};
use mizan_ledger::postings::FxRevalued;
use mizan_ledger::{Authority, PostingKey, TransactionKind, read};
use mizan_money::{Currency, FxRate, Money, TenantId, Timestamp, TransactionId};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{FxRateId, FxRevaluationId, store};
use crate::finance::error::FinanceError;
use crate::finance::record::{By, Move, record, transaction};

type Result<T> = std::result::Result<T, FinanceError>;

const REVALUED: &str = "fx.revalued";
const REVERSED: &str = "fx.revaluation_reversed";

/// A position to be valued.
#[derive(Debug, Clone, Copy)]
pub struct NewRevaluation {
    /// The currency of the position.
    pub currency: Currency,
    /// The currency of the books.
    pub into: Currency,
    /// At the end of which day, in the tenant's time zone.
    pub on: NaiveDate,
    /// The closing rate; else the newest that is kept for that day.
    pub rate: Option<FxRate>,
}

/// By which rate it was valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevaluedAt {
    /// What one unit costs.
    pub rate: FxRate,
    /// Where it is kept, if it is.
    pub stored: Option<FxRateId>,
}

/// A position that was valued.
#[derive(Debug, Clone)]
pub struct Revaluation {
    /// Its id.
    pub id: FxRevaluationId,
    /// At the end of which day.
    pub on: NaiveDate,
    /// By which rate.
    pub at: RevaluedAt,
    /// What is open: above zero it is had, below zero it is owed.
    pub position: Money,
    /// What it cost.
    pub book: Money,
    /// What it is worth.
    pub value: Money,
    /// The value less the cost.
    pub difference: Money,
    /// What was posted and what takes it back; nothing where there is no difference.
    pub posted: Option<(TransactionId, TransactionId)>,
    /// When it was done.
    pub created_at: Timestamp,
    /// With which key.
    pub created_by: String,
}

/// Values a position, books the difference and its reversal, and announces both.
///
/// # Errors
/// A day that is not over or is closed, one that was valued before, no rate; the database.
pub async fn revalue(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    new: &NewRevaluation,
    by: &str,
) -> Result<Revaluation> {
    let ends_at = read::day_ends(conn, tenant, new.on).await?;
    if now < ends_at {
        let message = format!("{} is not over before {}", new.on, ends_at.to_rfc3339());
        return Err(FinanceError::invalid("on", message));
    }
    // Two of one pair wait for each other here, and the second sees what the first did.
    store::lock_pair(conn, tenant, new.currency, new.into).await?;
    if store::is_revalued(conn, tenant, new).await? {
        let (currency, into, on) = (new.currency, new.into, new.on);
        let what = format!("{currency} was valued in {into} at the end of {on} before");
        return Err(FinanceError::ReferenceReused { param: "on", what });
    }
    let at = rate_of(conn, tenant, new, ends_at).await?;
    let pair = (new.currency, new.into);
    let found = read::fx_position(conn, tenant, pair, ends_at).await?;

    let value = at.rate.convert(found.open, new.into)?;
    let difference = value.checked_sub(found.book)?;
    let mut revaluation = Revaluation {
        id: FxRevaluationId::generate(now),
        on: new.on,
        at,
        position: found.open,
        book: found.book,
        value,
        difference,
        posted: None,
        created_at: now,
        created_by: by.to_owned(),
    };
    if !difference.is_zero() {
        revaluation.posted = Some(post_both(conn, tenant, now, &revaluation, ends_at).await?);
    }
    store::insert_revaluation(conn, tenant, &revaluation).await?;
    Ok(revaluation)
}

/// The rate that was named, or the newest that is kept for the day.
async fn rate_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    new: &NewRevaluation,
    ends_at: Timestamp,
) -> Result<RevaluedAt> {
    if let Some(rate) = new.rate {
        return Ok(RevaluedAt { rate, stored: None });
    }
    let last = ends_at - TimeDelta::microseconds(1);
    let found = store::newest_rate(conn, tenant, new.currency, new.into, last).await?;
    let found = found.ok_or_else(|| FinanceError::UnknownReference {
        param: "rate",
        message: format!(
            "no rate of {} in {} is kept for {} or before: name one, or add it",
            new.currency, new.into, new.on
        ),
    })?;
    Ok(RevaluedAt { rate: found.says.rate, stored: Some(found.id) })
}

/// Posts the difference at the last moment of the day, and its reversal at the next.
async fn post_both(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    told: &Revaluation,
    ends_at: Timestamp,
) -> Result<(TransactionId, TransactionId)> {
    let (id, by) = (told.id.to_string(), told.created_by.as_str());
    let posting = FxRevalued { difference: told.difference }.posting()?;
    let effective_at = ends_at - TimeDelta::microseconds(1);
    let whose = By { source: id.clone(), actor: by, effective_at };
    let revalued = Move {
        transaction: transaction(REVALUED, format!("{id}:revalued"), whose, posting)?,
        event: REVALUED,
        object: id.clone(),
        payload: payload(told),
    };
    let first = record(conn, tenant, now, vec![revalued]).await?;
    let first = first.first().ok_or_else(|| FinanceError::corrupt("nothing posted"))?.id;

    let original = read::transaction(conn, tenant, first).await?;
    let original =
        original.ok_or_else(|| FinanceError::corrupt(format!("{first} is not there")))?;
    let key = PostingKey::new(format!("{id}:reversed"))?;
    let kind = TransactionKind::new(REVERSED)?;
    let back = original.reversal(key, kind, Authority::Command, ends_at, by.to_owned())?;
    let reversed =
        Move { transaction: back, event: REVERSED, object: id.clone(), payload: payload(told) };
    let second = record(conn, tenant, now, vec![reversed]).await?;
    let second = second.first().ok_or_else(|| FinanceError::corrupt("nothing posted"))?.id;
    Ok((first, second))
}

fn payload(told: &Revaluation) -> Value {
    json!({
        "revaluation": told.id, "on": told.on, "currency": told.position.currency(),
        "into": told.book.currency(), "rate": told.at.rate.to_string(),
        "position": told.position.minor(), "book": told.book.minor(),
        "value": told.value.minor(), "difference": told.difference.minor(),
    })
}

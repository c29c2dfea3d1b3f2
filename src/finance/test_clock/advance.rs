//! Moves a tenant's clock forwards.

use chrono::TimeDelta;
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::store;
use crate::db::DbError;
use crate::finance::error::FinanceError;
use crate::jobs;

/// The furthest that a tenant may be ahead: ten years.
const AHEAD_MAX: TimeDelta = TimeDelta::days(3_660);
/// The rule of the database that keeps real money out.
const PLAY_MONEY_ONLY: &str = "test_clock_is_for_play_money";

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// By so much.
    By(TimeDelta),
    /// To this moment.
    To(Timestamp),
}

/// A tenant's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TestClock {
    /// The time it is for the tenant.
    pub now: Timestamp,
    /// How far that is ahead of everybody's.
    pub ahead: TimeDelta,
    /// When it was moved last, by itself; none where it never was.
    pub moved_at: Option<Timestamp>,
}

/// A tenant's clock, given everybody's time.
///
/// # Errors
/// The database.
pub async fn read(
    conn: &mut PgConnection,
    tenant: TenantId,
    real: Timestamp,
) -> Result<TestClock, FinanceError> {
    let found = store::find(conn, tenant).await?;
    let (ahead, moved_at) = match found {
        Some((micros, moved_at)) => (TimeDelta::microseconds(micros), Some(moved_at)),
        None => (TimeDelta::zero(), None),
    };
    Ok(TestClock { now: real + ahead, ahead, moved_at })
}

/// Moves a tenant's clock forwards, given everybody's time, and makes the months of the journal
/// that it will be in. Whoever commits this lets the jobs run then.
///
/// # Errors
/// A tenant that has to do with real money; not forwards; too far; the database.
pub async fn advance(
    conn: &mut PgConnection,
    tenant: TenantId,
    real: Timestamp,
    how: Advance,
    by: &str,
) -> Result<TestClock, FinanceError> {
    store::make(conn, tenant, real, by).await.map_err(explain)?;
    let before = TimeDelta::microseconds(store::lock(conn, tenant).await?);
    let ahead = match how {
        Advance::By(more) => before.checked_add(&more),
        Advance::To(moment) => Some(moment - real),
    };
    let param = if matches!(how, Advance::By(_)) { "seconds" } else { "to" };
    let ahead = ahead.filter(|ahead| *ahead <= AHEAD_MAX).ok_or_else(|| {
        FinanceError::invalid(param, "a test clock is at most ten years ahead of the real time")
    })?;
    if ahead <= before {
        let now = (real + before).to_rfc3339();
        let message = format!("a test clock only goes forwards, and it is {now}");
        return Err(FinanceError::invalid(param, message));
    }
    let now = real + ahead;
    jobs::make_partitions(conn, now).await?;
    let micros = ahead.num_microseconds().unwrap_or_default();
    store::set(conn, tenant, micros, now, by).await.map_err(explain)?;
    Ok(TestClock { now, ahead, moved_at: Some(now) })
}

fn explain(error: DbError) -> FinanceError {
    match error.constraint() {
        Some(PLAY_MONEY_ONLY) => FinanceError::NotAllowed {
            message: "this marketplace has keys for real money: its time is everybody's. Use one \
                      that has test keys only"
                .to_owned(),
        },
        _ => error.into(),
    }
}

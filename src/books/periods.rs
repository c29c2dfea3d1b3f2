//! Closes days and sums days up: what the books do with time.

use chrono::NaiveDate;
use mizan_ledger::day_delta::{end_day, fold_day};
use mizan_ledger::period::{self, Closing, Period};
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::error::BooksError;
use crate::app::App;
use crate::db::work;
use crate::payments::PaymentError;

/// The most days that are summed up for one tenant in one turn of the job.
const DAYS_PER_TURN: usize = 100;

/// Whether closing changed anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The days are closed since now.
    Made,
    /// They were closed before.
    None,
}

/// Closes all days up to and with `through`.
///
/// # Errors
/// [`BooksError::NotOver`] while the last of them goes on; the database.
pub async fn close(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    through: NaiveDate,
    by: &str,
) -> Result<(Change, Period), BooksError> {
    match period::close(conn, tenant, now, through, by).await? {
        Closing::Closed(period) => Ok((Change::Made, period)),
        Closing::ClosedBefore(period) => Ok((Change::None, period)),
        Closing::NotOver { ends_at } => Err(BooksError::NotOver { day: through, ends_at }),
    }
}

/// Sums up every day of recording that is over; answers how many there were. Safe to repeat,
/// and to be cut off at any point: a day is summed up whole or not at all.
///
/// # Errors
/// The database.
pub async fn fold_days(app: &App) -> Result<usize, PaymentError> {
    let mut folded = 0;
    for tenant in app.db.tenant_ids().await? {
        let now = app.now_for(tenant);
        for _ in 0..DAYS_PER_TURN {
            let ended = app.db.transaction("end_day", tenant, |tx| {
                work(async move { Ok::<_, PaymentError>(end_day(tx, tenant, now).await?) })
            });
            let Some(ended) = ended.await? else { break };
            let day = app.db.transaction("fold_day", tenant, |tx| {
                work(async move { Ok::<_, PaymentError>(fold_day(tx, tenant, ended).await?) })
            });
            if let Some(day) = day.await? {
                folded += 1;
                tracing::info!(%tenant, day = %day.day, sums = day.sums, "day summed up");
            }
        }
    }
    Ok(folded)
}

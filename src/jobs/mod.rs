//! Jobs: what the service does by itself, again and again.
//!
//! | job | every | safe to repeat because |
//! |---|---|---|
//! | sweep operations and fees | 5 s | what is due is postponed in the transaction that reads it |
//! | retry parked webhooks | 10 s | a delivery is locked while it is tried |
//! | make partitions ahead | 1 h | what exists is left alone |
//!
//! Each job reads the service's clock, so a clock set by hand decides what is due. A job that
//! fails says so and runs again at its next time; it never ends the service.

use std::time::Duration;

use chrono::Months;
use tokio::task::JoinSet;

use crate::app::App;
use crate::db::work;
use crate::inbox::retry_parked;
use crate::payments::PaymentError;
use crate::payments::sweep::sweep;

/// How many months of partitions are kept ready ahead.
const MONTHS_AHEAD: u32 = 2;

/// The jobs that are running. Dropping it stops them.
pub struct Jobs {
    /// Stops its tasks when it is dropped.
    _tasks: JoinSet<()>,
}

/// Starts all jobs.
pub fn spawn(app: &App) -> Jobs {
    let mut tasks = JoinSet::new();
    let (a, b, c) = (app.clone(), app.clone(), app.clone());
    every(&mut tasks, "sweep", Duration::from_secs(5), move || {
        let app = a.clone();
        async move { sweep(&app).await.map(drop).map_err(|error| error.to_string()) }
    });
    every(&mut tasks, "retry_parked", Duration::from_secs(10), move || {
        let app = b.clone();
        async move { retry_parked(&app).await.map(drop).map_err(|error| error.to_string()) }
    });
    every(&mut tasks, "ensure_partitions", Duration::from_secs(3_600), move || {
        let app = c.clone();
        async move { ensure_partitions(&app).await.map(drop).map_err(|error| error.to_string()) }
    });
    Jobs { _tasks: tasks }
}

/// Runs a job again and again, each turn in a task of its own, so that one that panics is run
/// again like one that fails.
fn every<F, T>(tasks: &mut JoinSet<()>, job: &'static str, period: Duration, turn: F)
where
    F: Fn() -> T + Send + 'static,
    T: Future<Output = Result<(), String>> + Send + 'static,
{
    tasks.spawn(async move {
        let mut times = tokio::time::interval(period);
        loop {
            times.tick().await;
            let failed = match tokio::spawn(turn()).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(panic) => panic.to_string(),
            };
            tracing::warn!(job, error = %failed, "failed; it runs again at its next time");
        }
    });
}

/// Runs every job once, as of the clock now.
///
/// # Errors
/// The database could not be read; single items that fail are reported and left for later.
pub async fn tick(app: &App) -> Result<(), crate::inbox::InboxError> {
    ensure_partitions(app).await?;
    sweep(app).await?;
    retry_parked(app).await?;
    Ok(())
}

/// Makes sure that the journal has partitions from last month to two months ahead.
///
/// # Errors
/// The database.
pub async fn ensure_partitions(app: &App) -> Result<i32, PaymentError> {
    let now = app.clock.now();
    let from = now.checked_sub_months(Months::new(1)).unwrap_or(now);
    let to = now.checked_add_months(Months::new(MONTHS_AHEAD)).unwrap_or(now);
    let mut made = 0;
    if let Some(tenant) = app.db.tenant_ids().await?.first().copied() {
        made = app
            .db
            .transaction("ensure_partitions", tenant, |tx| {
                work(async move {
                    Ok::<_, PaymentError>(mizan_ledger::ensure_partitions(tx, from, to).await?)
                })
            })
            .await?;
    }
    Ok(made)
}

//! Jobs: what the service does by itself, again and again.
//!
//! | job | every | safe to repeat because |
//! |---|---|---|
//! | sweep operations and fees | 5 s | what is due is postponed in the transaction that reads it |
//! | retry parked webhooks | 10 s | a delivery is locked while it is tried |
//! | release vendors' parts and reserves | 30 s | a line is locked, and marked as released |
//! | pay out over gateways | 5 s | asked again under the same key only |
//! | run the payouts of the day | 5 min | one payout for each payee, currency and day |
//! | make partitions ahead | 1 h | what exists is left alone |
//! | prove the books | 1 min, once a night from 02:30 UTC | it reads, and marks what it proved |
//! | vest and end promo credits | 30 s | each lot is locked, and looked at again |
//! | release commissions of affiliates | 30 s | the same |
//! | write down when keys were used, forget old rates | 1 min | the latest time counts |
//! | sum up days that are over | 10 min | a day is summed up whole or not at all |
//!
//! Each job asks the service's clock what time it is for a tenant, so a clock set by hand or a
//! test clock decides what is due. A job that fails says so and runs again at its next time; it
//! never ends the service.

mod nightly;

use std::fmt;
use std::time::Duration;

use chrono::Months;
use mizan_ledger::LedgerError;
use mizan_money::Timestamp;
use sqlx::PgConnection;
use tokio::task::JoinSet;

use crate::app::App;
use crate::books::fold_days;
use crate::db::work;
use crate::finance::test_clock;
use crate::inbox::retry_parked;
use crate::payments::PaymentError;
use crate::payments::sweep::sweep;
use crate::vendors::release_due;

pub use nightly::Nightly;

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
    let seconds = Duration::from_secs;
    every(&mut tasks, app, "sweep", seconds(5), |app| async move { sweep(&app).await.map(drop) });
    every(&mut tasks, app, "retry_parked", seconds(10), |app| async move {
        retry_parked(&app).await.map(drop)
    });
    every(&mut tasks, app, "release", seconds(30), |app| async move {
        release_due(&app).await.map(drop)
    });
    every(&mut tasks, app, "payouts", seconds(5), |app| async move {
        crate::payouts::sweep(&app).await.map(drop)
    });
    every(&mut tasks, app, "payout_run", seconds(300), |app| async move {
        crate::payouts::run_today(&app).await.map(drop)
    });
    every(&mut tasks, app, "ensure_partitions", seconds(3_600), |app| async move {
        ensure_partitions(&app).await.map(drop)
    });
    every(&mut tasks, app, "fold_days", seconds(600), |app| async move {
        fold_days(&app).await.map(drop)
    });
    every(&mut tasks, app, "wallets", seconds(30), |app| async move {
        crate::wallets::run(&app).await.map(drop)
    });
    every(&mut tasks, app, "affiliates", seconds(30), |app| async move {
        crate::affiliates::run(&app).await.map(drop)
    });
    every(&mut tasks, app, "keys_used", seconds(60), |app| async move {
        app.rates.forget();
        app.keys.write_used().await
    });
    let nightly = Nightly::default();
    every(&mut tasks, app, "prove", seconds(60), move |app| {
        let nightly = nightly.clone();
        async move { nightly.run(&app).await.map(drop) }
    });
    Jobs { _tasks: tasks }
}

/// Runs a job again and again, each turn in a task of its own, so that one that panics is run
/// again like one that fails.
fn every<F, T, E>(tasks: &mut JoinSet<()>, app: &App, job: &'static str, period: Duration, turn: F)
where
    F: Fn(App) -> T + Send + 'static,
    T: Future<Output = Result<(), E>> + Send + 'static,
    E: fmt::Display + Send + 'static,
{
    let app = app.clone();
    tasks.spawn(async move {
        let mut times = tokio::time::interval(period);
        loop {
            times.tick().await;
            if let Err(error) = test_clock::hear_all(&app).await {
                tracing::warn!(job, %error, "test clocks were not heard");
            }
            let failed = match tokio::spawn(turn(app.clone())).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
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
    test_clock::hear_all(app).await?;
    ensure_partitions(app).await?;
    run_due(app).await?;
    app.keys.write_used().await?;
    Nightly::default().run(app).await?;
    Ok(())
}

/// Runs once every job that does what is due: what a tenant waits for whose clock was moved.
///
/// # Errors
/// The database could not be read; single items that fail are reported and left for later.
pub async fn run_due(app: &App) -> Result<(), crate::inbox::InboxError> {
    sweep(app).await?;
    retry_parked(app).await?;
    release_due(app).await?;
    crate::wallets::run(app).await?;
    crate::affiliates::run(app).await?;
    crate::payouts::run_today(app).await?;
    crate::payouts::sweep(app).await?;
    fold_days(app).await?;
    Ok(())
}

/// What a service whose clock is set by hand does after each move, because its jobs go by the
/// machine's: it makes the months that it may be in now.
///
/// # Errors
/// The database.
pub async fn clock_moved(app: &App) -> Result<(), PaymentError> {
    ensure_partitions(app).await.map(drop)
}

/// Makes sure that the journal has partitions from last month to two months ahead, of the time
/// that it is and of each time that a tenant may be in.
///
/// # Errors
/// The database.
pub async fn ensure_partitions(app: &App) -> Result<i32, PaymentError> {
    let Some(tenant) = app.db.tenant_ids().await?.first().copied() else { return Ok(0) };
    let times = &app.clock.times();
    app.db
        .transaction("ensure_partitions", tenant, |tx| {
            work(async move {
                let mut made = 0;
                for now in times {
                    made += make_partitions(tx, *now).await?;
                }
                Ok::<_, PaymentError>(made)
            })
        })
        .await
}

/// Makes the journal's partitions around a time, in the caller's transaction.
///
/// # Errors
/// The database.
pub async fn make_partitions(conn: &mut PgConnection, now: Timestamp) -> Result<i32, LedgerError> {
    let from = now.checked_sub_months(Months::new(1)).unwrap_or(now);
    let to = now.checked_add_months(Months::new(MONTHS_AHEAD)).unwrap_or(now);
    mizan_ledger::ensure_partitions(conn, from, to).await
}

//! The pool of connections, and named transactions that are retried when they lose a race.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use mizan_money::TenantId;
use rand::Rng;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tracing::Instrument;
use tracing::log::LevelFilter;

use super::open::Open;
use super::{DbError, Retry, Retryable, SchemaState, migrate, store};
use crate::clock::Monotonic;

/// What a use case receives: a connection inside a transaction that it cannot end.
pub type Tx = PgConnection;

/// How often one transaction is run at most.
const ATTEMPTS_MAX: u32 = 5;
/// No further run starts after this long: the caller is waiting.
const RETRY_TIME_MAX: Duration = Duration::from_secs(8);
/// A connection that was idle for this long is tried before it is given out.
const IDLE_BEFORE_TEST: Duration = Duration::from_secs(1);

/// Bounds on connections and on every wait for the database.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// Connections at most.
    pub connections_max: u32,
    /// How long to wait for a connection.
    pub acquire: Duration,
    /// How long one statement may run.
    pub statement: Duration,
    /// How long a statement may wait for a lock.
    pub lock: Duration,
    /// How long a transaction may sit between two statements.
    pub idle_in_transaction: Duration,
}

impl Default for DbOptions {
    fn default() -> Self {
        Self {
            connections_max: 20,
            acquire: Duration::from_secs(3),
            statement: Duration::from_secs(15),
            lock: Duration::from_secs(3),
            idle_in_transaction: Duration::from_secs(30),
        }
    }
}

/// What a transaction does: a future that may use the connection (`'t`) and whatever the
/// caller's scope lends it (`'env`). Made by [`work`].
pub struct Work<'t, 'env: 't, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 't>>,
    borrows: PhantomData<&'t &'env ()>,
}

/// Wraps what a transaction does: `|tx| work(async move { refund(tx, id, now).await })`.
pub fn work<'t, 'env: 't, T>(future: impl Future<Output = T> + Send + 't) -> Work<'t, 'env, T> {
    Work { future: Box::pin(future), borrows: PhantomData }
}

impl<T> Future for Work<'_, '_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.future.as_mut().poll(cx)
    }
}

/// The service's door to PostgreSQL, as the limited role. Clones share the connections.
#[derive(Clone)]
pub struct Db {
    pool: PgPool,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

/// In what a closure runs.
#[derive(Clone, Copy)]
enum Frame {
    Write(TenantId),
    Read(TenantId),
    /// No transaction and no tenant: one statement, one round trip.
    Bare,
}

impl Db {
    /// Opens the pool without waiting for the server, so that a service can start, and say that
    /// it is not ready, while its database is away. Every connection works as `mizan_service`
    /// within the bounds of `options`.
    ///
    /// # Errors
    /// [`DbError::Other`] for an address that cannot be read.
    pub fn open(url: &str, options: &DbOptions) -> Result<Self, DbError> {
        let settings: Arc<str> = store::session_settings(options).into();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections_max)
            .acquire_timeout(options.acquire)
            // A ping for every transaction would cost a round trip; what slips through is a
            // connection lost before the commit, and such a transaction is run again.
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    if meta.idle_for > IDLE_BEFORE_TEST {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(move |conn, _| {
                let settings = Arc::clone(&settings);
                Box::pin(async move { store::apply_session_settings(conn, &settings).await })
            })
            .connect_lazy_with(connect_options(url)?);
        Ok(Self { pool })
    }

    /// The same, and waits until the server answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when the server does not answer, [`DbError::Other`] when it
    /// refuses the address, the user or the role.
    pub async fn connect(url: &str, options: &DbOptions) -> Result<Self, DbError> {
        let db = Self::open(url, options)?;
        drop(db.pool.acquire().await?);
        Ok(db)
    }

    /// One connection as the user of `url`, who owns the schema: for migrations only.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when the server does not answer, [`DbError::Other`] when it
    /// refuses the address or the user.
    pub async fn connect_as_owner(url: &str) -> Result<PgConnection, DbError> {
        // Without this, a user named as one of our schemas would get a second version table.
        let options = connect_options(url)?.options([("search_path", "public")]);
        Ok(options.connect().await?)
    }

    /// Runs `run` in a transaction of `tenant` and commits when it returns `Ok`.
    ///
    /// It is run again from the start, at most five times, when it lost a race or its
    /// connection before the commit; `run` must therefore do nothing but use the database.
    ///
    /// # Errors
    /// What `run` returned, after a roll-back; or [`DbError`] of beginning and committing, of
    /// which [`DbError::CommitUnknown`] alone leaves open whether it happened.
    pub async fn transaction<'env, T, E, F>(
        &self,
        name: &'static str,
        tenant: TenantId,
        run: F,
    ) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, 'env, Result<T, E>> + Send,
        T: Send,
        E: From<DbError> + Retryable + Send,
    {
        self.repeat(name, Frame::Write(tenant), run).await
    }

    /// Runs `run` on one snapshot of the rows of `tenant`; it cannot write.
    ///
    /// # Errors
    /// What `run` returned, or [`DbError`] of beginning.
    pub async fn read<'env, T, E, F>(
        &self,
        name: &'static str,
        tenant: TenantId,
        run: F,
    ) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, 'env, Result<T, E>> + Send,
        T: Send,
        E: From<DbError> + Retryable + Send,
    {
        self.repeat(name, Frame::Read(tenant), run).await
    }

    /// Runs `run`, one statement, without a tenant: it sees no row, and can only call the few
    /// functions that find out which tenant somebody belongs to.
    ///
    /// # Errors
    /// What `run` returned, or [`DbError`] of connecting.
    pub async fn tenantless<'env, T, E, F>(&self, name: &'static str, run: F) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, 'env, Result<T, E>> + Send,
        T: Send,
        E: From<DbError> + Retryable + Send,
    {
        self.repeat(name, Frame::Bare, run).await
    }

    /// All tenants in order, for jobs that go through them one by one.
    ///
    /// # Errors
    /// [`DbError`] of reading.
    pub async fn tenant_ids(&self) -> Result<Vec<TenantId>, DbError> {
        self.tenantless("tenant_ids", |tx| {
            work(
                async move { Ok(store::tenant_ids(tx).await?.into_iter().map(TenantId).collect()) },
            )
        })
        .await
    }

    /// Whether the schema is the one that this program was built for.
    ///
    /// # Errors
    /// [`DbError`] of reading, also when there is no schema at all.
    pub async fn schema_state(&self) -> Result<SchemaState, DbError> {
        let applied = self
            .tenantless("schema_state", |tx| {
                work(async move { Ok::<_, DbError>(store::schema_version(tx).await?) })
            })
            .await?;
        Ok(migrate::compare(applied))
    }

    /// Closes every connection once it is free.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn repeat<'env, T, E, F>(
        &self,
        name: &'static str,
        frame: Frame,
        mut run: F,
    ) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, 'env, Result<T, E>> + Send,
        T: Send,
        E: From<DbError> + Retryable + Send,
    {
        let span = tracing::debug_span!("transaction", name);
        let watch = Monotonic::start();
        let mut attempt = 1;
        loop {
            let outcome = self.once(name, frame, &mut run).instrument(span.clone()).await;
            let elapsed = watch.elapsed();
            match outcome {
                Err(error)
                    if error.retry() == Retry::Again
                        && attempt < ATTEMPTS_MAX
                        && elapsed < RETRY_TIME_MAX =>
                {
                    tracing::debug!(parent: &span, attempt, "run again");
                    tokio::time::sleep(pause(attempt)).await;
                    attempt += 1;
                }
                end => {
                    let (micros, done) = (elapsed.as_micros(), end.is_ok());
                    tracing::debug!(parent: &span, attempts = attempt, micros, done, "ended");
                    return end;
                }
            }
        }
    }

    async fn once<'env, T, E, F>(
        &self,
        name: &'static str,
        frame: Frame,
        run: &mut F,
    ) -> Result<T, E>
    where
        F: for<'t> FnMut(&'t mut Tx) -> Work<'t, 'env, Result<T, E>> + Send,
        T: Send,
        E: From<DbError> + Retryable + Send,
    {
        let begin = match frame {
            Frame::Write(tenant) => store::begin_write(tenant),
            Frame::Read(tenant) => store::begin_read(tenant),
            Frame::Bare => {
                let mut conn = self.pool.acquire().await.map_err(DbError::from)?;
                return run(&mut conn).await;
            }
        };
        let mut open = Open::begin(&self.pool, begin).await?;
        let result = run(open.conn()).await;
        match (&result, frame) {
            (Ok(_), Frame::Write(_)) => open.commit(name).await?,
            _ => open.rollback().await,
        }
        result
    }
}

fn connect_options(url: &str) -> Result<PgConnectOptions, DbError> {
    Ok(PgConnectOptions::from_str(url)?
        .application_name("mizan")
        .log_statements(LevelFilter::Off)
        .log_slow_statements(LevelFilter::Warn, Duration::from_secs(1)))
}

/// Doubles from about 20 ms, half of it by chance, so that two that met do not meet again.
fn pause(attempt: u32) -> Duration {
    let full: u64 = 20 << attempt.min(6);
    Duration::from_millis(rand::rng().random_range(full / 2..=full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_short() {
        for attempt in 1..100 {
            let pause = pause(attempt);
            assert!(pause >= Duration::from_millis(20) && pause <= Duration::from_millis(1_280));
        }
    }
}

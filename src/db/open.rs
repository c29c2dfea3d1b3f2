//! A transaction that is open on a connection of the pool, and savepoints inside one.

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Postgres};

use super::pool::{Tx, Work};
use super::{DbError, store};

/// An open transaction. Dropped before its end, its connection is closed with it: the server
/// rolls back, and nobody else ever finds the connection half way.
pub(super) struct Open {
    conn: PoolConnection<Postgres>,
    ended: bool,
}

impl Open {
    /// Begins with a statement of [`store`], in one round trip.
    pub(super) async fn begin(
        pool: &PgPool,
        begin: AssertSqlSafe<String>,
    ) -> Result<Self, DbError> {
        let mut open = Self { conn: pool.acquire().await?, ended: false };
        store::begin(&mut open.conn, begin).await?;
        Ok(open)
    }

    pub(super) fn conn(&mut self) -> &mut Tx {
        &mut self.conn
    }

    /// Commits, in one round trip.
    ///
    /// # Errors
    /// [`DbError::CommitUnknown`] when no answer came. Otherwise nothing was committed.
    pub(super) async fn commit(mut self, name: &'static str) -> Result<(), DbError> {
        match store::commit(&mut self.conn).await {
            Ok(()) => {
                self.ended = true;
                Ok(())
            }
            Err(error) => {
                let error = DbError::of_commit(name, error);
                if !matches!(error, DbError::CommitUnknown { .. }) {
                    self.rollback().await;
                }
                Err(error)
            }
        }
    }

    /// Rolls back explicitly, so that the next user of the connection finds it clean.
    pub(super) async fn rollback(mut self) {
        match store::rollback(&mut self.conn).await {
            Ok(()) => self.ended = true,
            Err(error) => tracing::debug!(%error, "the roll-back failed; the connection is closed"),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if !self.ended {
            self.conn.close_on_drop();
        }
    }
}

/// Runs a part of a transaction so that its failure leaves nothing behind and the rest goes on.
///
/// # Errors
/// The database; what `run` returned is inside.
pub async fn savepoint<'env, T, E, F>(conn: &mut Tx, run: F) -> Result<Result<T, E>, DbError>
where
    F: for<'t> FnOnce(&'t mut Tx) -> Work<'t, 'env, Result<T, E>> + Send,
    T: Send,
    E: Send,
{
    store::set_savepoint(conn).await?;
    let result = run(conn).await;
    match &result {
        Ok(_) => store::keep_part(conn).await?,
        Err(_) => store::undo_part(conn).await?,
    }
    Ok(result)
}

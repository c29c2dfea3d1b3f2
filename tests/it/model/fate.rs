//! Posting while the session may end at any moment.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use mizan_ledger::{LedgerError, NewTransaction, Outcome};
use sqlx::{Connection, PgConnection};

use super::steps::Fate;
use crate::support::{Actor, Books, T0, scope};

/// Posts a batch as fate has it; answers the outcomes if somebody lived to hear them.
pub async fn post(books: &Books, batch: &[NewTransaction], fate: Fate) -> Option<Vec<Outcome>> {
    match fate {
        Fate::Lives => Some(books.post(batch).await),
        Fate::RollsBack => {
            let mut tx = scope(books.db.service_pool(), books.tenant).await;
            mizan_ledger::post(&mut tx, books.tenant, T0, batch).await.unwrap();
            tx.rollback().await.unwrap();
            None
        }
        Fate::Dies { waits } => {
            let (session, mut work) = posting(books, batch).await;
            if let Some(done) = polled(work.as_mut(), waits).await {
                return Some(done.unwrap());
            }
            assert!(end(books, session).await, "session {session} did not end");
            // The answer to the commit may have been under way already.
            work.await.ok()
        }
        Fate::Leaves { waits } => {
            let (session, mut work) = posting(books, batch).await;
            let done = polled(work.as_mut(), waits).await;
            drop(work);
            end(books, session).await;
            done.map(Result::unwrap)
        }
        Fate::LeavesInCommit => {
            let (session, mut conn) = connect(books).await;
            let mut tx = conn.begin().await.unwrap();
            let outcomes = mizan_ledger::post(&mut tx, books.tenant, T0, batch).await.unwrap();
            let mut commit = Box::pin(tx.commit());
            let done = polled(commit.as_mut(), 0).await;
            drop(commit);
            drop(conn);
            end(books, session).await;
            done.map(|_| outcomes)
        }
    }
}

/// A session of its own: one that dies must not be another's before it does.
async fn connect(books: &Books) -> (i32, PgConnection) {
    let mut conn = books.db.connect(Actor::Service, books.tenant).await;
    let session = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut conn).await;
    (session.unwrap(), conn)
}

type Posting<'a> = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, LedgerError>> + Send + 'a>>;

/// A batch to be posted and committed, and the session that will do it.
async fn posting<'a>(books: &'a Books, batch: &'a [NewTransaction]) -> (i32, Posting<'a>) {
    let (session, mut conn) = connect(books).await;
    let work = async move {
        let mut tx = conn.begin().await?;
        let outcomes = mizan_ledger::post(&mut tx, books.tenant, T0, batch).await?;
        tx.commit().await?;
        Ok(outcomes)
    };
    (session, Box::pin(work))
}

/// Ends a session from outside, and answers whether there was one. It is gone then, so that what
/// follows meets none of its locks.
async fn end(books: &Books, session: i32) -> bool {
    sqlx::query_scalar("select pg_terminate_backend($1, 10000)")
        .bind(session)
        .fetch_one(&mut books.db.owner().await)
        .await
        .unwrap()
}

/// Works until there was nothing to do but to wait so many times; answers what came of it
/// before that.
async fn polled<F: Future + ?Sized>(mut work: Pin<&mut F>, waits: usize) -> Option<F::Output> {
    let mut left = waits;
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

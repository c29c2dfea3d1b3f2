//! Transfers within this process: through the lane, or each with a commit of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mizan::books::{BooksError, record};
use mizan::clock::{Clock, Monotonic};
use mizan::db::{Db, Tx, work};
use mizan::lane::{BoxFuture, Grouped, Lane, LaneLimits};
use mizan_ledger::{NewTransaction, Outcome};
use mizan_money::TenantId;

use super::closed_loop::{Caller, Measured, Window, closed_loop};
use super::memory;
use super::place::Books;
use super::row::Figures;
use super::store::{self, Sizes};
use super::transfers::{Accounts, Pattern, Transfers};
use crate::cli::end::Failure;
use crate::cli::service::TENANT;

/// Connections for callers that each commit alone.
pub const CONNECTIONS: u32 = 32;

/// How a transfer comes into the books.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// With others, through the lane.
    Lane,
    /// In a database transaction of its own.
    Alone,
}

/// Posting plain transactions, for many callers at once.
struct Recording {
    clock: Clock,
}

impl Grouped for Recording {
    type Item = NewTransaction;
    type Answer = Outcome;
    type Error = BooksError;

    const NAME: &'static str = "bench_post";

    fn run<'t>(
        &'t self,
        tx: &'t mut Tx,
        tenant: TenantId,
        items: &'t [Arc<NewTransaction>],
    ) -> BoxFuture<'t, Result<Vec<Outcome>, BooksError>> {
        Box::pin(async move {
            let asked: Vec<NewTransaction> = items.iter().map(|item| (**item).clone()).collect();
            record(tx, tenant, self.clock.now(), &asked).await
        })
    }
}

/// The door through which a caller goes.
#[derive(Clone)]
enum Door {
    Lane(Lane<Recording>),
    Alone(Db),
}

/// Somebody who posts transfers.
struct Poster {
    door: Door,
    clock: Clock,
    transfers: Transfers,
    /// How many all callers together still have to post; without it there is no end.
    left: Option<Arc<AtomicI64>>,
}

impl Poster {
    async fn post(&self, asked: NewTransaction) -> Result<Outcome, Failure> {
        let (db, now) = match &self.door {
            Door::Lane(lane) => return Ok(lane.submit(TENANT, asked).await?),
            Door::Alone(db) => (db, self.clock.now()),
        };
        let asked = &[asked];
        let answers = db.transaction("bench_post_alone", TENANT, |tx| {
            work(async move { record(tx, TENANT, now, asked).await })
        });
        answers.await?.pop().ok_or_else(|| "a transfer was not answered".into())
    }
}

impl Caller for Poster {
    async fn call(&mut self) -> Result<Option<Duration>, Failure> {
        if self.left.as_ref().is_some_and(|left| left.fetch_sub(1, Ordering::Relaxed) <= 0) {
            return Ok(None);
        }
        let asked = self.transfers.next(self.clock.now())?;
        let watch = Monotonic::start();
        match self.post(asked).await? {
            Outcome::Posted(_) => Ok(Some(watch.elapsed())),
            other => Err(format!("a transfer was not posted: {other:?}").into()),
        }
    }
}

/// How many callers, and what they do.
#[derive(Clone, Copy, Debug)]
pub struct Crowd {
    /// How many there are.
    pub callers: u32,
    /// Which accounts they use.
    pub pattern: Pattern,
    /// How their transfers come into the books.
    pub way: Way,
}

/// When a crowd ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// When the window closes.
    Closed(Window),
    /// When all of them together have posted so many.
    Posted(i64),
}

/// What the posting of a crowd came to.
pub struct Posted {
    /// The figures.
    pub figures: Figures,
    /// Bytes of the outbox for each transfer.
    pub outbox_bytes: f64,
}

/// Lets a crowd post.
pub async fn post(
    books: &mut Books,
    accounts: &Arc<Accounts>,
    crowd: Crowd,
    until: Until,
) -> Result<Posted, Failure> {
    memory::forget_own_peak();
    let before = Tally::of(books).await?;
    let measured = run(books, accounts, crowd, until).await?;
    let memory_mb = memory::peak_mb(std::process::id());
    let after = Tally::of(books).await?;
    let transfers = after.position - before.position;
    if usize::try_from(transfers) != Ok(measured.calls) {
        let calls = measured.calls;
        return Err(format!("{calls} transfers were answered, {transfers} are booked").into());
    }
    let each = |after: i64, before: i64| (after - before) as f64 / transfers as f64;
    let bytes = each(after.sizes.ledger, before.sizes.ledger);
    let outbox_bytes = each(after.sizes.outbox, before.sizes.outbox);
    let figures =
        Figures { bytes_per_transfer: Some(bytes), memory_mb, ..Figures::from(measured.pace) };
    Ok(Posted { figures, outbox_bytes })
}

async fn run(
    books: &Books,
    accounts: &Arc<Accounts>,
    crowd: Crowd,
    until: Until,
) -> Result<Measured, Failure> {
    let (db, clock) = (books.app.db.clone(), books.app.clock.clone());
    let door = match crowd.way {
        Way::Alone => Door::Alone(db),
        Way::Lane => {
            let recording = Recording { clock: clock.clone() };
            let metrics = books.app.metrics.clone();
            Door::Lane(Lane::new(db, recording, LaneLimits::default(), metrics))
        }
    };
    let (window, left) = match until {
        Until::Closed(window) => (window, None),
        Until::Posted(many) => (Window::until_done(), Some(Arc::new(AtomicI64::new(many)))),
    };
    let caller = |n| Poster {
        left: left.clone(),
        door: door.clone(),
        clock: clock.clone(),
        transfers: Transfers::new(accounts, crowd.pattern, u64::from(n), clock.now()),
    };
    closed_loop((0..crowd.callers).map(caller).collect(), window).await
}

/// How far the journal is, and how large.
struct Tally {
    position: i64,
    sizes: Sizes,
}

impl Tally {
    async fn of(books: &mut Books) -> Result<Self, Failure> {
        let owner = books.owner();
        let position = store::position(owner, TENANT.0).await?;
        Ok(Self { position, sizes: store::sizes(owner).await? })
    }
}

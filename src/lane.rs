//! The lane: group commit. Independent callers share one transaction, each with its own answer.
//!
//! There is no timer. A caller that finds its tenant's lane empty starts at once, alone; those
//! who come while a commit is under way queue, and the next group takes all of them. Light load
//! keeps the latency of a single commit, and heavy load makes groups by itself. Where many wait,
//! a second group is made ready while the first is written; it waits for the first one's rows in
//! the database, as if another process had sent it.
//!
//! | what happens to a group | what its callers hear |
//! |---|---|
//! | it commits | each the answer of its own item |
//! | it loses a race or its connection before the commit | it is run again, then the above |
//! | the connection is lost in the commit | it is run again: keys tell what stands already |
//! | one item makes it fail | it is halved until that item fails alone |
//! | the database is away | every one: unavailable |
//!
//! A group belongs to one tenant, so no lock and no counter ever spans two. A caller that goes
//! away takes nothing with it: the group runs in a task of its own.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mizan_money::TenantId;
use tokio::sync::oneshot;

use crate::clock::Monotonic;
use crate::db::{Db, DbError, Retry, Retryable, Tx, work};
use crate::metrics::Metrics;

/// A future on the heap that may borrow.
pub type BoxFuture<'t, T> = Pin<Box<dyn Future<Output = T> + Send + 't>>;

/// How often a group whose commit was not confirmed is run again at most.
const SETTLE_ATTEMPTS_MAX: u32 = 8;
/// The first pause before that; it doubles.
const SETTLE_PAUSE: Duration = Duration::from_millis(25);
/// After this long, what is left of a failing group is not tried any more.
const GROUP_TIME_MAX: Duration = Duration::from_secs(20);

/// A use case that works on many items at once.
pub trait Grouped: Send + Sync + 'static {
    /// What one caller asks for.
    type Item: Send + Sync + 'static;
    /// What one caller hears.
    type Answer: Send + 'static;
    /// Why an item failed.
    type Error: From<DbError> + Retryable + Send + 'static;

    /// The transaction's name in logs and errors.
    const NAME: &'static str;

    /// Does the work of all items in the open transaction and answers each, in their order.
    ///
    /// An item that can be refused is refused by its answer; an error rolls the whole group
    /// back. It must be repeatable: an item whose effect stands already answers the same from
    /// what is stored under its key, which is how a commit without an answer is settled.
    fn run<'t>(
        &'t self,
        tx: &'t mut Tx,
        tenant: TenantId,
        items: &'t [Arc<Self::Item>],
    ) -> BoxFuture<'t, Result<Vec<Self::Answer>, Self::Error>>;
}

/// Bounds of a lane.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// How many items share a transaction at most.
    pub group_max: usize,
    /// How many items of one tenant wait at most; more are turned away as unavailable.
    pub waiting_max: usize,
    /// From how many that wait on a second group of the tenant is begun; none where it is more
    /// than can wait.
    pub second_from: usize,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self { group_max: 512, waiting_max: 20_000, second_from: 16 }
    }
}

/// The lanes of one use case, one for each tenant that is at work. Clones share them.
pub struct Lane<G: Grouped> {
    inner: Arc<Inner<G>>,
}

impl<G: Grouped> Clone for Lane<G> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<G: Grouped> fmt::Debug for Lane<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("name", &G::NAME).finish_non_exhaustive()
    }
}

struct Inner<G: Grouped> {
    db: Db,
    work: G,
    limits: LaneLimits,
    metrics: Metrics,
    /// A tenant is in here exactly while a task works for it.
    lanes: Mutex<HashMap<TenantId, Queue<G>>>,
}

/// The lane of one tenant.
struct Queue<G: Grouped> {
    waiting: VecDeque<Waiting<G>>,
    /// How many tasks take from it: one or two.
    at_work: u8,
}

struct Waiting<G: Grouped> {
    item: Arc<G::Item>,
    answer: oneshot::Sender<Result<G::Answer, G::Error>>,
}

/// What a transaction of a group failed with: by the database around it, or in its work.
enum Failure<E> {
    Around(DbError),
    Work(E),
}

impl<E> From<DbError> for Failure<E> {
    fn from(error: DbError) -> Self {
        Self::Around(error)
    }
}

impl<E: Retryable> Retryable for Failure<E> {
    fn retry(&self) -> Retry {
        match self {
            Self::Around(error) => error.retry(),
            Self::Work(error) => error.retry(),
        }
    }
}

impl<G: Grouped> Lane<G> {
    /// Empty lanes of a use case.
    pub fn new(db: Db, work: G, limits: LaneLimits, metrics: Metrics) -> Self {
        let lanes = Mutex::new(HashMap::new());
        Self { inner: Arc::new(Inner { db, work, limits, metrics, lanes }) }
    }

    /// Has an item done, alone or with others of its tenant, and answers when it is committed.
    ///
    /// # Errors
    /// What the item failed with alone; or [`DbError`]: unavailable where the database is away
    /// or too many wait, and [`DbError::CommitUnknown`] where nobody could find out in time
    /// whether it happened. A caller that retries does so under the same key.
    pub async fn submit(&self, tenant: TenantId, item: G::Item) -> Result<G::Answer, G::Error> {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { item: Arc::new(item), answer };
        if !self.inner.enter(tenant, waiting) {
            tracing::warn!(lane = G::NAME, %tenant, "too many wait: turned away");
            return Err(DbError::busy().into());
        }
        // Only a task that ended without answering drops the sender: it panicked.
        answered.await.unwrap_or_else(|_| Err(DbError::unconfirmed(G::NAME).into()))
    }
}

impl<G: Grouped> Inner<G> {
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Queue<G>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an item and makes sure that somebody works. Answers whether there was room.
    fn enter(self: &Arc<Self>, tenant: TenantId, item: Waiting<G>) -> bool {
        let mut lanes = self.lock();
        let lane =
            lanes.entry(tenant).or_insert_with(|| Queue { waiting: VecDeque::new(), at_work: 0 });
        if lane.waiting.len() >= self.limits.waiting_max {
            return false;
        }
        lane.waiting.push_back(item);
        self.metrics.waits(G::NAME, 1);
        let another = match lane.at_work {
            0 => true,
            1 => lane.waiting.len() >= self.limits.second_from,
            _ => false,
        };
        if another {
            lane.at_work += 1;
            let at_work = AtWork { inner: Arc::clone(self), tenant, done: false };
            tokio::spawn(at_work.go_on());
        }
        true
    }

    /// The next group, or none: then the task is gone from the lane in the same moment.
    fn next(&self, tenant: TenantId) -> Option<Vec<Waiting<G>>> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(&tenant)?;
        if lane.waiting.is_empty() {
            lane.at_work -= 1;
            if lane.at_work == 0 {
                lanes.remove(&tenant);
            }
            return None;
        }
        let many = lane.waiting.len().min(self.limits.group_max);
        self.metrics.waits_no_more(G::NAME, many);
        self.metrics.grouped(G::NAME, many);
        Some(lane.waiting.drain(..many).collect())
    }

    /// Runs a group, halves it where it fails, and answers every caller.
    async fn run_group(&self, tenant: TenantId, group: Vec<Waiting<G>>) {
        let watch = Monotonic::start();
        tracing::trace!(lane = G::NAME, %tenant, items = group.len(), "a group");
        let mut parts = vec![group];
        while let Some(mut part) = parts.pop() {
            let items: Vec<Arc<G::Item>> = part.iter().map(|w| Arc::clone(&w.item)).collect();
            match self.run_settled(tenant, &items).await {
                Ok(answers) if answers.len() == part.len() => {
                    for (waiting, answer) in part.into_iter().zip(answers) {
                        // A caller that went away hears nothing; its key will tell.
                        let _ = waiting.answer.send(Ok(answer));
                    }
                }
                Ok(answers) => {
                    let (asked, given) = (part.len(), answers.len());
                    tracing::error!(lane = G::NAME, asked, given, "answers do not match items");
                    fail_all(part, || DbError::unconfirmed(G::NAME));
                }
                Err(Failure::Around(error)) => fail_all(part, || error.same_class(G::NAME)),
                Err(Failure::Work(error)) if part.len() == 1 => {
                    if let Some(waiting) = part.pop() {
                        let _ = waiting.answer.send(Err(error));
                    }
                }
                Err(Failure::Work(_)) if watch.elapsed() > GROUP_TIME_MAX => {
                    fail_all(part, DbError::busy);
                }
                Err(Failure::Work(_)) => {
                    let second = part.split_off(part.len() / 2);
                    parts.push(second);
                    parts.push(part);
                }
            }
        }
    }

    /// Runs items in one transaction. A commit that was not confirmed is settled by running
    /// them again: what stands already answers from its keys, what does not is done now.
    async fn run_settled(
        &self,
        tenant: TenantId,
        items: &[Arc<G::Item>],
    ) -> Result<Vec<G::Answer>, Failure<G::Error>> {
        let mut pause = SETTLE_PAUSE;
        let mut unknown = None;
        for _ in 0..SETTLE_ATTEMPTS_MAX {
            let outcome =
                self.db
                    .transaction(G::NAME, tenant, |tx| {
                        work(async move {
                            self.work.run(tx, tenant, items).await.map_err(Failure::Work)
                        })
                    })
                    .await;
            match outcome {
                Err(Failure::Around(error @ DbError::CommitUnknown { .. })) => {
                    tracing::warn!(lane = G::NAME, items = items.len(), "a commit is settled");
                    unknown = Some(error);
                }
                // Nothing is known better than before.
                Err(Failure::Around(DbError::Unavailable { .. })) if unknown.is_some() => {}
                other => return other,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(Failure::Around(unknown.unwrap_or_else(|| DbError::unconfirmed(G::NAME))))
    }
}

fn fail_all<G: Grouped>(group: Vec<Waiting<G>>, error: impl Fn() -> DbError) {
    for waiting in group {
        let _ = waiting.answer.send(Err(error().into()));
    }
}

/// A task of a tenant's lane. Dropped by a panic, it lets those who wait go where nobody else
/// works for them, so that the lane opens again.
struct AtWork<G: Grouped> {
    inner: Arc<Inner<G>>,
    tenant: TenantId,
    done: bool,
}

impl<G: Grouped> AtWork<G> {
    async fn go_on(mut self) {
        while let Some(group) = self.inner.next(self.tenant) {
            self.inner.run_group(self.tenant, group).await;
            // Those who were answered just now may come again at once.
            tokio::task::yield_now().await;
        }
        self.done = true;
    }
}

impl<G: Grouped> Drop for AtWork<G> {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let mut lanes = self.inner.lock();
        let Some(lane) = lanes.get_mut(&self.tenant) else { return };
        lane.at_work -= 1;
        if lane.at_work == 0
            && let Some(lane) = lanes.remove(&self.tenant)
        {
            drop(lanes);
            self.inner.metrics.waits_no_more(G::NAME, lane.waiting.len());
            fail_all(lane.waiting.into(), DbError::busy);
        }
    }
}

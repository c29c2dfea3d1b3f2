//! Look-ups of API keys that go together: one statement at a time, for all who wait.
//!
//! There is no timer and nothing is remembered. A caller who finds nobody at work asks at once,
//! alone; those who come while a look-up is under way are asked for together by the next one.
//! Each answer therefore comes from a statement that began after its caller came, so that a
//! revoked key is refused from the commit of its revocation on.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mizan_money::{ApiKeyId, TenantId, Timestamp};
use tokio::sync::oneshot;

use super::caller::Holder;
use super::store;
use crate::db::{Db, DbError, work};
use crate::http::Problem;

/// SHA-256 of a key.
pub(super) type Digest = [u8; 32];
/// Who holds a key, if anybody does.
type Found = Result<Option<Holder>, Problem>;

/// Who waits, by what they hold. As many as there are requests at once, which is bounded.
type Waiting = HashMap<Digest, Vec<oneshot::Sender<Found>>>;

/// The look-ups of one service. Clones share them.
#[derive(Clone)]
pub struct KeyLookUps {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    queue: Mutex<Queue>,
    used: Mutex<Used>,
}

/// When each key was used since that was last written down. As many as there are keys in use.
type Used = HashMap<(TenantId, ApiKeyId), Timestamp>;

#[derive(Default)]
struct Queue {
    waiting: Waiting,
    desk: Desk,
}

/// Whether a task takes what waits, until nothing does.
#[derive(Default, PartialEq, Eq)]
enum Desk {
    #[default]
    Free,
    AtWork,
}

impl fmt::Debug for KeyLookUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyLookUps").finish_non_exhaustive()
    }
}

impl KeyLookUps {
    /// Look-ups in `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        let (queue, used) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { db, queue, used }) }
    }

    /// Remembers that a key was used.
    pub(super) fn was_used(&self, tenant: TenantId, key: ApiKeyId, now: Timestamp) {
        self.inner.used().insert((tenant, key), now);
    }

    /// Writes down when keys were used. What cannot be written is lost: it is for people, who
    /// want to know which keys can go.
    ///
    /// # Errors
    /// The database.
    pub async fn write_used(&self) -> Result<(), DbError> {
        let mut tenants: BTreeMap<TenantId, Vec<(ApiKeyId, Timestamp)>> = BTreeMap::new();
        for ((tenant, key), at) in std::mem::take(&mut *self.inner.used()) {
            tenants.entry(tenant).or_default().push((key, at));
        }
        for (tenant, used) in &tenants {
            let written = self.inner.db.transaction("keys_used", *tenant, |tx| {
                work(async move { Ok::<_, DbError>(store::used(tx, *tenant, used).await?) })
            });
            written.await?;
        }
        Ok(())
    }

    /// Who holds the key of this digest now.
    ///
    /// # Errors
    /// 503 when the database is away.
    pub(super) async fn find(&self, digest: Digest) -> Found {
        let (answer, answered) = oneshot::channel();
        let idle = {
            let mut queue = self.inner.lock();
            queue.waiting.entry(digest).or_default().push(answer);
            std::mem::replace(&mut queue.desk, Desk::AtWork) == Desk::Free
        };
        if idle {
            let task = Task { inner: Some(Arc::clone(&self.inner)) };
            tokio::spawn(task.go_on());
        }
        // Only a task that ended before its time drops the sender.
        answered.await.unwrap_or_else(|_| Err(DbError::busy().into()))
    }
}

impl Inner {
    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All who wait; with nobody there the work ends in the same moment.
    fn next(&self) -> Option<Waiting> {
        let mut queue = self.lock();
        if queue.waiting.is_empty() {
            queue.desk = Desk::Free;
            return None;
        }
        Some(std::mem::take(&mut queue.waiting))
    }

    async fn answer(&self, waiting: Waiting) {
        let (digests, callers): (Vec<Digest>, Vec<_>) = waiting.into_iter().unzip();
        let found = self.look_up(&digests).await.map_err(Problem::from);
        for (place, callers) in callers.into_iter().enumerate() {
            let answer = match &found {
                Ok(found) => Ok(found.get(place).cloned().flatten()),
                Err(problem) => Err(problem.clone()),
            };
            for caller in callers {
                // One who went away hears nothing.
                let _ = caller.send(answer.clone());
            }
        }
    }

    async fn look_up(&self, digests: &[Digest]) -> Result<Vec<Option<Holder>>, DbError> {
        self.db
            .tenantless("tenants_of_keys", |tx| {
                work(async move { Ok(store::tenants_of_keys(tx, digests).await?) })
            })
            .await
    }
}

/// The task at work. Dropped before its end, by a panic or with the runtime, it lets those who
/// wait go, so that the next caller begins anew.
struct Task {
    /// None once it came to its end.
    inner: Option<Arc<Inner>>,
}

impl Task {
    async fn go_on(mut self) {
        if let Some(inner) = &self.inner {
            while let Some(waiting) = inner.next() {
                inner.answer(waiting).await;
            }
        }
        self.inner = None;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            *inner.lock() = Queue::default();
        }
    }
}

//! Into a copy: the commands and the bytes are put into an empty database, the journal is written
//! anew there, and the two are compared.

use std::collections::{BTreeSet, VecDeque};

use chrono::Months;
use mizan_money::id::DeliveryId;
use mizan_money::{TenantId, Timestamp};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::compare::compare;
use super::plain::{self, Answer};
use super::steps::{Asked, Did, Kind, Step, run};
use super::store::{self, COPIED, Cursor};
use super::{Findings, Readers, ReplayError, Tally};
use crate::db::{Db, FirstTenant, migrate, work};
use crate::inbox::InboxError;
use crate::payments::word::{KeptWord, Word};

/// How many months of the journal are made at once.
const MONTHS_AT_ONCE: Months = Months::new(48);

/// What writing the books of one tenant again came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Rebuilt {
    /// Whose.
    pub tenant: i32,
    /// What became of the deliveries.
    pub tally: Tally,
    /// Commands of ours that were done again.
    pub commands: u64,
    /// Answers of gateways, and what they told when they were asked.
    pub answers: u64,
    /// Plain transactions.
    pub plain: u64,
    /// How many transactions the journal has.
    pub transactions: i64,
    /// How many the one in the copy has.
    pub transactions_again: i64,
    /// How many accounts have the same sums in both.
    pub accounts_alike: u64,
    /// Deliveries that are not believed, and steps that could not be done again.
    pub failed: Findings,
    /// Accounts whose sums differ, and payments that stand elsewhere.
    pub differing: Findings,
    #[serde(skip)]
    unbelieved: BTreeSet<DeliveryId>,
}

impl Rebuilt {
    /// Whether the copy says what the source says, and everything was believed.
    pub fn agrees(&self) -> bool {
        self.failed.count == 0
            && self.differing.count == 0
            && self.transactions == self.transactions_again
    }

    fn count(&mut self, did: Did) {
        match did {
            Did::Done(Kind::Command) => self.commands += 1,
            Did::Done(Kind::Answer) => self.answers += 1,
            Did::Done(Kind::Plain) => self.plain += 1,
            Did::Disposed(disposition) => self.tally.count(&disposition),
            // A delivery may be tried more than once.
            Did::Unverifiable(id, why) if self.unbelieved.insert(id) => {
                self.tally.count_unverifiable();
                self.failed.add(format!("{id}: {why}"));
            }
            Did::Unverifiable(..) => {}
            Did::Failed(why) => self.failed.add(why),
        }
    }
}

/// Makes a database ready to be written into: empty, with this program's schema. Answers a
/// connection as its owner.
///
/// # Errors
/// There is something in it, and then nothing is changed; its schema cannot be made.
pub async fn prepare(
    url: &str,
    first_tenant: FirstTenant<'_>,
    now: Timestamp,
) -> Result<PgConnection, ReplayError> {
    let mut owner = Db::connect_as_owner(url).await?;
    let free = match store::has_schema(&mut owner).await? {
        true => store::is_untouched(&mut owner).await?,
        false => store::has_no_table(&mut owner).await?,
    };
    if !free {
        return Err(ReplayError::NotEmpty);
    }
    migrate(url, first_tenant, now).await?;
    match store::is_untouched(&mut owner).await? {
        true => Ok(owner),
        false => Err(ReplayError::NotEmpty),
    }
}

/// Writes the books of every tenant of `source` again into `target`, a database that
/// [`prepare`] made ready, of which `owner` is the owner. The source is only read, each tenant on
/// one snapshot, so it may be in use.
///
/// # Errors
/// A database failed. What differs is an answer and not an error.
pub async fn rebuild(
    source: &Db,
    target: &Db,
    owner: &mut PgConnection,
    readers: &Readers,
) -> Result<Vec<Rebuilt>, ReplayError> {
    let mut all = Vec::new();
    for tenant in source.tenant_ids().await? {
        let row = source
            .read("replay_tenant", tenant, |tx| {
                work(async move { Ok::<_, ReplayError>(store::tenant(tx, tenant).await?) })
            })
            .await?;
        store::put_tenant(owner, &row).await?;
        let rebuilt = source
            .read("replay_source", tenant, |tx| {
                work(async move { Copy { source: tx, target, tenant, readers }.rebuild().await })
            })
            .await?;
        all.push(rebuilt);
    }
    Ok(all)
}

/// The work on one tenant.
struct Copy<'a> {
    source: &'a mut PgConnection,
    target: &'a Db,
    tenant: TenantId,
    readers: &'a Readers,
}

/// The answers to plain transactions, read ahead.
struct Answers {
    cursor: Cursor,
    ahead: VecDeque<Result<Answer, String>>,
}

impl Copy<'_> {
    async fn rebuild(mut self) -> Result<Rebuilt, ReplayError> {
        let mut rebuilt = Rebuilt { tenant: self.tenant.0, ..Rebuilt::default() };
        self.make_months().await?;
        self.copy_commands().await?;
        let mut answers =
            Answers { cursor: store::answers(self.source).await?, ahead: VecDeque::new() };
        let words = store::words(self.source).await?;
        loop {
            let kept = store::next_words(self.source, &words).await?;
            if kept.is_empty() {
                break;
            }
            let mut steps = Vec::with_capacity(kept.len());
            for word in kept {
                self.add_steps(word, &mut answers, &mut steps).await?;
            }
            self.run_all(&steps, &mut rebuilt).await?;
        }
        self.run_rest(answers, &mut rebuilt).await?;
        self.dispose_rest(&mut rebuilt).await?;
        compare(self.source, self.target, self.tenant, &mut rebuilt).await?;
        Ok(rebuilt)
    }

    /// The months that the first journal was written in.
    async fn make_months(&mut self) -> Result<(), ReplayError> {
        let Some((mut from, to)) = store::journal_span(self.source, self.tenant).await? else {
            return Ok(());
        };
        loop {
            let next = from.checked_add_months(MONTHS_AT_ONCE).unwrap_or(to).min(to);
            self.target
                .transaction("replay_months", self.tenant, |tx| {
                    work(async move {
                        Ok::<_, ReplayError>(store::ensure_months(tx, from, next).await?)
                    })
                })
                .await?;
            if next >= to {
                return Ok(());
            }
            from = next;
        }
    }

    async fn copy_commands(&mut self) -> Result<(), ReplayError> {
        for table in &COPIED {
            let cursor = table.begin(self.source).await?;
            loop {
                let rows = store::next_rows(self.source, &cursor).await?;
                if rows.is_empty() {
                    break;
                }
                let rows = &serde_json::Value::Array(rows);
                self.target
                    .transaction("replay_copy", self.tenant, |tx| {
                        work(async move { Ok::<_, ReplayError>(table.put(tx, rows).await?) })
                    })
                    .await?;
            }
            store::close(self.source, cursor).await?;
        }
        Ok(())
    }

    /// Adds the step of a word, after the plain transactions that were posted before it.
    async fn add_steps(
        &mut self,
        word: Result<KeptWord, String>,
        answers: &mut Answers,
        steps: &mut Vec<Step>,
    ) -> Result<(), ReplayError> {
        if let Ok(kept) = &word {
            while let Some(answer) = self.next_answer(answers, Some(kept.position)).await? {
                steps.push(answer);
            }
        }
        steps.push(match word {
            Err(why) => Step::Broken(format!("a word cannot be read: {why}")),
            Ok(KeptWord {
                word: Word::Asked { operation, instrument }, recorded_at: at, ..
            }) => match store::asked(self.source, self.tenant, operation).await? {
                Some(row) => Step::Asked(Box::new(Asked { row, instrument, at })),
                None => Step::Broken(format!("{operation} was asked and is not kept")),
            },
            Ok(kept) => Step::Word(Box::new(kept)),
        });
        Ok(())
    }

    /// The next plain transaction, if it was posted at or before `position`.
    async fn next_answer(
        &mut self,
        answers: &mut Answers,
        position: Option<i64>,
    ) -> Result<Option<Step>, ReplayError> {
        if answers.ahead.is_empty() {
            let bodies = store::next_answers(self.source, &answers.cursor).await?;
            answers.ahead.extend(bodies.iter().map(|body| plain::parse(body)));
        }
        let due = match (answers.ahead.front(), position) {
            (Some(Ok(answer)), Some(position)) => answer.position <= position,
            (next, _) => next.is_some(),
        };
        if !due {
            return Ok(None);
        }
        Ok(answers.ahead.pop_front().map(|next| match next {
            Ok(answer) => Step::Plain(Box::new(answer)),
            Err(why) => Step::Broken(why),
        }))
    }

    async fn run_rest(
        &mut self,
        mut answers: Answers,
        rebuilt: &mut Rebuilt,
    ) -> Result<(), ReplayError> {
        loop {
            let mut steps = Vec::new();
            while steps.len() < 100 {
                let Some(step) = self.next_answer(&mut answers, None).await? else { break };
                steps.push(step);
            }
            if steps.is_empty() {
                return Ok(());
            }
            self.run_all(&steps, rebuilt).await?;
        }
    }

    /// Does steps in one transaction; if one of them fails, each in its own.
    async fn run_all(&self, steps: &[Step], rebuilt: &mut Rebuilt) -> Result<(), ReplayError> {
        let done = match self.run_together(steps).await {
            Ok(done) => done,
            Err(error) if is_away(&error) => return Err(error.into()),
            Err(_) => {
                let mut done = Vec::with_capacity(steps.len());
                for step in steps {
                    match self.run_together(std::slice::from_ref(step)).await {
                        Ok(one) => done.extend(one),
                        Err(error) if is_away(&error) => return Err(error.into()),
                        Err(error) => done.push(Did::Failed(format!("{step}: {error}"))),
                    }
                }
                done
            }
        };
        done.into_iter().for_each(|did| rebuilt.count(did));
        Ok(())
    }

    async fn run_together(&self, steps: &[Step]) -> Result<Vec<Did>, InboxError> {
        let (tenant, readers) = (self.tenant, self.readers);
        self.target
            .transaction("replay_steps", tenant, |tx| {
                work(async move {
                    let mut done = Vec::with_capacity(steps.len());
                    for step in steps {
                        done.push(run(tx, tenant, readers, step).await?);
                    }
                    Ok(done)
                })
            })
            .await
    }

    /// The deliveries that had no effect.
    async fn dispose_rest(&mut self, rebuilt: &mut Rebuilt) -> Result<(), ReplayError> {
        let (tenant, mut after) = (self.tenant, DeliveryId::from_uuid(Uuid::nil()));
        loop {
            let ids = self
                .target
                .read("replay_untouched", tenant, |tx| {
                    work(async move {
                        Ok::<_, ReplayError>(store::untouched_deliveries(tx, tenant, after).await?)
                    })
                })
                .await?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            let mut steps = Vec::with_capacity(ids.len());
            for id in ids {
                let kept = mizan_webhooks::delivery(self.source, tenant, id).await;
                let Some(kept) = kept.map_err(InboxError::from)? else { continue };
                steps.push(Step::Delivery(id, Box::new(kept.summary.standing)));
            }
            self.run_all(&steps, rebuilt).await?;
        }
    }
}

/// Whether the database is what failed, so that going on is of no use.
fn is_away(error: &InboxError) -> bool {
    use crate::db::DbError;
    use crate::payments::PaymentError;
    match error {
        InboxError::Db(error) | InboxError::Payments(PaymentError::Db(error)) => {
            matches!(error, DbError::Unavailable { .. } | DbError::CommitUnknown { .. })
        }
        _ => false,
    }
}

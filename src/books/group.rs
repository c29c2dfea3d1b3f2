//! Requests that post, of independent callers, decided together: one commit, an answer for each.
//!
//! | step | statements |
//! |---|---|
//! | claim the idempotency keys | one |
//! | read what is to be reversed | one read for each reversal |
//! | post all that are new | those of the ledger, for all together |
//! | announce what stands | one |
//! | keep the answers, refusals among them | one |
//!
//! The answer is made of what the ledger wrote, without reading it back. A refused request
//! leaves nothing but its refusal, so nothing has to be rolled back for it.

use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::alphabet::{self, Alphabet};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use mizan_ledger::period::kept_metadata;
use mizan_ledger::{NewTransaction, Outcome, Posted, PostingError, PostingKey, read};
use mizan_money::{RequestId, TenantId, Timestamp, TransactionId};
use serde_json::Value;
use sqlx::PgConnection;

use super::error::BooksError;
use super::record::{Draft, record};
use super::reverse::{Reversal, reverse};
use super::view::TransactionView;
use crate::db::Tx;
use crate::http::{Heard, Idempotent, Problem, StoredAnswer, claim_group};
use crate::lane::{BoxFuture, Grouped};

/// Base 64 whose digits stand in the order of their characters.
const IN_ORDER: GeneralPurpose = GeneralPurpose::new(&DIGITS, NO_PAD);
const DIGITS: Alphabet =
    match Alphabet::new("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz") {
        Ok(digits) => digits,
        Err(_) => alphabet::URL_SAFE,
    };

/// A request to post one transaction. It keeps its posting key however often it is run.
#[derive(Debug)]
pub struct PostRequest {
    idempotency: Idempotent,
    asked: Asked,
    now: Timestamp,
}

/// What is to be posted.
#[derive(Debug)]
enum Asked {
    /// This.
    Transaction(Box<NewTransaction>),
    /// Nothing: what came contradicts itself, which the key answers for ever.
    Contradiction(Problem),
    /// What takes a transaction back.
    Reversal { id: TransactionId, asked: Reversal, key: PostingKey, actor: String },
}

impl PostRequest {
    /// A request to post a transaction of one's own, done by `actor`.
    ///
    /// # Errors
    /// 500 where no posting key can be made.
    pub fn transaction(
        idempotency: Idempotent,
        draft: &Draft,
        actor: String,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let key = posting_key(&idempotency, now)?;
        let asked = match draft.transaction(key, actor) {
            Ok(transaction) => Asked::Transaction(Box::new(transaction)),
            Err(refusal) => Asked::Contradiction(refusal.into()),
        };
        Ok(Self { idempotency, asked, now })
    }

    /// A request to take a transaction back, done by `actor`.
    ///
    /// # Errors
    /// 500 where no posting key can be made.
    pub fn reversal(
        idempotency: Idempotent,
        id: TransactionId,
        asked: Reversal,
        actor: String,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let key = posting_key(&idempotency, now)?;
        Ok(Self { idempotency, asked: Asked::Reversal { id, asked, key, actor }, now })
    }

    /// The transaction to post, or why there is none.
    async fn prepare(
        &self,
        conn: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<Result<NewTransaction, Problem>, BooksError> {
        match &self.asked {
            Asked::Transaction(transaction) => Ok(Ok(transaction.as_ref().clone())),
            Asked::Contradiction(problem) => Ok(Err(problem.clone())),
            Asked::Reversal { id, asked, key, actor } => {
                let back = reverse(conn, tenant, *id, asked, key.clone(), actor.clone()).await;
                match back {
                    Err(error @ (BooksError::Db(_) | BooksError::Corrupt { .. })) => Err(error),
                    decided => Ok(decided.map_err(Problem::from)),
                }
            }
        }
    }
}

fn posting_key(request: &Idempotent, now: Timestamp) -> Result<PostingKey, Problem> {
    let id = request.request_id().unwrap_or_else(|| RequestId::generate(now));
    key_of(id).map_err(|error| Problem::internal(&error))
}

/// The key of what a request posts. It is made from an id of ours: the caller's own key decides
/// whether the request runs at all, and never names anything in the journal. It is kept twice for
/// every posting, so it is short; and in the order of the ids, so that an index grows at its end.
///
/// # Errors
/// Never for an id: it makes 22 characters.
pub fn key_of(id: RequestId) -> Result<PostingKey, PostingError> {
    PostingKey::new(IN_ORDER.encode(id.uuid()))
}

/// The requests that post, as work that is done in groups.
#[derive(Debug)]
pub struct PostRequests;

impl Grouped for PostRequests {
    type Item = PostRequest;
    type Answer = Heard;
    type Error = BooksError;

    const NAME: &'static str = "post_transactions";

    fn run<'t>(
        &'t self,
        tx: &'t mut Tx,
        tenant: TenantId,
        items: &'t [Arc<PostRequest>],
    ) -> BoxFuture<'t, Result<Vec<Heard>, BooksError>> {
        Box::pin(post_together(tx, tenant, items))
    }
}

async fn post_together(
    conn: &mut PgConnection,
    tenant: TenantId,
    items: &[Arc<PostRequest>],
) -> Result<Vec<Heard>, BooksError> {
    // They came in this order; the newest of them says what time it is for all.
    let now = items.iter().map(|item| item.now).max().unwrap_or_default();
    let requests = items.iter().map(|item| &item.idempotency).collect();
    let claims = claim_group(conn, tenant, requests).await?;

    let mut decided = Vec::with_capacity(items.len());
    let mut transactions = Vec::with_capacity(items.len());
    for n in claims.fresh() {
        match items[n].prepare(conn, tenant).await? {
            Ok(transaction) => {
                decided.push(None);
                transactions.push(transaction);
            }
            Err(problem) => decided.push(Some(problem)),
        }
    }

    let outcomes = record(conn, tenant, now, &transactions).await?;

    let mut answers = transactions.into_iter().zip(outcomes).map(answer);
    let decided = decided
        .into_iter()
        .map(|decided| match decided {
            None => answers.next().unwrap_or_else(|| Err(corrupt("an outcome is missing"))),
            Some(problem) => Ok(Err(problem)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(claims.keep(conn, tenant, decided, now).await?)
}

/// What the caller hears of an outcome.
fn answer(
    (asked, outcome): (NewTransaction, Outcome),
) -> Result<Result<StoredAnswer, Problem>, BooksError> {
    match outcome {
        Outcome::Posted(posted) if posted.replayed => {
            Err(corrupt("what a new request posted was there before"))
        }
        Outcome::Posted(posted) => {
            let view = TransactionView::from(as_written(asked, posted));
            Ok(StoredAnswer::success(StatusCode::CREATED, &view))
        }
        Outcome::Refused(refusal) => Ok(Err(BooksError::from(refusal).into())),
        Outcome::KeyReused => Err(corrupt("a posting key that was new has been used")),
    }
}

/// A transaction as the ledger just wrote it: the same as reading it back.
fn as_written(asked: NewTransaction, posted: Posted) -> read::Transaction {
    let metadata = kept_metadata(&asked, posted.effective_at);
    read::Transaction {
        id: posted.id,
        position: posted.position,
        kind: asked.kind.as_str().to_owned(),
        effective_at: posted.effective_at,
        recorded_at: posted.recorded_at,
        source: asked.source,
        actor: asked.actor,
        reverses: asked.reverses,
        metadata: Some(Value::Object(metadata)),
        entries: posted.entries,
    }
}

fn corrupt(what: &str) -> BooksError {
    BooksError::Corrupt { what: what.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_posting_key_is_short_and_in_the_order_of_the_requests() {
        let ids = (0..500).map(|_| RequestId::generate(Timestamp::default()));
        let keys: Vec<String> = ids.map(|id| key_of(id).unwrap().as_str().to_owned()).collect();
        assert!(keys.iter().all(|key| key.len() == 22));
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    }
}

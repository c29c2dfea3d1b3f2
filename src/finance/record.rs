//! Posts what was decided, and announces it, in the transaction that makes it true.

use mizan_ledger::postings::INDEX;
use mizan_ledger::{
    Authority, NewTransaction, Outcome, Posted, Posting, PostingKey, TransactionKind, post,
};
use mizan_money::{TenantId, Timestamp};
use serde_json::{Map, Value};
use sqlx::PgConnection;

use super::error::FinanceError;
use crate::outbox::{self, NewEvent};

/// A transaction and the event that announces it.
pub struct Move {
    /// What is posted.
    pub transaction: NewTransaction,
    /// What it is announced as.
    pub event: &'static str,
    /// The object it is about.
    pub object: String,
    /// What a consumer learns.
    pub payload: Value,
}

/// Whose doing it is, and when it counts.
pub struct By<'a> {
    /// The thing it belongs to.
    pub source: String,
    /// An API key.
    pub actor: &'a str,
    /// When it is true in the world.
    pub effective_at: Timestamp,
}

/// A transaction to post. Whether a floor may refuse it is the index's to say; a journal's kinds
/// are commands.
///
/// # Errors
/// A key that is too long.
pub fn transaction(
    kind: &str,
    key: String,
    by: By<'_>,
    posting: Posting,
) -> Result<NewTransaction, FinanceError> {
    let known = INDEX.iter().find(|entry| entry.kind == kind);
    Ok(NewTransaction {
        key: PostingKey::new(key)?,
        kind: TransactionKind::new(kind)?,
        effective_at: by.effective_at,
        posting,
        authority: known.map_or(Authority::Command, |entry| entry.authority),
        source: by.source,
        actor: by.actor.to_owned(),
        metadata: Map::new(),
        reverses: None,
    })
}

/// Posts in the order given and announces each of them.
///
/// # Errors
/// What the ledger refused; the database. The caller rolls back.
pub async fn record(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    moves: Vec<Move>,
) -> Result<Vec<Posted>, FinanceError> {
    let (asked, told): (Vec<_>, Vec<_>) =
        moves.into_iter().map(|it| (it.transaction, (it.event, it.object, it.payload))).unzip();
    let outcomes = post(conn, tenant, now, &asked).await?;

    let posted = |outcome| match outcome {
        Outcome::Posted(posted) if !posted.replayed => Ok(posted),
        Outcome::Posted(_) => Err(FinanceError::corrupt("what is new was posted before")),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::KeyReused => Err(FinanceError::corrupt("a new posting key has been used")),
    };
    let posted = outcomes.into_iter().map(posted).collect::<Result<Vec<Posted>, _>>()?;

    let event = |((kind, object, payload), posted): ((_, _, _), &Posted)| {
        NewEvent::new(kind, object, Some(posted.position), payload, now)
    };
    let events: Vec<NewEvent> = told.into_iter().zip(&posted).map(event).collect();
    outbox::append(conn, tenant, now, &events).await?;
    Ok(posted)
}

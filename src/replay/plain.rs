//! Plain transactions, posted again from the answers that their callers were given.

use mizan_ledger::{
    AccountRef, Authority, Leg, NewTransaction, Outcome, Posting, PostingKey, Side,
    TransactionKind, read,
};
use mizan_money::{Currency, Money, TenantId, Timestamp, TransactionId};
use serde::Deserialize;
use sqlx::PgConnection;

use crate::books::record;
use crate::inbox::InboxError;
use crate::payments::PaymentError;

/// An answer, as far as it says what was posted.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Answer {
    id: TransactionId,
    /// Its journal number.
    pub position: i64,
    kind: String,
    effective_at: Timestamp,
    recorded_at: Timestamp,
    source: Option<String>,
    actor: String,
    reverses: Option<TransactionId>,
    metadata: Option<serde_json::Map<String, serde_json::Value>>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
struct Entry {
    account: String,
    side: EntrySide,
    amount: i64,
    currency: Currency,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EntrySide {
    Debit,
    Credit,
}

/// Reads an answer.
///
/// # Errors
/// Why it is none that this version gives.
pub(super) fn parse(body: &str) -> Result<Answer, String> {
    serde_json::from_str(body).map_err(|error| format!("an answer cannot be read: {error}"))
}

/// The key in the copy: the request's own key is not part of its answer.
fn key(id: TransactionId) -> Result<PostingKey, PaymentError> {
    Ok(PostingKey::new(format!("{id}:again"))?)
}

/// Posts it again. Its entries are those that were written, so no floor may refuse them: one that
/// does shows that something before it is missing.
///
/// # Errors
/// The database; entries that make no transaction; a refusal.
pub(super) async fn post_again(
    conn: &mut PgConnection,
    tenant: TenantId,
    answer: &Answer,
) -> Result<(), InboxError> {
    let reverses = match answer.reverses {
        None => None,
        Some(original) => {
            let missing = || PaymentError::NotFound { id: original.to_string() };
            let key = key(original)?;
            let found = read::transaction_by_key(conn, tenant, key.as_str()).await;
            Some(found.map_err(PaymentError::from)?.ok_or_else(missing)?.id)
        }
    };
    let again = transaction(answer, reverses)?;
    let outcome = record(conn, tenant, answer.recorded_at, &[again]).await;
    let outcome = outcome.map_err(|error| PaymentError::Corrupt { what: error.to_string() })?;
    match outcome.into_iter().next() {
        Some(Outcome::Posted(_)) => Ok(()),
        Some(Outcome::Refused(refusal)) => Err(PaymentError::LedgerRefused { refusal }.into()),
        Some(Outcome::KeyReused) | None => {
            Err(PaymentError::PostingKeyReused { key: answer.id.to_string() }.into())
        }
    }
}

fn transaction(
    answer: &Answer,
    reverses: Option<TransactionId>,
) -> Result<NewTransaction, PaymentError> {
    let leg = |entry: &Entry| {
        Ok::<_, PaymentError>(Leg {
            account: AccountRef::parse(&entry.account)?,
            side: match entry.side {
                EntrySide::Debit => Side::Debit,
                EntrySide::Credit => Side::Credit,
            },
            amount: Money::new(entry.amount, entry.currency),
        })
    };
    let legs = answer.entries.iter().map(leg).collect::<Result<Vec<Leg>, PaymentError>>()?;
    Ok(NewTransaction {
        key: key(answer.id)?,
        kind: TransactionKind::new(answer.kind.clone())?,
        effective_at: answer.effective_at,
        posting: Posting::balanced(legs)?,
        authority: Authority::Command,
        source: answer.source.clone().unwrap_or_default(),
        actor: answer.actor.clone(),
        metadata: answer.metadata.clone().unwrap_or_default(),
        reverses,
    })
}

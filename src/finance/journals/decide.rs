//! Approves or rejects a draft: by another key, once.

use mizan_ledger::{Leg, Role, Side};
use mizan_money::{TenantId, Timestamp};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::parts::parts;
use super::{Journal, JournalId, JournalState, WholeJournal, store};
use crate::finance::error::FinanceError;
use crate::finance::record::{By, Move, record, transaction};
use crate::outbox::{self, NewEvent};
use crate::wallets::{self, NewGrant};

type Result<T> = std::result::Result<T, FinanceError>;

/// Posts a draft that another key made, and announces it, in the caller's transaction.
///
/// # Errors
/// An unknown journal, one that was decided on, the maker's own key; what the ledger refuses: a
/// closed period, a floor; the database.
pub async fn approve(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: JournalId,
    by: &str,
) -> Result<WholeJournal> {
    let journal = lock(conn, tenant, id, by).await?;
    let legs = store::entries(conn, tenant, id).await?;
    if legs.len() != journal.entry_count {
        return Err(FinanceError::corrupt(format!("{id} has lost entries")));
    }

    let kind = format!("journal.{}", journal.kind.as_str());
    let mut moves = Vec::new();
    for (n, posting) in parts(&legs)?.into_iter().enumerate() {
        let whose = By { source: id.to_string(), actor: by, effective_at: journal.effective_at };
        let mut posted = transaction(&kind, format!("{id}:post:{n}"), whose, posting)?;
        posted.metadata.insert("made_by".to_owned(), journal.created_by.clone().into());
        posted.metadata.insert("approved_by".to_owned(), by.into());
        posted.metadata.insert("reason".to_owned(), journal.reason.clone().into());
        if let Some(corrects) = journal.corrects {
            posted.metadata.insert("corrects".to_owned(), corrects.to_string().into());
        }
        let payload = told(&journal, by, Some(n + 1));
        moves.push(Move {
            transaction: posted,
            event: "journal.posted",
            object: id.to_string(),
            payload,
        });
    }
    adopt_credits(conn, tenant, now, &journal, &legs).await?;
    let posted = record(conn, tenant, now, moves).await?;

    let transactions = posted.iter().map(|posted| posted.id).collect();
    let state = JournalState::Posted { at: now, by: by.to_owned(), transactions };
    let journal = Journal { state, ..journal };
    store::decide(conn, tenant, &journal).await?;
    Ok(WholeJournal { journal, legs })
}

/// Promo credit that a journal brings is made spendable: a purse without its lot is stuck.
async fn adopt_credits(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    journal: &Journal,
    legs: &[Leg],
) -> Result<()> {
    for leg in legs {
        let spendable = |n, word| leg.account.dimension(n) == Some(word);
        let promo = leg.account.role() == Role::CustomerWallet
            && spendable(1, "promo")
            && spendable(2, "spendable");
        let (true, Side::Credit, Some(customer)) = (promo, leg.side, leg.account.dimension(0))
        else {
            continue;
        };
        let brought = NewGrant {
            customer: customer.to_owned(),
            amount: leg.amount,
            expires_at: None,
            reason: journal.reason.clone(),
            by: journal.created_by.clone(),
        };
        wallets::adopt(conn, tenant, now, &brought).await?;
    }
    Ok(())
}

/// Rejects a draft that another key made.
///
/// # Errors
/// As [`approve`], without the ledger.
pub async fn reject(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: JournalId,
    by: &str,
    reason: &str,
) -> Result<WholeJournal> {
    let journal = lock(conn, tenant, id, by).await?;
    let legs = store::entries(conn, tenant, id).await?;
    let state = JournalState::Rejected { at: now, by: by.to_owned(), reason: reason.to_owned() };
    let journal = Journal { state, ..journal };
    store::decide(conn, tenant, &journal).await?;

    let mut payload = told(&journal, by, None);
    payload["rejected_because"] = reason.into();
    let event = NewEvent::new("journal.rejected", id.to_string(), None, payload, now);
    outbox::append(conn, tenant, now, &[event]).await?;
    Ok(WholeJournal { journal, legs })
}

/// The draft, held until the end of the transaction.
async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: JournalId,
    by: &str,
) -> Result<Journal> {
    let found = store::lock(conn, tenant, id).await?;
    let journal = found.ok_or_else(|| FinanceError::NotFound { id: id.to_string() })?;
    if journal.state != JournalState::Draft {
        let state = journal.state.as_str();
        return Err(FinanceError::WrongState { id: id.to_string(), state });
    }
    if journal.created_by == by {
        return Err(FinanceError::OwnDraft { id: id.to_string() });
    }
    Ok(journal)
}

fn told(journal: &Journal, by: &str, part: Option<usize>) -> Value {
    json!({
        "journal": journal.id, "kind": journal.kind.as_str(), "reason": journal.reason,
        "effective_at": journal.effective_at, "corrects": journal.corrects,
        "created_by": journal.created_by, "decided_by": by, "part": part,
    })
}

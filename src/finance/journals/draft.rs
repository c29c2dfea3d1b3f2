//! Writes a journal down, so that somebody else can look at it.

use std::collections::BTreeMap;

use mizan_ledger::period::periods;
use mizan_ledger::{Leg, Refusal, Side, read};
use mizan_money::{Currency, TenantId, Timestamp, TransactionId};
use serde_json::json;
use sqlx::PgConnection;

use super::{IMPORT_MAX, Journal, JournalId, JournalKind, JournalState, WholeJournal, store};
use crate::finance::error::FinanceError;
use crate::outbox::{self, NewEvent};

/// A journal to be written down. Each field was checked at the door.
#[derive(Debug, Clone)]
pub struct NewJournal {
    /// What it is for.
    pub kind: JournalKind,
    /// Why.
    pub reason: String,
    /// When it is true in the world.
    pub effective_at: Timestamp,
    /// The transaction that it puts right.
    pub corrects: Option<TransactionId>,
    /// Its entries; each amount above zero.
    pub legs: Vec<Leg>,
}

/// Who makes it, and when.
#[derive(Debug, Clone)]
pub struct Maker {
    /// An API key, or the command line.
    pub name: String,
    /// When.
    pub now: Timestamp,
}

/// Debits equal credits in each currency, however many entries there are.
///
/// # Errors
/// The first currency that does not balance; too few or too many entries.
pub fn check_sums(legs: &[Leg], max: usize) -> Result<(), FinanceError> {
    if !(2..=max).contains(&legs.len()) {
        let message = format!("`entries` has {}; a journal has 2 to {max}", legs.len());
        return Err(FinanceError::invalid("entries", message));
    }
    let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
    for leg in legs {
        let amount = i128::from(leg.amount.minor());
        *sums.entry(leg.amount.currency()).or_default() += match leg.side {
            Side::Debit => amount,
            Side::Credit => -amount,
        };
    }
    match sums.into_iter().find(|(_, off_by)| *off_by != 0) {
        Some((currency, off_by)) => Err(FinanceError::Unbalanced { currency, off_by }),
        None => Ok(()),
    }
}

/// Writes a draft down and announces it. Nothing is posted yet.
///
/// # Errors
/// Entries that do not balance, a closed day, an unknown transaction to correct; the database.
pub async fn draft(
    conn: &mut PgConnection,
    tenant: TenantId,
    maker: &Maker,
    new: &NewJournal,
) -> Result<WholeJournal, FinanceError> {
    check_sums(&new.legs, IMPORT_MAX)?;
    check_open(conn, tenant, new.effective_at).await?;
    if let Some(id) = new.corrects
        && read::transaction(conn, tenant, id).await?.is_none()
    {
        let message = format!("{id} is not a transaction of these books");
        return Err(FinanceError::UnknownReference { param: "corrects", message });
    }

    let journal = Journal {
        id: JournalId::generate(maker.now),
        kind: new.kind,
        state: JournalState::Draft,
        reason: new.reason.clone(),
        effective_at: new.effective_at,
        corrects: new.corrects,
        entry_count: new.legs.len(),
        created_at: maker.now,
        created_by: maker.name.clone(),
    };
    store::insert(conn, tenant, &journal).await?;
    store::insert_entries(conn, tenant, journal.id, &new.legs).await?;

    let payload = json!({
        "journal": journal.id, "kind": journal.kind.as_str(), "reason": journal.reason,
        "created_by": journal.created_by,
    });
    let event = NewEvent::new("journal.drafted", journal.id.to_string(), None, payload, maker.now);
    outbox::append(conn, tenant, maker.now, &[event]).await?;
    Ok(WholeJournal { journal, legs: new.legs.clone() })
}

/// A draft into closed days would be refused when it is approved: it is said at once.
async fn check_open(
    conn: &mut PgConnection,
    tenant: TenantId,
    effective_at: Timestamp,
) -> Result<(), FinanceError> {
    match periods(conn, tenant, None, 1).await?.first() {
        Some(closed) if effective_at < closed.ends_at => {
            Err(Refusal::PeriodClosed { effective_at, closed_before: closed.ends_at }.into())
        }
        _ => Ok(()),
    }
}

//! The statements of journals: drafted, decided on once, never changed.

use mizan_ledger::{AccountRef, Leg, Side};
use mizan_money::{Currency, Money, TenantId, TransactionId};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

use super::{Journal, JournalId, JournalKind, JournalState};
use crate::finance::error::FinanceError;

type Result<T> = std::result::Result<T, FinanceError>;

/// Writes a draft down.
///
/// # Errors
/// The database.
pub(super) async fn insert(
    conn: &mut PgConnection,
    tenant: TenantId,
    journal: &Journal,
) -> Result<()> {
    sqlx::query(
        "insert into finance.journal
             (tenant_id, id, kind, state, reason, effective_at, corrects, entry_count,
              created_at, created_by)
         values ($1, $2, $3, 'draft', $4, $5, $6, $7, $8, $9)",
    )
    .bind(tenant.0)
    .bind(journal.id.uuid())
    .bind(journal.kind.as_str())
    .bind(&journal.reason)
    .bind(journal.effective_at)
    .bind(journal.corrects.map(TransactionId::uuid))
    .bind(i32::try_from(journal.entry_count).unwrap_or(i32::MAX))
    .bind(journal.created_at)
    .bind(&journal.created_by)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes a draft's entries down, in their order.
///
/// # Errors
/// The database.
pub(super) async fn insert_entries(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: JournalId,
    legs: &[Leg],
) -> Result<()> {
    sqlx::query(
        "insert into finance.journal_entry
             (tenant_id, journal_id, n, account, side, amount, currency)
         select $1, $2, e.n, e.account, e.side, e.amount, e.currency
         from unnest($3::text[], $4::text[], $5::bigint[], $6::text[])
             with ordinality as e (account, side, amount, currency, n)",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .bind(legs.iter().map(|leg| leg.account.path()).collect::<Vec<_>>())
    .bind(legs.iter().map(|leg| leg.side.name()).collect::<Vec<_>>())
    .bind(legs.iter().map(|leg| leg.amount.minor()).collect::<Vec<_>>())
    .bind(legs.iter().map(|leg| leg.amount.currency().code()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// One journal; none where the id is unknown.
///
/// # Errors
/// The database.
pub(super) async fn find(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: JournalId,
) -> Result<Option<Journal>> {
    let row = sqlx::query("select * from finance.journal where tenant_id = $1 and id = $2")
        .bind(tenant.0)
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(journal_from).transpose()
}

/// The same, held until the end of the transaction, as it is once it was granted.
///
/// # Errors
/// The database.
pub(super) async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: JournalId,
) -> Result<Option<Journal>> {
    let row = sqlx::query(
        "select * from finance.journal where tenant_id = $1 and id = $2 for no key update",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_optional(conn)
    .await?;
    row.as_ref().map(journal_from).transpose()
}

/// Journals, newest first, from behind one; optionally in one state.
///
/// # Errors
/// The database.
pub(super) async fn list(
    conn: &mut PgConnection,
    tenant: TenantId,
    state: Option<&str>,
    after: Option<JournalId>,
    limit: i64,
) -> Result<Vec<Journal>> {
    let rows = sqlx::query(
        "select * from finance.journal
         where tenant_id = $1 and ($2::text is null or state = $2)
             and ($3::uuid is null or id < $3)
         order by id desc
         limit $4",
    )
    .bind(tenant.0)
    .bind(state)
    .bind(after.map(JournalId::uuid))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.iter().map(journal_from).collect()
}

/// A journal's entries, in their order.
///
/// # Errors
/// The database.
pub(super) async fn entries(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: JournalId,
) -> Result<Vec<Leg>> {
    let rows = sqlx::query(
        "select account, side, amount, currency from finance.journal_entry
         where tenant_id = $1 and journal_id = $2
         order by n",
    )
    .bind(tenant.0)
    .bind(id.uuid())
    .fetch_all(conn)
    .await?;
    rows.iter().map(leg_from).collect()
}

/// Writes down what was decided on a draft.
///
/// # Errors
/// The database.
pub(super) async fn decide(
    conn: &mut PgConnection,
    tenant: TenantId,
    journal: &Journal,
) -> Result<()> {
    let (at, by, reason, transactions) = match &journal.state {
        JournalState::Draft => return Err(FinanceError::corrupt("a draft is not a decision")),
        JournalState::Posted { at, by, transactions } => (at, by, None, transactions.as_slice()),
        JournalState::Rejected { at, by, reason } => (at, by, Some(reason), [].as_slice()),
    };
    let done = sqlx::query(
        "update finance.journal
         set state = $3, decided_at = $4, decided_by = $5, decision = $6, transactions = $7
         where tenant_id = $1 and id = $2 and state = 'draft'",
    )
    .bind(tenant.0)
    .bind(journal.id.uuid())
    .bind(journal.state.as_str())
    .bind(at)
    .bind(by)
    .bind(reason)
    .bind(transactions.iter().map(|id| id.uuid()).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    match done.rows_affected() {
        1 => Ok(()),
        _ => Err(FinanceError::corrupt(format!("{} was decided on meanwhile", journal.id))),
    }
}

fn journal_from(row: &PgRow) -> Result<Journal> {
    let corrupt = FinanceError::corrupt;
    let (kind, state): (String, String) = (row.try_get("kind")?, row.try_get("state")?);
    let missing = |what: &str| corrupt(format!("a journal that is {state} has no {what}"));
    let decided = || -> Result<_> {
        let at: Option<_> = row.try_get("decided_at")?;
        let by: Option<_> = row.try_get("decided_by")?;
        Ok((at.ok_or_else(|| missing("time"))?, by.ok_or_else(|| missing("checker"))?))
    };
    let transactions: Vec<Uuid> = row.try_get("transactions")?;
    let state = match state.as_str() {
        "draft" => JournalState::Draft,
        "posted" => {
            let (at, by) = decided()?;
            let transactions = transactions.into_iter().map(TransactionId::from_uuid).collect();
            JournalState::Posted { at, by, transactions }
        }
        "rejected" => {
            let (at, by) = decided()?;
            let reason: Option<_> = row.try_get("decision")?;
            JournalState::Rejected { at, by, reason: reason.ok_or_else(|| missing("reason"))? }
        }
        other => return Err(corrupt(format!("a journal is `{other}`"))),
    };
    let corrects: Option<Uuid> = row.try_get("corrects")?;
    let entry_count: i32 = row.try_get("entry_count")?;
    Ok(Journal {
        id: JournalId::from_uuid(row.try_get("id")?),
        kind: JournalKind::from_word(&kind).ok_or_else(|| corrupt(format!("kind `{kind}`")))?,
        state,
        reason: row.try_get("reason")?,
        effective_at: row.try_get("effective_at")?,
        corrects: corrects.map(TransactionId::from_uuid),
        entry_count: usize::try_from(entry_count).unwrap_or_default(),
        created_at: row.try_get("created_at")?,
        created_by: row.try_get("created_by")?,
    })
}

fn leg_from(row: &PgRow) -> Result<Leg> {
    let side: String = row.try_get("side")?;
    let currency: String = row.try_get("currency")?;
    let account: String = row.try_get("account")?;
    let currency = Currency::parse(&currency).map_err(FinanceError::corrupt)?;
    Ok(Leg {
        account: AccountRef::parse(&account).map_err(FinanceError::corrupt)?,
        side: if side == Side::Debit.name() { Side::Debit } else { Side::Credit },
        amount: Money::new(row.try_get("amount")?, currency),
    })
}

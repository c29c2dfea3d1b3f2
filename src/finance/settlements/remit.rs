//! Pays a liability from a bank, never more than is owed.

use mizan_ledger::postings::LiabilityRemitted;
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, TenantId, Timestamp, TransactionId};
use serde_json::json;
use sqlx::PgConnection;

use super::{RemittanceId, store};
use crate::finance::error::FinanceError;
use crate::finance::record::{By, Move, record, transaction};

const KIND: &str = "liability.remitted";

/// What is paid from a bank and to whom: offices and suppliers. What is owed to vendors,
/// affiliates and customers goes out through payouts and refunds, which know about it.
const REMITTED: [Role; 7] = [
    Role::ProviderPayable,
    Role::VatOutputPayable,
    Role::GstOutputPayable,
    Role::GstTcsPayable,
    Role::TdsPayable,
    Role::VatSettlement,
    Role::UnappliedReceipts,
];

/// A liability to be paid. Each field was checked at the door.
#[derive(Debug, Clone)]
pub struct NewRemittance {
    /// What is owed.
    pub account: AccountRef,
    /// Our bank account.
    pub bank: String,
    /// How much is paid.
    pub amount: Money,
    /// What the office or the bank calls it.
    pub reference: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
}

/// A remittance as it is kept.
#[derive(Debug, Clone)]
pub struct Remittance {
    /// Its id.
    pub id: RemittanceId,
    /// What was paid.
    pub says: NewRemittance,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// With which key.
    pub created_by: String,
    /// What it was posted as.
    pub transaction: TransactionId,
}

/// Refuses an account that is not paid this way.
///
/// # Errors
/// The accounts that are.
pub fn check_account(path: &str) -> Result<AccountRef, FinanceError> {
    let account = AccountRef::parse(path);
    let account = account.map_err(|error| FinanceError::invalid("account", error.to_string()))?;
    if REMITTED.contains(&account.role()) {
        return Ok(account);
    }
    let forms = REMITTED.map(|role| role.line().form()).join(", ");
    Err(FinanceError::invalid("account", format!("what is remitted stands on one of {forms}")))
}

/// Pays a liability and announces it.
///
/// # Errors
/// More than is owed, a closed period, a reference that was told before; the database.
pub async fn remit(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    new: &NewRemittance,
    by: &str,
) -> Result<Remittance, FinanceError> {
    let id = RemittanceId::generate(now);
    let (liability, bank) = (new.account.clone(), new.bank.clone());
    let posting = LiabilityRemitted { liability, bank, amount: new.amount }.posting()?;
    let whose = By { source: id.to_string(), actor: by, effective_at: new.occurred_at };
    let payload = json!({
        "remittance": id, "account": new.account.path(), "bank": new.bank,
        "amount": new.amount.minor(), "currency": new.amount.currency(),
        "reference": new.reference, "occurred_at": new.occurred_at,
    });
    let posted = Move {
        transaction: transaction(KIND, format!("{id}:paid"), whose, posting)?,
        event: KIND,
        object: id.to_string(),
        payload,
    };
    let posted = record(conn, tenant, now, vec![posted]).await?;
    let posted = posted.first().ok_or_else(|| FinanceError::corrupt("nothing posted"))?;

    // The head is locked since the posting, so nobody pays the same a second time meanwhile.
    let after = posted.entries.iter().find(|entry| entry.account == new.account);
    let after = after.ok_or_else(|| FinanceError::corrupt("the liability has no entry"))?;
    if after.balance_after.is_negative() {
        let owed = after.balance_after.checked_add(new.amount)?;
        let (account, asked) = (new.account.to_string(), new.amount);
        return Err(FinanceError::TooMuch { account, asked, owed });
    }

    let by = by.to_owned();
    let transaction = posted.id;
    let kept = Remittance { id, says: new.clone(), created_at: now, created_by: by, transaction };
    if !store::insert_remittance(conn, tenant, &kept).await? {
        let reference = new.reference.as_deref().unwrap_or_default();
        let what = format!("`{reference}` was paid from {} before", new.account);
        return Err(FinanceError::ReferenceReused { param: "reference", what });
    }
    Ok(kept)
}

//! A vendor's debt is given up, by two people.

use mizan_ledger::postings::VendorWrittenOff;
use mizan_ledger::{AccountRef, Role, lock_balances};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::store;
use crate::payments::PaymentError;
use crate::payments::intent::states;
use crate::payments::plan::Plan;

mizan_money::typed_id! {
    /// A debt to be given up.
    pub struct WriteOffId("wof");
}

states! {
    /// Where it stands.
    WriteOffState {
        /// One person asks for it.
        Requested = "requested",
        /// Another agreed; it is booked.
        Approved = "approved",
        /// Another did not.
        Rejected = "rejected",
    }
}

/// A debt to be given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// Its id.
    pub id: WriteOffId,
    /// Whose debt.
    pub vendor: String,
    /// How much of it.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: WriteOffState,
    /// Who asked.
    pub requested_by: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

fn receivable(vendor: &str) -> Result<AccountRef, PaymentError> {
    Ok(AccountRef::new(Role::VendorReceivable, &[vendor])?)
}

/// What a vendor owes; nobody else can move it until the commit.
async fn lock_debt(
    conn: &mut PgConnection,
    tenant: TenantId,
    vendor: &str,
    currency: Currency,
) -> Result<Money, PaymentError> {
    let account = (receivable(vendor)?, currency);
    let balances = lock_balances(conn, tenant, [account.clone()]).await?;
    Ok(balances.get(&account).copied().unwrap_or(Money::zero(currency)))
}

/// Asks for a debt to be given up.
///
/// # Errors
/// More than the vendor owes; the database.
pub(super) async fn request(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    (vendor, amount): (&str, Money),
    (reason, by): (&str, &str),
) -> Result<WriteOff, PaymentError> {
    let debt = lock_debt(conn, tenant, vendor, amount.currency()).await?;
    if amount.minor() > debt.minor() {
        let message = format!("{vendor} owes {debt}, {amount} cannot be given up");
        return Err(PaymentError::Invalid { param: "amount".into(), message });
    }
    let asked = WriteOff {
        id: WriteOffId::generate(now),
        vendor: vendor.to_owned(),
        amount,
        reason: reason.to_owned(),
        state: WriteOffState::Requested,
        requested_by: by.to_owned(),
        decided_by: None,
        created_at: now,
        decided_at: None,
    };
    store::insert_write_off(conn, tenant, &asked).await?;
    let mut plan = Plan::new(now, "api");
    plan.announce("vendor.write_off_requested", asked.id.to_string(), None, told(&asked));
    plan.announce_all(conn, tenant, &[]).await?;
    Ok(asked)
}

/// Decides on a debt to be given up; where it is approved, books what of it is still owed.
///
/// # Errors
/// An unknown id, one that was decided, the same person; nothing left of the debt; the database.
pub(super) async fn decide(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: WriteOffId,
    (to, by): (WriteOffState, &str),
) -> Result<WriteOff, PaymentError> {
    let missing = || PaymentError::NotFound { id: id.to_string() };
    let mut found = store::lock_write_off(conn, tenant, id).await?.ok_or_else(missing)?;
    let invalid = |message: String| PaymentError::Invalid { param: "id".into(), message };
    if found.state != WriteOffState::Requested {
        return Err(invalid(format!("{id} is {} already", found.state.as_str())));
    }
    if found.requested_by == by {
        return Err(PaymentError::OwnRequest { id: id.to_string() });
    }
    (found.state, found.decided_by, found.decided_at) = (to, Some(by.to_owned()), Some(now));
    let mut plan = Plan::new(now, "api");
    let mut entry = None;
    if to == WriteOffState::Approved {
        let debt = lock_debt(conn, tenant, &found.vendor, found.amount.currency()).await?;
        if debt.minor() < found.amount.minor() {
            let amount = found.amount;
            return Err(invalid(format!("{debt} is still owed, {amount} cannot be given up")));
        }
        let (vendor, amount) = (found.vendor.clone(), found.amount);
        let posting = VendorWrittenOff { vendor, amount }.posting()?;
        let key = format!("{id}:written_off");
        entry = Some(plan.post("vendor.written_off", key, id.to_string(), now, posting)?);
    }
    store::save_write_off(conn, tenant, &found).await?;
    let kind = match to {
        WriteOffState::Approved => "vendor.written_off",
        _ => "vendor.write_off_rejected",
    };
    plan.announce(kind, id.to_string(), entry, told(&found));
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    Ok(found)
}

fn told(it: &WriteOff) -> serde_json::Value {
    json!({
        "write_off": it.id.to_string(), "vendor": it.vendor, "status": it.state.as_str(),
        "amount": it.amount.minor(), "currency": it.amount.currency().code(),
        "reason": it.reason, "requested_by": it.requested_by, "decided_by": it.decided_by,
    })
}

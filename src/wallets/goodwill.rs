//! Promo credit that the platform gives by hand.

use mizan_ledger::postings::PromoGranted;
use mizan_money::{Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::error::WalletError;
use super::lot::{Lot, LotId, LotState, Origin};
use super::store;
use crate::payments::plan::Plan;

/// Promo credit to be given.
#[derive(Debug, Clone)]
pub struct NewGrant {
    /// To whom.
    pub customer: String,
    /// How much.
    pub amount: Money,
    /// Until when it can be spent; for ever where none.
    pub expires_at: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: String,
}

/// Gives promo credit that can be spent at once.
///
/// # Errors
/// Nothing to give, an end that is over; the database.
pub async fn grant_goodwill(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    asked: &NewGrant,
) -> Result<Lot, WalletError> {
    check(asked, now)?;
    let lot = credit_of(asked, Origin::Goodwill, now);
    store::insert_lots(conn, tenant, std::slice::from_ref(&lot)).await?;
    let mut plan = Plan::new(now, "api");
    let (id, customer) = (lot.id.to_string(), lot.customer.clone());
    let posting = PromoGranted { customer, amount: asked.amount }.posting()?;
    let entry = plan.post("promo.granted", format!("{id}:granted"), id.clone(), now, posting)?;
    let told = json!({
        "lot": id,
        "customer": lot.customer,
        "amount": lot.amount,
        "currency": lot.currency.code(),
        "expires_at": lot.expires_at,
    });
    plan.announce("promo.granted", id, Some(entry), told);
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    Ok(lot)
}

/// Takes over promo credit that is in the purse already, because it was booked there by hand
/// when the books were opened: without a lot nobody could spend it. Posts nothing; call it in
/// the transaction that books it.
///
/// # Errors
/// Nothing to take over, an end that is over; the database.
pub async fn adopt(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    asked: &NewGrant,
) -> Result<Lot, WalletError> {
    check(asked, now)?;
    let lot = credit_of(asked, Origin::Opening, now);
    store::insert_lots(conn, tenant, std::slice::from_ref(&lot)).await?;
    Ok(lot)
}

fn check(asked: &NewGrant, now: Timestamp) -> Result<(), WalletError> {
    if !asked.amount.is_positive() {
        return Err(WalletError::invalid("amount", "Grant at least one minor unit."));
    }
    match asked.expires_at {
        Some(end) if end <= now => {
            Err(WalletError::invalid("expires_at", "Promo credit ends later than now."))
        }
        _ => Ok(()),
    }
}

/// A credit that can be spent at once.
fn credit_of(asked: &NewGrant, origin: Origin, now: Timestamp) -> Lot {
    Lot {
        id: LotId::generate(now),
        customer: asked.customer.clone(),
        currency: asked.amount.currency(),
        origin,
        payment: None,
        rule: None,
        reason: Some(asked.reason.clone()),
        amount: asked.amount.minor(),
        held: 0,
        spent: 0,
        expired: 0,
        clawed: 0,
        withheld: 0,
        state: LotState::Vested,
        earned_at: now,
        vests_at: now,
        expires_at: asked.expires_at,
        back_at: None,
        created_by: asked.by.clone(),
    }
}

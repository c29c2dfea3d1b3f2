//! What a checkout holds of a customer's purses, until it is paid or given up.

use mizan_ledger::postings::{WalletHeld, WalletReleased};
use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, TenantId};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::error::WalletError;
use super::lot::{Lot, LotId, pick};
use super::store;
use crate::payments::plan::Plan;

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// The checkout is under way.
    Held,
    /// It was given up; the money went back.
    Released,
    /// It was paid.
    Spent,
}

/// What a payment is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewHold<'a> {
    /// The payment.
    pub payment: PaymentIntentId,
    /// Whose purses.
    pub customer: &'a str,
    /// Out of the cash purse.
    pub cash: Money,
    /// Out of the promo purse, in the same currency.
    pub promo: Money,
}

/// What a payment holds, or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The payment.
    pub payment: PaymentIntentId,
    /// How often the payment has held: a posting is named after it.
    pub round: i16,
    /// Whose purses.
    pub customer: String,
    /// Out of the cash purse.
    pub cash: Money,
    /// Out of the promo purse.
    pub promo: Money,
    /// How it stands.
    pub state: HoldState,
}

impl HoldState {
    /// The word for tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Released => "released",
            Self::Spent => "spent",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Held, Self::Released, Self::Spent].into_iter().find(|it| it.as_str() == word)
    }
}

impl Hold {
    fn told(&self) -> Value {
        json!({
            "payment_intent": self.payment.to_string(),
            "customer": self.customer,
            "currency": self.cash.currency().code(),
            "cash": self.cash.minor(),
            "promo": self.promo.minor(),
        })
    }
}

/// Holds money of a customer's purses for a payment: promo credit lot by lot, those that end
/// first first, under row locks; cash by the ledger's floor when the plan is posted. Nothing
/// where both amounts are zero.
///
/// Safe to repeat: a payment that holds the same already holds it once.
///
/// # Errors
/// [`WalletError::Insufficient`] for more promo credit than there is; a payment that holds
/// something else or has spent it; an amount below zero. More cash than there is refuses the
/// plan when it is posted.
pub async fn hold(
    conn: &mut PgConnection,
    tenant: TenantId,
    asked: &NewHold<'_>,
    plan: &mut Plan,
) -> Result<(), WalletError> {
    let (now, NewHold { payment, cash, promo, .. }) = (plan.now(), *asked);
    cash.checked_add(promo)?;
    for (param, amount) in [("wallet.cash", cash), ("wallet.promo", promo)] {
        if amount.is_negative() {
            return Err(WalletError::invalid(param, format!("{amount} is below zero.")));
        }
    }
    if cash.is_zero() && promo.is_zero() {
        return Ok(());
    }
    let (customer, state) = (asked.customer.to_owned(), HoldState::Held);
    let mut held = Hold { payment, round: 1, customer: customer.clone(), cash, promo, state };
    let Some(round) = store::claim_hold(conn, tenant, &held, now).await? else {
        let known = store::lock_hold(conn, tenant, payment).await?;
        return match known {
            Some(known) if known == (Hold { round: known.round, ..held }) => Ok(()),
            _ => Err(WalletError::HeldBefore { payment }),
        };
    };
    held.round = round;
    if promo.is_positive() {
        let mut lots = store::lock_usable(conn, tenant, &customer, promo.currency(), now).await?;
        let uses = pick(&mut lots, &customer, promo, now)?;
        lots.retain(|lot| uses.iter().any(|(id, _)| *id == lot.id));
        store::save_lots(conn, tenant, &lots).await?;
        store::insert_uses(conn, tenant, payment, held.round, &uses).await?;
    }
    let posting = WalletHeld { customer, cash, promo }.posting()?;
    let key = format!("{payment}:wallet_held:{}", held.round);
    let entry = plan.post("wallet.held", key, payment.to_string(), now, posting)?;
    plan.announce("wallet.held", payment.to_string(), Some(entry), held.told());
    Ok(())
}

/// The payment was given up: what it held goes back, exactly once. A lot that has ended since
/// gets it back too, and it ends by the job. Answers whether anything was held.
///
/// # Errors
/// The database.
pub async fn release(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
    plan: &mut Plan,
) -> Result<bool, WalletError> {
    let now = plan.now();
    let Some(held) = store::lock_hold(conn, tenant, payment).await? else { return Ok(false) };
    if held.state != HoldState::Held {
        return Ok(false);
    }
    let (mut lots, uses) = used_lots(conn, tenant, &held).await?;
    for (lot, amount) in lots.iter_mut().zip(&uses) {
        lot.release(amount.1, now)?;
    }
    store::save_lots(conn, tenant, &lots).await?;
    store::end_hold(conn, tenant, &held, HoldState::Released).await?;
    let (customer, cash, promo) = (held.customer.clone(), held.cash, held.promo);
    let posting = WalletReleased { customer, cash, promo }.posting()?;
    let key = format!("{payment}:wallet_released:{}", held.round);
    let entry = plan.post("wallet.released", key, payment.to_string(), now, posting)?;
    plan.announce("wallet.released", payment.to_string(), Some(entry), held.told());
    Ok(true)
}

/// The payment was made: what it held is spent. The capture's own posting debits the held
/// buckets. Spending what is spent changes nothing, as does a payment without wallet money.
///
/// # Errors
/// [`WalletError::HoldIsOver`] where the hold went back; the database.
pub async fn spend(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
) -> Result<(), WalletError> {
    let Some(held) = store::lock_hold(conn, tenant, payment).await? else { return Ok(()) };
    match held.state {
        HoldState::Spent => return Ok(()),
        HoldState::Released => return Err(WalletError::HoldIsOver { payment }),
        HoldState::Held => {}
    }
    let (mut lots, uses) = used_lots(conn, tenant, &held).await?;
    for (lot, amount) in lots.iter_mut().zip(&uses) {
        lot.spend(amount.1)?;
    }
    store::save_lots(conn, tenant, &lots).await?;
    store::end_hold(conn, tenant, &held, HoldState::Spent).await
}

/// Locks everything of these payments here: what they hold or held, by payment, then the lots
/// they use or earned, by id. Whoever acts on several payments in one transaction calls it
/// first, so that two such transactions cannot wait for each other.
///
/// # Errors
/// The database.
pub async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[PaymentIntentId],
) -> Result<(), WalletError> {
    store::lock_all_of(conn, tenant, payments).await
}

/// What a payment holds or held, locked; none where it never held anything.
///
/// # Errors
/// The database.
pub async fn hold_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: PaymentIntentId,
) -> Result<Option<Hold>, WalletError> {
    store::lock_hold(conn, tenant, payment).await
}

/// The lots a hold uses, locked, and how much of each, both in the order of the ids.
async fn used_lots(
    conn: &mut PgConnection,
    tenant: TenantId,
    held: &Hold,
) -> Result<(Vec<Lot>, Vec<(LotId, i64)>), WalletError> {
    let uses = store::uses(conn, tenant, held.payment, held.round).await?;
    let uses: Vec<(LotId, i64)> = uses.iter().map(|it| (it.lot, it.amount)).collect();
    let ids: Vec<LotId> = uses.iter().map(|(id, _)| *id).collect();
    let lots = store::lock_lots(conn, tenant, &ids).await?;
    match lots.iter().map(|lot| lot.id).eq(ids) {
        true => Ok((lots, uses)),
        false => {
            let what = format!("{} uses lots that are not there", held.payment);
            Err(WalletError::Corrupt { what })
        }
    }
}

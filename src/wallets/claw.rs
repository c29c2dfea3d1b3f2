//! Taking cashback back when the order that earned it is refunded.

use mizan_ledger::postings::{CashbackClawedBack, CashbackRestored};
use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, TenantId, allocate};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::error::WalletError;
use super::lot::{Lot, LotId, LotState};
use super::store;
use crate::payments::plan::Plan;

/// A refund of an order, as far as its cashback goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundOfOrder {
    /// The refund.
    pub refund: RefundId,
    /// The payment whose order may have earned cashback.
    pub payment: PaymentIntentId,
    /// What the order gives back by it.
    pub refunded: Money,
    /// What the order could still give back before it.
    pub refundable_before: Money,
    /// The most that can be kept back from it: nothing of a refund that was paid elsewhere.
    pub withhold_at_most: Money,
}

/// What a refund takes of the cashback that its payment earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClawBack {
    /// Of what has not vested: out of `cashback_liability`.
    pub pending: Money,
    /// Of what is unspent in the promo purse: out of its spendable bucket.
    pub promo: Money,
    /// Of what was spent, or is held by a checkout: to be kept back from the refund itself.
    pub withheld: Money,
}

/// What a refund takes of one lot, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// The lot.
    pub lot: LotId,
    /// Out of what was left of it.
    pub taken: i64,
    /// Kept back from the refund.
    pub withheld: i64,
}

impl ClawBack {
    /// Nothing at all.
    pub const fn none(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self { pending: zero, promo: zero, withheld: zero }
    }

    /// What lots gave, each out of where it is.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub(super) fn of(
        currency: Currency,
        lots: &[Lot],
        taken: &[Taken],
    ) -> Result<Self, WalletError> {
        let mut sums = Self::none(currency);
        for part in taken {
            let state = lots.iter().find(|lot| lot.id == part.lot).map(|lot| lot.state);
            let bucket = match state {
                Some(LotState::Pending) => &mut sums.pending,
                _ => &mut sums.promo,
            };
            *bucket = bucket.checked_add(Money::new(part.taken, currency))?;
            sums.withheld = sums.withheld.checked_add(Money::new(part.withheld, currency))?;
        }
        Ok(sums)
    }

    fn moves(&self) -> bool {
        !(self.pending.is_zero() && self.promo.is_zero())
    }

    fn told(&self, customer: &str, refund: RefundId, payment: PaymentIntentId) -> Value {
        json!({
            "customer": customer,
            "refund": refund.to_string(),
            "payment_intent": payment.to_string(),
            "currency": self.promo.currency().code(),
            "pending": self.pending.minor(),
            "promo": self.promo.minor(),
            "withheld": self.withheld.minor(),
        })
    }
}

/// Takes back the part of an order's cashback that a refund is of it: first what is left of it,
/// and of what was spent as much as may be kept back from the refund. That part,
/// [`ClawBack::withheld`], is the caller's to book: it lowers what the customer is owed and
/// credits `cashback_expense`.
///
/// Safe to repeat: a refund takes once, and hears the same again; one that was undone nothing.
///
/// # Errors
/// A refund below zero or above what could go back; the database.
pub async fn claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    of: &RefundOfOrder,
    plan: &mut Plan,
) -> Result<ClawBack, WalletError> {
    let currency = of.refunded.currency();
    if !store::claim_claw_back(conn, tenant, of, plan.now()).await? {
        return store::clawed_back(conn, tenant, of.refund, currency).await;
    }
    let mut lots = store::lock_earned(conn, tenant, of.payment).await?;
    let taken = take_back(&mut lots, of)?;
    let sums = ClawBack::of(currency, &lots, &taken)?;
    let Some(customer) = lots.first().map(|lot| lot.customer.clone()) else { return Ok(sums) };
    if taken.is_empty() {
        return Ok(sums);
    }
    store::save_lots(conn, tenant, &lots).await?;
    store::keep_claw_back(conn, tenant, of.refund, &sums, &taken).await?;
    let (refund, kind) = (of.refund.to_string(), "cashback.clawed_back");
    let told = sums.told(&customer, of.refund, of.payment);
    let mut entry = None;
    if sums.moves() {
        let (pending, promo) = (sums.pending, sums.promo);
        let posting = CashbackClawedBack { customer, pending, promo }.posting()?;
        let key = format!("{refund}:clawed_back");
        entry = Some(plan.post(kind, key, refund.clone(), plan.now(), posting)?);
    }
    plan.announce(kind, refund, entry, told);
    Ok(sums)
}

/// The refund came to nothing: the cashback that it took is the customer's again, pending or
/// vested as its lot is by now. What was withheld is the refund's own to take back.
///
/// Safe to repeat, and for a refund that took nothing.
///
/// # Errors
/// The database.
pub async fn undo_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    plan: &mut Plan,
) -> Result<(), WalletError> {
    let Some((payment, currency)) = store::end_claw_back(conn, tenant, refund).await? else {
        return Ok(());
    };
    let taken = store::taken_by(conn, tenant, refund).await?;
    let ids: Vec<LotId> = taken.iter().map(|part| part.lot).collect();
    let mut lots = store::lock_lots(conn, tenant, &ids).await?;
    for (lot, part) in lots.iter_mut().zip(&taken) {
        lot.restore(part.taken, part.withheld, plan.now())?;
    }
    store::save_lots(conn, tenant, &lots).await?;
    let sums = ClawBack::of(currency, &lots, &taken)?;
    let Some(customer) = lots.first().map(|lot| lot.customer.clone()) else { return Ok(()) };
    let (id, kind) = (refund.to_string(), "cashback.restored");
    let told = sums.told(&customer, refund, payment);
    let mut entry = None;
    if sums.moves() {
        let (pending, promo) = (sums.pending, sums.promo);
        let posting = CashbackRestored { customer, pending, promo }.posting()?;
        let key = format!("{id}:claw_back_undone");
        entry = Some(plan.post(kind, key, id.clone(), plan.now(), posting)?);
    }
    plan.announce(kind, id, entry, told);
    Ok(())
}

/// Takes from the lots of one payment the part that a refund of `refunded` is of the
/// `refundable_before` that could still go back: what is left of any of them first, then what
/// may be withheld. What can be neither stays, for a later refund. Answers what was taken of
/// which lot, in their order. Pure.
///
/// Each step is spread by largest remainder over what may still be taken, so that a full refund
/// in any number of steps takes exactly everything. What has ended unspent is not taken.
///
/// # Errors
/// A refund below zero or above what could go back; lots of several currencies.
pub(super) fn take_back(lots: &mut [Lot], of: &RefundOfOrder) -> Result<Vec<Taken>, WalletError> {
    let (refunded, before) = (of.refunded, of.refundable_before);
    let not_refunded = before.checked_sub(refunded)?;
    if refunded.is_negative() || not_refunded.is_negative() {
        let message = format!("a refund of {refunded} is not part of {before}");
        return Err(WalletError::invalid("amount", message));
    }
    let reclaimable = sum_of(lots, refunded.currency(), Lot::reclaimable)?;
    if refunded.is_zero() || reclaimable.is_zero() {
        return Ok(Vec::new());
    }
    let parts = allocate(reclaimable, &[refunded.minor(), not_refunded.minor()])?;
    let total = parts.first().map_or(0, |part| part.minor());

    let there = |lot: &Lot| lot.reclaimable().min(lot.left());
    let from_lots = total.min(sum_of(lots, refunded.currency(), there)?.minor());
    let spent = |lot: &Lot| lot.reclaimable() - there(lot);
    let withheld = (total - from_lots).min(of.withhold_at_most.minor().max(0));
    let taken = spread(lots, Money::new(from_lots, refunded.currency()), there)?;
    let withheld = spread(lots, Money::new(withheld, refunded.currency()), spent)?;
    let mut all = Vec::new();
    for (lot, (taken, withheld)) in lots.iter_mut().zip(taken.into_iter().zip(withheld)) {
        lot.clawed += taken;
        lot.withheld += withheld;
        if taken + withheld > 0 {
            all.push(Taken { lot: lot.id, taken, withheld });
        }
    }
    Ok(all)
}

fn sum_of(
    lots: &[Lot],
    currency: Currency,
    of: impl Fn(&Lot) -> i64,
) -> Result<Money, WalletError> {
    Ok(Money::sum(currency, lots.iter().map(|lot| Money::new(of(lot), lot.currency)))?)
}

/// An amount over lots in proportion to what each has, which is no less in all.
fn spread(lots: &[Lot], amount: Money, of: impl Fn(&Lot) -> i64) -> Result<Vec<i64>, WalletError> {
    if amount.is_zero() {
        return Ok(vec![0; lots.len()]);
    }
    let weights: Vec<i64> = lots.iter().map(of).collect();
    Ok(allocate(amount, &weights)?.iter().map(|part| part.minor()).collect())
}

#[cfg(test)]
#[path = "claw_tests.rs"]
mod tests;

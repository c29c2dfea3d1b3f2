//! Taking cashback back when the order that earned it is refunded.

use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, TenantId, allocate};
use sqlx::PgConnection;

use super::error::WalletError;
use super::lot::{Lot, LotState};
use super::store;

/// What a refund takes of the cashback that its payment earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClawBack {
    /// Of what has not vested: out of `cashback_liability`.
    pub pending: Money,
    /// Of what is unspent in the promo purse: out of its spendable bucket.
    pub promo: Money,
    /// Of what was spent, or is held by a checkout: kept back from the refund itself.
    pub withheld: Money,
}

/// The lots that payments earned, locked, in the order of their ids.
///
/// # Errors
/// The database.
pub async fn lots_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[PaymentIntentId],
) -> Result<Vec<Lot>, WalletError> {
    store::lock_earned(conn, tenant, payments).await
}

/// Writes lots as they are now. They were locked before.
///
/// # Errors
/// The database.
pub async fn save_lots(
    conn: &mut PgConnection,
    tenant: TenantId,
    lots: &[Lot],
) -> Result<(), WalletError> {
    store::save_lots(conn, tenant, lots).await
}

/// Takes from the lots of one payment the part that a refund of `refunded` is of the
/// `refundable_before` that could still go back: of each lot what is left of it first, and the
/// rest is withheld.
///
/// Each step is spread by largest remainder over what may still be taken, so that a full refund
/// in any number of steps takes exactly everything. What has ended unspent is not taken.
///
/// # Errors
/// A refund below zero or above what could go back; lots of several currencies.
pub fn claw_back(
    lots: &mut [Lot],
    refunded: Money,
    refundable_before: Money,
) -> Result<ClawBack, WalletError> {
    let currency = refunded.currency();
    let mut taken = ClawBack {
        pending: Money::zero(currency),
        promo: Money::zero(currency),
        withheld: Money::zero(currency),
    };
    let not_refunded = refundable_before.checked_sub(refunded)?;
    if refunded.is_negative() || not_refunded.is_negative() {
        let message = format!("a refund of {refunded} is not part of {refundable_before}");
        return Err(WalletError::invalid("amount", message));
    }
    let weights: Vec<i64> = lots.iter().map(Lot::reclaimable).collect();
    let in_lots = lots.iter().zip(&weights).map(|(lot, minor)| Money::new(*minor, lot.currency));
    let reclaimable = Money::sum(currency, in_lots)?;
    if refunded.is_zero() || reclaimable.is_zero() {
        return Ok(taken);
    }
    let parts = allocate(reclaimable, &[refunded.minor(), not_refunded.minor()])?;
    let total = parts.first().copied().unwrap_or(Money::zero(currency));
    for (lot, share) in lots.iter_mut().zip(allocate(total, &weights)?) {
        let from_lot = Money::new(share.minor().min(lot.left()), currency);
        let withheld = share.checked_sub(from_lot)?;
        lot.clawed += from_lot.minor();
        lot.withheld += withheld.minor();
        let bucket = match lot.state {
            LotState::Pending => &mut taken.pending,
            LotState::Vested => &mut taken.promo,
        };
        *bucket = bucket.checked_add(from_lot)?;
        taken.withheld = taken.withheld.checked_add(withheld)?;
    }
    Ok(taken)
}

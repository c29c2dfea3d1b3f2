//! The promo part of a refund goes back to the lots it was spent from.

use chrono::Duration;
use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Money, TenantId, Timestamp, allocate};
use sqlx::PgConnection;

use super::error::WalletError;
use super::hold::HoldState;
use super::lot::{Lot, LotId, LotState, Origin};
use super::store::{self, GivenBack};

/// How long what goes back can be spent where the lot it came from has ended.
pub const GRACE: Duration = Duration::days(7);

/// Gives promo credit back that a payment spent: to each lot in proportion to what it still has
/// of the payment's, by largest remainder. Each keeps its own end; for one that has ended there
/// is a new lot that can be spent for [`GRACE`]. The refund itself credits the purse.
///
/// Safe to repeat: a refund gives back once.
///
/// # Errors
/// [`WalletError::TooMuchBack`] for more than was spent and not given back; the database.
pub async fn give_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    refund: RefundId,
    payment: PaymentIntentId,
    promo: Money,
) -> Result<(), WalletError> {
    if promo.is_zero() {
        return Ok(());
    }
    let held = store::lock_hold(conn, tenant, payment).await?;
    if store::was_given_back(conn, tenant, refund).await? {
        return Ok(());
    }
    let spent = held.filter(|hold| hold.state == HoldState::Spent);
    let (round, currency) = match &spent {
        Some(hold) => (hold.round, hold.promo.currency()),
        None => (0, promo.currency()),
    };
    let mut uses = store::uses(conn, tenant, payment, round).await?;
    uses.retain(|it| it.amount > it.returned);
    let weights: Vec<i64> = uses.iter().map(|it| it.amount - it.returned).collect();
    let left = Money::sum(currency, weights.iter().map(|minor| Money::new(*minor, currency)))?;
    if promo.is_negative() || left.checked_sub(promo)?.is_negative() {
        return Err(WalletError::TooMuchBack { payment, asked: promo, left });
    }
    let ids: Vec<LotId> = uses.iter().map(|it| it.lot).collect();
    let mut lots = store::lock_lots(conn, tenant, &ids).await?;
    let (made, given) = go_back(&mut lots, &weights, payment, promo, now)?;
    store::save_lots(conn, tenant, &lots).await?;
    store::insert_lots(conn, tenant, &made).await?;
    store::keep_given_back(conn, tenant, now, refund, (payment, round), &given).await
}

/// Gives an amount back to lots, in proportion to what each still has of the payment's. Answers
/// the lots that had to be made, and what went where. Pure.
///
/// # Errors
/// More than was spent of a lot; weights that define no proportion.
pub(super) fn go_back(
    lots: &mut [Lot],
    weights: &[i64],
    payment: PaymentIntentId,
    promo: Money,
    now: Timestamp,
) -> Result<(Vec<Lot>, Vec<GivenBack>), WalletError> {
    let (mut made, mut given) = (Vec::new(), Vec::new());
    for (lot, part) in lots.iter_mut().zip(allocate(promo, weights)?) {
        if part.is_zero() {
            continue;
        }
        let mut to_lot = lot.id;
        match lot.is_over(now) {
            false => lot.unspend(part.minor(), now)?,
            true => {
                let fresh = again(lot, payment, part, now);
                to_lot = fresh.id;
                made.push(fresh);
            }
        }
        given.push(GivenBack { from_lot: lot.id, to_lot, amount: part.minor() });
    }
    Ok((made, given))
}

/// A lot for what goes back to one that has ended.
fn again(ended: &Lot, payment: PaymentIntentId, amount: Money, now: Timestamp) -> Lot {
    Lot {
        id: LotId::generate(now),
        customer: ended.customer.clone(),
        currency: ended.currency,
        origin: Origin::Refund,
        payment: Some(payment),
        rule: None,
        reason: None,
        amount: amount.minor(),
        held: 0,
        spent: 0,
        expired: 0,
        clawed: 0,
        withheld: 0,
        state: LotState::Vested,
        earned_at: now,
        vests_at: now,
        expires_at: now.checked_add_signed(GRACE),
        back_at: None,
        created_by: "refund".to_owned(),
    }
}

//! Who gives and who gets: the shares of an amount, put on accounts.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::entry::{Leg, Posting, Side};
use crate::error::PostingError;

/// An amount on an account. Below zero it stands on the other side: a residue of rounding may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Where.
    pub account: AccountRef,
    /// How much, in minor units of its currency.
    pub amount: Money,
}

/// Debits what is `taken` and credits what is `given`; shares of one account become one leg.
///
/// # Errors
/// Shares that do not add up to the same on both sides, amounts that do not fit.
pub(super) fn between(taken: &[Share], given: &[Share]) -> Result<Posting, PostingError> {
    let mut legs: Vec<Leg> = Vec::with_capacity(taken.len() + given.len());
    let sides = taken.iter().map(|it| (it, Side::Debit));
    for (share, side) in sides.chain(given.iter().map(|it| (it, Side::Credit))) {
        let side = if share.amount.is_negative() { side.other() } else { side };
        let amount = match share.amount.is_negative() {
            true => share.amount.checked_neg()?,
            false => share.amount,
        };
        let same = |leg: &&mut Leg| {
            leg.side == side
                && leg.account == share.account
                && leg.amount.currency() == amount.currency()
        };
        match legs.iter_mut().find(same) {
            Some(leg) => leg.amount = leg.amount.checked_add(amount)?,
            None => legs.push(Leg { account: share.account.clone(), side, amount }),
        }
    }
    Posting::balanced(legs)
}

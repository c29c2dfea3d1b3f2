//! A payout did not leave, or was called off: the money is available again.

use mizan_money::Money;

use super::party::{Payee, across};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A payout that is taken back from its rail before any money left.
#[derive(Debug, Clone)]
pub struct PayoutFailed {
    /// Whose money it is.
    pub payee: Payee,
    /// The rail: a bank or a gateway.
    pub rail: String,
    /// How much was taken from what was available.
    pub amount: Money,
    /// How much was on its way.
    pub pays: Money,
}

impl PayoutFailed {
    /// Debits the rail, credits the available bucket.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero, two amounts of one currency.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let rail = AccountRef::new(Role::PayoutsInTransit, &[&self.rail])?;
        let legs = across((rail, self.pays), (self.payee.available()?, self.amount))?;
        Posting::balanced(legs)
    }
}

fn example() -> Result<Posting, PostingError> {
    let (payee, amount) = (Payee::Vendor("V1".into()), aed(47_250));
    PayoutFailed { payee, rail: "bank".into(), amount, pays: amount }.posting()
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "payout.failed",
    meaning: "The rail refused the payout before any money left, so it is available again.",
    authority: Authority::Fact,
    example,
};

pub(in crate::postings) const CANCELLED: Entry = Entry {
    kind: "payout.cancelled",
    meaning: "A payout was called off before it was handed over, so it is available again.",
    authority: Authority::Fact,
    example,
};

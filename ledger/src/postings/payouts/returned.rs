//! A payout that was paid comes back.

use mizan_money::Money;

use super::party::{Payee, Till, across};
use crate::entry::Posting;
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A payout that the payee's bank sent back.
#[derive(Debug, Clone)]
pub struct PayoutReturned {
    /// Whose money it is.
    pub payee: Payee,
    /// Where it arrived.
    pub into: Till,
    /// How much had been taken from what was available.
    pub amount: Money,
    /// What arrived: the same, or what came back in another currency.
    pub received: Money,
}

impl PayoutReturned {
    /// Debits the bank or the gateway, credits the available bucket with all of it.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero, two amounts of one currency.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let into = (self.into.account()?, self.received);
        Posting::balanced(across(into, (self.payee.available()?, self.amount))?)
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "payout.returned",
    meaning: "The payee's bank sent the payout back, so it is available again.",
    authority: Authority::Fact,
    example: || {
        let (payee, amount) = (Payee::Vendor("V1".into()), aed(47_250));
        let into = Till::Bank("aed_main".into());
        PayoutReturned { payee, into, amount, received: amount }.posting()
    },
};

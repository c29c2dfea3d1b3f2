//! A payout exists: the money is reserved in the same moment.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A payout handed to a rail.
#[derive(Debug, Clone)]
pub struct PayoutInitiated {
    /// The vendor's id.
    pub vendor: String,
    /// The rail: a bank or a gateway.
    pub rail: String,
    /// How much.
    pub amount: Money,
}

impl PayoutInitiated {
    /// Debits the available bucket, credits the rail.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "available"])?, self.amount),
            credit(AccountRef::new(Role::PayoutsInTransit, &[&self.rail])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "payout.initiated",
    meaning: "The instruction exists, so the vendor's money is taken from what is available.",
    authority: Authority::Command,
    example: || {
        PayoutInitiated { vendor: "V1".into(), rail: "bank".into(), amount: aed(47_250) }.posting()
    },
};

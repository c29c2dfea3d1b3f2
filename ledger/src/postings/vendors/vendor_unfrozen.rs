//! A dispute is over: what was held is the vendor's again.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What is no longer held.
#[derive(Debug, Clone)]
pub struct VendorUnfrozen {
    /// The vendor's id.
    pub vendor: String,
    /// Where it goes: `pending` or `available`.
    pub bucket: &'static str,
    /// How much.
    pub amount: Money,
}

impl VendorUnfrozen {
    /// Moves the amount out of what is held.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "held"])?, self.amount),
            credit(
                AccountRef::new(Role::VendorPayable, &[&self.vendor, self.bucket])?,
                self.amount,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.unfrozen",
    meaning: "A dispute is over; what was held of the vendor's money is free again.",
    authority: Authority::Command,
    example: || {
        VendorUnfrozen { vendor: "V1".into(), bucket: "available", amount: aed(9_450) }.posting()
    },
};

//! The return window is over: pending money becomes available.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// What one vendor may now be paid.
#[derive(Debug, Clone)]
pub struct VendorReleased {
    /// The vendor's id.
    pub vendor: String,
    /// How much.
    pub amount: Money,
}

impl VendorReleased {
    /// Moves the amount from the pending bucket to the available one.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "pending"])?, self.amount),
            credit(
                AccountRef::new(Role::VendorPayable, &[&self.vendor, "available"])?,
                self.amount,
            ),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "vendor.released",
    meaning: "The return window is over; what was pending can be paid out.",
    authority: Authority::Command,
    example: || VendorReleased { vendor: "V1".into(), amount: aed(47_250) }.posting(),
};

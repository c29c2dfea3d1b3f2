//! The term of a reserve is over: it can be paid out.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A reserve that is free.
#[derive(Debug, Clone)]
pub struct ReserveReleased {
    /// The vendor's id.
    pub vendor: String,
    /// How much.
    pub amount: Money,
}

impl ReserveReleased {
    /// Moves the amount from the reserve to what is available.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "reserve"])?, self.amount),
            credit(
                AccountRef::new(Role::VendorPayable, &[&self.vendor, "available"])?,
                self.amount,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.reserve_released",
    meaning: "The term of a reserve is over; it can be paid out.",
    authority: Authority::Command,
    example: || ReserveReleased { vendor: "V1".into(), amount: aed(945) }.posting(),
};

//! The return window is over: pending money becomes available, less a reserve.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What one vendor may now be paid.
#[derive(Debug, Clone)]
pub struct VendorReleased {
    /// The vendor's id.
    pub vendor: String,
    /// What can be paid out.
    pub available: Money,
    /// What is kept back for a term.
    pub reserve: Money,
}

impl VendorReleased {
    /// Moves money out of the pending bucket.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let all = self.available.checked_add(self.reserve)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "pending"])?, all),
            credit(
                AccountRef::new(Role::VendorPayable, &[&self.vendor, "available"])?,
                self.available,
            ),
            credit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "reserve"])?, self.reserve),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.released",
    meaning: "The return window is over; what was pending can be paid out, less what is kept in \
              reserve.",
    authority: Authority::Command,
    example: || {
        VendorReleased { vendor: "V1".into(), available: aed(47_250), reserve: aed(0) }.posting()
    },
};

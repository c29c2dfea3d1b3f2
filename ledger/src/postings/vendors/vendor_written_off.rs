//! A vendor's debt is given up.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A debt that nobody will pay.
#[derive(Debug, Clone)]
pub struct VendorWrittenOff {
    /// The vendor's id.
    pub vendor: String,
    /// How much.
    pub amount: Money,
}

impl VendorWrittenOff {
    /// Charges the debt to bad debts.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::BadDebtVendor, &[])?, self.amount),
            credit(AccountRef::new(Role::VendorReceivable, &[&self.vendor])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.written_off",
    meaning: "A vendor's debt is given up, by two people.",
    authority: Authority::Command,
    example: || VendorWrittenOff { vendor: "V1".into(), amount: aed(9_450) }.posting(),
};

//! A vendor's debt is netted against its earnings.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What of a debt is paid by earnings.
#[derive(Debug, Clone)]
pub struct VendorRecovered {
    /// The vendor's id.
    pub vendor: String,
    /// How much.
    pub amount: Money,
}

impl VendorRecovered {
    /// Takes the amount from what is available; the debt is smaller by it.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::VendorPayable, &[&self.vendor, "available"])?, self.amount),
            credit(AccountRef::new(Role::VendorReceivable, &[&self.vendor])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.recovered",
    meaning: "What a vendor owes is taken from its next earnings, before anything is paid out.",
    authority: Authority::Command,
    example: || VendorRecovered { vendor: "V1".into(), amount: aed(9_450) }.posting(),
};

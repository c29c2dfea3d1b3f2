//! A manual journal: what two people agreed to book, on any accounts of the chart.

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Leg, Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// The legs that one person wrote down and another approved.
#[derive(Debug, Clone)]
pub struct JournalPosted {
    /// As they were written down.
    pub legs: Vec<Leg>,
}

impl JournalPosted {
    /// The legs as they are.
    ///
    /// # Errors
    /// Legs that do not balance.
    pub fn posting(self) -> Result<Posting, PostingError> {
        Posting::balanced(self.legs)
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "journal.correction",
    meaning: "A manual journal, made by one person and approved by another; also as \
              journal.opening, .import, .remittance and .other.",
    authority: Authority::Command,
    example: || {
        let available = AccountRef::new(Role::VendorPayable, &["V1", "available"])?;
        let revenue = AccountRef::new(Role::CommissionRevenue, &[])?;
        JournalPosted { legs: vec![debit(available, aed(100)), credit(revenue, aed(100))] }
            .posting()
    },
};

//! A dispute is open: the vendor's part of the money waits.

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::postings::share::between;
use crate::postings::{Entry, Share, aed};
use crate::transaction::Authority;

/// Money of vendors that is held, out of the buckets where it was.
#[derive(Debug, Clone)]
pub struct VendorFrozen {
    /// Out of which buckets.
    pub taken: Vec<Share>,
    /// Into which: `held`, one for each vendor.
    pub held: Vec<Share>,
}

impl VendorFrozen {
    /// Debits the buckets, credits what is held.
    ///
    /// # Errors
    /// Shares that do not add up, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        between(&self.taken, &self.held)
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.frozen",
    meaning: "A dispute is open; the vendor's part of it is held, so that it cannot be paid out.",
    authority: Authority::Command,
    example: || {
        let share = |bucket, minor| {
            AccountRef::new(Role::VendorPayable, &["V1", bucket])
                .map(|account| Share { account, amount: aed(minor) })
        };
        VendorFrozen { taken: vec![share("available", 9_450)?], held: vec![share("held", 9_450)?] }
            .posting()
    },
};

//! A dispute is over: what was held is the vendor's again.

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::postings::share::between;
use crate::postings::{Entry, Share, aed};
use crate::transaction::Authority;

/// What is no longer held.
#[derive(Debug, Clone)]
pub struct VendorUnfrozen {
    /// What was held, one for each vendor.
    pub held: Vec<Share>,
    /// Into which buckets it goes.
    pub given: Vec<Share>,
}

impl VendorUnfrozen {
    /// Debits what is held, credits the buckets.
    ///
    /// # Errors
    /// Shares that do not add up, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        between(&self.held, &self.given)
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "vendor.unfrozen",
    meaning: "A dispute is over; what was held of the vendor's money is free again.",
    authority: Authority::Fact,
    example: || {
        let share = |bucket, minor| {
            AccountRef::new(Role::VendorPayable, &["V1", bucket])
                .map(|account| Share { account, amount: aed(minor) })
        };
        let (held, given) = (vec![share("held", 9_450)?], vec![share("available", 9_450)?]);
        VendorUnfrozen { held, given }.posting()
    },
};

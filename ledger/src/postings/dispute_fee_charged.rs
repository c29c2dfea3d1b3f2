//! A dispute's fee is charged on to the vendor.

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A fee that vendors bear; below zero it is given back to them.
#[derive(Debug, Clone)]
pub struct DisputeFeeCharged {
    /// Out of which of the vendors' buckets, the tax included.
    pub taken: Vec<Share>,
    /// What is recovered of the fee, and the tax on that.
    pub given: Vec<Share>,
}

impl DisputeFeeCharged {
    /// Debits the vendors, credits the recovery and the tax.
    ///
    /// # Errors
    /// Shares that do not add up, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        between(&self.taken, &self.given)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.fee_charged",
    meaning: "By policy the vendor bears the gateway's fee for a dispute, with the tax on it.",
    authority: Authority::Fact,
    example: || {
        let share = |role, whose: &[&str], minor| {
            AccountRef::new(role, whose).map(|account| Share { account, amount: aed(minor) })
        };
        let taken = vec![share(Role::VendorPayable, &["V1", "available"], 5_775)?];
        let given = vec![
            share(Role::DisputeFeeRecovery, &[], 5_500)?,
            share(Role::VatOutputPayable, &["AE"], 275)?,
        ];
        DisputeFeeCharged { taken, given }.posting()
    },
};

//! A refund is promised: each party gives back its part.

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund before it is confirmed, already taken apart.
#[derive(Debug, Clone)]
pub struct RefundRequested {
    /// What each party of the order gives back.
    pub taken: Vec<Share>,
    /// Who is owed it: the buyer, and the platform its coupon or cashback.
    pub given: Vec<Share>,
}

impl RefundRequested {
    /// Debits the parties; credits refunds payable, and what the platform had paid itself.
    ///
    /// # Errors
    /// Shares that do not add up, amounts that do not fit, no shares.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        between(&self.taken, &self.given)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "refund.requested",
    meaning: "The shop promises a refund. Each party gives back its part: the vendor from where \
              the money of the order sits, then from what is pending, available, in reserve, \
              and the rest becomes its debt.",
    authority: Authority::Fact,
    example: || {
        let share = |role, whose: &[&str], minor| {
            AccountRef::new(role, whose).map(|account| Share { account, amount: aed(minor) })
        };
        RefundRequested {
            taken: vec![
                share(Role::VendorPayable, &["V1", "pending"], 9_450)?,
                share(Role::DeferredCommission, &[], 1_000)?,
                share(Role::VatOutputPayable, &["AE"], 50)?,
            ],
            given: vec![share(Role::RefundsPayable, &[], 10_500)?],
        }
        .posting()
    },
};

//! The return window is over: an affiliate's commission can be paid.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A commission that can be paid from now on.
#[derive(Debug, Clone)]
pub struct AffiliateReleased {
    /// The affiliate.
    pub affiliate: String,
    /// How much.
    pub amount: Money,
}

impl AffiliateReleased {
    /// Moves it from the pending bucket to the available one.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "pending"])?,
                self.amount,
            ),
            credit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "available"])?,
                self.amount,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "affiliate.released",
    meaning: "The return window is over; the commission can be paid.",
    authority: Authority::Fact,
    example: || AffiliateReleased { affiliate: "A1".into(), amount: aed(3_200) }.posting(),
};

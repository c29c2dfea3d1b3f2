//! A delivery earns the affiliate who brought the customer a commission.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A commission that the platform pays out of its own.
#[derive(Debug, Clone)]
pub struct AffiliateAccrued {
    /// The affiliate.
    pub affiliate: String,
    /// How much.
    pub amount: Money,
}

impl AffiliateAccrued {
    /// Debits the expense, credits what is owed and cannot be paid yet.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::AffiliateExpense, &[])?, self.amount),
            credit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "pending"])?,
                self.amount,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "affiliate.accrued",
    meaning: "A delivery earns the affiliate who brought the customer a commission.",
    authority: Authority::Fact,
    example: || AffiliateAccrued { affiliate: "A1".into(), amount: aed(4_000) }.posting(),
};

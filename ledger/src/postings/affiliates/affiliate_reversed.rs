//! A refund takes back the commission on it.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What is taken back, by the bucket that it was in.
#[derive(Debug, Clone)]
pub struct AffiliateReversed {
    /// The affiliate.
    pub affiliate: String,
    /// Of what could not be paid yet.
    pub pending: Money,
    /// Of what could be paid; what was paid becomes the affiliate's debt.
    pub available: Money,
}

impl AffiliateReversed {
    /// Debits what was owed, credits the expense.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let taken = self.pending.checked_add(self.available)?;
        Posting::balanced(vec![
            debit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "pending"])?,
                self.pending,
            ),
            debit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "available"])?,
                self.available,
            ),
            credit(AccountRef::new(Role::AffiliateExpense, &[])?, taken),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "affiliate.reversed",
    meaning: "A refund takes back the commission on it; what was paid already is owed to us.",
    authority: Authority::Fact,
    example: || {
        let (affiliate, pending, available) = ("A1".into(), aed(800), aed(0));
        AffiliateReversed { affiliate, pending, available }.posting()
    },
};

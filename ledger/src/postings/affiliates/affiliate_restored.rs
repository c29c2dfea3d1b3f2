//! A refund that took a commission back came to nothing: the affiliate has it again.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What an affiliate has again, by the bucket that it is in by now.
#[derive(Debug, Clone)]
pub struct AffiliateRestored {
    /// The affiliate.
    pub affiliate: String,
    /// Of what cannot be paid yet.
    pub pending: Money,
    /// Of what can be paid.
    pub available: Money,
}

impl AffiliateRestored {
    /// Debits the expense, credits what is owed.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let restored = self.pending.checked_add(self.available)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::AffiliateExpense, &[])?, restored),
            credit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "pending"])?,
                self.pending,
            ),
            credit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "available"])?,
                self.available,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "affiliate.restored",
    meaning: "A refund that took a commission back came to nothing; it is owed again.",
    authority: Authority::Fact,
    example: || {
        let (affiliate, pending, available) = ("A1".into(), aed(800), aed(0));
        AffiliateRestored { affiliate, pending, available }.posting()
    },
};

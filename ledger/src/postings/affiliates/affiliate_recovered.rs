//! An affiliate's debt is netted against what it has earned since.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// How much of a debt is settled by netting.
#[derive(Debug, Clone)]
pub struct AffiliateRecovered {
    /// The affiliate.
    pub affiliate: String,
    /// How much.
    pub amount: Money,
}

impl AffiliateRecovered {
    /// Debits what could be paid, credits the debt.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(
                AccountRef::new(Role::AffiliatePayable, &[&self.affiliate, "available"])?,
                self.amount,
            ),
            credit(AccountRef::new(Role::AffiliateReceivable, &[&self.affiliate])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "affiliate.recovered",
    meaning: "An affiliate's debt is netted against what can be paid to it.",
    authority: Authority::Fact,
    example: || AffiliateRecovered { affiliate: "A1".into(), amount: aed(1_200) }.posting(),
};

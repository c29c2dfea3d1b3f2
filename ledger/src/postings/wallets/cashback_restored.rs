//! A refund that took cashback back came to nothing: the customer has it again.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What one customer has again of cashback that a refund had taken.
#[derive(Debug, Clone)]
pub struct CashbackRestored {
    /// The customer.
    pub customer: String,
    /// Of what has not vested.
    pub pending: Money,
    /// Of what can be spent.
    pub promo: Money,
}

impl CashbackRestored {
    /// Debits the expense, credits what is owed and the promo purse.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let restored = self.pending.checked_add(self.promo)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::CashbackExpense, &[])?, restored),
            credit(AccountRef::new(Role::CashbackLiability, &[&self.customer])?, self.pending),
            credit(
                AccountRef::new(Role::CustomerWallet, &[&self.customer, "promo", "spendable"])?,
                self.promo,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "cashback.restored",
    meaning: "A refund that took cashback back came to nothing; the customer has it again.",
    authority: Authority::Fact,
    example: || {
        let (customer, pending, promo) = ("C1".into(), aed(0), aed(600));
        CashbackRestored { customer, pending, promo }.posting()
    },
};

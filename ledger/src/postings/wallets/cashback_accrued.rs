//! A delivery earns the customer cashback.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// Cashback that a customer earned and cannot spend yet.
#[derive(Debug, Clone)]
pub struct CashbackAccrued {
    /// The customer.
    pub customer: String,
    /// How much.
    pub amount: Money,
}

impl CashbackAccrued {
    /// Debits the expense, credits what is owed to the customer.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::CashbackExpense, &[])?, self.amount),
            credit(AccountRef::new(Role::CashbackLiability, &[&self.customer])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "cashback.accrued",
    meaning: "A delivery earns the customer cashback, which is owed from then on.",
    authority: Authority::Fact,
    example: || CashbackAccrued { customer: "C1".into(), amount: aed(2_100) }.posting(),
};

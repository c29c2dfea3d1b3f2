//! The return window is over: earned cashback can be spent.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// Cashback of one customer that can be spent from now on.
#[derive(Debug, Clone)]
pub struct CashbackVested {
    /// The customer.
    pub customer: String,
    /// How much.
    pub amount: Money,
}

impl CashbackVested {
    /// Moves it from what is owed to the promo purse.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::CashbackLiability, &[&self.customer])?, self.amount),
            credit(
                AccountRef::new(Role::CustomerWallet, &[&self.customer, "promo", "spendable"])?,
                self.amount,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "cashback.vested",
    meaning: "The return window is over; earned cashback can be spent.",
    authority: Authority::Fact,
    example: || CashbackVested { customer: "C1".into(), amount: aed(2_100) }.posting(),
};

//! The order that earned cashback is refunded: what is left of it is taken back.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What is taken back of one customer's cashback; what was spent is kept from the refund instead.
#[derive(Debug, Clone)]
pub struct CashbackClawedBack {
    /// The customer.
    pub customer: String,
    /// Of what has not vested.
    pub pending: Money,
    /// Of what is unspent in the promo purse.
    pub promo: Money,
}

impl CashbackClawedBack {
    /// Debits what was owed and the promo purse, credits the expense.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let taken = self.pending.checked_add(self.promo)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::CashbackLiability, &[&self.customer])?, self.pending),
            debit(
                AccountRef::new(Role::CustomerWallet, &[&self.customer, "promo", "spendable"])?,
                self.promo,
            ),
            credit(AccountRef::new(Role::CashbackExpense, &[])?, taken),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "cashback.clawed_back",
    meaning: "The order that earned cashback is refunded; what is left of it is taken back.",
    authority: Authority::Fact,
    example: || {
        let (customer, pending, promo) = ("C1".into(), aed(0), aed(600));
        CashbackClawedBack { customer, pending, promo }.posting()
    },
};

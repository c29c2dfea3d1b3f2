//! Promo credit that nobody spent in time is gone.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What is left of a credit at its expiry.
#[derive(Debug, Clone)]
pub struct CashbackExpired {
    /// The customer.
    pub customer: String,
    /// How much.
    pub amount: Money,
    /// Where it goes: breakage income, or back to the expense that it was.
    pub to: Role,
}

impl CashbackExpired {
    /// Debits the promo purse, credits income or the expense that was.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(
                AccountRef::new(Role::CustomerWallet, &[&self.customer, "promo", "spendable"])?,
                self.amount,
            ),
            credit(AccountRef::new(self.to, &[])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "cashback.expired",
    meaning: "Promo credit that was not spent in time is income, or the expense is taken back.",
    authority: Authority::Fact,
    example: || {
        let (customer, to) = ("C1".into(), Role::BreakageIncome);
        CashbackExpired { customer, amount: aed(600), to }.posting()
    },
};

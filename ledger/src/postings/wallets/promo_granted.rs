//! The platform gives a customer promo credit out of goodwill.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// Promo credit given by hand.
#[derive(Debug, Clone)]
pub struct PromoGranted {
    /// The customer.
    pub customer: String,
    /// How much.
    pub amount: Money,
}

impl PromoGranted {
    /// Debits promotions, credits the promo purse.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::PromotionsExpense, &[])?, self.amount),
            credit(
                AccountRef::new(Role::CustomerWallet, &[&self.customer, "promo", "spendable"])?,
                self.amount,
            ),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "promo.granted",
    meaning: "The platform gives a customer promo credit out of goodwill.",
    authority: Authority::Fact,
    example: || PromoGranted { customer: "C1".into(), amount: aed(1_000) }.posting(),
};

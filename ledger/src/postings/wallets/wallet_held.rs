//! A checkout holds wallet money while the rest of it is being paid.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What one checkout holds of a customer's two purses.
#[derive(Debug, Clone)]
pub struct WalletHeld {
    /// The customer.
    pub customer: String,
    /// Out of the cash purse.
    pub cash: Money,
    /// Out of the promo purse.
    pub promo: Money,
}

impl WalletHeld {
    /// Moves it from the spendable bucket of each purse to the held one.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let purse =
            |kind, bucket| AccountRef::new(Role::CustomerWallet, &[&self.customer, kind, bucket]);
        Posting::balanced(vec![
            debit(purse("cash", "spendable")?, self.cash),
            debit(purse("promo", "spendable")?, self.promo),
            credit(purse("cash", "held")?, self.cash),
            credit(purse("promo", "held")?, self.promo),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "wallet.held",
    meaning: "A checkout holds wallet money until it is paid or given up.",
    authority: Authority::Command,
    example: || {
        let (customer, cash, promo) = ("C1".into(), aed(3_000), aed(1_500));
        WalletHeld { customer, cash, promo }.posting()
    },
};

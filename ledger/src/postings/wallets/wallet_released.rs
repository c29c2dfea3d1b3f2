//! A checkout was given up: the wallet money it held can be spent again.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// What one checkout held of a customer's two purses.
#[derive(Debug, Clone)]
pub struct WalletReleased {
    /// The customer.
    pub customer: String,
    /// Out of the cash purse.
    pub cash: Money,
    /// Out of the promo purse.
    pub promo: Money,
}

impl WalletReleased {
    /// Moves it from the held bucket of each purse back to the spendable one.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero, nothing at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let purse =
            |kind, bucket| AccountRef::new(Role::CustomerWallet, &[&self.customer, kind, bucket]);
        Posting::balanced(vec![
            debit(purse("cash", "held")?, self.cash),
            debit(purse("promo", "held")?, self.promo),
            credit(purse("cash", "spendable")?, self.cash),
            credit(purse("promo", "spendable")?, self.promo),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "wallet.released",
    meaning: "A checkout was given up; the wallet money it held can be spent again.",
    authority: Authority::Fact,
    example: || {
        let (customer, cash, promo) = ("C1".into(), aed(3_000), aed(1_500));
        WalletReleased { customer, cash, promo }.posting()
    },
};

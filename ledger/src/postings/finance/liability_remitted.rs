//! A tax or another liability is paid from a bank account.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A payment of what is owed to an office or a supplier.
#[derive(Debug, Clone)]
pub struct LiabilityRemitted {
    /// What is owed.
    pub liability: AccountRef,
    /// The name of our bank account.
    pub bank: String,
    /// How much is paid.
    pub amount: Money,
}

impl LiabilityRemitted {
    /// Debits the liability, credits the bank.
    ///
    /// # Errors
    /// A name that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(self.liability.clone(), self.amount),
            credit(AccountRef::new(Role::Bank, &[&self.bank])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "liability.remitted",
    meaning: "A tax or another liability is paid from a bank account.",
    authority: Authority::Command,
    example: || {
        let liability = AccountRef::new(Role::VatSettlement, &["AE"])?;
        LiabilityRemitted { liability, bank: "aed_main".into(), amount: aed(42_000) }.posting()
    },
};

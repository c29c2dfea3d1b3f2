//! The bank statement shows the payout.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A payout that left our bank account.
#[derive(Debug, Clone)]
pub struct PayoutPaid {
    /// The rail: a bank or a gateway.
    pub rail: String,
    /// The name of our bank account.
    pub bank: String,
    /// How much.
    pub amount: Money,
}

impl PayoutPaid {
    /// Debits the rail, credits the bank.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::PayoutsInTransit, &[&self.rail])?, self.amount),
            credit(AccountRef::new(Role::Bank, &[&self.bank])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "payout.paid",
    meaning: "The bank debits our account.",
    authority: Authority::Fact,
    example: || {
        PayoutPaid { rail: "bank".into(), bank: "aed_main".into(), amount: aed(47_250) }.posting()
    },
};

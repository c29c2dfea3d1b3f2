//! The gateway paid what it owes into our bank account.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A settlement that the bank confirmed.
#[derive(Debug, Clone)]
pub struct ProviderSettled {
    /// The gateway's name.
    pub provider: String,
    /// The name of our bank account.
    pub bank: String,
    /// How much.
    pub amount: Money,
}

impl ProviderSettled {
    /// Debits the bank, credits what the gateway owes.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::Bank, &[&self.bank])?, self.amount),
            credit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "provider.settled",
    meaning: "The gateway pays out what it owes; the bank line confirms it.",
    authority: Authority::Fact,
    example: || {
        ProviderSettled { provider: "stripe".into(), bank: "aed_main".into(), amount: aed(50_796) }
            .posting()
    },
};

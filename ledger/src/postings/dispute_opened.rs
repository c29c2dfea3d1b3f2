//! The bank took disputed money back: the gateway withdrew it, and its fee.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A withdrawal for a dispute.
#[derive(Debug, Clone)]
pub struct DisputeOpened {
    /// The gateway's name.
    pub provider: String,
    /// What is disputed.
    pub amount: Money,
    /// What the gateway charges for it.
    pub fee: Money,
}

impl DisputeOpened {
    /// Debits the hold and the fee, credits what the gateway owes.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let all = self.amount.checked_add(self.fee)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::DisputeHold, &[&self.provider])?, self.amount),
            debit(AccountRef::new(Role::DisputeFees, &[&self.provider])?, self.fee),
            credit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, all),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.opened",
    meaning: "The gateway withdrew a disputed amount and its fee; who bears it is open.",
    authority: Authority::Fact,
    example: || {
        DisputeOpened { provider: "stripe".into(), amount: aed(10_500), fee: aed(5_500) }.posting()
    },
};

//! A dispute is decided for us: the gateway gives the money back.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// What a dispute gave back.
#[derive(Debug, Clone)]
pub struct DisputeWon {
    /// The gateway's name.
    pub provider: String,
    /// What was disputed.
    pub amount: Money,
    /// What of the fee came back.
    pub fee: Money,
}

impl DisputeWon {
    /// Debits what the gateway owes again, credits the hold and the fee.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let all = self.amount.checked_add(self.fee)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, all),
            credit(AccountRef::new(Role::DisputeHold, &[&self.provider])?, self.amount),
            credit(AccountRef::new(Role::DisputeFees, &[&self.provider])?, self.fee),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.won",
    meaning: "The dispute is decided for us; the gateway gives the amount back.",
    authority: Authority::Fact,
    example: || {
        DisputeWon { provider: "stripe".into(), amount: aed(10_500), fee: aed(0) }.posting()
    },
};

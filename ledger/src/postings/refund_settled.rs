//! The gateway confirms that the buyer is repaid.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund that the gateway confirmed.
#[derive(Debug, Clone)]
pub struct RefundSettled {
    /// The gateway's name.
    pub provider: String,
    /// How much.
    pub amount: Money,
}

impl RefundSettled {
    /// Debits what was promised, credits what the gateway owes.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::RefundsPayable, &[])?, self.amount),
            credit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "refund.succeeded",
    meaning: "The gateway confirms the refund and takes it from what it owes.",
    authority: Authority::Fact,
    example: || RefundSettled { provider: "stripe".into(), amount: aed(10_500) }.posting(),
};

//! A confirmed refund came back: the buyer is owed again.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund that failed after it was confirmed.
#[derive(Debug, Clone)]
pub struct RefundBounced {
    /// The gateway's name.
    pub provider: String,
    /// How much.
    pub amount: Money,
}

impl RefundBounced {
    /// Debits the gateway, credits refunds payable.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, self.amount),
            credit(AccountRef::new(Role::RefundsPayable, &[])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "refund.bounced",
    meaning: "A confirmed refund failed later (the card was closed); it is owed again \
              and paid another way.",
    authority: Authority::Fact,
    example: || RefundBounced { provider: "stripe".into(), amount: aed(10_500) }.posting(),
};

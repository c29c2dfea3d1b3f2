//! Money went back at the gateway beyond what the order held.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund made at the gateway of money that no open order had.
#[derive(Debug, Clone)]
pub struct ReceiptReturned {
    /// The gateway's name.
    pub provider: String,
    /// How much.
    pub amount: Money,
}

impl ReceiptReturned {
    /// Debits unapplied receipts, credits what the gateway owes.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::UnappliedReceipts, &[&self.provider])?, self.amount),
            credit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "receipt.returned",
    meaning: "Somebody refunded at the gateway what no open order holds: a second payment, or \
              more than was left. It is real, so it is booked, and somebody looks.",
    authority: Authority::Fact,
    example: || ReceiptReturned { provider: "stripe".into(), amount: aed(10_500) }.posting(),
};

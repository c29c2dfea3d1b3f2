//! Money arrived that no open payment expects.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A capture after cancellation, a second one, or the part above what was asked.
#[derive(Debug, Clone)]
pub struct ReceiptUnapplied {
    /// The gateway's name.
    pub provider: String,
    /// How much.
    pub amount: Money,
}

impl ReceiptUnapplied {
    /// Debits the gateway, credits unapplied receipts.
    ///
    /// # Errors
    /// An id that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, self.amount),
            credit(AccountRef::new(Role::UnappliedReceipts, &[&self.provider])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "receipt.unapplied",
    meaning: "The gateway took money that no open payment expects: it is real, so it is \
              booked, and somebody decides.",
    authority: Authority::Fact,
    example: || ReceiptUnapplied { provider: "stripe".into(), amount: aed(10_500) }.posting(),
};

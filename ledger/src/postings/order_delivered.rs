//! The order is delivered: the commission on it is earned.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// The commission of what was delivered.
#[derive(Debug, Clone)]
pub struct OrderDelivered {
    /// How much.
    pub amount: Money,
}

impl OrderDelivered {
    /// Debits deferred commission, credits revenue.
    ///
    /// # Errors
    /// An amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::DeferredCommission, &[])?, self.amount),
            credit(AccountRef::new(Role::CommissionRevenue, &[])?, self.amount),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "order.delivered",
    meaning: "Delivery earns the commission that was deferred at capture.",
    authority: Authority::Fact,
    example: || OrderDelivered { amount: aed(5_000) }.posting(),
};

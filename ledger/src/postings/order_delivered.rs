//! The order is delivered: the commission and the shipping of it are earned.

use mizan_money::Money;

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// What the platform earns by a delivery.
#[derive(Debug, Clone)]
pub struct OrderDelivered {
    /// The commission of what was delivered.
    pub commission: Money,
    /// The shipping that the platform sold, net of VAT.
    pub shipping: Money,
}

impl OrderDelivered {
    /// Moves what was deferred to revenue.
    ///
    /// # Errors
    /// An amount below zero, nothing earned.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let share = |role, whose: &[&str], amount| {
            AccountRef::new(role, whose).map(|account| Share { account, amount })
        };
        between(
            &[
                share(Role::DeferredCommission, &[], self.commission)?,
                share(Role::DeferredRevenue, &["shipping"], self.shipping)?,
            ],
            &[
                share(Role::CommissionRevenue, &[], self.commission)?,
                share(Role::ShippingRevenue, &[], self.shipping)?,
            ],
        )
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "order.delivered",
    meaning: "The order is with the buyer; the commission and the platform's shipping are \
              earned.",
    authority: Authority::Fact,
    example: || OrderDelivered { commission: aed(5_000), shipping: aed(0) }.posting(),
};

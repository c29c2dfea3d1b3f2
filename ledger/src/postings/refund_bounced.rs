//! A confirmed refund came back: the buyer is owed again.

use mizan_money::Money;

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund that failed after it was confirmed.
#[derive(Debug, Clone)]
pub struct RefundBounced {
    /// Where the money is again: the gateway; with what rounding had left.
    pub back: Vec<Share>,
    /// What the buyer is owed again.
    pub owed: Money,
}

impl RefundBounced {
    /// Debits the gateway, credits refunds payable.
    ///
    /// # Errors
    /// Shares that do not add up, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let account = AccountRef::new(Role::RefundsPayable, &[])?;
        between(&self.back, &[Share { account, amount: self.owed }])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "refund.bounced",
    meaning: "A confirmed refund failed later (the card was closed); it is owed again \
              and paid another way.",
    authority: Authority::Fact,
    example: || {
        let account = AccountRef::new(Role::GatewayClearing, &["stripe"])?;
        RefundBounced { back: vec![Share { account, amount: aed(10_500) }], owed: aed(10_500) }
            .posting()
    },
};

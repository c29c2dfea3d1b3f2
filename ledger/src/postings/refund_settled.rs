//! A promised refund is with the buyer.

use mizan_money::Money;

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A refund that the gateway confirmed, or that went to the wallet.
#[derive(Debug, Clone)]
pub struct RefundSettled {
    /// What was promised.
    pub owed: Money,
    /// Out of what it was paid: the gateway's debt to us, the wallet; with what rounding left.
    pub paid: Vec<Share>,
}

impl RefundSettled {
    /// Debits what was promised, credits what the gateway owes and what the wallet holds.
    ///
    /// # Errors
    /// Shares that do not add up, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let account = AccountRef::new(Role::RefundsPayable, &[])?;
        between(&[Share { account, amount: self.owed }], &self.paid)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "refund.succeeded",
    meaning: "The gateway confirms the refund and takes it from what it owes; a part that goes \
              to the wallet is there from now on.",
    authority: Authority::Fact,
    example: || {
        let account = AccountRef::new(Role::GatewayClearing, &["stripe"])?;
        let paid = vec![Share { account, amount: aed(10_500) }];
        RefundSettled { owed: aed(10_500), paid }.posting()
    },
};

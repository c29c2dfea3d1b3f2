//! The gateway says that it paid out; the bank has not said so yet.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A settlement that the gateway reported.
#[derive(Debug, Clone)]
pub struct SettlementReported {
    /// The gateway's name.
    pub provider: String,
    /// What left the gateway for us.
    pub amount: Money,
}

impl SettlementReported {
    /// Debits what is on its way, credits what the gateway owes.
    ///
    /// # Errors
    /// A name that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let provider = &[self.provider.as_str()];
        Posting::balanced(vec![
            debit(AccountRef::new(Role::SettlementInTransit, provider)?, self.amount),
            credit(AccountRef::new(Role::GatewayClearing, provider)?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "settlement.reported",
    meaning: "The gateway says that it paid out; the money is on its way to the bank.",
    authority: Authority::Fact,
    example: || SettlementReported { provider: "stripe".into(), amount: aed(10_075) }.posting(),
};

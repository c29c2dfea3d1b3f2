//! A dispute is decided for us: the gateway gives the money back.

use mizan_money::Money;

use super::{DisputeOpened, Entry, aed};
use crate::entry::Posting;
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
    /// An id that no account can have, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let (amount, fee) = (self.amount.checked_neg()?, self.fee.checked_neg()?);
        DisputeOpened { provider: self.provider.clone(), amount, fee }.posting()
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

//! The bank took disputed money back: the gateway withdrew it, and its fee.

use mizan_money::Money;

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A withdrawal for a dispute. The fee may be in the currency of our balance at the gateway.
#[derive(Debug, Clone)]
pub struct DisputeOpened {
    /// The gateway's name.
    pub provider: String,
    /// What is withdrawn; below zero it comes back.
    pub amount: Money,
    /// What the gateway charges for it; below zero it comes back.
    pub fee: Money,
}

impl DisputeOpened {
    /// Debits the hold and the fee, credits what the gateway owes.
    ///
    /// # Errors
    /// An id that no account can have, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let share = |role, amount| -> Result<Share, PostingError> {
            Ok(Share { account: AccountRef::new(role, &[&self.provider])?, amount })
        };
        let taken = [share(Role::DisputeHold, self.amount)?, share(Role::DisputeFees, self.fee)?];
        // One leg where both are in one currency, as the gateway's own row has it.
        let given = match self.amount.currency() == self.fee.currency() {
            true => vec![share(Role::GatewayClearing, self.amount.checked_add(self.fee)?)?],
            false => vec![
                share(Role::GatewayClearing, self.amount)?,
                share(Role::GatewayClearing, self.fee)?,
            ],
        };
        between(&taken, &given)
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.opened",
    meaning: "The gateway withdrew a disputed amount and its fee; who bears it is open.",
    authority: Authority::Fact,
    example: || {
        DisputeOpened { provider: "stripe".into(), amount: aed(10_500), fee: aed(5_500) }.posting()
    },
};

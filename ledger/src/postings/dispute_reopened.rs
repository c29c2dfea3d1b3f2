//! A dispute that was lost is decided anew: what its parties gave up is given back to them.

use super::{DisputeLost, Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// The loss that does not stand.
#[derive(Debug, Clone)]
pub struct DisputeReopened {
    /// As it was booked.
    pub loss: DisputeLost,
}

impl DisputeReopened {
    /// The loss on the other sides.
    ///
    /// # Errors
    /// As for the loss.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Ok(self.loss.posting()?.reversed())
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.reopened",
    meaning: "A dispute that was lost goes on, or was won after all: its loss is taken back, entry \
              by entry.",
    authority: Authority::Fact,
    example: || {
        let account = AccountRef::new(Role::DisputeLosses, &[])?;
        let borne = vec![Share { account, amount: aed(10_500) }];
        let loss = DisputeLost { provider: "stripe".into(), amount: aed(10_500), borne };
        DisputeReopened { loss }.posting()
    },
};

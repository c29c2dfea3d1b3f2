//! A dispute is decided against us: the parties, or the platform, bear it.

use mizan_money::Money;

use super::share::between;
use super::{Entry, Share, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::transaction::Authority;

/// A lost dispute with who bears it.
#[derive(Debug, Clone)]
pub struct DisputeLost {
    /// The gateway's name.
    pub provider: String,
    /// What was withdrawn.
    pub amount: Money,
    /// Who bears it: the parties of the order, or the platform's losses.
    pub borne: Vec<Share>,
}

impl DisputeLost {
    /// Debits who bears it, credits the hold.
    ///
    /// # Errors
    /// Shares that do not add up, an id that no account can have.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let account = AccountRef::new(Role::DisputeHold, &[&self.provider])?;
        between(&self.borne, &[Share { account, amount: self.amount }])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "dispute.lost",
    meaning: "The dispute is decided against us. By policy the parties of the order give back \
              their parts, or the platform bears it.",
    authority: Authority::Fact,
    example: || {
        let share = |role, whose: &[&str], minor| {
            AccountRef::new(role, whose).map(|account| Share { account, amount: aed(minor) })
        };
        let borne = vec![
            share(Role::VendorPayable, &["V1", "held"], 9_450)?,
            share(Role::CommissionRevenue, &[], 1_000)?,
            share(Role::VatOutputPayable, &["AE"], 50)?,
        ];
        DisputeLost { provider: "stripe".into(), amount: aed(10_500), borne }.posting()
    },
};

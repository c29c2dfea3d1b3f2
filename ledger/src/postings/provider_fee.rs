//! The gateway keeps its fee from what it owes.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// A fee as the gateway reports it; it is never computed here.
#[derive(Debug, Clone)]
pub struct ProviderFee {
    /// The gateway's name.
    pub provider: String,
    /// Where the tax on the fee is recoverable.
    pub jurisdiction: String,
    /// The fee, net of tax.
    pub fee: Money,
    /// The tax on it.
    pub tax: Money,
}

impl ProviderFee {
    /// Debits the expense and the input tax, credits what the gateway owes.
    ///
    /// # Errors
    /// Ids that no account can have, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let total = self.fee.checked_add(self.tax)?;
        Posting::balanced(vec![
            debit(AccountRef::new(Role::GatewayFees, &[&self.provider])?, self.fee),
            debit(AccountRef::new(Role::VatInputRecoverable, &[&self.jurisdiction])?, self.tax),
            credit(AccountRef::new(Role::GatewayClearing, &[&self.provider])?, total),
        ])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "provider.fee",
    meaning: "The gateway keeps its fee and the tax on it, as it reports them.",
    authority: Authority::Fact,
    example: || {
        let (provider, jurisdiction) = ("stripe".into(), "AE".into());
        ProviderFee { provider, jurisdiction, fee: aed(1_623), tax: aed(81) }.posting()
    },
};

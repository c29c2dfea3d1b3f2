//! The gateway keeps its fee from what it owes.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Leg, Posting, Side};
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
    /// Debits the expense and the input tax, credits what the gateway owes; the other way round
    /// where the gateway gives a fee back, which it reports as an amount below zero.
    ///
    /// # Errors
    /// Ids that no account can have, amounts that do not fit.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let total = self.fee.checked_add(self.tax)?;
        let fees = AccountRef::new(Role::GatewayFees, &[&self.provider])?;
        let tax = AccountRef::new(Role::VatInputRecoverable, &[&self.jurisdiction])?;
        let clearing = AccountRef::new(Role::GatewayClearing, &[&self.provider])?;
        Posting::balanced(vec![
            signed(fees, Side::Debit, self.fee)?,
            signed(tax, Side::Debit, self.tax)?,
            signed(clearing, Side::Credit, total)?,
        ])
    }
}

/// A leg on this side, or on the other one for an amount below zero.
fn signed(account: AccountRef, side: Side, amount: Money) -> Result<Leg, PostingError> {
    Ok(match amount.is_negative() {
        true => Leg { account, side: side.other(), amount: amount.checked_neg()? },
        false => Leg { account, side, amount },
    })
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_fee_given_back_is_booked_the_other_way_round() {
        let (provider, jurisdiction) = ("stripe".into(), "AE".into());
        let fee = ProviderFee { provider, jurisdiction, fee: aed(-1_500), tax: aed(-75) };
        assert_eq!(
            super::super::tests::page(&fee.posting().unwrap()),
            "
cr gateway_fees:stripe                     15.00 AED
cr vat_input_recoverable:AE                 0.75 AED
dr gateway_clearing:stripe                 15.75 AED
"
        );
    }
}

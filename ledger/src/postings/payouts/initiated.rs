//! A payout exists: the money is reserved in the same moment.

use mizan_money::Money;

use super::party::{Payee, across};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A payout handed to a rail.
#[derive(Debug, Clone)]
pub struct PayoutInitiated {
    /// Whose money it is.
    pub payee: Payee,
    /// The rail: a bank or a gateway.
    pub rail: String,
    /// How much is taken from what is available.
    pub amount: Money,
    /// How much the payee receives: the same, or what it comes to in another currency.
    pub pays: Money,
}

impl PayoutInitiated {
    /// Debits the available bucket, credits the rail.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero, two amounts of one currency.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let rail = AccountRef::new(Role::PayoutsInTransit, &[&self.rail])?;
        let legs = across((self.payee.available()?, self.amount), (rail, self.pays))?;
        Posting::balanced(legs)
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "payout.initiated",
    meaning: "The instruction exists, so the payee's money is taken from what is available.",
    authority: Authority::Command,
    example: || {
        let (payee, amount) = (Payee::Vendor("V1".into()), aed(47_250));
        PayoutInitiated { payee, rail: "bank".into(), amount, pays: amount }.posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mizan_money::Currency;

    use super::*;
    use crate::postings::tests::page;

    #[test]
    fn a_payout_in_another_currency_balances_in_each() {
        let payee = Payee::Vendor("V1".into());
        let pays = Money::new(98_989, Currency::USD);
        let payout = PayoutInitiated { payee, rail: "wire".into(), amount: aed(367_250), pays };
        assert_eq!(
            page(&payout.posting().unwrap()),
            "
dr vendor_payable:V1:available            3672.50 AED
cr fx_clearing                            3672.50 AED
dr fx_clearing                            989.89 USD
cr payouts_in_transit:wire                989.89 USD
"
        );
        let payee = Payee::Affiliate("A1".into());
        let same = PayoutInitiated { payee, rail: "bank".into(), amount: aed(5), pays: aed(5) };
        assert_eq!(same.posting().unwrap().legs().len(), 2);
        assert!(PayoutInitiated { pays: aed(6), ..same }.posting().is_err());
    }
}

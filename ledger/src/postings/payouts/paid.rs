//! The bank statement shows the payout, or the gateway says that it arrived.

use mizan_money::Money;

use super::party::{Till, across};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::Posting;
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A payout that left our account.
#[derive(Debug, Clone)]
pub struct PayoutPaid {
    /// The rail: a bank or a gateway.
    pub rail: String,
    /// Where the money came from.
    pub from: Till,
    /// How much was on its way.
    pub amount: Money,
    /// What it cost us: the same, or what the bank took in another currency.
    pub cost: Money,
}

impl PayoutPaid {
    /// Debits the rail, credits the bank or the gateway.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero, two amounts of one currency.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let rail = AccountRef::new(Role::PayoutsInTransit, &[&self.rail])?;
        let legs = across((rail, self.amount), (self.from.account()?, self.cost))?;
        Posting::balanced(legs)
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "payout.paid",
    meaning: "The bank debits our account, or the gateway our balance.",
    authority: Authority::Fact,
    example: || {
        let (from, amount) = (Till::Bank("aed_main".into()), aed(47_250));
        PayoutPaid { rail: "bank".into(), from, amount, cost: amount }.posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mizan_money::Currency;

    use super::*;
    use crate::postings::tests::page;

    #[test]
    fn a_bank_that_buys_the_currency_is_paid_in_its_own() {
        let paid = PayoutPaid {
            rail: "wire".into(),
            from: Till::Bank("aed_main".into()),
            amount: Money::new(98_989, Currency::USD),
            cost: aed(364_000),
        };
        assert_eq!(
            page(&paid.posting().unwrap()),
            "
dr payouts_in_transit:wire                989.89 USD
cr fx_clearing                            989.89 USD
dr fx_clearing                            3640.00 AED
cr bank:aed_main                          3640.00 AED
"
        );
    }
}

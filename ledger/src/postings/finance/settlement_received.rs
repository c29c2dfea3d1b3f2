//! The bank has what the gateway said it paid out, less what banks kept on the way.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A settlement that arrived.
#[derive(Debug, Clone)]
pub struct SettlementReceived {
    /// The gateway's name.
    pub provider: String,
    /// The name of our bank account.
    pub bank: String,
    /// What left the gateway for us.
    pub amount: Money,
    /// What arrived of it; banks kept the rest.
    pub received: Money,
}

impl SettlementReceived {
    /// Debits the bank and its charges, credits what was on its way.
    ///
    /// # Errors
    /// Names that no account can have, more received than was on its way.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let in_transit = AccountRef::new(Role::SettlementInTransit, &[&self.provider])?;
        let bank = AccountRef::new(Role::Bank, &[&self.bank])?;
        // Two currencies, or more than there was, do not balance.
        let kept = self.amount.checked_sub(self.received);
        let kept = kept.unwrap_or_else(|_| Money::zero(self.amount.currency()));
        Posting::balanced(vec![
            debit(bank, self.received),
            debit(AccountRef::new(Role::BankCharges, &[])?, kept),
            credit(in_transit, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "settlement.received",
    meaning: "The bank has what was on its way, less what banks kept.",
    authority: Authority::Fact,
    example: || {
        SettlementReceived {
            provider: "stripe".into(),
            bank: "aed_main".into(),
            amount: aed(10_075),
            received: aed(9_875),
        }
        .posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::postings::tests::page;

    #[test]
    fn what_banks_kept_is_a_charge() {
        assert_eq!(
            page(&(ENTRY.example)().unwrap()),
            "
dr bank:aed_main                           98.75 AED
dr bank_charges                             2.00 AED
cr settlement_in_transit:stripe           100.75 AED
"
        );
    }
}

//! A payout that was paid comes back.

use mizan_money::Money;

use super::party::{Payee, Till, across};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A payout that the payee's bank sent back.
#[derive(Debug, Clone)]
pub struct PayoutReturned {
    /// Whose money it is.
    pub payee: Payee,
    /// Where it arrived.
    pub into: Till,
    /// How much had been taken from what was available.
    pub amount: Money,
    /// What arrived: the same, or what came back in another currency.
    pub received: Money,
}

impl PayoutReturned {
    /// Debits the bank or the gateway, credits the available bucket with all of it. Where a bank
    /// changed it back at another rate, the difference is gain or loss.
    ///
    /// # Errors
    /// Ids that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let (amount, received) = (self.amount, self.received);
        let (into, available) = (self.into.account()?, self.payee.available()?);
        if amount.currency() != received.currency() || amount == received {
            return Posting::balanced(across((into, received), (available, amount))?);
        }
        let lost = amount.checked_sub(received)?;
        let difference = match lost.is_positive() {
            true => debit(AccountRef::new(Role::FxLoss, &[])?, lost),
            false => credit(AccountRef::new(Role::FxGain, &[])?, lost.checked_neg()?),
        };
        Posting::balanced(vec![debit(into, received), difference, credit(available, amount)])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "payout.returned",
    meaning: "The payee's bank sent the payout back, so it is available again.",
    authority: Authority::Fact,
    example: || {
        let (payee, amount) = (Payee::Vendor("V1".into()), aed(47_250));
        let into = Till::Bank("aed_main".into());
        PayoutReturned { payee, into, amount, received: amount }.posting()
    },
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::postings::tests::page;

    #[test]
    fn what_a_bank_changes_back_at_another_rate_is_gain_or_loss() {
        let back = |received| {
            let (payee, into) = (Payee::Vendor("V1".into()), Till::Bank("aed_main".into()));
            let amount = aed(367_250);
            PayoutReturned { payee, into, amount, received: aed(received) }.posting().unwrap()
        };
        assert_eq!(
            page(&back(360_000)),
            "
dr bank:aed_main                          3600.00 AED
dr fx_loss                                 72.50 AED
cr vendor_payable:V1:available            3672.50 AED
"
        );
        assert!(page(&back(367_251)).contains("cr fx_gain"));
        assert_eq!(back(367_250).legs().len(), 2);
    }
}

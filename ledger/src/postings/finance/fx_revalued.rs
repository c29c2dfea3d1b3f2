//! An open position is worth more or less at the end of a day than it cost.

use mizan_money::Money;

use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// A position in one currency, valued in another.
#[derive(Debug, Clone, Copy)]
pub struct FxRevalued {
    /// The value less what it cost: a gain above zero, a loss below.
    pub difference: Money,
}

impl FxRevalued {
    /// Brings the cost on the clearing account to the value, against gain or loss.
    ///
    /// # Errors
    /// Nothing to book, or an amount that has no opposite.
    pub fn posting(self) -> Result<Posting, PostingError> {
        let clearing = AccountRef::new(Role::FxClearing, &[])?;
        Posting::balanced(if self.difference.is_negative() {
            // The least amount there is has no opposite; left negative it is refused.
            let loss = self.difference.checked_neg().unwrap_or(self.difference);
            vec![debit(AccountRef::new(Role::FxLoss, &[])?, loss), credit(clearing, loss)]
        } else {
            let gain = AccountRef::new(Role::FxGain, &[])?;
            vec![debit(clearing, self.difference), credit(gain, self.difference)]
        })
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "fx.revalued",
    meaning: "An open position is valued at the closing rate of a day.",
    authority: Authority::Command,
    example: || FxRevalued { difference: aed(750) }.posting(),
};

pub(in crate::postings) const REVERSED: Entry = Entry {
    kind: "fx.revaluation_reversed",
    meaning: "The valuation is taken back at the first moment of the next day.",
    authority: Authority::Command,
    example: || Ok(FxRevalued { difference: aed(750) }.posting()?.reversed()),
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::postings::tests::page;

    #[test]
    fn a_gain_and_a_loss_stand_on_their_own_accounts() {
        let told = |minor| page(&FxRevalued { difference: aed(minor) }.posting().unwrap());
        assert_eq!(
            told(750) + &told(-750),
            "
dr fx_clearing                              7.50 AED
cr fx_gain                                  7.50 AED

dr fx_loss                                  7.50 AED
cr fx_clearing                              7.50 AED
"
        );
        assert!(FxRevalued { difference: aed(0) }.posting().is_err());
    }
}

//! A conversion is over: what is left of its position is the gain or the loss.

use mizan_money::Money;

use super::{Entry, aed};
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::transaction::Authority;

/// The result of one conversion, in the currency that it was made from.
#[derive(Debug, Clone)]
pub struct FxRealised {
    /// What was charged for it.
    pub charged: Money,
    /// What it cost.
    pub cost: Money,
}

impl FxRealised {
    /// Clears the position against gain where it cost less than was charged, else against loss.
    ///
    /// # Errors
    /// Two currencies, or no difference at all.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        let position = AccountRef::new(Role::FxClearing, &[])?;
        let result = self.charged.checked_sub(self.cost)?;
        if result.is_negative() {
            let loss = AccountRef::new(Role::FxLoss, &[])?;
            let lost = result.checked_neg()?;
            return Posting::balanced(vec![debit(loss, lost), credit(position, lost)]);
        }
        let gain = AccountRef::new(Role::FxGain, &[])?;
        Posting::balanced(vec![debit(position, result), credit(gain, result)])
    }
}

pub(super) const ENTRY: Entry = Entry {
    kind: "fx.realised",
    meaning: "A conversion is over, and what is left of its position is gain or loss.",
    authority: Authority::Fact,
    example: || FxRealised { charged: aed(367_250), cost: aed(364_000) }.posting(),
};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::postings::tests::page;

    #[test]
    fn what_cost_more_than_was_charged_is_a_loss() {
        let told = |charged, cost| {
            FxRealised { charged: aed(charged), cost: aed(cost) }.posting().map(|it| page(&it))
        };
        assert_eq!(
            told(1_000, 1_001).unwrap(),
            "
dr fx_loss                                  0.01 AED
cr fx_clearing                              0.01 AED
"
        );
        assert!(told(1_000, 1_000).is_err());
    }
}

//! What a bank or a gateway takes for a payout.

use mizan_money::Money;

use super::party::Till;
use crate::account::AccountRef;
use crate::chart::Role;
use crate::entry::{Posting, credit, debit};
use crate::error::PostingError;
use crate::postings::{Entry, aed};
use crate::transaction::Authority;

/// The fee of a payout, borne by the platform.
#[derive(Debug, Clone)]
pub struct PayoutFee {
    /// Who took it.
    pub from: Till,
    /// How much.
    pub amount: Money,
}

impl PayoutFee {
    /// Debits the fees, credits the bank or the gateway.
    ///
    /// # Errors
    /// A name that no account can have, an amount below zero.
    pub fn posting(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(AccountRef::new(Role::PayoutFees, &[])?, self.amount),
            credit(self.from.account()?, self.amount),
        ])
    }

    /// The other way round: what is given back when a payout comes back.
    ///
    /// # Errors
    /// A name that no account can have, an amount below zero.
    pub fn given_back(&self) -> Result<Posting, PostingError> {
        Posting::balanced(vec![
            debit(self.from.account()?, self.amount),
            credit(AccountRef::new(Role::PayoutFees, &[])?, self.amount),
        ])
    }
}

pub(in crate::postings) const ENTRY: Entry = Entry {
    kind: "payout.fee",
    meaning: "The bank or the gateway takes its fee for a payout.",
    authority: Authority::Fact,
    example: || PayoutFee { from: Till::Bank("aed_main".into()), amount: aed(2_500) }.posting(),
};

pub(in crate::postings) const GIVEN_BACK: Entry = Entry {
    kind: "payout.fee_returned",
    meaning: "A gateway gives its fee back with a payout that came back.",
    authority: Authority::Fact,
    example: || PayoutFee { from: Till::Gateway("razorpay".into()), amount: aed(590) }.given_back(),
};

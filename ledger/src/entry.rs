//! Legs, and the postings they make: debits equal credits in every currency.

use std::collections::BTreeMap;

use mizan_money::{Currency, Money};

use crate::account::AccountRef;
use crate::error::PostingError;

/// The most legs one transaction may have; an order of a hundred vendors needs about 300.
pub const LEGS_MAX: usize = 1_000;

/// Debit or credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Left: assets and expenses grow.
    Debit,
    /// Right: liabilities, equity and revenue grow.
    Credit,
}

impl Side {
    /// The other side.
    pub const fn other(self) -> Side {
        match self {
            Side::Debit => Side::Credit,
            Side::Credit => Side::Debit,
        }
    }

    /// The word used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Debit => "debit",
            Side::Credit => "credit",
        }
    }

    /// The letter stored.
    pub(crate) const fn letter(self) -> &'static str {
        match self {
            Side::Debit => "d",
            Side::Credit => "c",
        }
    }

    pub(crate) fn from_letter(letter: &str) -> Option<Side> {
        match letter {
            "d" => Some(Side::Debit),
            "c" => Some(Side::Credit),
            _ => None,
        }
    }
}

/// One line of a transaction: an account, a side, an amount not below zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Where.
    pub account: AccountRef,
    /// On which side.
    pub side: Side,
    /// How much, in minor units of its currency.
    pub amount: Money,
}

/// A leg on the debit side.
pub fn debit(account: AccountRef, amount: Money) -> Leg {
    Leg { account, side: Side::Debit, amount }
}

/// A leg on the credit side.
pub fn credit(account: AccountRef, amount: Money) -> Leg {
    Leg { account, side: Side::Credit, amount }
}

/// A set of legs whose debits equal their credits in every currency.
///
/// There is no other way to make one, so everything downstream may rely on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    legs: Vec<Leg>,
}

impl Posting {
    /// Checks the legs. A leg of zero says nothing and is left out.
    ///
    /// # Errors
    /// Legs that do not balance, an amount below zero, nothing that moves, too many legs.
    pub fn balanced(legs: Vec<Leg>) -> Result<Posting, PostingError> {
        let legs: Vec<Leg> = legs.into_iter().filter(|leg| !leg.amount.is_zero()).collect();
        if legs.len() < 2 {
            return Err(PostingError::Empty);
        }
        if legs.len() > LEGS_MAX {
            return Err(PostingError::TooManyLegs { legs: legs.len() });
        }
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for leg in &legs {
            if leg.amount.is_negative() {
                return Err(PostingError::NegativeAmount { account: leg.account.to_string() });
            }
            let amount = i128::from(leg.amount.minor());
            *sums.entry(leg.amount.currency()).or_default() += match leg.side {
                Side::Debit => amount,
                Side::Credit => -amount,
            };
        }
        match sums.into_iter().find(|(_, sum)| *sum != 0) {
            Some((currency, off_by)) => Err(PostingError::Unbalanced { currency, off_by }),
            None => Ok(Posting { legs }),
        }
    }

    /// The legs, in the order given.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The same legs on their other sides: it takes the posting back.
    pub fn reversed(&self) -> Posting {
        let turn = |leg: &Leg| Leg { side: leg.side.other(), ..leg.clone() };
        Posting { legs: self.legs.iter().map(turn).collect() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn account(path: &str) -> AccountRef {
        AccountRef::parse(path).unwrap()
    }
    fn aed(minor: i64) -> Money {
        Money::new(minor, Currency::AED)
    }

    #[test]
    fn two_currencies_never_net() {
        let usd = Money::new(100, Currency::USD);
        let legs = vec![debit(account("fx_clearing"), aed(100)), credit(account("fx_gain"), usd)];
        let refusal = Posting::balanced(legs).unwrap_err();
        assert!(matches!(refusal, PostingError::Unbalanced { off_by: 100, .. }));
    }

    #[test]
    fn zero_says_nothing_and_below_zero_is_refused() {
        let three = |last| {
            Posting::balanced(vec![
                debit(account("bank:main"), aed(100)),
                credit(account("suspense:bank"), aed(100)),
                credit(account("bank_charges"), aed(last)),
            ])
        };
        assert_eq!(three(0).unwrap().legs().len(), 2);
        assert!(matches!(three(-1), Err(PostingError::NegativeAmount { .. })));
        assert!(matches!(Posting::balanced(vec![]), Err(PostingError::Empty)));
    }
}

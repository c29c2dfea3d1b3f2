//! Cuts a long journal into transactions of a bounded length, each of which balances.

use std::collections::BTreeMap;

use mizan_ledger::entry::LEGS_MAX;
use mizan_ledger::{Leg, Posting, PostingError, Side};
use mizan_money::{Currency, Money};

/// One line of the journal, as far as it is still to be placed.
struct Open<'a> {
    leg: &'a Leg,
    n: usize,
    left: i64,
}

/// A transaction in the making: what it has of which line.
#[derive(Default)]
struct Part {
    legs: Vec<Leg>,
    /// The line that each leg is of.
    lines: Vec<usize>,
}

/// The postings that a journal's legs come to: one, or several where one would be too long. A
/// line that stands at a cut is told in two parts.
///
/// # Errors
/// Legs that do not balance.
pub(super) fn parts(legs: &[Leg]) -> Result<Vec<Posting>, PostingError> {
    if legs.len() <= LEGS_MAX {
        return Ok(vec![Posting::balanced(legs.to_vec())?]);
    }
    let mut parts = vec![Part::default()];
    for (currency, mut debits, mut credits) in by_currency(legs) {
        while let (Some(debit), Some(credit)) = (debits.last_mut(), credits.last_mut()) {
            if parts.last().is_none_or(|part| part.legs.len() + 2 > LEGS_MAX) {
                parts.push(Part::default());
            }
            let amount = debit.left.min(credit.left);
            if let Some(part) = parts.last_mut() {
                part.add(debit, Money::new(amount, currency));
                part.add(credit, Money::new(amount, currency));
            }
            let (is_debit_done, is_credit_done) = (debit.left == 0, credit.left == 0);
            if is_debit_done {
                debits.pop();
            }
            if is_credit_done {
                credits.pop();
            }
        }
        if let Some(rest) = debits.last().or(credits.last()) {
            return Err(PostingError::Unbalanced { currency, off_by: rest.left.into() });
        }
    }
    parts.into_iter().map(|part| Posting::balanced(part.legs)).collect()
}

impl Part {
    fn add(&mut self, open: &mut Open<'_>, amount: Money) {
        open.left -= amount.minor();
        // The line that is being placed is among the last few.
        let recent = self.lines.iter().rposition(|line| *line == open.n);
        match recent.and_then(|at| self.legs.get_mut(at)) {
            Some(leg) => {
                let sum = leg.amount.minor() + amount.minor();
                leg.amount = Money::new(sum, amount.currency());
            }
            None => {
                self.legs.push(Leg { amount, ..open.leg.clone() });
                self.lines.push(open.n);
            }
        }
    }
}

/// Debits and credits of each currency, the first line last.
fn by_currency(legs: &[Leg]) -> impl Iterator<Item = (Currency, Vec<Open<'_>>, Vec<Open<'_>>)> {
    let mut sides: BTreeMap<Currency, (Vec<Open<'_>>, Vec<Open<'_>>)> = BTreeMap::new();
    for (n, leg) in legs.iter().enumerate().rev() {
        let (debits, credits) = sides.entry(leg.amount.currency()).or_default();
        let side = match leg.side {
            Side::Debit => debits,
            Side::Credit => credits,
        };
        side.push(Open { leg, n, left: leg.amount.minor() });
    }
    sides.into_iter().map(|(currency, (debits, credits))| (currency, debits, credits))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mizan_ledger::{AccountRef, credit, debit};
    use proptest::prelude::*;

    use super::*;

    /// What each account has on each side.
    fn sums(legs: &[Leg]) -> BTreeMap<(String, Side, Currency), i64> {
        let mut sums = BTreeMap::new();
        for leg in legs {
            let key = (leg.account.path().to_owned(), leg.side, leg.amount.currency());
            *sums.entry(key).or_default() += leg.amount.minor();
        }
        sums
    }

    fn leg(side: fn(AccountRef, Money) -> Leg, n: usize, minor: i64, currency: Currency) -> Leg {
        let account = AccountRef::parse(&format!("vendor_payable:v{n}:pending")).unwrap();
        side(account, Money::new(minor, currency))
    }

    proptest! {
        #[test]
        fn a_long_journal_is_cut_without_losing_or_adding_a_unit(
            amounts in proptest::collection::vec(1..1_000_i64, 500..3_000), aed in 1..400_usize,
        ) {
            let mut legs = Vec::new();
            for (n, minor) in amounts.iter().enumerate() {
                let currency = if n < aed { Currency::AED } else { Currency::KWD };
                legs.push(leg(credit, n, *minor, currency));
            }
            for currency in [Currency::AED, Currency::KWD] {
                let of = legs.iter().filter(|leg| leg.amount.currency() == currency);
                let sum: i64 = of.map(|leg| leg.amount.minor()).sum();
                let bank = AccountRef::parse("bank:main").unwrap();
                legs.push(debit(bank, Money::new(sum, currency)));
            }
            let parts = parts(&legs).unwrap();
            let all: Vec<Leg> = parts.iter().flat_map(|part| part.legs().to_vec()).collect();
            prop_assert_eq!(sums(&all), sums(&legs));
            let at_best = legs.len().div_ceil(LEGS_MAX);
            prop_assert!(parts.len() <= at_best + 1, "{} of {}", parts.len(), at_best);
        }
    }

    #[test]
    fn what_does_not_balance_is_refused_at_any_length() {
        let mut legs: Vec<Leg> = (0..1_500).map(|n| leg(credit, n, 10, Currency::AED)).collect();
        legs.push(leg(debit, 9_999, 14_999, Currency::AED));
        let refused = parts(&legs).unwrap_err();
        assert!(matches!(refused, PostingError::Unbalanced { off_by: 1, .. }), "{refused}");
    }
}

//! Who gets what of a capture, and what each gives back in a refund. Pure arithmetic.

use std::collections::BTreeMap;

use mizan_money::{AllocateError, Currency, Money, MoneyError, Rate, Rounding, allocate};
use serde::{Deserialize, Serialize};

use super::intent::Line;

/// The parts of an amount: they add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// The vendor's.
    pub share: Money,
    /// The platform's, net of VAT.
    pub commission: Money,
    /// The tax office's, on the commission.
    pub commission_vat: Money,
}

/// Parts as they are stored with a refund, in minor units.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredParts {
    pub n: i16,
    pub share: i64,
    pub commission: i64,
    pub commission_vat: i64,
}

/// Why a split cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// The commission and the VAT on it are more than the price.
    #[error("commission and the VAT on it are {charged} on line {line}, whose price is {price}")]
    CommissionAbovePrice {
        /// The line.
        line: i16,
        /// Its price.
        price: Money,
        /// What would be kept of it.
        charged: Money,
    },
    /// Amounts that do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Weights that cannot be.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
}

impl Parts {
    /// Nothing for anybody.
    pub fn zero(currency: Currency) -> Parts {
        let zero = Money::zero(currency);
        Parts { share: zero, commission: zero, commission_vat: zero }
    }

    /// All of it.
    ///
    /// # Errors
    /// A sum that does not fit.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.share.checked_add(self.commission)?.checked_add(self.commission_vat)
    }

    /// # Errors
    /// A sum that does not fit.
    pub fn checked_add(&self, other: &Parts) -> Result<Parts, MoneyError> {
        Ok(Parts {
            share: self.share.checked_add(other.share)?,
            commission: self.commission.checked_add(other.commission)?,
            commission_vat: self.commission_vat.checked_add(other.commission_vat)?,
        })
    }

    /// # Errors
    /// A difference that does not fit.
    pub fn checked_sub(&self, other: &Parts) -> Result<Parts, MoneyError> {
        Ok(Parts {
            share: self.share.checked_sub(other.share)?,
            commission: self.commission.checked_sub(other.commission)?,
            commission_vat: self.commission_vat.checked_sub(other.commission_vat)?,
        })
    }

    fn minors(&self) -> [i64; 3] {
        [self.share.minor(), self.commission.minor(), self.commission_vat.minor()]
    }

    fn of(parts: &[Money]) -> Option<Parts> {
        match parts {
            [share, commission, commission_vat] => Some(Parts {
                share: *share,
                commission: *commission,
                commission_vat: *commission_vat,
            }),
            _ => None,
        }
    }
}

/// What to do where commission and the VAT on it are more than a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overcharge {
    /// Refuse: the order is being made.
    Refuse,
    /// Cut the VAT: the money is there and must be booked. Rounding on a few minor units, or a
    /// rate that rose since, may not take more than was captured.
    Cut,
}

/// Splits what was captured over the lines and writes it into them.
///
/// A capture of less than the order is spread over the lines by their prices (largest
/// remainder). Tax inside the price and commission on the price before tax are rounded half-up
/// per line; VAT on commission once per vendor, then spread over that vendor's lines.
///
/// # Errors
/// A commission above the price, where that is to be refused; amounts that do not fit.
pub fn split_capture(
    lines: &mut [Line],
    captured: Money,
    vat: Rate,
    overcharge: Overcharge,
) -> Result<(), SplitError> {
    let prices: Vec<i64> = lines.iter().map(|line| line.amount.minor()).collect();
    let amounts = allocate(captured, &prices)?;
    let mut by_vendor: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (line, amount)) in lines.iter_mut().zip(amounts).enumerate() {
        line.captured = amount;
        line.captured_tax = line.tax.contained_in(amount, Rounding::HalfUp)?;
        let before_tax = amount.checked_sub(line.captured_tax)?;
        line.parts.commission = line.commission.of(before_tax, Rounding::HalfUp)?;
        by_vendor.entry(line.vendor.clone()).or_default().push(at);
    }
    for of_vendor in by_vendor.values() {
        let commissions: Vec<Money> =
            of_vendor.iter().map(|&n| lines[n].parts.commission).collect();
        let commission = Money::sum(captured.currency(), commissions.iter().copied())?;
        let weights: Vec<i64> = commissions.iter().map(|part| part.minor()).collect();
        let vats = match commission.is_zero() {
            true => vec![Money::zero(captured.currency()); of_vendor.len()],
            false => allocate(vat.of(commission, Rounding::HalfUp)?, &weights)?,
        };
        for (&n, commission_vat) in of_vendor.iter().zip(vats) {
            give_the_rest_to_the_vendor(&mut lines[n], commission_vat, overcharge)?;
        }
    }
    Ok(())
}

fn give_the_rest_to_the_vendor(
    line: &mut Line,
    commission_vat: Money,
    overcharge: Overcharge,
) -> Result<(), SplitError> {
    line.parts.commission_vat = commission_vat;
    let charged = line.parts.commission.checked_add(commission_vat)?;
    line.parts.share = line.captured.checked_sub(charged)?;
    if !line.parts.share.is_negative() {
        return Ok(());
    }
    if overcharge == Overcharge::Refuse {
        let price = line.amount;
        return Err(SplitError::CommissionAbovePrice { line: line.n, price, charged });
    }
    line.parts.share = Money::zero(line.captured.currency());
    line.parts.commission_vat = line.captured.checked_sub(line.parts.commission)?;
    Ok(())
}

/// What each line gives back of a refund: over what each line has left, then over what each
/// party of the line has left, both by largest remainder, so that the last refund takes the
/// exact rest. Lines that give nothing are left out.
///
/// # Errors
/// More than is left, amounts that do not fit.
pub fn refund_parts(lines: &[Line], amount: Money) -> Result<Vec<(i16, Parts)>, SplitError> {
    let left: Vec<Parts> =
        lines.iter().map(|l| l.parts.checked_sub(&l.refunded)).collect::<Result<_, _>>()?;
    let weights: Vec<i64> =
        left.iter().map(|p| p.total().map(Money::minor)).collect::<Result<_, _>>()?;
    let mut given = Vec::new();
    for ((line, left), amount) in lines.iter().zip(&left).zip(allocate(amount, &weights)?) {
        if amount.is_zero() {
            continue;
        }
        let parts = allocate(amount, &left.minors())?;
        given.extend(Parts::of(&parts).map(|parts| (line.n, parts)));
    }
    Ok(given)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn aed(minor: i64) -> Money {
        Money::new(minor, Currency::AED)
    }

    fn line(n: i16, vendor: &str, amount: i64, tax: &str, commission: &str) -> Line {
        Line {
            n,
            vendor: vendor.into(),
            description: None,
            amount: aed(amount),
            tax: Rate::percent(tax).unwrap(),
            commission: Rate::percent(commission).unwrap(),
            captured: aed(0),
            captured_tax: aed(0),
            parts: Parts::zero(Currency::AED),
            refunded: Parts::zero(Currency::AED),
        }
    }

    fn five() -> Rate {
        Rate::percent("5").unwrap()
    }

    #[test]
    fn an_order_of_525_with_ten_percent_gives_47250_5000_250() {
        let mut lines = vec![line(1, "V1", 52_500, "5", "10")];
        split_capture(&mut lines, aed(52_500), five(), Overcharge::Cut).unwrap();
        assert_eq!(lines[0].captured_tax, aed(2_500));
        assert_eq!(lines[0].parts.minors(), [47_250, 5_000, 250]);
    }

    #[test]
    fn vat_on_commission_is_rounded_once_per_vendor() {
        // 0.10 commission each: 0.005 VAT a line would round to 0.01 twice.
        let mut lines = vec![line(1, "V", 105, "5", "10"), line(2, "V", 105, "5", "10")];
        split_capture(&mut lines, aed(210), five(), Overcharge::Cut).unwrap();
        let vat: i64 = lines.iter().map(|l| l.parts.commission_vat.minor()).sum();
        assert_eq!(vat, 1);
    }

    #[test]
    fn a_commission_above_the_price_is_refused_at_the_door() {
        let mut lines = vec![line(1, "V", 10_000, "0", "100")];
        let refusal =
            split_capture(&mut lines, aed(10_000), five(), Overcharge::Refuse).unwrap_err();
        assert!(matches!(refusal, SplitError::CommissionAbovePrice { line: 1, .. }));
    }

    #[test]
    fn captured_money_can_always_be_split() {
        // The whole fits; of a part, the VAT's one unit falls on a line that has no room for it.
        let mut lines: Vec<Line> = (1..=12).map(|n| line(n, "V", 1, "0", "50")).collect();
        lines.push(line(13, "V", 19, "0", "10"));
        split_capture(&mut lines.clone(), aed(31), five(), Overcharge::Refuse).unwrap();
        for captured in 1..=31 {
            split_capture(&mut lines, aed(captured), five(), Overcharge::Cut).unwrap();
            let sum: i64 = lines.iter().map(|line| line.parts.total().unwrap().minor()).sum();
            assert_eq!(sum, captured);
            assert!(lines.iter().all(|line| line.parts.minors().iter().all(|part| *part >= 0)));
        }
    }

    proptest! {
        #[test]
        fn a_split_adds_up_and_nobody_pays_in(
            prices in prop::collection::vec((1i64..500_000, 0usize..3, 0u32..40), 1..8),
            percent_captured in 1i64..=100,
        ) {
            let mut lines: Vec<Line> = prices.iter().enumerate().map(|(n, (price, vendor, rate))| {
                line(n as i16 + 1, &format!("V{vendor}"), *price, "5", &rate.to_string())
            }).collect();
            let total: i64 = prices.iter().map(|p| p.0).sum();
            let captured = (total * percent_captured / 100).max(1);
            split_capture(&mut lines, aed(captured), five(), Overcharge::Cut).unwrap();
            let mut sum = 0;
            for line in &lines {
                prop_assert_eq!(line.parts.total().unwrap(), line.captured);
                prop_assert!(line.parts.minors().iter().all(|part| *part >= 0));
                sum += line.captured.minor();
            }
            prop_assert_eq!(sum, captured);
        }

        #[test]
        fn any_sequence_of_refunds_takes_each_party_to_exactly_zero(
            prices in prop::collection::vec((1i64..100_000, 0usize..3), 1..6),
            cuts in prop::collection::vec(1i64..60_000, 1..12),
        ) {
            let mut lines: Vec<Line> = prices.iter().enumerate().map(|(n, (price, vendor))| {
                line(n as i16 + 1, &format!("V{vendor}"), *price, "5", "12.5")
            }).collect();
            let mut left: i64 = prices.iter().map(|p| p.0).sum();
            split_capture(&mut lines, aed(left), five(), Overcharge::Cut).unwrap();
            for cut in cuts.into_iter().chain([i64::MAX]) {
                let amount = cut.min(left);
                if amount == 0 { continue }
                left -= amount;
                let mut given = 0;
                for (n, parts) in refund_parts(&lines, aed(amount)).unwrap() {
                    let line = &mut lines[n as usize - 1];
                    line.refunded = line.refunded.checked_add(&parts).unwrap();
                    given += parts.total().unwrap().minor();
                    for (back, had) in line.refunded.minors().iter().zip(line.parts.minors()) {
                        prop_assert!(*back >= 0 && *back <= had);
                    }
                }
                prop_assert_eq!(given, amount);
            }
            prop_assert!(lines.iter().all(|line| line.refunded == line.parts));
        }
    }
}

//! Who gets what of a capture. Pure arithmetic.
//!
//! Each line: what the customer paid for it with what the platform paid on top, less the tax
//! inside; the commission on that by the deal, half-up per line. VAT on the commission, and what
//! is withheld, half-up once for each vendor of the order, then spread over its lines by largest
//! remainder. The vendor gets the rest, so that the parts add up to the line exactly.

use std::collections::BTreeMap;

use mizan_ledger::{AccountError, AccountRef, Role};
use mizan_money::{AllocateError, Money, MoneyError, Rounding, allocate};

mod give_back;
mod taxes;

pub(super) use self::taxes::charged_taxes;
use self::taxes::{own_taxes, withheld_taxes};
use super::line::{Component, Line, LineKind, Part};
use super::wallet_part::Attribution;
use crate::commissions::Deal;
use crate::vendors::{SupplyRole, WhoBears};

pub use give_back::{GivenBack, Wanted, give_back};

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
    /// A refund of more than a line has left.
    #[error("line {line} has {left} left, {asked} were asked for")]
    LineHasLess {
        /// The line.
        line: i16,
        /// What it has.
        left: Money,
        /// What was asked for.
        asked: Money,
    },
    /// A refund of lines that are not there, or that do not add up.
    #[error("{0}")]
    Lines(&'static str),
    /// Amounts that do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// Weights that cannot be.
    #[error(transparent)]
    Allocate(#[from] AllocateError),
    /// An account that cannot be.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// What to do where the platform's charges are more than a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overcharge {
    /// Refuse: the order is being made.
    Refuse,
    /// Cut the charges: the money is there and must be booked. Rounding on a few minor units, or
    /// a rate that rose since, may not take more than was captured.
    Cut,
}

/// What of an order decides beside its lines.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Whose order it is.
    pub customer: Option<&'a str>,
    /// Who sent the customer.
    pub attribution: Option<&'a Attribution>,
}

/// Splits what was captured over the lines and writes it into them, with the deal that held.
///
/// A capture of less than the order is spread over the lines by what the customer was to pay for
/// them (largest remainder).
///
/// # Errors
/// Charges above the price, where that is to be refused; amounts that do not fit.
pub fn split_capture(
    lines: &mut [Line],
    deals: &[Deal],
    captured: Money,
    order: Order<'_>,
    overcharge: Overcharge,
) -> Result<(), SplitError> {
    let amounts: Vec<i64> = lines.iter().map(|line| line.amount.minor()).collect();
    let whole = amounts.iter().sum::<i64>() == captured.minor();
    for (line, amount) in lines.iter_mut().zip(allocate(captured, &amounts)?) {
        capture_line(line, amount, whole)?;
    }
    let mut by_vendor: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (n, (line, deal)) in lines.iter_mut().zip(deals).enumerate() {
        line.deal = Some(deal.clone());
        line.parts = parts_of(line, deal, order)?;
        let agent = line.kind == LineKind::Item && deal.terms.supply_role != SupplyRole::Principal;
        if let (true, Some(vendor)) = (agent, &line.vendor) {
            by_vendor.entry(vendor.clone()).or_default().push(n);
        }
    }
    for of_vendor in by_vendor.values() {
        charge_vendor(lines, of_vendor, &deals[of_vendor[0]])?;
    }
    for line in lines {
        give_the_rest_to_the_vendor(line, overcharge)?;
        line.parts.retain(|part| !part.amount.is_zero());
    }
    Ok(())
}

fn capture_line(line: &mut Line, captured: Money, whole: bool) -> Result<(), SplitError> {
    line.captured = captured;
    line.coupon = match whole {
        true => line.platform_discount,
        false => proportion(line.platform_discount, captured, line.amount)?,
    };
    let value = captured.checked_add(line.coupon)?;
    line.captured_tax = match whole {
        true => line.tax_amount,
        false => line.tax.contained_in(value, Rounding::HalfUp)?,
    };
    Ok(())
}

/// `of` × `part` ÷ `whole`, half-up; nothing of nothing.
///
/// # Errors
/// None so far; amounts that do not fit.
pub fn proportion(of: Money, part: Money, whole: Money) -> Result<Money, MoneyError> {
    let (of_minor, part, whole) =
        (i128::from(of.minor()), i128::from(part.minor()), i128::from(whole.minor()));
    if whole == 0 {
        return Ok(Money::zero(of.currency()));
    }
    let minor = (of_minor * part * 2 + whole) / (whole * 2);
    // No larger than `of`, of which it is a part.
    Ok(Money::new(i64::try_from(minor).unwrap_or(i64::MAX), of.currency()))
}

/// The parts of a line but for the vendor's rest and what is worked out for all of a vendor.
fn parts_of(line: &Line, deal: &Deal, order: Order<'_>) -> Result<Vec<Part>, SplitError> {
    let value = line.captured.checked_add(line.coupon)?;
    let net = value.checked_sub(line.captured_tax)?;
    let own = |component, account: AccountRef| -> Result<Vec<Part>, SplitError> {
        let mut parts = vec![Part::new(component, account, net)];
        parts.extend(own_taxes(deal, line.captured_tax)?);
        Ok(parts)
    };
    match (line.kind, &line.vendor) {
        (LineKind::Item, Some(_)) if deal.terms.supply_role != SupplyRole::Principal => {
            let commission = deal.commission.of(net, value)?;
            let account = AccountRef::new(Role::DeferredCommission, &[])?;
            let mut parts = vec![Part::new(Component::Commission, account, commission)];
            parts.extend(affiliates_part(net, order)?);
            Ok(parts)
        }
        (LineKind::Item, _) => own(Component::Sale, AccountRef::new(Role::ProductRevenue, &[])?),
        (LineKind::Shipping, None) => {
            own(Component::Shipping, AccountRef::new(Role::DeferredRevenue, &["shipping"])?)
        }
        (LineKind::Plan, _) => {
            let contract = line.contract.as_deref().unwrap_or("plan");
            own(Component::Plan, AccountRef::new(Role::DeferredRevenue, &[contract])?)
        }
        (LineKind::TopUp, _) => {
            let whose = order.customer.unwrap_or_default();
            let account = AccountRef::new(Role::CustomerWallet, &[whose, "cash", "spendable"])?;
            Ok(vec![Part::new(Component::TopUp, account, value)])
        }
        (LineKind::Shipping | LineKind::Tip, _) => Ok(Vec::new()),
    }
}

/// What the vendor pays to who sent the customer, where it is the vendor who pays.
fn affiliates_part(net: Money, order: Order<'_>) -> Result<Option<Part>, SplitError> {
    let paid_by_vendor = |it: &&Attribution| it.funded_by == WhoBears::Vendor;
    let Some(attribution) = order.attribution.filter(paid_by_vendor) else { return Ok(None) };
    let account = AccountRef::new(Role::AffiliatePayable, &[&attribution.affiliate, "pending"])?;
    let amount = attribution.percent.of(net, Rounding::HalfUp)?;
    Ok(Some(Part::new(Component::Affiliate, account, amount)))
}

/// Adds what is rounded once for all lines of a vendor: the tax on its commission, and what is
/// withheld of its sales.
fn charge_vendor(lines: &mut [Line], of_vendor: &[usize], deal: &Deal) -> Result<(), SplitError> {
    let commissions: Vec<Money> =
        of_vendor.iter().map(|&n| lines[n].amount_of(Component::Commission)).collect();
    let net = |line: &Line| line.captured.checked_add(line.coupon)?.checked_sub(line.captured_tax);
    let nets: Vec<Money> =
        of_vendor.iter().map(|&n| net(&lines[n])).collect::<Result<_, MoneyError>>()?;
    let currency = lines[of_vendor[0]].amount.currency();
    let total = |of: &[Money]| Money::sum(currency, of.iter().copied());
    let taxes = charged_taxes(deal, total(&commissions)?)?.into_iter().map(|it| (it, &commissions));
    let withheld = withheld_taxes(deal, total(&nets)?)?.into_iter().map(|it| (it, &nets));
    for (part, weights) in taxes.chain(withheld) {
        let weights: Vec<i64> = weights.iter().map(|weight| weight.minor()).collect();
        if part.amount.is_zero() || weights.iter().all(|weight| *weight == 0) {
            continue;
        }
        for (&n, amount) in of_vendor.iter().zip(allocate(part.amount, &weights)?) {
            lines[n].parts.push(Part::new(part.component, part.account.clone(), amount));
        }
    }
    Ok(())
}

fn give_the_rest_to_the_vendor(line: &mut Line, overcharge: Overcharge) -> Result<(), SplitError> {
    let currency = line.amount.currency();
    let value = line.captured.checked_add(line.coupon)?;
    let charged = Money::sum(currency, line.parts.iter().map(|part| part.amount))?;
    let rest = value.checked_sub(charged)?;
    if rest.is_negative() {
        if overcharge == Overcharge::Refuse {
            let price = line.amount;
            return Err(SplitError::CommissionAbovePrice { line: line.n, price, charged });
        }
        return cut(line, rest.checked_neg()?);
    }
    let Some(vendor) = line.vendor.clone().filter(|_| rest.is_positive()) else { return Ok(()) };
    let component = match line.kind {
        LineKind::Tip => Component::Tip,
        _ => Component::VendorShare,
    };
    let account = AccountRef::new(Role::VendorPayable, &[&vendor, "pending"])?;
    line.parts.insert(0, Part::new(component, account, rest));
    Ok(())
}

/// Takes what is too much from the last part first: what is withheld, then tax, then commission.
fn cut(line: &mut Line, mut excess: Money) -> Result<(), SplitError> {
    for part in line.parts.iter_mut().rev() {
        let taken = Money::new(excess.minor().min(part.amount.minor()), excess.currency());
        part.amount = part.amount.checked_sub(taken)?;
        excess = excess.checked_sub(taken)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "split/tests.rs"]
mod tests;

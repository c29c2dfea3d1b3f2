//! What each party gives back in a refund: by largest remainder over what is left. Pure.

use mizan_ledger::postings::Share;
use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, allocate};

use super::{SplitError, proportion};
use crate::payments::line::{Component, Line};
use crate::vendors::WhoseCommission;

/// What one line gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenBack {
    /// The line's number.
    pub n: i16,
    /// To the customer.
    pub paid: Money,
    /// To the platform, of what it had paid on top.
    pub coupon: Money,
    /// By whom: adds up to both.
    pub parts: Vec<(Component, Money)>,
    /// Whether the platform keeps its commission, at the vendor's cost.
    pub kept: bool,
}

/// A line to be refunded: all that is left of it, or so many minor units.
pub type Wanted = (i16, Option<i64>);

/// What each line gives back of a refund of `amount`: of the lines that are named, else over
/// what each has left; then over what each party of the line has left. The last refund takes the
/// exact rest. Lines that give nothing are left out.
///
/// # Errors
/// More than is left, lines that are not there, amounts that do not fit.
pub fn give_back(
    lines: &[Line],
    amount: Money,
    wanted: Option<&[Wanted]>,
) -> Result<Vec<GivenBack>, SplitError> {
    let left: Vec<i64> = lines.iter().map(|line| line.paid_left().minor()).collect();
    let last = left.iter().sum::<i64>() == amount.minor();
    let amounts = match wanted {
        Some(wanted) => named(lines, amount, wanted)?,
        None => allocate(amount, &left)?,
    };
    let mut given = Vec::new();
    for (line, paid) in lines.iter().zip(amounts) {
        if paid.minor() > line.paid_left().minor() {
            let left = line.paid_left();
            return Err(SplitError::LineHasLess { line: line.n, left, asked: paid });
        }
        let coupon_left = line.coupon.checked_sub(line.coupon_back)?;
        let coupon = match paid == line.paid_left() && (last || paid.is_positive()) {
            true => coupon_left,
            false => proportion(coupon_left, paid, line.paid_left())?,
        };
        let value = paid.checked_add(coupon)?;
        if value.is_zero() {
            continue;
        }
        given.push(by_party(line, paid, coupon, value)?);
    }
    Ok(given)
}

/// The amounts of lines that are named, in the order of all lines.
fn named(lines: &[Line], amount: Money, wanted: &[Wanted]) -> Result<Vec<Money>, SplitError> {
    let zero = Money::zero(amount.currency());
    let mut amounts = vec![zero; lines.len()];
    for (n, asked) in wanted {
        let Some(at) = lines.iter().position(|line| line.n == *n) else {
            return Err(SplitError::Lines("a line to be refunded is not in the order"));
        };
        let of_line = asked.unwrap_or(lines[at].paid_left().minor());
        if of_line < 1 || amounts[at].is_positive() {
            let fault = "a line is refunded once, and by at least one minor unit";
            return Err(SplitError::Lines(fault));
        }
        amounts[at] = Money::new(of_line, amount.currency());
    }
    match Money::sum(amount.currency(), amounts.iter().copied())? == amount {
        true => Ok(amounts),
        false => Err(SplitError::Lines("the lines do not add up to the amount of the refund")),
    }
}

fn by_party(
    line: &Line,
    paid: Money,
    coupon: Money,
    value: Money,
) -> Result<GivenBack, SplitError> {
    let left: Vec<i64> =
        line.parts.iter().map(|part| part.left().map(Money::minor)).collect::<Result<_, _>>()?;
    let components = line.parts.iter().map(|part| part.component);
    let parts = components.zip(allocate(value, &left)?).filter(|(_, it)| !it.is_zero()).collect();
    let kept = line
        .deal
        .as_ref()
        .is_some_and(|deal| deal.terms.refund_commission == WhoseCommission::Kept);
    Ok(GivenBack { n: line.n, paid, coupon, parts, kept })
}

impl Line {
    /// Writes a refund's parts into the line; `sign` is 1, or -1 where the refund came to nothing.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn give(&mut self, given: &GivenBack, sign: i64) -> Result<(), SplitError> {
        self.refunded = self.refunded.checked_add(given.paid.checked_mul(sign)?)?;
        self.coupon_back = self.coupon_back.checked_add(given.coupon.checked_mul(sign)?)?;
        for (component, amount) in &given.parts {
            let amount = amount.checked_mul(sign)?;
            let Some(part) = self.parts.iter_mut().find(|it| it.component == *component) else {
                continue;
            };
            part.back = part.back.checked_add(amount)?;
            if given.kept && component.is_charged() {
                part.kept = part.kept.checked_add(amount)?;
            }
        }
        Ok(())
    }

    /// The accounts that give a refund's parts back: the vendor from the bucket where its money
    /// sits, the platform from what it has earned or has still to earn.
    ///
    /// # Errors
    /// An account that cannot be.
    pub fn taken(&self, given: &GivenBack) -> Result<Vec<Share>, SplitError> {
        let mut taken = Vec::with_capacity(given.parts.len());
        for (component, amount) in &given.parts {
            let stored = self.parts.iter().find(|it| it.component == *component);
            let charged_to_vendor = given.kept && component.is_charged();
            let account = match (component, &self.vendor) {
                (it, Some(vendor)) if it.is_vendors() || charged_to_vendor => {
                    AccountRef::new(Role::VendorPayable, &[vendor, self.bucket()])?
                }
                (Component::Commission, _) if self.delivered_at.is_some() => {
                    AccountRef::new(Role::CommissionRevenue, &[])?
                }
                (Component::Shipping, _) if self.delivered_at.is_some() => {
                    AccountRef::new(Role::ShippingRevenue, &[])?
                }
                _ => match stored {
                    Some(part) => part.account.clone(),
                    None => return Err(SplitError::Lines("a part that the line does not have")),
                },
            };
            taken.push(Share { account, amount: *amount });
        }
        Ok(taken)
    }
}

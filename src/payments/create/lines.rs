//! What an order's lines come to: discounts, and the tax in them. Pure arithmetic.
//!
//! Discounts are taken one after the other, each spread over its lines by largest remainder. What
//! a vendor funds lowers the price, the tax and the base of the commission; what the platform
//! funds lowers only what the customer pays. Tax is rounded half-up per line.

use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, Rounding, allocate};

use super::invalid;
use super::{AMOUNT_MAX, DISCOUNTS_MAX, LINES_MAX, NewDiscount, NewIntent, NewLine, Off, Prices};
use crate::payments::error::PaymentError;
use crate::payments::line::{Line, LineKind};
use crate::payments::split::SplitError;
use crate::vendors::WhoBears;

/// A line on its way: `left` is its price as the shop says it, less what was taken off.
struct Priced {
    line: Line,
    left: Money,
    platform: Money,
}

/// The lines of an order as they are stored.
///
/// # Errors
/// Too many or too few lines; what a line of its kind needs or cannot have; discounts of more
/// than the prices; amounts that do not fit.
pub fn lines_of(asked: &NewIntent) -> Result<Vec<Line>, PaymentError> {
    if asked.lines.is_empty() || asked.lines.len() > LINES_MAX {
        let message = format!("an order has 1 to {LINES_MAX} lines");
        return Err(invalid("lines", message));
    }
    if asked.discounts.len() > DISCOUNTS_MAX {
        let message = format!("an order has at most {DISCOUNTS_MAX} discounts");
        return Err(invalid("discounts", message));
    }
    let mut lines = Vec::with_capacity(asked.lines.len());
    for (at, line) in asked.lines.iter().enumerate() {
        check_kind(at, line, asked.customer.as_deref())?;
        lines.push(new_line(at, line, asked));
    }
    for (at, discount) in asked.discounts.iter().enumerate() {
        take_off(&mut lines, at, discount)?;
    }
    lines.into_iter().map(|priced| finish(priced, asked.prices)).collect()
}

/// What a line of its kind needs, and what it cannot have.
fn check_kind(at: usize, line: &NewLine, customer: Option<&str>) -> Result<(), PaymentError> {
    let fault =
        |field: &str, message: String| Err(invalid(format!("lines[{at}].{field}"), message));
    // What becomes a part of an account's path must be something that a path can hold.
    let path = |field: &str, role, values: &[&str]| match AccountRef::new(role, values) {
        Ok(_) => Ok(()),
        Err(error) => Err(invalid(format!("lines[{at}].{field}"), error.to_string())),
    };
    if let Some(vendor) = &line.vendor {
        path("vendor", Role::VendorPayable, &[vendor, "pending"])?;
    }
    if let Some(contract) = &line.contract {
        path("contract", Role::DeferredRevenue, &[contract])?;
    }
    let of_vendor = matches!(line.kind, LineKind::Item | LineKind::Shipping | LineKind::Tip);
    if !of_vendor && line.vendor.is_some() {
        return fault("vendor", format!("a line of kind {} has no vendor", line.kind.as_str()));
    }
    if line.kind == LineKind::Tip && line.vendor.is_none() {
        return fault("vendor", "a tip is a vendor's: name the vendor".to_owned());
    }
    if line.kind == LineKind::TopUp && customer.is_none() {
        return fault("kind", "a top-up needs a customer".to_owned());
    }
    if line.kind == LineKind::TopUp && !line.tax.is_zero() {
        return fault("tax_percent", "a top-up is no supply: it has no tax".to_owned());
    }
    if line.contract.is_some() && line.kind != LineKind::Plan {
        return fault("contract", "only a plan has a contract".to_owned());
    }
    if line.commission.is_some() && (line.kind != LineKind::Item || line.vendor.is_none()) {
        let message = "a commission is on a vendor's items".to_owned();
        return fault("commission_percent", message);
    }
    if !(1..=AMOUNT_MAX).contains(&line.amount) {
        let message = format!("a line's amount is 1 to {AMOUNT_MAX} minor units");
        return fault("amount", message);
    }
    Ok(())
}

fn new_line(at: usize, asked: &NewLine, order: &NewIntent) -> Priced {
    let zero = Money::zero(order.currency);
    let line = Line {
        n: i16::try_from(at + 1).unwrap_or(i16::MAX),
        kind: asked.kind,
        vendor: asked.vendor.clone(),
        item: asked.item.clone(),
        category: asked.category.clone(),
        quantity: asked.quantity,
        contract: asked.contract.clone(),
        description: asked.description.clone(),
        price: Money::new(asked.amount, order.currency),
        vendor_discount: zero,
        platform_discount: zero,
        amount: zero,
        tax_amount: zero,
        tax: asked.tax,
        commission: asked.commission,
        captured: zero,
        coupon: zero,
        captured_tax: zero,
        parts: Vec::new(),
        deal: None,
        refunded: zero,
        coupon_back: zero,
        delivery: None,
        delivered_at: None,
        release_at: None,
        released_at: None,
        reserved: zero,
        reserve_until: None,
    };
    Priced { left: line.price, platform: zero, line }
}

/// Takes one discount off its lines.
fn take_off(lines: &mut [Priced], at: usize, asked: &NewDiscount) -> Result<(), PaymentError> {
    let param = || format!("discounts[{at}]");
    if let Some(unknown) = asked
        .lines
        .iter()
        .flatten()
        .find(|n| usize::try_from(**n).ok().is_none_or(|n| n == 0 || n > lines.len()))
    {
        return Err(invalid(param(), format!("there is no line {unknown}")));
    }
    let counts = |priced: &Priced| match &asked.lines {
        Some(named) => named.contains(&priced.line.n),
        None => priced.line.kind == LineKind::Item,
    };
    // What the platform paid already lowers nobody's price, but not twice the customer's.
    let open = |priced: &Priced| priced.left.minor() - priced.platform.minor();
    let weights: Vec<i64> = lines.iter().map(|it| if counts(it) { open(it) } else { 0 }).collect();
    let currency = lines[0].left.currency();
    let base = Money::new(weights.iter().sum(), currency);
    let off = match asked.off {
        Off::Amount(minor) => Money::new(minor, currency),
        Off::Percent(rate) => rate.of(base, Rounding::HalfUp)?,
    };
    if off.minor() < 0 || off.minor() > base.minor() {
        let message = format!("{off} is taken off prices of {base}");
        return Err(invalid(param(), message));
    }
    if off.is_zero() {
        return Ok(());
    }
    for (priced, part) in lines.iter_mut().zip(allocate(off, &weights).map_err(SplitError::from)?) {
        match asked.funded_by {
            WhoBears::Vendor => {
                priced.left = priced.left.checked_sub(part)?;
                priced.line.vendor_discount = priced.line.vendor_discount.checked_add(part)?;
            }
            WhoBears::Platform => priced.platform = priced.platform.checked_add(part)?,
        }
    }
    Ok(())
}

/// What the customer pays for a line, and the tax in its price.
fn finish(priced: Priced, prices: Prices) -> Result<Line, PaymentError> {
    let Priced { mut line, left, platform } = priced;
    let value = match prices {
        Prices::WithTax => left,
        Prices::WithoutTax => left.checked_add(line.tax.of(left, Rounding::HalfUp)?)?,
    };
    line.tax_amount = match prices {
        Prices::WithTax => line.tax.contained_in(value, Rounding::HalfUp)?,
        Prices::WithoutTax => value.checked_sub(left)?,
    };
    if prices == Prices::WithoutTax {
        line.price = line.price.checked_add(line.tax.of(line.price, Rounding::HalfUp)?)?;
        line.vendor_discount = line.price.checked_sub(value)?;
    }
    line.platform_discount = platform;
    line.amount = value.checked_sub(platform)?;
    Ok(line)
}

//! The taxes of a split: on what the platform charges, on what it sells, and what it withholds.

use mizan_ledger::{AccountRef, Role};
use mizan_money::{Money, Rounding};

use super::SplitError;
use crate::commissions::{Deal, Regime};
use crate::payments::line::{Component, Part};

/// The tax on a commission.
pub(in crate::payments) fn charged_taxes(
    deal: &Deal,
    commission: Money,
) -> Result<Vec<Part>, SplitError> {
    match (deal.regime, deal.same_state) {
        (Regime::None, _) => Ok(Vec::new()),
        (Regime::Vat, _) => {
            let account = AccountRef::new(Role::VatOutputPayable, &[&deal.jurisdiction])?;
            let vat = deal.percent.of(commission, Rounding::HalfUp)?;
            Ok(vec![Part::new(Component::CommissionVat, account, vat)])
        }
        (Regime::Gst, true) => {
            let each = deal.percent.half().of(commission, Rounding::HalfUp)?;
            let part = |component, of| -> Result<Part, SplitError> {
                Ok(Part::new(component, AccountRef::new(Role::GstOutputPayable, &[of])?, each))
            };
            Ok(vec![
                part(Component::CommissionCgst, "cgst")?,
                part(Component::CommissionSgst, "sgst")?,
            ])
        }
        (Regime::Gst, false) => {
            let account = AccountRef::new(Role::GstOutputPayable, &["igst"])?;
            let igst = deal.percent.of(commission, Rounding::HalfUp)?;
            Ok(vec![Part::new(Component::CommissionIgst, account, igst)])
        }
    }
}

/// What is withheld of sales without their tax: collected at source, and deducted.
pub(super) fn withheld_taxes(deal: &Deal, net: Money) -> Result<Vec<Part>, SplitError> {
    let mut parts = Vec::new();
    let tcs = |component, of: &str, amount| -> Result<Part, SplitError> {
        Ok(Part::new(component, AccountRef::new(Role::GstTcsPayable, &[of])?, amount))
    };
    if !deal.tcs.is_zero() && deal.sold_in_state {
        let each = deal.tcs.half().of(net, Rounding::HalfUp)?;
        parts.push(tcs(Component::TcsCgst, "cgst", each)?);
        parts.push(tcs(Component::TcsSgst, "sgst", each)?);
    } else if !deal.tcs.is_zero() {
        parts.push(tcs(Component::TcsIgst, "igst", deal.tcs.of(net, Rounding::HalfUp)?)?);
    }
    if !deal.tds.is_zero() {
        let account = AccountRef::new(Role::TdsPayable, &[&deal.tds_section])?;
        let amount = deal.tds.of(net, Rounding::HalfUp)?;
        parts.push(Part::new(Component::Tds, account, amount));
    }
    Ok(parts)
}

/// The tax inside what the platform itself sells: all of it, whatever its rate.
pub(super) fn own_taxes(deal: &Deal, tax: Money) -> Result<Vec<Part>, SplitError> {
    let gst = |component, of: &str, minor| -> Result<Part, SplitError> {
        let account = AccountRef::new(Role::GstOutputPayable, &[of])?;
        Ok(Part::new(component, account, Money::new(minor, tax.currency())))
    };
    match (deal.regime, deal.sold_in_state) {
        (Regime::Gst, true) => {
            let smaller = tax.minor() / 2;
            Ok(vec![
                gst(Component::SaleCgst, "cgst", tax.minor() - smaller)?,
                gst(Component::SaleSgst, "sgst", smaller)?,
            ])
        }
        (Regime::Gst, false) => Ok(vec![gst(Component::SaleIgst, "igst", tax.minor())?]),
        (Regime::Vat | Regime::None, _) => {
            let account = AccountRef::new(Role::VatOutputPayable, &[&deal.jurisdiction])?;
            Ok(vec![Part::new(Component::SaleVat, account, tax)])
        }
    }
}

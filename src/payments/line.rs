//! A line of an order: what it is, what is taken off, who gets what of it.

use chrono::Duration;
use mizan_ledger::AccountRef;
use mizan_money::{Money, MoneyError, Rate, Timestamp};

use super::intent::states;
use crate::commissions::Deal;
use crate::vendors::ReleaseAfter;

states! {
    /// What a line is.
    LineKind {
        /// Goods or a service of a vendor, or of the platform as principal.
        Item = "item",
        /// Shipping: the platform's own where no vendor is named.
        Shipping = "shipping",
        /// A tip: wholly the vendor's.
        Tip = "tip",
        /// A plan of the platform's: deferred until it is recognised.
        Plan = "plan",
        /// Money for the customer's own wallet.
        TopUp = "top_up",
    }
}

states! {
    /// Whose a part of a line is, and for what.
    Component {
        /// The vendor's.
        VendorShare = "vendor_share",
        /// The vendor's, as a tip.
        Tip = "tip",
        /// The platform's commission, net.
        Commission = "commission",
        /// VAT on the commission.
        CommissionVat = "commission_vat",
        /// The centre's GST on the commission.
        CommissionCgst = "commission_cgst",
        /// The state's GST on the commission.
        CommissionSgst = "commission_sgst",
        /// Integrated GST on the commission.
        CommissionIgst = "commission_igst",
        /// The centre's GST collected at source.
        TcsCgst = "tcs_cgst",
        /// The state's GST collected at source.
        TcsSgst = "tcs_sgst",
        /// Integrated GST collected at source.
        TcsIgst = "tcs_igst",
        /// Income tax deducted at source.
        Tds = "tds",
        /// The affiliate's, where the vendor pays for it.
        Affiliate = "affiliate",
        /// The platform's shipping, net.
        Shipping = "shipping",
        /// The platform's sale as principal, net.
        Sale = "sale",
        /// A plan, net.
        Plan = "plan",
        /// VAT on what the platform itself sells.
        SaleVat = "sale_vat",
        /// The centre's GST on it.
        SaleCgst = "sale_cgst",
        /// The state's GST on it.
        SaleSgst = "sale_sgst",
        /// Integrated GST on it.
        SaleIgst = "sale_igst",
        /// The customer's own.
        TopUp = "top_up",
    }
}

impl Component {
    /// Whether it belongs to what the platform charges the vendor for the sale.
    pub const fn is_charged(self) -> bool {
        matches!(
            self,
            Self::Commission
                | Self::CommissionVat
                | Self::CommissionCgst
                | Self::CommissionSgst
                | Self::CommissionIgst
        )
    }

    /// Whether it is the vendor's money.
    pub const fn is_vendors(self) -> bool {
        matches!(self, Self::VendorShare | Self::Tip)
    }
}

/// One party's part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// For what.
    pub component: Component,
    /// Where it was put at the capture.
    pub account: AccountRef,
    /// How much.
    pub amount: Money,
    /// What of it went back, or is promised to.
    pub back: Money,
    /// What of that the party keeps all the same, at the vendor's cost.
    pub kept: Money,
}

impl Part {
    /// A part of which nothing went back.
    pub fn new(component: Component, account: AccountRef, amount: Money) -> Part {
        let zero = Money::zero(amount.currency());
        Part { component, account, amount, back: zero, kept: zero }
    }

    /// What can still go back.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn left(&self) -> Result<Money, MoneyError> {
        self.amount.checked_sub(self.back)
    }
}

states! {
    /// Where the goods of a line are.
    Delivery {
        /// With the customer.
        Delivered = "delivered",
        /// On the way back, or back.
        Returned = "returned",
        /// Nobody knows.
        Lost = "lost",
    }
}

/// One line of the order. Captured and split at capture, then frozen. Amounts are minor units of
/// the order's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub n: i16,
    /// What it is.
    pub kind: LineKind,
    /// The vendor's id; none for what the platform sells.
    pub vendor: Option<String>,
    /// The shop's id of the item.
    pub item: Option<String>,
    /// A word that commission rules go by.
    pub category: Option<String>,
    /// How many.
    pub quantity: i32,
    /// The contract of a plan.
    pub contract: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Before discounts, tax included.
    pub price: Money,
    /// What the vendor gives off, tax included.
    pub vendor_discount: Money,
    /// What the platform pays of it.
    pub platform_discount: Money,
    /// What the customer pays for it, tax included.
    pub amount: Money,
    /// The tax inside `amount + platform_discount`.
    pub tax_amount: Money,
    /// Its rate.
    pub tax: Rate,
    /// The commission on the price before tax, where the order says it.
    pub commission: Option<Rate>,
    /// What was captured of it.
    pub captured: Money,
    /// What the platform paid on top.
    pub coupon: Money,
    /// The tax inside both.
    pub captured_tax: Money,
    /// Who got what: they add up to `captured + coupon`.
    pub parts: Vec<Part>,
    /// What held for it at the capture.
    pub deal: Option<Deal>,
    /// What went back to the customer, or is promised to.
    pub refunded: Money,
    /// What the platform got back of what it had paid.
    pub coupon_back: Money,
    /// Where the goods are.
    pub delivery: Option<Delivery>,
    /// Since when it is delivered.
    pub delivered_at: Option<Timestamp>,
    /// When the vendor's part becomes available.
    pub release_at: Option<Timestamp>,
    /// When it became.
    pub released_at: Option<Timestamp>,
    /// What of it is kept in reserve.
    pub reserved: Money,
    /// Until when.
    pub reserve_until: Option<Timestamp>,
}

impl Line {
    /// What of one component the line has, less what went back.
    pub fn left_of(&self, component: Component) -> Money {
        let currency = self.amount.currency();
        let minor = |part: &Part| part.amount.minor() - part.back.minor();
        let parts = self.parts.iter().filter(|part| part.component == component);
        Money::new(parts.map(minor).sum(), currency)
    }

    /// What one component got at the capture.
    pub fn amount_of(&self, component: Component) -> Money {
        let parts = self.parts.iter().filter(|part| part.component == component);
        Money::new(parts.map(|part| part.amount.minor()).sum(), self.amount.currency())
    }

    /// What of it the platform earns: less what went back, with what it kept of that.
    pub fn earned_of(&self, component: Component) -> Money {
        let minor = |part: &Part| part.amount.minor() - part.back.minor() + part.kept.minor();
        let parts = self.parts.iter().filter(|part| part.component == component);
        Money::new(parts.map(minor).sum(), self.amount.currency())
    }

    /// What the vendor has of it, less what it gave back.
    pub fn vendor_left(&self) -> Money {
        let minor = |part: &Part| part.amount.minor() - part.back.minor();
        let kept = |part: &Part| part.kept.minor();
        let parts = self.parts.iter().filter(|part| part.component.is_vendors()).map(minor);
        let borne: i64 = self.parts.iter().map(kept).sum();
        Money::new(parts.sum::<i64>() - borne, self.amount.currency())
    }

    /// What was captured with what the platform paid on top, less the tax inside.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn net(&self) -> Result<Money, MoneyError> {
        self.captured.checked_add(self.coupon)?.checked_sub(self.captured_tax)
    }

    /// What of both has not gone back.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn value_left(&self) -> Result<Money, MoneyError> {
        let value = self.captured.checked_add(self.coupon)?;
        value.checked_sub(self.refunded)?.checked_sub(self.coupon_back)
    }

    /// What the customer can still get back for it.
    pub fn paid_left(&self) -> Money {
        Money::new(self.captured.minor() - self.refunded.minor(), self.amount.currency())
    }

    /// The bucket in which the vendor's part sits.
    pub const fn bucket(&self) -> &'static str {
        match self.released_at {
            Some(_) => "available",
            None => "pending",
        }
    }

    /// Starts the clock of the vendor's release, where it is counted from this on.
    pub fn count_days(&mut self, after: ReleaseAfter, at: Timestamp) {
        let Some(deal) = &self.deal else { return };
        let release = deal.terms.release;
        let vendors = self.vendor.is_some() && self.vendor_left().is_positive();
        if release.after == after && self.release_at.is_none() && vendors {
            self.release_at = Some(at + Duration::days(release.days.into()));
        }
    }
}

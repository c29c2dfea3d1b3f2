//! Lines of an order, and what they give back, as the API shows them. Amounts are minor units of
//! the intent's currency.

use mizan_money::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::payments::line::{Component, Line, LineKind, Part};
use crate::payments::split::GivenBack;

/// One line of the order. The amounts of `parts` add up to `captured + coupon`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub struct LineView {
    /// Its number, from 1.
    pub line: i16,
    /// What it is.
    pub kind: &'static str,
    /// Your id of the vendor; null for what the platform sells.
    pub vendor: Option<String>,
    /// Your id of the item.
    pub item: Option<String>,
    /// What commission rules go by.
    pub category: Option<String>,
    /// How many.
    pub quantity: i32,
    /// The contract of a plan.
    pub contract: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Its price before discounts, tax included.
    pub price: i64,
    /// What the vendor gives off.
    pub vendor_discount: i64,
    /// What the platform pays of it.
    pub platform_discount: i64,
    /// What the customer pays for it, tax included.
    pub amount: i64,
    /// The tax, in percent.
    pub tax_percent: String,
    /// The commission on the price before tax, in percent, where the order or a rule said it.
    pub commission_percent: Option<String>,
    /// The rule that said it.
    pub commission_rule: Option<String>,
    /// What was captured of it.
    pub captured: i64,
    /// What the platform paid on top.
    pub coupon: i64,
    /// The tax inside both.
    pub tax: i64,
    /// What the vendor gets.
    pub vendor_share: i64,
    /// What the platform gets, net of VAT.
    pub commission: i64,
    /// The VAT or GST on the commission.
    pub commission_vat: i64,
    /// Who gets what.
    pub parts: Vec<PartView>,
    /// What went back of the line, or is promised to.
    pub refunded: i64,
    /// `delivered`, `returned`, `lost`; null before.
    pub delivery: Option<&'static str>,
    /// When it was delivered.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub delivered_at: Option<Timestamp>,
    /// When the vendor's part becomes available.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub release_at: Option<Timestamp>,
    /// When it became.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub released_at: Option<Timestamp>,
}

/// One party's part of a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinePart)]
pub struct PartView {
    /// For what.
    pub component: &'static str,
    /// The account it was put on at the capture.
    pub account: String,
    /// How much, in minor units.
    pub amount: i64,
    /// What of it went back, or is promised to.
    pub refunded: i64,
}

/// What one line gives back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RefundPart)]
pub struct RefundPartView {
    /// The line's number.
    pub line: i16,
    /// From the vendor.
    pub vendor_share: i64,
    /// From the platform.
    pub commission: i64,
    /// From the tax office.
    pub commission_vat: i64,
    /// To the customer.
    pub amount: i64,
    /// To the platform, of what it had paid on top.
    pub coupon: i64,
}

/// The VAT or GST on a commission, in all its parts.
const COMMISSION_TAXES: [Component; 4] = [
    Component::CommissionVat,
    Component::CommissionCgst,
    Component::CommissionSgst,
    Component::CommissionIgst,
];

/// What the vendor gets.
const VENDORS: [Component; 2] = [Component::VendorShare, Component::Tip];

impl From<&Line> for LineView {
    fn from(line: &Line) -> Self {
        let sum = |of: &[Component]| of.iter().map(|it| line.amount_of(*it).minor()).sum();
        let deal = line.deal.as_ref().filter(|_| line.kind == LineKind::Item);
        let percent = line.commission.or(deal.map(|deal| deal.commission.percent));
        Self {
            line: line.n,
            kind: line.kind.as_str(),
            vendor: line.vendor.clone(),
            item: line.item.clone(),
            category: line.category.clone(),
            quantity: line.quantity,
            contract: line.contract.clone(),
            description: line.description.clone(),
            price: line.price.minor(),
            vendor_discount: line.vendor_discount.minor(),
            platform_discount: line.platform_discount.minor(),
            amount: line.amount.minor(),
            tax_percent: line.tax.as_percent_string(),
            commission_percent: percent.map(|it| it.as_percent_string()),
            commission_rule: deal.and_then(|deal| deal.commission.rule.clone()),
            captured: line.captured.minor(),
            coupon: line.coupon.minor(),
            tax: line.captured_tax.minor(),
            vendor_share: sum(&VENDORS),
            commission: sum(&[Component::Commission]),
            commission_vat: sum(&COMMISSION_TAXES),
            parts: line.parts.iter().map(PartView::from).collect(),
            refunded: line.refunded.minor(),
            delivery: line.delivery.map(|it| it.as_str()),
            delivered_at: line.delivered_at,
            release_at: line.release_at,
            released_at: line.released_at,
        }
    }
}

impl From<&Part> for PartView {
    fn from(part: &Part) -> Self {
        Self {
            component: part.component.as_str(),
            account: part.account.path().to_owned(),
            amount: part.amount.minor(),
            refunded: part.back.minor(),
        }
    }
}

impl From<&GivenBack> for RefundPartView {
    fn from(given: &GivenBack) -> Self {
        let sum = |of: &[Component]| {
            let of = given.parts.iter().filter(|(component, _)| of.contains(component));
            of.map(|(_, amount)| amount.minor()).sum()
        };
        Self {
            line: given.n,
            vendor_share: sum(&VENDORS),
            commission: sum(&[Component::Commission]),
            commission_vat: sum(&COMMISSION_TAXES),
            amount: given.paid.minor(),
            coupon: given.coupon.minor(),
        }
    }
}

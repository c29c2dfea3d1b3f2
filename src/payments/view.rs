//! Payments as the API and the outbox show them. Amounts are minor units of `currency`.

use mizan_money::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::intent::{Metadata, Payment, Refund};
use super::line::{Component, Line, Part};
use super::split::GivenBack;

/// A payment intent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentIntent)]
pub struct IntentView {
    /// `pi_…`
    pub id: String,
    /// Always `payment_intent`.
    pub object: &'static str,
    /// What the customer is asked to pay, in minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
    /// Where it stands.
    pub status: &'static str,
    /// `automatic` or `manual`.
    pub capture_method: &'static str,
    /// Held and not yet captured or released.
    pub amount_capturable: i64,
    /// Taken, refunds not deducted.
    pub amount_captured: i64,
    /// Released of the hold.
    pub amount_voided: i64,
    /// Promised to go back and not yet confirmed by the gateway.
    pub amount_refund_pending: i64,
    /// Gone back.
    pub amount_refunded: i64,
    /// Disputed: with a bank that has not decided.
    pub amount_disputed: i64,
    /// Lost in disputes.
    pub amount_lost: i64,
    /// Taken beyond the request; it stands in unapplied receipts until somebody decides.
    pub amount_unapplied: i64,
    /// What refunds kept back, because cashback of the order was spent.
    pub amount_withheld: i64,
    /// Your order.
    pub order: String,
    /// Your customer.
    pub customer: Option<String>,
    /// The customer's state.
    pub customer_state: Option<String>,
    /// What the customer's wallet pays.
    pub wallet: WalletView,
    /// Who sent the customer.
    pub affiliate: Option<String>,
    /// The order's lines with their split.
    pub lines: Vec<LineView>,
    /// What was tried at which gateway.
    pub attempts: Vec<AttemptView>,
    /// The gateway's token of the instrument.
    pub payment_method: Option<String>,
    /// Where the customer comes back to.
    pub return_url: Option<String>,
    /// What the customer must do next, e.g. `{"type":"redirect","url":"…"}`.
    #[schema(value_type = Option<Object>)]
    pub next_action: Option<Value>,
    /// Why the last attempt failed.
    #[schema(value_type = Option<Object>)]
    pub last_error: Option<Value>,
    /// What a person must look at.
    pub review_reason: Option<String>,
    /// Why it was cancelled.
    pub cancellation_reason: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Where the customer is, ISO 3166 alpha-2.
    pub country: Option<String>,
    /// The kind of instrument.
    pub payment_method_type: Option<String>,
    /// The shop's pairs.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
}

/// What the customer's wallet pays of a payment, in minor units.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WalletTender)]
pub struct WalletView {
    /// Of the cash purse.
    pub cash: i64,
    /// Of the promo purse.
    pub promo: i64,
    /// `none`, `held`, `spent`, `released`.
    pub status: &'static str,
    /// What of the cash went back, or is promised to.
    pub cash_refunded: i64,
    /// What of the promo credit did.
    pub promo_refunded: i64,
}

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

/// One try at one gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentAttempt)]
pub struct AttemptView {
    /// `att_…`
    pub id: String,
    /// The gateway.
    pub provider: String,
    /// The connection, as configured.
    pub connection: String,
    /// The gateway's id.
    pub provider_ref: Option<String>,
    /// What the gateway says.
    pub status: &'static str,
    /// What it was asked for, in minor units of the intent's currency.
    pub amount: i64,
    /// What of its money was put on the order, in minor units of the intent's currency.
    pub amount_captured: i64,
    /// What the gateway kept, net of tax; null until it tells.
    pub fee: Option<i64>,
    /// The tax on it.
    pub fee_tax: Option<i64>,
    /// Why this connection: the rule that decided and what was weighed, in order.
    #[schema(value_type = Option<Object>)]
    pub route: Option<Value>,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
}

/// A refund.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundView {
    /// `re_…`
    pub id: String,
    /// Always `refund`.
    pub object: &'static str,
    /// `pi_…`
    pub payment_intent: String,
    /// What goes back, in minor units.
    pub amount: i64,
    /// What of it the gateway sends.
    pub amount_by_gateway: i64,
    /// What of it goes to the cash purse.
    pub amount_to_wallet_cash: i64,
    /// What of it goes to the promo purse.
    pub amount_to_wallet_promo: i64,
    /// What is kept back, because cashback of the order was spent.
    pub amount_withheld: i64,
    /// ISO 4217.
    pub currency: String,
    /// Where it stands.
    pub status: &'static str,
    /// Why.
    pub reason: String,
    /// `api`, or `gateway` where it was made in the gateway's dashboard.
    pub origin: &'static str,
    /// The gateway's id.
    pub provider_ref: Option<String>,
    /// The bounced refund whose money this one sends again.
    pub repays: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// What each line gives back.
    pub parts: Vec<RefundPartView>,
    /// The shop's pairs.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub metadata: Metadata,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    pub created: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated: Timestamp,
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

impl From<&Payment> for IntentView {
    fn from(payment: &Payment) -> Self {
        let intent = &payment.intent;
        let held = intent.authorised.minor() - intent.captured.minor() - intent.voided.minor();
        Self {
            id: intent.id.to_string(),
            object: "payment_intent",
            amount: intent.amount.minor(),
            currency: intent.currency.code().to_owned(),
            status: intent.state.as_str(),
            capture_method: intent.capture_method.as_str(),
            amount_capturable: held,
            amount_captured: intent.captured.minor(),
            amount_voided: intent.voided.minor(),
            amount_refund_pending: intent.refund_pending.minor(),
            amount_refunded: intent.refunded.minor(),
            amount_disputed: intent.disputed.minor(),
            amount_lost: intent.lost.minor(),
            amount_unapplied: intent.unapplied.minor(),
            amount_withheld: intent.withheld.minor(),
            order: intent.order_name(),
            customer: intent.customer.clone(),
            customer_state: intent.customer_state.clone(),
            wallet: WalletView {
                cash: intent.wallet.cash.minor(),
                promo: intent.wallet.promo.minor(),
                status: intent.wallet.state.as_str(),
                cash_refunded: intent.wallet.cash_back.minor(),
                promo_refunded: intent.wallet.promo_back.minor(),
            },
            affiliate: intent.attribution.as_ref().map(|it| it.affiliate.clone()),
            lines: payment.lines.iter().map(LineView::from).collect(),
            attempts: payment.attempts.iter().map(AttemptView::from).collect(),
            payment_method: intent.payment_method.clone(),
            return_url: intent.return_url.clone(),
            next_action: intent.next_action.clone(),
            last_error: intent.last_error.clone(),
            review_reason: intent.review_reason.clone(),
            cancellation_reason: intent.cancellation_reason.clone(),
            description: intent.description.clone(),
            country: intent.country.clone(),
            payment_method_type: intent.method.clone(),
            metadata: intent.metadata.clone(),
            created: intent.created_at,
            updated: intent.updated_at,
        }
    }
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
        let deal = line.deal.as_ref().filter(|_| line.kind == super::line::LineKind::Item);
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

impl From<&super::Attempt> for AttemptView {
    fn from(attempt: &super::Attempt) -> Self {
        Self {
            id: attempt.id.to_string(),
            provider: attempt.provider.to_string(),
            connection: attempt.connection.clone(),
            provider_ref: attempt.provider_ref.as_ref().map(ToString::to_string),
            status: attempt.status.as_str(),
            amount: attempt.charge.minor(),
            amount_captured: attempt.captured.minor(),
            fee: attempt.fee.as_ref().map(|fee| fee.fee.minor()),
            fee_tax: attempt.fee.as_ref().map(|fee| fee.tax.minor()),
            route: attempt.route.clone(),
            created: attempt.created_at,
        }
    }
}

impl RefundView {
    /// A refund of this payment.
    pub fn of(payment: &Payment, refund: &Refund) -> Self {
        Self {
            id: refund.id.to_string(),
            object: "refund",
            payment_intent: payment.intent.id.to_string(),
            amount: refund.amount.minor(),
            amount_by_gateway: refund.charge.minor(),
            amount_to_wallet_cash: refund.to_cash.minor(),
            amount_to_wallet_promo: refund.to_promo.minor(),
            amount_withheld: refund.withheld.minor(),
            currency: refund.amount.currency().code().to_owned(),
            status: refund.state.as_str(),
            reason: refund.reason.clone(),
            origin: refund.origin,
            provider_ref: refund.provider_ref.as_ref().map(ToString::to_string),
            repays: refund.repays.as_ref().map(ToString::to_string),
            failure_reason: refund.failure_reason.clone(),
            parts: refund.parts.iter().map(RefundPartView::from).collect(),
            metadata: refund.metadata.clone(),
            created: refund.created_at,
            updated: refund.updated_at,
        }
    }
}

/// What an event tells of a payment: the figures and the state, no personal data.
pub fn event_payload(payment: &Payment) -> Value {
    let intent = &payment.intent;
    json!({
        "payment_intent": intent.id.to_string(),
        "status": intent.state.as_str(),
        "currency": intent.currency.code(),
        "amount": intent.amount.minor(),
        "amount_captured": intent.captured.minor(),
        "amount_refunded": intent.refunded.minor(),
        "amount_unapplied": intent.unapplied.minor(),
        "review_reason": intent.review_reason,
        "metadata": intent.metadata,
    })
}

/// What an event tells of a refund.
pub fn refund_event_payload(payment: &Payment, refund: &Refund) -> Value {
    json!({
        "refund": refund.id.to_string(),
        "payment_intent": payment.intent.id.to_string(),
        "status": refund.state.as_str(),
        "currency": refund.amount.currency().code(),
        "amount": refund.amount.minor(),
        "failure_reason": refund.failure_reason,
    })
}

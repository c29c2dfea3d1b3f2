//! Payments as the API and the outbox show them. Amounts are minor units of `currency`.

use mizan_money::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

mod lines;

pub use self::lines::{LineView, PartView, RefundPartView};
use super::intent::{Metadata, Payment, Refund};

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

//! Creating an intent with its order lines. No gateway is asked.

use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, Rate, TenantId, Timestamp};
use mizan_providers::CaptureMethod;
use sqlx::PgConnection;

mod lines;

pub use self::lines::lines_of;
use super::error::PaymentError;
use super::facts::deals_of;
use super::intent::{Intent, IntentState, Metadata, Payment};
use super::line::LineKind;
use super::plan::Plan;
use super::split::{Order, Overcharge, split_capture};
use super::wallet_part::{Attribution, WalletPart, WalletState};
use super::{store, view};
use crate::affiliates;
use crate::vendors::WhoBears;
use crate::wallets::{self, NewHold};

/// The most lines of one order.
pub const LINES_MAX: usize = 100;

/// The most discounts of one order.
pub const DISCOUNTS_MAX: usize = 20;

/// The largest amount of one payment, in minor units: twelve digits, as card networks have it.
pub const AMOUNT_MAX: i64 = 999_999_999_999;

/// Whether the prices of lines hold the tax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Prices {
    /// They do.
    #[default]
    WithTax,
    /// It comes on top.
    WithoutTax,
}

/// What the shop asks for.
#[derive(Debug, Clone)]
pub struct NewIntent {
    /// Of every amount.
    pub currency: Currency,
    /// What the customer pays; it must be what the lines come to. Else just that.
    pub amount: Option<i64>,
    /// When the money is taken.
    pub capture_method: CaptureMethod,
    /// The order's lines.
    pub lines: Vec<NewLine>,
    /// Whether their prices hold the tax.
    pub prices: Prices,
    /// What is taken off, one after the other.
    pub discounts: Vec<NewDiscount>,
    /// The shop's order.
    pub order: Option<String>,
    /// The shop's customer.
    pub customer: Option<String>,
    /// The customer's state, where tax tells states apart.
    pub customer_state: Option<String>,
    /// The affiliate who sent the customer.
    pub affiliate: Option<String>,
    /// Or the code it was sent by.
    pub affiliate_code: Option<String>,
    /// What the wallet pays: of the cash purse, and of the promo purse. Minor units.
    pub wallet: (i64, i64),
    /// The gateway's token of the instrument.
    pub payment_method: Option<String>,
    /// Where the customer comes back to.
    pub return_url: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Where the customer is, ISO 3166 alpha-2.
    pub country: Option<String>,
    /// The kind of instrument, such as `card`.
    pub method: Option<String>,
    /// The shop's pairs.
    pub metadata: Metadata,
}

impl NewIntent {
    /// An order of these lines and nothing else.
    pub fn of(currency: Currency, lines: Vec<NewLine>) -> NewIntent {
        NewIntent {
            currency,
            amount: None,
            capture_method: CaptureMethod::Automatic,
            lines,
            prices: Prices::default(),
            discounts: Vec::new(),
            order: None,
            customer: None,
            customer_state: None,
            affiliate: None,
            affiliate_code: None,
            wallet: (0, 0),
            payment_method: None,
            return_url: None,
            description: None,
            country: None,
            method: None,
            metadata: Metadata::new(),
        }
    }
}

/// One line of the order.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// What it is.
    pub kind: LineKind,
    /// The vendor's id; none for what the platform sells.
    pub vendor: Option<String>,
    /// The shop's id of the item.
    pub item: Option<String>,
    /// A word that commission rules go by.
    pub category: Option<String>,
    /// How many, for people and invoices.
    pub quantity: i32,
    /// The contract of a plan.
    pub contract: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Its price in minor units of the intent's currency, before discounts.
    pub amount: i64,
    /// The tax in the price, or on it.
    pub tax: Rate,
    /// The commission on the price before tax, where it is not for the rules to say.
    pub commission: Option<Rate>,
}

impl NewLine {
    /// An item of a vendor at this price, in minor units.
    pub fn item(vendor: &str, amount: i64) -> NewLine {
        NewLine {
            kind: LineKind::Item,
            vendor: Some(vendor.to_owned()),
            item: None,
            category: None,
            quantity: 1,
            contract: None,
            description: None,
            amount,
            tax: Rate::ZERO,
            commission: None,
        }
    }
}

/// How much is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// So many minor units.
    Amount(i64),
    /// A part of the prices.
    Percent(Rate),
}

/// Something taken off the prices.
#[derive(Debug, Clone)]
pub struct NewDiscount {
    /// Whose cost it is.
    pub funded_by: WhoBears,
    /// How much.
    pub off: Off,
    /// Of which lines, by number; else of all items.
    pub lines: Option<Vec<i16>>,
}

fn invalid(param: impl Into<String>, message: impl Into<String>) -> PaymentError {
    PaymentError::Invalid { param: param.into(), message: message.into() }
}

/// Creates an intent with its lines.
///
/// # Errors
/// Lines that do not come to the amount, a vendor id that no account can have, a commission
/// above a price, a wallet's part without a customer or above the amount; the database.
pub async fn create_intent(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    asked: &NewIntent,
) -> Result<Payment, PaymentError> {
    let mut payment = new_payment(asked, now)?;
    payment.intent.attribution = attribute(conn, tenant, now, asked).await?;
    let policy = store::policy(conn, tenant, std::slice::from_ref(&payment)).await?;
    // A commission above the price is refused now; when the money is there it is only cut.
    let intent = &payment.intent;
    let deals = deals_of(&payment.lines, intent, &policy, now);
    let (customer, attribution) = (intent.customer.as_deref(), intent.attribution.as_ref());
    let order = Order { customer, attribution };
    split_capture(&mut payment.lines.clone(), &deals, intent.amount, order, Overcharge::Refuse)?;
    if payment.lines.iter().any(|line| line.kind == LineKind::TopUp) {
        wallets::check_top_up(conn, tenant).await?;
    }

    store::insert_intent(conn, tenant, &payment).await?;
    let mut plan = Plan::new(now, "api");
    let id = intent.id.to_string();
    plan.announce("payment.created", id, None, view::event_payload(&payment));
    if let Some(customer) = &intent.customer {
        let WalletPart { cash, promo, .. } = intent.wallet;
        let held = NewHold { payment: intent.id, customer, cash, promo };
        wallets::hold(conn, tenant, &held, &mut plan).await?;
    }
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    Ok(payment)
}

/// Who sent the customer: whom the shop names, else whose link was clicked last.
async fn attribute(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    asked: &NewIntent,
) -> Result<Option<Attribution>, PaymentError> {
    let (affiliate, code) = (asked.affiliate.as_deref(), asked.affiliate_code.as_deref());
    let who = asked.customer.as_deref();
    if affiliate.or(code).or(who).is_none() {
        return Ok(None);
    }
    let found = affiliates::attribute(conn, tenant, now, affiliate, code, who).await?;
    Ok(found.map(Attribution::from))
}

fn new_payment(asked: &NewIntent, now: Timestamp) -> Result<Payment, PaymentError> {
    let currency = asked.currency;
    let lines = lines_of(asked)?;
    let sum = Money::sum(currency, lines.iter().map(|line| line.amount))?;
    let amount = Money::new(asked.amount.unwrap_or(sum.minor()), currency);
    if sum != amount {
        let message = format!("the lines add up to {sum}, the amount is {amount}: make them equal");
        return Err(invalid("amount", message));
    }
    if !(1..=AMOUNT_MAX).contains(&amount.minor()) {
        let message = format!("the lines come to {amount}: at least one minor unit is to be paid");
        return Err(invalid("lines", message));
    }
    let zero = Money::zero(currency);
    let state = match asked.payment_method {
        Some(_) => IntentState::RequiresConfirmation,
        None => IntentState::RequiresPaymentMethod,
    };
    let intent = Intent {
        id: PaymentIntentId::generate(now),
        currency,
        amount,
        capture_method: asked.capture_method,
        state,
        authorised: zero,
        captured: zero,
        voided: zero,
        refund_pending: zero,
        refunded: zero,
        disputed: zero,
        lost: zero,
        unapplied: zero,
        description: asked.description.clone(),
        order: asked.order.clone(),
        customer: asked.customer.clone(),
        customer_state: asked.customer_state.clone(),
        attribution: None,
        wallet: wallet_part(asked, amount)?,
        withheld: zero,
        country: asked.country.clone(),
        method: asked.method.clone(),
        payment_method: asked.payment_method.clone(),
        return_url: asked.return_url.clone(),
        metadata: asked.metadata.clone(),
        next_action: None,
        last_error: None,
        review_reason: None,
        cancellation_reason: None,
        created_at: now,
        updated_at: now,
    };
    let mut payment = Payment::bare(intent);
    payment.lines = lines;
    Ok(payment)
}

fn wallet_part(asked: &NewIntent, amount: Money) -> Result<WalletPart, PaymentError> {
    let (cash, promo) = asked.wallet;
    let none = WalletPart::none(amount.currency());
    if (cash, promo) == (0, 0) {
        return Ok(none);
    }
    let fits = |part| (0..=amount.minor()).contains(&part);
    if !fits(cash) || !fits(promo) || cash + promo > amount.minor() {
        let message = format!("the wallet pays at most the amount, {amount}");
        return Err(invalid("wallet", message));
    }
    if asked.customer.is_none() {
        return Err(invalid("customer", "name the customer whose wallet pays"));
    }
    let money = |minor| Money::new(minor, amount.currency());
    Ok(WalletPart { cash: money(cash), promo: money(promo), state: WalletState::Held, ..none })
}

#[cfg(test)]
#[path = "create/tests.rs"]
mod tests;

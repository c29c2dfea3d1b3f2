//! Creating an intent with its order lines. No gateway is asked.

use mizan_ledger::{AccountRef, Role};
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, Rate, TenantId, Timestamp};
use mizan_providers::CaptureMethod;
use sqlx::PgConnection;

use super::error::PaymentError;
use super::intent::{Intent, IntentState, Line, Metadata, Payment};
use super::plan::Plan;
use super::split::{Overcharge, Parts, split_capture};
use super::{store, view};

/// The most lines of one order.
pub const LINES_MAX: usize = 100;

/// The largest amount of one payment, in minor units: twelve digits, as card networks have it.
pub const AMOUNT_MAX: i64 = 999_999_999_999;

/// What the shop asks for.
#[derive(Debug, Clone)]
pub struct NewIntent {
    /// What the customer pays; the sum of the lines.
    pub amount: Money,
    /// When the money is taken.
    pub capture_method: CaptureMethod,
    /// The order's lines.
    pub lines: Vec<NewLine>,
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

/// One line of the order.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// The vendor's id.
    pub vendor: String,
    /// For people.
    pub description: Option<String>,
    /// Its price in minor units of the intent's currency, tax included.
    pub amount: i64,
    /// The tax inside the price.
    pub tax: Rate,
    /// The commission on the price before tax.
    pub commission: Rate,
}

fn invalid(param: impl Into<String>, message: impl Into<String>) -> PaymentError {
    PaymentError::Invalid { param: param.into(), message: message.into() }
}

/// Creates intents, all or none.
///
/// # Errors
/// Lines that do not add up to the amount, a vendor id that no account can have, a commission
/// above a price; the database.
pub async fn create_intent(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    asked: &NewIntent,
) -> Result<Payment, PaymentError> {
    let payment = new_payment(asked, now)?;
    // A commission above the price is refused now; when the money is there it is only cut.
    let policy = store::policy(conn, tenant).await?;
    split_capture(&mut payment.lines.clone(), asked.amount, policy.vat, Overcharge::Refuse)?;

    store::insert_intent(conn, tenant, &payment).await?;
    let mut plan = Plan::new(now, "api");
    let id = payment.intent.id.to_string();
    plan.announce("payment.created", id, None, view::event_payload(&payment));
    plan.announce_all(conn, tenant, &[]).await?;
    Ok(payment)
}

fn new_payment(asked: &NewIntent, now: Timestamp) -> Result<Payment, PaymentError> {
    let currency = asked.amount.currency();
    if asked.lines.is_empty() || asked.lines.len() > LINES_MAX {
        let message = format!("an order has 1 to {LINES_MAX} lines");
        return Err(invalid("lines", message));
    }
    let mut lines = Vec::with_capacity(asked.lines.len());
    for (at, line) in asked.lines.iter().enumerate() {
        lines.push(new_line(at, line, currency)?);
    }
    let sum = Money::sum(currency, lines.iter().map(|line| line.amount))?;
    if sum != asked.amount {
        let amount = asked.amount;
        let message = format!("the lines add up to {sum}, the amount is {amount}: make them equal");
        return Err(PaymentError::Invalid { param: "amount".into(), message });
    }
    let zero = Money::zero(currency);
    let state = match asked.payment_method {
        Some(_) => IntentState::RequiresConfirmation,
        None => IntentState::RequiresPaymentMethod,
    };
    let intent = Intent {
        id: PaymentIntentId::generate(now),
        currency,
        amount: asked.amount,
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
    Ok(Payment {
        intent,
        lines,
        attempts: Vec::new(),
        refunds: Vec::new(),
        loaded: Default::default(),
    })
}

fn new_line(at: usize, line: &NewLine, currency: Currency) -> Result<Line, PaymentError> {
    let param = |field: &str| format!("lines[{at}].{field}");
    // The vendor becomes a part of account paths, so it must be one that a path can hold.
    AccountRef::new(Role::VendorPayable, &[&line.vendor, "pending"])
        .map_err(|error| invalid(param("vendor"), error.to_string()))?;
    if line.amount < 1 || line.amount > AMOUNT_MAX {
        let message = format!("a line's amount is 1 to {AMOUNT_MAX} minor units");
        return Err(invalid(param("amount"), message));
    }
    Ok(Line {
        n: i16::try_from(at + 1).unwrap_or(i16::MAX),
        vendor: line.vendor.clone(),
        description: line.description.clone(),
        amount: Money::new(line.amount, currency),
        tax: line.tax,
        commission: line.commission,
        captured: Money::zero(currency),
        captured_tax: Money::zero(currency),
        parts: Parts::zero(currency),
        refunded: Parts::zero(currency),
    })
}

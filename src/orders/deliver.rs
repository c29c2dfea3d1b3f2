//! What is said of the goods of an order, and what follows for the money.

use mizan_ledger::postings::OrderDelivered;
use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use crate::affiliates::{self, DeliveredLines};
use crate::payments::apply::write_posted;
use crate::payments::line::{Component, Delivery, Line, LineKind};
use crate::payments::plan::Plan;
use crate::payments::split::proportion;
use crate::payments::{Payment, PaymentError, sides, store};
use crate::vendors::ReleaseAfter;
use crate::wallets::{self, DeliveredLine};

/// What is said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Of which order: its name, or the id of one payment.
    pub order: String,
    /// Of which lines, by number; else of all.
    pub lines: Option<Vec<i16>>,
    /// What became of the goods.
    pub delivery: Delivery,
}

fn not_found(order: &str) -> PaymentError {
    PaymentError::NotFound { id: order.to_owned() }
}

/// Writes down what became of the goods of an order whose money was taken, and books what that
/// earns. Lines of which it was said before stay as they are.
///
/// # Errors
/// An order that is not known, one that was not paid, lines that it does not have; the database.
pub async fn deliver(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    said: &Said,
) -> Result<Vec<Payment>, PaymentError> {
    let ids: Vec<PaymentIntentId> = match said.order.parse() {
        Ok(id) => vec![id],
        Err(_) => store::intents_of_order(conn, tenant, &said.order).await?,
    };
    let mut payments = store::lock(conn, tenant, &ids).await?;
    let first = payments.first().ok_or_else(|| not_found(&said.order))?.intent.clone();
    payments.retain(|payment| payment.intent.captured.is_positive());
    if payments.is_empty() {
        let needs = "an order whose money was taken";
        let (payment, state, action) = (first.id, first.state, "delivering");
        return Err(PaymentError::WrongState { payment, state, action, needs });
    }
    if let Some(lines) = &said.lines {
        check_lines(&payments, lines)?;
    }
    let mut plan = Plan::new(now, "api");
    sides::lock(conn, tenant, payments.iter()).await?;
    for payment in &mut payments {
        let delivered = say(payment, said, &mut plan)?;
        reward(conn, tenant, payment, &delivered, &mut plan).await?;
    }
    write_posted(conn, tenant, &payments, plan).await?;
    Ok(payments)
}

/// Lines are told by their numbers, which must mean the same line to everybody.
fn check_lines(payments: &[Payment], lines: &[i16]) -> Result<(), PaymentError> {
    let fault = |message: String| Err(PaymentError::Invalid { param: "lines".into(), message });
    let [payment] = payments else {
        return fault("the order was paid in several payments: name one by its id".to_owned());
    };
    let unknown = lines.iter().find(|n| payment.lines.iter().all(|line| line.n != **n));
    match unknown {
        Some(n) => fault(format!("the order has no line {n}")),
        None => Ok(()),
    }
}

/// Says it of one payment; answers the lines that are delivered for the first time.
fn say(payment: &mut Payment, said: &Said, plan: &mut Plan) -> Result<Vec<i16>, PaymentError> {
    let (now, currency) = (plan.now(), payment.intent.currency);
    let named = |line: &Line| said.lines.as_ref().is_none_or(|lines| lines.contains(&line.n));
    let news = |line: &Line| named(line) && line.delivery != Some(said.delivery);
    let nothing = Money::zero(currency);
    let (mut commission, mut shipping) = (nothing, nothing);
    let (mut changed, mut delivered) = (Vec::new(), Vec::new());
    for line in payment.lines.iter_mut().filter(|line| news(line)) {
        line.delivery = Some(said.delivery);
        changed.push(line.n);
        if said.delivery != Delivery::Delivered {
            if line.released_at.is_none() && counts_from_delivery(line) {
                line.release_at = None;
            }
            continue;
        }
        line.count_days(ReleaseAfter::Delivery, now);
        if line.delivered_at.is_some() {
            continue;
        }
        line.delivered_at = Some(now);
        delivered.push(line.n);
        commission = commission.checked_add(line.earned_of(Component::Commission))?;
        shipping = shipping.checked_add(line.earned_of(Component::Shipping))?;
    }
    if changed.is_empty() {
        return Ok(delivered);
    }
    let first = delivered.first().copied().unwrap_or_default();
    let id = payment.intent.id.to_string();
    let entry = match commission.is_zero() && shipping.is_zero() {
        true => None,
        false => {
            let posting = OrderDelivered { commission, shipping }.posting()?;
            // A line is earned once, so that the first of them names them all.
            let key = format!("{id}:delivered:{first}");
            Some(plan.post("order.delivered", key, id.clone(), now, posting)?)
        }
    };
    let kind = match said.delivery {
        Delivery::Delivered => "order.delivered",
        Delivery::Returned => "order.returned",
        Delivery::Lost => "order.lost",
    };
    let payload = json!({
        "payment_intent": id,
        "order": payment.intent.order_name(),
        "lines": changed,
        "metadata": payment.intent.metadata,
    });
    plan.announce(kind, id, entry, payload);
    Ok(delivered)
}

/// The customer's cashback for lines that are delivered, and the affiliate's commission.
async fn reward(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    delivered: &[i16],
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let (intent, now) = (&payment.intent, plan.now());
    // Shipping, tips and top-ups earn nobody anything.
    let counts = |line: &&Line| delivered.contains(&line.n) && line.kind == LineKind::Item;
    let lines: Vec<&Line> = payment.lines.iter().filter(counts).collect();
    if lines.is_empty() {
        return Ok(());
    }
    if let Some(customer) = &intent.customer {
        let paid_by_gateway = intent.captured.checked_sub(intent.wallet.paying()?)?;
        let mut parts = Vec::with_capacity(lines.len());
        for line in &lines {
            let price = line.paid_left();
            let paid_by_gateway = proportion(paid_by_gateway, price, intent.captured)?;
            parts.push(DeliveredLine { n: line.n, paid_by_gateway, price });
        }
        let delivered = wallets::Delivered {
            payment: intent.id,
            order: intent.order_name(),
            customer: customer.clone(),
            currency: intent.currency,
            ordered_at: intent.created_at,
            paid_by_gateway,
            price: intent.captured,
            lines: parts,
        };
        wallets::grant_cashback(conn, tenant, now, &delivered, plan).await?;
    }
    if let Some(attribution) = &intent.attribution {
        let mut parts = Vec::with_capacity(lines.len());
        for line in &lines {
            let whole = line.captured.checked_add(line.coupon)?;
            parts.push((line.n, proportion(line.net()?, line.value_left()?, whole)?));
        }
        let (payment, attribution) = (intent.id, attribution.into());
        let delivered = DeliveredLines { payment, attribution, at: now, lines: parts };
        affiliates::accrue(conn, tenant, &delivered, plan).await?;
    }
    Ok(())
}

fn counts_from_delivery(line: &Line) -> bool {
    line.deal.as_ref().is_some_and(|deal| deal.terms.release.after == ReleaseAfter::Delivery)
}

//! Cashback for what was delivered.

use mizan_ledger::postings::CashbackAccrued;
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::error::WalletError;
use super::lot::{Lot, LotId, LotState, Origin, days_after};
use super::rule::{CashbackRule, SoFar, best};
use super::store;
use crate::payments::plan::Plan;

/// A delivery of an order, or of some of its lines.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The payment.
    pub payment: PaymentIntentId,
    /// The shop's word for the order.
    pub order: String,
    /// Who ordered.
    pub customer: String,
    /// In what.
    pub currency: Currency,
    /// When it was ordered: the rules in force then count.
    pub ordered_at: Timestamp,
    /// What the gateway took for the whole order.
    pub paid_by_gateway: Money,
    /// What the whole order costs.
    pub price: Money,
    /// The lines that were delivered, each with its part of both, less what was refunded.
    pub lines: Vec<DeliveredLine>,
}

/// A line that was delivered.
#[derive(Debug, Clone, Copy)]
pub struct DeliveredLine {
    /// Its number.
    pub n: i16,
    /// Its part of what the gateway took.
    pub paid_by_gateway: Money,
    /// Its price.
    pub price: Money,
}

/// Grants cashback for a delivery at `at` by the rule that was in force when it was ordered and
/// grants most. A line counts once, however often its delivery is told. Answers the lot, where
/// anything was granted.
///
/// # Errors
/// Amounts that do not fit; the database.
pub async fn grant_cashback(
    conn: &mut PgConnection,
    tenant: TenantId,
    at: Timestamp,
    delivered: &Delivered,
    plan: &mut Plan,
) -> Result<Option<Lot>, WalletError> {
    let is_first =
        store::is_first_order(conn, tenant, &delivered.customer, &delivered.order).await?;
    if !store::add_delivered_lines(conn, tenant, delivered).await? {
        return Ok(None);
    }
    let earned = store::earned_so_far(conn, tenant, delivered.payment).await?;
    let rules = store::rules_at(conn, tenant, delivered.ordered_at, earned.rule).await?;
    let Some(rule) = best(&rules, delivered, is_first)? else { return Ok(None) };
    let money = |minor| Money::new(minor, delivered.currency);
    let so_far = SoFar { paid: money(earned.paid), price: money(earned.price) };
    let amount = rule.says.grants(so_far)?.checked_sub(money(earned.granted))?;
    if !amount.is_positive() {
        return Ok(None);
    }
    let lot = lot_of(rule, delivered, amount, plan.now(), at)?;
    store::insert_lots(conn, tenant, std::slice::from_ref(&lot)).await?;
    let id = lot.id.to_string();
    let customer = lot.customer.clone();
    let posting = CashbackAccrued { customer, amount }.posting()?;
    let source = delivered.payment.to_string();
    let entry = plan.post("cashback.accrued", format!("{id}:accrued"), source, at, posting)?;
    let told = json!({
        "lot": id,
        "customer": lot.customer,
        "payment_intent": delivered.payment.to_string(),
        "rule": rule.id.to_string(),
        "amount": lot.amount,
        "currency": lot.currency.code(),
        "vests_at": lot.vests_at,
        "expires_at": lot.expires_at,
    });
    plan.announce("cashback.accrued", id, Some(entry), told);
    Ok(Some(lot))
}

fn lot_of(
    rule: &CashbackRule,
    delivered: &Delivered,
    amount: Money,
    now: Timestamp,
    at: Timestamp,
) -> Result<Lot, WalletError> {
    let vests_at = days_after(at, rule.says.vest_days)?;
    let end = rule.says.expiry_days.map(|days| days_after(vests_at, days));
    Ok(Lot {
        id: LotId::generate(now),
        customer: delivered.customer.clone(),
        currency: delivered.currency,
        origin: Origin::Cashback,
        payment: Some(delivered.payment),
        rule: Some(rule.id),
        reason: None,
        amount: amount.minor(),
        held: 0,
        spent: 0,
        expired: 0,
        clawed: 0,
        withheld: 0,
        state: LotState::Pending,
        earned_at: at,
        vests_at,
        expires_at: end.transpose()?,
        back_at: None,
        created_by: "delivery".to_owned(),
    })
}

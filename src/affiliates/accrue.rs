//! Commissions for what was sold and delivered.

use mizan_ledger::postings::AffiliateAccrued;
use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::accrual::{Accrual, AccrualId, Bucket};
use super::affiliate::{Attribution, FundedBy};
use super::error::AffiliateError;
use super::store;
use crate::payments::plan::Plan;

/// A line of which the split at capture gave the affiliate its part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitLine {
    /// Its number.
    pub line: i16,
    /// Its price before tax.
    pub base: Money,
    /// What of it is the affiliate's.
    pub commission: Money,
}

/// Writes down what a split at capture took out of vendors' shares: of each line its price
/// before tax and the commission. Posts nothing: the split did. Lines without a commission may
/// be left out; a line counts once.
///
/// # Errors
/// The database.
pub async fn record_split(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    payment: PaymentIntentId,
    lines: &[SplitLine],
    attribution: &Attribution,
) -> Result<(), AffiliateError> {
    let made = |it: &SplitLine| accrual_of(now, payment, it, attribution);
    let accruals: Vec<Accrual> = lines.iter().map(made).collect();
    store::insert_accruals(conn, tenant, &accruals).await.map(drop)
}

/// Lines of an attributed payment that were delivered.
#[derive(Debug, Clone)]
pub struct DeliveredLines {
    /// The payment.
    pub payment: PaymentIntentId,
    /// To whom it is attributed, on which terms.
    pub attribution: Attribution,
    /// When they were delivered.
    pub at: Timestamp,
    /// Their numbers, each with its price before tax, less what was refunded before.
    pub lines: Vec<(i16, Money)>,
}

/// Accrues for lines that were delivered. What the platform pays is posted; of what a vendor
/// pays, only the time of its release begins. A line counts once, however often its delivery is
/// told.
///
/// # Errors
/// An affiliate that is unknown, amounts that do not fit; the database.
pub async fn accrue(
    conn: &mut PgConnection,
    tenant: TenantId,
    delivered: &DeliveredLines,
    plan: &mut Plan,
) -> Result<(), AffiliateError> {
    let DeliveredLines { payment, attribution, at, lines } = delivered;
    let (payment, at, whose) = (*payment, *at, &attribution.affiliate);
    let affiliate = store::affiliate(conn, tenant, whose).await?;
    let affiliate = affiliate.ok_or_else(|| AffiliateError::NotFound { id: whose.clone() })?;
    let days = chrono::Duration::days(affiliate.release_days.into());
    let release_at = at.checked_add_signed(days).ok_or_else(|| {
        AffiliateError::invalid("release_days", "That is beyond the end of the calendar.")
    })?;
    if attribution.funded_by == FundedBy::Vendor {
        let numbers: Vec<i16> = lines.iter().map(|(line, _)| *line).collect();
        return store::start_release(conn, tenant, payment, &numbers, release_at).await;
    }
    let mut accruals = Vec::with_capacity(lines.len());
    for (line, base) in lines {
        let line = SplitLine { line: *line, base: *base, commission: attribution.of(*base)? };
        let mut accrual = accrual_of(plan.now(), payment, &line, attribution);
        (accrual.accrued_at, accrual.release_at) = (at, Some(release_at));
        accruals.push(accrual);
    }
    let added = store::insert_accruals(conn, tenant, &accruals).await?;
    let new: Vec<&Accrual> = accruals.iter().filter(|it| added.contains(&it.id)).collect();
    let Some(first) = new.first() else { return Ok(()) };
    let amount = Money::sum(first.currency, new.iter().map(|it| it.remaining()))?;
    if amount.is_zero() {
        return Ok(());
    }
    let posting = AffiliateAccrued { affiliate: whose.clone(), amount }.posting()?;
    let key = format!("{}:accrued", first.id);
    let entry = plan.post("affiliate.accrued", key, payment.to_string(), at, posting)?;
    let told = json!({
        "affiliate": whose,
        "payment_intent": payment.to_string(),
        "lines": new.iter().map(|it| it.line).collect::<Vec<_>>(),
        "amount": amount.minor(),
        "currency": amount.currency().code(),
        "release_at": release_at,
    });
    plan.announce("affiliate.accrued", payment.to_string(), Some(entry), told);
    Ok(())
}

/// Locks the commissions of these payments by their ids. Whoever acts on several payments in one
/// transaction calls it first, so that two such transactions cannot wait for each other.
///
/// # Errors
/// The database.
pub async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[PaymentIntentId],
) -> Result<(), AffiliateError> {
    store::lock_accruals(conn, tenant, payments).await.map(drop)
}

/// The commission of one line, before its delivery.
fn accrual_of(
    now: Timestamp,
    payment: PaymentIntentId,
    of: &SplitLine,
    attribution: &Attribution,
) -> Accrual {
    Accrual {
        id: AccrualId::generate(now),
        payment,
        line: of.line,
        affiliate: attribution.affiliate.clone(),
        currency: of.base.currency(),
        rate: attribution.rate,
        funded_by: attribution.funded_by,
        base: of.base.minor(),
        amount: of.commission.minor(),
        reversed: 0,
        bucket: Bucket::Pending,
        accrued_at: now,
        release_at: None,
    }
}

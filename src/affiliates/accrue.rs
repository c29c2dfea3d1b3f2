//! Commissions for what was sold and delivered.

use mizan_ledger::postings::AffiliateAccrued;
use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, MoneyError, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::accrual::{Accrual, AccrualId, Bucket};
use super::affiliate::{Attribution, FundedBy};
use super::error::AffiliateError;
use super::store;
use crate::payments::plan::Plan;

/// The commission of each line, rounded half-up: what a vendor's split has to take out.
///
/// # Errors
/// Amounts that do not fit.
pub fn accrual_lines(
    lines: &[(i16, Money)],
    attribution: &Attribution,
) -> Result<Vec<(i16, Money)>, MoneyError> {
    lines.iter().map(|(line, base)| Ok((*line, attribution.of(*base)?))).collect()
}

/// Writes down what a split at capture took out of vendors' shares. Posts nothing: the split did.
/// A line counts once.
///
/// # Errors
/// Amounts that do not fit; the database.
pub async fn record_split(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    payment: PaymentIntentId,
    lines: &[(i16, Money)],
    attribution: &Attribution,
) -> Result<(), AffiliateError> {
    let accruals = made(now, now, None, payment, lines, attribution)?;
    store::insert_accruals(conn, tenant, &accruals).await.map(drop)
}

/// Accrues for lines that were delivered at `at`, each with its price before tax, less what was
/// refunded before. What the platform pays is posted; of what a vendor pays only the time of its
/// release begins. A line counts once, however often its delivery is told.
///
/// # Errors
/// An affiliate that is unknown, amounts that do not fit; the database.
#[allow(clippy::too_many_arguments)]
pub async fn accrue(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    at: Timestamp,
    payment: PaymentIntentId,
    lines: &[(i16, Money)],
    attribution: &Attribution,
    plan: &mut Plan,
) -> Result<(), AffiliateError> {
    let whose = &attribution.affiliate;
    let affiliate = store::affiliate(conn, tenant, whose).await?;
    let affiliate = affiliate.ok_or_else(|| AffiliateError::NotFound { id: whose.clone() })?;
    let days = chrono::Duration::days(affiliate.release_days.into());
    let release_at = at.checked_add_signed(days).ok_or_else(|| {
        AffiliateError::invalid("release_days", "That is beyond the end of the calendar.")
    })?;
    let accruals = made(now, at, Some(release_at), payment, lines, attribution)?;
    let added = store::insert_accruals(conn, tenant, &accruals).await?;
    if attribution.funded_by == FundedBy::Vendor {
        let delivered: Vec<i16> = lines.iter().map(|(line, _)| *line).collect();
        return store::start_release(conn, tenant, payment, &delivered, release_at).await;
    }
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

/// The commissions of payments, locked, in the order of their ids.
///
/// # Errors
/// The database.
pub async fn accruals_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[PaymentIntentId],
) -> Result<Vec<Accrual>, AffiliateError> {
    store::lock_accruals(conn, tenant, payments).await
}

/// Writes accruals as they are now. They were locked before.
///
/// # Errors
/// The database.
pub async fn save_accruals(
    conn: &mut PgConnection,
    tenant: TenantId,
    accruals: &[Accrual],
) -> Result<(), AffiliateError> {
    store::save_accruals(conn, tenant, accruals).await
}

fn made(
    now: Timestamp,
    at: Timestamp,
    release_at: Option<Timestamp>,
    payment: PaymentIntentId,
    lines: &[(i16, Money)],
    attribution: &Attribution,
) -> Result<Vec<Accrual>, AffiliateError> {
    let accrual = |(line, base): &(i16, Money)| {
        Ok(Accrual {
            id: AccrualId::generate(now),
            payment,
            line: *line,
            affiliate: attribution.affiliate.clone(),
            currency: base.currency(),
            rate: attribution.rate,
            funded_by: attribution.funded_by,
            base: base.minor(),
            amount: attribution.of(*base)?.minor(),
            reversed: 0,
            bucket: Bucket::Pending,
            accrued_at: at,
            release_at,
        })
    };
    lines.iter().map(accrual).collect()
}

//! Taking commissions back when what earned them is refunded, and undoing that.

use std::collections::BTreeMap;

use mizan_ledger::postings::{AffiliateRecovered, AffiliateRestored, AffiliateReversed};
use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Money, MoneyError, TenantId};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::accrual::{Bucket, LineBack, Reversed, reverse, sums_of};
use super::affiliate::FundedBy;
use super::due::standing_of;
use super::error::AffiliateError;
use super::store;
use crate::payments::plan::Plan;

/// Takes back of the commissions of a payment what a refund of some of its lines is of them.
/// What the platform pays is posted; what the vendor pays the refund itself takes, out of the
/// buckets in the answer. What was paid out already becomes the affiliate's debt.
///
/// Safe to repeat: a refund takes once, and hears the same again; one that was undone nothing.
///
/// # Errors
/// A refund below zero or above what could go back; the database.
pub async fn claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    payment: PaymentIntentId,
    lines: &[LineBack],
    plan: &mut Plan,
) -> Result<Vec<Reversed>, AffiliateError> {
    if !store::claim_claw_back(conn, tenant, refund, payment, plan.now()).await? {
        return store::clawed_back(conn, tenant, refund).await;
    }
    let mut accruals = store::lock_accruals(conn, tenant, &[payment]).await?;
    let taken = reverse(&mut accruals, lines)?;
    if taken.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<_> = taken
        .iter()
        .filter_map(|(id, amount)| {
            accruals.iter().find(|it| it.id == *id).map(|it| (*id, it.bucket, *amount))
        })
        .collect();
    store::save_accruals(conn, tenant, &accruals).await?;
    store::keep_claw_back(conn, tenant, refund, &parts).await?;
    let reversed = sums_of(&accruals, &taken)?;
    let kind = "affiliate.reversed";
    for (n, (affiliate, at)) in platforms_part(&reversed)?.into_iter().enumerate() {
        let told = at.told(&affiliate, refund, payment);
        let (pending, available) = (at.pending, at.available);
        let posting = AffiliateReversed { affiliate, pending, available }.posting()?;
        let (key, source) = (format!("{refund}:affiliate_reversed:{n}"), refund.to_string());
        let entry = plan.post(kind, key, source.clone(), plan.now(), posting)?;
        plan.announce(kind, source, Some(entry), told);
    }
    Ok(reversed)
}

/// The refund came to nothing: the affiliate has again what it took, in the bucket where the
/// commission is by now; a debt is netted with it. What the vendor pays is the refund's own to
/// give back.
///
/// Safe to repeat, and for a refund that took nothing.
///
/// # Errors
/// The database.
pub async fn undo_claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
    plan: &mut Plan,
) -> Result<(), AffiliateError> {
    let Some(payment) = store::end_claw_back(conn, tenant, refund).await? else { return Ok(()) };
    let mut accruals = store::lock_accruals(conn, tenant, &[payment]).await?;
    let mut taken = Vec::new();
    for (id, minor) in store::taken_by(conn, tenant, refund).await? {
        if let Some(accrual) = accruals.iter_mut().find(|it| it.id == id) {
            let amount = Money::new(minor, accrual.currency);
            accrual.restore(amount)?;
            taken.push((id, amount));
        }
    }
    store::save_accruals(conn, tenant, &accruals).await?;
    let restored = sums_of(&accruals, &taken)?;
    for (n, (affiliate, at)) in platforms_part(&restored)?.into_iter().enumerate() {
        let (kind, source) = ("affiliate.restored", refund.to_string());
        let told = at.told(&affiliate, refund, payment);
        let (pending, available) = (at.pending, at.available);
        let debt = standing_of(conn, tenant, &affiliate, available.currency()).await?.debt;
        let posting =
            AffiliateRestored { affiliate: affiliate.clone(), pending, available }.posting()?;
        let key = format!("{refund}:affiliate_restored:{n}");
        let entry = plan.post(kind, key, source.clone(), plan.now(), posting)?;
        plan.announce(kind, source.clone(), Some(entry), told.clone());
        let amount = Money::new(debt.min(available.minor()), available.currency());
        if amount.is_positive() {
            let kind = "affiliate.recovered";
            let posting = AffiliateRecovered { affiliate, amount }.posting()?;
            let key = format!("{refund}:affiliate_recovered:{n}");
            let entry = plan.post(kind, key, source.clone(), plan.now(), posting)?;
            plan.announce(kind, source, Some(entry), told);
        }
    }
    Ok(())
}

/// An affiliate's part of a refund, by where it is.
#[derive(Debug, Clone, Copy)]
struct ByBucket {
    pending: Money,
    available: Money,
}

impl ByBucket {
    fn told(&self, affiliate: &str, refund: RefundId, payment: PaymentIntentId) -> Value {
        json!({
            "affiliate": affiliate,
            "refund": refund.to_string(),
            "payment_intent": payment.to_string(),
            "currency": self.pending.currency().code(),
            "pending": self.pending.minor(),
            "available": self.available.minor(),
        })
    }
}

/// Of what was taken, what the platform had paid.
fn platforms_part(reversed: &[Reversed]) -> Result<BTreeMap<String, ByBucket>, MoneyError> {
    let mut parts: BTreeMap<String, ByBucket> = BTreeMap::new();
    for part in reversed.iter().filter(|part| part.funded_by == FundedBy::Platform) {
        let zero = Money::zero(part.amount.currency());
        let sums = parts.entry(part.affiliate.clone());
        let sums = sums.or_insert(ByBucket { pending: zero, available: zero });
        let sum = match part.bucket {
            Bucket::Pending => &mut sums.pending,
            Bucket::Available => &mut sums.available,
        };
        *sum = sum.checked_add(part.amount)?;
    }
    Ok(parts)
}

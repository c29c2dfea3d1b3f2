//! Commissions whose return window is over can be paid; a debt is netted first.

use std::collections::BTreeMap;

use mizan_ledger::postings::{AffiliateRecovered, AffiliateReleased};
use mizan_ledger::{AccountRef, Role, read};
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::accrual::{Accrual, AccrualId, Bucket};
use super::error::AffiliateError;
use super::store;
use crate::app::App;
use crate::db::work;
use crate::payments::PaymentError;
use crate::payments::plan::Plan;

/// How many payments are looked for at once.
const PAGE: i64 = 200;

/// Releases what is due for every tenant. One failure does not stop the rest.
///
/// # Errors
/// The database could not be read.
pub async fn run(app: &App) -> Result<usize, PaymentError> {
    let mut released = 0;
    for tenant in app.db.tenant_ids().await? {
        match run_due(app, tenant).await {
            Ok(done) => released += done,
            Err(error) => tracing::warn!(%tenant, %error, "affiliates are left for later"),
        }
    }
    Ok(released)
}

/// Releases what is due, each payment in a transaction of its own and dated at its due moment.
/// Safe to repeat, and to run late. Answers of how many payments something was released.
///
/// # Errors
/// The database could not be read; single payments that fail are reported and left for later.
pub async fn run_due(app: &App, tenant: TenantId) -> Result<usize, AffiliateError> {
    let now = app.clock.now_for(tenant);
    let (mut done, mut last) = (0, None);
    loop {
        let due = app
            .db
            .read("due_accruals", tenant, |tx| {
                work(async move { store::due_payments(tx, tenant, now, last, PAGE).await })
            })
            .await?;
        let Some(newest) = due.last().copied() else { return Ok(done) };
        last = Some(newest);
        for id in due {
            let released = app.db.transaction("release_accruals", tenant, |tx| {
                work(async move { release(tx, tenant, now, id).await })
            });
            match released.await {
                Ok(true) => done += 1,
                Ok(false) => {}
                Err(error) => tracing::warn!(%id, %error, "its commission is left for later"),
            }
        }
    }
}

/// Releases the commissions of one payment that are due, if they still are.
///
/// # Errors
/// The database.
async fn release(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    payment: PaymentIntentId,
) -> Result<bool, AffiliateError> {
    let mut accruals = store::lock_accruals(conn, tenant, &[payment]).await?;
    let is_due =
        |it: &Accrual| it.bucket == Bucket::Pending && it.release_at.is_some_and(|at| at <= now);
    accruals.retain(is_due);
    let mut sums: BTreeMap<(Timestamp, String), (AccrualId, Money)> = BTreeMap::new();
    for accrual in &mut accruals {
        accrual.bucket = Bucket::Available;
        let at = accrual.release_at.unwrap_or(now);
        let sum = sums.entry((at, accrual.affiliate.clone()));
        let (_, sum) = sum.or_insert((accrual.id, Money::zero(accrual.currency)));
        *sum = sum.checked_add(accrual.remaining())?;
    }
    store::save_accruals(conn, tenant, &accruals).await?;
    let mut plan = Plan::new(now, "affiliates");
    let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
    for ((at, affiliate), (id, amount)) in sums {
        if amount.is_zero() {
            continue;
        }
        if !standings.contains_key(&affiliate) {
            let standing = standing_of(conn, tenant, &affiliate, amount.currency()).await?;
            standings.insert(affiliate.clone(), standing);
        }
        let standing = standings.entry(affiliate.clone()).or_default();
        let recovered = Money::new(standing.release(amount.minor()), amount.currency());
        let of = Released { payment, first: id, affiliate, amount, recovered };
        plan_release(&mut plan, at, of)?;
    }
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    Ok(!accruals.is_empty())
}

/// What an affiliate has and owes, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub pending: i64,
    pub available: i64,
    pub debt: i64,
}

impl Standing {
    /// Moves an amount from pending to available as the ledger does it, and answers how much of
    /// it settles a debt. Pending may have less: a debt was taken from there too.
    fn release(&mut self, amount: i64) -> i64 {
        let short = amount - amount.min(self.pending);
        let from_available = short.min(self.available);
        self.pending -= amount - short;
        self.available += amount - from_available;
        self.debt += short - from_available;
        let recovered = amount.min(self.available).min(self.debt);
        self.available -= recovered;
        self.debt -= recovered;
        recovered
    }
}

/// What the ledger says that an affiliate has and owes.
///
/// # Errors
/// The database.
pub(super) async fn standing_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    affiliate: &str,
    currency: Currency,
) -> Result<Standing, AffiliateError> {
    let payable = |bucket| AccountRef::new(Role::AffiliatePayable, &[affiliate, bucket]);
    let paths = [
        payable("pending")?,
        payable("available")?,
        AccountRef::new(Role::AffiliateReceivable, &[affiliate])?,
    ];
    let mut minor = [0; 3];
    for (path, minor) in paths.iter().zip(&mut minor) {
        let account = read::account_at(conn, tenant, path, currency).await?;
        *minor = account.map_or(0, |account| account.balance().minor());
    }
    let [pending, available, debt] = minor;
    Ok(Standing { pending, available, debt })
}

/// What is released of one payment for one affiliate at one moment.
struct Released {
    payment: PaymentIntentId,
    /// The postings are named after it.
    first: AccrualId,
    affiliate: String,
    amount: Money,
    recovered: Money,
}

/// Both are facts: should the debt have changed since it was read, the ledger books what is
/// there and the rest stays as it is.
fn plan_release(plan: &mut Plan, at: Timestamp, of: Released) -> Result<(), AffiliateError> {
    let Released { payment, first, affiliate, amount, recovered } = of;
    let told = |amount: Money| {
        json!({
            "affiliate": affiliate,
            "payment_intent": payment.to_string(),
            "amount": amount.minor(),
            "currency": amount.currency().code(),
        })
    };
    let (whose, source) = (affiliate.clone(), payment.to_string());
    let posting = AffiliateReleased { affiliate: whose.clone(), amount }.posting()?;
    let key = format!("{first}:released");
    let entry = plan.post("affiliate.released", key, source.clone(), at, posting)?;
    plan.announce("affiliate.released", source.clone(), Some(entry), told(amount));
    if recovered.is_zero() {
        return Ok(());
    }
    let posting = AffiliateRecovered { affiliate: whose, amount: recovered }.posting()?;
    let (key, now) = (format!("{first}:recovered"), plan.now());
    let entry = plan.post("affiliate.recovered", key, source.clone(), now, posting)?;
    plan.announce("affiliate.recovered", source, Some(entry), told(recovered));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_netted_with_what_is_released_and_no_more() {
        let check = |mut standing: Standing, amount, recovered, after: [i64; 3]| {
            assert_eq!(standing.release(amount), recovered);
            let Standing { pending, available, debt } = standing;
            assert_eq!([pending, available, debt], after);
        };
        check(Standing { pending: 20, available: 5, debt: 0 }, 20, 0, [0, 25, 0]);
        check(Standing { pending: 20, available: 0, debt: 12 }, 20, 12, [0, 8, 0]);
        check(Standing { pending: 20, available: 0, debt: 50 }, 20, 20, [0, 0, 30]);
        // A reversal of what was paid took the pending 20 and left a debt of 12.
        check(Standing { pending: 0, available: 0, debt: 12 }, 20, 20, [0, 0, 12]);
    }
}

//! Vendors' parts become available when their time has come, and pay what the vendor owes first.
//!
//! ```text
//! pending ──min(due, what is there)──▶ available ──min(available, debt)──▶ the debt is smaller
//!    └──the reserve's percentage──▶ reserve ──its term──▶ available
//! ```
//!
//! How much there is, is decided from balances that stay locked until the commit: a refund or a
//! dispute may have taken more than a line's own part.

use std::collections::BTreeMap;

use mizan_ledger::postings::{ReserveReleased, VendorRecovered, VendorReleased};
use mizan_ledger::{AccountRef, Role, lock_balances};
use mizan_money::{Currency, Money, Rounding, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use crate::app::App;
use crate::db::work;
use crate::payments::apply::write_posted;
use crate::payments::line::Line;
use crate::payments::plan::Plan;
use crate::payments::{Payment, PaymentError, store};

/// How many payments are looked at in one transaction.
const AT_ONCE: i64 = 50;

/// Releases everything that is due, of every tenant; answers of how many payments.
///
/// # Errors
/// The database.
pub async fn release_due(app: &App) -> Result<usize, PaymentError> {
    let mut released = 0;
    for tenant in app.db.tenant_ids().await? {
        let now = app.clock.now_for(tenant);
        loop {
            let done = app.db.transaction("release_due", tenant, |tx| {
                work(async move { release_some(tx, tenant, now).await })
            });
            match done.await? {
                0 => break,
                done => released += done,
            }
        }
    }
    Ok(released)
}

/// What a vendor has in one currency.
#[derive(Debug, Clone, Copy)]
struct Purse {
    pending: i64,
    available: i64,
    reserve: i64,
    debt: i64,
}

type Purses = BTreeMap<(String, Currency), Purse>;

async fn release_some(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<usize, PaymentError> {
    let ids = store::due_releases(conn, tenant, now, AT_ONCE).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    let mut payments = store::lock(conn, tenant, &ids).await?;
    let mut purses = purses(conn, tenant, &payments).await?;
    let mut plan = Plan::new(now, "release");
    for payment in &mut payments {
        release(payment, &mut purses, &mut plan)?;
    }
    write_posted(conn, tenant, &payments, plan).await?;
    Ok(payments.len())
}

/// What the vendors of these payments have; nobody else can move it until the commit.
async fn purses(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
) -> Result<Purses, PaymentError> {
    let mut accounts = Vec::new();
    let mut vendors: Vec<(String, Currency)> = payments
        .iter()
        .flat_map(|it| it.lines.iter().map(|line| (line.vendor.clone(), it.intent.currency)))
        .filter_map(|(vendor, currency)| Some((vendor?, currency)))
        .collect();
    vendors.sort_unstable();
    vendors.dedup();
    for (vendor, currency) in &vendors {
        for account in accounts_of(vendor)? {
            accounts.push((account, *currency));
        }
    }
    let balances = lock_balances(conn, tenant, accounts).await?;
    let mut purses = Purses::new();
    for (vendor, currency) in vendors {
        let [pending, available, reserve, debt] = accounts_of(&vendor)?
            .map(|account| balances.get(&(account, currency)).map_or(0, |it| it.minor()));
        purses.insert((vendor, currency), Purse { pending, available, reserve, debt });
    }
    Ok(purses)
}

fn accounts_of(vendor: &str) -> Result<[AccountRef; 4], PaymentError> {
    let bucket = |bucket| AccountRef::new(Role::VendorPayable, &[vendor, bucket]);
    Ok([
        bucket("pending")?,
        bucket("available")?,
        bucket("reserve")?,
        AccountRef::new(Role::VendorReceivable, &[vendor])?,
    ])
}

/// Releases what is due of one payment.
fn release(
    payment: &mut Payment,
    purses: &mut Purses,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let (id, currency, now) = (payment.intent.id.to_string(), payment.intent.currency, plan.now());
    // What is held for a dispute is not pending; it goes where the line is by then.
    let held: Vec<Money> = payment.lines.iter().map(|line| payment.held_of(line.n)).collect();
    for (line, held) in payment.lines.iter_mut().zip(held) {
        let Some(vendor) = line.vendor.clone() else { continue };
        let Some(purse) = purses.get_mut(&(vendor.clone(), currency)) else { continue };
        let of = OfLine { id: &id, vendor: &vendor, currency };
        let due = line.release_at.filter(|at| *at <= now && line.released_at.is_none());
        if let Some(at) = due {
            of.release(line, held, at, purse, plan)?;
        }
        if let Some(until) = line.reserve_until.filter(|until| *until <= now) {
            of.free(line, until, purse, plan)?;
        }
    }
    Ok(())
}

/// Whose line it is.
#[derive(Clone, Copy)]
struct OfLine<'a> {
    id: &'a str,
    vendor: &'a str,
    currency: Currency,
}

impl OfLine<'_> {
    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// The vendor's part of a line, less what is held and what is kept in reserve.
    fn release(
        &self,
        line: &mut Line,
        held: Money,
        at: Timestamp,
        purse: &mut Purse,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        line.released_at = Some(at);
        let left = line.vendor_left().checked_sub(held)?;
        let due = left.minor().min(purse.pending).max(0);
        if due == 0 {
            return Ok(());
        }
        let reserve = line.deal.as_ref().and_then(|deal| deal.terms.reserve);
        let kept = match reserve {
            Some(reserve) => reserve.percent.of(self.money(due), Rounding::HalfUp)?.minor(),
            None => 0,
        };
        let vendor = self.vendor.to_owned();
        let (available, reserved) = (self.money(due - kept), self.money(kept));
        let posting = VendorReleased { vendor, available, reserve: reserved }.posting()?;
        let key = format!("{}:{}:released", self.id, line.n);
        let entry = plan.post("vendor.released", key, self.id.to_owned(), at, posting)?;
        line.reserved = reserved;
        line.reserve_until =
            reserve.filter(|_| kept > 0).map(|it| at + chrono::Duration::days(it.days.into()));
        purse.pending -= due;
        purse.available += due - kept;
        purse.reserve += kept;
        let payload = self.payload(line.n, due - kept, kept);
        plan.announce("vendor.released", self.vendor.to_owned(), Some(entry), payload);
        self.recover(line.n, "released", at, purse, plan)
    }

    /// What was kept in reserve of a line.
    fn free(
        &self,
        line: &mut Line,
        at: Timestamp,
        purse: &mut Purse,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        line.reserve_until = None;
        let freed = line.reserved.minor().min(purse.reserve).max(0);
        line.reserved = self.money(0);
        if freed == 0 {
            return Ok(());
        }
        let (vendor, amount) = (self.vendor.to_owned(), self.money(freed));
        let posting = ReserveReleased { vendor, amount }.posting()?;
        let key = format!("{}:{}:reserve_released", self.id, line.n);
        let kind = "vendor.reserve_released";
        let entry = plan.post(kind, key, self.id.to_owned(), at, posting)?;
        purse.reserve -= freed;
        purse.available += freed;
        let payload = self.payload(line.n, freed, 0);
        plan.announce(kind, self.vendor.to_owned(), Some(entry), payload);
        self.recover(line.n, "reserve", at, purse, plan)
    }

    /// What the vendor owes is paid before anything can be paid out.
    fn recover(
        &self,
        n: i16,
        after: &str,
        at: Timestamp,
        purse: &mut Purse,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let recovered = purse.debt.min(purse.available);
        if recovered <= 0 {
            return Ok(());
        }
        let (vendor, amount) = (self.vendor.to_owned(), self.money(recovered));
        let posting = VendorRecovered { vendor, amount }.posting()?;
        let key = format!("{}:{n}:{after}:recovered", self.id);
        let entry = plan.post("vendor.recovered", key, self.id.to_owned(), at, posting)?;
        purse.available -= recovered;
        purse.debt -= recovered;
        let payload = json!({
            "vendor": self.vendor, "currency": self.currency.code(), "amount": recovered,
            "still_owed": purse.debt,
        });
        plan.announce("vendor.recovered", self.vendor.to_owned(), Some(entry), payload);
        Ok(())
    }

    fn payload(&self, line: i16, available: i64, reserve: i64) -> serde_json::Value {
        json!({
            "vendor": self.vendor, "payment_intent": self.id, "line": line,
            "currency": self.currency.code(), "available": available, "reserve": reserve,
        })
    }
}

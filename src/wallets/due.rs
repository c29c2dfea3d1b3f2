//! What happens to lots by themselves: they vest, and they end.

use mizan_ledger::postings::{CashbackExpired, CashbackVested};
use mizan_money::{Money, TenantId, Timestamp};
use serde_json::json;
use sqlx::PgConnection;

use super::error::WalletError;
use super::lot::{ExpiredCredit, Lot, LotId};
use super::store::{self, Pass};
use crate::app::App;
use crate::db::work;
use crate::payments::PaymentError;
use crate::payments::plan::Plan;

/// How many lots are looked for at once.
const PAGE: i64 = 200;

/// What one turn did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ran {
    /// Lots that vested.
    pub vested: usize,
    /// Lots of which something ended.
    pub expired: usize,
}

/// Does what is due for every tenant. One failure does not stop the rest.
///
/// # Errors
/// The database could not be read.
pub async fn run(app: &App) -> Result<Ran, PaymentError> {
    let mut ran = Ran::default();
    for tenant in app.db.tenant_ids().await? {
        match run_due(app, tenant).await {
            Ok(done) => {
                ran.vested += done.vested;
                ran.expired += done.expired;
            }
            Err(error) => tracing::warn!(%tenant, %error, "the wallets are left for later"),
        }
    }
    Ok(ran)
}

/// Vests what is due, then ends what is due, each lot in a transaction of its own and dated at
/// its due moment. Safe to repeat, and to run late.
///
/// # Errors
/// The database could not be read; single lots that fail are reported and left for later.
pub async fn run_due(app: &App, tenant: TenantId) -> Result<Ran, WalletError> {
    let now = app.clock.now_for(tenant);
    let vested = pass(app, tenant, now, Pass::Vest).await?;
    let expired = pass(app, tenant, now, Pass::Expire).await?;
    Ok(Ran { vested, expired })
}

async fn pass(
    app: &App,
    tenant: TenantId,
    now: Timestamp,
    pass: Pass,
) -> Result<usize, WalletError> {
    let (mut done, mut last) = (0, None);
    loop {
        let due = app
            .db
            .read("due_lots", tenant, |tx| {
                work(async move { store::due_lots(tx, tenant, pass, now, last, PAGE).await })
            })
            .await?;
        let Some(newest) = due.last().copied() else { return Ok(done) };
        last = Some(newest);
        for (_, id) in due {
            let turned = app.db.transaction("lot_due", tenant, |tx| {
                work(async move { turn(tx, tenant, now, pass, id).await })
            });
            match turned.await {
                Ok(true) => done += 1,
                Ok(false) => {}
                Err(error) => tracing::warn!(%id, %error, "the lot is left for later"),
            }
        }
    }
}

/// Vests or ends one lot, if it is still due. Answers whether anything was done.
///
/// # Errors
/// The database.
async fn turn(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    pass: Pass,
    id: LotId,
) -> Result<bool, WalletError> {
    let Some(mut lot) = store::lock_due(conn, tenant, pass, id, now).await? else {
        return Ok(false);
    };
    let mut plan = Plan::new(now, "wallets");
    match pass {
        Pass::Vest => vest(&mut lot, &mut plan)?,
        Pass::Expire => {
            let credit = store::expired_credit(conn, tenant).await?;
            expire(&mut lot, credit, now, &mut plan)?;
        }
    }
    store::save_lots(conn, tenant, std::slice::from_ref(&lot)).await?;
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    Ok(true)
}

fn vest(lot: &mut Lot, plan: &mut Plan) -> Result<(), WalletError> {
    let amount = lot.vest();
    // One that was clawed back whole vests without a word.
    if amount.is_zero() {
        return Ok(());
    }
    let posting = CashbackVested { customer: lot.customer.clone(), amount }.posting()?;
    let (id, key) = (lot.id.to_string(), format!("{}:vested", lot.id));
    let entry = plan.post("cashback.vested", key, source(lot), lot.vests_at, posting)?;
    plan.announce("cashback.vested", id, Some(entry), told(lot, amount));
    Ok(())
}

fn expire(
    lot: &mut Lot,
    credit: ExpiredCredit,
    now: Timestamp,
    plan: &mut Plan,
) -> Result<(), WalletError> {
    // What comes back to a lot after its end ends too, as another posting.
    let key = format!("{}:expired:{}", lot.id, lot.expired);
    let (at, amount) = (lot.ended_at().unwrap_or(now), lot.expire());
    let (customer, to) = (lot.customer.clone(), credit.account(lot.origin));
    let posting = CashbackExpired { customer, amount, to }.posting()?;
    let entry = plan.post("cashback.expired", key, source(lot), at, posting)?;
    plan.announce("cashback.expired", lot.id.to_string(), Some(entry), told(lot, amount));
    Ok(())
}

/// What the posting belongs to: the payment that earned the lot, or the lot itself.
fn source(lot: &Lot) -> String {
    lot.payment.map_or_else(|| lot.id.to_string(), |payment| payment.to_string())
}

fn told(lot: &Lot, amount: Money) -> serde_json::Value {
    json!({
        "lot": lot.id.to_string(),
        "customer": lot.customer,
        "amount": amount.minor(),
        "currency": lot.currency.code(),
        "expires_at": lot.expires_at,
    })
}

//! Checkouts that nobody comes back to: what a wallet holds for them is given back.

use mizan_money::id::PaymentIntentId;
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use crate::app::App;
use crate::db::work;
use crate::payments::apply::write_posted;
use crate::payments::error::PaymentError;
use crate::payments::intent::IntentState;
use crate::payments::plan::Plan;
use crate::payments::{store, view};

/// How long a wallet's money is held for a checkout in which nothing happens.
const HELD_FOR: chrono::Duration = chrono::Duration::hours(24);

/// How many are looked at in one transaction.
const AT_ONCE: i64 = 50;

/// Ends the checkouts of a tenant that hold wallet money and in which nothing has happened for a
/// day; answers how many.
///
/// # Errors
/// The database.
pub(super) async fn expire_checkouts(app: &App, tenant: TenantId) -> Result<usize, PaymentError> {
    let (mut expired, now) = (0, app.clock.now_for(tenant));
    loop {
        let done = app.db.transaction("expire_checkouts", tenant, |tx| {
            work(async move { expire_some(tx, tenant, now).await })
        });
        match done.await? {
            0 => return Ok(expired),
            done => expired += done,
        }
    }
}

async fn expire_some(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<usize, PaymentError> {
    let since = now - HELD_FOR;
    let ids: Vec<PaymentIntentId> = store::idle_holds(conn, tenant, since, AT_ONCE).await?;
    let mut payments = store::lock(conn, tenant, &ids).await?;
    // What somebody took up while the lock was waited for goes on.
    let idle = |state| {
        matches!(state, IntentState::RequiresPaymentMethod | IntentState::RequiresConfirmation)
    };
    payments.retain(|it| idle(it.intent.state) && it.intent.updated_at <= since);
    if payments.is_empty() {
        return Ok(0);
    }
    let mut plan = Plan::new(now, "expiry");
    for payment in &mut payments {
        payment.intent.state = IntentState::Expired;
        payment.intent.let_the_wallet_go();
        let payload = view::event_payload(payment);
        plan.announce("payment.expired", payment.intent.id.to_string(), None, payload);
    }
    write_posted(conn, tenant, &payments, plan).await?;
    Ok(payments.len())
}

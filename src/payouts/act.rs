//! What people do with a payout: approve, submit, cancel, try again.

use mizan_ledger::postings::PayoutFailed;
use mizan_money::Money;
use mizan_money::id::PayoutId;
use sqlx::PgConnection;

use super::call;
use super::convert::FxRate;
use super::create::{NewPayout, create_payouts, price_again};
use super::desk::{ACTOR, Desk, event};
use super::error::{PayoutError, corrupt};
use super::gates::Approval;
use super::payout::{Payout, State};
use super::store;
use crate::payments::gateway::Gateways;
use crate::payments::plan::Plan;

/// A payout with its payee and itself locked.
pub(super) async fn locked(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    id: PayoutId,
) -> Result<Payout, PayoutError> {
    let unknown = || PayoutError::NotFound { id: id.to_string() };
    let payout = store::payout(conn, desk.tenant, id).await?.ok_or_else(unknown)?;
    store::lock_payee(conn, desk.tenant, &payout.payee).await?;
    store::lock_payout(conn, desk.tenant, id).await?.ok_or_else(unknown)
}

/// Looks at the gates again, with what is available now.
async fn look_again(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    payout: Payout,
) -> Result<Payout, PayoutError> {
    let heads = desk.hold(conn, std::slice::from_ref(&payout)).await?;
    let available = Desk::held(&heads, &payout)?.balance;
    let payout = price_again(payout, available)?;
    let settled = desk.settle(conn, vec![payout], &heads).await?.pop();
    settled.ok_or_else(|| corrupt("a payout was lost on the way"))
}

/// A second person agrees to the amount; where every other gate is open, the money is reserved.
///
/// # Errors
/// The key that made it, a state behind the gates, the database.
pub async fn approve(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    id: PayoutId,
) -> Result<Payout, PayoutError> {
    let mut payout = locked(conn, desk, id).await?;
    if !payout.state.is_before_reserve() {
        return Err(payout.refuse("an approval", "a payout at its gates"));
    }
    if payout.created_by == desk.actor {
        return Err(PayoutError::OwnApproval { payout: id });
    }
    payout.approval = Some(Approval { by: desk.actor.clone(), up_to: payout.amount.minor() });
    look_again(conn, desk, payout).await
}

/// Looks at the gates again; or hands a payout over whose money is reserved: to its gateway,
/// where the payee has an account there and we have a connection, else to whoever does it by
/// hand.
///
/// # Errors
/// A state in which neither is possible, what holds it back, the database.
pub async fn submit(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    gateways: &Gateways,
    id: PayoutId,
) -> Result<Payout, PayoutError> {
    let mut payout = locked(conn, desk, id).await?;
    if payout.state.is_before_reserve() {
        return look_again(conn, desk, payout).await;
    }
    if payout.state != State::Reserved {
        return Err(payout.refuse("a submission", "one at its gates, or one that is reserved"));
    }
    if let Some(why) = desk.held_back(conn, &payout).await? {
        return Err(PayoutError::HeldBack { payout: id, why });
    }
    (payout.state, payout.submitted_at) = (State::Submitted, Some(desk.now));
    let mut plan = Plan::new(desk.now, ACTOR);
    plan.announce("payout.submitted", id.to_string(), None, event(&payout));
    store::save(conn, desk.tenant, &payout, desk.now).await?;
    let how = call::write(conn, desk, gateways, &payout).await?;
    desk.steps(conn, &payout, &[("submitted", how)]).await?;
    plan.announce_all(conn, desk.tenant, &[]).await?;
    Ok(payout)
}

/// Calls a payout off that was not handed over; what was reserved is available again.
///
/// # Errors
/// A state in which that is too late, the database.
pub async fn cancel(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    id: PayoutId,
    why: Option<String>,
) -> Result<Payout, PayoutError> {
    let mut payout = locked(conn, desk, id).await?;
    let reserved = payout.state == State::Reserved;
    if !reserved && !payout.state.is_before_reserve() {
        return Err(payout.refuse("a cancellation", "a payout that was not handed over"));
    }
    (payout.state, payout.ended_at) = (State::Cancelled, Some(desk.now));
    let mut plan = Plan::new(desk.now, ACTOR);
    let mut entry = None;
    if reserved {
        let posting = taken_back(&payout).posting()?;
        let (key, source) = (format!("{id}:cancelled"), id.to_string());
        entry = Some(plan.post("payout.cancelled", key, source, desk.now, posting)?);
    }
    plan.announce("payout.cancelled", id.to_string(), entry, event(&payout));
    let posted = plan.post_all(conn, desk.tenant).await?;
    store::save(conn, desk.tenant, &payout, desk.now).await?;
    desk.steps(conn, &payout, &[("cancelled", why)]).await?;
    plan.announce_all(conn, desk.tenant, &posted).await?;
    Ok(payout)
}

/// The money goes from the rail back to what is available.
pub(super) fn taken_back(payout: &Payout) -> PayoutFailed {
    PayoutFailed {
        payee: payout.payee.clone(),
        rail: payout.rail.clone(),
        amount: payout.amount,
        pays: payout.pays,
    }
}

/// A new attempt of a payout that did not arrive: a payout of its own, linked to it. It pays what
/// was asked for then; where that was all there was, all there is now.
///
/// # Errors
/// A payout that did arrive or may yet, one that was retried before, the database.
pub async fn retry(
    conn: &mut PgConnection,
    desk: &Desk<'_>,
    id: PayoutId,
    rail: Option<String>,
    rate: Option<(FxRate, String)>,
) -> Result<Payout, PayoutError> {
    let payout = locked(conn, desk, id).await?;
    if !matches!(payout.state, State::Failed | State::Returned | State::Cancelled) {
        return Err(payout.refuse("a new attempt", "a payout that failed or came back"));
    }
    let attempts = store::attempts(conn, desk.tenant, id).await?;
    if attempts.iter().any(|it| it.retry_of == Some(id)) {
        return Err(PayoutError::RetriedBefore { payout: id });
    }
    let again = payout.conversion.map(|it| (it.rate, it.source));
    let command = NewPayout {
        payee: payout.payee,
        currency: payout.amount.currency(),
        asked: payout.asked,
        rail: rail.or(Some(payout.rail)),
        pay_currency: Some(Money::currency(payout.pays)),
        rate: rate.or(again),
        retry_of: Some(id),
        run: None,
    };
    let made = create_payouts(conn, desk, &[command]).await?.pop();
    made.ok_or_else(|| corrupt("a payout was lost on the way"))?
}

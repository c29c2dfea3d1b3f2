//! What follows from a payment's changes in customers' wallets and for affiliates, in the same
//! transaction.
//!
//! What a payment decides is pure; its sides have rows of their own. So they are told by what
//! differs from the payment as it was loaded, and each of them takes the same message twice for
//! once. A payment without a customer and without an affiliate costs no statement here.

use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Money, TenantId};
use sqlx::PgConnection;

use super::error::PaymentError;
use super::intent::{Payment, Refund, RefundState};
use super::line::Component;
use super::plan::Plan;
use super::wallet_part::WalletState;
use crate::affiliates::{self, LineBack, SplitLine};
use crate::vendors::WhoBears;
use crate::wallets::{self, RefundOfOrder};

/// What a payment's side has to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Captured,
    Spent,
    Released,
    Promised(RefundId),
    Succeeded(RefundId),
    Failed(RefundId),
}

/// Tells the sides of locked payments what has changed; what they post joins the plan.
///
/// # Errors
/// The database; a wallet that says otherwise.
pub(super) async fn follow(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let changed: Vec<(&Payment, Vec<Change>)> = payments
        .iter()
        .map(|payment| (payment, changes(payment)))
        .filter(|(_, changes)| !changes.is_empty())
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    lock(conn, tenant, changed.iter().map(|(payment, _)| *payment)).await?;
    for (payment, changes) in changed {
        for change in changes {
            tell(conn, tenant, payment, change, plan).await?;
        }
    }
    Ok(())
}

/// Locks the sides of locked payments, in the order in which everybody locks them.
///
/// # Errors
/// The database.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: impl Iterator<Item = &Payment>,
) -> Result<(), PaymentError> {
    let (mut customers, mut attributed) = (Vec::new(), Vec::new());
    for Payment { intent, .. } in payments {
        let add = |to: &mut Vec<PaymentIntentId>, has: bool| {
            if has {
                to.push(intent.id);
            }
        };
        add(&mut customers, intent.customer.is_some());
        add(&mut attributed, intent.attribution.is_some());
    }
    if !customers.is_empty() {
        wallets::lock(conn, tenant, &customers).await?;
    }
    if !attributed.is_empty() {
        affiliates::lock(conn, tenant, &attributed).await?;
    }
    Ok(())
}

/// What of a payment differs from what is stored, as far as a side may want to know.
fn changes(payment: &Payment) -> Vec<Change> {
    let intent = &payment.intent;
    if intent.customer.is_none() && intent.attribution.is_none() {
        return Vec::new();
    }
    let before = payment.before();
    let mut changes = Vec::new();
    let wallet = before.wallet_state();
    if before.captured_nothing() && intent.captured.is_positive() {
        changes.push(Change::Captured);
    }
    match (wallet, intent.wallet.state) {
        (WalletState::Held, WalletState::Spent) => changes.push(Change::Spent),
        (WalletState::Held, WalletState::Released) => changes.push(Change::Released),
        _ => {}
    }
    for refund in &payment.refunds {
        let was = before.refund_state(refund.id);
        let own = refund.repays.is_none() && !refund.is_beyond();
        if was.is_none() && own {
            changes.push(Change::Promised(refund.id));
        }
        match refund.state {
            state if was == Some(state) => {}
            RefundState::Succeeded if was != Some(RefundState::Bounced) => {
                changes.push(Change::Succeeded(refund.id));
            }
            RefundState::Failed if own => changes.push(Change::Failed(refund.id)),
            _ => {}
        }
    }
    changes
}

async fn tell(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    change: Change,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let id = payment.intent.id;
    match change {
        Change::Captured => record_split(conn, tenant, payment, plan).await?,
        Change::Spent => wallets::spend(conn, tenant, id).await?,
        Change::Released => {
            wallets::release(conn, tenant, id, plan).await?;
        }
        Change::Promised(refund) => {
            let Some(refund) = payment.refund(refund) else { return Ok(()) };
            if refund.origin != "api" {
                // What was made at the gateway went back whole: nothing of it can be kept.
                claw_back(
                    conn,
                    tenant,
                    payment,
                    refund,
                    Money::zero(payment.intent.currency),
                    plan,
                )
                .await?;
            }
            reverse(conn, tenant, payment, refund, plan).await?;
        }
        Change::Succeeded(refund) => {
            let Some(refund) = payment.refund(refund) else { return Ok(()) };
            let (now, promo) = (plan.now(), refund.to_promo);
            wallets::give_back(conn, tenant, now, refund.id, id, promo).await?;
        }
        Change::Failed(refund) => {
            wallets::undo_claw_back(conn, tenant, refund, plan).await?;
            affiliates::undo_claw_back(conn, tenant, refund, plan).await?;
        }
    }
    Ok(())
}

/// What a vendor pays to who sent the customer was split at the capture.
async fn record_split(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    plan: &Plan,
) -> Result<(), PaymentError> {
    let of_vendor = |it: &&super::Attribution| it.funded_by == WhoBears::Vendor;
    let attribution = payment.intent.attribution.as_ref().filter(of_vendor);
    let Some(attribution) = attribution else { return Ok(()) };
    let mut lines = Vec::new();
    for line in &payment.lines {
        let commission = line.amount_of(Component::Affiliate);
        if commission.is_positive() {
            lines.push(SplitLine { line: line.n, base: line.net()?, commission });
        }
    }
    let (now, attribution) = (plan.now(), attribution.into());
    affiliates::record_split(conn, tenant, now, payment.intent.id, &lines, &attribution).await?;
    Ok(())
}

/// Takes back of the order's cashback what a refund is of the order; answers what has to be kept
/// back from the refund, because it was spent.
///
/// # Errors
/// The database.
pub(super) async fn claw_back(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    refund: &Refund,
    withhold_at_most: Money,
    plan: &mut Plan,
) -> Result<Money, PaymentError> {
    let zero = Money::zero(payment.intent.currency);
    if payment.intent.customer.is_none() {
        return Ok(zero);
    }
    // A refund that is promised already is no longer refundable.
    let promised = payment.refunds.iter().any(|it| it.id == refund.id);
    let left = Money::new(payment.intent.refundable_minor(), payment.intent.currency);
    let refundable_before = match promised {
        true => left.checked_add(refund.amount)?,
        false => left,
    };
    let of = RefundOfOrder {
        refund: refund.id,
        payment: payment.intent.id,
        refunded: refund.amount,
        refundable_before,
        withhold_at_most,
    };
    Ok(wallets::claw_back(conn, tenant, &of, plan).await?.withheld)
}

/// Takes back of the affiliate's commissions what a refund is of their lines.
async fn reverse(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    refund: &Refund,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let Some(attribution) = &payment.intent.attribution else { return Ok(()) };
    let mut lines = Vec::with_capacity(refund.parts.len());
    for given in &refund.parts {
        let Some(line) = payment.lines.iter().find(|line| line.n == given.n) else { continue };
        let refunded = given.paid.checked_add(given.coupon)?;
        let part = given.parts.iter().find(|(component, _)| *component == Component::Affiliate);
        let booked = part.map_or(Money::zero(refunded.currency()), |(_, amount)| *amount);
        lines.push(LineBack {
            line: line.n,
            refunded,
            refundable_before: line.value_left()?.checked_add(refunded)?,
            booked: (attribution.funded_by == WhoBears::Vendor).then_some(booked),
        });
    }
    let (refund, payment) = (refund.id, payment.intent.id);
    affiliates::claw_back(conn, tenant, refund, payment, &lines, plan).await?;
    Ok(())
}

//! Refunding: promised in the books first, then asked of the gateway.

use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{Money, TenantId, Timestamp};
use mizan_providers::{ProviderRef, Recovery, RefundReason};
use sqlx::PgConnection;

mod facts;
mod promise;

pub use facts::requested_key;
pub use promise::Way;

use super::apply::write_posted;
use super::ask::{Step, gateway_of, send};
use super::error::PaymentError;
use super::gateway::{Gateway, Gateways};
use super::intent::{IntentState, Metadata, Payment, Refund, RefundState};
use super::operation::{Operation, OperationKind};
use super::plan::Plan;
use super::split::Wanted;
use super::word::{self, Word};
use super::{sides, store};

/// What is to go back.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// Of which payment.
    pub payment: PaymentIntentId,
    /// How much in minor units; else all that is left.
    pub amount: Option<i64>,
    /// Only these lines, each with how much; else over all in proportion.
    pub lines: Option<Vec<Wanted>>,
    /// Into the customer's wallet, also what a gateway had taken.
    pub to_wallet: bool,
    /// Why.
    pub reason: RefundReason,
    /// The shop's pairs.
    pub metadata: Metadata,
}

impl Payment {
    /// A refund of this amount that bounced and is not being repaid: the buyer is owed it.
    pub fn owed_again(&self, amount: Money) -> Option<&Refund> {
        self.refunds.iter().find(|bounced| {
            let repays =
                |r: &&Refund| r.repays == Some(bounced.id) && r.state != RefundState::Failed;
            bounced.state == RefundState::Bounced
                && bounced.gateway_part() == amount
                && !self.refunds.iter().any(|refund| repays(&refund))
        })
    }

    /// The gateway's ids of the refunds beside one.
    pub fn known_refunds(&self, beside: RefundId) -> Vec<ProviderRef> {
        let others = self.refunds.iter().filter(|refund| refund.id != beside);
        others.filter_map(|refund| refund.provider_ref.clone()).collect()
    }
}

/// Promises a refund and writes the question to the gateway down. The intent's lock makes
/// refunds of one payment wait for each other, so together they never exceed what was taken.
///
/// # Errors
/// A wrong state, more than is left, a gateway that cannot; the database.
pub async fn request_refund(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    gateways: &Gateways,
    asked: &NewRefund,
) -> Result<Step, PaymentError> {
    let id = asked.payment;
    let payment = store::lock(conn, tenant, &[id]).await?.pop();
    let mut payment = payment.ok_or_else(|| PaymentError::NotFound { id: id.to_string() })?;
    if payment.intent.captured.is_zero() {
        let state = payment.intent.state;
        let needs = match state {
            IntentState::RequiresCapture => "captured money: cancel releases the hold",
            _ => "captured money",
        };
        return Err(PaymentError::WrongState { payment: id, state, action: "refunding", needs });
    }
    if asked.to_wallet && payment.intent.customer.is_none() {
        let message = "the order names no customer whose wallet it could go to".to_owned();
        return Err(PaymentError::Invalid { param: "to".into(), message });
    }
    let amount = amount_of(&payment, asked)?;
    let taken = payment.attempts.iter().find(|attempt| attempt.captured.is_positive()).cloned();
    let gateway = match &taken {
        Some(attempt) => Some(gateway_of(gateways, attempt)?.clone()),
        None => None,
    };
    let mut refund = new_refund(&payment, asked, amount, taken.as_ref().map(|it| it.id), now);
    let refund_id = refund.id;
    let policy = store::policy(conn, tenant, std::slice::from_ref(&payment)).await?;
    let mut plan = Plan::new(now, "api");
    let step = gateway.as_ref().map_or(1, |it| it.provider.step(payment.intent.currency));
    if payment.owed_again(amount).is_none() {
        sides::lock(conn, tenant, std::iter::once(&payment)).await?;
        let all = refund.amount;
        refund.withheld = sides::claw_back(conn, tenant, &payment, &refund, all, &mut plan).await?;
    }
    let way = Way::Ours { lines: asked.lines.as_deref(), to_wallet: asked.to_wallet, step };
    payment.promise_refund(refund, way, &policy, &mut plan)?;
    let needs_gateway = payment.refund(refund_id).is_some_and(Refund::needs_gateway);
    let (true, Some(gateway), Some(attempt)) = (needs_gateway, gateway, taken) else {
        return settle_here(conn, tenant, payment, plan).await;
    };
    one_at_a_time(&payment, refund_id, &gateway)?;
    let mut operation = Operation::about_to_send(&payment, attempt.id, OperationKind::Refund, now);
    operation.refund = Some(refund_id);

    // What the gateway cannot do is refused when the question is written down, before anything
    // is posted.
    sides::follow(conn, tenant, std::slice::from_ref(&payment), &mut plan).await?;
    store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
    let call = send(conn, tenant, &payment, operation, &gateway).await?;
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    word::keep(conn, tenant, now, [Word::asked(call.operation)]).await?;
    Ok(Step::Call(call))
}

/// A refund as it is asked for; over which tenders it goes is still to be worked out.
fn new_refund(
    payment: &Payment,
    asked: &NewRefund,
    amount: Money,
    attempt: Option<AttemptId>,
    now: Timestamp,
) -> Refund {
    let nothing = Money::zero(payment.intent.currency);
    Refund {
        id: RefundId::generate(now),
        attempt,
        amount,
        charge: nothing,
        to_cash: nothing,
        to_promo: nothing,
        cash_part: nothing,
        withheld: nothing,
        reason: asked.reason.as_str().to_owned(),
        state: RefundState::Sent,
        status_at: now,
        origin: "api",
        provider_ref: None,
        failure_reason: None,
        parts: Vec::new(),
        repays: None,
        metadata: asked.metadata.clone(),
        created_at: now,
        updated_at: now,
    }
}

/// How much is to go back: what was asked for, what the named lines come to, or all that is left.
fn amount_of(payment: &Payment, asked: &NewRefund) -> Result<Money, PaymentError> {
    let id = payment.intent.id;
    let left = Money::new(payment.intent.refundable_minor(), payment.intent.currency);
    let lines = payment.lines_left()?;
    let of_line = |(n, amount): &Wanted| {
        let line = lines.iter().find(|line| line.n == *n);
        amount.or(line.map(|line| line.paid_left().minor())).unwrap_or(0)
    };
    let of_lines = asked.lines.as_ref().map(|lines| lines.iter().map(of_line).sum());
    let amount = asked.amount.or(of_lines).unwrap_or(left.minor());
    let amount = Money::new(amount, payment.intent.currency);
    let owed = payment.owed_again(amount).is_some();
    if !amount.is_positive() && !left.is_zero() {
        let message = "refund at least one minor unit".to_owned();
        return Err(PaymentError::Invalid { param: "amount".into(), message });
    }
    if !owed && (amount.minor() > left.minor() || left.is_zero()) {
        return Err(PaymentError::TooMuch { payment: id, action: "refund", asked: amount, left });
    }
    Ok(amount)
}

/// A refund that no gateway has a part in is done at once.
async fn settle_here(
    conn: &mut PgConnection,
    tenant: TenantId,
    mut payment: Payment,
    mut plan: Plan,
) -> Result<Step, PaymentError> {
    let (now, last) = (plan.now(), payment.refunds.len() - 1);
    payment.settle_refund(last, now, &mut plan)?;
    write_posted(conn, tenant, std::slice::from_ref(&payment), plan).await?;
    Ok(Step::Done(payment))
}

/// A gateway without keys tells refunds apart by what is known of the others: one of them at a
/// time may have no name.
fn one_at_a_time(
    payment: &Payment,
    beside: RefundId,
    gateway: &Gateway,
) -> Result<(), PaymentError> {
    let searched = matches!(gateway.recovery(OperationKind::Refund), Recovery::Find { .. });
    let nameless = |it: &Refund| {
        it.id != beside && it.is_open() && it.provider_ref.is_none() && it.needs_gateway()
    };
    match searched && payment.refunds.iter().any(nameless) {
        true => {
            let (payment, kind) = (payment.intent.id, "refund".to_owned());
            Err(PaymentError::OperationUnderWay { payment, kind })
        }
        false => Ok(()),
    }
}

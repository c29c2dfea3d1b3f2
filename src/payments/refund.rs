//! Refunding: promised in the books first, then asked of the gateway.

use mizan_money::id::{PaymentIntentId, RefundId};
use mizan_money::{Money, TenantId, Timestamp};
use mizan_providers::{Recovery, RefundReason};
use sqlx::PgConnection;

use super::ask::{Call, gateway_of, send};
use super::error::PaymentError;
use super::gateway::{Gateway, Gateways};
use super::intent::{IntentState, Metadata, Payment, Refund, RefundState};
use super::operation::{Operation, OperationKind};
use super::plan::Plan;
use super::store;
use super::word::{self, Word};

/// What is to go back.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// Of which payment.
    pub payment: PaymentIntentId,
    /// How much in minor units; else all that is left.
    pub amount: Option<i64>,
    /// Why.
    pub reason: RefundReason,
    /// The shop's pairs.
    pub metadata: Metadata,
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
) -> Result<(RefundId, Call), PaymentError> {
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
    let left = Money::new(payment.intent.refundable_minor(), payment.intent.currency);
    let amount = Money::new(asked.amount.unwrap_or(left.minor()), payment.intent.currency);
    let owed = payment.owed_again(amount).is_some();
    if !amount.is_positive() && !left.is_zero() {
        let message = "refund at least one minor unit".to_owned();
        return Err(PaymentError::Invalid { param: "amount".into(), message });
    }
    if !owed && (amount.minor() > left.minor() || left.is_zero()) {
        return Err(PaymentError::TooMuch { payment: id, action: "refund", asked: amount, left });
    }
    let taken = payment.attempts.iter().find(|attempt| attempt.captured.is_positive());
    let attempt = taken.ok_or_else(|| PaymentError::Corrupt {
        what: format!("{id} was captured and no attempt says so"),
    })?;
    let (attempt_id, gateway) = (attempt.id, gateway_of(gateways, attempt)?.clone());
    one_at_a_time(&payment, &gateway)?;
    let refund = Refund {
        id: RefundId::generate(now),
        attempt: attempt_id,
        amount,
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
    };
    let refund_id = refund.id;
    let policy = store::policy(conn, tenant).await?;
    let mut plan = Plan::new(now, "api");
    payment.promise_refund(refund, &policy, &mut plan)?;
    let mut operation = Operation::about_to_send(&payment, attempt_id, OperationKind::Refund, now);
    operation.refund = Some(refund_id);

    // What the gateway cannot do is refused when the question is written down, before anything
    // is posted.
    store::save(conn, tenant, std::slice::from_ref(&payment), now).await?;
    let call = send(conn, tenant, &payment, operation, &gateway).await?;
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    word::keep(conn, tenant, now, [Word::asked(call.operation)]).await?;
    Ok((refund_id, call))
}

/// A gateway without keys tells refunds apart by what is known of the others: one of them at a
/// time may have no name.
fn one_at_a_time(payment: &Payment, gateway: &Gateway) -> Result<(), PaymentError> {
    let searched = matches!(gateway.recovery(OperationKind::Refund), Recovery::Find { .. });
    let nameless = |it: &Refund| it.is_open() && it.provider_ref.is_none();
    match searched && payment.refunds.iter().any(nameless) {
        true => {
            let (payment, kind) = (payment.intent.id, "refund".to_owned());
            Err(PaymentError::OperationUnderWay { payment, kind })
        }
        false => Ok(()),
    }
}

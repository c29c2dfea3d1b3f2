//! Operations whose answer was lost, brought to an end the way their gateway has for that.

use mizan_money::TenantId;
use mizan_money::id::OperationId;
use mizan_providers::{
    Operation as Ask, Outcome, Recovery, SyncDispute, SyncPayment, SyncRefund, UnknownReason,
};

use super::ask::{Call, gateway_of};
use super::error::PaymentError;
use super::gateway::{Gateway, Repetition};
use super::intent::Payment;
use super::operation::{CALL_TIME_MAX, Operation, OperationKind, OperationState};
use super::settle::{Settled, find, give_up_undone, settle};
use super::store;
use super::sweep::{Told, call_and_settle, query_outcome, speak};
use crate::app::App;
use crate::db::work;
use crate::http::GatewayTime;

/// Asks about one operation that has no answer, in the way its gateway has for that: the same
/// again under the same key, a look by our own reference, or the payment's state.
///
/// # Errors
/// The database; a payment that cannot say what was asked.
pub async fn ask_again(
    app: &App,
    tenant: TenantId,
    id: OperationId,
) -> Result<Option<Settled>, PaymentError> {
    let Some(found) = find(app, tenant, id).await? else { return Ok(None) };
    if found.operation.state.is_final() {
        return Ok(Some(found));
    }
    let gateway = gateway_for(app, &found)?;
    // A refund that was accepted has a name by which it is asked about.
    let named = found.operation.kind == OperationKind::Refund
        && found.operation.state == OperationState::Pending;
    if let (Recovery::Find { after_seconds }, false) =
        (gateway.recovery(found.operation.kind), named)
    {
        return look_for(app, tenant, found, after_seconds).await;
    }
    let repeatable = recognises(app, &found)?;
    let Some(query) = query_instead(&found.operation, &found.payment, repeatable) else {
        return repeat(app, tenant, found).await;
    };
    let told = query_outcome(app, tenant, &found.payment, found.operation.attempt, query).await?;
    let Some(found) = find(app, tenant, id).await? else { return Ok(None) };
    if found.operation.state.is_final() || found.operation.state == OperationState::Pending {
        return Ok(Some(found));
    }
    // What failed before may work by now; what may not be repeated has come to nothing.
    match is_stuck(&found.operation) && recognises(app, &found)? {
        true => repeat(app, tenant, found).await,
        false if told == Told::Answer && !is_contradicted(&found.operation) => {
            give_up(app, tenant, id).await
        }
        false => Ok(None),
    }
}

fn gateway_for(app: &App, found: &Settled) -> Result<Gateway, PaymentError> {
    let id = found.operation.attempt;
    let attempt = found.payment.attempt(id).ok_or(PaymentError::UnknownAttempt { attempt: id })?;
    gateway_of(&app.gateways, attempt).cloned()
}

/// Whether the gateway would still take a repetition for one.
fn recognises(app: &App, found: &Settled) -> Result<bool, PaymentError> {
    let (gateway, operation) = (gateway_for(app, found)?, &found.operation);
    Ok(gateway.recognises(operation.kind, operation.created_at, app.now_for(gateway.tenant)))
}

/// Looks for an operation by our own reference. Where the gateway, asked late enough, knows
/// nothing of it, nothing happened, and it is sent again.
async fn look_for(
    app: &App,
    tenant: TenantId,
    found: Settled,
    after_seconds: u32,
) -> Result<Option<Settled>, PaymentError> {
    let (gateway, operation) = (gateway_for(app, &found)?, &found.operation);
    let ask = Ask::Find(Box::new(operation.ask(&found.payment)?));
    let request = gateway.build(&ask, &operation.key)?;
    let (outcome, archive) = speak(app, &gateway, &ask, request, Repetition::First).await;
    let why = match &outcome {
        // A refused search says nothing about what was searched for.
        Outcome::Rejected(rejection) => Some((rejection.reason.as_str(), false)),
        Outcome::Unknown(unknown) => {
            Some((unknown.why.code(), matches!(unknown.why, UnknownReason::NotFound { .. })))
        }
        _ => None,
    };
    if let Some((why, nothing)) = why {
        let age = app.now_for(tenant) - operation.sent_at;
        let late_enough = age >= chrono::Duration::seconds(after_seconds.into()) + CALL_TIME_MAX;
        let open = matches!(operation.state, OperationState::Sent | OperationState::Unknown);
        if nothing && late_enough && open && !is_contradicted(operation) {
            return send_once_more(app, tenant, found, gateway).await;
        }
        tracing::warn!(id = %operation.id, why, "the gateway did not tell");
        return Ok(None);
    }
    let (id, now) = (operation.id, app.now_for(tenant));
    let (outcome, archive) = (&outcome, &archive);
    let settled = app.db.transaction("settle", tenant, |tx| {
        work(async move { settle(tx, tenant, now, id, outcome, archive).await })
    });
    settled.await.map(Some)
}

/// Ends an operation that the gateway, asked about the payment, shows not to have happened.
async fn give_up(
    app: &App,
    tenant: TenantId,
    id: OperationId,
) -> Result<Option<Settled>, PaymentError> {
    let now = app.now_for(tenant);
    app.db
        .transaction("give_up", tenant, |tx| {
            work(async move { give_up_undone(tx, tenant, now, id).await })
        })
        .await?;
    find(app, tenant, id).await
}

/// Sends the very same request again, as long as the gateway knows its key.
async fn repeat(
    app: &App,
    tenant: TenantId,
    found: Settled,
) -> Result<Option<Settled>, PaymentError> {
    let gateway = gateway_for(app, &found)?;
    if !recognises(app, &found)? {
        // A repetition would be a new request there. Only a webhook or a person can tell.
        let id = found.operation.id;
        tracing::error!(%id, "has no outcome, and the gateway no longer knows its key");
        return Ok(None);
    }
    send_again(app, tenant, found, gateway).await
}

/// Sends again what the gateway knows nothing of: whoever takes its turn first does, and nobody
/// else before that answer could have come.
async fn send_once_more(
    app: &App,
    tenant: TenantId,
    found: Settled,
    gateway: Gateway,
) -> Result<Option<Settled>, PaymentError> {
    let (id, sent_at, now) = (found.operation.id, found.operation.sent_at, app.now_for(tenant));
    let mine = app.db.transaction("send_once_more", tenant, |tx| {
        work(async move { store::take_sending(tx, tenant, id, sent_at, now).await })
    });
    match mine.await? {
        true => send_again(app, tenant, found, gateway).await,
        false => Ok(None),
    }
}

async fn send_again(
    app: &App,
    tenant: TenantId,
    found: Settled,
    gateway: Gateway,
) -> Result<Option<Settled>, PaymentError> {
    let Settled { operation, payment } = found;
    let id = operation.id;
    let ask = operation.ask(&payment)?;
    let request = gateway.build(&ask, &operation.key)?;
    if operation.request_hash.as_deref() != Some(request.fingerprint().as_str()) {
        // The gateway would take it for a reuse of the key; a person has to look.
        let what = format!("{id}: the request would not be the same as the one sent before");
        return Err(PaymentError::Corrupt { what });
    }
    let call = Call { operation: id, ask, request, gateway };
    let waited = GatewayTime::default();
    call_and_settle(app, tenant, &call, Repetition::AfterUnknown, &waited).await.map(Some)
}

/// Whether repeating it was of no use so far.
fn is_stuck(operation: &Operation) -> bool {
    operation.state == OperationState::Unknown
        && operation.checks > 1
        && !is_contradicted(operation)
}

/// Whether the answer was about something else than what was asked.
fn is_contradicted(operation: &Operation) -> bool {
    let outcome = operation.outcome.as_ref().and_then(|outcome| outcome.get("outcome"));
    outcome.and_then(serde_json::Value::as_str) == Some("mismatch")
}

/// A gateway that accepted is asked for the result; one that keeps failing under our key is
/// asked what it knows, once it has given us a reference to ask by; so is one whose answer
/// contradicted what was asked, and one whose key the gateway has forgotten.
fn query_instead(operation: &Operation, payment: &Payment, repeatable: bool) -> Option<Ask> {
    let attempt = payment.attempt(operation.attempt)?;
    let asked = operation.state == OperationState::Pending || is_contradicted(operation);
    if repeatable && !asked && !is_stuck(operation) {
        return None;
    }
    if let Some(dispute) = operation.dispute.and_then(|id| payment.dispute(id)) {
        let provider_ref = dispute.provider_ref.clone();
        return Some(Ask::SyncDispute(SyncDispute { provider_ref }));
    }
    let payment_ref = attempt.provider_ref.clone()?;
    if operation.kind == OperationKind::Refund {
        let refund = payment.refund(operation.refund?)?;
        return Some(Ask::SyncRefund(SyncRefund {
            refund: refund.id,
            provider_ref: refund.provider_ref.clone()?,
            payment_ref,
            charge_ref: attempt.charge_ref.clone(),
            amount: refund.charge,
        }));
    }
    Some(Ask::Sync(SyncPayment {
        payment: payment.intent.id,
        provider_ref: payment_ref,
        charge_ref: attempt.charge_ref.clone(),
        amount: attempt.charge,
    }))
}

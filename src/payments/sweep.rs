//! Asking again: operations without an answer, and fees that are not known yet.
//!
//! An operation that was sent and has no answer is repeated with its own key, as the very same
//! request; one that the gateway accepted is asked about. Never is another gateway tried.

use mizan_money::TenantId;
use mizan_money::id::{AttemptId, OperationId, PaymentIntentId};
use mizan_providers::{
    Archive, HttpRequest, Operation as Ask, Outcome, Recovery, Subject, SyncPayment, SyncRefund,
    UnknownReason,
};
use tokio::task::JoinSet;

use super::apply::{Fact, Said, apply};
use super::ask::{Call, confirm_agreed, gateway_of};
use super::due::{take_due_attempts, take_due_operations, was_asked};
use super::error::PaymentError;
use super::gateway::{Gateway, Repetition};
use super::intent::Payment;
use super::operation::{Operation, OperationKind, OperationState};
use super::settle::{Settled, find, give_up_undone, settle};
use super::store;
use super::word::{self, Word};
use crate::app::App;
use crate::clock::Monotonic;
use crate::db::work;
use crate::http::GatewayTime;

/// How many rounds one sweep makes per tenant.
const ROUNDS_MAX: usize = 25;

/// What one sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Operations asked about.
    pub operations: usize,
    /// Attempts asked about: for a fee, for a page nobody came back from, on a hint.
    pub attempts: usize,
}

/// Asks about everything that is due, for every tenant. One failure does not stop the rest.
///
/// # Errors
/// The database could not be read.
pub async fn sweep(app: &App) -> Result<Swept, PaymentError> {
    let mut swept = Swept::default();
    for tenant in app.db.tenant_ids().await? {
        match sweep_tenant(app, tenant).await {
            Ok(done) => {
                swept.operations += done.operations;
                swept.attempts += done.attempts;
            }
            Err(error) => tracing::warn!(%tenant, %error, "the tenant could not be swept"),
        }
    }
    Ok(swept)
}

/// Takes a few at a time and asks about them at once, so that one silent gateway does not hold
/// up everything, and what is taken is soon asked.
async fn sweep_tenant(app: &App, tenant: TenantId) -> Result<Swept, PaymentError> {
    let mut swept = Swept::default();
    for _ in 0..ROUNDS_MAX {
        let mut asking = JoinSet::new();
        for (id, checks) in take_due_operations(app, tenant).await? {
            swept.operations += 1;
            let app = app.clone();
            asking.spawn(async move {
                if let Err(error) = ask_again(&app, tenant, id).await {
                    tracing::warn!(%id, %error, "the operation could not be asked about");
                }
                if let Err(error) = was_asked(&app, tenant, id, checks).await {
                    tracing::warn!(%id, %error, "the operation will soon be asked about again");
                }
            });
        }
        for (intent, attempt) in take_due_attempts(app, tenant).await? {
            swept.attempts += 1;
            let app = app.clone();
            asking.spawn(async move {
                if let Err(error) = sync(&app, tenant, intent, attempt).await {
                    tracing::warn!(%attempt, %error, "the attempt could not be asked about");
                }
            });
        }
        if asking.is_empty() {
            break;
        }
        asking.join_all().await;
    }
    Ok(swept)
}

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
    let asked_for =
        found.operation.state == OperationState::Pending || is_contradicted(&found.operation);
    if let (Recovery::Find { after_seconds }, false) =
        (gateway.recovery(found.operation.kind), asked_for)
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
        false if told == Told::Answer => give_up(app, tenant, id).await,
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
    Ok(gateway.recognises(operation.kind, operation.created_at, app.clock.now()))
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
    if let Outcome::Unknown(unknown) = &outcome {
        let age = app.clock.now() - operation.created_at;
        let nothing = matches!(unknown.why, UnknownReason::NotFound { .. });
        if nothing && age >= chrono::Duration::seconds(after_seconds.into()) {
            return send_again(app, tenant, found, gateway).await;
        }
        tracing::warn!(id = %operation.id, why = unknown.why.code(), "the gateway did not tell");
        return Ok(None);
    }
    let (id, now) = (operation.id, app.clock.now());
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
    let now = app.clock.now();
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

/// Speaks with a gateway and learns from it whether it works.
async fn speak(
    app: &App,
    gateway: &Gateway,
    ask: &Ask,
    request: HttpRequest,
    repetition: Repetition,
) -> (Outcome, Archive) {
    let (outcome, archive) = gateway.call(ask, request, repetition).await;
    let now = app.clock.now();
    gateway.breaker.learn(&outcome, now);
    let circuit = gateway.breaker.circuit(now);
    app.metrics.called(&gateway.connection, outcome.as_str(), circuit.figure());
    (outcome, archive)
}

/// Calls the gateway, outside any transaction, and writes down what it came to. The time of the
/// call is added to `waited`.
///
/// # Errors
/// The database, in writing it down; the sweeper then asks again.
pub async fn call_and_settle(
    app: &App,
    tenant: TenantId,
    call: &Call,
    repetition: Repetition,
    waited: &GatewayTime,
) -> Result<Settled, PaymentError> {
    let watch = Monotonic::start();
    let (outcome, archive) =
        speak(app, &call.gateway, &call.ask, call.request.clone(), repetition).await;
    waited.add(watch.elapsed());
    let (now, outcome, archive) = (app.clock.now(), &outcome, &archive);
    app.db
        .transaction("settle", tenant, |tx| {
            work(async move { settle(tx, tenant, now, call.operation, outcome, archive).await })
        })
        .await
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
    let payment_ref = attempt.provider_ref.clone()?;
    if operation.kind == OperationKind::Refund {
        let refund = payment.refund(operation.refund?)?;
        return Some(Ask::SyncRefund(SyncRefund {
            refund: refund.id,
            provider_ref: refund.provider_ref.clone()?,
            payment_ref,
            charge_ref: attempt.charge_ref.clone(),
            amount: refund.amount,
        }));
    }
    Some(Ask::Sync(SyncPayment {
        payment: payment.intent.id,
        provider_ref: payment_ref,
        charge_ref: attempt.charge_ref.clone(),
        amount: payment.intent.amount,
    }))
}

/// Asks about everything of one payment: what has no answer, and what the gateway knows.
///
/// # Errors
/// The database.
pub async fn sync_payment(
    app: &App,
    tenant: TenantId,
    payment: &Payment,
) -> Result<(), PaymentError> {
    let intent = payment.intent.id;
    let operations = app
        .db
        .read("operations", tenant, |tx| {
            work(async move { store::open_operations(tx, tenant, intent).await })
        })
        .await?;
    // One that is on its way at this moment is left to whoever sent it.
    let now = app.clock.now();
    let waiting = |o: &&Operation| {
        o.state != OperationState::Sent || o.next_check_at.is_some_and(|at| at <= now)
    };
    for operation in operations.iter().filter(waiting) {
        if let Err(error) = ask_again(app, tenant, operation.id).await {
            tracing::warn!(id = %operation.id, %error, "the operation could not be asked about");
        }
    }
    match payment.current_attempt() {
        Some(attempt) => sync(app, tenant, intent, attempt.id).await,
        None => Ok(()),
    }
}

/// Asks the gateway what it knows of an attempt and applies it.
///
/// # Errors
/// The database; an attempt that has no reference at the gateway yet.
pub async fn sync(
    app: &App,
    tenant: TenantId,
    intent: PaymentIntentId,
    attempt: AttemptId,
) -> Result<(), PaymentError> {
    let payment =
        app.db
            .read("payment", tenant, |tx| {
                work(async move {
                    Ok::<_, PaymentError>(store::load(tx, tenant, &[intent]).await?.pop())
                })
            })
            .await?;
    let payment = payment.ok_or_else(|| PaymentError::NotFound { id: intent.to_string() })?;
    let known = payment.attempt(attempt).ok_or(PaymentError::UnknownAttempt { attempt })?;
    let Some(provider_ref) = known.provider_ref.clone() else { return Ok(()) };
    let amount = payment.intent.amount;
    let charge_ref = known.charge_ref.clone();
    let query = Ask::Sync(SyncPayment { payment: intent, provider_ref, charge_ref, amount });
    query_outcome(app, tenant, &payment, attempt, query).await?;
    take_agreed(app, tenant, intent).await
}

/// Takes, or holds, what the customer agreed to, where the gateway waits for our word.
async fn take_agreed(
    app: &App,
    tenant: TenantId,
    intent: PaymentIntentId,
) -> Result<(), PaymentError> {
    let (now, gateways) = (app.clock.now(), &app.gateways);
    let call = app
        .db
        .transaction("take_agreed", tenant, |tx| {
            work(async move { confirm_agreed(tx, tenant, now, gateways, intent).await })
        })
        .await?;
    let Some(call) = call else { return Ok(()) };
    let waited = GatewayTime::default();
    call_and_settle(app, tenant, &call, Repetition::First, &waited).await.map(|_| ())
}

/// Whether a query was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// It was, and what it says is applied.
    Answer,
    /// Nothing that could be used.
    Nothing,
}

async fn query_outcome(
    app: &App,
    tenant: TenantId,
    payment: &Payment,
    attempt: AttemptId,
    query: Ask,
) -> Result<Told, PaymentError> {
    let known = payment.attempt(attempt).ok_or(PaymentError::UnknownAttempt { attempt })?;
    let gateway = gateway_of(&app.gateways, known)?;
    let request = gateway.build(&query, &format!("mizan-{attempt}-query"))?;
    let (outcome, _) = speak(app, gateway, &query, request, Repetition::First).await;
    let answer = match &outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => answer,
        // Said twice, so it is a fact; unless it is about something else altogether.
        Outcome::Mismatch(told) if !["reference", "provider_ref"].contains(&told.field) => {
            &told.answer
        }
        other => {
            tracing::warn!(%attempt, outcome = other.as_str(), "the gateway did not tell");
            return Ok(Told::Nothing);
        }
    };
    let fact = match (&answer.subject, &query) {
        (Subject::Payment(fact), _) => Fact::Payment(attempt, fact.clone()),
        (Subject::Refund(fact), Ask::SyncRefund(asked)) => Fact::Refund(asked.refund, fact.clone()),
        _ => return Ok(Told::Nothing),
    };
    let now = app.clock.now();
    let told = &Word::told(payment.intent.id, &fact);
    let said = &[Said { intent: payment.intent.id, fact, at: now }];
    app.db
        .transaction("apply_sync", tenant, |tx| {
            work(async move {
                apply(tx, tenant, now, "sync", said).await?;
                word::keep(tx, tenant, now, [told.clone()]).await
            })
        })
        .await?;
    Ok(Told::Answer)
}

//! Asking again: operations without an answer, and fees that are not known yet.
//!
//! An operation that was sent and has no answer is repeated with its own key, as the very same
//! request; one that the gateway accepted is asked about. Never is another gateway tried.

use mizan_money::TenantId;
use mizan_money::id::{AttemptId, PaymentIntentId};
use mizan_providers::{
    Answer, Archive, HttpRequest, Operation as Ask, Outcome, Subject, SyncPayment,
};
use tokio::task::JoinSet;

mod disputes;
mod expire;

use self::disputes::{ask_about, take_due_questions};
use self::expire::expire_checkouts;
use super::apply::{Fact, Said, apply};
use super::ask::{Call, confirm_agreed, gateway_of};
use super::due::{take_due_attempts, take_due_operations, was_asked};
use super::error::PaymentError;
use super::facts::Effect;
use super::gateway::{Gateway, Repetition};
use super::intent::{Attempt, Payment};
use super::operation::{Operation, OperationState};
use super::recover::ask_again;
use super::settle::{Settled, settle};
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
    /// Disputes asked about, on a hint.
    pub disputes: usize,
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
                swept.disputes += done.disputes;
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
    expire_checkouts(app, tenant).await?;
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
        for question in take_due_questions(app, tenant).await? {
            swept.disputes += 1;
            let app = app.clone();
            asking.spawn(async move {
                if let Err(error) = ask_about(&app, tenant, &question).await {
                    tracing::warn!(%error, "the dispute could not be asked about");
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

/// Speaks with a gateway and learns from it whether it works.
pub(super) async fn speak(
    app: &App,
    gateway: &Gateway,
    ask: &Ask,
    request: HttpRequest,
    repetition: Repetition,
) -> (Outcome, Archive) {
    let (outcome, archive) = gateway.call(ask, request, repetition).await;
    let now = app.now_for(gateway.tenant);
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
    let (now, outcome, archive) = (app.now_for(tenant), &outcome, &archive);
    app.db
        .transaction("settle", tenant, |tx| {
            work(async move { settle(tx, tenant, now, call.operation, outcome, archive).await })
        })
        .await
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
    let now = app.now_for(tenant);
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
    let amount = known.charge;
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
    let (now, gateways) = (app.now_for(tenant), &app.gateways);
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
pub(super) enum Told {
    /// It was, and what it says is applied.
    Answer,
    /// Nothing that could be used.
    Nothing,
}

pub(super) async fn query_outcome(
    app: &App,
    tenant: TenantId,
    payment: &Payment,
    attempt: AttemptId,
    query: Ask,
) -> Result<Told, PaymentError> {
    let known = payment.attempt(attempt).ok_or(PaymentError::UnknownAttempt { attempt })?;
    let Some(answer) = ask_gateway(app, known, &query).await? else { return Ok(Told::Nothing) };
    let fact = match (answer.subject, &query) {
        (Subject::Payment(fact), _) => Fact::Payment(attempt, fact),
        (Subject::Refund(fact), Ask::SyncRefund(asked)) => Fact::Refund(asked.refund, fact),
        (Subject::Dispute(fact), _) => Fact::DisputeAnswer(attempt, fact),
        _ => return Ok(Told::Nothing),
    };
    take_in(app, tenant, payment.intent.id, fact).await?;
    Ok(Told::Answer)
}

/// Asks a gateway what it knows; none where it did not tell.
async fn ask_gateway(
    app: &App,
    known: &Attempt,
    query: &Ask,
) -> Result<Option<Answer>, PaymentError> {
    let gateway = gateway_of(&app.gateways, known)?;
    let request = gateway.build(query, &format!("mizan-{}-query", known.id))?;
    let (outcome, _) = speak(app, gateway, query, request, Repetition::First).await;
    Ok(match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => Some(answer),
        // Said twice, so it is a fact; unless it is about something else altogether.
        Outcome::Mismatch(told) if !["reference", "provider_ref"].contains(&told.field) => {
            Some(told.answer)
        }
        other => {
            let attempt = known.id;
            tracing::warn!(%attempt, outcome = other.as_str(), "the gateway did not tell");
            None
        }
    })
}

/// Applies what a gateway told, and keeps that it did.
async fn take_in(
    app: &App,
    tenant: TenantId,
    intent: PaymentIntentId,
    fact: Fact,
) -> Result<Vec<Effect>, PaymentError> {
    let now = app.now_for(tenant);
    let told = &Word::told(intent, &fact);
    let said = &[Said { intent, fact, at: now }];
    app.db
        .transaction("apply_sync", tenant, |tx| {
            work(async move {
                let effects = apply(tx, tenant, now, "sync", said).await?;
                word::keep(tx, tenant, now, [told.clone()]).await?;
                Ok(effects)
            })
        })
        .await
}

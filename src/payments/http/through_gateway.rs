//! Requests that go through a gateway: idempotency across a call, and the answer to each end.
//!
//! The key and the operation commit together before the call; the answer is kept after it. A
//! key whose answer was never kept (a crash, a lost connection) answers from the operation.

use axum::http::StatusCode;
use axum::response::Response;
use mizan_money::id::{DisputeId, OperationId};
use mizan_providers::Operation;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::app::App;
use crate::auth::Caller;
use crate::db::{Work, work};
use crate::disputes::DisputeView;
use crate::http::{
    Chain, Claim, Code, GatewayTime, Idempotent, Keep, Problem, Replay, StoredAnswer,
    attach_operation, claim, finish, keep_refusal,
};
use crate::payments::ask::{Call, Step, confirm_elsewhere};
use crate::payments::error::PaymentError;
use crate::payments::gateway::Repetition;
use crate::payments::operation::{CALL_TIME_MAX, OperationKind, OperationState};
use crate::payments::settle::{Settled, find};
use crate::payments::sweep::call_and_settle;
use crate::payments::view::{IntentView, RefundView};
use crate::payments::{Payment, store};

/// Over how many further connections one command goes at most.
const CONNECTIONS_MAX: usize = 3;

/// What the caller gets to see.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Done {
    /// The payment intent.
    Intent,
    /// The refund that the operation was about.
    Refund,
    /// The dispute of this id.
    Dispute(DisputeId),
}

/// What the first transaction came to.
enum Begun {
    Call(Box<Call>),
    Answer(StoredAnswer, Replay),
    Look(OperationId),
}

/// Runs a command that may need a gateway, under the request's key.
///
/// # Errors
/// The command's refusal, the problem of the claim, a failure of the database.
pub(crate) async fn through_gateway<'env, F>(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    waited: &GatewayTime,
    shows: Done,
    begin: F,
) -> Result<Response, Problem>
where
    F: for<'t> Fn(&'t mut PgConnection) -> Work<'t, 'env, Result<Step, PaymentError>> + Send + Sync,
{
    let begun = match first_transaction(app, caller, request, shows, &begin).await {
        Err(refusal) if refusal.keep() == Keep::Answer => {
            let now = caller.now(app);
            return match keep_refusal(app, caller.tenant(), request, &refusal, now).await {
                Ok((answer, replay)) => Ok(answer.respond(replay)),
                // The key is that of a call that never reached the gateway: the refusal stands
                // as long as the state of things does.
                Err(problem) if problem.code() == Code::IdempotencyKeyInFlight => Err(refusal),
                Err(problem) => Err(problem),
            };
        }
        other => other?,
    };
    let call = match begun {
        Begun::Answer(answer, replay) => return Ok(answer.respond(replay)),
        Begun::Look(operation) => return look(app, caller, request, shows, operation).await,
        Begun::Call(call) => call,
    };
    let first = Repetition::First;
    let settled = call_and_settle(app, caller.tenant(), &call, first, waited).await;
    let mut settled = settled.map_err(|error| asked_and_not_written(&error))?;
    for _ in 0..CONNECTIONS_MAX {
        let Some(call) = go_on(app, caller, request, &call, &settled).await? else { break };
        let next = call_and_settle(app, caller.tenant(), &call, first, waited).await;
        settled = next.map_err(|error| asked_and_not_written(&error))?;
    }
    answer(app, caller, request, shows, &settled, Replay::First).await
}

/// Begins the same payment over the next connection, where the one before refused in a way that
/// leaves no doubt: a soft decline, or a refusal that did nothing.
async fn go_on(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    call: &Call,
    settled: &Settled,
) -> Result<Option<Call>, Problem> {
    let Operation::Create(asked) = &call.ask else { return Ok(None) };
    if !settled.operation.may_go_on() {
        return Ok(None);
    }
    let (tenant, now, gateways) = (caller.tenant(), caller.now(app), &app.gateways);
    let (id, instrument) = (settled.payment.intent.id, asked.payment_method.as_deref());
    let next = app
        .db
        .transaction("go_on", tenant, |tx| {
            work(async move {
                // Whoever asked under this key meanwhile may have been answered for good.
                match claim(tx, tenant, request).await? {
                    Claim::Running { operation_id: Some(of), .. }
                        if of == call.operation.uuid() => {}
                    _ => return Ok(None),
                }
                let next = confirm_elsewhere(tx, tenant, now, gateways, id, instrument).await?;
                if let Some(call) = &next {
                    attach_operation(tx, tenant, request, call.operation.uuid(), now).await?;
                }
                Ok(next)
            })
        })
        .await;
    match next {
        // No other can say it: the answer is that of the one before.
        Err(problem) if Problem::code(&problem) == Code::UnsupportedByProvider => Ok(None),
        other => other,
    }
}

async fn first_transaction<'env, F>(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    shows: Done,
    begin: &F,
) -> Result<Begun, Problem>
where
    F: for<'t> Fn(&'t mut PgConnection) -> Work<'t, 'env, Result<Step, PaymentError>> + Send + Sync,
{
    let (tenant, now) = (caller.tenant(), caller.now(app));
    app.db
        .transaction("begin_call", tenant, |tx| {
            work(async move {
                match claim(tx, tenant, request).await? {
                    Claim::Replay(answer) => return Ok(Begun::Answer(answer, Replay::Again)),
                    Claim::Running { operation_id: Some(id), created_at } => {
                        let id = OperationId::from_uuid(id);
                        let known = store::operation(tx, tenant, id).await?;
                        let told = known.as_ref().is_some_and(|o| o.state != OperationState::Sent);
                        let again =
                            known.is_some_and(|o| o.was_never_asked() && o.refund.is_none());
                        match again {
                            true => {}
                            false if told || created_at + CALL_TIME_MAX <= now => {
                                return Ok(Begun::Look(id));
                            }
                            false => return Err(in_flight()),
                        }
                    }
                    claim => {
                        if let Some(problem) = claim.problem() {
                            return Err(problem);
                        }
                    }
                }
                match begin(tx).await? {
                    Step::Call(call) => {
                        let operation = call.operation.uuid();
                        attach_operation(tx, tenant, request, operation, now).await?;
                        Ok(Begun::Call(Box::new(call)))
                    }
                    Step::Done(payment) => {
                        let body = show(shows, &payment, None);
                        let answer = StoredAnswer::success(StatusCode::OK, &body)?;
                        finish(tx, tenant, request, &answer, now).await?;
                        Ok(Begun::Answer(answer, Replay::First))
                    }
                }
            })
        })
        .await
}

/// The gateway was asked, and what it said could not be written down. To say that nothing
/// happened would invite a second charge.
fn asked_and_not_written(error: &PaymentError) -> Problem {
    tracing::error!(error = %Chain(error), "what the gateway answered could not be written down");
    Problem::new(
        Code::OutcomeUnknown,
        "The gateway was asked, and its answer could not be written down. The same request under \
         the same Idempotency-Key finds out.",
    )
}

fn in_flight() -> Problem {
    Problem::new(
        Code::IdempotencyKeyInFlight,
        "The first request with this key is asking the gateway.",
    )
}

/// The object that is answered.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown {
    Intent(Box<IntentView>),
    Refund(Box<RefundView>),
    Dispute(Box<DisputeView>),
}

fn show(shows: Done, payment: &Payment, settled: Option<&Settled>) -> Shown {
    let refund = match settled {
        Some(settled) => settled.operation.refund.and_then(|id| payment.refund(id)),
        // Done without a gateway, just now.
        None => payment.refunds.last(),
    };
    let dispute = match shows {
        Done::Dispute(id) => payment.dispute(id),
        Done::Intent | Done::Refund => None,
    };
    match (shows, refund, dispute) {
        (Done::Refund, Some(refund), _) => Shown::Refund(Box::new(RefundView::of(payment, refund))),
        (Done::Dispute(_), _, Some(dispute)) => {
            Shown::Dispute(Box::new(DisputeView::of(payment, dispute)))
        }
        _ => Shown::Intent(Box::new(IntentView::from(payment))),
    }
}

/// The key was used and its answer was never kept: the operation says how things are.
async fn look(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    shows: Done,
    id: OperationId,
) -> Result<Response, Problem> {
    let settled = find(app, caller.tenant(), id).await?;
    let settled = settled.ok_or_else(Problem::not_found)?;
    answer(app, caller, request, shows, &settled, Replay::Again).await
}

/// Answers from an operation, and keeps the answer once it is final.
async fn answer(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    shows: Done,
    settled: &Settled,
    replay: Replay,
) -> Result<Response, Problem> {
    let answer = match refusal(settled) {
        Some(problem) if problem.keep() == Keep::Nothing => return Err(problem),
        Some(problem) => StoredAnswer::refusal(&problem, request.request_id())?,
        None => {
            let known = settled.operation.state != OperationState::Unknown
                && settled.operation.state != OperationState::Sent;
            let status = if known { StatusCode::OK } else { StatusCode::ACCEPTED };
            StoredAnswer::success(status, &show(shows, &settled.payment, Some(settled)))?
        }
    };
    match settled.operation.state.is_final() {
        true => keep_answer(app, caller, request, answer, replay).await,
        false => Ok(answer.respond(replay)),
    }
}

/// Keeps the answer under its key before anybody hears it: a key has one answer, and what was
/// kept in the meantime is that one.
async fn keep_answer(
    app: &App,
    caller: &Caller,
    request: &Idempotent,
    answer: StoredAnswer,
    replay: Replay,
) -> Result<Response, Problem> {
    let (tenant, now, answer) = (caller.tenant(), caller.now(app), &answer);
    let kept = app
        .db
        .transaction("keep_answer", tenant, |tx| {
            work(async move {
                match claim(tx, tenant, request).await? {
                    Claim::Replay(earlier) => return Ok((earlier, Replay::Again)),
                    Claim::Fresh | Claim::Running { .. } => {}
                    claim => return Err(claim.problem().unwrap_or_else(in_flight)),
                }
                finish(tx, tenant, request, answer, now).await?;
                Ok((answer.clone(), replay))
            })
        })
        .await;
    let (answer, replay) = kept.inspect_err(|problem: &Problem| {
        tracing::warn!(code = problem.code().as_str(), "an answer could not be kept");
    })?;
    Ok(answer.respond(replay))
}

/// The problem an operation's end is answered with, if it is not a success. A refund that the
/// gateway refused is a refund that failed: the object says so.
fn refusal(settled: &Settled) -> Option<Problem> {
    let operation = &settled.operation;
    if operation.kind == OperationKind::Refund {
        return None;
    }
    let detail = operation.outcome.as_ref().and_then(|outcome| outcome.get("detail"));
    let word = |name: &str| detail.and_then(|d| d.get(name)).and_then(Value::as_str);
    let message = word("message").unwrap_or("The gateway gave no reason.").to_owned();
    match operation.state {
        OperationState::Declined if operation.kind == OperationKind::Void => Some(Problem::new(
            Code::WrongState,
            "The money was taken before it could be released: refund it instead.",
        )),
        OperationState::Declined if operation.dispute.is_some() => {
            Some(Problem::new(Code::ProviderRefused, message))
        }
        OperationState::Declined => {
            let problem = Problem::new(Code::PaymentDeclined, message);
            Some(match word("decline_code").or(word("code")) {
                Some(code) => problem.decline_code(code),
                None => problem,
            })
        }
        OperationState::RejectedBeforeSend => Some(match operation.was_never_asked() {
            true => Problem::new(
                Code::ProviderUnavailable,
                "The gateway could not be asked, and nothing happened. The same request \
                     under the same Idempotency-Key asks again.",
            ),
            false => Problem::new(Code::ProviderRefused, message),
        }),
        _ => None,
    }
}

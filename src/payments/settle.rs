//! What a call came to, written down: the operation's end and everything that follows from it.

use mizan_ledger::read;
use mizan_money::id::OperationId;
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{
    Archive, Mismatch, Outcome, PaymentAnswer, PaymentStatus, ProviderRef, RejectionReason, Subject,
};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::apply::{promise, write};
use super::dispute::{Teller, Till};
use super::error::PaymentError;
use super::intent::{IntentState, Payment};
use super::operation::{Operation, OperationKind, OperationState, next_check};
use super::plan::{Plan, Policy};
use super::word::{self, Word};
use super::{store, view};
use crate::app::App;
use crate::db::work;

/// An operation after a call, with its payment.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The operation.
    pub operation: Operation,
    /// The payment.
    pub payment: Payment,
}

/// An operation with its payment; none where the id is unknown.
///
/// # Errors
/// The database.
pub async fn find(
    app: &App,
    tenant: TenantId,
    id: OperationId,
) -> Result<Option<Settled>, PaymentError> {
    app.db
        .read("operation", tenant, |tx| {
            work(async move {
                let Some(operation) = store::operation(tx, tenant, id).await? else {
                    return Ok(None);
                };
                let payment = store::load(tx, tenant, &[operation.intent]).await?.pop();
                Ok(payment.map(|payment| Settled { operation, payment }))
            })
        })
        .await
}

/// Writes what a call came to. An operation that has ended meanwhile, by a webhook or by the
/// sweeper, keeps its end; what the gateway says of the payment is applied, and the exchange
/// kept, in any case.
///
/// # Errors
/// The database; an operation that is not there; a plan the ledger refused.
pub async fn settle(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: OperationId,
    outcome: &Outcome,
    archive: &Archive,
) -> Result<Settled, PaymentError> {
    let settled = settle_outcome(conn, tenant, now, id, outcome).await?;
    let archived = serde_json::to_value(archive)
        .map_err(|error| PaymentError::Corrupt { what: error.to_string() })?;
    store::archive(conn, tenant, id, &archived, now).await?;
    Ok(settled)
}

/// The same without an exchange to keep: for what was said before and is weighed again.
///
/// # Errors
/// The database; an operation that is not there; a plan the ledger refused.
pub async fn settle_outcome(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: OperationId,
    outcome: &Outcome,
) -> Result<Settled, PaymentError> {
    let missing = || PaymentError::NotFound { id: id.to_string() };
    let found = store::operation(conn, tenant, id).await?.ok_or_else(missing)?;
    let mut payment =
        store::lock(conn, tenant, &[found.intent]).await?.pop().ok_or_else(missing)?;
    let mut operation = store::lock_operation(conn, tenant, id).await?;
    let policy = store::policy(conn, tenant, std::slice::from_ref(&payment)).await?;
    let promise = match operation.refund {
        Some(refund) => promise(conn, tenant, refund).await?,
        None => None,
    };
    let till = match operation.dispute {
        Some(_) => Till::open(conn, tenant, &[&payment]).await?,
        None => Till::default(),
    };
    let behind = Behind { policy, promise, till };
    let mut plan = Plan::new(now, "gateway");
    if operation.state.is_final() {
        if let Some(answer) = outcome.answer() {
            apply_subject(&operation, &mut payment, &answer.subject, &behind, &mut plan)?;
        }
    } else {
        decide(&mut operation, &mut payment, outcome, &behind, &mut plan)?;
        store::finish_operations(conn, tenant, std::slice::from_ref(&operation)).await?;
    }
    write(conn, tenant, &payment, plan).await?;
    word::keep(conn, tenant, now, Word::answered(id, outcome)).await?;
    // Read back, so that the answer is what a later reader gets.
    let payment = store::load(conn, tenant, &[found.intent]).await?.pop().ok_or_else(missing)?;
    let operation = store::operation(conn, tenant, id).await?.unwrap_or(operation);
    Ok(Settled { operation, payment })
}

/// What stands behind a decision.
struct Behind {
    policy: Policy,
    promise: Option<read::Transaction>,
    till: Till,
}

/// What the outcome means for the operation and the payment. Pure.
fn decide(
    operation: &mut Operation,
    payment: &mut Payment,
    outcome: &Outcome,
    behind: &Behind,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let (now, promise) = (plan.now(), behind.promise.as_ref());
    operation.outcome = Some(summary(outcome));
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            let pending = matches!(outcome, Outcome::Pending(_));
            end(
                operation,
                if pending { OperationState::Pending } else { OperationState::Succeeded },
                now,
            );
            // Created is no more than failed, for who asked that it be tried.
            let untried = |fact: &PaymentAnswer| {
                matches!(fact.status, PaymentStatus::Failed | PaymentStatus::Created)
            };
            if answer.payment().is_some_and(untried) {
                end(operation, OperationState::Declined, now);
            }
            apply_subject(operation, payment, &answer.subject, behind, plan)?;
            if operation.state == OperationState::Declined {
                let told = answer.payment().and_then(|fact| fact.last_error.as_ref());
                let untried =
                    json!({ "code": "not_tried", "message": "The gateway did not try it." });
                let error = told.map_or(untried, |error| json!(error));
                refused(operation, payment, error, "declined", promise, plan)?;
            }
        }
        Outcome::Declined(decline) => {
            end(operation, OperationState::Declined, now);
            if let Some(reference) = &decline.provider_ref {
                learn_reference(payment, operation, reference);
            }
            refused(operation, payment, json!(decline), &decline.code, promise, plan)?;
        }
        Outcome::Rejected(rejection) => {
            end(operation, OperationState::RejectedBeforeSend, now);
            let error = json!({
                "code": rejection.code,
                "reason": rejection.reason.as_str(),
                "message": rejection.message,
            });
            let never = was_never_asked(rejection.reason);
            if operation.kind == OperationKind::Confirm && never {
                // The customer's word still stands; ours is given again.
                payment.wait_for_our_word(operation.attempt, next_check(operation.checks, now));
                return Ok(());
            }
            let instrument = payment.intent.payment_method.clone();
            refused(operation, payment, error, &rejection.code, promise, plan)?;
            if operation.kind == OperationKind::Create && was_never_asked(rejection.reason) {
                payment.keep_instrument(instrument);
            }
        }
        Outcome::Unknown(unknown) => {
            let asked = unknown.retry_after.and_then(|wait| chrono::Duration::from_std(wait).ok());
            let ladder = next_check(operation.checks, now);
            operation.state = OperationState::Unknown;
            operation.next_check_at = Some(asked.map_or(ladder, |wait| ladder.max(now + wait)));
        }
        Outcome::Mismatch(mismatch) => contradicted(operation, payment, mismatch, plan),
    }
    Ok(())
}

/// Not believed, and not booked: the gateway is asked what it knows. If that says the same, it
/// is a fact.
fn contradicted(
    operation: &mut Operation,
    payment: &mut Payment,
    mismatch: &Mismatch,
    plan: &mut Plan,
) {
    operation.state = OperationState::Unknown;
    operation.next_check_at = Some(next_check(operation.checks, plan.now()));
    if !["reference", "provider_ref"].contains(&mismatch.field)
        && let Some(theirs) = mismatch.answer.provider_ref()
    {
        learn_reference(payment, operation, theirs);
    }
    payment.intent.send_to_review(mismatch.to_string());
    let id = payment.intent.id.to_string();
    plan.announce("payment.review", id, None, view::event_payload(payment));
}

/// Applies what an answer says of the payment or of the refund.
fn apply_subject(
    operation: &Operation,
    payment: &mut Payment,
    subject: &Subject,
    behind: &Behind,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let now = plan.now();
    match (subject, operation.refund) {
        (Subject::Payment(fact), _) => {
            payment.apply_payment_fact(operation.attempt, fact, now, &behind.policy, plan)?;
        }
        (Subject::Refund(fact), Some(refund)) => {
            payment.apply_refund_fact(refund, fact, now, behind.promise.as_ref(), plan)?;
        }
        (Subject::Dispute(fact), _) => {
            let (of, teller) = (operation.attempt, Teller::Answer);
            payment.apply_dispute_fact(of, fact, teller, &behind.till, plan)?;
            payment.dispute_answered(operation, now);
        }
        _ => {}
    }
    Ok(())
}

/// Ends an operation of which the gateway, asked about the payment, shows that it was not done,
/// and which cannot be repeated: the payment is free for another command.
///
/// # Errors
/// The database; an operation that is not there.
pub async fn give_up_undone(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    id: OperationId,
) -> Result<(), PaymentError> {
    let missing = || PaymentError::NotFound { id: id.to_string() };
    let found = store::operation(conn, tenant, id).await?.ok_or_else(missing)?;
    let mut payment =
        store::lock(conn, tenant, &[found.intent]).await?.pop().ok_or_else(missing)?;
    let mut operation = store::lock_operation(conn, tenant, id).await?;
    let status = payment.attempt(operation.attempt).map(|attempt| attempt.status);
    let undone = matches!(
        (operation.kind, status),
        (OperationKind::Capture, Some(PaymentStatus::Authorised))
            | (
                OperationKind::Void,
                Some(PaymentStatus::Authorised | PaymentStatus::RequiresAction)
            )
            | (
                OperationKind::Create | OperationKind::Confirm,
                Some(PaymentStatus::Created | PaymentStatus::RequiresAction)
            )
    );
    let unanswered = operation.dispute.and_then(|id| payment.dispute(id));
    let undone = undone || unanswered.is_some_and(|dispute| dispute.state.is_open());
    if operation.state.is_final() || !undone {
        return Ok(());
    }
    end(&mut operation, OperationState::RejectedBeforeSend, now);
    let message = "The gateway was asked about the payment: this was not done.";
    let detail = json!({ "message": message, "never_asked": false });
    operation.outcome = Some(json!({ "outcome": "not_done", "detail": detail }));
    let mut plan = Plan::new(now, "sync");
    let error = json!({ "code": "not_done", "message": message });
    refused(&operation, &mut payment, error, "not_done", None, &mut plan)?;
    store::finish_operations(conn, tenant, std::slice::from_ref(&operation)).await?;
    write(conn, tenant, &payment, plan).await?;
    word::keep(conn, tenant, now, [Word::GivenUp { operation: id }]).await
}

fn end(operation: &mut Operation, state: OperationState, now: Timestamp) {
    operation.state = state;
    let ended = state.is_final();
    operation.finished_at = ended.then_some(now);
    operation.next_check_at = (!ended).then(|| next_check(operation.checks, now));
}

fn learn_reference(payment: &mut Payment, operation: &Operation, reference: &ProviderRef) {
    let learned = match operation.refund {
        Some(id) => payment.refunds.iter_mut().find(|r| r.id == id).map(|r| &mut r.provider_ref),
        None => {
            let id = operation.attempt;
            payment.attempts.iter_mut().find(|a| a.id == id).map(|a| &mut a.provider_ref)
        }
    };
    if let Some(learned) = learned {
        learned.get_or_insert_with(|| reference.clone());
    }
}

/// The gateway said no: a payment can be tried another way, a hold stays, a refund is taken back.
fn refused(
    operation: &Operation,
    payment: &mut Payment,
    error: Value,
    code: &str,
    promise: Option<&read::Transaction>,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let now = plan.now();
    match operation.kind {
        OperationKind::Create | OperationKind::Confirm => {
            for attempt in payment.attempts.iter_mut().filter(|a| a.id == operation.attempt) {
                attempt.status = PaymentStatus::Failed;
                attempt.status_at = now;
            }
            if payment.intent.state == IntentState::Processing {
                payment.fail(Some(error));
                let id = payment.intent.id.to_string();
                plan.announce("payment.failed", id, None, view::event_payload(payment));
            }
        }
        OperationKind::Capture => payment.intent.last_error = Some(error),
        OperationKind::Void => {
            payment.intent.last_error = Some(error);
            // It was kept when it was asked; nothing was cancelled.
            payment.intent.cancellation_reason = None;
        }
        OperationKind::Refund => {
            if let Some(refund) = operation.refund {
                payment.fail_refund(refund, code.to_owned(), promise, plan)?;
            }
        }
        OperationKind::AcceptDispute | OperationKind::ContestDispute => {
            payment.dispute_not_answered(operation, now);
        }
    }
    Ok(())
}

/// Whether the refusal is about reaching the gateway and not about what was asked of it.
fn was_never_asked(reason: RejectionReason) -> bool {
    reason.is_retryable() || reason == RejectionReason::Credentials
}

/// What is kept of an outcome: words, never bodies.
fn summary(outcome: &Outcome) -> Value {
    let detail = match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            json!({ "provider_ref": answer.provider_ref(), "request_id": answer.request_id })
        }
        Outcome::Declined(decline) => json!(decline),
        Outcome::Rejected(rejection) => json!({
            "reason": rejection.reason.as_str(),
            "never_asked": was_never_asked(rejection.reason),
            "code": rejection.code,
            "message": rejection.message,
        }),
        Outcome::Unknown(unknown) => {
            json!({ "reason": unknown.why.code(), "message": unknown.why.to_string() })
        }
        Outcome::Mismatch(mismatch) => json!({ "message": mismatch.to_string() }),
    };
    json!({ "outcome": outcome.as_str(), "detail": detail })
}

//! What a call came to, written down: the operation's end and everything that follows from it.

use mizan_money::id::OperationId;
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{Archive, Outcome, PaymentStatus, ProviderRef, RejectionReason, Subject};
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::apply::{promise, write};
use super::error::PaymentError;
use super::intent::{IntentState, Payment};
use super::operation::{Operation, OperationKind, OperationState, next_check};
use super::plan::{Plan, Policy};
use super::{store, view};

/// An operation after a call, with its payment.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The operation.
    pub operation: Operation,
    /// The payment.
    pub payment: Payment,
}

/// Writes what a call came to. An operation that has ended meanwhile, by a webhook or by the
/// sweeper, is left as it is; the exchange is kept in any case.
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
    let missing = || PaymentError::NotFound { id: id.to_string() };
    let found = store::operation(conn, tenant, id).await?.ok_or_else(missing)?;
    let mut payment =
        store::lock(conn, tenant, &[found.intent]).await?.pop().ok_or_else(missing)?;
    let mut operation = store::lock_operation(conn, tenant, id).await?;
    let archived = serde_json::to_value(archive)
        .map_err(|error| PaymentError::Corrupt { what: error.to_string() })?;
    store::archive(conn, tenant, id, &archived, now).await?;
    if operation.state.is_final() {
        return Ok(Settled { operation, payment });
    }
    let policy = store::policy(conn, tenant).await?;
    let promise = match operation.refund {
        Some(refund) => promise(conn, tenant, refund).await?,
        None => None,
    };
    let mut plan = Plan::new(now, "gateway");
    decide(&mut operation, &mut payment, outcome, &policy, promise.as_ref(), &mut plan)?;
    store::finish_operation(conn, tenant, &operation).await?;
    write(conn, tenant, &[payment], plan).await?;
    // Read back, so that the answer is what a later reader gets.
    let payment = store::load(conn, tenant, &[found.intent]).await?.pop().ok_or_else(missing)?;
    let operation = store::operation(conn, tenant, id).await?.unwrap_or(operation);
    Ok(Settled { operation, payment })
}

/// What the outcome means for the operation and the payment. Pure.
fn decide(
    operation: &mut Operation,
    payment: &mut Payment,
    outcome: &Outcome,
    policy: &Policy,
    promise: Option<&mizan_ledger::read::Transaction>,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let now = plan.now();
    operation.outcome = Some(summary(outcome));
    match outcome {
        Outcome::Done(answer) | Outcome::Pending(answer) => {
            let pending = matches!(outcome, Outcome::Pending(_));
            end(
                operation,
                if pending { OperationState::Pending } else { OperationState::Succeeded },
                now,
            );
            match &answer.subject {
                Subject::Payment(fact) => {
                    if fact.status == PaymentStatus::Failed {
                        end(operation, OperationState::Declined, now);
                    }
                    payment.apply_payment_fact(operation.attempt, fact, now, policy, plan)?;
                }
                Subject::Refund(fact) => {
                    if let Some(refund) = operation.refund {
                        payment.apply_refund_fact(refund, fact, now, promise, plan)?;
                    }
                }
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
        Outcome::Mismatch(mismatch) => {
            // Not believed, and not booked: the gateway is asked what it knows. If that says the
            // same, it is a fact.
            operation.state = OperationState::Unknown;
            operation.next_check_at = Some(next_check(operation.checks, now));
            if !["reference", "provider_ref"].contains(&mismatch.field) {
                learn_reference(payment, operation, mismatch.answer.provider_ref());
            }
            payment.intent.send_to_review(mismatch.to_string());
            let id = payment.intent.id.to_string();
            plan.announce("payment.review", id, None, view::event_payload(payment));
        }
    }
    Ok(())
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
    promise: Option<&mizan_ledger::read::Transaction>,
    plan: &mut Plan,
) -> Result<(), PaymentError> {
    let now = plan.now();
    match operation.kind {
        OperationKind::Create => {
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
        OperationKind::Capture | OperationKind::Void => payment.intent.last_error = Some(error),
        OperationKind::Refund => {
            if let Some(refund) = operation.refund {
                payment.fail_refund(refund, code.to_owned(), promise, plan)?;
            }
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

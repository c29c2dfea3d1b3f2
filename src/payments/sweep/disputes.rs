//! Disputes of which a gateway hinted: asked about, and booked by what it answers.

use mizan_money::TenantId;
use mizan_providers::{DisputeAnswer, Operation as Ask, Subject, SyncDispute};

use super::{ask_gateway, take_in};
use crate::app::App;
use crate::db::work;
use crate::payments::apply::Fact;
use crate::payments::error::PaymentError;
use crate::payments::facts::Effect;
use crate::payments::intent::{Attempt, Payment};
use crate::payments::operation::next_check;
use crate::payments::store::{self, DisputeHint};

/// How many disputes are taken at once.
const AT_ONCE: i64 = 8;

/// How often a dispute is asked about that is not answered: about a month.
const ASKS_MAX: i16 = 40;

/// Hints of one dispute.
pub(super) type Question = Vec<DisputeHint>;

/// Takes disputes of which a hint is due, each with all its hints, and postpones them in the same
/// transaction.
pub(super) async fn take_due_questions(
    app: &App,
    tenant: TenantId,
) -> Result<Vec<Question>, PaymentError> {
    let now = app.now_for(tenant);
    let due = app.db.transaction("take_due_disputes", tenant, |tx| {
        work(async move {
            let due = store::due_dispute_hints(tx, tenant, now, AT_ONCE).await?;
            for (hint, asks) in &due {
                let at = (asks + 1 < ASKS_MAX).then(|| next_check(*asks, now));
                store::postpone_dispute_hint(tx, tenant, hint, asks + 1, at).await?;
            }
            Ok::<_, PaymentError>(due)
        })
    });
    let mut questions: Vec<Question> = Vec::new();
    for (hint, _) in due.await? {
        let same =
            |it: &DisputeHint| it.attempt == hint.attempt && it.provider_ref == hint.provider_ref;
        match questions.iter_mut().find(|it| it.first().is_some_and(same)) {
            Some(question) => question.push(hint),
            None => questions.push(vec![hint]),
        }
    }
    Ok(questions)
}

/// Asks how a dispute stands and books it. One that cannot be booked so far keeps its question.
///
/// # Errors
/// The database; an attempt that is not there.
pub(super) async fn ask_about(
    app: &App,
    tenant: TenantId,
    question: &Question,
) -> Result<(), PaymentError> {
    let Some(DisputeHint { provider_ref, intent, attempt, .. }) = question.first() else {
        return Ok(());
    };
    let (intent, attempt) = (*intent, *attempt);
    let read = app.db.read("payment", tenant, |tx| {
        work(async move { Ok::<_, PaymentError>(store::load(tx, tenant, &[intent]).await?.pop()) })
    });
    let missing = || PaymentError::NotFound { id: intent.to_string() };
    let payment = read.await?.ok_or_else(missing)?;
    let known = payment.attempt(attempt).ok_or(PaymentError::UnknownAttempt { attempt })?;
    let query = Ask::SyncDispute(SyncDispute { provider_ref: provider_ref.clone() });
    let Some(answer) = ask_gateway(app, known, &query).await? else { return Ok(()) };
    let Subject::Dispute(told) = answer.subject else { return Ok(()) };
    if !is_of(&told, &payment, known) {
        tracing::error!(%attempt, %provider_ref, "the dispute is of another payment");
        return Ok(());
    }
    let effects = take_in(app, tenant, intent, Fact::DisputeAnswer(attempt, told)).await?;
    if let Some(Effect::Unclear(reason)) = effects.first() {
        tracing::warn!(%attempt, %provider_ref, reason, "the dispute will be asked about again");
        return Ok(());
    }
    app.db
        .transaction("dispute_was_told", tenant, |tx| {
            work(async move { store::forget_dispute_hints(tx, tenant, question).await })
        })
        .await
}

/// Whether a dispute is of this attempt's money, by the gateway's names of it or by our own.
fn is_of(told: &DisputeAnswer, payment: &Payment, known: &Attempt) -> bool {
    let mut theirs = [&told.charge_ref, &told.payment_ref].into_iter().flatten();
    let called =
        |name| known.charge_ref.as_ref() == Some(name) || known.provider_ref.as_ref() == Some(name);
    theirs.any(called) || told.reference == Some(payment.intent.id)
}

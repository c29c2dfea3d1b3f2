//! What happened, step by step, done again in the copy through the use cases that did it first.

use std::collections::BTreeMap;
use std::fmt;

use mizan_money::id::{AttemptId, DeliveryId, DisputeId, OperationId, PaymentIntentId, RefundId};
use mizan_money::{Currency, Money, TenantId, Timestamp};
use mizan_webhooks::{Disposition, Standing, Unverifiable};
use sqlx::PgConnection;

use super::Readers;
use super::plain::{self, Answer};
use super::store::{self, AskedRow, RefundRow};
use crate::inbox::{InboxError, apply_again};
use crate::payments::apply::{Fact, Said, apply, write_posted};
use crate::payments::intent::{Refund, RefundState};
use crate::payments::operation::OperationKind;
use crate::payments::plan::Plan;
use crate::payments::refund::Way;
use crate::payments::settle::{give_up_undone, settle_outcome};
use crate::payments::store as payments;
use crate::payments::word::{self, About, KeptWord, SubjectRow, Word};
use crate::payments::{Payment, PaymentError};
use mizan_providers::Subject;

/// One step.
pub(super) enum Step {
    /// A plain transaction.
    Plain(Box<Answer>),
    /// An operation was written down.
    Asked(Box<Asked>),
    /// Any other word.
    Word(Box<KeptWord>),
    /// A delivery that had no effect, with what became of it.
    Delivery(DeliveryId, Box<Standing>),
    /// Something kept that cannot be read.
    Broken(String),
}

/// What was asked, with the rows that began with it.
pub(super) struct Asked {
    /// The operation's row and what belongs to it.
    pub row: AskedRow,
    /// The gateway's token of the instrument, where an attempt began.
    pub instrument: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What a step came to.
pub(super) enum Did {
    /// It is done.
    Done(Kind),
    /// A delivery was applied or disposed of.
    Disposed(Disposition),
    /// It is not believed.
    Unverifiable(DeliveryId, Unverifiable),
    /// It could not be done.
    Failed(String),
}

/// What sort of step it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A command of ours.
    Command,
    /// A gateway's answer to a call.
    Answer,
    /// A plain transaction.
    Plain,
}

fn corrupt(what: impl Into<String>) -> PaymentError {
    PaymentError::Corrupt { what: what.into() }
}

/// Does one step again.
///
/// # Errors
/// The database; what the use case refused.
pub(super) async fn run(
    conn: &mut PgConnection,
    tenant: TenantId,
    readers: &Readers,
    step: &Step,
) -> Result<Did, InboxError> {
    match step {
        Step::Plain(answer) => {
            plain::post_again(conn, tenant, answer).await?;
            Ok(Did::Done(Kind::Plain))
        }
        Step::Asked(asked) => {
            ask_again(conn, tenant, asked).await?;
            Ok(Did::Done(Kind::Command))
        }
        Step::Word(kept) => say_again(conn, tenant, readers, kept).await,
        Step::Delivery(id, standing) => dispose_again(conn, tenant, readers, *id, standing).await,
        Step::Broken(what) => Ok(Did::Failed(what.clone())),
    }
}

async fn say_again(
    conn: &mut PgConnection,
    tenant: TenantId,
    readers: &Readers,
    kept: &KeptWord,
) -> Result<Did, InboxError> {
    let now = kept.recorded_at;
    match &kept.word {
        Word::Delivered { delivery } => deliver_again(conn, tenant, readers, *delivery, now).await,
        Word::Answered { operation, outcome } => {
            let outcome = outcome.outcome()?;
            settle_outcome(conn, tenant, now, *operation, &outcome).await?;
            Ok(Did::Done(Kind::Answer))
        }
        Word::Told { payment, about, said } => {
            let fact = fact(about, said)?;
            let said = &[Said { intent: *payment, fact, at: now }];
            apply(conn, tenant, now, "sync", said).await?;
            word::keep(conn, tenant, now, [kept.word.clone()]).await?;
            Ok(Did::Done(Kind::Answer))
        }
        Word::Entered { payment, attempt, said, by } => {
            let Subject::Dispute(fact) = said.subject()? else {
                return Ok(Did::Failed(format!("what was entered of {payment} is no dispute")));
            };
            let fact = Fact::DisputeByHand(*attempt, fact, by.clone());
            let said = &[Said { intent: *payment, fact, at: now }];
            apply(conn, tenant, now, by.clone(), said).await?;
            word::keep(conn, tenant, now, [kept.word.clone()]).await?;
            Ok(Did::Done(Kind::Command))
        }
        Word::GivenUp { operation } => {
            give_up_undone(conn, tenant, now, *operation).await?;
            Ok(Did::Done(Kind::Command))
        }
        Word::Cancelled { payment, reason } => {
            let mut payment = lock_one(conn, tenant, *payment).await?;
            let mut plan = Plan::new(now, "api");
            payment.give_up(reason.clone(), &mut plan);
            write_posted(conn, tenant, &[payment], plan).await?;
            word::keep(conn, tenant, now, [kept.word.clone()]).await?;
            Ok(Did::Done(Kind::Command))
        }
        Word::Asked { operation, .. } => Ok(Did::Failed(format!("{operation} is not there"))),
    }
}

/// What a query was told.
fn fact(about: &About, said: &SubjectRow) -> Result<Fact, PaymentError> {
    match (about, said.subject()?) {
        (About::Attempt(id), Subject::Payment(fact)) => Ok(Fact::Payment(*id, fact)),
        (About::Refund(id), Subject::Refund(fact)) => Ok(Fact::Refund(*id, fact)),
        (About::ForeignRefund(id), Subject::Refund(fact)) => Ok(Fact::ForeignRefund(*id, fact)),
        (About::Dispute(id), Subject::Dispute(fact)) => Ok(Fact::DisputeAnswer(*id, fact)),
        _ => Err(corrupt("a word is about one thing and speaks of another")),
    }
}

async fn lock_one(
    conn: &mut PgConnection,
    tenant: TenantId,
    id: PaymentIntentId,
) -> Result<Payment, PaymentError> {
    let payment = payments::lock(conn, tenant, &[id]).await?.pop();
    payment.ok_or_else(|| PaymentError::NotFound { id: id.to_string() })
}

/// Writes the question down again, with what it promised.
async fn ask_again(
    conn: &mut PgConnection,
    tenant: TenantId,
    Asked { row: asked, instrument, at }: &Asked,
) -> Result<(), PaymentError> {
    let now = *at;
    let mut payment = lock_one(conn, tenant, PaymentIntentId::from_uuid(asked.intent_id)).await?;
    let kind = OperationKind::parse(&asked.kind).ok_or_else(|| corrupt("an operation's kind"))?;
    let mut plan = Plan::new(now, "api");
    let attempt = AttemptId::from_uuid(asked.attempt_id);
    match kind {
        OperationKind::Create => {
            let provider = asked.provider.parse().map_err(|_| corrupt("an attempt's provider"))?;
            payment.intent.payment_method.clone_from(instrument);
            let over = (asked.connection.clone(), provider);
            let charge = Money::new(asked.charge, payment.intent.currency);
            payment.begin_attempt(attempt, over, charge, None, now);
        }
        OperationKind::Refund => {
            let policy = payments::policy(conn, tenant, std::slice::from_ref(&payment)).await?;
            let refund = refund(asked, attempt, now)?;
            payment.promise_refund(refund, Way::Again, &policy, &mut plan)?;
        }
        OperationKind::Confirm => payment.take_at_our_word(),
        OperationKind::Capture | OperationKind::Void => {}
        OperationKind::AcceptDispute | OperationKind::ContestDispute => {
            let dispute = asked.dispute_id.map(DisputeId::from_uuid);
            let dispute = dispute.ok_or_else(|| corrupt("an operation's dispute"))?;
            payment.begin_dispute_answer(dispute, evidence(asked)?, now)?;
        }
    }
    payments::save(conn, tenant, &[payment], now).await?;
    store::put_operation(conn, &asked.operation).await?;
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await?;
    let operation = OperationId::from_uuid(asked.operation_id);
    word::keep(conn, tenant, now, [Word::Asked { operation, instrument: instrument.clone() }]).await
}

/// The evidence that was handed in, where some was.
fn evidence(asked: &AskedRow) -> Result<Option<BTreeMap<String, String>>, PaymentError> {
    let evidence = asked.operation.get("evidence").cloned().unwrap_or_default();
    serde_json::from_value(evidence).map_err(|error| corrupt(error.to_string()))
}

/// The refund as it was asked for.
fn refund(asked: &AskedRow, attempt: AttemptId, now: Timestamp) -> Result<Refund, PaymentError> {
    let missing = || corrupt("a refund's row");
    let row: RefundRow = serde_json::from_value(asked.refund.clone().ok_or_else(missing)?)
        .map_err(|error| corrupt(error.to_string()))?;
    let currency = Currency::parse(&asked.currency).map_err(|error| corrupt(error.to_string()))?;
    let money = |minor| Money::new(minor, currency);
    Ok(Refund {
        id: RefundId::from_uuid(asked.refund_id.ok_or_else(missing)?),
        attempt: Some(attempt),
        amount: money(row.amount),
        charge: money(row.charge),
        to_cash: money(row.to_cash),
        to_promo: money(row.to_promo),
        cash_part: money(row.cash_part),
        withheld: money(row.withheld),
        reason: row.reason,
        state: RefundState::Sent,
        status_at: now,
        origin: "api",
        provider_ref: None,
        failure_reason: None,
        parts: payments::given_from_json(row.parts, currency)?,
        repays: None,
        metadata: row.metadata,
        created_at: now,
        updated_at: now,
    })
}

/// Verifies, translates and applies a delivery of the copy.
async fn deliver_again(
    conn: &mut PgConnection,
    tenant: TenantId,
    readers: &Readers,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Did, InboxError> {
    let Some(delivery) = mizan_webhooks::delivery(conn, tenant, id).await? else {
        return Ok(Did::Failed(format!("{id} was applied and is not kept")));
    };
    let checked = match readers.check(&delivery) {
        Ok(checked) => checked,
        Err(why) => return Ok(Did::Unverifiable(id, why)),
    };
    let disposition = apply_again(conn, tenant, &delivery, &checked, now).await?;
    // A finished one keeps its end.
    if delivery.summary.standing.state().is_open() {
        mizan_webhooks::dispose(conn, tenant, id, &disposition, now).await?;
    }
    Ok(Did::Disposed(disposition))
}

/// A delivery that came to nothing is verified again and comes to the same. One that was applied
/// before words were kept is applied in the order of its arrival, which is the best that is known.
async fn dispose_again(
    conn: &mut PgConnection,
    tenant: TenantId,
    readers: &Readers,
    id: DeliveryId,
    standing: &Standing,
) -> Result<Did, InboxError> {
    let Some(delivery) = mizan_webhooks::delivery(conn, tenant, id).await? else {
        return Ok(Did::Failed(format!("{id} is not kept")));
    };
    let now = delivery.summary.received_at;
    let disposition = match standing {
        Standing::Ignored { reason, .. } => Disposition::Ignored { reason: reason.clone() },
        Standing::Parked { reason, retry_at } => {
            Disposition::Parked { reason: reason.clone(), retry_at: *retry_at }
        }
        Standing::Applied { .. } | Standing::Stale { .. } | Standing::Received => {
            return deliver_again(conn, tenant, readers, id, now).await;
        }
    };
    if let Err(why) = readers.check(&delivery) {
        return Ok(Did::Unverifiable(id, why));
    }
    mizan_webhooks::dispose(conn, tenant, id, &disposition, now).await?;
    Ok(Did::Disposed(disposition))
}

/// What a finding calls the step.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Plain(answer) => write!(f, "plain transaction {}", answer.position),
            Step::Asked(asked) => {
                let id = OperationId::from_uuid(asked.row.operation_id);
                write!(f, "{} {id}", asked.row.kind)
            }
            Step::Delivery(id, _) => write!(f, "{id}"),
            Step::Broken(_) => f.write_str("a word"),
            Step::Word(kept) => match &kept.word {
                Word::Asked { operation, .. } => write!(f, "{operation}"),
                Word::Cancelled { payment, .. } => write!(f, "the end of {payment}"),
                Word::Delivered { delivery } => write!(f, "{delivery}"),
                Word::Answered { operation, .. } => write!(f, "the answer to {operation}"),
                Word::Told { payment, .. } => write!(f, "what was told of {payment}"),
                Word::Entered { payment, .. } => write!(f, "what was entered of {payment}"),
                Word::GivenUp { operation } => write!(f, "the end of {operation}"),
            },
        }
    }
}

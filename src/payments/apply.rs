//! What gateways say, applied: many words in one transaction, posted at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use mizan_ledger::read;
use mizan_money::id::{AttemptId, PaymentIntentId, RefundId};
use mizan_money::{TenantId, Timestamp};
use mizan_providers::{DisputeAnswer, PaymentAnswer, PaymentStatus, RefundAnswer, RefundStatus};
use serde_json::json;
use sqlx::PgConnection;

use super::dispute::{DisputeState, Teller, Till};
use super::error::PaymentError;
use super::facts::{Effect, STATUS_NOT_KNOWN};
use super::intent::{Payment, Refund, RefundState};
use super::operation::{Operation, OperationKind, OperationState};
use super::plan::{Plan, Policy};
use super::refund::requested_key;
use super::{sides, store};

/// A gateway's word about one payment.
#[derive(Debug, Clone)]
pub struct Said {
    /// The intent it is about.
    pub intent: PaymentIntentId,
    /// What it says.
    pub fact: Fact,
    /// When, by the gateway's clock.
    pub at: Timestamp,
}

impl Said {
    /// The attempt it is about, where it is about one.
    pub const fn attempt(&self) -> Option<AttemptId> {
        match self.fact {
            Fact::Payment(id, _) => Some(id),
            _ => None,
        }
    }
}

/// What is said.
#[derive(Debug, Clone)]
pub enum Fact {
    /// Of an attempt.
    Payment(AttemptId, Box<PaymentAnswer>),
    /// Of a refund we know.
    Refund(RefundId, Box<RefundAnswer>),
    /// Of a refund that was made at the gateway, not here.
    ForeignRefund(AttemptId, Box<RefundAnswer>),
    /// Of a dispute of an attempt's money.
    Dispute(AttemptId, Box<DisputeAnswer>),
    /// The same, in an answer: it has no time of the gateway's.
    DisputeAnswer(AttemptId, Box<DisputeAnswer>),
    /// The same, by a person with this API key: the gateway does not tell.
    DisputeByHand(AttemptId, Box<DisputeAnswer>, String),
}

impl Fact {
    const fn is_of_dispute(&self) -> bool {
        matches!(self, Self::Dispute(..) | Self::DisputeAnswer(..) | Self::DisputeByHand(..))
    }
}

/// Applies words in the order given, each to its payment; answers what each came to.
///
/// # Errors
/// The database; an intent that is not there; a plan the ledger refused. The caller rolls back.
pub async fn apply(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    actor: impl Into<Cow<'static, str>>,
    said: &[Said],
) -> Result<Vec<Effect>, PaymentError> {
    let mut hearing = Hearing::open(conn, tenant, now, &said.iter().collect::<Vec<_>>()).await?;
    let effects = match hearing.hear(actor, said) {
        Heard::Effects(effects) => effects,
        Heard::Refused(error) => return Err(error),
        // Nothing was decided before, so there is nothing to wait for.
        Heard::Later => Vec::new(),
    };
    hearing.close(conn).await?;
    Ok(effects)
}

/// Words of many payments, weighed one after the other and written together.
///
/// What one word comes to is seen by the next, as if it were written already. What cannot be
/// decided for one leaves the others as they are.
#[derive(Debug)]
pub struct Hearing {
    tenant: TenantId,
    policy: Policy,
    promises: BTreeMap<RefundId, read::Transaction>,
    till: Till,
    payments: BTreeMap<PaymentIntentId, Payment>,
    /// Those without an outcome so far.
    open: Vec<Operation>,
    ended: Vec<Operation>,
    plan: Plan,
}

/// What words that belong together came to.
#[derive(Debug)]
pub enum Heard {
    /// Each its effect.
    Effects(Vec<Effect>),
    /// Nothing, and nothing of them stands.
    Refused(PaymentError),
    /// Nothing yet: they are about an entry that this hearing has still to write.
    Later,
}

impl Hearing {
    /// Locks the payments that the words are about, and loads what is needed to weigh them: in
    /// the same few statements whatever their number.
    ///
    /// # Errors
    /// The database.
    pub async fn open(
        conn: &mut PgConnection,
        tenant: TenantId,
        now: Timestamp,
        said: &[&Said],
    ) -> Result<Hearing, PaymentError> {
        let mut ids: Vec<PaymentIntentId> = said.iter().map(|said| said.intent).collect();
        ids.sort_unstable();
        ids.dedup();
        let locked = store::lock(conn, tenant, &ids).await?;
        let policy = store::policy(conn, tenant, &locked).await?;
        let open = store::lock_open_operations(conn, tenant, &ids).await?;
        let promises = promises_of(conn, tenant, said).await?;
        let till = till_of(conn, tenant, &locked, said).await?;
        Ok(Hearing {
            tenant,
            open,
            till,
            ended: Vec::new(),
            payments: locked.into_iter().map(|payment| (payment.intent.id, payment)).collect(),
            policy,
            promises,
            plan: Plan::new(now, "gateway"),
        })
    }

    /// Weighs words that stand or fall together. Pure.
    pub fn hear(&mut self, actor: impl Into<Cow<'static, str>>, said: &[Said]) -> Heard {
        self.plan.act_as(actor.into());
        let mark = self.plan.mark();
        let mut before: BTreeMap<PaymentIntentId, Payment> = BTreeMap::new();
        let mut effects = Vec::with_capacity(said.len());
        for word in said {
            if let Some(payment) = self.payments.get(&word.intent) {
                before.entry(word.intent).or_insert_with(|| payment.clone());
            }
            match self.weigh(word) {
                Ok(effect) => effects.push(effect),
                Err(error) => {
                    self.payments.append(&mut before);
                    self.plan.go_back(mark);
                    let waits = matches!(
                        error,
                        PaymentError::PromiseMissing { .. } | PaymentError::EntryAhead { .. }
                    );
                    return match waits && !self.plan.is_empty() {
                        true => Heard::Later,
                        false => Heard::Refused(error),
                    };
                }
            }
        }
        for payment in before.keys().filter_map(|id| self.payments.get(id)) {
            self.ended.extend(end_answered(&mut self.open, payment, self.plan.now()));
        }
        Heard::Effects(effects)
    }

    fn weigh(&mut self, Said { intent, fact, at }: &Said) -> Result<Effect, PaymentError> {
        let (plan, at) = (&mut self.plan, *at);
        let missing = || PaymentError::NotFound { id: intent.to_string() };
        let payment = self.payments.get_mut(intent).ok_or_else(missing)?;
        let (id, fact) = match fact {
            Fact::Payment(attempt, fact) => {
                return payment.apply_payment_fact(*attempt, fact, at, &self.policy, plan);
            }
            Fact::Dispute(attempt, fact) => {
                let teller = Teller::Event(at);
                return payment.apply_dispute_fact(*attempt, fact, teller, &self.till, plan);
            }
            Fact::DisputeAnswer(attempt, fact) => {
                let teller = Teller::Answer;
                return payment.apply_dispute_fact(*attempt, fact, teller, &self.till, plan);
            }
            Fact::DisputeByHand(attempt, fact, key) => {
                let teller = Teller::Person(key);
                return payment.apply_dispute_fact(*attempt, fact, teller, &self.till, plan);
            }
            Fact::Refund(id, fact) => (*id, fact),
            Fact::ForeignRefund(attempt, fact) => {
                let theirs = Some(&fact.provider_ref);
                let known = payment.refunds.iter().find(|r| r.provider_ref.as_ref() == theirs);
                let id = match (known, fact.status) {
                    (Some(refund), _) => refund.id,
                    // It came to nothing before we heard of it.
                    (None, RefundStatus::Failed | RefundStatus::Cancelled) => {
                        return Ok(Effect::Known);
                    }
                    // Whether anything goes back at all, nobody knows: nobody gives a part yet.
                    (None, RefundStatus::Unknown) => {
                        return Ok(Effect::Unclear(STATUS_NOT_KNOWN.into()));
                    }
                    (None, RefundStatus::Pending | RefundStatus::Succeeded) => {
                        let refund = Refund::made_at_the_gateway(*attempt, fact, plan.now());
                        let id = refund.id;
                        payment.admit_foreign_refund(refund, &self.policy, plan)?;
                        id
                    }
                };
                (id, fact)
            }
        };
        payment.apply_refund_fact(id, fact, at, self.promises.get(&id), plan)
    }

    /// Writes, posts and announces all that was decided.
    ///
    /// # Errors
    /// The database; a plan the ledger refused.
    pub async fn close(self, conn: &mut PgConnection) -> Result<(), PaymentError> {
        let payments: Vec<Payment> = self.payments.into_values().collect();
        write_all(conn, self.tenant, &payments, &self.ended, self.plan).await
    }
}

/// Writes, posts and announces what was decided for a locked payment, and ends the operations
/// that it answers.
///
/// # Errors
/// The database; a plan the ledger refused.
pub(super) async fn write(
    conn: &mut PgConnection,
    tenant: TenantId,
    payment: &Payment,
    plan: Plan,
) -> Result<(), PaymentError> {
    let mut open = store::lock_open_operations(conn, tenant, &[payment.intent.id]).await?;
    let ended = end_answered(&mut open, payment, plan.now());
    write_all(conn, tenant, std::slice::from_ref(payment), &ended, plan).await
}

/// Writes, posts and announces what was decided for locked payments without a gateway.
///
/// # Errors
/// The database; a plan the ledger refused.
pub async fn write_posted(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    plan: Plan,
) -> Result<(), PaymentError> {
    write_all(conn, tenant, payments, &[], plan).await
}

async fn write_all(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
    ended: &[Operation],
    mut plan: Plan,
) -> Result<(), PaymentError> {
    sides::follow(conn, tenant, payments, &mut plan).await?;
    store::finish_operations(conn, tenant, ended).await?;
    // Before the journal: after its book is taken, nothing may wait for anybody.
    store::save(conn, tenant, payments, plan.now()).await?;
    let posted = plan.post_all(conn, tenant).await?;
    plan.announce_all(conn, tenant, &posted).await
}

/// What disputes are weighed by. Balances are the last of the locks but those of the journal.
async fn till_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    locked: &[Payment],
    said: &[&Said],
) -> Result<Till, PaymentError> {
    let mut disputed = BTreeSet::new();
    disputed.extend(said.iter().filter(|it| it.fact.is_of_dispute()).map(|it| it.intent));
    let mut payments = Vec::with_capacity(disputed.len());
    for payment in locked {
        if disputed.contains(&payment.intent.id) {
            payments.push(payment);
        }
    }
    Till::open(conn, tenant, &payments).await
}

/// The entries that promised the refunds which may have to be taken back.
async fn promises_of(
    conn: &mut PgConnection,
    tenant: TenantId,
    said: &[&Said],
) -> Result<BTreeMap<RefundId, read::Transaction>, PaymentError> {
    let mut promises = BTreeMap::new();
    for said in said {
        if let Fact::Refund(id, fact) = &said.fact
            && matches!(fact.status, RefundStatus::Failed | RefundStatus::Cancelled)
            && let Some(promise) = promise(conn, tenant, *id).await?
        {
            promises.insert(*id, promise);
        }
    }
    Ok(promises)
}

/// The entry that promised a refund.
pub(super) async fn promise(
    conn: &mut PgConnection,
    tenant: TenantId,
    refund: RefundId,
) -> Result<Option<read::Transaction>, PaymentError> {
    Ok(read::transaction_by_key(conn, tenant, &requested_key(refund)).await?)
}

/// Takes those operations out of the open ones that the payment answers, and ends them. A word
/// that arrives by another way than the answer ends the operation all the same: an answer that
/// was lost needs no second question once the webhook has told.
fn end_answered(open: &mut Vec<Operation>, payment: &Payment, now: Timestamp) -> Vec<Operation> {
    let mut ended = Vec::new();
    open.retain_mut(|operation| {
        let of_this = operation.intent == payment.intent.id;
        let Some(state) = of_this.then(|| answered(operation, payment)).flatten() else {
            return true;
        };
        operation.state = state;
        operation.outcome = Some(json!({
            "outcome": state.as_str(),
            "detail": payment.intent.last_error,
        }));
        operation.next_check_at = None;
        operation.finished_at = Some(now);
        ended.push(operation.clone());
        false
    });
    ended
}

/// The end of an operation, as far as the payment shows it.
fn answered(operation: &Operation, payment: &Payment) -> Option<OperationState> {
    let status = payment.attempt(operation.attempt)?.status;
    match (operation.kind, status) {
        (OperationKind::Create, PaymentStatus::Failed) => Some(OperationState::Declined),
        (
            OperationKind::Create,
            PaymentStatus::Created | PaymentStatus::Unknown | PaymentStatus::Processing,
        ) => None,
        (OperationKind::Create, _) => Some(OperationState::Succeeded),
        (OperationKind::Confirm, PaymentStatus::Failed) => Some(OperationState::Declined),
        (
            OperationKind::Confirm,
            PaymentStatus::Authorised
            | PaymentStatus::Captured
            | PaymentStatus::Cancelled
            | PaymentStatus::Reversed,
        ) => Some(OperationState::Succeeded),
        (OperationKind::Capture, PaymentStatus::Captured) => Some(OperationState::Succeeded),
        (OperationKind::Capture, PaymentStatus::Cancelled) => Some(OperationState::Declined),
        (OperationKind::Void, PaymentStatus::Cancelled) => Some(OperationState::Succeeded),
        (OperationKind::Void, PaymentStatus::Captured) => Some(OperationState::Declined),
        (OperationKind::Refund, _) => match payment.refund(operation.refund?)?.state {
            RefundState::Succeeded | RefundState::Bounced => Some(OperationState::Succeeded),
            RefundState::Failed => Some(OperationState::Declined),
            RefundState::Requested | RefundState::Sent | RefundState::Pending => None,
        },
        (OperationKind::AcceptDispute, _) => match payment.dispute(operation.dispute?)?.state {
            DisputeState::Lost | DisputeState::WarningClosed => Some(OperationState::Succeeded),
            DisputeState::Won => Some(OperationState::Declined),
            _ => None,
        },
        (OperationKind::ContestDispute, _) => {
            let is_open = payment.dispute(operation.dispute?)?.state.is_open();
            (!is_open).then_some(OperationState::Succeeded)
        }
        _ => None,
    }
}

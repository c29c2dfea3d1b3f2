//! What a refund changes: when it is promised, and when the gateway says what became of it.
//! Pure.

use mizan_ledger::postings::{
    ReceiptReturned, ReceiptUnapplied, RefundBounced, RefundSettled, Share,
};
use mizan_ledger::{AccountRef, Authority, PostingKey, Role, TransactionKind, read};
use mizan_money::Timestamp;
use mizan_money::id::RefundId;
use mizan_providers::{RefundAnswer, RefundStatus};

use super::Way;
use crate::payments::error::PaymentError;
use crate::payments::facts::{Effect, STATUS_NOT_KNOWN};
use crate::payments::intent::{IntentState, Payment, Refund, RefundState};
use crate::payments::plan::{EntryAt, Plan, Policy};
use crate::payments::view;

/// The key of the entry that promises a refund.
pub fn requested_key(refund: RefundId) -> String {
    format!("{refund}:requested")
}

/// Whether all of a refund is meant, or only what went through the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

impl Payment {
    /// Takes in a refund that was made at the gateway and not here.
    ///
    /// Where the order holds the money, the parties give it back as for any refund. Where it does
    /// not (a second payment for the order, or more than was left) nobody of the order has a part
    /// in it: once it has succeeded it is booked against unapplied receipts, and a person looks.
    ///
    /// # Errors
    /// Another currency; or it may be a refund that we are asking for in this moment, which will
    /// be known by its reference soon: it is to be tried again.
    pub fn admit_foreign_refund(
        &mut self,
        refund: Refund,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let amount = refund.charge;
        if amount.currency() != self.intent.currency {
            let what = format!("{amount} went back in another currency");
            return Err(PaymentError::Corrupt { what });
        }
        let funding = refund.attempt.and_then(|id| self.attempt(id));
        let funded = funding.is_some_and(|attempt| attempt.captured.is_positive());
        let left = self.left_at_the_gateway().minor();
        if funded && (amount.minor() <= left || self.owed_again(amount).is_some()) {
            return self.promise_refund(refund, Way::Theirs, policy, plan);
        }
        let open = self.refunds.iter().filter(|refund| refund.is_open());
        let asked: i64 = open.map(|refund| refund.charge.minor()).sum();
        if funded && amount.minor() <= left.saturating_add(asked) {
            let what = format!("{amount} went back while a refund is being asked for");
            return Err(PaymentError::Corrupt { what });
        }
        let question = format!("{}: {amount} went back at the gateway beyond the order", refund.id);
        self.ask_a_person(question, plan);
        self.refunds.push(refund);
        Ok(())
    }

    /// Sends the payment to a person, and tells so unless it was there already.
    pub(in crate::payments) fn ask_a_person(
        &mut self,
        question: impl Into<String>,
        plan: &mut Plan,
    ) {
        let news = self.intent.state != IntentState::Review;
        self.intent.send_to_review(question);
        if news {
            let id = self.intent.id.to_string();
            plan.announce("payment.review", id, None, view::event_payload(self));
        }
    }

    pub(in crate::payments) fn announce_refund(
        &self,
        kind: &'static str,
        refund: &Refund,
        entry: Option<EntryAt>,
        plan: &mut Plan,
    ) {
        let payload = view::refund_event_payload(self, refund);
        plan.announce(kind, refund.id.to_string(), entry, payload);
    }

    /// Applies what the gateway says of one refund. `promise` is the entry that promised it,
    /// needed where the promise has to be taken back.
    ///
    /// # Errors
    /// An unknown refund; amounts that do not fit; a missing promise.
    pub fn apply_refund_fact(
        &mut self,
        id: RefundId,
        fact: &RefundAnswer,
        at: Timestamp,
        promise: Option<&read::Transaction>,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        let n = self.refunds.iter().position(|refund| refund.id == id);
        let n = n.ok_or(PaymentError::UnknownRefund { refund: id })?;
        self.refunds[n].provider_ref.get_or_insert_with(|| fact.provider_ref.clone());
        if fact.amount != self.refunds[n].charge {
            let (told, asked) = (fact.amount, self.refunds[n].charge);
            let question = format!("{id}: the gateway says {told}, asked was {asked}");
            self.ask_a_person(&question, plan);
            return Ok(Effect::Unclear(question));
        }
        let before = self.refunds[n].state;
        let effect = self.weigh_refund_fact(n, fact, at, promise, plan)?;
        if self.refunds[n].state != before {
            self.refunds[n].status_at = at;
        }
        Ok(effect)
    }

    fn weigh_refund_fact(
        &mut self,
        n: usize,
        fact: &RefundAnswer,
        at: Timestamp,
        promise: Option<&read::Transaction>,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        let open = self.refunds[n].is_open();
        let reason = fact.reason.clone();
        match (fact.status, self.refunds[n].state) {
            (RefundStatus::Unknown, _) => Ok(Effect::Unclear(STATUS_NOT_KNOWN.into())),
            (RefundStatus::Pending, RefundState::Pending) => Ok(Effect::Known),
            (RefundStatus::Pending, _) if open => {
                self.refunds[n].state = RefundState::Pending;
                Ok(Effect::Applied)
            }
            (RefundStatus::Pending, state) => {
                Ok(Effect::Stale(format!("pending came after {}", state.as_str())))
            }
            (RefundStatus::Succeeded, _) if open => self.settle_refund(n, at, plan),
            (RefundStatus::Succeeded, RefundState::Succeeded) => Ok(Effect::Known),
            (RefundStatus::Succeeded, state) => {
                // Mostly an old word about a refund that failed since; if it is a new one, money
                // left that the books say did not.
                let id = self.refunds[n].id;
                let question = format!("{id}: succeeded came after {}", state.as_str());
                if state == RefundState::Failed && at > self.refunds[n].status_at {
                    self.ask_a_person(&question, plan);
                    return Ok(Effect::Unclear(question));
                }
                Ok(Effect::Stale(question))
            }
            (_, RefundState::Succeeded) => self.bounce_refund(n, at, reason, plan),
            (_, _) if open => self.take_back_promise(n, at, reason, promise, plan),
            (_, _) => Ok(Effect::Known),
        }
    }

    /// The money is with the customer: through the gateway, in the wallet, or both.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub(in crate::payments) fn settle_refund(
        &mut self,
        n: usize,
        at: Timestamp,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        if self.refunds[n].is_beyond() {
            return self.move_unapplied(n, at, RefundState::Succeeded, plan);
        }
        let (owed, paid) = (self.refunds[n].owed(), self.refund_shares(n, Whole::Yes)?);
        let posting = RefundSettled { owed, paid }.posting()?;
        let source = self.refunds[n].id.to_string();
        let key = format!("{source}:succeeded");
        let entry = plan.post("refund.succeeded", key, source, at, posting)?;
        self.intent.refund_pending = self.intent.refund_pending.checked_sub(owed)?;
        self.intent.refunded = self.intent.refunded.checked_add(owed)?;
        self.refunds[n].state = RefundState::Succeeded;
        self.refunds[n].status_at = at;
        self.announce_refund("refund.succeeded", &self.refunds[n], Some(entry), plan);
        Ok(Effect::Applied)
    }

    /// Out of what a refund is paid: the gateway, and, where it is the whole, the wallet; what
    /// rounding adds or leaves is nobody's.
    fn refund_shares(&self, n: usize, whole: Whole) -> Result<Vec<Share>, PaymentError> {
        let refund = &self.refunds[n];
        let mut shares = Vec::new();
        let mut sum = refund.charge;
        if refund.needs_gateway() {
            let provider = self.provider_of(n)?;
            let account = AccountRef::new(Role::GatewayClearing, &[&provider])?;
            shares.push(Share { account, amount: refund.charge });
        }
        let mut target = refund.gateway_part();
        if whole == Whole::Yes {
            target = refund.owed();
            for (kind, amount) in [("cash", refund.to_cash), ("promo", refund.to_promo)] {
                let Some(customer) = &self.intent.customer else { continue };
                let dims = [customer.as_str(), kind, "spendable"];
                let account = AccountRef::new(Role::CustomerWallet, &dims)?;
                sum = sum.checked_add(amount)?;
                shares.push(Share { account, amount });
            }
        }
        let account = AccountRef::new(Role::RoundingDifference, &[])?;
        shares.push(Share { account, amount: target.checked_sub(sum)? });
        Ok(shares)
    }

    /// Books a refund beyond the order: out of unapplied receipts, or back into them.
    fn move_unapplied(
        &mut self,
        n: usize,
        at: Timestamp,
        state: RefundState,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        let (provider, amount) = (self.provider_of(n)?, self.refunds[n].charge);
        let (kind, posting, unapplied) = match state {
            RefundState::Succeeded => (
                "receipt.returned",
                ReceiptReturned { provider, amount }.posting()?,
                self.intent.unapplied.checked_sub(amount)?,
            ),
            _ => (
                "receipt.unapplied",
                ReceiptUnapplied { provider, amount }.posting()?,
                self.intent.unapplied.checked_add(amount)?,
            ),
        };
        let (key, source) =
            (format!("{}:{}", self.refunds[n].id, state.as_str()), self.intent.id.to_string());
        let entry = plan.post(kind, key, source, at, posting)?;
        self.intent.unapplied = unapplied;
        self.refunds[n].state = state;
        let event = match state {
            RefundState::Succeeded => "refund.succeeded",
            _ => "refund.bounced",
        };
        self.announce_refund(event, &self.refunds[n], Some(entry), plan);
        Ok(Effect::Applied)
    }

    /// It came back after it had succeeded: the buyer is owed again.
    fn bounce_refund(
        &mut self,
        n: usize,
        at: Timestamp,
        reason: Option<String>,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        if self.refunds[n].is_beyond() {
            self.refunds[n].failure_reason = reason;
            return self.move_unapplied(n, at, RefundState::Bounced, plan);
        }
        let (owed, back) = (self.refunds[n].gateway_part(), self.refund_shares(n, Whole::No)?);
        let posting = RefundBounced { back, owed }.posting()?;
        let source = self.refunds[n].id.to_string();
        let entry =
            plan.post("refund.bounced", format!("{source}:bounced"), source, at, posting)?;
        self.intent.refunded = self.intent.refunded.checked_sub(owed)?;
        self.intent.refund_pending = self.intent.refund_pending.checked_add(owed)?;
        self.refunds[n].state = RefundState::Bounced;
        self.refunds[n].failure_reason = reason;
        self.announce_refund("refund.bounced", &self.refunds[n], Some(entry), plan);
        Ok(Effect::Applied)
    }

    /// Ends a refund that the gateway refused: nothing went back.
    ///
    /// # Errors
    /// An unknown refund; amounts that do not fit; a missing promise.
    pub fn fail_refund(
        &mut self,
        id: RefundId,
        reason: String,
        promise: Option<&read::Transaction>,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let n = self.refunds.iter().position(|refund| refund.id == id);
        let n = n.ok_or(PaymentError::UnknownRefund { refund: id })?;
        let at = plan.now();
        self.take_back_promise(n, at, Some(reason), promise, plan).map(|_| ())
    }

    /// It never happened: what the parties gave back is given back to them, entry by entry.
    fn take_back_promise(
        &mut self,
        n: usize,
        at: Timestamp,
        reason: Option<String>,
        promise: Option<&read::Transaction>,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        let refund = &self.refunds[n];
        // What was never promised here is not taken back: it is beyond the order, or the promise
        // is that of the bounced refund, whose money is still owed.
        if refund.is_beyond() || refund.repays.is_some() {
            self.refunds[n].state = RefundState::Failed;
            self.refunds[n].failure_reason = reason;
            self.announce_refund("refund.failed", &self.refunds[n], None, plan);
            return Ok(Effect::Applied);
        }
        let promise = promise.ok_or(PaymentError::PromiseMissing { refund: refund.id })?;
        let key = PostingKey::new(format!("{}:failed", refund.id))?;
        let kind = TransactionKind::new("refund.failed")?;
        let actor = plan.actor().to_owned();
        let reversal = promise.reversal(key, kind, Authority::Fact, at, actor)?;
        let entry = plan.add(reversal);
        let refund = refund.clone();
        self.count_refund(&refund, -1)?;
        self.refunds[n].state = RefundState::Failed;
        self.refunds[n].failure_reason = reason;
        self.announce_refund("refund.failed", &self.refunds[n], Some(entry), plan);
        Ok(Effect::Applied)
    }

    fn provider_of(&self, n: usize) -> Result<String, PaymentError> {
        let found = self.refunds[n].attempt.and_then(|id| self.attempt(id));
        let what = || format!("{} goes through no attempt", self.refunds[n].id);
        let found = found.ok_or_else(|| PaymentError::Corrupt { what: what() })?;
        Ok(found.provider.to_string())
    }
}

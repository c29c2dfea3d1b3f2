//! What a gateway's word about a payment changes. Pure; the order of words does not matter.
//!
//! A word is weighed against what is known of the *attempt*: attempts only move forward
//! (created → requires_action or processing → failed → authorised → captured or cancelled), so
//! an old word finds nothing to do. Money is another matter: what was taken is booked whatever
//! was asked, to the order if it is still open for it and to unapplied receipts if not.

use mizan_money::Timestamp;
use mizan_money::id::AttemptId;
use mizan_providers::{PaymentAnswer, PaymentStatus, ProviderRef};
use serde_json::json;

mod capture;
mod fees;
mod page;

pub use self::capture::deals_of;
use self::page::{PAGE_WAIT, collects_on_its_page};
use super::error::PaymentError;
use super::intent::{Attempt, IntentState, Payment};
use super::plan::{Plan, Policy};
use super::view;

/// Why a word whose status is none that we know cannot be applied.
pub(in crate::payments) const STATUS_NOT_KNOWN: &str =
    "the gateway's status is not known to this version";

/// What a word came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Something changed.
    Applied,
    /// It was known already.
    Known,
    /// Something newer is known.
    Stale(String),
    /// It cannot be booked as it is: a person, or a later version, has to look.
    Unclear(String),
}

/// How far an attempt has come. A smaller rank after a greater one is an old word.
fn rank(status: PaymentStatus) -> u8 {
    match status {
        PaymentStatus::Unknown => 0,
        PaymentStatus::Created => 1,
        PaymentStatus::RequiresAction | PaymentStatus::Processing => 2,
        PaymentStatus::Failed => 3,
        PaymentStatus::Authorised => 4,
        PaymentStatus::Cancelled => 5,
        PaymentStatus::Captured => 6,
        PaymentStatus::Reversed => 7,
    }
}

impl Payment {
    /// Applies what the gateway says of one attempt, as of `at` by the gateway's clock.
    ///
    /// # Errors
    /// An unknown attempt; amounts that do not fit.
    pub fn apply_payment_fact(
        &mut self,
        attempt: AttemptId,
        fact: &PaymentAnswer,
        at: Timestamp,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<Effect, PaymentError> {
        let n = self.attempts.iter().position(|a| a.id == attempt);
        let n = n.ok_or(PaymentError::UnknownAttempt { attempt })?;
        self.learn_references(n, fact);
        let (known, known_at) = (self.attempts[n].status, self.attempts[n].status_at);
        if fact.status == PaymentStatus::Unknown {
            return Ok(Effect::Unclear(STATUS_NOT_KNOWN.into()));
        }
        let older = rank(fact.status) < rank(known)
            || (rank(fact.status) == rank(known) && fact.status != known && at < known_at);
        if older {
            return Ok(Effect::Stale(format!("{} came after {known}", fact.status)));
        }
        if self.page_is_still_open(n, fact) {
            return Ok(self.try_again_on_the_page(n, fact, plan));
        }
        if known == PaymentStatus::Captured && self.is_another_charge(n, fact) {
            return Ok(Effect::Unclear(format!(
                "{:?} was taken on the same order as well: refund it at the gateway",
                fact.charge_ref.as_ref().map(ProviderRef::as_str)
            )));
        }
        if let Some(charge) = &fact.charge_ref {
            self.attempts[n].charge_ref = Some(charge.clone());
        }
        if fact.status == known {
            let learned = self.learn_fee(n, fact, at, policy, plan)?;
            let agreed = self.learn_agreement(n, fact, plan);
            return Ok(if learned || agreed { Effect::Applied } else { Effect::Known });
        }
        self.attempts[n].status = fact.status;
        self.attempts[n].status_at = at;
        self.attempts[n].syncs = 0;
        self.attempts[n].sync_at = match fact.status {
            // The customer may never come back, and the gateway's call may be lost.
            PaymentStatus::RequiresAction | PaymentStatus::Processing => {
                Some(plan.now() + PAGE_WAIT)
            }
            _ => None,
        };
        self.learn_agreement(n, fact, plan);
        self.advance(n, fact, at, policy, plan)?;
        self.learn_fee(n, fact, at, policy, plan)?;
        Ok(Effect::Applied)
    }

    fn learn_references(&mut self, n: usize, fact: &PaymentAnswer) {
        let attempt = &mut self.attempts[n];
        attempt.provider_ref.get_or_insert_with(|| fact.provider_ref.clone());
        if let Some(charge) = &fact.charge_ref {
            attempt.charge_ref.get_or_insert_with(|| charge.clone());
        }
    }

    fn advance(
        &mut self,
        n: usize,
        fact: &PaymentAnswer,
        at: Timestamp,
        policy: &Policy,
        plan: &mut Plan,
    ) -> Result<(), PaymentError> {
        let id = self.intent.id.to_string();
        let mut event = None;
        match fact.status {
            PaymentStatus::Captured => return self.capture(n, fact, at, policy, plan),
            PaymentStatus::Authorised => {
                self.authorise(n, fact);
                event = Some(match self.intent.state {
                    IntentState::Review => "payment.review",
                    _ => "payment.authorised",
                });
            }
            PaymentStatus::RequiresAction if self.is_under_way() => {
                self.intent.state = IntentState::RequiresAction;
                self.intent.next_action = fact.next_action.as_ref().map(|next| json!(next));
                event = Some("payment.requires_action");
            }
            PaymentStatus::Processing if self.is_under_way() => {
                self.intent.state = IntentState::Processing;
                // A gateway with a page may say so of one that nobody has paid on yet.
                if !collects_on_its_page(self.attempts[n].provider) {
                    self.intent.next_action = None;
                }
            }
            PaymentStatus::Failed if self.is_under_way() && n + 1 == self.attempts.len() => {
                self.fail(fact.last_error.as_ref().map(|error| json!(error)));
                event = Some("payment.failed");
            }
            PaymentStatus::Cancelled => event = self.cancel(fact.cancellation_reason.clone()),
            PaymentStatus::Reversed => {
                self.intent.send_to_review("the gateway took the payment back");
                event = Some("payment.review");
            }
            _ => {}
        }
        if let Some(kind) = event {
            plan.announce(kind, id, None, view::event_payload(self));
        }
        Ok(())
    }

    /// Whether the gateway or the customer is at work on it.
    fn is_under_way(&self) -> bool {
        matches!(self.intent.state, IntentState::Processing | IntentState::RequiresAction)
    }

    fn authorise(&mut self, n: usize, fact: &PaymentAnswer) {
        let charge = self.attempts[n].charge;
        let open = matches!(
            self.intent.state,
            IntentState::Processing
                | IntentState::RequiresAction
                | IntentState::RequiresPaymentMethod
        );
        let intent = &mut self.intent;
        intent.next_action = None;
        if !open {
            return intent.send_to_review("the gateway holds money for a payment that is closed");
        }
        if fact.capturable != charge {
            let (held, asked) = (fact.capturable, charge);
            return intent.send_to_review(format!("the gateway holds {held}, asked was {asked}"));
        }
        intent.authorised = intent.amount;
        intent.state = IntentState::RequiresCapture;
    }

    /// The attempt never reached the gateway: the same instrument can be tried again.
    pub fn keep_instrument(&mut self, instrument: Option<String>) {
        if self.intent.state == IntentState::RequiresPaymentMethod && instrument.is_some() {
            self.intent.state = IntentState::RequiresConfirmation;
            self.intent.payment_method = instrument;
        }
    }

    /// The attempt failed; the intent can be paid another way.
    pub fn fail(&mut self, error: Option<serde_json::Value>) {
        self.intent.state = IntentState::RequiresPaymentMethod;
        self.intent.payment_method = None;
        self.intent.next_action = None;
        self.intent.last_error = error;
    }

    /// Nothing was taken and nothing will be; answers the event, where that is news.
    fn cancel(&mut self, reason: Option<String>) -> Option<&'static str> {
        let alive = |a: &Attempt| {
            matches!(
                a.status,
                PaymentStatus::RequiresAction
                    | PaymentStatus::Processing
                    | PaymentStatus::Authorised
                    | PaymentStatus::Captured
            )
        };
        let held = matches!(self.intent.state, IntentState::RequiresCapture | IntentState::Review);
        if self.attempts.iter().any(alive) || !(held || self.is_under_way()) {
            return None;
        }
        self.intent.voided = self.intent.authorised;
        self.intent.next_action = None;
        self.intent.cancellation_reason = self.intent.cancellation_reason.take().or(reason);
        self.intent.state = IntentState::Cancelled;
        self.intent.let_the_wallet_go();
        Some("payment.cancelled")
    }
}

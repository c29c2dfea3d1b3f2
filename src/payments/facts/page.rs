//! What happens on a gateway's page: the customer agrees, fails and tries again. Pure.

use mizan_providers::{
    CaptureMethod, Checkout, NextAction, PaymentAnswer, PaymentStatus, ProviderName, webhook_reader,
};
use serde_json::json;

use super::Effect;
use crate::payments::intent::{IntentState, Payment};
use crate::payments::plan::Plan;
use crate::payments::view;

/// When to ask for the first time what became of a page that the customer was sent to.
pub(super) const PAGE_WAIT: chrono::Duration = chrono::Duration::minutes(2);

pub(super) fn collects_on_its_page(gateway: ProviderName) -> bool {
    webhook_reader(gateway).capabilities().checkout == Checkout::HostedPage
}

impl Payment {
    /// The customer agreed on the gateway's page, and our word is waited for: it is given at once.
    /// Answers whether that is news.
    pub(super) fn learn_agreement(&mut self, n: usize, fact: &PaymentAnswer, plan: &Plan) -> bool {
        let agreed = fact.status == PaymentStatus::RequiresAction
            && fact.next_action == Some(NextAction::Confirm);
        // In any other state our word is on its way already, or too late.
        let open = self.intent.state == IntentState::RequiresAction;
        if !agreed || !open || self.waits_for_our_word() {
            return false;
        }
        self.intent.state = IntentState::RequiresAction;
        self.intent.next_action = Some(json!(NextAction::Confirm));
        self.attempts[n].sync_at = Some(plan.now());
        true
    }

    /// Whether a try failed on a gateway's page that can be tried again.
    pub(super) fn page_is_still_open(&self, n: usize, fact: &PaymentAnswer) -> bool {
        let attempt = &self.attempts[n];
        fact.status == PaymentStatus::Failed
            && attempt.status == PaymentStatus::RequiresAction
            && self.intent.state == IntentState::RequiresAction
            && collects_on_its_page(attempt.provider)
    }

    /// The customer may choose again on the same page. A second page beside it could be paid, too.
    pub(super) fn try_again_on_the_page(
        &mut self,
        n: usize,
        fact: &PaymentAnswer,
        plan: &mut Plan,
    ) -> Effect {
        let error = fact.last_error.as_ref().map(|error| json!(error));
        let error = error.or(Some(json!({ "code": "payment_failed" })));
        if self.intent.last_error == error {
            return Effect::Known;
        }
        self.intent.last_error = error;
        self.attempts[n].sync_at = Some(plan.now() + PAGE_WAIT);
        self.attempts[n].syncs = 0;
        let id = self.intent.id.to_string();
        plan.announce("payment.requires_action", id, None, view::event_payload(self));
        Effect::Applied
    }

    /// Whether money was taken by another charge than the one that is known. A charge that only
    /// now gets a name is none.
    pub(super) fn is_another_charge(&self, n: usize, fact: &PaymentAnswer) -> bool {
        let known = self.attempts[n].charge_ref.as_ref();
        let told = fact.charge_ref.as_ref();
        fact.status == PaymentStatus::Captured
            && self.intent.capture_method == CaptureMethod::Automatic
            && matches!((known, told), (Some(known), Some(told)) if known != told)
    }
}

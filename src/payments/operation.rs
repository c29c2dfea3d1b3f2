//! One thing asked of a gateway, and when to ask again about one that has no answer.

use std::collections::BTreeMap;

use chrono::Duration;
use mizan_money::id::{AttemptId, DisputeId, OperationId, PaymentIntentId, RefundId};
use mizan_money::{Money, Timestamp};
use mizan_providers::{
    AcceptDispute, CapturePayment, ConfirmPayment, Confirmation, ContestDispute, CreatePayment,
    DeclineKind, Finality, Operation as Ask, ProviderRef, RefundPayment, RefundReason, VoidPayment,
    VoidReason,
};

use super::error::PaymentError;
use super::intent::{Attempt, Payment, states};

states! {
    /// What is asked.
    OperationKind {
        /// Create a payment and try it.
        Create = "create",
        /// Take, or hold, what the customer agreed to on the gateway's page.
        Confirm = "confirm",
        /// Take held money.
        Capture = "capture",
        /// Give up a hold or an unfinished payment.
        Void = "void",
        /// Give money back.
        Refund = "refund",
        /// Give in to a dispute.
        AcceptDispute = "accept_dispute",
        /// Answer a dispute with evidence.
        ContestDispute = "contest_dispute",
    }
}

states! {
    /// How far it has come. `sent` is committed before the call, so a crash leaves a trace.
    OperationState {
        /// Written down.
        Created = "created",
        /// On its way; after a crash this means the same as unknown.
        Sent = "sent",
        /// The gateway did it.
        Succeeded = "succeeded",
        /// The gateway refused for good.
        Declined = "declined",
        /// The gateway accepted it; the result comes later.
        Pending = "pending",
        /// It certainly did nothing.
        RejectedBeforeSend = "rejected_before_send",
        /// It may or may not have happened.
        Unknown = "unknown",
    }
}

impl OperationState {
    /// Whether nothing more will come of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Declined | Self::RejectedBeforeSend)
    }
}

/// An operation as it is stored.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The intent it serves.
    pub intent: PaymentIntentId,
    /// The attempt it belongs to.
    pub attempt: AttemptId,
    /// The refund, for a refund.
    pub refund: Option<RefundId>,
    /// The dispute, for an answer to one.
    pub dispute: Option<DisputeId>,
    /// The evidence, for an answer that has some.
    pub evidence: Option<BTreeMap<String, String>>,
    /// What is asked.
    pub kind: OperationKind,
    /// How far it has come.
    pub state: OperationState,
    /// What to take, for a capture.
    pub amount: Option<Money>,
    /// Our key at the gateway.
    pub key: String,
    /// Hash of the request as it was first sent.
    pub request_hash: Option<String>,
    /// What came of it.
    pub outcome: Option<serde_json::Value>,
    /// How often it was asked about.
    pub checks: i16,
    /// When it was written down.
    pub created_at: Timestamp,
    /// When it was sent last, where it was sent again without a key.
    pub sent_at: Timestamp,
    /// When to ask about it.
    pub next_check_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// An answer that has not come by then will not come: the client's own limit is shorter.
pub const CALL_TIME_MAX: Duration = Duration::seconds(60);

/// When to ask again: 30 s, 2 min, 10 min, 1 h, then every 6 h as long as gateways remember keys
/// (about 20 h in all), then daily.
pub fn next_check(checks: i16, now: Timestamp) -> Timestamp {
    let wait = match checks {
        ..=0 => Duration::seconds(30),
        1 => Duration::minutes(2),
        2 => Duration::minutes(10),
        3 => Duration::hours(1),
        4..=6 => Duration::hours(6),
        _ => Duration::days(1),
    };
    now + wait
}

impl Operation {
    /// A new operation, about to be sent.
    pub fn about_to_send(
        payment: &Payment,
        attempt: AttemptId,
        kind: OperationKind,
        now: Timestamp,
    ) -> Operation {
        let id = OperationId::generate(now);
        Operation {
            id,
            intent: payment.intent.id,
            attempt,
            refund: None,
            dispute: None,
            evidence: None,
            kind,
            state: OperationState::Sent,
            amount: None,
            key: format!("mizan-{id}"),
            request_hash: None,
            outcome: None,
            checks: 0,
            created_at: now,
            sent_at: now,
            next_check_at: Some(now + CALL_TIME_MAX),
            finished_at: None,
        }
    }

    /// Whether another gateway may be tried after it: its bank declined softly, or it certainly
    /// did nothing.
    pub fn may_go_on(&self) -> bool {
        let detail = self.outcome.as_ref().and_then(|outcome| outcome.get("detail"));
        let kind = detail.and_then(|detail| detail.get("kind")).and_then(|kind| kind.as_str());
        match self.state {
            OperationState::RejectedBeforeSend => true,
            OperationState::Declined => kind == Some(DeclineKind::Soft.as_str()),
            _ => false,
        }
    }

    /// Whether it ended without the gateway ever being asked, so that asking again is not
    /// asking twice.
    pub fn was_never_asked(&self) -> bool {
        let detail = self.outcome.as_ref().and_then(|outcome| outcome.get("detail"));
        let never = detail.and_then(|detail| detail.get("never_asked"));
        self.state == OperationState::RejectedBeforeSend
            && never.and_then(serde_json::Value::as_bool) == Some(true)
    }

    /// The operation in the words of the gateways' trait. The same payment gives the same
    /// request each time, which is what makes a repetition a repetition.
    ///
    /// # Errors
    /// A payment that lacks what the operation needs.
    pub fn ask(&self, payment: &Payment) -> Result<Ask, PaymentError> {
        let intent = &payment.intent;
        let attempt = payment
            .attempt(self.attempt)
            .ok_or(PaymentError::UnknownAttempt { attempt: self.attempt })?;
        let reference = || {
            let what = format!("{} has no gateway reference", attempt.id);
            attempt.provider_ref.clone().ok_or(PaymentError::Corrupt { what })
        };
        Ok(match self.kind {
            OperationKind::Create => Ask::Create(CreatePayment {
                payment: intent.id,
                operation: self.id,
                amount: attempt.charge,
                capture: intent.capture_method,
                payment_method: intent.payment_method.clone(),
                confirmation: Confirmation::Now,
                return_url: intent.return_url.clone(),
                description: intent.description.clone(),
                metadata: intent.metadata.clone(),
                instrument: None,
                keep: None,
            }),
            OperationKind::Confirm => Ask::Confirm(ConfirmPayment {
                payment: intent.id,
                operation: self.id,
                provider_ref: reference()?,
                amount: attempt.charge,
                capture: intent.capture_method,
                payment_method: None,
                return_url: None,
            }),
            OperationKind::Capture => Ask::Capture(CapturePayment {
                payment: intent.id,
                operation: self.id,
                provider_ref: reference()?,
                charge_ref: attempt.charge_ref.clone(),
                authorised: attempt.charge,
                captured_before: Money::zero(intent.currency),
                amount: self.amount.unwrap_or(attempt.charge),
                finality: Finality::Final,
            }),
            OperationKind::Void => Ask::Void(VoidPayment {
                payment: intent.id,
                operation: self.id,
                provider_ref: reference()?,
                charge_ref: attempt.charge_ref.clone(),
                amount: attempt.charge,
                reason: VoidReason::RequestedByCustomer,
            }),
            OperationKind::Refund => self.ask_for_refund(payment, attempt, reference()?)?,
            OperationKind::AcceptDispute | OperationKind::ContestDispute => {
                self.ask_about_dispute(payment)?
            }
        })
    }

    fn ask_for_refund(
        &self,
        payment: &Payment,
        attempt: &Attempt,
        provider_ref: ProviderRef,
    ) -> Result<Ask, PaymentError> {
        let what = || PaymentError::Corrupt { what: format!("{} names no refund", self.id) };
        let id = self.refund.ok_or_else(what)?;
        let refund = payment.refund(id).ok_or(PaymentError::UnknownRefund { refund: id })?;
        Ok(Ask::Refund(RefundPayment {
            payment: payment.intent.id,
            refund: id,
            operation: self.id,
            provider_ref,
            charge_ref: attempt.charge_ref.clone(),
            amount: refund.charge,
            reason: refund.reason.parse().unwrap_or(RefundReason::Other),
            known_refunds: payment.known_refunds(id),
        }))
    }

    fn ask_about_dispute(&self, payment: &Payment) -> Result<Ask, PaymentError> {
        let what = || PaymentError::Corrupt { what: format!("{} names no dispute", self.id) };
        let dispute = self.dispute.and_then(|id| payment.dispute(id)).ok_or_else(what)?;
        let (operation, provider_ref) = (self.id, dispute.provider_ref.clone());
        Ok(match &self.evidence {
            None => Ask::AcceptDispute(AcceptDispute { operation, provider_ref }),
            Some(evidence) => {
                let evidence = evidence.clone();
                Ask::ContestDispute(ContestDispute { operation, provider_ref, evidence })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_grows_to_a_day_and_stays_there() {
        let now = Timestamp::UNIX_EPOCH;
        let waits: Vec<i64> = (0..9).map(|n| (next_check(n, now) - now).num_seconds()).collect();
        assert_eq!(waits, [30, 120, 600, 3_600, 21_600, 21_600, 21_600, 86_400, 86_400]);
        // The last repetition comes before the shortest memory of a gateway, 24 h, is over.
        let last = waits[1..7].iter().sum::<i64>() + CALL_TIME_MAX.num_seconds();
        assert!(last < 23 * 3_600);
    }
}

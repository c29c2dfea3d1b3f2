//! What a gateway told us by itself, translated; a fact to be applied, never a command.

use std::fmt;
use std::str::FromStr;

use mizan_money::id::PaymentIntentId;
use mizan_money::{Money, Timestamp};
use serde::Serialize;

use crate::error::ModelError;
use crate::model::{DisputeStatus, ProviderFee, ProviderRef, words};
use crate::outcome::{PaymentAnswer, RefundAnswer};
use crate::payout::PayoutAnswer;
use crate::transfer::TransferAnswer;

/// A delivery whose signature was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDelivery {
    /// The gateway's event id, or `sha256:…` of the bytes where there is none. Redeliveries have
    /// the same.
    pub dedupe_id: String,
    /// When the gateway signed it, where its scheme says so.
    pub signed_at: Option<Timestamp>,
    /// Which of the given secrets fitted; an old one still in use shows a rotation not finished.
    pub secret_index: usize,
}

words! {
    /// What an event is about.
    EventKind {
        /// A payment changed.
        Payment = "payment",
        /// A refund changed.
        Refund = "refund",
        /// Something was refunded on a payment: a reason to ask, not a fact to book.
        RefundNotice = "refund_notice",
        /// A dispute changed.
        Dispute = "dispute",
        /// A payout changed.
        Payout = "payout",
        /// A transfer to a connected account changed.
        Transfer = "transfer",
        /// A settlement can be fetched.
        Settlement = "settlement",
        /// Nothing we use.
        Other = "other",
    }
}

words! {
    /// Whether an event moves a dispute's money.
    FundsMovement {
        /// It does not.
        None = "none",
        /// The disputed amount and the fee left our balance.
        Withdrawn = "withdrawn",
        /// They came back.
        Reinstated = "reinstated",
    }
}

/// One translated event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The gateway's event id.
    pub id: String,
    /// The gateway's name of the event, such as `payment_intent.succeeded`.
    pub event_type: String,
    /// When it happened, by the gateway's clock; its resolution is a second, so two events may
    /// share it and their order must come from the states. Always there for what moves money at
    /// Stripe; `None` only for [`EventSubject::Other`].
    pub occurred_at: Option<Timestamp>,
    /// The connected account it happened on, where there is one.
    pub account: Option<String>,
    /// Whether it is about real money, where the gateway says so.
    pub mode: Mode,
    /// What it is about.
    pub subject: EventSubject,
}

words! {
    /// Whether an event is about real money.
    Mode {
        /// Real money.
        Live = "live",
        /// Test money.
        Test = "test",
        /// The gateway does not say.
        Unstated = "unstated",
    }
}

/// What an event is about, with its facts: a snapshot taken when the event happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSubject {
    /// A payment changed.
    Payment(Box<PaymentEvent>),
    /// A refund changed.
    Refund(Box<RefundEvent>),
    /// Something was refunded on a payment.
    RefundNotice(RefundNotice),
    /// A dispute changed.
    Dispute(Box<DisputeEvent>),
    /// A payout changed.
    Payout(Box<PayoutEvent>),
    /// A transfer changed.
    Transfer(Box<TransferEvent>),
    /// A settlement can be fetched.
    Settlement(SettlementNotice),
    /// Nothing we use.
    Other(OtherEvent),
}

/// A payment's facts: the same a sync would answer.
pub type PaymentEvent = PaymentAnswer;

/// A refund's facts: the same a sync would answer.
pub type RefundEvent = RefundAnswer;

/// Something was refunded on a payment; ask for the refunds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundNotice {
    /// The gateway's payment, or its charge where the payment is not named.
    pub provider_ref: ProviderRef,
    /// The gateway's charge.
    pub charge_ref: Option<ProviderRef>,
    /// What went back in all so far.
    pub refunded_total: Money,
    /// Our payment, as the metadata says.
    pub reference: Option<PaymentIntentId>,
}

/// A dispute's facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisputeEvent {
    /// The gateway's dispute.
    pub provider_ref: ProviderRef,
    /// Its state.
    pub status: DisputeStatus,
    /// The gateway's own word for the state.
    pub status_word: String,
    /// What is disputed, in the payment's currency.
    pub amount: Money,
    /// The gateway's payment.
    pub payment_ref: Option<ProviderRef>,
    /// The gateway's charge.
    pub charge_ref: Option<ProviderRef>,
    /// The bank's reason.
    pub reason: Option<String>,
    /// Until when evidence is taken.
    pub evidence_due_by: Option<Timestamp>,
    /// Whether this very event moved money.
    pub funds: FundsMovement,
    /// Every row the dispute made so far: the withdrawal, and its reversal with a negative fee.
    pub rows: Vec<ProviderFee>,
    /// Our payment, as the metadata says.
    pub reference: Option<PaymentIntentId>,
    /// When it last changed, where the dispute itself says so: of two answers, the later counts.
    pub changed_at: Option<Timestamp>,
    /// Why the money it tells of cannot be booked as it is told; then there are no rows.
    pub unclear: Option<String>,
}

impl DisputeEvent {
    /// Whether an inquiry is over: it came to nothing, or was prevented from becoming more.
    pub fn is_over(&self) -> bool {
        const OVER: [&str; 3] = ["warning_closed", "prevented", "closed"];
        OVER.contains(&self.status_word.to_ascii_lowercase().as_str())
    }
}

/// A payout's facts: the same a sync would answer.
pub type PayoutEvent = PayoutAnswer;

/// A transfer's facts: the same a sync would answer.
pub type TransferEvent = TransferAnswer;

/// A settlement can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettlementNotice {
    /// The gateway's payout or settlement.
    pub provider_ref: ProviderRef,
    /// What was paid out.
    pub amount: Money,
}

/// An event of no interest, kept by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherEvent {
    /// The gateway's name of the object's type, where there is one.
    pub object: Option<String>,
    /// The object's id, where it has a plain one.
    pub object_id: Option<ProviderRef>,
}

impl ProviderEvent {
    /// What it is about.
    pub const fn kind(&self) -> EventKind {
        match self.subject {
            EventSubject::Payment(_) => EventKind::Payment,
            EventSubject::Refund(_) => EventKind::Refund,
            EventSubject::RefundNotice(_) => EventKind::RefundNotice,
            EventSubject::Dispute(_) => EventKind::Dispute,
            EventSubject::Payout(_) => EventKind::Payout,
            EventSubject::Transfer(_) => EventKind::Transfer,
            EventSubject::Settlement(_) => EventKind::Settlement,
            EventSubject::Other(_) => EventKind::Other,
        }
    }

    /// The gateway's id of the thing.
    pub fn provider_ref(&self) -> Option<&ProviderRef> {
        match &self.subject {
            EventSubject::Payment(it) => Some(&it.provider_ref),
            EventSubject::Refund(it) => Some(&it.provider_ref),
            EventSubject::RefundNotice(it) => Some(&it.provider_ref),
            EventSubject::Dispute(it) => Some(&it.provider_ref),
            EventSubject::Payout(it) => Some(&it.provider_ref),
            EventSubject::Transfer(it) => Some(&it.provider_ref),
            EventSubject::Settlement(it) => Some(&it.provider_ref),
            EventSubject::Other(it) => it.object_id.as_ref(),
        }
    }

    /// The gateway's id of the payment the thing belongs to, where the event names it.
    pub fn payment_ref(&self) -> Option<&ProviderRef> {
        match &self.subject {
            EventSubject::Payment(it) => Some(&it.provider_ref),
            EventSubject::Refund(it) => it.payment_ref.as_ref(),
            EventSubject::RefundNotice(it) => Some(&it.provider_ref),
            EventSubject::Dispute(it) => it.payment_ref.as_ref(),
            _ => None,
        }
    }

    /// Our payment, where the metadata names it.
    pub fn reference(&self) -> Option<PaymentIntentId> {
        match &self.subject {
            EventSubject::Payment(it) => it.reference,
            EventSubject::Refund(it) => it.payment_reference,
            EventSubject::RefundNotice(it) => it.reference,
            EventSubject::Dispute(it) => it.reference,
            _ => None,
        }
    }

    /// The state's word, where the thing has one.
    pub const fn status(&self) -> Option<&'static str> {
        match &self.subject {
            EventSubject::Payment(it) => Some(it.status.as_str()),
            EventSubject::Refund(it) => Some(it.status.as_str()),
            EventSubject::Dispute(it) => Some(it.status.as_str()),
            EventSubject::Payout(it) => Some(it.status.as_str()),
            EventSubject::Transfer(it) => Some(it.status.as_str()),
            EventSubject::RefundNotice(_)
            | EventSubject::Settlement(_)
            | EventSubject::Other(_) => None,
        }
    }

    /// The amount the event is about: what was taken, for a captured payment; what was refunded
    /// in all, for a notice; else the thing's own.
    pub fn amount(&self) -> Option<Money> {
        use crate::model::PaymentStatus::Captured;
        match &self.subject {
            EventSubject::Payment(it) if it.status == Captured => Some(it.captured),
            EventSubject::Payment(it) => Some(it.amount),
            EventSubject::Refund(it) => Some(it.amount),
            EventSubject::RefundNotice(it) => Some(it.refunded_total),
            EventSubject::Dispute(it) => Some(it.amount),
            EventSubject::Payout(it) => Some(it.amount),
            EventSubject::Transfer(it) => Some(it.amount),
            EventSubject::Settlement(it) => Some(it.amount),
            EventSubject::Other(_) => None,
        }
    }
}

//! What an answer means for the operation: done, pending, declined, rejected, unknown, mismatch.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use mizan_money::Money;
use mizan_money::id::{PaymentIntentId, RefundId};
use serde::Serialize;

use crate::dispute::{DisputeAnswer, DisputePage};
use crate::error::{BuildError, ModelError, SendError};
use crate::instrument::{CustomerAnswer, InstrumentAnswer, SavedInstrument};
use crate::model::{NextAction, PaymentStatus, ProviderFee, ProviderRef, RefundStatus, words};
use crate::payout::PayoutAnswer;
use crate::settlement::SettlementPage;
use crate::transfer::TransferAnswer;

/// What one call meant. There is no other way to read a gateway's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The gateway did what was asked and its echo agrees. Read the status: a payment that was
    /// created may still need a confirm or the customer.
    Done(Answer),
    /// Accepted; the result comes later.
    Pending(Answer),
    /// Refused for good by the bank or the gateway's risk rules.
    Declined(Decline),
    /// Certainly nothing happened.
    Rejected(Rejection),
    /// It may or may not have happened: ask again with the same key, or query.
    Unknown(Unknown),
    /// The answer is readable and disagrees with what was asked. Never a success.
    Mismatch(Box<Mismatch>),
}

impl Outcome {
    /// The answer, where the gateway gave a believable one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Done(answer) | Self::Pending(answer) => Some(answer),
            _ => None,
        }
    }

    /// The word for logs and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Pending(_) => "pending",
            Self::Declined(_) => "declined",
            Self::Rejected(_) => "rejected",
            Self::Unknown(_) => "unknown",
            Self::Mismatch(_) => "mismatch",
        }
    }

    /// Whether a different gateway may be tried for the same payment: only after a soft decline
    /// or a rejection, never while anything may have happened.
    pub const fn allows_another_gateway(&self) -> bool {
        match self {
            Self::Declined(decline) => matches!(decline.kind, DeclineKind::Soft),
            Self::Rejected(_) => true,
            _ => false,
        }
    }
}

/// A believable answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the gateway says of the payment or refund.
    pub subject: Subject,
    /// The gateway's id of the request, for its support desk.
    pub request_id: Option<String>,
}

impl Answer {
    /// The payment, when it is one.
    pub fn payment(&self) -> Option<&PaymentAnswer> {
        match &self.subject {
            Subject::Payment(payment) => Some(payment),
            _ => None,
        }
    }

    /// The refund, when it is one.
    pub fn refund(&self) -> Option<&RefundAnswer> {
        match &self.subject {
            Subject::Refund(refund) => Some(refund),
            _ => None,
        }
    }

    /// The gateway's id of the thing; a list has none.
    pub fn provider_ref(&self) -> Option<&ProviderRef> {
        match &self.subject {
            Subject::Payment(it) => Some(&it.provider_ref),
            Subject::Refund(it) => Some(&it.provider_ref),
            Subject::Customer(it) => Some(&it.provider_ref),
            Subject::Instrument(it) => Some(&it.provider_ref),
            Subject::Payout(it) => Some(&it.provider_ref),
            Subject::Transfer(it) => Some(&it.provider_ref),
            Subject::Dispute(it) => Some(&it.provider_ref),
            Subject::Disputes(_) | Subject::Settlement(_) => None,
        }
    }
}

/// What an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A payment.
    Payment(Box<PaymentAnswer>),
    /// A refund.
    Refund(Box<RefundAnswer>),
    /// A customer at the gateway.
    Customer(Box<CustomerAnswer>),
    /// A saved instrument.
    Instrument(Box<InstrumentAnswer>),
    /// A payout.
    Payout(Box<PayoutAnswer>),
    /// A transfer.
    Transfer(Box<TransferAnswer>),
    /// A dispute.
    Dispute(Box<DisputeAnswer>),
    /// Some disputes.
    Disputes(Box<DisputePage>),
    /// Some settlement lines.
    Settlement(Box<SettlementPage>),
}

/// The facts of a payment at the gateway, at the moment of the answer or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentAnswer {
    /// The gateway's payment.
    pub provider_ref: ProviderRef,
    /// Its state.
    pub status: PaymentStatus,
    /// What the customer was asked to pay.
    pub amount: Money,
    /// What is held and can still be captured.
    pub capturable: Money,
    /// What was taken so far, refunds not deducted.
    pub captured: Money,
    /// What went back so far, where the answer says it.
    pub refunded: Option<Money>,
    /// The gateway's charge, by which disputes and settlement rows refer to it.
    pub charge_ref: Option<ProviderRef>,
    /// What the customer must do next.
    pub next_action: Option<NextAction>,
    /// Why the last attempt failed.
    pub last_error: Option<Decline>,
    /// Why it was cancelled, in the gateway's word.
    pub cancellation_reason: Option<String>,
    /// What the gateway keeps, where it is known already.
    pub fee: Option<ProviderFee>,
    /// The instrument that can be charged again, where the gateway kept it.
    pub instrument: Option<SavedInstrument>,
    /// Our payment, as the metadata says.
    pub reference: Option<PaymentIntentId>,
}

/// The facts of a refund at the gateway, at the moment of the answer or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundAnswer {
    /// The gateway's refund.
    pub provider_ref: ProviderRef,
    /// Its state.
    pub status: RefundStatus,
    /// What goes back.
    pub amount: Money,
    /// The gateway's payment.
    pub payment_ref: Option<ProviderRef>,
    /// The gateway's charge.
    pub charge_ref: Option<ProviderRef>,
    /// Why it failed or waits, in the gateway's word.
    pub reason: Option<String>,
    /// What the refund moved at the gateway, where it is known already.
    pub fee: Option<ProviderFee>,
    /// Our refund, as the metadata says.
    pub reference: Option<RefundId>,
    /// Our payment, as the metadata says.
    pub payment_reference: Option<PaymentIntentId>,
}

words! {
    /// Whether trying again can help.
    DeclineKind {
        /// Another time, another way or another gateway may work.
        Soft = "soft",
        /// The bank said no for good: do not try this instrument again.
        Hard = "hard",
    }
}

/// A refusal by the bank or the gateway's risk rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decline {
    /// The gateway's error code, such as `card_declined`.
    pub code: String,
    /// The bank's reason, such as `insufficient_funds`.
    pub decline_code: Option<String>,
    /// The network's advice, such as `do_not_try_again`.
    pub advice_code: Option<String>,
    /// Whether trying again can help.
    pub kind: DeclineKind,
    /// The gateway's sentence for people, cut to 500 characters.
    pub message: String,
    /// The gateway's payment, where the refusal names one. It can be tried again.
    pub provider_ref: Option<ProviderRef>,
    /// The gateway's charge, where one was made.
    pub charge_ref: Option<ProviderRef>,
}

words! {
    /// Why nothing happened.
    RejectionReason {
        /// The gateway cannot do it, or the amount cannot be said in its units.
        Unsupported = "unsupported_by_provider",
        /// The connection was never made.
        NotSent = "not_sent",
        /// The gateway found the request wrong, or the thing in the wrong state.
        InvalidRequest = "invalid_request",
        /// The gateway knows no such thing: wrong id or wrong mode.
        NotFound = "not_found",
        /// Our key is wrong or may not do this.
        Credentials = "credentials",
        /// Too many requests; nothing was executed.
        RateLimited = "rate_limited",
        /// The idempotency key was used before with other parameters: a bug of ours.
        KeyReused = "idempotency_key_reused",
    }
}

impl RejectionReason {
    /// Whether an operator should be woken: our key or our keys' discipline is broken.
    pub const fn is_alarming(self) -> bool {
        matches!(self, Self::Credentials | Self::KeyReused)
    }

    /// Whether the same operation may be sent again later as it is.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::NotSent | Self::RateLimited)
    }
}

/// A refusal that certainly did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The class of it.
    pub reason: RejectionReason,
    /// The gateway's or our own code, such as `payment_intent_unexpected_state`.
    pub code: String,
    /// A sentence for people, cut to 500 characters.
    pub message: String,
    /// When to try again, where the gateway said so.
    pub retry_after: Option<Duration>,
}

impl From<&BuildError> for Rejection {
    fn from(error: &BuildError) -> Self {
        Self {
            reason: error.reason(),
            code: error.code().to_owned(),
            message: error.to_string(),
            retry_after: None,
        }
    }
}

/// Nobody knows whether it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What stands in the way of knowing.
    pub why: UnknownReason,
    /// When to ask again, where the gateway said so.
    pub retry_after: Option<Duration>,
}

impl From<UnknownReason> for Unknown {
    fn from(why: UnknownReason) -> Self {
        Self { why, retry_after: None }
    }
}

/// What stands in the way of knowing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownReason {
    /// No complete answer came.
    #[error("no complete answer: {0}")]
    NoAnswer(SendError),
    /// The gateway answered that it failed.
    #[error("the gateway answered {status}")]
    ServerError {
        /// The status code.
        status: u16,
    },
    /// The same key is still being worked on, or another request holds the thing.
    #[error("the gateway is still busy with it ({code})")]
    Busy {
        /// The gateway's code.
        code: String,
    },
    /// A refusal that says nothing about an earlier attempt.
    #[error("answered {status} after an attempt that may have been executed")]
    AfterEarlierAttempt {
        /// The status code.
        status: u16,
    },
    /// A query found nothing.
    #[error("the gateway does not know it ({code})")]
    NotFound {
        /// The gateway's code.
        code: String,
    },
    /// A redirect, which a gateway never has reason to send.
    #[error("the gateway answered a redirect ({status})")]
    Redirect {
        /// The status code.
        status: u16,
    },
    /// The body is not what the gateway documents.
    #[error("the answer with status {status} is not readable: {problem}")]
    Unreadable {
        /// The status code.
        status: u16,
        /// What is wrong with it, without quoting it.
        problem: String,
    },
    /// A success status with an error inside.
    #[error("an answer with status {status} holds an error ({code})")]
    ErrorInside {
        /// The status code.
        status: u16,
        /// The gateway's code.
        code: String,
    },
    /// A state no table of ours knows.
    #[error("the gateway's status {word:?} is not known")]
    UnknownStatus {
        /// The gateway's word, cut to 40 characters.
        word: String,
    },
    /// A known state that cannot follow from what was asked.
    #[error("{status} is no answer to {operation}")]
    UnexpectedStatus {
        /// What was asked.
        operation: &'static str,
        /// What the gateway says.
        status: &'static str,
    },
}

impl UnknownReason {
    /// The word for logs, metrics and tables.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "no_answer",
            Self::ServerError { .. } => "server_error",
            Self::Busy { .. } => "busy",
            Self::AfterEarlierAttempt { .. } => "after_earlier_attempt",
            Self::NotFound { .. } => "not_found",
            Self::Redirect { .. } => "redirect",
            Self::Unreadable { .. } => "unreadable",
            Self::ErrorInside { .. } => "error_inside",
            Self::UnknownStatus { .. } => "unknown_status",
            Self::UnexpectedStatus { .. } => "unexpected_status",
        }
    }
}

/// A readable answer that disagrees with what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What differs: `amount`, `currency`, `captured`, `reference`, `provider_ref`, …
    pub field: &'static str,
    /// What was asked.
    pub expected: String,
    /// What came back.
    pub got: String,
    /// The gateway's facts all the same: a person will need them.
    pub answer: Answer,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the gateway's {} is {}, asked was {} ({})",
            self.field,
            self.got,
            self.expected,
            self.answer.provider_ref().map_or("-", ProviderRef::as_str)
        )
    }
}

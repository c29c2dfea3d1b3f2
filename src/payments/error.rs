//! Why a payment's command was refused, and what stands behind it.

use mizan_ledger::{AccountError, LedgerError, PostingError, Refusal};
use mizan_money::id::{AttemptId, DisputeId, PaymentIntentId, RefundId};
use mizan_money::{Money, MoneyError};
use mizan_providers::BuildError;
use mizan_providers::error::ModelError;

use super::intent::IntentState;
use super::split::SplitError;
use crate::affiliates::AffiliateError;
use crate::db::{DbError, Retry, Retryable};
use crate::wallets::WalletError;

/// Why nothing was done. A rule's refusal names the numbers and the way out.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The id is unknown here.
    #[error("{id} is not known")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// No connection can take the payment.
    #[error("no connection can take {payment}: {reasons}")]
    NoRoute {
        /// The intent.
        payment: PaymentIntentId,
        /// Each connection with what speaks against it.
        reasons: String,
    },
    /// The intent is not in a state for it.
    #[error("{payment} is {}: {action} needs {needs}", state.as_str())]
    WrongState {
        /// The intent.
        payment: PaymentIntentId,
        /// Where it stands.
        state: IntentState,
        /// What was asked.
        action: &'static str,
        /// In which states it is possible.
        needs: &'static str,
    },
    /// The gateway is still being asked something.
    #[error("{payment} has an operation under way ({kind}); wait for it or sync the payment")]
    OperationUnderWay {
        /// The intent.
        payment: PaymentIntentId,
        /// What is being asked.
        kind: String,
    },
    /// More than there is.
    #[error("{action} of {asked} is more than the {left} still possible on {payment}")]
    TooMuch {
        /// The intent.
        payment: PaymentIntentId,
        /// What was asked: `refund`, `capture`.
        action: &'static str,
        /// How much was asked for.
        asked: Money,
        /// How much there is.
        left: Money,
    },
    /// Input that contradicts itself or that a rule forbids.
    #[error("{message}")]
    Invalid {
        /// Where in the input.
        param: String,
        /// What is wrong and how to put it right.
        message: String,
    },
    /// No instrument was named.
    #[error("{payment} has no payment method: name one when confirming")]
    NoPaymentMethod {
        /// The intent.
        payment: PaymentIntentId,
    },
    /// The gateway cannot do it, known before any call.
    #[error("{provider} cannot do this: {message}")]
    Unsupported {
        /// The gateway.
        provider: String,
        /// What it cannot.
        message: String,
    },
    /// Whoever asked for it decides on it as well.
    #[error("{id} was asked for by this API key: another one decides")]
    OwnRequest {
        /// What was asked for.
        id: String,
    },
    /// No such connection is configured.
    #[error("no gateway connection is configured for this tenant")]
    NoConnection,
    /// An attempt that is not of this intent.
    #[error("{attempt} is not an attempt of this payment")]
    UnknownAttempt {
        /// The attempt.
        attempt: AttemptId,
    },
    /// A refund that is not of this intent.
    #[error("{refund} is not a refund of this payment")]
    UnknownRefund {
        /// The refund.
        refund: RefundId,
    },
    /// The entry that promised a refund is not in the journal, so that it cannot be taken back.
    #[error("stored data cannot be read: the promise of {refund}")]
    PromiseMissing {
        /// The refund.
        refund: RefundId,
    },
    /// An entry that has to be written before this can be weighed.
    #[error("{dispute} waits for an entry that is not in the journal")]
    EntryAhead {
        /// The dispute.
        dispute: DisputeId,
    },
    /// A dispute is not in a state for it.
    #[error("{dispute} is {state}: {action} needs {needs}")]
    WrongDisputeState {
        /// The dispute.
        dispute: DisputeId,
        /// Where it stands.
        state: &'static str,
        /// What was asked.
        action: &'static str,
        /// In which states it is possible.
        needs: &'static str,
    },
    /// A gateway's dispute that is known is entered once more.
    #[error("the dispute {reference} is known already: each has a reference of its own")]
    DisputeKnown {
        /// What the gateway calls it.
        reference: String,
    },
    /// The ledger refused a fact: the plan was wrong.
    #[error("the ledger refused: {refusal}")]
    LedgerRefused {
        /// Why.
        refusal: Refusal,
    },
    /// A posting key that was used with other content: the plan was wrong.
    #[error("the posting key {key} was used before with other content")]
    PostingKeyReused {
        /// The key.
        key: String,
    },
    /// Stored data that this version cannot read.
    #[error("stored data cannot be read: {what}")]
    Corrupt {
        /// What and where.
        what: String,
    },
    /// A split that cannot be made.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// Amounts that do not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A posting that cannot be.
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// An account that cannot be.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A wallet said no.
    #[error(transparent)]
    Wallet(Box<WalletError>),
    /// An affiliate or a code that cannot be.
    #[error(transparent)]
    Affiliate(Box<AffiliateError>),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<LedgerError> for PaymentError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Database(error) => Self::Db(error.into()),
            other => Self::Corrupt { what: other.to_string() },
        }
    }
}

impl From<sqlx::Error> for PaymentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<ModelError> for PaymentError {
    fn from(error: ModelError) -> Self {
        Self::Corrupt { what: error.to_string() }
    }
}

impl From<BuildError> for PaymentError {
    fn from(error: BuildError) -> Self {
        Self::Unsupported { provider: "the gateway".into(), message: error.to_string() }
    }
}

impl Retryable for PaymentError {
    fn retry(&self) -> Retry {
        match self {
            Self::Db(error) => error.retry(),
            _ => Retry::Never,
        }
    }
}

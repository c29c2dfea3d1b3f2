//! What can go wrong between a gateway's call and the kept delivery.

use mizan_money::DeliveryId;
use mizan_providers::VerifyError;

/// Why a delivery is not taken in. Nothing of it is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The body passes the bound and was not looked at.
    #[error("the body has {length} bytes: a delivery has at most {limit}")]
    TooLarge {
        /// Its length in bytes.
        length: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// Our own fault: the connection has no secret, so that nothing can be believed.
    #[error("the connection has no webhook secret: configure one, the gateway will call again")]
    NoSecrets,
    /// The signature, its header or its time is wrong.
    #[error("the delivery is not believed")]
    NotBelieved(#[source] VerifyError),
}

impl Refused {
    /// The word for metrics and answers, as fine as [`VerifyError::code`].
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "body_too_large",
            Self::NoSecrets => "no_secrets",
            Self::NotBelieved(error) => error.code(),
        }
    }
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::BodyTooLarge { length, limit } => Self::TooLarge { length, limit },
            VerifyError::NoSecrets => Self::NoSecrets,
            other => Self::NotBelieved(other),
        }
    }
}

/// A word that is no state of a delivery. The word itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery is received, applied, ignored, stale or parked")]
pub struct UnknownState;

/// The database refused or could not be reached, or a delivery was not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The database.
    #[error("the database of deliveries answered with an error")]
    Database(#[from] sqlx::Error),
    /// Its outcome is final already, or there is no such delivery.
    #[error("{id} is not open: it is finished already, or unknown to this tenant")]
    NotOpen {
        /// The delivery.
        id: DeliveryId,
    },
    /// Stored data that this version cannot read.
    #[error("{id} holds what this version cannot read: its {what}")]
    Corrupt {
        /// The delivery.
        id: DeliveryId,
        /// Which part.
        what: &'static str,
    },
}

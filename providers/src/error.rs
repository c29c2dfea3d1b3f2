//! What can go wrong before, while and after talking to a gateway; none of it holds a secret.

use crate::outcome::RejectionReason;

/// A word, name, reference or key that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No adapter has this name.
    #[error("no gateway is called {name:?}")]
    UnknownProvider {
        /// What was given, cut to 40 characters.
        name: String,
    },
    /// Not a gateway's id.
    #[error(
        "a gateway's reference has 1 to 255 letters, digits or _-.:~, not these {length} bytes"
    )]
    ProviderRef {
        /// How long the text was.
        length: usize,
    },
    /// Not an idempotency key.
    #[error("an idempotency key has 1 to 255 visible ASCII characters, not these {length} bytes")]
    IdempotencyKey {
        /// How long the text was.
        length: usize,
    },
    /// Not a word of a closed set.
    #[error("{word:?} is no {set}")]
    UnknownWord {
        /// The set.
        set: &'static str,
        /// What was given, cut to 40 characters.
        word: String,
    },
}

/// Why no request was made. Nothing left the house.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The gateway has no such operation.
    #[error("{provider} cannot do {what}")]
    Unsupported {
        /// The gateway.
        provider: &'static str,
        /// What was asked.
        what: &'static str,
    },
    /// The amount cannot be said in the gateway's units without losing some of it.
    #[error("{amount} cannot be sent to {provider}: {rule}")]
    Amount {
        /// The gateway.
        provider: &'static str,
        /// The amount, with its currency.
        amount: String,
        /// The gateway's rule that it breaks.
        rule: &'static str,
    },
    /// A field is missing or not as the gateway needs it.
    #[error("{field}: {problem}")]
    Field {
        /// The field of the operation.
        field: &'static str,
        /// What is wrong and how to mend it.
        problem: &'static str,
    },
    /// The adapter was made for reading webhooks only.
    #[error("no API key for {provider} is configured on this connection")]
    NoCredentials {
        /// The gateway.
        provider: &'static str,
    },
}

impl BuildError {
    /// The word for tables and answers.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "unsupported_by_provider",
            Self::Amount { .. } => "amount_not_representable",
            Self::Field { .. } => "invalid_field",
            Self::NoCredentials { .. } => "no_credentials",
        }
    }

    /// The class of rejection it is.
    pub const fn reason(&self) -> RejectionReason {
        match self {
            Self::Unsupported { .. } => RejectionReason::Unsupported,
            Self::Amount { .. } | Self::Field { .. } => RejectionReason::InvalidRequest,
            Self::NoCredentials { .. } => RejectionReason::Credentials,
        }
    }
}

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The connection was never made: name, port, TLS or our own request was at fault.
    #[error("not sent: {problem}")]
    BeforeSend {
        /// What stood in the way.
        problem: String,
    },
    /// The time ran out after the connection may have been made.
    #[error("no answer within {limit_ms} ms")]
    TimedOut {
        /// The total limit of the call, in milliseconds.
        limit_ms: u64,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection broke: {problem}")]
    Broken {
        /// What the connection said.
        problem: String,
    },
    /// The body passed the bound and was not read to its end.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
}

impl SendError {
    /// Whether the gateway certainly saw nothing.
    pub const fn is_before_send(&self) -> bool {
        matches!(self, Self::BeforeSend { .. })
    }
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The base address is not an http or https address without query, or carries a password.
    #[error("the base address of a gateway is http:// or https:// with a host and no query")]
    BaseUrl,
    /// The HTTP library refused its settings.
    #[error("the HTTP client could not be made")]
    Build(#[source] reqwest::Error),
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The connection has no secret, so nothing can be believed.
    #[error("no webhook secret is configured")]
    NoSecrets,
    /// The body passes the bound.
    #[error("the body has {length} bytes, more than {limit}")]
    BodyTooLarge {
        /// Its length in bytes.
        length: usize,
        /// The bound in bytes.
        limit: usize,
    },
    /// The signature header is not there.
    #[error("the header {name} is missing")]
    MissingHeader {
        /// Its name.
        name: &'static str,
    },
    /// The signature header is there twice.
    #[error("the header {name} is there more than once")]
    RepeatedHeader {
        /// Its name.
        name: &'static str,
    },
    /// The signature header is too long, has too many parts or no readable ones.
    #[error("the header {name} is malformed: {problem}")]
    MalformedHeader {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The body, which holds the signature itself, cannot be one of the gateway's.
    #[error("the body is malformed: {problem}")]
    MalformedBody {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Signed too long ago.
    #[error("signed {seconds} s ago, more than {limit} s")]
    TooOld {
        /// Its age in seconds.
        seconds: i64,
        /// The window in seconds.
        limit: i64,
    },
    /// Signed in the future.
    #[error("signed {seconds} s in the future, more than {limit} s")]
    FromTheFuture {
        /// How far ahead, in seconds.
        seconds: i64,
        /// The window in seconds.
        limit: i64,
    },
    /// The certificate that the delivery is signed with is not the gateway's.
    #[error("the certificate is not believed: {problem}")]
    Certificate {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// No signature fits any configured secret.
    #[error("no signature fits a configured secret")]
    NoMatch,
}

impl VerifyError {
    /// The word for metrics and answers.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoSecrets => "no_secrets",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::MissingHeader { .. } => "missing_header",
            Self::RepeatedHeader { .. } => "repeated_header",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::MalformedBody { .. } => "malformed_body",
            Self::TooOld { .. } => "too_old",
            Self::FromTheFuture { .. } => "from_the_future",
            Self::Certificate { .. } => "certificate",
            Self::NoMatch => "no_match",
        }
    }
}

/// Why a believed body could not be turned into events. The bytes are kept and parked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// Not JSON, or not the gateway's envelope.
    #[error("the body is not an event of the gateway: {problem}")]
    Envelope {
        /// What is wrong with it, without quoting it.
        problem: String,
    },
    /// An event of a kind we use whose object lacks what we need.
    #[error("the event {event_type} is not usable: {problem}")]
    Object {
        /// The gateway's name of the event.
        event_type: String,
        /// What is missing or wrong.
        problem: String,
    },
}

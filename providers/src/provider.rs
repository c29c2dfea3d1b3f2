//! The trait every gateway's adapter implements; all of it is pure.

use mizan_money::{Currency, Money, Timestamp};
use secrecy::SecretString;

use crate::capability::Capabilities;
use crate::error::{BuildError, TranslateError, VerifyError};
use crate::event::{EventKind, ProviderEvent, VerifiedDelivery};
use crate::http::{Headers, HttpAnswer, HttpRequest};
use crate::model::{
    DisputeStatus, IdempotencyKey, PaymentStatus, PayoutStatus, ProviderName, RefundStatus,
};
use crate::operation::Operation;
use crate::outcome::Outcome;
use crate::settlement::{SettlementKind, SettlementLine};

/// One gateway's language, both ways. No IO, no clock, no state.
pub trait Provider: Send + Sync {
    /// Which gateway it is.
    fn name(&self) -> ProviderName;

    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// The base address of its live API, used unless a connection names another.
    fn base_url(&self) -> &'static str;

    /// How many decimals it counts a currency in; none where it does not take the currency.
    fn exponent(&self, currency: Currency) -> Option<u32>;

    /// The step in which the gateway takes amounts of a currency, in ISO 4217 minor units: 10
    /// where the last of three decimals must be zero.
    fn step(&self, currency: Currency) -> i64 {
        let theirs = self.exponent(currency).unwrap_or(currency.exponent());
        10_i64.pow(currency.exponent().saturating_sub(theirs))
    }

    /// Its words, and what they are translated to.
    fn vocabulary(&self) -> Vocabulary;

    /// Says an operation in the gateway's words.
    ///
    /// # Errors
    /// When the gateway cannot do it or its units cannot hold the amount. Nothing was sent then.
    fn build(&self, op: &Operation, key: &IdempotencyKey) -> Result<HttpRequest, BuildError>;

    /// Reads the answer. Total: any status, headers and bytes give an outcome, never a panic, and
    /// nothing but a 2xx answer whose echo agrees is `Done` or `Pending`.
    fn parse(&self, op: &Operation, answer: &HttpAnswer) -> Outcome;

    /// The address of the certificate that a delivery says it is signed with, for gateways that
    /// sign so; the caller fetches it, without redirects, and keeps it.
    ///
    /// # Errors
    /// When the delivery names none or one that is not the gateway's: nothing is fetched then.
    fn certificate_url(&self, _headers: &Headers) -> Result<Option<String>, VerifyError> {
        Ok(None)
    }

    /// Decides whether a delivery comes from the gateway, over the raw bytes.
    ///
    /// # Errors
    /// When it is not believed, with the reason.
    fn verify_webhook(
        &self,
        body: &[u8],
        headers: &Headers,
        keys: WebhookKeys<'_>,
        now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError>;

    /// Translates a body that was believed. Kinds of no interest come out as
    /// [`crate::EventSubject::Other`], never as an error.
    ///
    /// # Errors
    /// When the body is not an event, or one we use lacks what we need.
    fn events(&self, body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError>;

    /// What a delivery is answered with, where the gateway wants certain words.
    fn acknowledgement(&self) -> Option<&'static str> {
        None
    }

    /// Reads a settlement file of the gateway.
    ///
    /// # Errors
    /// When there is no such file, or it is not one.
    fn settlement_file(&self, _bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
        Err(TranslateError::Envelope { problem: "this gateway has no settlement file".to_owned() })
    }

    /// The operation that a recorded exchange belongs to, for checking recordings: from the
    /// request where there is one, else from the answer, taken at its word.
    fn recognise(&self, _exchange: &Recorded) -> Option<Operation> {
        None
    }
}

/// What deliveries are verified with.
#[derive(Debug, Clone, Copy)]
pub struct WebhookKeys<'a> {
    /// Every secret that is active; for a gateway that signs with certificates, the ids of the
    /// webhook at it.
    pub secrets: &'a [SecretString],
    /// The certificates in PEM that were fetched for this delivery.
    pub certificates: &'a [String],
}

impl<'a> From<&'a [SecretString]> for WebhookKeys<'a> {
    fn from(secrets: &'a [SecretString]) -> Self {
        Self { secrets, certificates: &[] }
    }
}

/// A gateway's words and what they are translated to: the very tables the adapter reads by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vocabulary {
    /// States of a payment. A word of an object is written `object: word` where a gateway has
    /// several kinds of them.
    pub payment: &'static [(&'static str, PaymentStatus)],
    /// States of a refund.
    pub refund: &'static [(&'static str, RefundStatus)],
    /// States of a dispute.
    pub dispute: &'static [(&'static str, DisputeStatus)],
    /// States of a payout.
    pub payout: &'static [(&'static str, PayoutStatus)],
    /// Kinds of a settlement line.
    pub settlement: &'static [(&'static str, SettlementKind)],
    /// Kinds of an event. What is not listed is of no use and kept.
    pub events: &'static [(&'static str, EventKind)],
}

/// An exchange with a gateway as somebody recorded it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What it was called when it was recorded: `create`, `refund`, `query_response`, …
    pub kind: String,
    /// The request, where it was recorded.
    pub request: Option<RecordedRequest>,
    /// The answer.
    pub answer: HttpAnswer,
    /// The amount that was wanted, where the recording says it.
    pub wanted: Option<Money>,
}

/// A request as it was recorded.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    /// The path, with its query.
    pub path: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: String,
}

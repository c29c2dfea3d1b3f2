//! The trait every gateway's adapter implements; all of it is pure.

use mizan_money::Timestamp;
use secrecy::SecretString;

use crate::capability::Capabilities;
use crate::error::{BuildError, TranslateError, VerifyError};
use crate::event::{ProviderEvent, VerifiedDelivery};
use crate::http::{Headers, HttpAnswer, HttpRequest};
use crate::model::{IdempotencyKey, ProviderName};
use crate::operation::Operation;
use crate::outcome::Outcome;

/// One gateway's language, both ways. No IO, no clock, no state.
pub trait Provider: Send + Sync {
    /// Which gateway it is.
    fn name(&self) -> ProviderName;

    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// The base address of its live API, used unless a connection names another.
    fn base_url(&self) -> &'static str;

    /// Says an operation in the gateway's words.
    ///
    /// # Errors
    /// When the gateway cannot do it or its units cannot hold the amount. Nothing was sent then.
    fn build(&self, op: &Operation, key: &IdempotencyKey) -> Result<HttpRequest, BuildError>;

    /// Reads the answer. Total: any status, headers and bytes give an outcome, never a panic, and
    /// nothing but a 2xx answer whose echo agrees is `Done` or `Pending`.
    fn parse(&self, op: &Operation, answer: &HttpAnswer) -> Outcome;

    /// Decides whether a delivery comes from the gateway, over the raw bytes.
    ///
    /// # Errors
    /// When it is not believed, with the reason.
    fn verify_webhook(
        &self,
        body: &[u8],
        headers: &Headers,
        secrets: &[SecretString],
        now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError>;

    /// Translates a body that was believed. Kinds of no interest come out as
    /// [`crate::EventSubject::Other`], never as an error.
    ///
    /// # Errors
    /// When the body is not an event, or one we use lacks what we need.
    fn events(&self, body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError>;
}

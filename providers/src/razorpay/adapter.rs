//! The adapter: Razorpay behind the trait all gateways share.

use std::fmt;

use mizan_money::{Currency, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::capability::{
    Capabilities, Checkout, Recoveries, Recovery, SettlementSource, Support, Trust,
};
use crate::error::{BuildError, TranslateError, VerifyError};
use crate::event::{ProviderEvent, VerifiedDelivery};
use crate::http::{Headers, HttpAnswer, HttpRequest};
use crate::model::{IdempotencyKey, ProviderName};
use crate::operation::Operation;
use crate::outcome::Outcome;
use crate::provider::{Provider, Vocabulary, WebhookKeys};
use crate::razorpay::{amount, answer, event, request, signature, status};
use crate::registry::RegistryError;

/// What Razorpay can do (razorpay.com/docs: orders, capture a payment, refunds, validate webhooks).
///
/// Only refunds carry a key, and for how long it is kept is not documented: no hours are counted
/// on, and the other calls are protected by the receipt and by the payment's state. An order is
/// tried by the customer in the checkout, never by us, so nothing can be confirmed later.
static CAPABILITIES: Capabilities = Capabilities {
    manual_capture: Support::Yes,
    partial_capture: Support::No,
    multiple_captures: Support::No,
    void: Support::No,
    refund: Support::Yes,
    partial_refund: Support::Yes,
    confirm_later: Support::No,
    checkout: Checkout::HostedPage,
    read_disputes: Support::No,
    answer_disputes: Support::No,
    save_instrument: Support::No,
    keep_instrument: Support::No,
    charge_saved: Support::No,
    remove_instrument: Support::No,
    payouts: Support::No,
    cancel_payout: Support::No,
    transfers: Support::No,
    settlement: SettlementSource::File,
    webhook_trust: Trust::Fact,
    recovery: Recoveries {
        create: Recovery::Find { after_seconds: 0 },
        confirm: Recovery::Never,
        capture: Recovery::Sync,
        void: Recovery::Never,
        refund: Recovery::Never,
        payout: Recovery::Never,
        transfer: Recovery::Never,
    },
    fee_at_once: Support::Yes,
    webhook_timestamp: Support::No,
    webhook_event_id: Support::Yes,
};

/// Razorpay's language for one connection.
pub struct Razorpay {
    access: Option<Access>,
}

/// The key pair of a connection; its prefix tells test from live.
pub(super) struct Access {
    pub(super) key_id: String,
    pub(super) key_secret: SecretString,
}

impl Razorpay {
    /// An adapter that can build requests.
    ///
    /// # Errors
    /// [`RegistryError::Key`] when the key id is none (`rzp_…`), or the secret is empty or cannot
    /// stand in a header.
    pub fn new(key_id: String, key_secret: SecretString) -> Result<Self, RegistryError> {
        let provider = ProviderName::Razorpay;
        let is_id = key_id.starts_with("rzp_")
            && key_id.len() <= 255
            && key_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let secret = key_secret.expose_secret();
        let is_secret =
            (1..=512).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_graphic());
        if !is_id || !is_secret {
            return Err(RegistryError::Key { provider });
        }
        Ok(Self { access: Some(Access { key_id, key_secret }) })
    }

    /// An adapter that reads webhooks and builds no requests.
    pub const fn webhook_reader() -> Self {
        Self { access: None }
    }
}

impl fmt::Debug for Razorpay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key_id = self.access.as_ref().map(|access| access.key_id.as_str());
        f.debug_struct("Razorpay").field("key_id", &key_id).finish_non_exhaustive()
    }
}

impl Provider for Razorpay {
    fn name(&self) -> ProviderName {
        ProviderName::Razorpay
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn base_url(&self) -> &'static str {
        "https://api.razorpay.com"
    }

    fn exponent(&self, currency: Currency) -> Option<u32> {
        amount::exponent(currency)
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            payment: status::PAYMENT,
            refund: status::REFUND,
            dispute: status::DISPUTE,
            payout: status::PAYOUT,
            ..Vocabulary::default()
        }
    }

    fn build(&self, op: &Operation, key: &IdempotencyKey) -> Result<HttpRequest, BuildError> {
        let access =
            self.access.as_ref().ok_or(BuildError::NoCredentials { provider: "razorpay" })?;
        request::build(access, op, key)
    }

    fn parse(&self, op: &Operation, answer: &HttpAnswer) -> Outcome {
        answer::parse(op, answer)
    }

    fn verify_webhook(
        &self,
        body: &[u8],
        headers: &Headers,
        keys: WebhookKeys<'_>,
        _now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError> {
        signature::verify(body, headers, keys.secrets)
    }

    fn events(&self, body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError> {
        event::translate(body).map(|event| vec![event])
    }
}

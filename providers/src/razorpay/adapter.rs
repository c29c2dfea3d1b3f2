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
use crate::provider::{Provider, Recorded, Vocabulary, WebhookKeys};
use crate::razorpay::{amount, answer, event, recognise, request, settlement, signature, status};
use crate::registry::RegistryError;

/// What our note tells an hour later (razorpay.com/docs/errors/x).
const LOOKED_UP: Recovery = Recovery::Find { after_seconds: 3600 };

/// What Razorpay can do (razorpay.com/docs: orders, capture a payment, refunds, validate webhooks).
///
/// How calls without an answer end differs per call. An order is looked up by its receipt, which is
/// unique. A capture is told by the payment's state. A refund and a transfer are looked up by our
/// note, after the hour that Razorpay names for payouts: for how long their keys are kept is not
/// documented, so no hours are counted on, and a refund's key still guards a repetition. A payout's
/// key is kept for seven days, of which one is left for its last call.
///
/// An order is tried by the customer in the checkout, never by us, so nothing can be confirmed
/// later and no token be charged from here.
static CAPABILITIES: Capabilities = Capabilities {
    manual_capture: Support::Yes,
    partial_capture: Support::No,
    multiple_captures: Support::No,
    void: Support::No,
    refund: Support::Yes,
    partial_refund: Support::Yes,
    confirm_later: Support::No,
    checkout: Checkout::HostedPage,
    read_disputes: Support::Yes,
    answer_disputes: Support::Yes,
    save_instrument: Support::No,
    keep_instrument: Support::OnRequest,
    charge_saved: Support::No,
    remove_instrument: Support::Yes,
    payouts: Support::OnRequest,
    cancel_payout: Support::OnRequest,
    transfers: Support::OnRequest,
    settlement: SettlementSource::Api,
    webhook_trust: Trust::Fact,
    recovery: Recoveries {
        create: Recovery::Find { after_seconds: 0 },
        confirm: Recovery::Never,
        capture: Recovery::Sync,
        void: Recovery::Never,
        refund: LOOKED_UP,
        payout: Recovery::SameKey { hours: 6 * 24 },
        transfer: LOOKED_UP,
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
    pub(super) payout_account: Option<SecretString>,
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
        Ok(Self { access: Some(Access { key_id, key_secret, payout_account: None }) })
    }

    /// The same adapter, for keys of RazorpayX, with the account that payouts leave from.
    ///
    /// # Errors
    /// [`RegistryError::Account`] when it is not 5 to 40 letters or digits.
    pub fn paying_from(mut self, account: SecretString) -> Result<Self, RegistryError> {
        let text = account.expose_secret();
        let plain = text.bytes().all(|b| b.is_ascii_alphanumeric());
        if !plain || !(5..=40).contains(&text.len()) {
            return Err(RegistryError::Account { provider: ProviderName::Razorpay });
        }
        if let Some(access) = &mut self.access {
            access.payout_account = Some(account);
        }
        Ok(self)
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

    fn step(&self, currency: Currency) -> i64 {
        amount::step(currency)
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            payment: status::PAYMENT,
            refund: status::REFUND,
            dispute: status::DISPUTE,
            payout: status::PAYOUT,
            settlement: settlement::SETTLEMENT,
            events: event::EVENTS,
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

    fn recognise(&self, exchange: &Recorded) -> Option<Operation> {
        recognise::recognise(exchange)
    }
}

//! The adapter: PayPal behind the trait all gateways share.

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
use crate::paypal::certificate::{Certificates, Environment};
use crate::paypal::{amount, answer, event, file, recognise, request, signature, status};
use crate::provider::{Provider, Recorded, Vocabulary, WebhookKeys};
use crate::registry::RegistryError;
use crate::settlement::SettlementLine;

/// For how long PayPal knows a key again, in hours: orders and their captures.
const ORDER_KEYS: u32 = 6;
/// Captures of a hold and refunds: 45 days.
const PAYMENT_KEYS: u32 = 45 * 24;
/// Payouts: 30 days.
const PAYOUT_KEYS: u32 = 30 * 24;

/// What PayPal can do (developer.paypal.com/docs/api: orders/v2, payments/v2, vault/v3,
/// payments.payouts-batch/v1, customer-disputes/v1, transaction-search/v1).
///
/// Several captures of one hold are possible there and not here: a refund names a capture, and of
/// a payment only one is known. For how long a void's key is kept is documented in one place of
/// two, so the payment itself is asked.
static CAPABILITIES: Capabilities = Capabilities {
    checkout: Checkout::HostedPage,
    manual_capture: Support::Yes,
    partial_capture: Support::Yes,
    multiple_captures: Support::No,
    void: Support::Yes,
    refund: Support::Yes,
    partial_refund: Support::Yes,
    confirm_later: Support::No,
    save_instrument: Support::Yes,
    keep_instrument: Support::Yes,
    charge_saved: Support::Yes,
    remove_instrument: Support::Yes,
    payouts: Support::OnRequest,
    cancel_payout: Support::Yes,
    transfers: Support::No,
    read_disputes: Support::Yes,
    answer_disputes: Support::Yes,
    settlement: SettlementSource::ApiAndFile,
    fee_at_once: Support::Yes,
    webhook_timestamp: Support::Yes,
    webhook_event_id: Support::Yes,
    webhook_trust: Trust::Hint,
    recovery: Recoveries {
        create: Recovery::SameKey { hours: ORDER_KEYS },
        confirm: Recovery::SameKey { hours: ORDER_KEYS },
        capture: Recovery::SameKey { hours: PAYMENT_KEYS },
        void: Recovery::Sync,
        refund: Recovery::SameKey { hours: PAYMENT_KEYS },
        payout: Recovery::SameKey { hours: PAYOUT_KEYS },
        transfer: Recovery::Never,
    },
};

/// PayPal's language for one connection.
pub struct Paypal {
    access: Option<Access>,
    certificates: Certificates,
}

/// The application of a connection.
pub(super) struct Access {
    pub(super) client_id: String,
    pub(super) client_secret: SecretString,
}

impl Paypal {
    /// An adapter that can build requests. Deliveries are believed by the roots of the operating
    /// system.
    ///
    /// # Errors
    /// [`RegistryError::Key`] when the id or the secret is empty or cannot stand in a header.
    pub fn new(
        client_id: String,
        client_secret: SecretString,
        environment: Environment,
    ) -> Result<Self, RegistryError> {
        let plain = |text: &str| {
            (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
        };
        // A colon would end the id where both stand in one header.
        let is_id = plain(&client_id) && !client_id.contains(':');
        if !is_id || !plain(client_secret.expose_secret()) {
            return Err(RegistryError::Key { provider: ProviderName::Paypal });
        }
        let access = Some(Access { client_id, client_secret });
        Ok(Self { access, certificates: Certificates::of(Some(environment)) })
    }

    /// An adapter that reads webhooks and builds no requests. It takes deliveries of both worlds,
    /// each only under the name of its own certificates.
    pub const fn webhook_reader() -> Self {
        Self { access: None, certificates: Certificates::of(None) }
    }

    /// The same, believing deliveries by these roots in PEM only; without any, by those of the
    /// operating system. PayPal's certificates were issued by DigiCert; by whom they are today is
    /// not published.
    ///
    /// # Errors
    /// [`RegistryError::TrustRoot`] when one is no certificate in PEM.
    pub fn trusting(mut self, roots: &[String]) -> Result<Self, RegistryError> {
        self.certificates = self.certificates.trusting(roots)?;
        Ok(self)
    }

    /// The same, taking certificates of a stub at this base address too, from the folder in which
    /// PayPal has them.
    ///
    /// # Errors
    /// [`RegistryError::CertificateBase`] when it is no loopback address.
    pub fn with_certificates_at(mut self, base: &str) -> Result<Self, RegistryError> {
        self.certificates = self.certificates.with_base(base)?;
        Ok(self)
    }
}

impl fmt::Debug for Paypal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let client_id = self.access.as_ref().map(|access| access.client_id.as_str());
        f.debug_struct("Paypal")
            .field("client_id", &client_id)
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

impl Provider for Paypal {
    fn name(&self) -> ProviderName {
        ProviderName::Paypal
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn base_url(&self) -> &'static str {
        match self.certificates.environment {
            Some(Environment::Sandbox) => "https://api-m.sandbox.paypal.com",
            Some(Environment::Live) | None => "https://api-m.paypal.com",
        }
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
            settlement: status::SETTLEMENT,
            events: event::EVENTS,
        }
    }

    fn build(&self, op: &Operation, key: &IdempotencyKey) -> Result<HttpRequest, BuildError> {
        let access =
            self.access.as_ref().ok_or(BuildError::NoCredentials { provider: "paypal" })?;
        request::build(access, op, key)
    }

    fn parse(&self, op: &Operation, answer: &HttpAnswer) -> Outcome {
        answer::parse(op, answer)
    }

    fn certificate_url(&self, headers: &Headers) -> Result<Option<String>, VerifyError> {
        signature::certificate_url(&self.certificates, headers).map(Some)
    }

    fn verify_webhook(
        &self,
        body: &[u8],
        headers: &Headers,
        keys: WebhookKeys<'_>,
        now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError> {
        signature::verify(&self.certificates, body, headers, keys, now)
    }

    fn events(&self, body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError> {
        event::translate(body, self.certificates.environment).map(|event| vec![event])
    }

    fn settlement_file(&self, bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
        file::read(bytes)
    }

    fn recognise(&self, exchange: &Recorded) -> Option<Operation> {
        recognise::operation(exchange)
    }
}

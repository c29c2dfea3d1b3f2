//! The adapter: Telr behind the trait all gateways share.

use std::fmt;

use mizan_money::{Currency, Timestamp};

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
use crate::registry::RegistryError;
use crate::settlement::SettlementLine;
use crate::telr::answer::{self, Reading};
use crate::telr::settings::Settings;
use crate::telr::settlement::{self, Columns};
use crate::telr::{amount, event, recognise, request, signature, status};

/// What Telr can do (docs.telr.com; its plug-ins for WooCommerce, Magento and OpenCart).
///
/// The remote interface, by which captures, releases, refunds and charges of saved cards go, is
/// switched on per account; so is the Service API, by which they are found again. Sending the same
/// cart id again within the two days that a page may be watched is refused, which ends the attempt.
static CAPABILITIES: Capabilities = Capabilities {
    checkout: Checkout::HostedPage,
    manual_capture: Support::OnRequest,
    partial_capture: Support::OnRequest,
    multiple_captures: Support::No,
    void: Support::OnRequest,
    refund: Support::OnRequest,
    partial_refund: Support::OnRequest,
    confirm_later: Support::No,
    save_instrument: Support::Yes,
    keep_instrument: Support::Yes,
    charge_saved: Support::OnRequest,
    remove_instrument: Support::No,
    payouts: Support::No,
    cancel_payout: Support::No,
    transfers: Support::No,
    read_disputes: Support::No,
    answer_disputes: Support::No,
    settlement: SettlementSource::ApiAndFile,
    fee_at_once: Support::No,
    webhook_timestamp: Support::No,
    webhook_event_id: Support::Yes,
    webhook_trust: Trust::Hint,
    recovery: Recoveries {
        create: Recovery::SameKey { hours: 48 },
        confirm: Recovery::Never,
        capture: Recovery::Find { after_seconds: 60 },
        void: Recovery::Find { after_seconds: 60 },
        refund: Recovery::Find { after_seconds: 60 },
        payout: Recovery::Never,
        transfer: Recovery::Never,
    },
};

/// Telr's language for one connection.
pub struct Telr {
    access: Option<Settings>,
}

impl Telr {
    /// An adapter that can build requests.
    ///
    /// # Errors
    /// When a key is empty or holds what no key has, or a setting cannot be what it should be.
    pub fn new(settings: Settings) -> Result<Self, RegistryError> {
        settings.check()?;
        Ok(Self { access: Some(settings) })
    }

    /// An adapter that reads webhooks and builds no requests.
    pub const fn webhook_reader() -> Self {
        Self { access: None }
    }
}

impl fmt::Debug for Telr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = self.access.as_ref().map(|access| access.store_id.as_str());
        f.debug_struct("Telr").field("store_id", &store).finish_non_exhaustive()
    }
}

impl Provider for Telr {
    fn name(&self) -> ProviderName {
        ProviderName::Telr
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn base_url(&self) -> &'static str {
        "https://secure.telr.com"
    }

    fn exponent(&self, currency: Currency) -> Option<u32> {
        amount::exponent(currency, self.access.as_ref().is_some_and(|it| it.two_decimals))
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            payment: status::PAYMENT,
            refund: status::REFUND,
            settlement: status::SETTLEMENT,
            events: status::EVENTS,
            ..Vocabulary::default()
        }
    }

    fn build(&self, op: &Operation, _key: &IdempotencyKey) -> Result<HttpRequest, BuildError> {
        let access = self.access.as_ref().ok_or(BuildError::NoCredentials { provider: "telr" })?;
        request::build(access, op)
    }

    fn parse(&self, op: &Operation, answer: &HttpAnswer) -> Outcome {
        let test = self.access.as_ref().map(|access| access.test);
        answer::parse(Reading { test, op, answer })
    }

    fn verify_webhook(
        &self,
        body: &[u8],
        _headers: &Headers,
        keys: WebhookKeys<'_>,
        _now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError> {
        signature::verify(body, keys.secrets, self.access.as_ref().map(|it| &it.auth_key))
    }

    fn events(&self, body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError> {
        event::translate(body).map(|event| vec![event])
    }

    fn acknowledgement(&self) -> Option<&'static str> {
        Some("OK")
    }

    fn settlement_file(&self, bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
        match &self.access {
            Some(access) => settlement::read_report(bytes, &access.report),
            None => settlement::read_report(bytes, &Columns::default()),
        }
    }

    fn recognise(&self, exchange: &Recorded) -> Option<Operation> {
        recognise::operation(exchange)
    }
}

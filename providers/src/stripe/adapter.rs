//! The adapter: Stripe behind the trait all gateways share.

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
use crate::registry::RegistryError;
use crate::settlement::SettlementLine;
use crate::stripe::{
    amount, answer, event, payout, recognise, report, request, settlement, signature, status,
};

/// Stripe prunes keys after 24 hours at the earliest (docs.stripe.com/api/idempotent_requests).
const KEYED: Recovery = Recovery::SameKey { hours: 24 };

/// What Stripe can do (docs.stripe.com: place a hold, refunds, save and reuse, Connect payouts and
/// transfers, disputes, idempotent requests, webhooks).
static CAPABILITIES: Capabilities = Capabilities {
    manual_capture: Support::Yes,
    partial_capture: Support::Yes,
    multiple_captures: Support::OnRequest,
    void: Support::Yes,
    refund: Support::Yes,
    partial_refund: Support::Yes,
    confirm_later: Support::Yes,
    checkout: Checkout::Token,
    read_disputes: Support::Yes,
    answer_disputes: Support::Yes,
    save_instrument: Support::Yes,
    keep_instrument: Support::Yes,
    charge_saved: Support::Yes,
    remove_instrument: Support::Yes,
    payouts: Support::Yes,
    cancel_payout: Support::Yes,
    transfers: Support::Yes,
    settlement: SettlementSource::ApiAndFile,
    webhook_trust: Trust::Fact,
    recovery: Recoveries {
        create: KEYED,
        confirm: KEYED,
        capture: KEYED,
        void: KEYED,
        refund: KEYED,
        payout: KEYED,
        transfer: KEYED,
    },
    fee_at_once: Support::Yes,
    webhook_timestamp: Support::Yes,
    webhook_event_id: Support::Yes,
};

/// Stripe's language for one connection.
pub struct Stripe {
    pub(super) access: Option<Access>,
}

/// The key of a connection and the account it acts on.
pub(super) struct Access {
    pub(super) secret_key: SecretString,
    pub(super) account: Option<String>,
}

impl Stripe {
    /// An adapter that can build requests.
    ///
    /// # Errors
    /// When the key is empty or cannot stand in a header, or the account is not an id.
    pub fn new(secret_key: SecretString, account: Option<String>) -> Result<Self, RegistryError> {
        let provider = ProviderName::Stripe;
        let key = secret_key.expose_secret();
        if key.is_empty() || key.len() > 512 || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(RegistryError::Key { provider });
        }
        if account.as_ref().is_some_and(|account| !payout::is_account(account)) {
            return Err(RegistryError::Account { provider });
        }
        Ok(Self { access: Some(Access { secret_key, account }) })
    }

    /// An adapter that reads webhooks and builds no requests.
    pub const fn webhook_reader() -> Self {
        Self { access: None }
    }
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.access.as_ref().and_then(|access| access.account.as_deref());
        f.debug_struct("Stripe").field("account", &account).finish_non_exhaustive()
    }
}

impl Provider for Stripe {
    fn name(&self) -> ProviderName {
        ProviderName::Stripe
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn base_url(&self) -> &'static str {
        "https://api.stripe.com"
    }

    fn exponent(&self, currency: Currency) -> Option<u32> {
        Some(amount::exponent(currency))
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
            self.access.as_ref().ok_or(BuildError::NoCredentials { provider: "stripe" })?;
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
        now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError> {
        signature::verify(body, headers, keys.secrets, now)
    }

    fn events(&self, body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError> {
        event::translate(body).map(|event| vec![event])
    }

    fn settlement_file(&self, bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
        report::read(bytes)
    }

    fn recognise(&self, exchange: &Recorded) -> Option<Operation> {
        recognise::recognise(exchange)
    }
}

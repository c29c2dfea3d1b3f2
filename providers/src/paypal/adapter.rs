//! The adapter: PayPal behind the trait all gateways share.

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
use crate::outcome::{Outcome, UnknownReason};
use crate::provider::{Provider, Vocabulary, WebhookKeys};

/// What PayPal can do.
static CAPABILITIES: Capabilities = Capabilities {
    checkout: Checkout::HostedPage,
    manual_capture: Support::No,
    partial_capture: Support::No,
    multiple_captures: Support::No,
    void: Support::No,
    refund: Support::No,
    partial_refund: Support::No,
    confirm_later: Support::No,
    fee_at_once: Support::No,
    webhook_timestamp: Support::No,
    webhook_event_id: Support::No,
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
        create: Recovery::Never,
        confirm: Recovery::Never,
        capture: Recovery::Never,
        void: Recovery::Never,
        refund: Recovery::Never,
        payout: Recovery::Never,
        transfer: Recovery::Never,
    },
};

/// PayPal's language for one connection.
pub struct Paypal;

impl Paypal {
    /// An adapter that reads webhooks and builds no requests.
    pub const fn webhook_reader() -> Self {
        Self
    }
}

impl fmt::Debug for Paypal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Paypal")
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
        "https://api-m.paypal.com"
    }

    fn exponent(&self, _currency: Currency) -> Option<u32> {
        None
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary::default()
    }

    fn build(&self, op: &Operation, _key: &IdempotencyKey) -> Result<HttpRequest, BuildError> {
        Err(BuildError::Unsupported { provider: "paypal", what: op.kind().as_str() })
    }

    fn parse(&self, _op: &Operation, answer: &HttpAnswer) -> Outcome {
        Outcome::Unknown(UnknownReason::ServerError { status: answer.status }.into())
    }

    fn verify_webhook(
        &self,
        _body: &[u8],
        _headers: &Headers,
        _keys: WebhookKeys<'_>,
        _now: Timestamp,
    ) -> Result<VerifiedDelivery, VerifyError> {
        Err(VerifyError::NoSecrets)
    }

    fn events(&self, _body: &[u8]) -> Result<Vec<ProviderEvent>, TranslateError> {
        Ok(Vec::new())
    }
}

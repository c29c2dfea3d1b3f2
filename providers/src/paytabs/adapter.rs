//! The adapter: PayTabs behind the trait all gateways share.

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
use crate::paytabs::{amount, answer, event, recognise, request, settlement, signature, status};
use crate::provider::{Provider, Recorded, Vocabulary, WebhookKeys};
use crate::registry::RegistryError;
use crate::settlement::SettlementLine;

/// The base address of each region (paytabscom/php-sdk, the list of endpoints). A profile belongs
/// to one of them, and its key is refused everywhere else: a connection outside the Emirates names
/// its own base address.
pub const REGIONS: &[(&str, &str)] = &[
    ("ARE", "https://secure.paytabs.com"),
    ("SAU", "https://secure.paytabs.sa"),
    ("EGY", "https://secure-egypt.paytabs.com"),
    ("OMN", "https://secure-oman.paytabs.com"),
    ("JOR", "https://secure-jordan.paytabs.com"),
    ("KWT", "https://secure-kuwait.paytabs.com"),
    ("IRQ", "https://secure-iraq.paytabs.com"),
    ("QAT", "https://secure-doha.paytabs.com"),
    ("MAR", "https://secure-morocco.paytabs.com"),
    ("GLOBAL", "https://secure-global.paytabs.com"),
    ("MADFOAT", "https://madfoat-secure.paytabs.com"),
    ("CUZDAN", "https://secure.cuzdan.az"),
];

/// By `cart_id`, complete once the two minutes are over in which a repetition is refused.
const BY_CART: Recovery = Recovery::Find { after_seconds: 150 };

/// What PayTabs can do. Several captures of one hold are documented nowhere, and what a capture
/// leaves of a hold is released by a call of its own. A delivery has no id, but reference, type
/// and status name it the same however often it comes.
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
    payouts: Support::No,
    cancel_payout: Support::No,
    transfers: Support::No,
    read_disputes: Support::No,
    answer_disputes: Support::No,
    settlement: SettlementSource::File,
    fee_at_once: Support::No,
    webhook_timestamp: Support::No,
    webhook_event_id: Support::Yes,
    webhook_trust: Trust::Fact,
    recovery: Recoveries {
        create: BY_CART,
        confirm: Recovery::Never,
        capture: BY_CART,
        void: BY_CART,
        refund: BY_CART,
        payout: Recovery::Never,
        transfer: Recovery::Never,
    },
};

/// PayTabs's language for one connection.
pub struct Paytabs {
    access: Option<Access>,
}

/// What a connection is known by at PayTabs. Test or live is a property of the profile.
pub(super) struct Access {
    pub(super) profile_id: u64,
    pub(super) server_key: SecretString,
    pub(super) notify_url: Option<String>,
}

impl Paytabs {
    /// An adapter that can build requests. `notify_url` is told to PayTabs with each payment, as
    /// the address of our webhooks; without it the one in PayTabs' panel is used.
    ///
    /// # Errors
    /// [`RegistryError::Key`] when the key is empty or cannot stand in a header,
    /// [`RegistryError::Setting`] when the profile is 0 or the address is none.
    pub fn new(
        profile_id: u64,
        server_key: SecretString,
        notify_url: Option<String>,
    ) -> Result<Self, RegistryError> {
        let provider = ProviderName::Paytabs;
        let key = server_key.expose_secret();
        if !(1..=512).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(RegistryError::Key { provider });
        }
        if profile_id == 0 {
            return Err(RegistryError::Setting {
                provider,
                setting: "profile_id",
                problem: "it is a number above 0",
            });
        }
        if notify_url.as_deref().is_some_and(|url| !request::is_address(url)) {
            return Err(RegistryError::Setting {
                provider,
                setting: "notify_url",
                problem: "it is an https address of at most 255 characters",
            });
        }
        Ok(Self { access: Some(Access { profile_id, server_key, notify_url }) })
    }

    /// An adapter that reads webhooks and builds no requests. It takes those of any profile.
    pub const fn webhook_reader() -> Self {
        Self { access: None }
    }

    fn profile(&self) -> Option<u64> {
        self.access.as_ref().map(|access| access.profile_id)
    }
}

impl fmt::Debug for Paytabs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Paytabs").field("profile_id", &self.profile()).finish_non_exhaustive()
    }
}

impl Provider for Paytabs {
    fn name(&self) -> ProviderName {
        ProviderName::Paytabs
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn base_url(&self) -> &'static str {
        "https://secure.paytabs.com"
    }

    fn exponent(&self, currency: Currency) -> Option<u32> {
        amount::exponent(currency)
    }

    fn vocabulary(&self) -> Vocabulary {
        Vocabulary {
            payment: status::PAYMENT,
            refund: status::REFUND,
            settlement: settlement::KINDS,
            events: status::EVENTS,
            ..Vocabulary::default()
        }
    }

    fn build(&self, op: &Operation, _key: &IdempotencyKey) -> Result<HttpRequest, BuildError> {
        let access =
            self.access.as_ref().ok_or(BuildError::NoCredentials { provider: "paytabs" })?;
        request::build(access, op)
    }

    fn parse(&self, op: &Operation, answer: &HttpAnswer) -> Outcome {
        answer::parse(self.profile(), op, answer)
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
        event::translate(self.profile(), body).map(|event| vec![event])
    }

    fn settlement_file(&self, bytes: &[u8]) -> Result<Vec<SettlementLine>, TranslateError> {
        settlement::read(bytes)
    }

    fn recognise(&self, exchange: &Recorded) -> Option<Operation> {
        recognise::recognise(exchange)
    }
}

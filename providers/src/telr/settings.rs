//! What a connection to Telr needs: four keys that have nothing to do with each other.

use secrecy::{ExposeSecret, SecretString};

use crate::model::ProviderName;
use crate::registry::RegistryError;
use crate::telr::settlement::Columns;

/// The keys and settings of one store.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store's number.
    pub store_id: String,
    /// The key of the hosted page. It also signs what the page's own callback says.
    pub auth_key: SecretString,
    /// The key of the remote interface: captures, releases, refunds and charges of saved cards
    /// are refused without it.
    pub remote_key: Option<SecretString>,
    /// The access that answers questions about transactions and payouts.
    pub service: Option<ServiceAccess>,
    /// Where Telr calls when an order changes; absolute https or http.
    pub notify_url: Option<String>,
    /// Whether this connection makes test transactions. There is no other host for them: an
    /// answer of the other kind is a mismatch.
    pub test: bool,
    /// Whether the account takes two decimals at most, also of currencies that have three.
    pub two_decimals: bool,
    /// The columns of the payout report, where they differ from the usual ones.
    pub report: Columns,
}

/// The access to the Service and Accounts interfaces.
#[derive(Debug, Clone)]
pub struct ServiceAccess {
    /// The merchant's number.
    pub merchant_id: String,
    /// The key beside it.
    pub api_key: SecretString,
    /// The account whose payouts are listed.
    pub account: Option<String>,
}

impl Settings {
    /// A store with no more than its hosted page, for live payments.
    pub fn new(store_id: impl Into<String>, auth_key: SecretString) -> Self {
        Self {
            store_id: store_id.into(),
            auth_key,
            remote_key: None,
            service: None,
            notify_url: None,
            test: false,
            two_decimals: false,
            report: Columns::default(),
        }
    }

    /// Whether everything can be what it should be.
    pub(super) fn check(&self) -> Result<(), RegistryError> {
        let provider = ProviderName::Telr;
        let wrong = |setting, problem| Err(RegistryError::Setting { provider, setting, problem });
        if !is_number(&self.store_id) {
            return wrong("store_id", "it is a number of at most 20 digits");
        }
        let service = self.service.as_ref();
        let keys = [Some(&self.auth_key), self.remote_key.as_ref(), service.map(|it| &it.api_key)];
        if !keys.into_iter().flatten().all(is_key) {
            return Err(RegistryError::Key { provider });
        }
        if service.is_some_and(|it| !is_number(&it.merchant_id)) {
            return wrong("merchant_id", "it is a number of at most 20 digits");
        }
        let account = service.and_then(|it| it.account.as_deref());
        if account.is_some_and(|it| !is_number(it)) {
            return wrong("account", "it is a number of at most 20 digits");
        }
        if self.notify_url.as_deref().is_some_and(|it| !is_address(it)) {
            return wrong("notify_url", "it is an absolute http or https address");
        }
        Ok(())
    }
}

fn is_key(key: &SecretString) -> bool {
    let text = key.expose_secret();
    (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether a text is a number such as Telr's stores, accounts and transactions have.
pub(super) fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is an absolute web address without blanks.
pub(super) fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
        && text.len() <= 2048
        && text.bytes().all(|b| b.is_ascii_graphic())
}

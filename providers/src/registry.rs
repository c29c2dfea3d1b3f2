//! The list of gateways: one line each.

use std::sync::Arc;

use secrecy::SecretString;

use crate::model::ProviderName;
use crate::paypal::{Environment, Paypal};
use crate::paytabs::Paytabs;
use crate::provider::Provider;
use crate::razorpay::Razorpay;
use crate::stripe::Stripe;
use crate::telr::{self, Telr};

/// What a connection needs to speak to its gateway.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Stripe's secret or restricted key, and the connected account to act on, if any.
    Stripe {
        /// `sk_…` or `rk_…`.
        secret_key: SecretString,
        /// `acct_…`.
        account: Option<String>,
    },
    /// Razorpay's key pair.
    Razorpay {
        /// `rzp_live_…` or `rzp_test_…`; the prefix decides about the money.
        key_id: String,
        /// The secret beside it; never the webhook's.
        key_secret: SecretString,
        /// Where keys of RazorpayX are given: the account that payouts leave from.
        payout_account: Option<SecretString>,
    },
    /// PayTabs' profile with its server key. The key also signs what PayTabs tells us.
    Paytabs {
        /// The profile's number; whether it moves test money is a property of it.
        profile_id: u64,
        /// The server key, never the client's.
        server_key: SecretString,
        /// Where PayTabs tells of each payment; without it, where its panel says.
        notify_url: Option<String>,
    },
    /// Telr's keys and settings.
    Telr(Box<telr::Settings>),
    /// PayPal's application, and how its deliveries are believed.
    Paypal {
        /// The client id of the application.
        client_id: String,
        /// The secret beside it.
        client_secret: SecretString,
        /// Which of the two worlds it belongs to.
        environment: Environment,
        /// The roots in PEM that a delivery's certificate must lead to; none for those of the
        /// operating system.
        trust_roots: Vec<String>,
        /// One more address that certificates may come from, for a stub on this machine.
        certificate_base: Option<String>,
    },
}

impl Credentials {
    /// Whose they are.
    pub const fn provider(&self) -> ProviderName {
        match self {
            Self::Stripe { .. } => ProviderName::Stripe,
            Self::Razorpay { .. } => ProviderName::Razorpay,
            Self::Paytabs { .. } => ProviderName::Paytabs,
            Self::Telr(_) => ProviderName::Telr,
            Self::Paypal { .. } => ProviderName::Paypal,
        }
    }
}

/// Why an adapter could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// A key that cannot be a header.
    #[error("the API key for {provider} is empty or holds characters no key has")]
    Key {
        /// The gateway.
        provider: ProviderName,
    },
    /// A setting that cannot be what it should be.
    #[error("{setting} for {provider}: {problem}")]
    Setting {
        /// The gateway.
        provider: ProviderName,
        /// The setting.
        setting: &'static str,
        /// What it should be.
        problem: &'static str,
    },
    /// A trust root that is no certificate in PEM.
    #[error("a trust root for {provider} is no certificate in PEM")]
    TrustRoot {
        /// The gateway.
        provider: ProviderName,
    },
    /// An address for certificates that is not on this machine.
    #[error("the address for certificates of {provider} is no http or https loopback address")]
    CertificateBase {
        /// The gateway.
        provider: ProviderName,
    },
    /// An account that is not an id.
    #[error("the account for {provider} is not one of its kind, such as acct_… at Stripe")]
    Account {
        /// The gateway.
        provider: ProviderName,
    },
}

/// The adapter for a connection.
///
/// # Errors
/// When a credential cannot be what it should be; the text never holds it.
pub fn provider(credentials: Credentials) -> Result<Arc<dyn Provider>, RegistryError> {
    match credentials {
        Credentials::Stripe { secret_key, account } => {
            Ok(Arc::new(Stripe::new(secret_key, account)?))
        }
        Credentials::Razorpay { key_id, key_secret, payout_account } => {
            let adapter = Razorpay::new(key_id, key_secret)?;
            Ok(Arc::new(match payout_account {
                Some(account) => adapter.paying_from(account)?,
                None => adapter,
            }))
        }
        Credentials::Paytabs { profile_id, server_key, notify_url } => {
            Ok(Arc::new(Paytabs::new(profile_id, server_key, notify_url)?))
        }
        Credentials::Telr(settings) => Ok(Arc::new(Telr::new(*settings)?)),
        Credentials::Paypal {
            client_id,
            client_secret,
            environment,
            trust_roots,
            certificate_base,
        } => {
            let access =
                Paypal::new(client_id, client_secret, environment)?.trusting(&trust_roots)?;
            Ok(Arc::new(match certificate_base {
                Some(base) => access.with_certificates_at(&base)?,
                None => access,
            }))
        }
    }
}

/// An adapter that reads webhooks and builds no requests: for inspection and replay.
pub fn webhook_reader(name: ProviderName) -> Arc<dyn Provider> {
    match name {
        ProviderName::Stripe => Arc::new(Stripe::webhook_reader()),
        ProviderName::Razorpay => Arc::new(Razorpay::webhook_reader()),
        ProviderName::Telr => Arc::new(Telr::webhook_reader()),
        ProviderName::Paytabs => Arc::new(Paytabs::webhook_reader()),
        ProviderName::Paypal => Arc::new(Paypal::webhook_reader()),
    }
}

//! The connections that the settings name: one to each gateway whose key is set.

use std::sync::Arc;
use std::time::Duration;

use mizan::config::Config;
use mizan::payments::certificates::Certificates;
use mizan::payments::gateway::{Gateway, Gateways};
use mizan::routing::Breaker;
use mizan_providers::{ClientConfig, Credentials, GatewayClient, ProviderName, provider};
use secrecy::{ExposeSecret, SecretString};

use super::end::Failure;
use super::service::TENANT;

/// The name of a gateway's connection in the address of its webhooks. Stripe's is older than the
/// others.
pub const fn connection(of: ProviderName) -> &'static str {
    match of {
        ProviderName::Stripe => "main",
        other => other.as_str(),
    }
}

/// The path to which a gateway delivers its webhooks.
pub fn webhook_path(of: ProviderName) -> String {
    format!("/webhooks/{of}/{}", connection(of))
}

/// Every connection that the settings name.
pub fn gateways(config: &Config) -> Result<Gateways, Failure> {
    let all = [stripe(config), razorpay(config)];
    let opened = all.into_iter().flatten().map(|settings| settings.open(config));
    Ok(Gateways::new(opened.collect::<Result<Vec<_>, _>>()?))
}

/// What a connection is made from.
struct Settings {
    base_url: String,
    credentials: Credentials,
    webhook_secrets: Vec<SecretString>,
}

impl Settings {
    fn open(self, config: &Config) -> Result<Gateway, Failure> {
        let mut client = ClientConfig::new(&self.base_url);
        client.total_timeout = Duration::from_secs(config.gateways.request_seconds_max);
        let name = self.credentials.provider();
        Ok(Gateway {
            connection: connection(name).to_owned(),
            tenant: TENANT,
            provider: provider(self.credentials)?,
            client: Arc::new(GatewayClient::new(client)?),
            webhook_secrets: self.webhook_secrets,
            breaker: Breaker::default(),
            certificates: Certificates::default(),
        })
    }
}

fn stripe(config: &Config) -> Option<Settings> {
    let it = &config.stripe;
    let credentials = Credentials::Stripe { secret_key: it.secret_key.clone()?, account: None };
    let webhook_secrets = it.webhook_secrets.clone();
    Some(Settings { base_url: it.base_url.clone(), credentials, webhook_secrets })
}

fn razorpay(config: &Config) -> Option<Settings> {
    let it = &config.razorpay;
    let (key_id, key_secret) = (it.key_id.clone()?, it.key_secret.clone()?);
    let credentials = Credentials::Razorpay { key_id, key_secret };
    let webhook_secrets = it.webhook_secrets.clone();
    Some(Settings { base_url: it.base_url.clone(), credentials, webhook_secrets })
}

/// The secrets of every connection's webhooks, whether or not it can be called.
pub fn webhook_secrets(config: &Config) -> Vec<(String, Vec<SecretString>)> {
    let of = |name, secrets: &[SecretString]| (connection(name).to_owned(), secrets.to_vec());
    vec![
        of(ProviderName::Stripe, &config.stripe.webhook_secrets),
        of(ProviderName::Razorpay, &config.razorpay.webhook_secrets),
    ]
}

/// What stands in the way of payments, by the names of the settings.
pub fn missing(config: &Config) -> Vec<&'static str> {
    let all = [stripe(config), razorpay(config)];
    let opened: Vec<Settings> = all.into_iter().flatten().collect();
    if opened.is_empty() {
        return vec!["the key of any gateway: payments are answered 503"];
    }
    let deaf = opened.iter().filter(|it| it.webhook_secrets.is_empty());
    deaf.map(|it| match it.credentials.provider() {
        ProviderName::Stripe => "MIZAN_STRIPE_WEBHOOK_SECRETS: webhooks are refused",
        ProviderName::Razorpay => "MIZAN_RAZORPAY_WEBHOOK_SECRETS: webhooks are refused",
        _ => "the secrets of a gateway's webhooks: they are refused",
    })
    .collect()
}

/// Whether any connection moves real money.
pub fn is_live(config: &Config) -> bool {
    let begins = |key: Option<&str>, with: &[&str]| {
        key.is_some_and(|key| with.iter().any(|prefix| key.starts_with(prefix)))
    };
    let stripe = config.stripe.secret_key.as_ref().map(|key| key.expose_secret());
    begins(stripe, &["sk_live_", "rk_live_"])
        || begins(config.razorpay.key_id.as_deref(), &["rzp_live_"])
}

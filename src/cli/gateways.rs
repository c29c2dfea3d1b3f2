//! The connections that the settings name: one to each gateway whose key is set.

use std::sync::Arc;
use std::time::Duration;

use mizan::config::Config;
use mizan::payments::gateway::certificates::Certificates;
use mizan::payments::gateway::{Gateway, Gateways};
use mizan::routing::Breaker;
use mizan_providers::paypal::Environment;
use mizan_providers::{ClientConfig, Credentials, GatewayClient, ProviderName, provider, telr};
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
    let opened = settings(config)?.into_iter().map(|settings| settings.open(config));
    Ok(Gateways::new(opened.collect::<Result<Vec<_>, _>>()?))
}

/// What the settings have for each gateway whose key is set.
fn settings(config: &Config) -> Result<Vec<Settings>, Failure> {
    let all = [stripe(config), razorpay(config), telr(config), paytabs(config)?, paypal(config)?];
    Ok(all.into_iter().flatten().collect())
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
    let credentials =
        Credentials::Razorpay { key_id, key_secret, payout_account: it.account.clone() };
    let webhook_secrets = it.webhook_secrets.clone();
    Some(Settings { base_url: it.base_url.clone(), credentials, webhook_secrets })
}

fn telr(config: &Config) -> Option<Settings> {
    let it = &config.telr;
    let access = |merchant_id: &String, api_key: &SecretString| telr::ServiceAccess {
        merchant_id: merchant_id.clone(),
        api_key: api_key.clone(),
        account: None,
    };
    let store = telr::Settings {
        remote_key: it.remote_key.clone(),
        service: it.merchant_id.as_ref().zip(it.api_key.as_ref()).map(|(m, k)| access(m, k)),
        notify_url: Some(notify_url(config, ProviderName::Telr)),
        test: it.test,
        ..telr::Settings::new(it.store_id.clone()?, it.auth_key.clone()?)
    };
    Some(Settings {
        base_url: it.base_url.clone(),
        credentials: Credentials::Telr(Box::new(store)),
        webhook_secrets: telr_secrets(config),
    })
}

/// The key of the hosted page signs as well.
fn telr_secrets(config: &Config) -> Vec<SecretString> {
    let own = config.telr.auth_key.iter();
    own.chain(&config.telr.webhook_secrets).cloned().collect()
}

fn paytabs(config: &Config) -> Result<Option<Settings>, Failure> {
    let it = &config.paytabs;
    let (Some(profile), Some(server_key)) = (&it.profile_id, &it.server_key) else {
        return Ok(None);
    };
    let profile_id = profile.parse().map_err(|_| "paytabs.profile_id is a number")?;
    let notify_url = Some(notify_url(config, ProviderName::Paytabs));
    let server_key = server_key.clone();
    Ok(Some(Settings {
        base_url: it.base_url.clone(),
        credentials: Credentials::Paytabs { profile_id, server_key, notify_url },
        webhook_secrets: paytabs_secrets(config),
    }))
}

/// The server key signs what PayTabs sends.
fn paytabs_secrets(config: &Config) -> Vec<SecretString> {
    let own = config.paytabs.server_key.iter();
    own.chain(&config.paytabs.webhook_secrets).cloned().collect()
}

fn paypal(config: &Config) -> Result<Option<Settings>, Failure> {
    let it = &config.paypal;
    let (Some(client_id), Some(client_secret)) = (&it.client_id, &it.client_secret) else {
        return Ok(None);
    };
    let credentials = Credentials::Paypal {
        client_id: client_id.clone(),
        client_secret: client_secret.clone(),
        environment: if is_paypal_live(config) { Environment::Live } else { Environment::Sandbox },
        trust_roots: trust_roots(config)?,
        certificate_base: (!is_far(&it.base_url)).then(|| it.base_url.clone()),
    };
    let webhook_secrets = paypal_ids(config);
    Ok(Some(Settings { base_url: it.base_url.clone(), credentials, webhook_secrets }))
}

/// What PayPal signs with its certificate is bound to the id of our webhook.
fn paypal_ids(config: &Config) -> Vec<SecretString> {
    config.paypal.webhook_ids.iter().map(|id| SecretString::from(id.as_str())).collect()
}

/// The roots that PayPal's certificates must lead to; none for those of the system.
pub fn trust_roots(config: &Config) -> Result<Vec<String>, Failure> {
    let Some(path) = &config.paypal.trust_roots else { return Ok(Vec::new()) };
    let pem = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read paypal.trust_roots, {path}: {error}"))?;
    Ok(vec![pem])
}

/// Where a gateway is told to call for each payment.
fn notify_url(config: &Config, of: ProviderName) -> String {
    format!("{}{}", config.public_url(), webhook_path(of))
}

/// The secrets of every connection's webhooks, whether or not it can be called.
pub fn webhook_secrets(config: &Config) -> Vec<(String, Vec<SecretString>)> {
    let of = |name, secrets: &[SecretString]| (connection(name).to_owned(), secrets.to_vec());
    vec![
        of(ProviderName::Stripe, &config.stripe.webhook_secrets),
        of(ProviderName::Razorpay, &config.razorpay.webhook_secrets),
        of(ProviderName::Telr, &telr_secrets(config)),
        of(ProviderName::Paytabs, &paytabs_secrets(config)),
        of(ProviderName::Paypal, &paypal_ids(config)),
    ]
}

/// What stands in the way of payments, by the names of the settings.
pub fn missing(config: &Config) -> Vec<&'static str> {
    let opened = settings(config).unwrap_or_default();
    if opened.is_empty() {
        return vec!["the key of any gateway: payments are answered 503"];
    }
    let deaf = opened.iter().filter(|it| it.webhook_secrets.is_empty());
    deaf.map(|it| match it.credentials.provider() {
        ProviderName::Stripe => "MIZAN_STRIPE_WEBHOOK_SECRETS: webhooks are refused",
        ProviderName::Razorpay => "MIZAN_RAZORPAY_WEBHOOK_SECRETS: webhooks are refused",
        ProviderName::Paypal => "paypal.webhook_ids: webhooks are refused",
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
    let telr = &config.telr;
    begins(stripe, &["sk_live_", "rk_live_"])
        || begins(config.razorpay.key_id.as_deref(), &["rzp_live_"])
        || (telr.auth_key.is_some() && !telr.test)
        || (config.paytabs.server_key.is_some() && is_far(&config.paytabs.base_url))
        || (config.paypal.client_secret.is_some() && is_paypal_live(config))
}

/// Whether PayPal's settings name the world of real money.
fn is_paypal_live(config: &Config) -> bool {
    let base_url = &config.paypal.base_url;
    is_far(base_url) && !base_url.contains("sandbox")
}

/// Whether an address is not on this machine: what stands here is no gateway's.
fn is_far(base_url: &str) -> bool {
    !["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|near| base_url.starts_with(near))
}

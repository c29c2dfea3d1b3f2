//! The settings of the gateways: one connection to each whose key is set.

use secrecy::SecretString;
use serde::Deserialize;

use super::{non_empty, secret, secrets};

/// What is common to all gateways.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewaysConfig {
    /// How long one call may take before its outcome counts as unknown.
    pub request_seconds_max: u64,
}

/// Stripe.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeConfig {
    /// Where its API is found.
    pub base_url: String,
    /// Its secret key.
    #[serde(deserialize_with = "secret")]
    pub secret_key: Option<SecretString>,
    /// The signing secrets of our webhook endpoint.
    #[serde(deserialize_with = "secrets")]
    pub webhook_secrets: Vec<SecretString>,
}

/// Razorpay.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RazorpayConfig {
    /// Where its API is found.
    pub base_url: String,
    /// The public half of the key.
    #[serde(deserialize_with = "non_empty")]
    pub key_id: Option<String>,
    /// The secret half.
    #[serde(deserialize_with = "secret")]
    pub key_secret: Option<SecretString>,
    /// The account that payouts are paid from.
    #[serde(deserialize_with = "secret")]
    pub account: Option<SecretString>,
    /// The secrets of our webhook.
    #[serde(deserialize_with = "secrets")]
    pub webhook_secrets: Vec<SecretString>,
}

/// Telr.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelrConfig {
    /// Where its API is found.
    pub base_url: String,
    /// The store.
    #[serde(deserialize_with = "non_empty")]
    pub store_id: Option<String>,
    /// The key of the hosted page.
    #[serde(deserialize_with = "secret")]
    pub auth_key: Option<SecretString>,
    /// The key of captures, releases and refunds.
    #[serde(deserialize_with = "secret")]
    pub remote_key: Option<SecretString>,
    /// The merchant of the Service API.
    #[serde(deserialize_with = "non_empty")]
    pub merchant_id: Option<String>,
    /// The key of the Service API.
    #[serde(deserialize_with = "secret")]
    pub api_key: Option<SecretString>,
    /// The secrets of the transaction advice, beside the key of the hosted page.
    #[serde(deserialize_with = "secrets")]
    pub webhook_secrets: Vec<SecretString>,
    /// Whether transactions are tests.
    pub test: bool,
}

/// PayTabs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaytabsConfig {
    /// Where its API is found: the host of the profile's region.
    pub base_url: String,
    /// The profile.
    #[serde(deserialize_with = "non_empty")]
    pub profile_id: Option<String>,
    /// The server key.
    #[serde(deserialize_with = "secret")]
    pub server_key: Option<SecretString>,
    /// Older server keys that deliveries may still be signed with.
    #[serde(deserialize_with = "secrets")]
    pub webhook_secrets: Vec<SecretString>,
}

/// PayPal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaypalConfig {
    /// Where its API is found: live or sandbox.
    pub base_url: String,
    /// The client id.
    #[serde(deserialize_with = "non_empty")]
    pub client_id: Option<String>,
    /// The client secret.
    #[serde(deserialize_with = "secret")]
    pub client_secret: Option<SecretString>,
    /// The ids of our webhook at PayPal; several while one is being replaced.
    pub webhook_ids: Vec<String>,
    /// A file of root certificates in PEM to trust instead of the system's.
    #[serde(deserialize_with = "non_empty")]
    pub trust_roots: Option<String>,
}

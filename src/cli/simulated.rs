//! A service's settings for a gateway that is simulated.

use mizan::config::Config;
use mizan_providers::ProviderName;
use mizan_simulator::{Gateway, SimulatorConfig};
use secrecy::SecretString;

/// The simulator's name of a gateway; every gateway has a simulator.
pub fn simulated(of: ProviderName) -> Option<Gateway> {
    Gateway::named(of.as_str())
}

/// A gateway's name as people write it.
pub fn title(of: ProviderName) -> &'static str {
    simulated(of).map_or(of.as_str(), Gateway::title)
}

/// Points the settings of a gateway at its simulator.
pub fn point(config: &mut Config, simulated: &SimulatorConfig, url: &str) {
    let secret = |text: &str| Some(SecretString::from(text));
    let hooks = vec![SecretString::from(simulated.webhook_secret.as_str())];
    let url = url.to_owned();
    match simulated.gateway {
        Gateway::Stripe => {
            config.stripe.base_url = url;
            config.stripe.secret_key = secret(&simulated.stripe_secret_key);
            config.stripe.webhook_secrets = hooks;
        }
        Gateway::Razorpay => {
            let keys = &simulated.razorpay;
            config.razorpay.base_url = url;
            config.razorpay.key_id = Some(keys.key_id.clone());
            config.razorpay.key_secret = secret(&keys.key_secret);
            config.razorpay.account = secret(&keys.account_number);
            config.razorpay.webhook_secrets = hooks;
        }
        Gateway::Telr => {
            let keys = &simulated.telr;
            config.telr.base_url = url;
            config.telr.store_id = Some(keys.store.clone());
            config.telr.auth_key = secret(&keys.auth_key);
            config.telr.remote_key = secret(&keys.remote_key);
            config.telr.merchant_id = Some(keys.merchant.clone());
            config.telr.api_key = secret(&keys.api_key);
            config.telr.webhook_secrets = hooks;
            config.telr.test = true;
        }
        Gateway::PayTabs => {
            config.paytabs.base_url = url;
            config.paytabs.profile_id = Some(simulated.paytabs.profile_id.to_string());
            // One key opens and signs.
            config.paytabs.server_key = hooks.first().cloned();
        }
        Gateway::PayPal => {
            config.paypal.base_url = url;
            config.paypal.client_id = Some(simulated.paypal.client_id.clone());
            config.paypal.client_secret = secret(&simulated.paypal.client_secret);
            config.paypal.webhook_ids = vec![simulated.webhook_secret.clone()];
        }
    }
}

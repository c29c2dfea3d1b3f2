//! The settings: defaults from `config.default.toml`, over them a file, over it the environment.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

use crate::db::{DbOptions, FirstTenant};

mod error;
mod gateways;
mod payouts;

pub use error::{ConfigError, Origin};
pub use gateways::{
    GatewaysConfig, PaypalConfig, PaytabsConfig, RazorpayConfig, StripeConfig, TelrConfig,
};
pub use payouts::PayoutsConfig;

/// Every setting with its default and its meaning.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

const ENV_PREFIX: &str = "MIZAN_";
/// What a test program tells its copies is no setting.
const TEST_PREFIX: &str = "MIZAN_TEST_";
/// Settings that a file must not hold: files are copied, shown and committed.
const ENV_ONLY: [(&str, &str); 12] = [
    ("stripe", "secret_key"),
    ("stripe", "webhook_secrets"),
    ("razorpay", "key_secret"),
    ("razorpay", "account"),
    ("razorpay", "webhook_secrets"),
    ("telr", "auth_key"),
    ("telr", "remote_key"),
    ("telr", "api_key"),
    ("telr", "webhook_secrets"),
    ("paytabs", "server_key"),
    ("paytabs", "webhook_secrets"),
    ("paypal", "client_secret"),
];

/// All settings. `config.default.toml` says what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The HTTP interface.
    pub http: HttpConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The first tenant.
    pub tenant: TenantConfig,
    /// What is common to all gateways.
    pub gateways: GatewaysConfig,
    /// Stripe.
    pub stripe: StripeConfig,
    /// Razorpay.
    pub razorpay: RazorpayConfig,
    /// Telr.
    pub telr: TelrConfig,
    /// PayTabs.
    pub paytabs: PaytabsConfig,
    /// PayPal.
    pub paypal: PaypalConfig,
    /// Payouts.
    pub payouts: PayoutsConfig,
    /// The log.
    pub log: LogConfig,
}

/// The HTTP interface.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// What callers see in front of the paths.
    #[serde(deserialize_with = "non_empty")]
    pub public_url: Option<String>,
    /// The longest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// How many requests one key may send in a minute; 0: as many as it likes.
    pub key_requests_per_minute: u32,
    /// The same for one address without a good key.
    pub address_requests_per_minute: u32,
    /// How many proxies in front add to `X-Forwarded-For`.
    pub proxies_in_front: usize,
    /// How many requests are answered at once.
    pub requests_in_flight_max: u32,
    /// How long one request may take.
    pub request_seconds_max: u64,
    /// How long requests at work may take to their end when the service stops.
    pub shutdown_seconds_max: u64,
}

/// The database.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Where it is; not set: the private cluster. Secret, because it may hold a password.
    #[serde(deserialize_with = "secret")]
    pub url: Option<SecretString>,
    /// Connections at most.
    pub connections_max: u32,
    /// How long a request waits for a connection.
    pub acquire_ms_max: u64,
    /// How long one statement may run.
    pub statement_ms_max: u64,
    /// How long a statement may wait for a lock.
    pub lock_ms_max: u64,
    /// How long a transaction may sit between two statements.
    pub idle_in_transaction_ms_max: u64,
}

/// The longest call to a gateway that the settings may allow. The sweeper takes an operation up
/// after a minute.
const GATEWAY_SECONDS_MAX: u64 = 40;

/// The first tenant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// What it is called in an empty database.
    pub name: String,
    /// Where its days are counted, in an empty database.
    pub time_zone: String,
}

impl TenantConfig {
    /// What an empty database is given.
    #[must_use]
    pub fn first(&self) -> FirstTenant<'_> {
        FirstTenant { name: &self.name, time_zone: &self.time_zone }
    }
}

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// Which messages are kept.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// A line for people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Config {
    /// The defaults, over them `file` if one is given, over it the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that is unknown or has another form.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text = file.map(|path| {
            std::fs::read_to_string(path)
                .map(|text| (path, text))
                .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
        });
        let text = text.transpose()?;
        Self::from_parts(text.as_ref().map(|(path, text)| (*path, text.as_str())), std::env::vars())
    }

    /// The same from texts that were read before.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that is unknown or has another form.
    pub fn from_parts(
        file: Option<(&Path, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut settings = parse(DEFAULTS, &Origin::Whole)?;
        if let Some((path, text)) = file {
            let origin = Origin::File(path.to_owned());
            overlay(&mut settings, parse(text, &origin)?, &origin)?;
        }
        // Sorted, so that our own name wins over the customary DATABASE_URL.
        let mut environment: Vec<_> = environment.into_iter().collect();
        environment.sort();
        for (name, text) in environment {
            if name.starts_with(TEST_PREFIX) {
                continue;
            }
            let ours = match name.strip_prefix(ENV_PREFIX) {
                Some(ours) => ours,
                None if name == "DATABASE_URL" => "DATABASE_URL",
                None => continue,
            };
            set(&mut settings, ours, &text, &Origin::Variable(name.clone()))?;
        }
        let mut track = serde_path_to_error::Track::new();
        let config = Self::deserialize(serde_path_to_error::Deserializer::new(
            Value::Table(settings),
            &mut track,
        ));
        let config = config.map_err(|error| invalid(&track.path().to_string(), &error))?;
        config.check()
    }

    fn check(self) -> Result<Self, ConfigError> {
        let invalid = |name: &str, expected: &str| {
            let (name, expected) = (name.to_owned(), expected.to_owned());
            Err(ConfigError::Invalid { name, expected, origin: Origin::Whole })
        };
        if self.http.requests_in_flight_max == 0 {
            return invalid("http.requests_in_flight_max", "at least 1");
        }
        if self.database.connections_max == 0 {
            return invalid("database.connections_max", "at least 1");
        }
        if self.http.request_seconds_max <= self.gateways.request_seconds_max {
            return invalid(
                "http.request_seconds_max",
                "more than gateways.request_seconds_max, so that an answer tells what became of it",
            );
        }
        if self.gateways.request_seconds_max > GATEWAY_SECONDS_MAX {
            return invalid(
                "gateways.request_seconds_max",
                "at most 40, so that no call is still at work when the sweeper repeats it",
            );
        }
        Ok(self)
    }

    /// The bounds on the database.
    #[must_use]
    pub fn db_options(&self) -> DbOptions {
        DbOptions {
            connections_max: self.database.connections_max,
            acquire: Duration::from_millis(self.database.acquire_ms_max),
            statement: Duration::from_millis(self.database.statement_ms_max),
            lock: Duration::from_millis(self.database.lock_ms_max),
            idle_in_transaction: Duration::from_millis(self.database.idle_in_transaction_ms_max),
        }
    }

    /// What callers see in front of the paths, without a slash at the end.
    #[must_use]
    pub fn public_url(&self) -> String {
        match &self.http.public_url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.http.listen),
        }
    }
}

fn parse(text: &str, origin: &Origin) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| ConfigError::Syntax {
        origin: origin.clone(),
        at: error.span().map_or(0, |span| span.start),
    })
}

/// Puts a file's settings over the defaults; only names that the defaults have are let in.
fn overlay(settings: &mut Table, file: Table, origin: &Origin) -> Result<(), ConfigError> {
    let unknown = |name: String| ConfigError::Unknown { name, origin: origin.clone() };
    for (section, values) in file {
        let Some(Value::Table(known)) = settings.get_mut(&section) else {
            return Err(unknown(section));
        };
        let Value::Table(values) = values else { return Err(unknown(section)) };
        for (key, value) in values {
            let name = format!("{section}.{key}");
            if ENV_ONLY.contains(&(section.as_str(), key.as_str())) {
                let variable = variable(&section, &key);
                return Err(ConfigError::SecretInFile { name, variable, origin: origin.clone() });
            }
            let Some(slot) = known.get_mut(&key) else { return Err(unknown(name)) };
            *slot = value;
        }
    }
    Ok(())
}

fn variable(section: &str, key: &str) -> String {
    format!("{ENV_PREFIX}{section}_{key}").to_uppercase()
}

/// Sets what a variable of the environment names, read as the default's type.
fn set(settings: &mut Table, ours: &str, text: &str, origin: &Origin) -> Result<(), ConfigError> {
    let wanted = format!("{ENV_PREFIX}{ours}");
    for (section, values) in settings.iter_mut() {
        let Value::Table(values) = values else { continue };
        for (key, slot) in values.iter_mut() {
            if variable(section, key) != wanted {
                continue;
            }
            *slot = read_as(slot, text).ok_or_else(|| ConfigError::Invalid {
                name: format!("{section}.{key}"),
                expected: match slot {
                    Value::Boolean(_) => "true or false".to_owned(),
                    _ => "an integer".to_owned(),
                },
                origin: origin.clone(),
            })?;
            return Ok(());
        }
    }
    Err(ConfigError::Unknown { name: ours.to_lowercase(), origin: origin.clone() })
}

fn read_as(default: &Value, text: &str) -> Option<Value> {
    Some(match default {
        Value::Integer(_) => Value::Integer(text.trim().parse().ok()?),
        Value::Boolean(_) => Value::Boolean(text.trim().parse().ok()?),
        Value::Array(_) => {
            let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
            Value::Array(members.map(|member| Value::String(member.to_owned())).collect())
        }
        _ => Value::String(text.to_owned()),
    })
}

fn invalid(path: &str, error: &toml::de::Error) -> ConfigError {
    let message = error.message();
    let expected = message.rsplit_once("expected ").map_or("of another form", |(_, words)| words);
    ConfigError::Invalid {
        name: path.to_owned(),
        expected: expected.to_owned(),
        origin: Origin::Whole,
    }
}

fn non_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok((!text.trim().is_empty()).then_some(text))
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(non_empty(deserializer)?.map(SecretString::from))
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(SecretString::from).collect())
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;

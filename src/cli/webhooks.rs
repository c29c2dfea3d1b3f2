//! `mizan webhooks inspect`: whether one delivery is believed, and what it says. `replay` is next
//! door.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mizan::clock::Clock;
use mizan_money::Timestamp;
use mizan_providers::paypal::Paypal;
use mizan_providers::{Headers, Provider, ProviderName, WebhookKeys, inspect, webhook_reader};
use secrecy::SecretString;
use serde::Deserialize;

use super::end::{CommandResult, End, Failure};
use super::{output, replay};

mod listen;
mod story;
mod trigger;

/// The commands about webhooks.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Verify and translate one delivery, and print what it says as JSON; nothing is stored
    ///
    /// Exit code 0 when the delivery is believed, 1 when it is not.
    Inspect(InspectArgs),
    /// Make a gateway's delivery in its simulator and send it to a service
    ///
    /// Exit code 0 when the service answers as it should: 2xx, or 401 to a bad signature.
    Trigger(trigger::Args),
    /// Hear deliveries on this machine, say what they are, and hand them on
    Listen(listen::Args),
    /// Verify and apply again every delivery that was kept
    ///
    /// Without --into nothing is changed: each delivery is applied to the books as they are and
    /// rolled back, and a finished one must come to nothing. With --into the books are written
    /// again into an empty database, from commands, answers and deliveries, and compared account
    /// by account. No gateway is called. Secrets that were replaced since are needed as well:
    /// name them in MIZAN_STRIPE_WEBHOOK_SECRETS beside those of today. Exit code 0 when
    /// everything agrees, 3 when a delivery is not believed or the books differ.
    Replay(replay::Args),
}

/// One delivery, from files.
#[derive(Debug, clap::Args)]
pub struct InspectArgs {
    /// The gateway, e.g. `stripe`
    provider: String,
    /// A JSON file with the headers: names and texts, or the same below `headers`
    #[arg(long, value_name = "FILE")]
    headers: PathBuf,
    /// A file with the body, byte for byte
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// The endpoint's signing secret; several while one is being replaced
    #[arg(long, value_name = "SECRET", required = true)]
    secret: Vec<String>,
    /// A certificate in PEM that the delivery is signed with, instead of fetching it: PayPal
    #[arg(long, value_name = "FILE")]
    certificate: Vec<PathBuf>,
    /// A root certificate in PEM to trust instead of the system's: PayPal
    #[arg(long, value_name = "FILE")]
    trust_root: Vec<PathBuf>,
    /// Verify as of this time (RFC 3339, or seconds since 1970) instead of now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Timestamp>,
}

/// The headers of a delivery as people save them.
#[derive(Deserialize)]
#[serde(untagged)]
enum HeadersFile {
    Below { headers: BTreeMap<String, Values> },
    Flat(BTreeMap<String, Values>),
}

/// A header that came once, or several times.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

/// Runs a command about webhooks.
pub fn run(command: &Command) -> CommandResult {
    match command {
        Command::Inspect(args) => inspect_one(args),
        Command::Trigger(args) => trigger::run(args),
        Command::Listen(args) => listen::run(args),
        Command::Replay(args) => replay::run(args),
    }
}

fn inspect_one(args: &InspectArgs) -> CommandResult {
    let name: ProviderName = args.provider.parse().map_err(|_| {
        let names: Vec<&str> = ProviderName::ALL.iter().map(|it| it.as_str()).collect();
        let names = names.join(", ");
        format!("`{}` is no gateway that Mizan knows: say one of {names}", args.provider)
    })?;
    let headers = headers(&read(&args.headers)?)
        .map_err(|error| format!("{} holds no headers: {error}", args.headers.display()))?;
    let body = read(&args.body)?;
    let secrets: Vec<_> = args.secret.iter().cloned().map(SecretString::from).collect();
    let now = args.now.unwrap_or_else(|| Clock::system().now());
    let certificates = texts(&args.certificate)?;
    let keys = WebhookKeys { secrets: &secrets, certificates: &certificates };
    let reader = reader(name, &texts(&args.trust_root)?)?;
    let found = inspect(reader.as_ref(), &headers, &body, keys, now);
    output::print_json(&found)?;
    Ok(if found.verified { End::Done } else { End::Failed })
}

fn texts(paths: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let text = |path: &PathBuf| Ok(String::from_utf8(read(path)?)?);
    paths.iter().map(text).collect()
}

/// A reader that trusts these roots, where any are given.
fn reader(name: ProviderName, roots: &[String]) -> Result<Arc<dyn Provider>, Failure> {
    match name {
        ProviderName::Paypal if !roots.is_empty() => {
            Ok(Arc::new(Paypal::webhook_reader().trusting(roots)?))
        }
        other => Ok(webhook_reader(other)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

fn headers(json: &[u8]) -> Result<Headers, serde_json::Error> {
    let (HeadersFile::Below { headers } | HeadersFile::Flat(headers)) =
        serde_json::from_slice(json)?;
    let mut list = Headers::new();
    for (name, values) in headers {
        match values {
            Values::One(value) => list.push(name, value),
            Values::Many(values) => {
                values.into_iter().for_each(|value| list.push(name.clone(), value));
            }
        }
    }
    Ok(list)
}

/// Reads a moment of RFC 3339, or in seconds since 1970.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_timestamp(seconds, 0));
    seconds
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "write 2026-03-02T09:00:00Z, or the seconds since 1970".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn headers_are_read_flat_or_below_their_name() {
        for json in [
            r#"{"Stripe-Signature": "t=1,v1=a"}"#,
            r#"{"note": "as recorded", "headers": {"Stripe-Signature": ["t=1,v1=a"]}}"#,
        ] {
            let list = headers(json.as_bytes()).unwrap();
            assert_eq!(list.get("stripe-signature"), Some("t=1,v1=a"), "{json}");
        }
        assert!(headers(b"[1]").is_err());
    }

    #[test]
    fn a_moment_is_a_date_or_seconds() {
        assert_eq!(moment("1772442000").unwrap(), moment("2026-03-02T09:00:00Z").unwrap());
        assert!(moment("yesterday").is_err());
    }
}

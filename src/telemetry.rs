//! The log: one line per event, for people on a terminal and for machines elsewhere.
//!
//! Headers and bodies are never logged; what is secret is a `SecretString` and shows nothing.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

/// Why the log could not be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("the log filter cannot be read: write for example `info,mizan=debug`")]
    Filter(#[source] tracing_subscriber::filter::ParseError),
    /// The process has a log already.
    #[error("the log was started twice")]
    Started(#[source] tracing_subscriber::util::TryInitError),
}

/// Starts the log of this process, on standard error. `RUST_LOG` wins over the setting.
///
/// # Errors
/// [`TelemetryError`] for a filter that cannot be read or a second start.
pub fn start(config: &LogConfig) -> Result<(), TelemetryError> {
    let directives = std::env::var(EnvFilter::DEFAULT_ENV).unwrap_or_default();
    let directives = if directives.is_empty() { &config.filter } else { &directives };
    let filter = EnvFilter::try_new(directives).map_err(TelemetryError::Filter)?;
    let terminal = stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr);
    let registry = tracing_subscriber::registry().with(filter);
    let human = match config.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    let started = if human {
        registry.with(lines.compact().with_target(false).with_ansi(terminal)).try_init()
    } else {
        registry.with(lines.json().flatten_event(true)).try_init()
    };
    started.map_err(TelemetryError::Started)?;
    log_panics();
    Ok(())
}

/// A panic is a line of the log like any other, with the request's span around it.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let words = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, "panic: {words}");
    }));
}

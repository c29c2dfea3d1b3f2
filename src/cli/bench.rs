//! `mizan bench`: measures the books on a private PostgreSQL of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::RangedI64ValueParser;
use mizan::config::{LogConfig, LogFormat};
use mizan::db::private_cluster::{ClusterOptions, PrivateCluster};
use mizan::telemetry;

use super::database::runtime;
use super::end::{CommandResult, End, Failure};
use super::output::{self, Format};
use super::signals::Ending;
use crate::bench::{self, Outcome, Plan, Row};
use crate::stage::scratch::Scratch;

/// The least and the most that one row may be measured in one round.
const SECONDS: (f64, f64) = (0.05, 3_600.0);
/// How many payments are prepared for each second of measuring.
const PAYMENTS_PER_SECOND: u128 = 2_500;

/// What is measured, and how long.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A private PostgreSQL is made for the run and removed afterwards. The rows are measured in rounds, \
one after the other, and their medians are shown; progress goes to standard error. A figure below \
its bar is marked and is no failure. Build with --release, or use `make bench`.")]
pub struct Args {
    #[command(flatten)]
    format: Format,
    /// Only these rows
    #[arg(long, value_name = "ROW,ROW", value_delimiter = ',', value_enum)]
    rows: Vec<Row>,
    /// All rows but these
    #[arg(long, value_name = "ROW,ROW", value_delimiter = ',', value_enum)]
    skip: Vec<Row>,
    /// How long each row is measured in each round
    #[arg(long, value_name = "SECONDS", default_value_t = 8.0, value_parser = seconds)]
    seconds: f64,
    /// How many rounds
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = from_to(1, 99))]
    rounds: u32,
    /// The scale of pgbench's tables: so many times 100,000 accounts
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = from_to(1, 1_000))]
    scale: u32,
    /// How many accounts the transfers go between
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = from_to(2, 1_000_000))]
    accounts: u32,
    /// How many payments each round of `webhooks_64` has to confirm at most; without it 2,500
    /// for each second
    #[arg(long, value_name = "N", value_parser = from_to(1, 1_000_000))]
    payments: Option<u32>,
    /// How many transfers `decay_2m` goes through
    #[arg(long, value_name = "N", default_value_t = 2_000_000, value_parser = decays())]
    decay_transfers: u32,
    /// A further setting of the server, to find out what it changes
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// The folder in which the server's folder is made; without it the system's for temporary
    /// files. Its disk is what is measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Measures, and shows what came of it.
pub fn run(args: &Args) -> CommandResult {
    let filter = "error".to_owned();
    telemetry::start(&LogConfig { format: LogFormat::Human, filter })?;
    let plan = args.plan();
    if cfg!(debug_assertions) {
        output::warn("this is a debug build: its figures say nothing. Use `make bench`");
    }
    let scratch = match &args.dir {
        Some(dir) => Scratch::make_in(dir)?,
        None => Scratch::make()?,
    };
    // The server's folder belongs to the server's user.
    let files = Scratch::make()?;
    let mut options = ClusterOptions::new(scratch.path());
    options.settings.extend(args.settings.iter().cloned());
    let cluster = PrivateCluster::start_or_attach(options)?;
    let runtime = runtime()?;
    let result = runtime.block_on(measure(&plan, &cluster, files.path()));
    drop(runtime);
    let stopped = cluster.stop();
    drop((scratch, files));
    let outcome = result?;
    stopped?;
    if args.format.json {
        output::print_json(&outcome.lines())?;
    } else {
        output::print(&outcome.table())?;
    }
    Ok(End::Done)
}

async fn measure(plan: &Plan, cluster: &PrivateCluster, files: &Path) -> Result<Outcome, Failure> {
    let mut ending = Ending::listen()?;
    tokio::select! {
        outcome = bench::run(plan, cluster, files) => outcome,
        () = ending.wait() => Err("the benchmark was interrupted".into()),
    }
}

impl Args {
    fn plan(&self) -> Plan {
        let time = Duration::from_secs_f64(self.seconds);
        let payments = time.as_millis() * PAYMENTS_PER_SECOND / 1_000;
        let payments = u32::try_from(payments.max(1)).unwrap_or(u32::MAX);
        let asked = if self.rows.is_empty() { Row::all() } else { &self.rows };
        Plan {
            rows: asked.iter().copied().filter(|row| !self.skip.contains(row)).collect(),
            time,
            rounds: self.rounds,
            scale: self.scale,
            accounts: self.accounts,
            payments: self.payments.unwrap_or(payments),
            decay_transfers: self.decay_transfers,
        }
    }
}

fn from_to(least: i64, most: i64) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(least..=most)
}

fn decays() -> RangedI64ValueParser<u32> {
    from_to(20, 100_000_000)
}

fn seconds(text: &str) -> Result<f64, String> {
    let (least, most) = SECONDS;
    match text.parse::<f64>() {
        Ok(seconds) if (least..=most).contains(&seconds) => Ok(seconds),
        _ => Err(format!("it is a number from {least} to {most}")),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it reads NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn times_and_settings_are_checked_at_the_door() {
        assert_eq!(seconds("0.2"), Ok(0.2));
        for wrong in ["0", "-1", "NaN", "inf", "4000", "soon"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        let set = ("max_wal_size".to_owned(), "4GB".to_owned());
        assert_eq!(setting("max_wal_size = 4GB"), Ok(set));
        assert!(setting("max_wal_size").is_err());
    }
}

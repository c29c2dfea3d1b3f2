//! pgbench, the bank that comes with PostgreSQL: what the same server does for others.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::Command;

use super::place::Place;
use super::samples::{Pace, Samples};
use super::store;
use crate::cli::end::Failure;

const DATABASE: &str = "tpcb";
/// Every tenth transaction is written down with its time; all of them would cost the yardstick.
const SAMPLING: &str = "--sampling-rate=0.1";

/// How often a measurement is tried in which nothing at all was finished: in a second on a disk
/// that is busy with something else, that happens.
const TRIES: u32 = 3;

/// pgbench with its tables filled.
pub struct Yardstick {
    program: PathBuf,
    url: String,
    logs: PathBuf,
}

impl Yardstick {
    /// Fills the tables: `scale` times 100,000 accounts.
    ///
    /// # Errors
    /// pgbench is missing, with what to install; or it fails, with what it said.
    pub async fn prepare(place: &Place<'_>, scale: u32) -> Result<Self, Failure> {
        let folder = store::program_folder(&mut place.owner().await?).await?;
        let program = Path::new(&folder).join("pgbench");
        if !program.is_file() {
            return Err(missing(&program).into());
        }
        let url = place.empty(DATABASE).await?;
        let logs = place.folder().join("pgbench");
        fs::create_dir_all(&logs)?;
        let yardstick = Self { program, url, logs };
        yardstick.pgbench(&["-i", "-q", "-s", &scale.to_string()]).await?;
        store::settle(&mut store::connect(&yardstick.url).await?).await?;
        Ok(yardstick)
    }

    /// Runs it with so many clients, first for the warm-up and then for the measurement, each
    /// in whole seconds.
    pub async fn run(
        &self,
        clients: u32,
        warm_up: Duration,
        time: Duration,
    ) -> Result<Pace, Failure> {
        let clients = clients.to_string();
        let (warm_up, time) = (whole_seconds(warm_up), whole_seconds(time));
        let common = ["-n", "-M", "prepared", "-j", "2", "-c", &clients];
        self.pgbench(&[&common[..], &["-T", &warm_up]].concat()).await?;
        let prefix = format!("--log-prefix={}", self.logs.join("log").display());
        let logged = ["-T", &time, "-l", SAMPLING, &prefix];
        let mut told = self.pgbench(&[&common[..], &logged].concat()).await?;
        for _ in 1..TRIES {
            if tps(&told).is_some() {
                break;
            }
            told = self.pgbench(&[&common[..], &logged].concat()).await?;
        }
        let per_s = tps(&told).ok_or_else(|| format!("pgbench told no rate:\n{told}"))?;
        let samples = self.take_samples()?;
        let pace = samples.pace(Duration::from_secs(1)).ok_or("pgbench wrote no times down")?;
        Ok(Pace { per_s, ..pace })
    }

    async fn pgbench(&self, args: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new(&self.program);
        command.args(args).arg(&self.url).kill_on_drop(true);
        let output = command.output().await?;
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} failed:\n{told}", self.program.display()).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Reads the logs of the last run and removes them.
    fn take_samples(&self) -> Result<Samples, Failure> {
        let mut samples = Samples::default();
        for entry in fs::read_dir(&self.logs)? {
            let path = entry?.path();
            fs::read_to_string(&path)?.lines().filter_map(latency).for_each(|it| samples.add(it));
            fs::remove_file(path)?;
        }
        Ok(samples)
    }
}

fn missing(program: &Path) -> String {
    format!(
        "pgbench is not at {}: it comes with PostgreSQL's server programs (Debian: apt-get install \
         -y postgresql); install it, or leave out the rows `tpcb_1` and `tpcb_32` with --rows",
        program.display()
    )
}

/// pgbench counts in whole seconds, at least one.
fn whole_seconds(time: Duration) -> String {
    (time.as_millis().div_ceil(1_000)).max(1).to_string()
}

/// `tps = 5021.123456 (without initial connection time)`.
fn tps(told: &str) -> Option<f64> {
    let line = told.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The third column: microseconds.
fn latency(line: &str) -> Option<Duration> {
    line.split_whitespace().nth(2)?.parse().ok().map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_understood() {
        let told = "latency average = 6.3 ms\ntps = 5021.5 (without initial connection time)\n";
        assert_eq!(tps(told), Some(5021.5));
        assert_eq!(latency("0 199 2241 0 1175850568 995598"), Some(Duration::from_micros(2241)));
        assert_eq!(whole_seconds(Duration::from_millis(200)), "1");
        assert_eq!(whole_seconds(Duration::from_millis(8_001)), "9");
        assert!(missing(Path::new("/pg/pgbench")).contains("apt-get install -y postgresql"));
    }
}

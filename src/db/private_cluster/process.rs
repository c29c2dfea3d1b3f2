//! Who works in a data folder, and how long to wait for them.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::error::Holder;

/// Carried on the command line of every server this program starts.
pub(super) const MARK: &str = "cluster_name=mizan_private";

/// Time between two looks.
pub(super) const STEP: Duration = Duration::from_millis(20);

/// A bounded wait, counted in steps rather than read from a clock.
#[derive(Debug)]
pub(super) struct Budget(Duration);

impl Budget {
    pub(super) fn of(patience: Duration) -> Self {
        Self(patience)
    }

    /// Waits one step; false when nothing is left.
    pub(super) fn wait(&mut self) -> bool {
        if self.0.is_zero() {
            return false;
        }
        thread::sleep(STEP);
        self.spend(STEP);
        true
    }

    /// Takes off what a slow question cost.
    pub(super) fn spend(&mut self, cost: Duration) {
        self.0 = self.0.saturating_sub(cost);
    }
}

/// What `postmaster.pid` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: i32,
    pub(super) port: u16,
    pub(super) socket_dir: PathBuf,
}

impl PidFile {
    /// Reads the file; none when it is missing or still being written.
    pub(super) fn read(pg: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(pg.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let [pid, _data, _started, port, socket_dir, ..] = lines.as_slice() else { return None };
        let pid = pid.parse().ok().filter(|pid| *pid > 0)?;
        Some(Self { pid, port: port.parse().ok()?, socket_dir: PathBuf::from(socket_dir) })
    }

    pub(super) fn socket_file(&self) -> PathBuf {
        self.socket_dir.join(format!(".s.PGSQL.{}", self.port))
    }
}

/// The server processes at work in `pg`. They have it as their working folder, so a number that
/// another program got later is not mistaken for a server.
pub(super) fn servers_in(pg: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| is_server_in(*pid, pg)).collect()
}

/// Whether `pid` is a PostgreSQL process at work in `pg`.
pub(super) fn is_server_in(pid: i32, pg: &Path) -> bool {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let folder = fs::read_link(format!("/proc/{pid}/cwd"));
    matches!(name.trim(), "postgres" | "postmaster") && folder.is_ok_and(|folder| folder == pg)
}

/// Whether this program started the server.
pub(super) fn bears_our_mark(pid: i32) -> bool {
    command_line(pid).is_some_and(|line| line.contains(MARK))
}

/// Who a number is, for people to read.
pub(super) fn holder(pid: i32) -> Holder {
    Holder { pid: Some(pid), command: command_line(pid) }
}

fn command_line(pid: i32) -> Option<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Sends a signal; a process that is gone already is no error.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid)
        && let Err(error) = kill_process(pid, signal)
    {
        tracing::debug!(pid = pid.as_raw_nonzero().get(), %error, "signal not delivered");
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_read_only_when_it_is_whole() {
        let text = "4711\n/d/pg\n1763728000\n5432\n/d/socket\n\n  5432001   32768\nready   \n";
        let read = PidFile::parse(text).unwrap();
        assert_eq!(read.pid, 4711);
        assert_eq!(read.socket_file(), Path::new("/d/socket/.s.PGSQL.5432"));
        assert_eq!(PidFile::parse("4711\n/d/pg\n1763728000\n"), None);
        assert_eq!(PidFile::parse("-1\n/d/pg\n1\n5432\n/d/socket\n"), None);
        assert_eq!(PidFile::parse(""), None);
    }

    #[test]
    fn a_budget_ends() {
        let mut budget = Budget::of(Duration::from_secs(1));
        budget.spend(Duration::from_secs(3));
        assert!(!budget.wait());
    }
}

//! What can go wrong between a data folder and a running server, with the way out of each.

use std::path::PathBuf;
use std::{fmt, io};

/// Why there is no private PostgreSQL; every text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No usable server programs on this machine.
    #[error(
        "PostgreSQL {needed} is not installed (looked in {}); install it with `{install}`, \
         or set PG_BINDIR to the folder that holds `postgres` and `initdb`",
        list(searched)
    )]
    NotInstalled {
        /// The version that would do, in words.
        needed: String,
        /// Folders that were looked at.
        searched: Vec<PathBuf>,
        /// The exact command that installs it.
        install: String,
    },
    /// `bin_dir` or `$PG_BINDIR` was given and is of no use.
    #[error(
        "{origin}={} does not hold {missing}; point it at a PostgreSQL bin folder",
        dir.display()
    )]
    BadBinDir {
        /// Which setting named the folder.
        origin: &'static str,
        /// The folder.
        dir: PathBuf,
        /// The program or version that is missing.
        missing: String,
    },
    /// Nobody this process may become can reach a folder the server needs.
    #[error(
        "PostgreSQL refuses to run as root, and {} is closed to {}; \
         open its parents with `chmod a+x`, or choose another folder",
        dir.display(), tried.join(", ")
    )]
    Closed {
        /// The folder.
        dir: PathBuf,
        /// The users that were tried.
        tried: Vec<String>,
    },
    /// Another process has the data and no server answers for it.
    #[error(
        "the data in {} are held by {holder}, which does not answer; \
         stop that process, or choose another data folder",
        dir.display()
    )]
    Held {
        /// The data folder.
        dir: PathBuf,
        /// The process that holds it.
        holder: Holder,
    },
    /// `initdb` or the creation of the database did not work.
    #[error("making the database in {} failed: {output}", dir.display())]
    InitFailed {
        /// The data folder.
        dir: PathBuf,
        /// The end of what the program said.
        output: String,
    },
    /// The server ended, or did not answer in time.
    #[error("PostgreSQL in {} {what}; the end of its log:\n{log}", dir.display())]
    NotReady {
        /// The data folder.
        dir: PathBuf,
        /// What happened instead.
        what: String,
        /// The end of the server's log.
        log: String,
    },
    /// A setting that the private cluster decides itself.
    #[error("the setting `{name}` belongs to the private cluster; leave it out")]
    ReservedSetting {
        /// Name of the setting.
        name: String,
    },
    /// A program could not be run.
    #[error(
        "cannot run {} (through `setpriv` of the package util-linux); check that both are there",
        program.display()
    )]
    Run {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The server did not end when asked, and had to be killed.
    #[error(
        "PostgreSQL in {} ignored every request to stop and was killed; \
         the next start recovers its data",
        dir.display()
    )]
    Killed {
        /// The data folder.
        dir: PathBuf,
    },
    /// A file or folder could not be used.
    #[error("cannot {action} {}; check that this user may", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// A process that holds a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its number, where known.
    pub pid: Option<i32>,
    /// Its command line, where readable.
    pub command: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.command) {
            (Some(pid), Some(command)) => write!(f, "process {pid} ({command})"),
            (Some(pid), None) => write!(f, "process {pid}"),
            (None, _) => write!(f, "another process"),
        }
    }
}

fn list(dirs: &[PathBuf]) -> String {
    if dirs.is_empty() {
        return "/usr/lib/postgresql/*/bin".to_owned();
    }
    dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Turns an [`io::Error`] into [`ClusterError::File`] with its story.
pub(super) fn file(
    action: &'static str,
    path: impl Into<PathBuf>,
) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.into();
    move |source| ClusterError::File { action, path, source }
}

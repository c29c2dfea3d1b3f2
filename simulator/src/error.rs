//! Why a simulator could not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::fault::FaultPlanError;

/// Why a simulator could not start or keep its state.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is reachable from other machines.
    #[error("the simulator listens on loopback only, not on {addr}: use 127.0.0.1 or [::1]")]
    NotLoopback {
        /// The address that was asked for.
        addr: SocketAddr,
    },
    /// The port is taken or may not be used.
    #[error("cannot listen on {addr}: choose another port, or 0 for any free one")]
    Bind {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file of the data folder could not be read or written.
    #[error("cannot use the journal file {}", path.display())]
    JournalFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another simulator has the same data folder open.
    #[error("{} is in use by another simulator: stop it or use another folder", path.display())]
    JournalInUse {
        /// The file.
        path: PathBuf,
    },
    /// A line in the middle of the journal cannot be read.
    #[error("line {line} of {} is damaged: restore the file or start a new folder", path.display())]
    JournalDamaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A write to the journal failed: the simulator answers nothing any more.
    #[error("the journal cannot be written: start the simulator again")]
    JournalBroken,
    /// The fault plan cannot be used.
    #[error("the fault plan cannot be used")]
    Faults(#[from] FaultPlanError),
    /// The HTTP client for webhooks could not be made.
    #[error("cannot prepare the HTTP client that sends webhooks")]
    Client(#[from] reqwest::Error),
}

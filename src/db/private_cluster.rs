//! The PostgreSQL that comes with Mizan: found, made, started, attached to and stopped here.
//!
//! A data folder has at most one owner: the process that holds its lock starts the server and
//! stops it. Everybody else attaches. The server listens on a socket in a private folder and
//! nowhere else, so the folder's permissions are the door and no password is needed.
//!
//! The server never outlives its owner, not even when that is killed: the kernel tells it
//! (`setpriv --pdeathsig`). The kernel means the *thread* that started a process, so a thread of
//! its own starts the server and waits as long as the [`PrivateCluster`] lives. A cluster may
//! therefore be started from any thread, also from a test's or a static's. The same thread looks
//! after the server: one that dies by itself is started again at the same address.
//!
//! Everything here blocks and belongs outside the async runtime.

mod binaries;
mod error;
mod identity;
mod init;
mod kept;
mod layout;
mod probe;
mod process;
mod server;
mod store;
mod tuning;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

pub use error::{ClusterError, Holder};
use kept::KeptServer;
use layout::Layout;
use process::Budget;

/// The server's superuser.
pub const SUPERUSER: &str = "mizan";

/// The database that exists from the start.
pub const DATABASE: &str = "mizan";

/// Enough for another process to make a cluster on a slow disk, or to write a last checkpoint.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether the server still runs.
const LOOK_AFTER: Duration = Duration::from_millis(500);

/// What a power cut may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Nothing that was committed: `fsync` is on. The only choice for money.
    #[default]
    Durable,
    /// Everything. For tests whose data nobody will miss.
    Throwaway,
}

/// What to start, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterOptions {
    /// The folder for everything of this cluster; made where missing, belongs to the server's
    /// user afterwards.
    pub data_dir: PathBuf,
    /// Where `postgres` and `initdb` are, when they should not be searched for.
    pub bin_dir: Option<PathBuf>,
    /// What a power cut may cost.
    pub durability: Durability,
    /// How long to wait while another process makes, starts or stops the cluster.
    pub patience: Duration,
    /// Further server settings, such as `("shared_buffers", "256MB")`. Those that keep the data
    /// safe or the door closed are refused.
    pub settings: Vec<(String, String)>,
}

impl ClusterOptions {
    /// A durable cluster in `data_dir` with programs that are searched for.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            durability: Durability::Durable,
            patience: PATIENCE,
            settings: Vec::new(),
        }
    }

    /// A cluster for tests.
    pub fn throwaway(data_dir: impl Into<PathBuf>) -> Self {
        Self { durability: Durability::Throwaway, ..Self::new(data_dir) }
    }
}

/// A PostgreSQL that answers. Dropping it stops the server if this process started it.
#[derive(Debug)]
pub struct PrivateCluster {
    data_dir: PathBuf,
    socket_dir: PathBuf,
    port: u16,
    hold: Hold,
}

/// Whose the server is.
#[derive(Debug)]
enum Hold {
    /// Ours: the lock and the thread that is the server's parent stay until the server ended.
    Owned { server: Arc<KeptServer>, lock: File, keeper: Option<Sender<()>> },
    /// Somebody else's.
    Attached,
}

impl PrivateCluster {
    /// Starts the cluster of a folder, making it first where there is none; or attaches to it
    /// when another process runs it already. Returns when `SELECT 1` is answered.
    ///
    /// # Errors
    /// See [`ClusterError`]; each says what to do.
    pub fn start_or_attach(options: ClusterOptions) -> Result<Self, ClusterError> {
        let (answer, answered) = mpsc::channel();
        let (keeper, released) = mpsc::channel();
        let data_dir = options.data_dir.clone();
        let parent = move || keep(&options, &answer, keeper, &released);
        thread::Builder::new()
            .name("postgres-parent".to_owned())
            .spawn(parent)
            .map_err(error::file("start a thread for", &data_dir))?;
        answered.recv().unwrap_or_else(|_| {
            let what = "was never started: its thread ended".to_owned();
            Err(ClusterError::NotReady { dir: data_dir, what, log: String::new() })
        })
    }

    /// The address of the database `mizan`, for sqlx and for libpq (`psql <url>`).
    pub fn url(&self) -> String {
        self.url_for(DATABASE)
    }

    /// The address of another database of the same server; it need not exist yet.
    pub fn url_for(&self, database: &str) -> String {
        let host = percent_encoded(&self.socket_dir.to_string_lossy());
        let database = percent_encoded(database);
        format!("postgres://{SUPERUSER}@{host}:{}/{database}", self.port)
    }

    /// Whether somebody else owns the server.
    pub fn attached(&self) -> bool {
        matches!(self.hold, Hold::Attached)
    }

    /// The folder, by its true name.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Stops the server if this process owns it: open transactions are rolled back, everything
    /// committed is on disk. Close pools first, for their connections end here.
    ///
    /// # Errors
    /// [`ClusterError::Killed`] when it took force; the data are safe all the same.
    pub fn stop(mut self) -> Result<(), ClusterError> {
        self.shut_down()
    }

    fn shut_down(&mut self) -> Result<(), ClusterError> {
        let Hold::Owned { server, lock, keeper } =
            std::mem::replace(&mut self.hold, Hold::Attached)
        else {
            return Ok(());
        };
        let stopped = server.end();
        // The order matters: the next owner may come in only when the server is gone.
        if !self.socket_dir.starts_with(&self.data_dir) {
            // Empty now; the next start makes another if this one does not go.
            let _removed = std::fs::remove_dir(&self.socket_dir);
        }
        drop(lock);
        drop(keeper);
        stopped
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        if let Err(error) = self.shut_down() {
            tracing::warn!(%error, "private PostgreSQL");
        }
    }
}

/// The life of the thread that is the server's parent.
fn keep(
    options: &ClusterOptions,
    answer: &Sender<Result<PrivateCluster, ClusterError>>,
    keeper: Sender<()>,
    released: &Receiver<()>,
) {
    let mut outcome = establish(options);
    let mut kept = None;
    if let Ok(PrivateCluster { hold: Hold::Owned { keeper: slot, server, .. }, .. }) = &mut outcome
    {
        *slot = Some(keeper);
        kept = Some(Arc::clone(server));
    } else {
        drop(keeper);
    }
    if answer.send(outcome).is_err() {
        return;
    }
    let Some(kept) = kept else { return };
    // Ends when the other half is dropped, that is after the server stopped.
    while let Err(RecvTimeoutError::Timeout) = released.recv_timeout(LOOK_AFTER) {
        kept.revive();
    }
}

fn establish(options: &ClusterOptions) -> Result<PrivateCluster, ClusterError> {
    server::check_settings(&options.settings)?;
    let layout = Layout::open(&options.data_dir)?;
    let lock = layout.lock_file()?;
    let mut budget = Budget::of(options.patience);
    loop {
        match lock.try_lock() {
            Ok(()) => return own(options, &layout, lock),
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(source)) => {
                return Err(error::file("lock", layout.root())(source));
            }
        }
        if let Some(cluster) = attach(&layout, &mut budget) {
            return Ok(cluster);
        }
        if !budget.wait() {
            let holder = server::holder_of(&layout);
            return Err(ClusterError::Held { dir: layout.root().to_path_buf(), holder });
        }
    }
}

/// Attaches if a server answers for the folder now.
fn attach(layout: &Layout, budget: &mut Budget) -> Option<PrivateCluster> {
    let pid_file = process::PidFile::read(&layout.pg())?;
    match probe::ask(&pid_file.socket_file(), SUPERUSER, DATABASE) {
        probe::Answer::Ready => Some(PrivateCluster {
            data_dir: layout.root().to_path_buf(),
            socket_dir: pid_file.socket_dir,
            port: pid_file.port,
            hold: Hold::Attached,
        }),
        probe::Answer::Mute => {
            budget.spend(probe::PATIENCE);
            None
        }
        probe::Answer::Refused(_) | probe::Answer::Absent => None,
    }
}

/// With the lock in hand: whatever still runs is nobody's.
fn own(
    options: &ClusterOptions,
    layout: &Layout,
    lock: File,
) -> Result<PrivateCluster, ClusterError> {
    server::sign(&lock, layout)?;
    if let Some(foreign) = settle(options, layout)? {
        return Ok(foreign);
    }
    let (binaries, identity) = init::ensure(options, layout)?;
    let socket_dir = layout.socket_dir(&identity)?;
    let means = (binaries, identity);
    let kept = KeptServer::start(options.clone(), layout.clone(), means, socket_dir.clone())?;
    Ok(PrivateCluster {
        data_dir: layout.root().to_path_buf(),
        socket_dir,
        port: layout::PORT,
        hold: Hold::Owned { server: Arc::new(kept), lock, keeper: None },
    })
}

/// Clears the folder of servers without an owner. One that a person started by hand is theirs:
/// it is attached to. One of ours whose owner died is told to end, and waited for.
fn settle(
    options: &ClusterOptions,
    layout: &Layout,
) -> Result<Option<PrivateCluster>, ClusterError> {
    let pg = layout.pg();
    let mut budget = Budget::of(options.patience);
    let mut told = None;
    loop {
        let Some(pid) = server::at_work(&pg) else {
            server::forget_stale(&pg)?;
            return Ok(None);
        };
        if !process::bears_our_mark(pid) {
            if let Some(foreign) = attach(layout, &mut budget) {
                return Ok(Some(foreign));
            }
        } else if told != Some(pid) {
            process::signal(pid, Signal::INT);
            told = Some(pid);
        }
        if !budget.wait() {
            let dir = layout.root().to_path_buf();
            return Err(ClusterError::Held { dir, holder: process::holder(pid) });
        }
    }
}

/// Everything but plain letters, digits and `-._~` is written as its bytes.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

//! The folder of a private cluster: what lies where, and who may enter.
//!
//! ```text
//! <data_dir>/         0700, the server's user
//!   lock              held by the process that owns the server, with its number inside
//!   pg/               PostgreSQL's own folder; appears whole, by a rename
//!   pg.partial-…      what a start that was killed left behind; removed by the next
//!   socket/           0700; the only door
//!   socket.path       where the door is when `socket/` would be too long a path
//!   server.log        what the server says, and server.log.1 before it
//! ```

use std::collections::hash_map::RandomState;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::BuildHasher;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::{ClusterError, file};
use super::identity::{self, Identity};

/// The port names the socket's file; nothing listens on the network.
pub(super) const PORT: u16 = 5432;

/// The kernel's room for a socket's path, without the closing zero.
const SOCKET_PATH_MAX_BYTES: usize = 107;

/// A longer log is set aside at the next start.
const LOG_MAX_BYTES: u64 = 8 * 1024 * 1024;

/// As much of the log as an error shows.
const TAIL_MAX_BYTES: u64 = 2 * 1024;

/// A data folder that exists, by its true name.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
    ours: bool,
}

impl Layout {
    /// Makes the folder where it is missing.
    ///
    /// # Errors
    /// [`ClusterError::File`] when it cannot be made or read.
    pub(super) fn open(data_dir: &Path) -> Result<Self, ClusterError> {
        fs::create_dir_all(data_dir).map_err(file("make the folder", data_dir))?;
        let root = fs::canonicalize(data_dir).map_err(file("resolve", data_dir))?;
        let mut entries = fs::read_dir(&root).map_err(file("list", &root))?;
        let ours = root.join("lock").exists() || entries.next().is_none();
        Ok(Self { root, ours })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn pg(&self) -> PathBuf {
        self.root.join("pg")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }

    pub(super) fn is_initialised(&self) -> bool {
        self.pg().join("PG_VERSION").is_file()
    }

    /// The folder whose way must be open to the server: a folder of our own is given to it, a
    /// folder that holds other things as well stays as it is.
    pub(super) fn way(&self) -> &Path {
        match self.root.parent() {
            Some(parent) if self.ours => parent,
            _ => &self.root,
        }
    }

    /// Opens the lock file; locking it is the caller's business.
    pub(super) fn lock_file(&self) -> Result<File, ClusterError> {
        let path = self.root.join("lock");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        options.open(&path).map_err(file("open", path))
    }

    /// Hands the folder, and what is in it, to the server's user.
    pub(super) fn give_to(&self, identity: &Identity) -> Result<(), ClusterError> {
        let owner = identity.owner();
        if self.ours {
            give_folder(&self.root, owner)?;
        }
        let pg = self.pg();
        if identity::owner_of(&pg).is_some_and(|current| current.0 != owner.0) {
            identity::give(&pg, owner)?;
        }
        Ok(())
    }

    /// A new, empty, private folder for `initdb`, after clearing away unfinished ones.
    pub(super) fn partial(&self, identity: &Identity) -> Result<PathBuf, ClusterError> {
        let entries = fs::read_dir(&self.root).map_err(file("list", &self.root))?;
        for entry in entries.filter_map(Result::ok) {
            if entry.file_name().as_bytes().starts_with(b"pg.partial-") {
                let path = entry.path();
                fs::remove_dir_all(&path).map_err(file("remove", path))?;
            }
        }
        let path = self.root.join(format!("pg.partial-{}", nonce()));
        make_private(&path).map_err(file("make the folder", &path))?;
        give_folder(&path, identity.owner())?;
        Ok(path)
    }

    /// Puts a finished folder in its place; the rename is what makes the data exist.
    pub(super) fn adopt(&self, partial: &Path) -> Result<(), ClusterError> {
        let pg = self.pg();
        fs::rename(partial, &pg).map_err(file("put in place", &pg))?;
        let root = File::open(&self.root).map_err(file("open", &self.root))?;
        root.sync_all().map_err(file("sync", &self.root))
    }

    /// The private folder for the server's socket.
    pub(super) fn socket_dir(&self, identity: &Identity) -> Result<PathBuf, ClusterError> {
        let own = self.root.join("socket");
        if fits(&own) {
            if !own.exists() {
                make_private(&own).map_err(file("make the folder", &own))?;
            }
            give_folder(&own, identity.owner())?;
            return Ok(own);
        }
        self.short_socket_dir(identity)
    }

    /// A short path elsewhere, remembered here; a folder that somebody else could have made in
    /// its place is not trusted.
    fn short_socket_dir(&self, identity: &Identity) -> Result<PathBuf, ClusterError> {
        let record = self.root.join("socket.path");
        if let Ok(path) = fs::read_to_string(&record).map(PathBuf::from)
            && is_private(&path, identity.owner().0)
        {
            return Ok(path);
        }
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let runtime =
            runtime.filter(|dir| dir.is_dir() && matches!(identity, Identity::Own { .. }));
        let folder = format!("mizan-{}", nonce());
        let path = runtime.into_iter().map(|base| base.join(&folder)).find(|path| fits(path));
        let path = path.unwrap_or_else(|| Path::new("/tmp").join(&folder));
        make_private(&path).map_err(file("make the folder", &path))?;
        give_folder(&path, identity.owner())?;
        fs::write(&record, path.as_os_str().as_bytes()).map_err(file("write", record))?;
        Ok(path)
    }

    /// Opens the log for a new run and tells where that run begins in it.
    pub(super) fn open_log(&self) -> Result<(File, u64), ClusterError> {
        let path = self.log();
        if fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_MAX_BYTES) {
            fs::rename(&path, path.with_extension("log.1")).map_err(file("set aside", &path))?;
        }
        let mut options = OpenOptions::new();
        let log = options.create(true).append(true).open(&path).map_err(file("open", &path))?;
        let start = log.metadata().map_err(file("look at", &path))?.len();
        Ok((log, start))
    }

    /// The end of the log since `start`.
    pub(super) fn log_tail(&self, start: u64) -> String {
        tail(&self.log(), start).unwrap_or_else(|error| format!("(no log: {error})"))
    }
}

fn tail(path: &Path, start: u64) -> io::Result<String> {
    let mut log = File::open(path)?;
    let end = log.metadata()?.len();
    log.seek(SeekFrom::Start(start.max(end.saturating_sub(TAIL_MAX_BYTES))))?;
    let mut bytes = Vec::new();
    log.take(TAIL_MAX_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    Ok(if text.is_empty() { "(it said nothing)".to_owned() } else { text })
}

/// The socket's file in a folder.
pub(super) fn socket_file(dir: &Path) -> PathBuf {
    dir.join(format!(".s.PGSQL.{PORT}"))
}

/// A path for a socket must be short, and text, for it becomes part of an address.
fn fits(dir: &Path) -> bool {
    socket_file(dir).as_os_str().len() <= SOCKET_PATH_MAX_BYTES && dir.to_str().is_some()
}

fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

fn give_folder(path: &Path, (uid, gid): (u32, u32)) -> Result<(), ClusterError> {
    let meta = fs::symlink_metadata(path).map_err(file("look at", path))?;
    if (meta.uid(), meta.gid()) != (uid, gid) {
        std::os::unix::fs::lchown(path, Some(uid), Some(gid))
            .map_err(file("change the owner of", path))?;
    }
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(path, private).map_err(file("close", path))
}

fn is_private(path: &Path, uid: u32) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|meta| meta.is_dir() && meta.uid() == uid && meta.mode() & 0o777 == 0o700)
}

/// Sixteen characters that nobody guesses; `RandomState` is seeded by the system.
fn nonce() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_path_of_107_bytes_fits_and_one_more_does_not() {
        let dir = |length: usize| PathBuf::from(format!("/{}", "d".repeat(length - 1)));
        assert!(fits(&dir(SOCKET_PATH_MAX_BYTES - "/.s.PGSQL.5432".len())));
        assert!(!fits(&dir(SOCKET_PATH_MAX_BYTES - "/.s.PGSQL.5432".len() + 1)));
    }
}

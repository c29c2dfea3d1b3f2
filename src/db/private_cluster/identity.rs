//! Decides as whom the server runs, for PostgreSQL refuses root.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{ClusterError, file};

/// An account of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// As whom the server's programs run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    /// As the ordinary user who started us.
    Own { uid: u32, gid: u32 },
    /// We are root and drop to this account.
    Account(Account),
    /// We stay who we are outside, but inside a user namespace the server sees itself as this
    /// account. So root's server reaches folders that are open to root alone, without root's
    /// powers.
    Namespace(Account),
}

impl Identity {
    /// Chooses an identity that can reach `folders`; the last of them is to belong to the server.
    ///
    /// Root's candidates, in order: whoever owns the data already, `postgres`, `nobody`, the
    /// owner of the folder that is in the way (`sudo` in somebody's home), a user namespace.
    ///
    /// # Errors
    /// [`ClusterError::Closed`] when none of them reaches every folder.
    pub(super) fn choose(folders: &[&Path], data: &Path) -> Result<Self, ClusterError> {
        let (uid, gid) = own_ids();
        if uid != 0 {
            return Ok(ordinary(uid, gid, folders));
        }
        let candidates = candidates(folders, owner_of(data));
        for candidate in &candidates {
            if folders.iter().all(|folder| candidate.reaches(folder)) {
                return Ok(candidate.clone());
            }
        }
        let tried: Vec<String> = candidates.iter().map(Identity::describe).collect();
        let blocked = |folder: &&&Path| !candidates.iter().any(|who| who.reaches(folder));
        let dir = folders.iter().find(blocked).or(folders.last()).map(|dir| dir.to_path_buf());
        Err(ClusterError::Closed { dir: dir.unwrap_or_default(), tried })
    }

    /// User and group, as seen from outside, that must own the server's files.
    pub(super) fn owner(&self) -> (u32, u32) {
        match self {
            Self::Own { uid, gid } => (*uid, *gid),
            Self::Account(account) => (account.uid, account.gid),
            Self::Namespace(_) => own_ids(),
        }
    }

    /// A command that runs `program` under this identity, with a bare environment: the server
    /// must not pick up `PGDATA` and its like, nor carry our secrets in its own environment.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = match self {
            Self::Own { .. } => Command::new(program),
            Self::Account(account) => {
                let mut command = Command::new(program);
                command.uid(account.uid).gid(account.gid);
                command
            }
            Self::Namespace(account) => {
                let mut command = Command::new("unshare");
                command
                    .arg("--user")
                    .arg(format!("--map-user={}", account.uid))
                    .arg(format!("--map-group={}", account.gid))
                    .arg("--")
                    .arg(program);
                command
            }
        };
        command.env_clear().current_dir("/").stdin(Stdio::null());
        command.env("LC_ALL", "C").env("TZ", "UTC");
        for name in ["PATH", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// As [`Self::command`], but the program dies with the thread that starts it.
    ///
    /// `setpriv` asks the kernel for SIGINT (PostgreSQL's fast shutdown) on the parent's death
    /// and keeps its process number through every `exec`. It comes after the change of user,
    /// which would erase the wish. The shell closes the last gap: had the parent died before the
    /// wish was made, the process would have another parent by now, and stops.
    pub(super) fn mortal_command(&self, program: &Path, args: &[OsString]) -> Command {
        const IF_PARENT_LIVES: &str = r#"[ "$PPID" = "$1" ] || exit 1; shift; exec "$@""#;
        let mut command = self.command(Path::new("setpriv"));
        command.args(["--pdeathsig", "INT", "--", "/bin/sh", "-c", IF_PARENT_LIVES, "sh"]);
        command.arg(std::process::id().to_string()).arg(program).args(args);
        command
    }

    fn reaches(&self, folder: &Path) -> bool {
        let mut command = self.command(Path::new("/bin/sh"));
        command.args([OsStr::new("-c"), OsStr::new(r#"test -x "$1""#), OsStr::new("sh")]);
        command.arg(folder).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn describe(&self) -> String {
        match self {
            Self::Own { uid, .. } => format!("user {uid}"),
            Self::Account(account) => format!("user `{}`", account.name),
            Self::Namespace(account) => format!("a user namespace as `{}`", account.name),
        }
    }
}

/// Our own effective user and group.
pub(super) fn own_ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// The user and group of a path, if it exists.
pub(super) fn owner_of(path: &Path) -> Option<(u32, u32)> {
    fs::symlink_metadata(path).ok().map(|meta| (meta.uid(), meta.gid()))
}

/// Gives `path` and all below it to the server; links are given, never followed.
pub(super) fn give(path: &Path, (uid, gid): (u32, u32)) -> Result<(), ClusterError> {
    let mut pending: Vec<PathBuf> = vec![path.to_path_buf()];
    while let Some(path) = pending.pop() {
        let meta = fs::symlink_metadata(&path).map_err(file("look at", &path))?;
        if (meta.uid(), meta.gid()) != (uid, gid) {
            std::os::unix::fs::lchown(&path, Some(uid), Some(gid))
                .map_err(file("change the owner of", &path))?;
        }
        if meta.is_dir() {
            for entry in fs::read_dir(&path).map_err(file("list", &path))? {
                pending.push(entry.map_err(file("list", &path))?.path());
            }
        }
    }
    Ok(())
}

/// An ordinary user is itself. A number without a name (containers give them out) is refused by
/// PostgreSQL, so it borrows a name in a namespace where the system lets it.
fn ordinary(uid: u32, gid: u32, folders: &[&Path]) -> Identity {
    let nameless = account_named(&uid.to_string()).is_none();
    account_named("nobody")
        .filter(|_| nameless)
        .map(Identity::Namespace)
        .filter(|borrowed| folders.iter().all(|folder| borrowed.reaches(folder)))
        .unwrap_or(Identity::Own { uid, gid })
}

fn candidates(folders: &[&Path], data_owner: Option<(u32, u32)>) -> Vec<Identity> {
    let service = ["postgres", "nobody"].into_iter().filter_map(account_named);
    let service: Vec<Account> = service.collect();
    let mut all: Vec<Identity> = service.iter().cloned().map(Identity::Account).collect();
    all.extend(closing_owners(folders).into_iter().map(Identity::Account));
    if let Some(account) = service.first() {
        all.push(Identity::Namespace(account.clone()));
    }
    if let Some((uid, _)) = data_owner {
        // Whoever made the data keeps them, so that nothing has to change hands.
        all.sort_by_key(|identity| identity.owner().0 != uid);
    }
    all
}

/// Ordinary users who own a folder on the way that others may not pass.
fn closing_owners(folders: &[&Path]) -> Vec<Account> {
    let mut owners = Vec::new();
    for ancestor in folders.iter().flat_map(|folder| folder.ancestors()) {
        let Ok(meta) = fs::metadata(ancestor) else { continue };
        if meta.uid() != 0 && meta.mode() & 0o001 == 0 {
            let account = account_named(&meta.uid().to_string());
            owners.extend(account.filter(|account| !owners.contains(account)));
        }
    }
    owners
}

/// Looks an account up by name or number through the system's name service.
pub(super) fn account_named(name: &str) -> Option<Account> {
    let output = Command::new("getent").args(["passwd", name]).output().ok()?;
    parse_account(&String::from_utf8_lossy(&output.stdout))
}

fn parse_account(line: &str) -> Option<Account> {
    let mut fields = line.trim().split(':');
    let name = fields.next().filter(|name| !name.is_empty())?.to_owned();
    let uid = fields.nth(1)?.parse().ok().filter(|uid| *uid != 0)?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name, uid, gid })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn an_account_line_is_read_and_root_is_never_an_account_to_drop_to() {
        let account = parse_account("postgres:x:101:104:PostgreSQL:/var/lib:/bin/bash\n").unwrap();
        assert_eq!((account.name.as_str(), account.uid, account.gid), ("postgres", 101, 104));
        assert_eq!(parse_account("root:x:0:0:root:/root:/bin/bash"), None);
        assert_eq!(parse_account(""), None);
    }
}

//! Finds the PostgreSQL programs that fit the data.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::ClusterError;

/// The oldest major version whose features the migrations use.
pub(super) const OLDEST_MAJOR: u32 = 15;

/// Where Debian and Ubuntu put each major version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";

/// A folder with the programs of one major version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) dir: PathBuf,
    pub(super) major: u32,
}

/// Where to look; read from the environment once, so that the search itself is a pure function
/// of the file system.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// A folder somebody named, with the setting that named it; nothing else is tried then.
    pub(super) named: Option<(&'static str, PathBuf)>,
    /// Other folders, best first.
    pub(super) folders: Vec<PathBuf>,
    /// Whether the install command needs `sudo`.
    pub(super) as_root: bool,
}

impl Search {
    /// The order of the handbook: named, `pg_config --bindir`, then Debian's folders.
    pub(super) fn from_environment(bin_dir: Option<&Path>, as_root: bool) -> Self {
        let named = bin_dir
            .map(|dir| ("bin_dir", dir.to_path_buf()))
            .or_else(|| env::var_os("PG_BINDIR").map(|dir| ("PG_BINDIR", PathBuf::from(dir))));
        let mut folders: Vec<PathBuf> = pg_config_bindir().into_iter().collect();
        folders.extend(version_folders(Path::new(DEBIAN_ROOT)));
        Self { named, folders, as_root }
    }

    /// The programs for data of `data_major`, or the newest that will do for new data.
    pub(super) fn find(&self, data_major: Option<u32>) -> Result<Binaries, ClusterError> {
        if let Some((origin, dir)) = &self.named {
            return named(origin, dir, data_major);
        }
        let mut found: Vec<Binaries> = self.folders.iter().filter_map(|dir| inspect(dir)).collect();
        match data_major {
            Some(major) => found.retain(|binaries| binaries.major == major),
            None => found.retain(|binaries| binaries.major >= OLDEST_MAJOR),
        }
        // The sort is stable: of two folders with one version the earlier wins.
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        found.into_iter().next().ok_or_else(|| self.missing(data_major))
    }

    fn missing(&self, data_major: Option<u32>) -> ClusterError {
        let sudo = if self.as_root { "" } else { "sudo " };
        let (needed, package) = match data_major {
            Some(major) => (
                format!("{major} (the version that wrote these data)"),
                format!("postgresql-{major}"),
            ),
            None => (format!("{OLDEST_MAJOR} or newer"), "postgresql".to_owned()),
        };
        ClusterError::NotInstalled {
            needed,
            searched: self.folders.clone(),
            install: format!("{sudo}apt-get install -y {package}"),
        }
    }
}

fn named(
    origin: &'static str,
    dir: &Path,
    data_major: Option<u32>,
) -> Result<Binaries, ClusterError> {
    let bad = |missing: String| ClusterError::BadBinDir { origin, dir: dir.to_path_buf(), missing };
    let binaries =
        inspect(dir).ok_or_else(|| bad("working `postgres` and `initdb` programs".to_owned()))?;
    match data_major {
        Some(major) if binaries.major != major => {
            Err(bad(format!("version {major}, which wrote these data, but {}", binaries.major)))
        }
        None if binaries.major < OLDEST_MAJOR => {
            Err(bad(format!("version {OLDEST_MAJOR} or newer, but {}", binaries.major)))
        }
        _ => Ok(binaries),
    }
}

fn inspect(dir: &Path) -> Option<Binaries> {
    let dir = fs::canonicalize(dir).ok()?;
    if !dir.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let major = major_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { dir, major })
}

/// Reads `postgres (PostgreSQL) 15.14 (Debian …)`, `17beta1` and `PG_VERSION`'s plain `15`.
pub(super) fn major_version(text: &str) -> Option<u32> {
    let word = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let digits: String = word?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn pg_config_bindir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let dir = text.trim();
    (output.status.success() && !dir.is_empty()).then(|| PathBuf::from(dir))
}

fn version_folders(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| major_version(&entry.file_name().to_string_lossy()).is_some())
        .map(|entry| entry.path().join(OsStr::new("bin")))
        .collect();
    folders.sort();
    folders
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_every_form_it_comes_in() {
        assert_eq!(major_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), Some(15));
        assert_eq!(major_version("postgres (PostgreSQL) 19beta2"), Some(19));
        assert_eq!(major_version("16\n"), Some(16));
        assert_eq!(major_version("postgres (PostgreSQL)"), None);
        assert_eq!(major_version(""), None);
    }

    #[test]
    fn without_programs_the_error_holds_the_exact_command() {
        let text = |as_root, major| {
            let search = Search { named: None, folders: vec!["/nowhere".into()], as_root };
            search.find(major).unwrap_err().to_string()
        };
        assert_eq!(
            text(true, None),
            "PostgreSQL 15 or newer is not installed (looked in /nowhere); install it with \
             `apt-get install -y postgresql`, or set PG_BINDIR to the folder that holds \
             `postgres` and `initdb`"
        );
        assert!(text(false, None).contains("`sudo apt-get install -y postgresql`"));
        assert!(text(false, Some(16)).contains("`sudo apt-get install -y postgresql-16`"));
    }

    #[test]
    fn a_named_folder_without_a_server_is_refused_and_nothing_else_is_tried() {
        let named = Some(("PG_BINDIR", PathBuf::from("/nowhere")));
        let search = Search { named, ..Search::from_environment(None, true) };
        let text = search.find(None).unwrap_err().to_string();
        assert!(text.starts_with("PG_BINDIR=/nowhere does not hold working `postgres`"), "{text}");
    }
}

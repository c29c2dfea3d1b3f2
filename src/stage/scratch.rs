//! A folder for one run, removed at its end; what a killed run left is removed by the next.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rand::TryRngCore;
use rand::rngs::OsRng;

const PREFIX: &str = "mizan-scratch-";

/// An empty folder that only this user may enter.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes one in the system's folder for temporary files.
    pub fn make() -> io::Result<Self> {
        Self::make_in(&std::env::temp_dir())
    }

    /// Makes one in another folder, for instance on another disk.
    pub fn make_in(parent: &Path) -> io::Result<Self> {
        remove_leftovers(parent);
        let chance = OsRng.try_next_u64().map_err(io::Error::other)?;
        let path = parent.join(format!("{PREFIX}{}-{chance:016x}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next run.
        let _removed = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of processes that are gone.
fn remove_leftovers(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(process_of);
        if process.is_some_and(has_ended) {
            // Another user's is not ours to remove.
            let _removed = fs::remove_dir_all(entry.path());
        }
    }
}

/// A process that ended has no program any more, also while nobody has asked for its exit code.
fn has_ended(process: &str) -> bool {
    let program = fs::read_link(Path::new("/proc").join(process).join("exe"));
    program.is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn process_of(name: &str) -> Option<&str> {
    let (process, chance) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let digits = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
    (digits && chance.len() == 16).then_some(process)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_scratch_folder_goes_with_its_owner() {
        let scratch = Scratch::make().unwrap();
        let path = scratch.path().to_owned();
        assert!(path.is_dir());
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn a_process_that_runs_is_left_its_folder() {
        assert!(!has_ended(&std::process::id().to_string()));
        assert!(has_ended("0"));
    }

    #[test]
    fn only_our_own_names_are_taken_for_leftovers() {
        assert_eq!(process_of("mizan-scratch-17-0123456789abcdef"), Some("17"));
        for name in ["mizan-scratch-x-0123456789abcdef", "mizan-scratch-17", "other-17-0"] {
            assert_eq!(process_of(name), None);
        }
    }
}

//! Starts the server, waits until it answers, and ends it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::Signal;

use super::binaries::Binaries;
use super::error::{ClusterError, Holder, file};
use super::identity::Identity;
use super::layout::{self, Layout};
use super::probe::{self, Answer};
use super::process::{self, Budget, MARK, PidFile};
use super::{ClusterOptions, DATABASE, Durability, SUPERUSER, tuning};

/// A start after a crash replays what the last checkpoint did not cover.
const START_PATIENCE: Duration = Duration::from_secs(300);

/// A fast shutdown writes a checkpoint; an immediate one only has to leave.
const FAST_PATIENCE: Duration = Duration::from_secs(60);
const IMMEDIATE_PATIENCE: Duration = Duration::from_secs(10);

/// Settings that guard the data or the door; options may not touch them.
const RESERVED: [&str; 22] = [
    "archive_cleanup_command",
    "archive_command",
    "cluster_name",
    "config_file",
    "data_directory",
    "external_pid_file",
    "fsync",
    "full_page_writes",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "log_timezone",
    "logging_collector",
    "port",
    "restore_command",
    "shared_preload_libraries",
    "ssl",
    "synchronous_commit",
    "timezone",
    "unix_socket_directories",
    "unix_socket_group",
    "unix_socket_permissions",
];

/// # Errors
/// [`ClusterError::ReservedSetting`] for the first that is not the caller's to choose.
pub(super) fn check_settings(settings: &[(String, String)]) -> Result<(), ClusterError> {
    let plain = |name: &str| {
        let ok = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        !name.is_empty() && name.chars().all(ok)
    };
    match settings.iter().find(|(name, _)| !plain(name) || RESERVED.contains(&name.as_str())) {
        Some((name, _)) => Err(ClusterError::ReservedSetting { name: name.clone() }),
        None => Ok(()),
    }
}

/// Starts the server and returns when `SELECT 1` is answered.
///
/// # Errors
/// [`ClusterError::NotReady`] with the end of the log; nothing is left running then.
pub(super) fn start(
    options: &ClusterOptions,
    layout: &Layout,
    binaries: &Binaries,
    identity: &Identity,
    socket_dir: &Path,
) -> Result<Child, ClusterError> {
    let (log, log_start) = layout.open_log()?;
    let same_log = log.try_clone().map_err(file("share", layout.log()))?;
    let program = binaries.dir.join("postgres");
    let mut command = identity.mortal_command(&program, &arguments(options, layout, socket_dir));
    // A group of its own: Ctrl-C in a terminal is for us, and the server goes last.
    command.stdout(log).stderr(same_log).process_group(0);
    let mut child =
        command.spawn().map_err(|source| ClusterError::Run { program: program.clone(), source })?;

    match wait_until_ready(&mut child, &layout::socket_file(socket_dir)) {
        Ok(()) => Ok(child),
        Err(what) => {
            let log = layout.log_tail(log_start);
            end(&mut child, layout.root())?;
            Err(ClusterError::NotReady { dir: layout.root().to_path_buf(), what, log })
        }
    }
}

fn arguments(options: &ClusterOptions, layout: &Layout, socket_dir: &Path) -> Vec<OsString> {
    let mut settings = vec![
        MARK.to_owned(),
        "listen_addresses=".to_owned(),
        format!("unix_socket_directories={}", quoted(&socket_dir.to_string_lossy())),
        "unix_socket_permissions=0700".to_owned(),
        format!("port={}", layout::PORT),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        "log_checkpoints=off".to_owned(),
    ];
    let durable = match options.durability {
        Durability::Durable => "on",
        Durability::Throwaway => "off",
    };
    let durable_settings = ["fsync", "full_page_writes", "synchronous_commit"];
    settings.extend(durable_settings.map(|name| format!("{name}={durable}")));
    if options.durability == Durability::Durable {
        settings.extend(tuning::settings().map(|(name, value)| format!("{name}={value}")));
    }
    settings.extend(options.settings.iter().map(|(name, value)| format!("{name}={value}")));

    let mut args: Vec<OsString> = vec!["-D".into(), layout.pg().into()];
    for setting in settings {
        args.extend(["-c".into(), setting.into()]);
    }
    args
}

/// The setting is a list; in quotes a comma is part of a name.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('"', "\"\""))
}

fn wait_until_ready(child: &mut Child, socket: &Path) -> Result<(), String> {
    let mut budget = Budget::of(START_PATIENCE);
    loop {
        match child.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) => return Err(format!("stopped right away ({status})")),
            Err(error) => return Err(format!("cannot be watched ({error})")),
        }
        let answer = probe::ask(socket, SUPERUSER, DATABASE);
        match &answer {
            Answer::Ready => return Ok(()),
            // 57P03: starting up. Anything else it says will not change by waiting.
            Answer::Refused(code) if code != "57P03" => return Err(format!("refuses ({code})")),
            Answer::Mute => budget.spend(probe::PATIENCE),
            Answer::Refused(_) | Answer::Absent => {}
        }
        if !budget.wait() {
            return Err(format!("is not ready after {START_PATIENCE:?} ({answer:?})"));
        }
    }
}

/// Ends a server of ours: politely, then firmly, then by force. Bounded at each step.
///
/// # Errors
/// [`ClusterError::Killed`] when force was needed.
pub(super) fn end(child: &mut Child, data_dir: &Path) -> Result<(), ClusterError> {
    let steps = [(Signal::INT, FAST_PATIENCE), (Signal::QUIT, IMMEDIATE_PATIENCE)];
    for (signal, patience) in steps {
        if ended(child).is_some() {
            return Ok(());
        }
        // The number is still the child's: it has not been waited for yet.
        process::signal(child.id().cast_signed(), signal);
        let mut budget = Budget::of(patience);
        while ended(child).is_none() && budget.wait() {}
    }
    if ended(child).is_some() {
        return Ok(());
    }
    let dir = data_dir.to_path_buf();
    match child.kill().and_then(|()| child.wait()) {
        Ok(_) => Err(ClusterError::Killed { dir }),
        Err(source) => Err(ClusterError::File { action: "end the server of", path: dir, source }),
    }
}

fn ended(child: &mut Child) -> Option<ExitStatus> {
    child.try_wait().ok().flatten()
}

/// Writes our number into the lock file, for the error message of whoever comes too late.
pub(super) fn sign(mut lock: &File, layout: &Layout) -> Result<(), ClusterError> {
    let text = format!("{}\n", std::process::id());
    lock.rewind()
        .and_then(|()| lock.set_len(0))
        .and_then(|()| lock.write_all(text.as_bytes()))
        .map_err(file("write", layout.root().join("lock")))
}

/// Who has the folder: the server if there is one, else whoever signed the lock.
pub(super) fn holder_of(layout: &Layout) -> Holder {
    let pg = layout.pg();
    if let Some(pid) = at_work(&pg) {
        return process::holder(pid);
    }
    let signature = fs::read_to_string(layout.root().join("lock")).ok();
    match signature.and_then(|text| text.trim().parse().ok()) {
        Some(pid) => process::holder(pid),
        None => Holder { pid: None, command: None },
    }
}

/// A server process at work in the folder: the one of the pid file if it lives, else any.
pub(super) fn at_work(pg: &Path) -> Option<i32> {
    let main = PidFile::read(pg).map(|pid_file| pid_file.pid);
    main.filter(|pid| process::is_server_in(*pid, pg))
        .or_else(|| process::servers_in(pg).into_iter().next())
}

/// Removes a pid file that no process stands behind. PostgreSQL does so itself unless another
/// program got the number since, which in containers is the rule.
pub(super) fn forget_stale(pg: &Path) -> Result<(), ClusterError> {
    let path = pg.join("postmaster.pid");
    match fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(file("remove", path)(source))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_guard_the_data_or_the_door_are_refused() {
        let check = |name: &str| check_settings(&[(name.to_owned(), "x".to_owned())]);
        assert!(check("shared_buffers").is_ok());
        for name in RESERVED.into_iter().chain(["FSYNC", "a=b", ""]) {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_comma_in_a_path_stays_in_the_path() {
        assert_eq!(quoted("/a, b/\"c\""), "\"/a, b/\"\"c\"\"\"");
    }
}

//! Makes the data of a new cluster, whole or not at all.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::binaries::{Binaries, Search, major_version};
use super::error::{ClusterError, file};
use super::identity::{self, Identity};
use super::layout::Layout;
use super::process::Budget;
use super::{ClusterOptions, Durability, SUPERUSER, store};

/// Making a cluster takes a second or two; slow disks may take a hundred times that.
const INIT_PATIENCE: Duration = Duration::from_secs(300);

/// Finds the programs and the identity for the data, and makes the data where there are none.
///
/// # Errors
/// When nothing suitable is installed, no identity reaches the folder, or `initdb` fails.
pub(super) fn ensure(
    options: &ClusterOptions,
    layout: &Layout,
) -> Result<(Binaries, Identity), ClusterError> {
    let as_root = identity::own_ids().0 == 0;
    let search = Search::from_environment(options.bin_dir.as_deref(), as_root);
    let binaries = search.find(data_major(layout)?)?;
    let identity = Identity::choose(&[&binaries.dir, layout.way()], &layout.pg())?;
    layout.give_to(&identity)?;
    if !layout.is_initialised() {
        make(options, layout, &binaries, &identity)?;
    }
    Ok((binaries, identity))
}

fn data_major(layout: &Layout) -> Result<Option<u32>, ClusterError> {
    if !layout.is_initialised() {
        return Ok(None);
    }
    let path = layout.pg().join("PG_VERSION");
    let text = fs::read_to_string(&path).map_err(file("read", path))?;
    Ok(major_version(&text))
}

/// Everything happens beside the final place, which a rename fills at the very end. A start that
/// is killed half-way leaves nothing that looks like data.
fn make(
    options: &ClusterOptions,
    layout: &Layout,
    binaries: &Binaries,
    identity: &Identity,
) -> Result<(), ClusterError> {
    let partial = layout.partial(identity)?;
    let partial_text = partial.as_os_str();

    let user = format!("--username={SUPERUSER}");
    let mut args: Vec<OsString> = vec!["-D".into(), partial_text.to_owned(), user.into()];
    // Whoever may pass the private folder of the socket may come in; nobody else finds a door.
    args.extend(["--auth-local=trust", "--auth-host=reject"].map(OsString::from));
    args.extend(["--encoding=UTF8", "--locale=C", "--data-checksums"].map(OsString::from));
    if options.durability == Durability::Throwaway {
        args.push("--no-sync".into());
    }
    let job = Job { layout, identity };
    job.run(&binaries.dir.join("initdb"), &args, None)?;

    let single = ["--single", "-c", "exit_on_error=on", "-D"].map(OsString::from);
    let mut args = single.to_vec();
    args.extend([partial_text.to_owned(), "postgres".into()]);
    let sql = format!("{};\n", store::CREATE_DATABASE);
    job.run(&binaries.dir.join("postgres"), &args, Some(&sql))?;

    layout.adopt(&partial)
}

/// Runs programs to their end, with the server's log as their voice.
struct Job<'a> {
    layout: &'a Layout,
    identity: &'a Identity,
}

impl Job<'_> {
    fn run(
        &self,
        program: &Path,
        args: &[OsString],
        input: Option<&str>,
    ) -> Result<(), ClusterError> {
        let (log, log_start) = self.layout.open_log()?;
        let same_log = log.try_clone().map_err(file("share", self.layout.log()))?;
        let mut command = self.identity.mortal_command(program, args);
        command.stdout(log).stderr(same_log);
        if input.is_some() {
            command.stdin(Stdio::piped());
        }
        let run = |source| ClusterError::Run { program: program.to_path_buf(), source };
        let mut child = command.spawn().map_err(run)?;
        if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
            // A program that ended early is told from its exit status, not from here.
            let _written = pipe.write_all(input.as_bytes());
        }
        let failed = |why: String| ClusterError::InitFailed {
            dir: self.layout.root().to_path_buf(),
            output: format!("{why}\n{}", self.layout.log_tail(log_start)),
        };
        let mut budget = Budget::of(INIT_PATIENCE);
        loop {
            match child.try_wait().map_err(run)? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(failed(status.to_string())),
                None if budget.wait() => {}
                None => {
                    super::server::end(&mut child, self.layout.root())?;
                    return Err(failed(format!("no end after {INIT_PATIENCE:?}")));
                }
            }
        }
    }
}

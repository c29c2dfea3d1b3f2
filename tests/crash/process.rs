//! The programs under test as real processes, which are killed without a warning.

use std::fs::{self, File, OpenOptions};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use mizan::clock::Monotonic;
use rustix::process::{Pid, Signal, kill_process};

/// How often a program that ends at once is started again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The built program, as it was when the campaign began.
pub struct Program {
    path: PathBuf,
}

impl Program {
    /// A copy: whoever builds again while the campaign runs changes nothing of it.
    pub fn copied_into(dir: &Path) -> Program {
        let path = dir.join("mizan");
        fs::copy(env!("CARGO_BIN_EXE_mizan"), &path).unwrap();
        Program { path }
    }

    /// The program with arguments, and with none of the settings of the surroundings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        // What is started here must not outlive the test, not even when that is killed.
        command.args(["--pdeathsig", "KILL"]).arg(&self.path).args(args);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }

    /// Runs it to its end; answers the exit code and everything it said.
    pub fn run(&self, args: &[&str], database: &str) -> (Option<i32>, String, String) {
        let output = self.command(args).env("DATABASE_URL", database).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }
}

/// A process that is running, or was.
pub struct Process {
    child: Option<Child>,
    number: Number,
    started: Monotonic,
}

/// The process that bears a role now, for those who want to kill it; 0 while there is none.
#[derive(Clone, Default)]
pub struct Number(Arc<AtomicI32>);

impl Number {
    /// Kills it where it stands.
    pub fn kill(&self) {
        kill(self.0.swap(0, Ordering::SeqCst));
    }
}

/// Kills a process where it stands; one that is gone is as good as killed.
pub fn kill(number: i32) {
    if let Some(pid) = Pid::from_raw(number).filter(|_| number > 1) {
        let _gone = kill_process(pid, Signal::KILL);
    }
}

impl Process {
    /// A role that nobody bears yet.
    pub fn nobody() -> Process {
        Process { child: None, number: Number::default(), started: Monotonic::start() }
    }

    /// How others kill whoever bears the role.
    pub fn number(&self) -> Number {
        self.number.clone()
    }

    /// Starts it; what it says is added to `log`. To be called on the thread of the test: the
    /// kernel ends it together with the thread that started it.
    pub fn start(&mut self, mut command: Command, log: &Path) {
        self.kill();
        self.started = Monotonic::start();
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let both = |log: &File| Stdio::from(log.try_clone().unwrap());
        command.stdin(Stdio::null()).stdout(both(&log)).stderr(both(&log));
        let child = command.spawn().unwrap();
        let number = i32::try_from(child.id()).unwrap();
        self.child = Some(child);
        self.number.0.store(number, Ordering::SeqCst);
    }

    /// Whether it is to be started again: it ended, by itself or because somebody killed it, and
    /// does not end as soon as it is started.
    pub fn is_missing(&mut self) -> bool {
        match &mut self.child {
            Some(child) => {
                child.try_wait().unwrap().is_some() && self.started.elapsed() > AGAIN_AFTER
            }
            None => true,
        }
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        self.number.0.store(0, Ordering::SeqCst);
        if let Some(mut child) = self.child.take() {
            // One that has ended cannot be killed, and is waited for all the same.
            let _ended = child.kill();
            child.wait().unwrap();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that is free now, and is left to whoever is told it.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Every process that works at or below a folder: a PostgreSQL works in its data.
pub fn processes_in(dir: &Path) -> Vec<i32> {
    let dir = fs::canonicalize(dir).unwrap();
    let entries = fs::read_dir("/proc").unwrap();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let works_there = |pid: &i32| {
        let folder = fs::read_link(format!("/proc/{pid}/cwd"));
        folder.is_ok_and(|folder| folder.starts_with(&dir))
    };
    numbers.filter(works_there).collect()
}

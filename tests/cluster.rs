//! The private PostgreSQL, for real: made, found again, shared, killed, and never left behind.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use mizan::db::private_cluster::{ClusterError, ClusterOptions, PrivateCluster};
use sqlx::{Connection, PgConnection};

/// Set for a copy of this test program that holds a cluster until its input ends.
const HOLD: &str = "MIZAN_TEST_HOLD_CLUSTER";

fn start(dir: &Path) -> PrivateCluster {
    PrivateCluster::start_or_attach(ClusterOptions::new(dir)).unwrap()
}

/// Runs statements through sqlx and gives back the first column of the last one.
fn ask(url: &str, statements: &[&'static str]) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let (last, before) = statements.split_last().unwrap();
        for statement in before {
            sqlx::query(*statement).execute(&mut connection).await.unwrap();
        }
        let answer: (String,) = sqlx::query_as(*last).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        answer.0
    })
}

/// Every process whose working folder is at or below `dir`; a server works in its data.
fn processes_in(dir: &Path) -> Vec<i32> {
    let dir = fs::canonicalize(dir).unwrap();
    let entries = fs::read_dir("/proc").unwrap();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let works_there = |pid: &i32| {
        let folder = fs::read_link(format!("/proc/{pid}/cwd"));
        folder.is_ok_and(|folder| folder.starts_with(&dir))
    };
    numbers.filter(works_there).collect()
}

/// Waits, by giving up the processor, until nobody works in `dir`; bounded by `timeout`.
fn everybody_leaves(dir: &Path) -> bool {
    let watch = |pid: i32| {
        let mut command = Command::new("timeout");
        command.args(["60", "tail", &format!("--pid={pid}"), "-f", "/dev/null"]);
        command.status().unwrap().success()
    };
    while let Some(pid) = processes_in(dir).into_iter().next() {
        if !watch(pid) {
            return false;
        }
    }
    true
}

/// Not a promise of its own: the body of the copies that other tests start and kill.
#[test]
fn a_copy_holds_a_cluster_until_its_input_ends() {
    let Some(dir) = std::env::var_os(HOLD) else { return };
    let cluster = start(Path::new(&dir));
    println!("\nholding attached={} {}", cluster.attached(), cluster.url());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    cluster.stop().unwrap();
}

/// Another process that owns a cluster, or is attached to one.
struct Holder {
    child: Child,
    _output: Lines<BufReader<ChildStdout>>,
    url: String,
    attached: bool,
}

impl Holder {
    fn spawn(dir: &Path) -> Child {
        Self::command(dir).spawn().unwrap()
    }

    fn command(dir: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "a_copy_holds_a_cluster_until_its_input_ends", "--nocapture"])
            .env(HOLD, dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    fn ready(mut child: Child) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.by_ref().find_map(|line| {
            line.unwrap().strip_prefix("holding attached=").map(ToOwned::to_owned)
        });
        let line = line.expect("the copy ended without a cluster");
        let (attached, url) = line.split_once(' ').unwrap();
        Self { child, _output: lines, url: url.to_owned(), attached: attached == "true" }
    }

    fn start(dir: &Path) -> Self {
        Self::ready(Self::spawn(dir))
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn finish(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim() == "0"
}

#[test]
fn data_survive_a_restart_and_the_settings_are_the_safe_ones() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("a data, folder\" with % marks");

    let cluster = start(&data);
    assert!(!cluster.attached());
    let settings = "select concat_ws(' ', current_user, current_database(), \
                    current_setting('data_checksums'), current_setting('fsync'), \
                    current_setting('full_page_writes'), current_setting('synchronous_commit'), \
                    current_setting('server_encoding'), current_setting('timezone'), \
                    '[' || current_setting('listen_addresses') || ']', \
                    (select datcollate from pg_database where datname = 'mizan'))";
    let expected = "mizan mizan on on on on UTF8 UTC [] C";
    assert_eq!(ask(&cluster.url(), &[settings]), expected);
    ask(&cluster.url(), &["create table kept as select 'kept' as word", "select word from kept"]);
    cluster.stop().unwrap();
    assert_eq!(processes_in(&data), Vec::<i32>::new());

    let cluster = start(&data);
    assert_eq!(ask(&cluster.url(), &["select word from kept"]), "kept");
    drop(cluster);
    assert_eq!(processes_in(&data), Vec::<i32>::new(), "dropping it stops it as well");
}

#[test]
fn other_databases_have_addresses_too_and_libpq_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = start(dir.path());
    ask(&cluster.url(), &["create database \"an other\"", "select 'made'"]);
    let url = cluster.url_for("an other");
    assert_eq!(ask(&url, &["select current_database()::text"]), "an other");

    let psql = Command::new("psql").args(["-XAtc", "select 1", &url]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&psql.stdout).trim(), "1");
}

#[test]
fn the_only_door_is_a_socket_that_others_cannot_reach() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = start(dir.path());
    let socket_dir = ask(&cluster.url(), &["select current_setting('unix_socket_directories')"]);
    let socket_dir = PathBuf::from(socket_dir.trim_matches('"'));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&socket_dir), 0o700);
    assert_eq!(mode(&socket_dir.join(".s.PGSQL.5432")), 0o700);
    assert_eq!(mode(&dir.path().join("pg")), 0o700);
    let rules = "select string_agg(type || ' ' || auth_method, ', ' order by line_number) \
                 from pg_hba_file_rules where database = '{all}'";
    let rules = ask(&cluster.url(), &[rules]);
    assert_eq!(rules, "local trust, host reject, host reject");
}

#[test]
fn a_second_start_attaches_and_leaves_the_server_alone() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Holder::start(dir.path());
    assert!(!owner.attached);

    let guest = start(dir.path());
    assert!(guest.attached());
    assert_eq!(guest.url(), owner.url);
    guest.stop().unwrap();
    assert_eq!(ask(&owner.url, &["select 'still here'"]), "still here");

    owner.finish();
    assert_eq!(processes_in(dir.path()), Vec::<i32>::new());
}

#[test]
fn of_first_starts_at_one_time_exactly_one_makes_the_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..4).map(|_| Holder::spawn(dir.path())).collect();
    let holders: Vec<Holder> = children.into_iter().map(Holder::ready).collect();
    assert_eq!(holders.iter().filter(|holder| !holder.attached).count(), 1);
    for holder in &holders {
        assert_eq!(ask(&holder.url, &["select 'answers'"]), "answers");
    }
    let (guests, owners): (Vec<_>, Vec<_>) = holders.into_iter().partition(|one| one.attached);
    guests.into_iter().for_each(Holder::kill);
    owners.into_iter().for_each(Holder::finish);
    let mut entries = fs::read_dir(dir.path()).unwrap();
    assert!(
        !entries.any(|entry| {
            entry.unwrap().file_name().to_string_lossy().starts_with("pg.partial")
        })
    );
}

#[test]
fn a_killed_owner_leaves_no_process_and_whole_data() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let owner = Holder::start(dir.path());
        assert!(!owner.attached, "round {round}: the dead owner's server is not attached to");
        let answer = ask(
            &owner.url,
            &[
                "create table if not exists kept (word text)",
                "insert into kept values ('kept')",
                "select count(*)::text from kept",
            ],
        );
        assert_eq!(answer, (round + 1).to_string());
        owner.kill();
        if round == 0 {
            assert!(everybody_leaves(dir.path()));
        }
    }
    // Right after the last kill, while the old server may still be on its way out.
    let cluster = start(dir.path());
    assert!(!cluster.attached());
    assert_eq!(ask(&cluster.url(), &["select count(*)::text from kept"]), "3");
}

#[test]
fn a_killed_server_is_recovered_and_its_pid_file_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = start(dir.path());
    ask(&cluster.url(), &["create table kept as select 'kept' as word", "select word from kept"]);
    let pid_file = fs::read_to_string(dir.path().join("pg/postmaster.pid")).unwrap();
    let pid = pid_file.lines().next().unwrap();
    assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
    drop(cluster);
    assert!(everybody_leaves(dir.path()));

    // The number belongs to a living stranger now, as it often does after a container's restart.
    let stale = pid_file.replacen(pid, &std::process::id().to_string(), 1);
    fs::write(dir.path().join("pg/postmaster.pid"), stale).unwrap();
    let cluster = start(dir.path());
    assert!(!cluster.attached());
    assert_eq!(ask(&cluster.url(), &["select word from kept"]), "kept");
}

/// Asks until there is an answer; bounded by `timeout`.
fn answers_again(url: &str) -> bool {
    let ask = "until psql -XAtqc 'select 1' \"$0\" > /dev/null 2>&1; do :; done";
    Command::new("timeout").args(["60", "sh", "-c", ask, url]).status().unwrap().success()
}

#[test]
fn a_server_that_dies_by_itself_is_started_again_at_the_same_address() {
    let dir = tempfile::tempdir().unwrap();
    let cluster = start(dir.path());
    let url = cluster.url();
    ask(&url, &["create table kept as select 'kept' as word", "select word from kept"]);
    for _ in 0..2 {
        let pid_file = fs::read_to_string(dir.path().join("pg/postmaster.pid")).unwrap();
        let pid = pid_file.lines().next().unwrap();
        assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
        let gone = ["60", "tail", &format!("--pid={pid}"), "-f", "/dev/null"];
        assert!(Command::new("timeout").args(gone).status().unwrap().success());
        assert!(answers_again(&url));
        assert_eq!(ask(&url, &["select word from kept"]), "kept");
    }
    cluster.stop().unwrap();
    assert!(everybody_leaves(dir.path()));
}

/// Starts the server of a folder without Mizan.
fn start_by_hand(data: &Path, setting: &str) -> Child {
    let cluster = start(data);
    let bin = ask(&cluster.url(), &["select setting from pg_config() where name = 'BINDIR'"]);
    cluster.stop().unwrap();
    let postgres = Path::new(&bin).join("postgres");
    let owner = fs::metadata(data.join("pg")).unwrap();
    let mut command = Command::new(postgres);
    if is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let socket_dir = data.join("socket");
    command.arg("-D").arg(data.join("pg")).arg("-k").arg(&socket_dir);
    command.args(["-c", setting, "-c", "listen_addresses="]).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut ready = Command::new(Path::new(&bin).join("pg_isready"));
    ready.arg("-q").arg("-h").arg(&socket_dir);
    while !ready.status().unwrap().success() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended");
    }
    child
}

#[test]
fn a_server_that_a_person_started_is_attached_to_and_left_running() {
    let dir = tempfile::tempdir().unwrap();
    let mut by_hand = start_by_hand(dir.path(), "cluster_name=somebody");
    let guest = start(dir.path());
    assert!(guest.attached());
    assert_eq!(ask(&guest.url(), &["select 'welcome'"]), "welcome");
    drop(guest);
    assert_eq!(by_hand.try_wait().unwrap(), None);
    by_hand.kill().unwrap();
    by_hand.wait().unwrap();
    assert!(everybody_leaves(dir.path()));
}

#[test]
fn a_server_of_ours_without_an_owner_is_ended_and_started_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut orphan = start_by_hand(dir.path(), "cluster_name=mizan_private");
    let reaper = std::thread::spawn(move || orphan.wait().unwrap());
    let cluster = start(dir.path());
    assert!(!cluster.attached());
    assert!(reaper.join().unwrap().success(), "it was asked to end, not killed");
}

#[test]
fn a_start_that_was_killed_half_way_leaves_nothing_in_the_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = Holder::spawn(dir.path());
    let has_partial = || {
        let entries = fs::read_dir(dir.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.into_iter().any(|name| name.to_string_lossy().starts_with("pg.partial"))
    };
    while !has_partial() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!dir.path().join("pg").exists());

    let cluster = start(dir.path());
    assert_eq!(ask(&cluster.url(), &["select 'whole'"]), "whole");
    assert!(!has_partial());
}

#[test]
fn a_long_path_gets_a_short_private_socket_folder_that_goes_when_it_stops() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("long".repeat(20)).join("path".repeat(20));
    let cluster = start(&data);
    assert_eq!(ask(&cluster.url(), &["select 'long'"]), "long");
    let short = PathBuf::from(fs::read_to_string(data.join("socket.path")).unwrap());
    assert_eq!(fs::metadata(&short).unwrap().permissions().mode() & 0o777, 0o700);
    let guest = start(&data);
    assert!(guest.attached());
    assert_eq!(guest.url(), cluster.url());
    cluster.stop().unwrap();
    assert!(!short.exists());

    // What somebody else may have put in its place is not used.
    symlink(dir.path(), &short).unwrap();
    let cluster = start(&data);
    assert_ne!(PathBuf::from(fs::read_to_string(data.join("socket.path")).unwrap()), short);
    cluster.stop().unwrap();
    fs::remove_file(short).unwrap();
}

#[test]
fn data_that_a_silent_process_holds_are_refused_with_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let lock = fs::File::create(dir.path().join("lock")).unwrap();
    (&lock).write_all(format!("{}\n", std::process::id()).as_bytes()).unwrap();
    lock.lock().unwrap();
    let mut options = ClusterOptions::new(dir.path());
    options.patience = Duration::from_millis(200);
    let error = PrivateCluster::start_or_attach(options).unwrap_err();
    let ClusterError::Held { holder, .. } = &error else { panic!("{error}") };
    assert_eq!(holder.pid, Some(i32::try_from(std::process::id()).unwrap()));
    let program = std::env::current_exe().unwrap();
    assert!(error.to_string().contains(program.to_str().unwrap()), "names the command: {error}");
}

#[test]
fn a_server_that_cannot_start_is_explained_by_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = ClusterOptions::new(dir.path());
    options.settings.push(("shared_buffers".to_owned(), "a lot".to_owned()));
    let text = PrivateCluster::start_or_attach(options).unwrap_err().to_string();
    assert!(text.contains("stopped right away"), "{text}");
    assert!(text.contains("invalid value for parameter \"shared_buffers\""), "{text}");
    assert_eq!(processes_in(dir.path()), Vec::<i32>::new());
}

#[test]
fn a_folder_without_programs_is_named_in_the_error() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = ClusterOptions::new(dir.path().join("data"));
    options.bin_dir = Some(dir.path().to_path_buf());
    let text = PrivateCluster::start_or_attach(options).unwrap_err().to_string();
    assert!(text.contains("does not hold working `postgres` and `initdb` programs"), "{text}");
}

#[test]
fn root_uses_a_folder_that_only_root_may_enter() {
    if !is_root() {
        return println!("skipped: only root can make a folder that is closed to others");
    }
    let dir = tempfile::tempdir().unwrap();
    let closed = dir.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    let data = closed.join("data");
    let cluster = start(&data);
    ask(&cluster.url(), &["create table kept as select 'kept' as word", "select word from kept"]);
    drop(cluster);

    // Once the way is open the same data keep working, and the other way round.
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let open = start(&data);
    assert_eq!(ask(&open.url(), &["select word from kept"]), "kept");
    drop(open);

    let owner = Holder::start(&data);
    owner.kill();
    assert!(everybody_leaves(&data));
}

#[test]
fn roots_data_move_between_an_open_and_a_closed_place() {
    if !is_root() {
        return println!("skipped: only root changes the owner of data");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    let cluster = start(&data);
    ask(&cluster.url(), &["create table kept as select 'kept' as word", "select word from kept"]);
    drop(cluster);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = start(&data);
    assert_eq!(ask(&cluster.url(), &["select word from kept"]), "kept");
}

#[test]
fn root_in_the_home_of_a_user_runs_the_server_as_that_user() {
    if !is_root() {
        return println!("skipped: only root runs a server as somebody else");
    }
    const DAEMON: u32 = 1;
    let home = tempfile::tempdir().unwrap();
    chown(home.path(), Some(DAEMON), Some(DAEMON)).unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let cluster = start(&home.path().join("data"));
    assert_eq!(ask(&cluster.url(), &["select 'at home'"]), "at home");
    assert_eq!(fs::metadata(home.path().join("data/pg")).unwrap().uid(), DAEMON);
}

/// A copy of this program, run as an ordinary user, owns a cluster in `data`.
fn start_as(uid: u32, dir: &Path) -> Holder {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
    let copy = dir.join("copy");
    // By another process: a file that this one has open for writing at the moment when another
    // test starts a program cannot be run for as long as that program lasts.
    let mut copying = Command::new("cp");
    assert!(copying.arg(std::env::current_exe().unwrap()).arg(&copy).status().unwrap().success());
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(&copy);
    command.args(["--exact", "a_copy_holds_a_cluster_until_its_input_ends", "--nocapture"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env(HOLD, dir.join("data")).current_dir("/").uid(uid).gid(uid);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Holder::ready(command.spawn().unwrap())
}

#[test]
fn an_ordinary_user_runs_the_server_as_itself() {
    if !is_root() {
        return println!("skipped: every other test ran as an ordinary user already");
    }
    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let owner = start_as(NOBODY, dir.path());
    assert!(!owner.attached);
    assert_eq!(ask(&owner.url, &["select 'ordinary'"]), "ordinary");
    owner.kill();
    assert!(everybody_leaves(&dir.path().join("data")));
}

#[test]
fn a_user_without_a_name_borrows_one() {
    const NAMELESS: u32 = 54_321;
    let mut namespace = Command::new("unshare");
    namespace.args(["--user", "--map-user=1", "true"]).uid(NAMELESS).gid(NAMELESS);
    if !is_root() || !namespace.status().is_ok_and(|status| status.success()) {
        return println!("skipped: needs root, and a system that gives namespaces to users");
    }
    let dir = tempfile::tempdir().unwrap();
    let owner = start_as(NAMELESS, dir.path());
    assert_eq!(ask(&owner.url, &["select 'nameless'"]), "nameless");
    owner.kill();
    assert!(everybody_leaves(&dir.path().join("data")));
}

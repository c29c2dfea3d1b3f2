//! A disk that is full: nothing is acknowledged that is not there, and all goes on when there is
//! room again.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mizan::clock::Monotonic;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;

use super::blow::Tally;
use super::proof::Seen;
use super::story::{ALL, Actor, Promises};
use super::world::{World, pace};

/// So often must "not now" have been said before there is room again.
const PUT_OFF: u64 = 20;
/// Long enough for a full disk to be noticed.
const NOTICED_WITHIN_S: u64 = 60;
/// Writes to the log that precedes every write, until it has no room.
const FILL_LOG: &str =
    "select pg_logical_emit_message(false, 'crash', repeat('x', 1048576)) is null
     from generate_series(1, 64)";

/// Room for a cluster, its write-ahead log and the campaign's rows.
const SIZE: &str = "size=320m,mode=0755";
/// How much is written at once to fill it.
const BLOCK_BYTES: usize = 64 * 1024;

/// A small disk of its own; only the superuser may make one.
pub struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Mounts one at a folder; none where that is not allowed.
    pub fn mount(at: &Path) -> Option<SmallDisk> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "mizan-crash"]).arg(at);
        let mounted = mount.output().is_ok_and(|output| output.status.success());
        mounted.then(|| SmallDisk { at: at.to_owned() })
    }

    fn filler(&self) -> PathBuf {
        self.at.join("filler")
    }

    /// Writes until nothing more fits.
    pub fn fill(&self) {
        let mut file = File::options().create(true).append(true).open(self.filler()).unwrap();
        let mut size = BLOCK_BYTES;
        while size > 0 {
            if file.write(&vec![0; size]).is_err() {
                size /= 16;
            }
        }
    }

    /// Makes room again.
    pub fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: it goes when the last process that works there has gone.
        let _unmounted = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

/// Fills the disk under load, once where tables grow and once where the log does, makes room
/// again, and proves everything each time.
pub async fn full(
    world: &World,
    disk: &SmallDisk,
    (promises, tally, seen): (&Arc<Promises>, &Tally, &mut Seen),
    seed: u64,
) {
    for (round, what) in ["no room for tables", "no room for the log"].into_iter().enumerate() {
        let mut callers = JoinSet::new();
        for (number, story) in ALL.into_iter().enumerate() {
            let (caller, promises) = (Arc::clone(&world.caller), Arc::clone(promises));
            callers.spawn(async move {
                for turn in 0..6 {
                    let name = format!("full-{round}-{number}-{turn}");
                    let chance = StdRng::seed_from_u64(seed.wrapping_add(turn));
                    let caller = &caller;
                    Actor { caller, promises: &promises, name, chance }.live(story).await;
                }
            });
        }
        // Nobody looks after them: the service stays, and says that it cannot.
        let before = world.caller.counts.put_off();
        disk.fill();
        if round == 1 {
            let filled = sqlx::raw_sql(FILL_LOG).execute(&mut world.owner().await).await;
            assert!(filled.is_err(), "the log still had room");
        }
        let (watch, mut pace) = (Monotonic::start(), pace());
        while world.caller.counts.put_off() < before + PUT_OFF {
            pace.tick().await;
            let late = watch.elapsed().as_secs() > NOTICED_WITHIN_S;
            assert!(!late, "nobody noticed\n{}", world.logs());
        }
        disk.empty();
        tally.count(&format!("disk full: {what}"));
        let lives = async {
            while let Some(ended) = callers.join_next().await {
                ended.unwrap();
            }
        };
        world.while_looking_after(lives).await;
        world.prove(promises, seen).await;
    }
}

//! Crashes: real processes on a durable PostgreSQL, killed at every step and at random under
//! load, and afterwards everything is there once, answered once, and adds up.
//!
//! | part | holds |
//! |---|---|
//! | `process` | the programs, and how they are killed |
//! | `wire`, `grammar` | the lines to database and gateway, cut at a chosen word |
//! | `world` | everything that runs, started again when it died; how time passes |
//! | `caller`, `story` | who calls, and what they are promised |
//! | `blow` | what falls upon whom |
//! | `steps`, `load`, `disk` | where it falls: at each word, at random, on a full disk |
//! | `proof` | what must hold when the dust has settled |
//!
//! `MIZAN_TEST_CRASHES` says how many crashes there are, `MIZAN_TEST_SEED` draws the same again.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "crash/blow.rs"]
mod blow;
#[path = "crash/caller.rs"]
mod caller;
#[path = "crash/disk.rs"]
mod disk;
#[path = "crash/grammar.rs"]
mod grammar;
#[path = "crash/load.rs"]
mod load;
#[path = "crash/process.rs"]
mod process;
#[path = "crash/proof.rs"]
mod proof;
#[path = "crash/steps.rs"]
mod steps;
#[path = "crash/story.rs"]
mod story;
#[path = "crash/wire.rs"]
mod wire;
#[path = "crash/world.rs"]
mod world;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use blow::Tally;
use mizan::clock::Monotonic;
use proof::Seen;
use story::Promises;
use world::World;

/// As many as a run of all tests has time for.
const CRASHES: usize = 40;
/// What a run of all tests draws.
const SEED: u64 = 6;

/// A line for whoever watches, also when the test passes.
fn say(line: &str) {
    // Nobody watching is no failure.
    let _unseen = writeln!(std::io::stderr(), "{line}");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Runs on a PostgreSQL of its own, and tells the counts.
fn campaign(
    data: &Path,
    settings: &[(&str, &str)],
    play: impl AsyncFnOnce(&World, &Arc<Promises>, &Tally, &mut Seen),
) {
    let cluster = world::cluster(data, settings);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let watch = Monotonic::start();
        let world = World::begin(cluster).await;
        let (promises, tally) = (Arc::new(Promises::default()), Tally::default());
        let mut seen = Seen::default();
        play(&world, &promises, &tally, &mut seen).await;
        tell(&world, &tally, &seen, watch);
        world.prove_that_the_books_can_be_written_again().await;
        let broken = world.caller.counts.broken();
        assert!(broken.is_empty(), "{broken:#?}\n{:#?}", world.failures());
    });
}

/// The suite deals the same crashes each time; a campaign, which says how many, deals new ones.
fn seed() -> u64 {
    let fresh = || number("MIZAN_TEST_CRASHES").map_or(SEED, |_| rand::random());
    number("MIZAN_TEST_SEED").unwrap_or_else(fresh)
}

#[test]
fn whatever_crashes_nothing_is_lost_and_nothing_happens_twice() {
    let crashes = number("MIZAN_TEST_CRASHES").map_or(CRASHES, |n| usize::try_from(n).unwrap());
    let seed = seed();
    say(&format!("MIZAN_TEST_CRASHES={crashes} MIZAN_TEST_SEED={seed} draws the same crashes"));
    let dir = tempfile::tempdir().unwrap();
    campaign(dir.path(), &[], async |world, promises, tally, seen| {
        let at_steps = crashes * 3 / 5;
        let parts = (&**promises, tally, &mut *seen);
        steps::at_every_step(world, parts, (at_steps, seed)).await;
        load::at_random(world, (promises, tally, seen), (crashes - at_steps, seed)).await;
    });
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_that_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = disk::SmallDisk::mount(dir.path()) else {
        return say("SKIPPED: a full disk needs a disk of its own, and may not be mounted here");
    };
    let settings = [("max_wal_size", "48MB"), ("min_wal_size", "32MB")];
    campaign(&dir.path().join("data"), &settings, async |world, promises, tally, seen| {
        disk::full(world, &disk, (promises, tally, seen), seed()).await;
    });
}

/// The counts.
fn tell(world: &World, tally: &Tally, seen: &Seen, watch: Monotonic) {
    let row = |name: &str, count: u64| say(&format!("  {count:>7}  {name}"));
    say(&format!("crashes, after {} s:", watch.elapsed().as_secs()));
    tally.rows().iter().for_each(|(name, count)| row(name, *count));
    row("crashes in all", tally.total());
    say("callers:");
    world.caller.counts.rows().iter().for_each(|(name, count)| row(name, *count));
    say("after the dust had settled:");
    row("keys asked again, each with its one answer", seen.keys_asked_again as u64);
    row("operations with an outcome, none without", seen.settled.unsigned_abs());
    row("transactions in the journal", seen.transactions.unsigned_abs());
    row("webhooks delivered", seen.deliveries as u64);
    row("  attempts that took", seen.delivery_attempts as u64);
    row("times everything was proved", seen.proofs.into());
}

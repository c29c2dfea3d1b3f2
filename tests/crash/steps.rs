//! At every step: a story is told as often as it has steps, and each time somebody dies at the
//! next one.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IteratorRandom;

use super::blow::{Blow, Tally, Victim, Word};
use super::proof::Seen;
use super::story::{ALL, Actor, Promises, Story};
use super::wire::Side;
use super::world::{A_MINUTE, World, pace};

/// After so many crashes everything is proved.
const PROVE_AFTER: usize = 40;

/// Tells every story with a blow at its words: at all of them, or at as many as `crashes` allows.
/// Calls of the gateway and commits come first, for they are the steps of a payment; the other
/// statements are drawn by `seed`.
pub async fn at_every_step(
    world: &World,
    (promises, tally, seen): (&Promises, &Tally, &mut Seen),
    (crashes, seed): (usize, u64),
) {
    let (mut steps, mut statements) = (Vec::new(), Vec::new());
    for story in ALL {
        let words = words(world, promises, story, seed).await;
        let told = |blows: Vec<Blow>| blows.into_iter().map(move |blow| (story, blow));
        steps.extend(told(at_steps(&words)));
        statements.extend(told(at_statements(&words)));
    }
    let all = (steps.len(), statements.len());
    let mut chance = StdRng::seed_from_u64(seed);
    // Some of each, however few there may be.
    let few = steps.len().min((crashes * 2).div_ceil(3));
    let mut dealt = drawn(steps, few, &mut chance);
    dealt.extend(drawn(statements, crashes - few, &mut chance));
    super::say(&format!(
        "{few} of {} blows at calls and commits, {} of {} at statements",
        all.0,
        dealt.len() - few,
        all.1,
    ));
    for (number, (story, blow)) in dealt.into_iter().enumerate() {
        if number % PROVE_AFTER == PROVE_AFTER - 1 {
            world.prove(promises, seen).await;
        }
        blow.lie_in_wait(world);
        tell(world, promises, story, &format!("step-{number}"), seed, Some(blow)).await;
        if !blow.wire(world).lift() {
            tally.count(&blow.name());
        }
    }
    world.prove(promises, seen).await;
}

/// So many of them, in their order.
fn drawn<T>(all: Vec<T>, count: usize, chance: &mut StdRng) -> Vec<T> {
    let mut drawn = all.into_iter().enumerate().choose_multiple(chance, count);
    drawn.sort_by_key(|(place, _)| *place);
    drawn.into_iter().map(|(_, one)| one).collect()
}

/// Tells a story. When the blow has fallen, a minute passes at once: then whatever was under way
/// may be taken up again.
async fn tell(
    world: &World,
    promises: &Promises,
    story: Story,
    name: &str,
    seed: u64,
    blow: Option<Blow>,
) {
    let chance = StdRng::seed_from_u64(seed);
    let name = format!("{story:?}-{name}");
    let mut actor = Actor { caller: &world.caller, promises, name, chance };
    let telling = async {
        actor.live(story).await;
        world.caller.flush().await;
    };
    let watching = async {
        let mut pace = pace();
        while blow.is_some_and(|blow| blow.wire(world).is_laid()) {
            pace.tick().await;
        }
        if blow.is_some() {
            world.pass(A_MINUTE);
        }
        std::future::pending().await
    };
    world.while_looking_after(first_of(telling, watching)).await;
}

async fn first_of(work: impl Future<Output = ()>, beside: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = beside => {}
    }
}

/// How many words of each kind a story has.
struct Words {
    statements: u32,
    commits: u32,
    calls: u32,
}

/// Tells a story to its end, and counts.
async fn words(world: &World, promises: &Promises, story: Story, seed: u64) -> Words {
    world.pass(A_MINUTE);
    world.back().await;
    let (database, gateway) = (world.database.questions(), world.gateway.questions());
    tell(world, promises, story, "whole", seed, None).await;
    let (statements, commits) = world.database.questions();
    Words {
        statements: statements - database.0,
        commits: commits - database.1,
        calls: world.gateway.questions().0 - gateway.0,
    }
}

/// Every blow at a word, on both sides of it.
fn at(word: Word, victims: &[Victim]) -> Vec<Blow> {
    let sides = [Side::Before, Side::After];
    let both = |victim: &Victim| sides.map(|side| Blow { victim: *victim, word, side });
    victims.iter().flat_map(both).collect()
}

fn at_steps(words: &Words) -> Vec<Blow> {
    let at_gateway = [Victim::Service, Victim::Simulator, Victim::Line];
    let at_database = [Victim::Service, Victim::Backend, Victim::Line];
    let calls = (1..=words.calls).flat_map(|n| at(Word::Call(n), &at_gateway));
    let commits = (1..=words.commits).flat_map(|n| at(Word::Commit(n), &at_database));
    calls.chain(commits).collect()
}

fn at_statements(words: &Words) -> Vec<Blow> {
    let victims = [Victim::Service, Victim::Backend, Victim::Line];
    (1..=words.statements).flat_map(|n| at(Word::Statement(n), &victims)).collect()
}

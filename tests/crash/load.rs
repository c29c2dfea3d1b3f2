//! At random under load: many callers at once, and blows that fall without asking what anybody
//! is doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mizan::clock::Monotonic;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;

use super::blow::{Blow, Sudden, Tally, Victim, Word};
use super::proof::Seen;
use super::story::{ALL, Actor, Promises};
use super::wire::Side;
use super::world::{A_MINUTE, World, pace};

/// How many callers there are at once.
const CALLERS: u64 = 8;
/// How many crashes there are between two proofs.
const ROUND: usize = 25;
/// A blow that nobody walked into, and a load that cannot move, end after this long.
const MOVES_WITHIN: Duration = Duration::from_secs(1);

/// Deals so many blows, drawn by `seed`, and proves everything after each round.
pub async fn at_random(
    world: &World,
    (promises, tally, seen): (&Arc<Promises>, &Tally, &mut Seen),
    (crashes, seed): (usize, u64),
) {
    let mut chance = StdRng::seed_from_u64(seed);
    let mut left = cards(crashes, &mut chance);
    for round in 0_u64.. {
        if left.is_empty() {
            return;
        }
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let (caller, promises) = (Arc::clone(&world.caller), Arc::clone(promises));
            let (stop, seed) = (Arc::clone(&stop), chance.random());
            let live = async move {
                let mut chance = StdRng::seed_from_u64(seed);
                for story in 0_u32.. {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let name = format!("load-{round}-{number}-{story}");
                    let kind = ALL[chance.random_range(0..ALL.len())];
                    let chance = StdRng::seed_from_u64(chance.random());
                    let caller = &caller;
                    Actor { caller, promises: &promises, name, chance }.live(kind).await;
                }
            };
            callers.spawn(live);
        }
        let these: Vec<Card> = left.drain(..left.len().min(ROUND)).collect();
        let dealing = async {
            for card in these {
                world_moves(world, chance.random_range(1..12)).await;
                deal(world, tally, card, &mut chance).await;
            }
            stop.store(true, Ordering::SeqCst);
            while let Some(ended) = callers.join_next().await {
                ended.unwrap();
            }
        };
        world.while_looking_after(dealing).await;
        world.prove(promises, seen).await;
    }
}

/// Waits until so many commands more have their last word, or nothing moves any more.
async fn world_moves(world: &World, by: u64) {
    let (until, watch) = (world.caller.counts.answered() + by, Monotonic::start());
    let mut pace = pace();
    while world.caller.counts.answered() < until && watch.elapsed() < MOVES_WITHIN {
        pace.tick().await;
    }
}

/// What is dealt between two shufflings: some of each kind, however few there may be in all.
const DECK: [Card; 16] = [
    Card::Sudden(Sudden::Service),
    Card::Sudden(Sudden::Simulator),
    Card::Sudden(Sudden::Both),
    Card::Sudden(Sudden::Both),
    Card::Sudden(Sudden::Both),
    Card::Sudden(Sudden::Backend),
    Card::Sudden(Sudden::Terminated),
    Card::Sudden(Sudden::Database),
    Card::Trap(Victim::Line, Word::Commit(6)),
    Card::Trap(Victim::Line, Word::Commit(6)),
    Card::Trap(Victim::Line, Word::Statement(60)),
    Card::Trap(Victim::Service, Word::Commit(6)),
    Card::Trap(Victim::Service, Word::Statement(60)),
    Card::Trap(Victim::Service, Word::Call(2)),
    Card::Trap(Victim::Simulator, Word::Call(2)),
    Card::Trap(Victim::Backend, Word::Commit(6)),
];

/// A kind of blow.
#[derive(Clone, Copy)]
enum Card {
    Sudden(Sudden),
    /// At a word up to this one.
    Trap(Victim, Word),
}

/// So many cards, the deck shuffled again whenever it is used up.
fn cards(count: usize, chance: &mut StdRng) -> Vec<Card> {
    let mut cards = Vec::new();
    while cards.len() < count {
        let mut deck = DECK;
        deck.shuffle(chance);
        cards.extend(deck);
    }
    cards.truncate(count);
    cards
}

async fn deal(world: &World, tally: &Tally, card: Card, chance: &mut StdRng) {
    match card {
        Card::Sudden(sudden) => {
            let seconds = chance.random_range(A_MINUTE..10 * A_MINUTE);
            sudden.fall(world, seconds).await;
            tally.count(sudden.name());
        }
        Card::Trap(victim, word) => {
            let side = if chance.random() { Side::Before } else { Side::After };
            let word = match word {
                Word::Statement(last) => Word::Statement(chance.random_range(1..=last)),
                Word::Commit(last) => Word::Commit(chance.random_range(1..=last)),
                Word::Call(last) => Word::Call(chance.random_range(1..=last)),
            };
            lie_in_wait(world, tally, Blow { victim, word, side }).await;
        }
    }
}

/// Lays a trap on one of the lines, and waits until somebody walks into it.
async fn lie_in_wait(world: &World, tally: &Tally, blow: Blow) {
    blow.lie_in_wait(world);
    let (watch, mut pace) = (Monotonic::start(), pace());
    while blow.wire(world).is_laid() && watch.elapsed() < MOVES_WITHIN {
        pace.tick().await;
    }
    if !blow.wire(world).lift() {
        tally.count(&blow.name());
    }
}

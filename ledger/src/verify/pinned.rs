//! What was proved before: whether it still reads the same, and what is added to it.

use mizan_money::Timestamp;
use sha2::{Digest, Sha256};

use super::{Law, NAMED_MAX};

/// The longest block, which also ends at every multiple of this.
const LENGTH: i64 = 1_000;

/// A transaction's journal number and the digest of all that it says.
pub(super) type Leaf = (i64, [u8; 32]);

/// Consecutive transactions as they were when they were proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) digest: [u8; 32],
    /// The first bytes of each transaction's digest, to name the one that differs.
    pub(super) leaves: Vec<[u8; 4]>,
    pub(super) proved_at: Timestamp,
}

impl Block {
    fn of(leaves: &[Leaf], now: Timestamp) -> Option<Block> {
        let ((first, _), (last, _)) = (leaves.first()?, leaves.last()?);
        Some(Block {
            first: *first,
            last: *last,
            digest: digest(leaves),
            leaves: leaves.iter().map(|(_, leaf)| short(leaf)).collect(),
            proved_at: now,
        })
    }

    /// Names what is not as it was.
    pub(super) fn compare(&self, leaves: &[Leaf], law: &mut Law) {
        let now = within(leaves, self.first, self.last);
        law.checked += self.last - self.first + 1;
        if now.len() == self.leaves.len() && digest(now) == self.digest {
            return;
        }
        if law.broken.len() >= NAMED_MAX {
            return;
        }
        let when = self.proved_at.format("%Y-%m-%dT%H:%M:%SZ");
        let mut named = Vec::new();
        for (position, was) in (self.first..).zip(&self.leaves) {
            let found = now.binary_search_by_key(&position, |(position, _)| *position);
            match found.map(|index| short(&now[index].1)) {
                Err(_) => {
                    named.push(format!("transaction {position} was proved {when} and is gone"))
                }
                Ok(is) if is != *was => named
                    .push(format!("transaction {position} is not what it was when proved {when}")),
                Ok(_) => {}
            }
        }
        if named.is_empty() {
            let Block { first, last, .. } = self;
            named.push(format!("transactions {first} to {last} are not what was proved {when}"));
        }
        law.breaks(named);
    }
}

/// What follows the last block, as new blocks. Nothing where a number is missing: what is not
/// proved is not pinned, and a law has named it.
pub(super) fn blocks_after(pinned: i64, leaves: &[Leaf], now: Timestamp) -> Vec<Block> {
    let fresh = within(leaves, pinned.saturating_add(1), i64::MAX);
    fresh
        .chunk_by(|(a, _), (b, _)| a + 1 == *b && a % LENGTH != 0)
        .filter_map(|leaves| Block::of(leaves, now))
        .collect()
}

fn within(leaves: &[Leaf], first: i64, last: i64) -> &[Leaf] {
    let from = leaves.partition_point(|(position, _)| *position < first);
    let to = leaves.partition_point(|(position, _)| *position <= last);
    leaves.get(from..to).unwrap_or_default()
}

fn digest(leaves: &[Leaf]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    leaves.iter().for_each(|(_, leaf)| hasher.update(leaf));
    hasher.finalize().into()
}

fn short(leaf: &[u8; 32]) -> [u8; 4] {
    let [a, b, c, d, ..] = *leaf;
    [a, b, c, d]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn leaves(positions: impl IntoIterator<Item = i64>) -> Vec<Leaf> {
        let leaf = |position: i64| (position, Sha256::digest(position.to_be_bytes()).into());
        positions.into_iter().map(leaf).collect()
    }

    fn bounds(blocks: &[Block]) -> Vec<(i64, i64)> {
        blocks.iter().map(|block| (block.first, block.last)).collect()
    }

    fn compare(block: &Block, leaves: &[Leaf]) -> Vec<String> {
        let mut law = Law::new("law", "transactions");
        block.compare(leaves, &mut law);
        law.broken
    }

    #[test]
    fn blocks_end_at_thousands_and_go_on_where_the_last_one_ended() {
        let blocks = blocks_after(0, &leaves(1..=2_300), NOW);
        assert_eq!(bounds(&blocks), [(1, 1_000), (1_001, 2_000), (2_001, 2_300)]);
        let blocks = blocks_after(2_300, &leaves(2_001..=3_001), NOW);
        assert_eq!(bounds(&blocks), [(2_301, 3_000), (3_001, 3_001)]);
        assert_eq!(bounds(&blocks_after(9, &leaves(1..=9), NOW)), []);
    }

    #[test]
    fn a_block_names_what_has_changed_and_what_is_gone() {
        let before = leaves(1..=9);
        let block = blocks_after(0, &before, NOW).pop().unwrap();
        assert_eq!(compare(&block, &leaves(1..=12)), [""; 0]);
        let mut after = before.clone();
        after[4].1[0] ^= 1;
        after.remove(7);
        assert_eq!(
            compare(&block, &after),
            [
                "transaction 5 is not what it was when proved 1970-01-01T00:00:00Z",
                "transaction 8 was proved 1970-01-01T00:00:00Z and is gone"
            ]
        );
        let mut deep = before;
        deep[4].1[31] ^= 1;
        assert_eq!(
            compare(&block, &deep),
            ["transactions 1 to 9 are not what was proved 1970-01-01T00:00:00Z"]
        );
    }
}

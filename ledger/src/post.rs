//! The posting path: the only writer of the journal.
//!
//! Many transactions at once, each with its own outcome, in the same few statements whatever
//! their number:
//!
//! | phase | statement | why its own |
//! |---|---|---|
//! | claim | insert the outcomes, `on conflict do nothing` | an INSERT leaves no race open |
//! | lock | the same: all heads `for no key update`, sorted | other orders deadlock |
//! | recall | select the outcomes of keys that were taken | it sees what the claim waited for |
//! | create | insert accounts that are missing, then lock | one exists from its first use |
//! | fold | in memory | a refusal names the item and leaves nothing to undo |
//! | write | one: positions, heads, transactions, entries | heads move before their entries |
//! | reject | insert the refusals | sticky, with the claim |
//!
//! Recall, create and reject are for what is seldom: a batch of new keys on known accounts is
//! two statements. Lock order: keys (sorted) → accounts (sorted) → heads (by id) → book. The lock
//! returns each row as it is *after* any wait (the re-check of `for no key update` reads the
//! newest version of the locked row itself), so reading needs no second statement. The book
//! is taken inside the write, after which nothing of this path waits for anybody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use mizan_money::{TenantId, TransactionId};
use sqlx::PgConnection;

use crate::entry::Side;
use crate::error::LedgerError;
use crate::fold::{AccountKey, Head, Heads, accounts_of};
use crate::period::ClosedBefore;
use crate::read::Entry;
use crate::store::{self, EntryRow, HeadRow, Stored, TransactionRow};
use crate::transaction::{NewTransaction, Outcome, Posted, PostingKey, Refusal, RequestHash};

/// Posts transactions of one tenant, in the order given, inside the caller's transaction.
///
/// Answers each of them: posted, refused by a rule (sticky), or key reused with other content.
/// `now` is the time of recording; where the journal is ahead of it, the journal's time counts.
///
/// # Errors
/// The database failed; then nothing stands and the caller must roll back.
pub async fn post(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: DateTime<Utc>,
    transactions: &[NewTransaction],
) -> Result<Vec<Outcome>, LedgerError> {
    if transactions.is_empty() {
        return Ok(Vec::new());
    }
    let batch = Batch::new(transactions, now);

    let mut wanted = accounts_of_all(transactions);
    let opened = store::open(conn, tenant, &batch.claims(), &wanted).await?;
    let recalled = store::recall(conn, tenant, &batch.unclaimed(&opened.claimed)).await?;
    let fresh = batch.fresh(&opened.claimed);
    let mut heads = opened.heads;
    if !opened.complete && !fresh.is_empty() {
        wanted = accounts_of_all(fresh.iter().map(|&n| &transactions[n]));
        store::create_accounts(conn, tenant, now, &wanted).await?;
        heads = store::lock_heads(conn, tenant, &wanted).await?;
    }
    if let (Some(lost), false) = (wanted.iter().find(|a| !heads.contains_key(*a)), fresh.is_empty())
    {
        let what = format!("account {} {} has no balance row", lost.0, lost.1);
        return Err(LedgerError::Corrupt { what });
    }
    let originals = store::originals(conn, tenant, &reversed_ids(&fresh, transactions)).await?;

    let folded = fold(&batch, &fresh, heads, &originals, opened.closed);
    let written = match folded.transactions.is_empty() {
        true => None,
        false => {
            let moved = folded.heads.len();
            let written = store::write(conn, tenant, now, &folded).await?;
            if written.heads_moved != moved as i64 {
                return Err(LedgerError::HeadsMoved {
                    expected: moved,
                    moved: written.heads_moved,
                });
            }
            Some(written)
        }
    };
    store::reject(conn, tenant, now, &folded.refusals).await?;

    let mut answers: HashMap<&PostingKey, Stored> = recalled;
    for (key, hash, outcome) in folded.answers(&batch, written.as_ref()) {
        answers.insert(key, Stored { request_hash: hash, outcome });
    }
    batch.answer(&answers)
}

/// The transactions of one call with what is derived from them once.
struct Batch<'a> {
    transactions: &'a [NewTransaction],
    hashes: Vec<RequestHash>,
    ids: Vec<TransactionId>,
    /// The first transaction of each key, in the order of the keys.
    first: BTreeMap<&'a PostingKey, usize>,
}

impl<'a> Batch<'a> {
    fn new(transactions: &'a [NewTransaction], now: DateTime<Utc>) -> Batch<'a> {
        let mut first = BTreeMap::new();
        for (n, transaction) in transactions.iter().enumerate() {
            first.entry(&transaction.key).or_insert(n);
        }
        Batch {
            transactions,
            hashes: transactions.iter().map(NewTransaction::request_hash).collect(),
            ids: transactions.iter().map(|_| TransactionId::generate(now)).collect(),
            first,
        }
    }

    fn claims(&self) -> Vec<store::Claim<'a>> {
        let claim = |(key, n): (&&'a PostingKey, &usize)| store::Claim {
            key,
            request_hash: self.hashes[*n],
            transaction_id: self.ids[*n],
        };
        self.first.iter().map(claim).collect()
    }

    fn unclaimed(&self, claimed: &BTreeSet<String>) -> Vec<&'a PostingKey> {
        self.first.keys().copied().filter(|key| !claimed.contains(key.as_str())).collect()
    }

    /// The transactions to decide on, in the order of arrival.
    fn fresh(&self, claimed: &BTreeSet<String>) -> Vec<usize> {
        let mut fresh: Vec<usize> = self
            .first
            .iter()
            .filter(|(k, _)| claimed.contains(k.as_str()))
            .map(|(_, n)| *n)
            .collect();
        fresh.sort_unstable();
        fresh
    }

    fn answer(&self, answers: &HashMap<&PostingKey, Stored>) -> Result<Vec<Outcome>, LedgerError> {
        let answer = |(n, transaction): (usize, &NewTransaction)| {
            let stored = answers.get(&transaction.key).ok_or_else(|| LedgerError::Corrupt {
                what: format!("key `{}` is claimed and has no outcome", transaction.key.as_str()),
            })?;
            if stored.request_hash != self.hashes[n] {
                return Ok(Outcome::KeyReused);
            }
            let mut outcome = stored.outcome.clone();
            if let Outcome::Posted(posted) = &mut outcome
                && self.first[&transaction.key] != n
            {
                posted.replayed = true;
                posted.entries.clear();
            }
            Ok(outcome)
        };
        self.transactions.iter().enumerate().map(answer).collect()
    }
}

fn reversed_ids(fresh: &[usize], transactions: &[NewTransaction]) -> Vec<TransactionId> {
    fresh.iter().filter_map(|&n| transactions[n].reverses).collect()
}

/// Every account that transactions may touch, once, in the order of the paths.
fn accounts_of_all<'a>(
    transactions: impl IntoIterator<Item = &'a NewTransaction>,
) -> Vec<AccountKey> {
    let accounts: BTreeSet<AccountKey> = transactions.into_iter().flat_map(accounts_of).collect();
    accounts.into_iter().collect()
}

/// What a batch comes to: the rows to write and the refusals.
#[derive(Default)]
pub(crate) struct Folded<'a> {
    pub transactions: Vec<TransactionRow<'a>>,
    pub entries: Vec<EntryRow>,
    pub heads: Vec<HeadRow>,
    pub refusals: Vec<(&'a PostingKey, Refusal)>,
    /// Which of the batch's transactions each row is.
    accepted: Vec<usize>,
}

fn fold<'a>(
    batch: &Batch<'a>,
    fresh: &[usize],
    locked: HashMap<AccountKey, Head>,
    originals: &HashMap<TransactionId, store::Original>,
    closed: ClosedBefore,
) -> Folded<'a> {
    let versions: HashMap<i64, i64> =
        locked.values().map(|head| (head.account_id, head.version)).collect();
    let mut heads = Heads::new(locked);
    let mut reversed_here: BTreeSet<TransactionId> = BTreeSet::new();
    let mut folded = Folded::default();
    for &n in fresh {
        let transaction = &batch.transactions[n];
        let offset = folded.accepted.len() as i64 + 1;
        let reverses = check_reversal(transaction.reverses, originals, &reversed_here);
        let accepted = reverses.and_then(|original| {
            Ok((original, closed.admit(transaction)?, heads.apply(transaction)?))
        });
        let (reverses, effective_at, entries) = match accepted {
            Ok(accepted) => accepted,
            Err(refusal) => {
                folded.refusals.push((&transaction.key, refusal));
                continue;
            }
        };
        if let Some(id) = transaction.reverses {
            reversed_here.insert(id);
        }
        folded.transactions.push(TransactionRow {
            id: batch.ids[n],
            transaction,
            effective_at,
            reverses,
            entry_count: entries.len() as i32,
        });
        folded.entries.extend(entries.into_iter().map(|entry| EntryRow { offset, entry }));
        folded.accepted.push(n);
    }
    for head in heads.into_heads() {
        let expected = versions.get(&head.account_id).copied().unwrap_or_default();
        if head.version != expected {
            folded.heads.push(HeadRow { head, expected });
        }
    }
    folded
}

/// The journal number of the transaction to be reversed, or why it cannot be.
fn check_reversal(
    reverses: Option<TransactionId>,
    originals: &HashMap<TransactionId, store::Original>,
    reversed_here: &BTreeSet<TransactionId>,
) -> Result<Option<i64>, Refusal> {
    let Some(id) = reverses else { return Ok(None) };
    let Some(original) = originals.get(&id) else {
        return Err(Refusal::UnknownOriginal { id: id.to_string() });
    };
    if original.reversed_by.is_some() || reversed_here.contains(&id) {
        let by_position = original.reversed_by;
        return Err(Refusal::AlreadyReversed { id: id.to_string(), by_position });
    }
    Ok(Some(original.position))
}

/// The order in which a reader finds entries: `add_entries` of the reading side says the same.
fn order(entry: &Entry) -> (bool, &str, &str, i64) {
    let currency = entry.amount.currency().code();
    (entry.side == Side::Credit, entry.account.path(), currency, entry.seq)
}

impl<'a> Folded<'a> {
    /// The entries of each accepted transaction as a reader will find them.
    fn entries_by_transaction(&self) -> impl Iterator<Item = Vec<Entry>> {
        self.entries.chunk_by(|a, b| a.offset == b.offset).map(|rows| {
            let mut entries: Vec<Entry> = rows.iter().map(|row| row.entry.written()).collect();
            entries.sort_by(|a, b| order(a).cmp(&order(b)));
            entries
        })
    }

    fn answers(
        &self,
        batch: &Batch<'a>,
        written: Option<&store::Written>,
    ) -> Vec<(&'a PostingKey, RequestHash, Outcome)> {
        let mut answers = Vec::with_capacity(self.accepted.len() + self.refusals.len());
        if let Some(written) = written {
            let mut entries = self.entries_by_transaction();
            for (offset, &n) in self.accepted.iter().enumerate() {
                let posted = Posted {
                    id: batch.ids[n],
                    position: written.base + offset as i64 + 1,
                    recorded_at: written.recorded_at,
                    effective_at: self.transactions[offset].effective_at,
                    replayed: false,
                    entries: entries.next().unwrap_or_default(),
                };
                let key = &batch.transactions[n].key;
                answers.push((key, batch.hashes[n], Outcome::Posted(posted)));
            }
        }
        for (key, refusal) in &self.refusals {
            let hash = batch.hashes[batch.first[key]];
            answers.push((key, hash, Outcome::Refused(refusal.clone())));
        }
        answers
    }
}

impl EntryRow {
    pub(crate) fn letter(&self) -> &'static str {
        Side::letter(self.entry.side)
    }
}

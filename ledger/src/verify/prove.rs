//! One pass over the journal, and what is known at its end.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::heads::{self, Heads};
use super::pinned::{Block, Leaf, blocks_after};
use super::span::{self, Span};
use super::whole::{self, Book};
use super::{Elapsed, Law, Mark, Mode, Progress, Proved, mark};
use crate::day_delta::law_day_deltas;
use crate::error::LedgerError;

type Result<T> = std::result::Result<T, LedgerError>;

/// Proves the ledger's own laws on the snapshot of the open transaction, which is the tenant's
/// own. `now` is when: it decides what has been in transit for too long.
///
/// # Errors
/// The database, or a book that cannot be seen. A broken law is an answer and not an error.
pub async fn prove_ledger(
    conn: &mut PgConnection,
    tenant: TenantId,
    asked: Mode,
    now: Timestamp,
    elapsed: Elapsed<'_>,
) -> Result<Proved> {
    span::begin(conn).await?;
    let book = whole::book(conn, tenant).await?;
    let newest = mark::marks(conn, tenant).await?.newest;
    let (mode, since) = match asked {
        Mode::Incremental if newest.is_some() => (Mode::Incremental, newest),
        _ => (Mode::Full, None),
    };
    let mut pass = Pass::begin(tenant, now, elapsed, newest, since);
    if let Some(since) = since {
        pass.still_stands(conn, &since).await?;
    }
    let mut next = Some(since.map_or(1, |mark| mark.position + 1));
    while let Some(from) = next {
        let Some(span) = Span::next(conn, tenant, from, book.end).await? else { break };
        pass.span(conn, &span).await?;
        next = span.last.checked_add(1);
    }
    pass.end(conn, &book).await?;
    let mark = Mark {
        number: newest.map_or(0, |mark| mark.number) + 1,
        mode,
        position: book.end,
        event_position: book.event_position,
        recorded_at: book.recorded_at,
        proved_at: now,
    };
    let heads = pass.heads_to_keep(conn).await?;
    let (laws, blocks) = (pass.laws.into_vec(), pass.blocks);
    let progress = Progress { mark, blocks, heads };
    Ok(Proved { mode, since: newest, position: book.end, laws, progress })
}

/// The laws that are tried span by span, and those of the whole book.
struct Laws {
    balance: Law,
    complete: Law,
    chain: Law,
    currency: Law,
    heads: Law,
    numbers: Law,
    pinned: Law,
    whole: Vec<Law>,
}

impl Laws {
    fn new() -> Laws {
        let law = Law::new;
        Laws {
            balance: law("transactions balance per currency", "transactions"),
            complete: law(
                "transactions have all their entries and entries a transaction",
                "transactions",
            ),
            chain: law(
                "sequences have no gap, balances continue and time never goes back",
                "entries",
            ),
            currency: law("entries are in the currency of their account", "entries"),
            heads: law("heads agree with their entries", "accounts"),
            numbers: law("journal numbers have no gap and time never goes back", "transactions"),
            pinned: law("what was proved before still reads the same", "transactions"),
            whole: Vec::new(),
        }
    }

    fn into_vec(self) -> Vec<Law> {
        let Laws { balance, complete, chain, currency, heads, numbers, pinned, whole } = self;
        let mut laws = vec![balance, complete, chain, currency, heads, numbers];
        laws.extend(whole);
        laws.push(pinned);
        laws
    }
}

struct Pass<'a> {
    tenant: TenantId,
    now: Timestamp,
    elapsed: Elapsed<'a>,
    /// The newest mark, and the one that the pass begins at.
    newest: Option<Mark>,
    since: Option<Mark>,
    laws: Laws,
    heads: Heads,
    /// The entries that spans have met.
    entries: i64,
    /// The transaction before the next span.
    last: i64,
    last_time: Timestamp,
    /// Where the next pinned block should begin; only a full proof goes through them.
    next_block: i64,
    blocks: Vec<Block>,
}

impl<'a> Pass<'a> {
    fn begin(
        tenant: TenantId,
        now: Timestamp,
        elapsed: Elapsed<'a>,
        newest: Option<Mark>,
        since: Option<Mark>,
    ) -> Pass<'a> {
        Pass {
            tenant,
            now,
            elapsed,
            newest,
            since,
            laws: Laws::new(),
            heads: Heads::new(),
            entries: 0,
            last: since.map_or(0, |mark| mark.position),
            last_time: since.map_or(Timestamp::MIN_UTC, |mark| mark.recorded_at),
            next_block: 1,
            blocks: Vec::new(),
        }
    }

    /// The mark still stands: the journal has not fallen behind it, the newest transactions
    /// that were proved read the same, and accounts go on from what they came to.
    async fn still_stands(&mut self, conn: &mut PgConnection, mark: &Mark) -> Result<()> {
        let watch = (self.elapsed)();
        self.heads = mark::heads(conn, self.tenant).await?;
        if let Some(block) = mark::last_block(conn, self.tenant).await? {
            self.next_block = block.last + 1;
            let span = Span::between(conn, self.tenant, block.first, block.last).await?;
            let leaves = match span {
                Some(span) => span.leaves(conn).await?,
                None => Vec::new(),
            };
            block.compare(&leaves, &mut self.laws.pinned);
        }
        if self.next_block != mark.position + 1 {
            self.proof_is_gone(mark.position);
        }
        self.laws.pinned.took += (self.elapsed)() - watch;
        Ok(())
    }

    async fn span(&mut self, conn: &mut PgConnection, span: &Span) -> Result<()> {
        let mut times = Vec::with_capacity(6);
        let mut lap = |elapsed: Elapsed<'_>| times.push(elapsed());
        lap(self.elapsed);
        self.laws.balance.breaks(span.unbalanced(conn).await?);
        lap(self.elapsed);
        self.laws.complete.breaks(span.incomplete(conn).await?);
        lap(self.elapsed);
        let met = self.chain(conn, span).await?;
        lap(self.elapsed);
        self.laws.currency.breaks(span.in_other_currency(conn).await?);
        lap(self.elapsed);
        self.numbers(conn, span).await?;
        lap(self.elapsed);
        let leaves = span.leaves(conn).await?;
        self.compare(conn, span.last, &leaves).await?;
        let pinned = self.newest.map_or(0, |mark| mark.position);
        self.blocks.extend(blocks_after(pinned, &leaves, self.now));
        lap(self.elapsed);

        let laws = &mut self.laws;
        let counted = [span.transactions, span.transactions, met, met, span.transactions, 0];
        let tried = [
            &mut laws.balance,
            &mut laws.complete,
            &mut laws.chain,
            &mut laws.currency,
            &mut laws.numbers,
            &mut laws.pinned,
        ];
        for ((law, count), lap) in tried.into_iter().zip(counted).zip(times.windows(2)) {
            law.checked += count;
            law.took += lap[1] - lap[0];
        }
        Ok(())
    }

    async fn chain(&mut self, conn: &mut PgConnection, span: &Span) -> Result<i64> {
        let mut met = 0;
        for stretch in span.stretches(conn).await? {
            met += stretch.entries;
            let fault = self.heads.entry(stretch.account).or_default().follow(&stretch);
            self.laws.chain.breaks(fault);
            self.laws.chain.breaks(stretch.faults);
        }
        self.entries += met;
        Ok(met)
    }

    async fn numbers(&mut self, conn: &mut PgConnection, span: &Span) -> Result<()> {
        let numbers = span.numbers(conn).await?;
        let (first, last) = (span.first, self.last);
        if first != last + 1 {
            self.laws.numbers.breaks([format!("transaction {first} follows {last}")]);
        } else if numbers.first_time < self.last_time {
            let fault = format!("transaction {first} is recorded before the one it follows");
            self.laws.numbers.breaks([fault]);
        }
        self.laws.numbers.breaks(numbers.faults);
        (self.last, self.last_time) = (numbers.last, numbers.last_time);
        Ok(())
    }

    /// Compares what was proved before, up to a journal number, with what stands there now.
    async fn compare(&mut self, conn: &mut PgConnection, to: i64, leaves: &[Leaf]) -> Result<()> {
        if self.since.is_some() {
            return Ok(());
        }
        for block in mark::blocks(conn, self.tenant, self.next_block, to).await? {
            if block.first != self.next_block {
                self.proof_is_gone(block.first - 1);
            }
            block.compare(leaves, &mut self.laws.pinned);
            self.next_block = block.last + 1;
        }
        Ok(())
    }

    fn proof_is_gone(&mut self, to: i64) {
        let from = self.next_block;
        let fault = match from <= to {
            true => format!("the proof of transactions {from} to {to} is gone"),
            false => format!("the mark of the proof of transaction {} is gone", from - 1),
        };
        self.laws.pinned.breaks([fault]);
    }

    async fn end(&mut self, conn: &mut PgConnection, book: &Book) -> Result<()> {
        let Book { position, end, .. } = *book;
        if position != end {
            let fault = format!("the book stands at {position} and the journal ends at {end}");
            self.laws.numbers.breaks([fault]);
        }
        self.strays(conn).await?;
        self.pinned_end(conn, book).await?;
        let (watch, tenant) = ((self.elapsed)(), self.tenant);
        heads::agree(conn, tenant, &self.heads, &mut self.laws.heads).await?;
        self.laws.heads.took += (self.elapsed)() - watch;
        self.whole(conn).await
    }

    /// The laws that are asked once, of the whole book.
    async fn whole(&mut self, conn: &mut PgConnection) -> Result<()> {
        let since = self.since.map_or(0, |mark| mark.position);
        let (tenant, elapsed) = (self.tenant, self.elapsed);
        let whole = &mut self.laws.whole;

        let watch = elapsed();
        let told = whole::keys(conn, tenant, since).await?;
        let name = "every key has one outcome and every transaction a key";
        whole.push(Law::tried(name, "keys", told, elapsed() - watch));

        let watch = elapsed();
        let told = whole::reversals(conn, tenant, since).await?;
        let name = "a reversal follows what it reverses, which is reversed once";
        whole.push(Law::tried(name, "reversals", told, elapsed() - watch));

        let watch = elapsed();
        let told = (self.laws.heads.checked, heads::floors(conn, tenant).await?);
        let name = "no account is below its floor";
        whole.push(Law::tried(name, "accounts", told, elapsed() - watch));

        let watch = elapsed();
        let told = heads::in_transit(conn, tenant, self.now).await?;
        let name = "money in transit goes on within its days";
        whole.push(Law::tried(name, "accounts", told, elapsed() - watch));

        let watch = elapsed();
        let mut law = law_day_deltas(conn, tenant, since).await?;
        law.took = elapsed() - watch;
        whole.push(law);
        Ok(())
    }

    /// Entries that no span has met hang in the air.
    async fn strays(&mut self, conn: &mut PgConnection) -> Result<()> {
        let watch = (self.elapsed)();
        let since = self.since.map(|mark| (mark.position, mark.recorded_at));
        let there = whole::entries(conn, self.tenant, since).await?;
        if there != self.entries {
            let met = self.entries;
            let strays = whole::strays(conn, self.tenant).await?;
            self.laws.complete.breaks(strays);
            if self.laws.complete.holds() {
                let fault = format!("{there} entries are there and {met} in their transactions");
                self.laws.complete.breaks([fault]);
            }
        }
        self.laws.complete.took += (self.elapsed)() - watch;
        Ok(())
    }

    /// Nothing that was proved lies beyond the end, and no proof is missing.
    async fn pinned_end(&mut self, conn: &mut PgConnection, book: &Book) -> Result<()> {
        let watch = (self.elapsed)();
        self.compare(conn, i64::MAX, &[]).await?;
        let mark = self.newest.map_or(0, |mark| mark.position);
        if self.since.is_none() && self.next_block != mark + 1 {
            self.proof_is_gone(mark);
        }
        let number = self.newest.map_or(0, |mark| mark.number);
        let marks = mark::count(conn, self.tenant).await?;
        let mut faults = Vec::new();
        if marks != number {
            faults.push(format!("{number} proofs were kept and {marks} are there"));
        }
        if let Some(mark) = self.newest {
            let when = mark.proved_at.format("%Y-%m-%dT%H:%M:%SZ");
            let behind = [
                ("journal", mark.position, book.end),
                ("outbox", mark.event_position, book.event_position),
            ];
            for (what, proved, stands) in behind.into_iter().filter(|(_, a, b)| a > b) {
                faults.push(format!(
                    "the {what} was proved up to {proved} at {when} and stands at {stands}"
                ));
            }
        }
        self.laws.pinned.breaks(faults);
        self.laws.pinned.took += (self.elapsed)() - watch;
        Ok(())
    }

    /// What accounts came to, where the stored heads do not say it.
    async fn heads_to_keep(&self, conn: &mut PgConnection) -> Result<Vec<(i64, heads::Head)>> {
        let stored = mark::heads(conn, self.tenant).await?;
        let heads = self.heads.iter().map(|(account, head)| (*account, *head));
        let mut changed: Vec<_> =
            heads.filter(|(account, head)| stored.get(account) != Some(head)).collect();
        changed.sort_unstable_by_key(|(account, _)| *account);
        Ok(changed)
    }
}

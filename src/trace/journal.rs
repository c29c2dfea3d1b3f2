//! Transactions with their entries, what announced them, and what else they lead to.

use mizan_ledger::Side;
use mizan_ledger::read::{self, Transaction};
use mizan_money::id::{EventId, PayoutId, TransactionId};
use mizan_money::{Currency, Money};
use sqlx::PgConnection;

use super::error::TraceError;
use super::graph::{Graph, Knot};
use super::node::{Booked, Kind, Node};
use super::{debt, name, store};

type Result<T> = std::result::Result<T, TraceError>;

/// The most transactions of one thing that are told.
const TRANSACTIONS_MAX: usize = 120;
/// The most entries of one transaction that are told.
const ENTRIES_MAX: usize = 40;

/// Tells transactions as parts of their owner, in journal order: with their events, the payouts
/// that itemise them, the debts that they made or paid, and what they take back.
///
/// # Errors
/// The database.
pub(super) async fn tell(
    conn: &mut PgConnection,
    graph: &mut Graph,
    owner: Option<&str>,
    mut ids: Vec<TransactionId>,
) -> Result<Vec<Transaction>> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = read::transactions_by_id(conn, graph.tenant, &ids).await?;
    graph.cut(&mut found, TRANSACTIONS_MAX);
    for transaction in &found {
        let node = node_of(transaction);
        graph.add(match owner {
            Some(owner) => node.of(owner),
            None => node,
        });
        let source = transaction.source.as_str();
        if owner.is_some_and(|owner| owner != source) && graph.has(source) {
            graph.link(source, transaction.id, "is booked by this");
        }
    }
    announce(conn, graph, &found).await?;
    taken_back(conn, graph, &found).await?;
    paid_out(conn, graph, &found).await?;
    debt::follow(conn, graph, &found).await?;
    Ok(found)
}

fn node_of(transaction: &Transaction) -> Node {
    let Transaction { id, position, kind, effective_at, recorded_at, .. } = transaction;
    let mut says = kind.clone();
    if effective_at.date_naive() != recorded_at.date_naive() {
        says.push_str(&format!(", of {}", effective_at.format("%Y-%m-%d")));
    }
    if !transaction.actor.is_empty() {
        says.push_str(&format!(", by {}", transaction.actor));
    }
    let more = transaction.entries.len().saturating_sub(ENTRIES_MAX);
    if more > 0 {
        says.push_str(&format!("; {more} more entries"));
    }
    let entry = |entry: &read::Entry| Booked {
        account: entry.account.path().to_owned(),
        side: entry.side.name(),
        amount: entry.amount.minor(),
        currency: entry.amount.currency().code(),
        shown: entry.amount.to_string(),
    };
    let debits = transaction.entries.iter().filter(|it| it.side == Side::Debit);
    let credits = transaction.entries.iter().filter(|it| it.side == Side::Credit);
    let mut node = Node::new(Kind::Transaction, id, Some(*recorded_at)).says(says);
    node.position = Some(*position);
    node.entries = debits.chain(credits).take(ENTRIES_MAX).map(entry).collect();
    node
}

/// The events of transactions, as parts of them.
async fn announce(conn: &mut PgConnection, graph: &mut Graph, found: &[Transaction]) -> Result<()> {
    let positions: Vec<i64> = found.iter().map(|it| it.position).collect();
    for event in store::events(conn, graph.tenant, &positions).await? {
        let owner = found.iter().find(|it| Some(it.position) == event.journal_position);
        let node = event_node(&event);
        graph.add(match owner {
            Some(owner) => node.of(owner.id),
            None => node,
        });
    }
    Ok(())
}

fn event_node(event: &store::EventRow) -> Node {
    let says = format!("{} of {}, number {}", event.kind, event.object_id, event.event_position);
    Node::new(Kind::Event, EventId::from_uuid(event.id), Some(event.created_at)).says(says)
}

/// Transactions that reverse another lead to what that one belongs to.
async fn taken_back(
    conn: &mut PgConnection,
    graph: &mut Graph,
    found: &[Transaction],
) -> Result<()> {
    let reversed = found.iter().filter_map(|it| Some((it.reverses?, it.id)));
    let mut originals = Vec::new();
    for (original, reversal) in reversed {
        graph.link(original, reversal, "is taken back by this");
        if !graph.has(&original.to_string()) {
            originals.push(original);
        }
    }
    lead_to(conn, graph, &originals).await
}

/// Goes on to what transactions belong to.
///
/// # Errors
/// The database.
pub(super) async fn lead_to(
    conn: &mut PgConnection,
    graph: &mut Graph,
    ids: &[TransactionId],
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    for transaction in read::transactions_by_id(conn, graph.tenant, ids).await? {
        let home = name::home(conn, graph.tenant, &transaction.source).await?;
        graph.visit(home.unwrap_or(Knot::Transaction(transaction.id)));
    }
    Ok(())
}

/// The payouts that itemise transactions.
async fn paid_out(conn: &mut PgConnection, graph: &mut Graph, found: &[Transaction]) -> Result<()> {
    let ids: Vec<TransactionId> = found.iter().map(|it| it.id).collect();
    for (payout, n, transaction, amount, currency) in
        store::items_of(conn, graph.tenant, &ids).await?
    {
        let payout = PayoutId::from_uuid(payout);
        let transaction = TransactionId::from_uuid(transaction);
        graph.link(transaction, payout, item(n, amount, &currency));
        graph.visit(Knot::Payout(payout));
    }
    Ok(())
}

/// How an item of a payout is told.
pub(super) fn item(n: i32, amount: i64, currency: &str) -> String {
    let shown = match Currency::parse(currency) {
        Ok(currency) => Money::new(amount, currency).to_string(),
        Err(_) => format!("{amount} minor units"),
    };
    let verb = if amount < 0 { "is taken off" } else { "is paid" };
    format!("{verb} as item {n} of the payout, {shown}")
}

/// A transaction that belongs to nothing else of ours.
///
/// # Errors
/// The database.
pub(super) async fn tell_alone(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: TransactionId,
) -> Result<()> {
    for transaction in tell(conn, graph, None, vec![id]).await? {
        if !transaction.source.is_empty() {
            graph.amend(&id.to_string(), &format!(", for {}", transaction.source));
        }
    }
    Ok(())
}

/// An event, where it was not told with what it announces.
///
/// # Errors
/// The database.
pub(super) async fn tell_event(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: EventId,
) -> Result<()> {
    let Some(event) = store::event(conn, graph.tenant, id).await? else { return Ok(()) };
    let node = event_node(&event);
    graph.add(match graph.has(&event.object_id) {
        true => node.of(&event.object_id),
        false => node,
    });
    Ok(())
}

//! What belongs to a payout: what it pays, its steps, its file and run, what was asked of a
//! gateway, its earlier and later attempts, and what was booked.

use mizan_money::id::{PayoutFileId, PayoutId, PayoutRunId, TransactionId};
use mizan_money::{Money, Timestamp};
use sqlx::PgConnection;

use super::error::TraceError;
use super::graph::{Graph, Knot};
use super::node::{Kind, Node};
use super::{journal, payment, store};
use crate::payouts::payout::Payout;
use crate::payouts::store as payouts;
use crate::payouts::store::Item;

type Result<T> = std::result::Result<T, TraceError>;

/// The most items of a payout that lead to what they pay for.
const ITEMS_MAX: usize = 60;
/// The most payouts of a run or a file that are told.
const PAYOUTS_MAX: usize = 12;

/// Tells a payout with everything that belongs to it.
///
/// # Errors
/// The database.
pub(super) async fn tell(conn: &mut PgConnection, graph: &mut Graph, id: PayoutId) -> Result<()> {
    let tenant = graph.tenant;
    let Some(payout) = payouts::payout(conn, tenant, id).await? else { return Ok(()) };
    graph.add(payout_node(&payout));
    if !payout.state.is_before_reserve() {
        tell_items(conn, graph, &payout).await?;
    } else {
        let gates = payouts::gates(conn, tenant, id).await?;
        for (_, _, reason, _) in gates.iter().filter(|(_, passed, ..)| !passed) {
            graph.amend(&id.to_string(), &format!("; waits: {reason}"));
        }
    }
    for (n, step) in payouts::steps(conn, tenant, id).await?.iter().enumerate() {
        let mut says = format!("{} by {}", step.state.replace('_', " "), step.actor);
        if let Some(detail) = &step.detail {
            says.push_str(&format!(": {detail}"));
        }
        let node = Node::new(Kind::PayoutStep, format!("{id}:{}", n + 1), Some(step.at));
        graph.add(node.of(id).says(says).state(step.state.as_str()));
    }
    tell_attempts(conn, graph, id).await?;
    tell_call(conn, graph, id).await?;
    if let Some((run, _)) = payout.run {
        add_run(conn, graph, run).await?;
        graph.link(run, id, "made this payout");
    }
    if let Some(file) = payout.file {
        add_file(conn, graph, file).await?;
        graph.link(id, file, "is handed to the bank in this file");
    }
    let posted = store::posted(conn, tenant, &[(PayoutId::PREFIX, id.uuid())]).await?;
    let transactions = posted.into_iter().map(|(_, transaction)| transaction).collect();
    journal::tell(conn, graph, Some(&id.to_string()), transactions).await?;
    Ok(())
}

fn payout_node(payout: &Payout) -> Node {
    let Payout { payee, amount, pays, rail, state, .. } = payout;
    let mut says = format!("{amount} to {} {} by {rail}", payee.kind(), payee.id());
    says.push_str(&format!(", {}", state.as_str().replace('_', " ")));
    if let Some(conversion) = &payout.conversion {
        says.push_str(&format!("; receives {pays} at a rate of {}", conversion.source));
    }
    let day = |at: Timestamp| at.format("%Y-%m-%d").to_string();
    if let Some(at) = payout.paid_at {
        says.push_str(&format!("; paid {}", day(at)));
    }
    if let Some(till) = &payout.till {
        says.push_str(&format!(" from {till}"));
    }
    if let Some(fee) = payout.fee {
        says.push_str(&format!("; the rail took {fee}"));
    }
    if let (Some(trouble), Some(at)) = (&payout.trouble, payout.ended_at) {
        let why = trouble.reason.as_str().replace('_', " ");
        says.push_str(&format!("; did not arrive, {}: {why}", day(at)));
        if let Some(code) = &trouble.code {
            says.push_str(&format!(" ({code})"));
        }
    }
    let node = Node::new(Kind::Payout, payout.id, Some(payout.created_at)).says(says);
    node.state(state.as_str()).amount(*amount)
}

/// What it pays, and where that comes from: all of it near to what was asked for, else only what
/// is told anyway.
async fn tell_items(conn: &mut PgConnection, graph: &mut Graph, payout: &Payout) -> Result<()> {
    let items = payouts::items(conn, graph.tenant, payout.id).await?;
    let money = |minor| Money::new(minor, payout.amount.currency());
    let id = payout.id.to_string();
    let count = items.len();
    graph.amend(&id, &format!("; {count} {}", if count == 1 { "item" } else { "items" }));
    for item in items.iter().filter(|item| item.transaction.is_none()) {
        let words = match item.kind.as_str() {
            "carried_in" => "comes from before",
            "carried_out" => "is left for later",
            other => other,
        };
        graph.amend(&id, &format!(", {} {words}", money(item.amount)));
    }
    if items.iter().any(|item| item.kind == "carried_in")
        && let Some(before) = store::left_behind_by(conn, graph.tenant, payout).await?
    {
        graph.link(before, payout.id, "left something behind for this");
        graph.visit(Knot::Payout(before));
    }
    for (n, item) in items.iter().enumerate() {
        if let Some(transaction) = item.transaction {
            let n = i32::try_from(n + 1).unwrap_or(i32::MAX);
            let why = journal::item(n, item.amount, payout.amount.currency().code());
            graph.link(transaction, payout.id, why);
        }
    }
    let of_item = |item: &Item| item.transaction;
    let transactions: Vec<TransactionId> = items.iter().filter_map(of_item).collect();
    if graph.is_wide() {
        let near = &transactions[..transactions.len().min(ITEMS_MAX)];
        journal::lead_to(conn, graph, near).await?;
    }
    graph.itemises(payout.id, transactions);
    Ok(())
}

/// The payouts that this one is a new attempt of, and those that are new attempts of it.
async fn tell_attempts(conn: &mut PgConnection, graph: &mut Graph, id: PayoutId) -> Result<()> {
    for attempt in payouts::attempts(conn, graph.tenant, id).await? {
        if let Some(earlier) = attempt.retry_of {
            graph.link(earlier, attempt.id, "is tried again by this");
        }
        graph.visit(Knot::Payout(attempt.id));
    }
    Ok(())
}

/// What a gateway was asked for it, and told of it.
async fn tell_call(conn: &mut PgConnection, graph: &mut Graph, id: PayoutId) -> Result<()> {
    let tenant = graph.tenant;
    let Some(call) = payouts::call(conn, tenant, id).await? else { return Ok(()) };
    let mut says = format!("payout over {}", call.connection);
    if let Some(said) = &call.said {
        says.push_str(&format!(": {said}"));
    }
    if let Some(name) = &call.provider_ref {
        says.push_str(&format!("; there {name}"));
    }
    let name = call.provider_ref.as_ref().map(ToString::to_string);
    let node = Node::new(Kind::Operation, call.id, call.sent_at).of(id).says(says);
    graph.add(node.reference(name.clone()));
    let Some(name) = name else { return Ok(()) };
    let named = [(name.clone(), id.to_string())];
    for delivery in store::deliveries(conn, tenant, &[], &[name]).await? {
        payment::tell_told(graph, &id.to_string(), &delivery, &named);
    }
    Ok(())
}

async fn add_run(conn: &mut PgConnection, graph: &mut Graph, id: PayoutRunId) -> Result<()> {
    if let Some(run) = payouts::run(conn, graph.tenant, id).await? {
        let says = format!("the payouts of {}, by {}", run.on, run.created_by);
        graph.add(Node::new(Kind::PayoutRun, id, Some(run.created_at)).says(says));
    }
    Ok(())
}

async fn add_file(conn: &mut PgConnection, graph: &mut Graph, id: PayoutFileId) -> Result<()> {
    if let Some((at, by)) = store::file_row(conn, graph.tenant, id).await? {
        let says = format!("made by {by}");
        graph.add(Node::new(Kind::PayoutFile, id, Some(at)).says(says));
    }
    Ok(())
}

/// Tells a run with its payouts and files.
///
/// # Errors
/// The database.
pub(super) async fn tell_run(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: PayoutRunId,
) -> Result<()> {
    add_run(conn, graph, id).await?;
    for (file, _) in payouts::files_of_run(conn, graph.tenant, id).await? {
        add_file(conn, graph, file).await?;
        graph.link(id, file, "is handed to the bank in this file");
    }
    let found = payouts::payouts_of_run(conn, graph.tenant, id).await?;
    visit_some(graph, found);
    Ok(())
}

/// Tells a bank file with its payouts.
///
/// # Errors
/// The database.
pub(super) async fn tell_file(
    conn: &mut PgConnection,
    graph: &mut Graph,
    id: PayoutFileId,
) -> Result<()> {
    add_file(conn, graph, id).await?;
    let found = payouts::file_members(conn, graph.tenant, id).await?;
    visit_some(graph, found);
    Ok(())
}

fn visit_some(graph: &mut Graph, mut found: Vec<Payout>) {
    graph.cut(&mut found, PAYOUTS_MAX);
    found.into_iter().for_each(|payout| graph.visit(Knot::Payout(payout.id)));
}

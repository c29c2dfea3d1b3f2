//! The chain while it is gathered: what was found, what is still to be looked at, in what order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mizan_ledger::postings::Payee;
use mizan_money::id::{
    DeliveryId, EventId, PaymentIntentId, PayoutFileId, PayoutId, PayoutRunId, TransactionId,
};
use mizan_money::{TenantId, Timestamp};

use super::node::{Link, Node, Trace};
use crate::finance::fx::FxRevaluationId;
use crate::finance::journals::JournalId;
use crate::finance::settlements::{RemittanceId, SettlementId};
use crate::vendors::WriteOffId;

/// The most things that are told.
const NODES_MAX: usize = 400;
/// The most payments that are looked at.
const PAYMENTS_MAX: usize = 30;
/// The most payouts.
const PAYOUTS_MAX: usize = 15;
/// The most of everything else.
const OTHERS_MAX: usize = 60;
/// So far from what was asked for, a payout leads to all that it pays.
const WIDE_HOPS: u32 = 2;

/// Somebody with money in the books.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Payee(Payee),
    Customer(String),
}

/// A thing with all that belongs to it: what is looked at as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Knot {
    Payment(PaymentIntentId),
    Payout(PayoutId),
    Run(PayoutRunId),
    File(PayoutFileId),
    Party(Party),
    Journal(JournalId),
    Settlement(SettlementId),
    Remittance(RemittanceId),
    Revaluation(FxRevaluationId),
    WriteOff(WriteOffId),
    /// One that belongs to nothing else.
    Transaction(TransactionId),
    /// One that speaks of nothing that is known.
    Delivery(DeliveryId),
    /// One of which nothing else is known.
    Event(EventId),
}

impl Knot {
    /// Which of the limits counts it, and how many there may be.
    const fn limit(&self) -> (u8, usize) {
        match self {
            Self::Payment(_) => (0, PAYMENTS_MAX),
            Self::Payout(_) => (1, PAYOUTS_MAX),
            _ => (2, OTHERS_MAX),
        }
    }
}

/// The chain so far.
pub(super) struct Graph {
    pub(super) tenant: TenantId,
    /// Whether payouts near the beginning lead to everything that they pay: not for who asked
    /// about one payment, which may be one of thousands.
    wide: bool,
    hops: u32,
    nodes: BTreeMap<String, Node>,
    links: BTreeSet<Link>,
    queue: VecDeque<(Knot, u32)>,
    seen: BTreeSet<Knot>,
    counts: [usize; 3],
    left_out: u64,
    /// Of each payout the transactions that it itemises.
    items: Vec<(PayoutId, Vec<TransactionId>)>,
}

impl Graph {
    pub(super) fn new(tenant: TenantId, asked: &[Knot]) -> Graph {
        Graph {
            tenant,
            wide: !asked.iter().any(|knot| matches!(knot, Knot::Payment(_))),
            hops: 0,
            nodes: BTreeMap::new(),
            links: BTreeSet::new(),
            queue: VecDeque::new(),
            seen: BTreeSet::new(),
            counts: [0; 3],
            left_out: 0,
            items: Vec::new(),
        }
    }

    /// Something that is to be looked at, one step further than what is looked at now.
    pub(super) fn visit(&mut self, knot: Knot) {
        if !self.seen.insert(knot.clone()) {
            return;
        }
        let (which, limit) = knot.limit();
        let count = &mut self.counts[usize::from(which)];
        if *count == limit {
            self.left_out += 1;
            return;
        }
        *count += 1;
        let hops = if self.nodes.is_empty() { 0 } else { self.hops + 1 };
        self.queue.push_back((knot, hops));
    }

    /// What is to be looked at next: the nearest first.
    pub(super) fn next(&mut self) -> Option<Knot> {
        let (knot, hops) = self.queue.pop_front()?;
        self.hops = hops;
        Some(knot)
    }

    /// Whether a payout that is looked at now leads to all that it pays.
    pub(super) fn is_wide(&self) -> bool {
        self.wide && self.hops <= WIDE_HOPS
    }

    /// Adds a thing; what is there stays as it is.
    pub(super) fn add(&mut self, mut node: Node) {
        node.hops = self.hops;
        self.nodes.entry(node.id.clone()).or_insert(node);
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.nodes.contains_key(id)
    }

    /// Says more of a thing that was added.
    pub(super) fn amend(&mut self, id: &str, more: &str) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.says.push_str(more);
        }
    }

    /// Puts an order at the time of its first payment.
    pub(super) fn not_later(&mut self, id: &str, at: Timestamp) {
        if let Some(node) = self.nodes.get_mut(id) {
            node.at = Some(node.at.map_or(at, |was| was.min(at)));
        }
    }

    pub(super) fn link(&mut self, from: impl ToString, to: impl ToString, why: impl Into<String>) {
        let link = Link { from: from.to_string(), to: to.to_string(), why: why.into() };
        self.links.insert(link);
    }

    /// Keeps a list within its limit, and counts what is left out.
    pub(super) fn cut<T>(&mut self, list: &mut Vec<T>, limit: usize) {
        self.left_out += list.len().saturating_sub(limit) as u64;
        list.truncate(limit);
    }

    /// Keeps what a payout itemises, to count at the end what of it is not told.
    pub(super) fn itemises(&mut self, payout: PayoutId, transactions: Vec<TransactionId>) {
        self.items.push((payout, transactions));
    }

    /// The chain, in its order.
    pub(super) fn finish(mut self, asked: &str, root: String) -> Trace {
        self.trim(&root);
        for (payout, items) in std::mem::take(&mut self.items) {
            let told = |id: &&TransactionId| self.nodes.contains_key(&id.to_string());
            let others = items.len() - items.iter().filter(told).count();
            if others > 0 {
                self.left_out += others as u64;
                let things = if others == 1 { "item" } else { "items" };
                self.amend(&payout.to_string(), &format!("; {others} other {things} not shown"));
            }
        }
        let order = self.order();
        let place: BTreeMap<&str, usize> =
            order.iter().enumerate().map(|(n, id)| (id.as_str(), n)).collect();
        let mut links: Vec<Link> = std::mem::take(&mut self.links).into_iter().collect();
        links.retain(|it| place.contains_key(&*it.from) && place.contains_key(&*it.to));
        links.sort_by_key(|it| (place[&*it.from], place[&*it.to]));
        let nodes = order.iter().filter_map(|id| self.nodes.remove(id)).collect();
        let asked = asked.to_owned();
        Trace { object: "trace", asked, root, nodes, links, left_out: self.left_out }
    }

    /// Leaves out what is furthest away and says least, down to what is told at most.
    fn trim(&mut self, root: &str) {
        let over = self.nodes.len().saturating_sub(NODES_MAX);
        if over == 0 {
            return;
        }
        let mut all: Vec<(Reverse<(u8, u32)>, String)> = self
            .nodes
            .values()
            .filter(|node| node.id != root)
            .map(|node| (Reverse((node.kind.weight(), node.hops)), node.id.clone()))
            .collect();
        all.sort();
        for (_, id) in all.into_iter().take(over) {
            self.nodes.remove(&id);
            self.left_out += 1;
        }
    }

    /// The ids of all things: each behind the one that it is a part of, by time.
    fn order(&self) -> Vec<String> {
        let mut parts: BTreeMap<Option<&str>, Vec<&Node>> = BTreeMap::new();
        for node in self.nodes.values() {
            let owner = node.of.as_deref().filter(|of| self.nodes.contains_key(*of));
            parts.entry(owner).or_default().push(node);
        }
        for list in parts.values_mut() {
            list.sort_by_key(|node| (node.at, node.kind, node.position, &node.id));
        }
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut open: Vec<&Node> = parts.remove(&None).unwrap_or_default();
        open.reverse();
        while let Some(node) = open.pop() {
            order.push(node.id.clone());
            let below = parts.remove(&Some(node.id.as_str())).unwrap_or_default();
            open.extend(below.into_iter().rev());
        }
        order
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::node::Kind;
    use super::*;

    fn node(kind: Kind, id: &str, minute: u32) -> Node {
        let at = format!("2026-03-02T09:{minute:02}:00Z").parse().unwrap();
        Node::new(kind, id, Some(at))
    }

    fn graph() -> Graph {
        Graph::new(TenantId(1), &[])
    }

    #[test]
    fn parts_stand_behind_their_owner_by_time() {
        let mut graph = graph();
        graph.add(node(Kind::Payout, "po", 9));
        graph.add(node(Kind::Event, "evt", 3).of("txn"));
        graph.add(node(Kind::Transaction, "txn", 3).of("pi"));
        graph.add(node(Kind::Attempt, "att", 2).of("pi"));
        graph.add(node(Kind::Payment, "pi", 1));
        graph.link("txn", "po", "item 1");
        graph.link("txn", "nowhere", "nothing");
        let trace = graph.finish("pi", "pi".to_owned());
        let ids: Vec<&str> = trace.nodes.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(ids, ["pi", "att", "txn", "evt", "po"]);
        assert_eq!(trace.links.len(), 1);
    }

    #[test]
    fn what_is_too_much_is_counted_and_what_says_least_goes_first() {
        let mut graph = graph();
        for n in 0..NODES_MAX {
            graph.add(node(Kind::Transaction, &format!("txn{n}"), 1));
        }
        graph.add(node(Kind::Event, "evt", 2));
        graph.add(node(Kind::Exchange, "op:1", 2));
        graph.cut(&mut vec![(); 7], 2);
        let trace = graph.finish("txn0", "txn0".to_owned());
        assert_eq!((trace.nodes.len(), trace.left_out), (NODES_MAX, 7));
        assert!(trace.nodes.iter().all(|node| node.kind == Kind::Transaction));
    }

    #[test]
    fn no_more_payments_are_looked_at_than_there_may_be() {
        let mut graph = graph();
        for n in 0..PAYMENTS_MAX + 3 {
            let id = PaymentIntentId::from_uuid(uuid::Uuid::from_u128(n as u128));
            graph.visit(Knot::Payment(id));
            graph.visit(Knot::Payment(id));
        }
        let mut looked = 0;
        while graph.next().is_some() {
            looked += 1;
        }
        assert_eq!((looked, graph.left_out), (PAYMENTS_MAX, 3));
    }
}

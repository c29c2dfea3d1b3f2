//! A chain as people read it: each thing with its time and what it is, below it its parts, and
//! with an arrow whatever it leads to or comes from.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::node::{Kind, Link, Node, Trace};

/// How far a part is indented below its owner.
const STEP: usize = 2;
/// Where amounts of entries end.
const ACCOUNT_WIDTH: usize = 44;

/// The chain as text. What was asked for is marked with `▶`.
#[must_use]
pub fn text(trace: &Trace) -> String {
    let things = counted(trace.nodes.len(), "thing");
    let links = counted(trace.links.len(), "link");
    let mut page = format!("Trace of {}, times in UTC: {things}, {links}", trace.asked);
    if trace.left_out > 0 {
        let _ = write!(page, ", {} left out", trace.left_out);
    }
    page.push('\n');
    let nodes: BTreeMap<&str, &Node> =
        trace.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut leaving: BTreeMap<&str, Vec<&Link>> = BTreeMap::new();
    let mut coming: BTreeMap<&str, Vec<&Link>> = BTreeMap::new();
    for link in &trace.links {
        leaving.entry(&link.from).or_default().push(link);
        coming.entry(&link.to).or_default().push(link);
    }
    for node in &trace.nodes {
        let depth = depth(&nodes, node);
        if depth == 0 {
            page.push('\n');
        }
        let mark = if node.id == trace.root { '▶' } else { ' ' };
        tell(&mut page, mark, depth, node);
        for link in leaving.get(node.id.as_str()).into_iter().flatten() {
            arrow(&mut page, depth, "→", &nodes, &link.to, &link.why);
        }
        for link in coming.get(node.id.as_str()).into_iter().flatten() {
            let other = nodes.get(link.from.as_str());
            // What is of the same owner was told a few lines before.
            if other.is_none_or(|other| owner(&nodes, other) != owner(&nodes, node)) {
                arrow(&mut page, depth, "←", &nodes, &link.from, &link.why);
            }
        }
    }
    page
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// How many owners something has.
fn depth(nodes: &BTreeMap<&str, &Node>, node: &Node) -> usize {
    let mut depth = 0;
    let mut at = node;
    while let Some(owner) = at.of.as_deref().and_then(|of| nodes.get(of)) {
        depth += 1;
        at = owner;
    }
    depth
}

/// The thing that something belongs to in the end.
fn owner<'a>(nodes: &BTreeMap<&str, &'a Node>, node: &'a Node) -> &'a str {
    let mut at = node;
    while let Some(owner) = at.of.as_deref().and_then(|of| nodes.get(of)) {
        at = owner;
    }
    &at.id
}

fn tell(page: &mut String, mark: char, depth: usize, node: &Node) {
    let at = match node.at {
        Some(at) => at.format("%Y-%m-%d %H:%M:%S").to_string(),
        None => String::new(),
    };
    let indent = depth * STEP;
    let number = match (node.kind, node.position) {
        (Kind::Transaction, Some(position)) => format!(" number {position}"),
        _ => String::new(),
    };
    let (word, id, says) = (node.kind.word(), &node.id, &node.says);
    let _ = writeln!(page, "{mark} {at:<19}  {:indent$}{word}{number} {id}", "");
    let below = indent + STEP;
    let _ = writeln!(page, "{:23}{:below$}{says}", "", "");
    if let Some(digest) = &node.sha256 {
        let _ = writeln!(page, "{:23}{:below$}sha256 {digest}", "", "");
    }
    for entry in &node.entries {
        let side = if entry.side == "debit" { "dr" } else { "cr" };
        let (account, amount) = (&entry.account, &entry.shown);
        let line = format!("{side} {account:<ACCOUNT_WIDTH$} {amount:>16}");
        let _ = writeln!(page, "{:23}{:below$}{line}", "", "");
    }
}

fn arrow(
    page: &mut String,
    depth: usize,
    sign: &str,
    nodes: &BTreeMap<&str, &Node>,
    other: &str,
    why: &str,
) {
    let below = (depth + 1) * STEP;
    let word = nodes.get(other).map_or("", |node| node.kind.word());
    let _ = writeln!(page, "{:23}{:below$}{sign} {word} {other}: {why}", "", "");
}

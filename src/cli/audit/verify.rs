//! `mizan verify`: the laws of the books, one line each.

use std::time::Duration;

use mizan::verify::{Proof, prove};
use mizan_ledger::verify::{Law, Mode};
use serde::Serialize;

use crate::cli::database::Place;
use crate::cli::end::{CommandResult, End};
use crate::cli::output::{self, Format};
use crate::cli::service;

/// What is to be proved, and how it is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Prove what came after the newest mark, and that the mark still stands: that the newest
    /// transactions it proved are there and unchanged, and that accounts go on from it
    #[arg(long)]
    incremental: bool,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: Format,
}

/// A law as a program reads it.
#[derive(Serialize)]
struct LawView<'a> {
    tenant: i32,
    mode: &'static str,
    law: &'a str,
    holds: bool,
    checked: i64,
    unit: &'a str,
    micros: u128,
    broken: &'a [String],
}

/// Proves every law for every tenant.
pub fn run(args: &Args) -> CommandResult {
    let format = args.format;
    let mode = if args.incremental { Mode::Incremental } else { Mode::Full };
    args.place.read(async |db| {
        let proofs = prove(&db, &service::clock(&db).await?, mode).await?;
        if format.json {
            output::print_json(&views(&proofs))?;
        } else {
            output::print(&lines(&proofs))?;
        }
        Ok(end(&proofs))
    })
}

/// Whether every law holds.
pub fn end(proofs: &[Proof]) -> End {
    match proofs.iter().all(Proof::holds) {
        true => End::Done,
        false => End::Broken,
    }
}

/// One line per law, below a broken one the rows that break it, and the sum of it all.
pub fn lines(proofs: &[Proof]) -> String {
    let mut text = String::new();
    for proof in proofs {
        if proofs.len() > 1 {
            text.push_str(&format!("Tenant {}\n", proof.tenant));
        }
        let laws = &proof.laws;
        let width = laws.iter().map(|law| law.name.chars().count()).max().unwrap_or_default();
        for law in laws {
            let word = if law.holds() { "holds" } else { "BROKEN" };
            let Law { name, checked, unit, took, .. } = law;
            let took = millis(*took);
            text.push_str(&format!(
                "  {word:<7} {name:<width$}  {checked:>8} {unit:<12} {took:>9}\n"
            ));
            for row in &law.broken {
                text.push_str(&format!("            {row}\n"));
            }
        }
        text.push_str(&sum(proof));
    }
    text
}

/// What was proved, since when, and in which time.
fn sum(proof: &Proof) -> String {
    let broken = proof.laws.iter().filter(|law| !law.holds()).count();
    let verdict = match broken {
        0 => "every law holds".to_owned(),
        1 => "1 law is BROKEN".to_owned(),
        many => format!("{many} laws are BROKEN"),
    };
    let from = match (proof.mode, proof.since) {
        (Mode::Incremental, Some(mark)) => {
            format!("after transaction {}, proved {}", mark.position, mark.proved_at.to_rfc3339())
        }
        _ => "from the first transaction".to_owned(),
    };
    let (mode, position, took) = (proof.mode.name(), proof.position, millis(proof.took));
    format!("  {mode}: {from}, to transaction {position}: {verdict} ({took})\n")
}

fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn views(proofs: &[Proof]) -> Vec<LawView<'_>> {
    let mut views = Vec::new();
    for proof in proofs {
        views.extend(proof.laws.iter().map(|law| LawView {
            tenant: proof.tenant.0,
            mode: proof.mode.name(),
            law: law.name,
            holds: law.holds(),
            checked: law.checked,
            unit: law.unit,
            micros: law.took.as_micros(),
            broken: &law.broken,
        }));
    }
    views
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use mizan_money::TenantId;

    use super::*;

    fn proof(broken: &[&str]) -> Vec<Proof> {
        let broken = broken.iter().map(|row| (*row).to_owned()).collect();
        let told = (12, broken);
        let law = Law::tried("laws hold", "transactions", told, Duration::from_millis(3));
        vec![Proof {
            tenant: TenantId(1),
            mode: Mode::Full,
            since: None,
            position: 12,
            laws: vec![law],
            took: Duration::from_millis(7),
        }]
    }

    #[test]
    fn a_broken_law_names_its_rows_and_ends_differently() {
        let whole = proof(&[]);
        assert_eq!(
            lines(&whole),
            "  holds   laws hold        12 transactions      3 ms\n  \
             full: from the first transaction, to transaction 12: every law holds (7 ms)\n"
        );
        assert_eq!(end(&whole), End::Done);
        let broken = proof(&["transaction 7 is off by 1"]);
        assert!(lines(&broken).contains("BROKEN"));
        assert!(lines(&broken).contains("transaction 7 is off by 1"));
        assert!(lines(&broken).contains("1 law is BROKEN"));
        assert_eq!(end(&broken), End::Broken);
    }
}

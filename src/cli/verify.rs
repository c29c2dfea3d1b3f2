//! `mizan verify`: the laws of the books, one line each.

use mizan::clock::Clock;
use mizan::verify::verify;
use mizan_ledger::verify::Law;
use mizan_money::TenantId;
use serde::Serialize;

use super::database::Place;
use super::end::{CommandResult, End};
use super::output::{self, Format};

/// What is to be proved, and how it is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    format: Format,
}

/// A law as a program reads it.
#[derive(Serialize)]
struct LawView<'a> {
    tenant: i32,
    law: &'a str,
    holds: bool,
    checked: i64,
    unit: &'a str,
    broken: &'a [String],
}

/// Proves every law for every tenant.
pub fn run(args: &Args) -> CommandResult {
    let format = args.format;
    args.place.read(async |db| {
        let proved = verify(&db, &Clock::system()).await?;
        if format.json {
            output::print_json(&views(&proved))?;
        } else {
            output::print(&lines(&proved))?;
        }
        Ok(end(&proved))
    })
}

/// Whether every law holds.
pub fn end(proved: &[(TenantId, Vec<Law>)]) -> End {
    match proved.iter().all(|(_, laws)| laws.iter().all(Law::holds)) {
        true => End::Done,
        false => End::Broken,
    }
}

/// One line per law, and below a broken one the rows that break it.
pub fn lines(proved: &[(TenantId, Vec<Law>)]) -> String {
    let mut text = String::new();
    for (tenant, laws) in proved {
        if proved.len() > 1 {
            text.push_str(&format!("Tenant {tenant}\n"));
        }
        let width = laws.iter().map(|law| law.name.chars().count()).max().unwrap_or_default();
        for law in laws {
            let word = if law.holds() { "holds" } else { "BROKEN" };
            let Law { name, checked, unit, .. } = law;
            text.push_str(&format!("  {word:<7} {name:<width$}  {checked:>6} {unit}\n"));
            for row in &law.broken {
                text.push_str(&format!("            {row}\n"));
            }
        }
    }
    text
}

fn views(proved: &[(TenantId, Vec<Law>)]) -> Vec<LawView<'_>> {
    let mut views = Vec::new();
    for (tenant, laws) in proved {
        views.extend(laws.iter().map(|law| LawView {
            tenant: tenant.0,
            law: law.name,
            holds: law.holds(),
            checked: law.checked,
            unit: law.unit,
            broken: &law.broken,
        }));
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_law_names_its_rows_and_ends_differently() {
        let law = |broken: &[&str]| Law {
            name: "transactions balance",
            checked: 12,
            unit: "transactions",
            broken: broken.iter().map(|row| (*row).to_owned()).collect(),
        };
        let whole = vec![(TenantId(1), vec![law(&[])])];
        assert_eq!(lines(&whole), "  holds   transactions balance      12 transactions\n");
        assert_eq!(end(&whole), End::Done);
        let broken = vec![(TenantId(1), vec![law(&["transaction 7 is off by 1"])])];
        assert!(lines(&broken).contains("BROKEN"));
        assert!(lines(&broken).contains("transaction 7 is off by 1"));
        assert_eq!(end(&broken), End::Broken);
    }
}

//! Prints what the ledger promises: its chart, how money moves, and the guarantees.
//!
//! Everything that is data is taken from the code that uses it, so the page cannot say
//! otherwise; what is prose lies in `guarantees.md` beside this file.

use std::fmt::Write;

use mizan_ledger::chart::{CHART, Floor, spill};
use mizan_ledger::postings::{self, INDEX};
use mizan_ledger::{AccountRef, Authority, Posting, PostingError, Role, Side};

const HEAD: &str = "\
<!-- Written by `mizan ledger docs > docs/LEDGER.md`: change the code, then run it again. -->

# The ledger

Double entry, append-only, one journal per marketplace. Every transaction has at least two
entries, and its debits equal its credits in each currency. Amounts are whole minor units (fils,
cents, yen) and stand below in major units. An account is a role of the chart, its dimensions and
a currency: `vendor_payable:V1:pending` in AED is one account, in USD another.
";

const CHART_HEAD: &str = "
## Chart of accounts

An account comes into being with its first entry. Its balance is given on its normal side, the
one on which it grows. Where the minimum is 0 the balance cannot fall below zero: debt is an
account of its own.

| code | account | class | normal side | minimum | what it is for |
|---|---|---|---|---|---|
";

const SPILL_HEAD: &str = "
### Where a fact takes the rest from

What a gateway or a bank says has happened, so it is booked whatever the balances are. Where an
account with a minimum has not enough, the same transaction takes the rest from the next one:

| account | then |
|---|---|
";

const MOVES_HEAD: &str = "
## How money moves

Each of these is one function from facts to entries. The examples follow one order of 525.00 AED
at vendor V1 with 25.00 AED VAT in it: commission 10 % of 500.00 AED, and 5 % VAT on the
commission.
";

const GUARANTEES: &str = include_str!("guarantees.md");

/// The text of `docs/LEDGER.md`.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    page.push_str(CHART_HEAD);
    page.push_str(&chart());
    page.push_str(SPILL_HEAD);
    page.push_str(&spills());
    page.push_str(MOVES_HEAD);
    for entry in INDEX {
        page.push_str(&section(entry));
    }
    page.push('\n');
    page.push_str(GUARANTEES);
    page
}

fn chart() -> String {
    let row = |line: &mizan_ledger::chart::Line| {
        let minimum = match line.floor {
            Floor::Zero => "0",
            Floor::None => "none",
        };
        format!(
            "| {} | `{}` | {} | {} | {minimum} | {} |\n",
            line.code,
            line.form(),
            line.class.name().replace('_', " "),
            line.class.normal_side().name(),
            line.meaning,
        )
    };
    CHART.iter().map(row).collect()
}

/// One row per account with a minimum, in each of its buckets.
fn spills() -> String {
    let mut rows = String::new();
    for line in CHART.iter().filter(|line| line.floor == Floor::Zero) {
        for account in examples(line.role) {
            let then: Vec<String> =
                spill(&account).iter().map(|next| format!("`{next}`")).collect();
            // Writing to a text does not fail.
            let _ = writeln!(rows, "| `{account}` | {} |", then.join(", "));
        }
    }
    rows
}

/// The accounts that a role has for one party: every combination of the words it can take.
fn examples(role: Role) -> Vec<AccountRef> {
    let line = role.line();
    let mut values: Vec<Vec<&str>> = vec![Vec::new()];
    for dimension in line.dimensions {
        let party = [match dimension.name {
            "vendor" => "V1",
            "customer" => "C1",
            "affiliate" => "A1",
            other => other,
        }];
        let words = if dimension.words.is_empty() { &party[..] } else { dimension.words };
        let longer = |before: &Vec<&'static str>| {
            let with = |word: &&'static str| [before.as_slice(), &[*word]].concat();
            words.iter().map(with).collect::<Vec<_>>()
        };
        values = values.iter().flat_map(longer).collect();
    }
    values.iter().filter_map(|values| AccountRef::new(role, values).ok()).collect()
}

fn section(entry: &postings::Entry) -> String {
    let authority = match entry.authority {
        Authority::Fact => "A fact: it is booked whatever the balances are.",
        Authority::Command => "A command: refused where an account would fall below its minimum.",
    };
    let example = page(&(entry.example)());
    format!("\n### {}\n\n{}\n\n{authority}\n\n```text\n{example}```\n", entry.kind, entry.meaning)
}

/// A posting as a ledger page: each leg with its side, its account and its amount.
fn page(posting: &Result<Posting, PostingError>) -> String {
    let legs = match posting {
        Ok(posting) => posting.legs(),
        // A test of the ledger holds every example to its sums.
        Err(error) => return format!("{error}\n"),
    };
    let line = |leg: &mizan_ledger::Leg| {
        let side = match leg.side {
            Side::Debit => "dr",
            Side::Credit => "cr",
        };
        format!("{side} {:<32} {:>12}\n", leg.account.path(), leg.amount.to_string())
    };
    legs.iter().map(line).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn the_ledgers_page_is_the_one_that_the_code_prints() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/LEDGER.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == reference(),
            "docs/LEDGER.md is not what the code says; `mizan ledger docs > docs/LEDGER.md` \
             writes it again"
        );
    }

    #[test]
    fn the_page_names_every_account_and_every_move() {
        let page = reference();
        for line in CHART {
            assert!(page.contains(&format!("| {} | `{}` |", line.code, line.form())));
        }
        for entry in INDEX {
            assert!(page.contains(&format!("### {}\n", entry.kind)), "{}", entry.kind);
        }
        assert!(page.contains("| `vendor_payable:V1:pending` | `vendor_payable:V1:available`, "));
        assert!(page.contains("| `customer_wallet:C1:promo:held` | `trade_receivable:C1` |"));
        assert!(page.contains("cr vendor_payable:V1:pending          472.50 AED\n"));
    }
}

//! What a story came to: the balances at its end, and what did not hold, drawn as accounts.

use std::collections::BTreeMap;
use std::path::Path;

use mizan_money::{Currency, Money};
use serde_json::{Map, Value, json};

use super::text::Account;
use crate::cli::output::grouped;

/// The end of a story.
pub struct Outcome {
    pub accounts: Vec<AccountLine>,
    pub differences: Vec<Difference>,
    /// Why it did not come to its end.
    pub trouble: Option<Trouble>,
}

/// The statement that ended a story too early.
pub struct Trouble {
    pub line: usize,
    pub text: String,
}

/// An account of the books; `minor` is positive where it is a debit.
#[derive(Clone)]
pub struct AccountLine {
    pub id: String,
    pub path: String,
    pub role: String,
    pub dims: Vec<(String, String)>,
    pub currency: Currency,
    pub minor: i64,
}

/// A role with its dimensions, and a currency.
type Place<'a> = (String, Vec<(String, String)>, &'a str);

/// Something that does not hold.
pub struct Difference {
    line: usize,
    what: What,
    /// The entries of the account, oldest first.
    pub entries: Vec<Entry>,
}

enum What {
    Balance { account: String, currency: Currency, expected: i64, found: i64 },
    Fact { what: String, expected: String, found: String },
}

/// A line of an account's statement.
pub struct Entry {
    pub position: i64,
    day: String,
    kind: String,
    is_debit: bool,
    minor: i64,
}

impl AccountLine {
    /// Reads an account of the interface.
    pub fn read(row: &Value) -> Option<Self> {
        let text = |field: &str| row[field].as_str().map(str::to_owned);
        let (path, role) = (text("account")?, text("role")?);
        // The object does not keep the order of the chart.
        let names = mizan_ledger::chart::Role::parse(&role)?.line().dimensions;
        let value = |name: &str| row["dimensions"][name].as_str().map(str::to_owned);
        let dims = names.iter().filter_map(|it| Some((it.name.to_owned(), value(it.name)?)));
        Some(Self {
            id: text("id")?,
            role,
            dims: dims.collect(),
            currency: Currency::parse(row["currency"].as_str()?).ok()?,
            minor: row["debits"].as_i64()? - row["credits"].as_i64()?,
            path,
        })
    }

    /// Whether it is the account, or a part of the wallet.
    pub fn is(&self, account: &Account, currency: Currency) -> bool {
        let values = self.dims.iter().map(|(_, value)| value);
        self.role == account.role.line().name
            && self.currency == currency
            && account.values.iter().zip(values).all(|(wanted, value)| wanted == value)
    }
}

impl Difference {
    /// A balance that is another one; both debit positive.
    pub fn balance(line: usize, account: &Account, expected: Money, found: i64) -> Self {
        let what = What::Balance {
            account: account.to_string(),
            currency: expected.currency(),
            expected: expected.minor(),
            found,
        };
        Self { line, what, entries: Vec::new() }
    }

    /// A balance that should not be there.
    pub fn unlisted(line: usize, found: &AccountLine) -> Self {
        let what = What::Balance {
            account: found.path.replace(':', " "),
            currency: found.currency,
            expected: 0,
            found: found.minor,
        };
        Self { line, what, entries: Vec::new() }
    }

    /// Anything else.
    pub fn fact(line: usize, what: &str, expected: &str, found: &str) -> Self {
        let text = str::to_owned;
        let what = What::Fact { what: text(what), expected: text(expected), found: text(found) };
        Self { line, what, entries: Vec::new() }
    }

    /// Whether it is about this account.
    pub fn is_of(&self, line: &AccountLine) -> bool {
        match &self.what {
            What::Balance { account, currency, .. } => {
                let path = line.path.replace(':', " ");
                *currency == line.currency
                    && (path == *account || path.starts_with(&format!("{account} ")))
            }
            What::Fact { .. } => false,
        }
    }

    fn json(&self) -> Value {
        match &self.what {
            What::Balance { account, currency, expected, found } => json!({
                "line": self.line, "account": account, "currency": currency.code(),
                "expected": expected, "found": found,
            }),
            What::Fact { what, expected, found } => json!({
                "line": self.line, "fact": what, "expected": expected, "found": found,
            }),
        }
    }

    fn text(&self) -> String {
        match &self.what {
            What::Fact { what, expected, found } => {
                format!("line {}: {what}: expected {expected}, found {found}\n", self.line)
            }
            What::Balance { account, currency, expected, found } => {
                let title = format!("line {}: {account}, {currency}\n", self.line);
                let side = |minor: i64| Money::new(minor, *currency);
                title + &t_account(&self.entries, side(*expected), side(*found))
            }
        }
    }
}

impl Entry {
    /// Reads a line of a statement.
    pub fn read(row: &Value) -> Option<Self> {
        let day = row["effective_at"].as_str()?.get(..10)?.to_owned();
        Some(Self {
            position: row["position"].as_i64()?,
            day,
            kind: row["kind"].as_str()?.to_owned(),
            is_debit: row["side"] == "debit",
            minor: row["amount"].as_i64()?,
        })
    }
}

/// The account as a T: what was booked, what is found, and what was expected.
fn t_account(entries: &[Entry], expected: Money, found: Money) -> String {
    let shown = |minor: i64| grouped(Money::new(minor, expected.currency()));
    let entry = |it: &Entry| (it.is_debit, format!("{} {}", it.day, it.kind), shown(it.minor));
    let sum = |name: &str, money: Money| {
        (money.minor() >= 0, name.to_owned(), shown(money.minor().abs()))
    };
    let mut rows: Vec<(bool, String, String)> = entries.iter().map(entry).collect();
    let booked = rows.len();
    rows.extend([sum("found", found), sum("expected", expected)]);
    let width = |part: fn(&(bool, String, String)) -> &str| {
        rows.iter().map(|row| part(row).chars().count()).max().unwrap_or_default()
    };
    let (name, figure) = (width(|row| &row.1), width(|row| &row.2));
    let column = name + 2 + figure;
    let beam = format!("  {}┬{}\n", "─".repeat(column + 1), "─".repeat(column + 1));
    let mut text = beam.clone();
    for (place, (is_debit, what, amount)) in rows.iter().enumerate() {
        if place == booked && booked > 0 {
            text.push_str(&beam.replace('┬', "┼"));
        }
        let cell = format!("{what:<name$}  {amount:>figure$}");
        let (left, right) = if *is_debit { (cell, String::new()) } else { (String::new(), cell) };
        text.push_str(format!("  {left:<column$} │ {right}").trim_end());
        text.push('\n');
    }
    text
}

impl Outcome {
    /// Whether it came to its end and everything held.
    pub fn holds(&self) -> bool {
        self.trouble.is_none() && self.differences.is_empty()
    }

    /// Balances that are not zero, a wallet's buckets in one, debit positive.
    fn balances(&self) -> Vec<Value> {
        let mut sums: BTreeMap<Place<'_>, i64> = BTreeMap::new();
        for line in &self.accounts {
            let mut dims = line.dims.clone();
            dims.retain(|(name, _)| !(line.role == "customer_wallet" && name == "bucket"));
            *sums.entry((line.role.clone(), dims, line.currency.code())).or_default() += line.minor;
        }
        let shown = |((role, dims, currency), minor): (Place<'_>, i64)| {
            let dims: Map<String, Value> =
                dims.into_iter().map(|(name, value)| (name, value.into())).collect();
            json!({ "account": role, "dims": dims, "currency": currency, "minor": minor })
        };
        sums.into_iter().filter(|(_, minor)| *minor != 0).map(shown).collect()
    }

    /// For programs.
    pub fn json(&self) -> String {
        let mut all = json!({ "ok": self.holds(), "balances": self.balances() });
        if !self.differences.is_empty() {
            all["differences"] = self.differences.iter().map(Difference::json).collect();
        }
        if let Some(Trouble { line, text }) = &self.trouble {
            all["error"] = json!({ "line": line, "text": text });
        }
        format!("{all:#}\n")
    }

    /// For people.
    pub fn text(&self, path: &Path) -> String {
        let name = path.display();
        if self.holds() {
            return format!("{name}: everything holds\n");
        }
        let mut text = format!("{name}: it does NOT hold\n");
        for difference in &self.differences {
            text.push('\n');
            text.push_str(&difference.text());
        }
        if let Some(Trouble { line, text: why }) = &self.trouble {
            text.push_str(&format!("\nline {line}: the story ends here: {why}\n"));
        }
        text
    }
}

//! The payout report that people download from Telr's panel, saved as CSV.
//!
//! One file is one payout. Telr publishes no list of columns; the usual ones are those that
//! integrators describe: a line `Payout ID …`, then `Ref, Date, Time, Type, CartID, Description,
//! Name, Currency, Amount, Currency, Amount, MDR, Fees, Tax, Net`, where the first currency and
//! amount are what the customer paid and the second what is settled. A connection may name others.

use crate::error::TranslateError;
use crate::model::ProviderRef;
use crate::settlement::SettlementLine;
use crate::telr::settlement::csv;
use crate::telr::settlement::line::{self, Told};

/// How far down the line with the names of the columns may be.
const MAX_PREFACE: usize = 50;
/// What the line with the payout's number begins with.
const BANNER: &str = "Payout ID";

/// The names of the columns. Of a name that stands twice the last is the settled amount or
/// currency, and the first what the customer paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The number of the transaction.
    pub reference: String,
    /// What it is.
    pub kind: String,
    /// Our reference.
    pub cart: String,
    /// The currency.
    pub currency: String,
    /// The amount before fees.
    pub gross: String,
    /// Every column with a fee; they are added up.
    pub fees: Vec<String>,
    /// The tax on the fees.
    pub tax: String,
    /// What is paid out.
    pub net: String,
    /// The day.
    pub date: String,
}

impl Default for Columns {
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            reference: name("Ref"),
            kind: name("Type"),
            cart: name("CartID"),
            currency: name("Currency"),
            gross: name("Amount"),
            fees: vec![name("MDR"), name("Fees")],
            tax: name("Tax"),
            net: name("Net"),
            date: name("Date"),
        }
    }
}

/// Reads a report.
///
/// # Errors
/// When it is no CSV, a column we need is missing, or a line does not add up: a report is read
/// whole or not at all.
pub(in crate::telr) fn read(
    bytes: &[u8],
    columns: &Columns,
) -> Result<Vec<SettlementLine>, TranslateError> {
    let envelope = |problem: String| TranslateError::Envelope { problem };
    let rows = csv::rows(bytes).map_err(|problem| envelope(problem.to_owned()))?;
    let table = Table::find(&rows, columns).ok_or_else(|| {
        envelope("no line names the columns for reference, type, currency, amount and net".into())
    })?;
    let payout = rows.iter().take(table.head).find_map(|row| banner(row));
    let body = rows.iter().enumerate().skip(table.head + 1);
    body.filter(|(_, row)| table.is_line(row))
        .map(|(at, row)| {
            line::line(&table.told(row), payout.as_ref(), at).map_err(|problem| {
                let event_type = "payout report".to_owned();
                TranslateError::Object {
                    event_type,
                    problem: format!("line {}: {problem}", at + 1),
                }
            })
        })
        .collect()
}

fn banner(row: &[String]) -> Option<ProviderRef> {
    let said = row.iter().map(|cell| cell.trim()).find(|cell| !cell.is_empty())?;
    let inline = said.strip_prefix(BANNER)?.trim_matches([' ', ':']);
    let after = || row.iter().map(|cell| cell.trim()).filter(|it| !it.is_empty()).nth(1);
    ProviderRef::parse(if inline.is_empty() { after()? } else { inline }).ok()
}

/// Where each column is.
struct Table {
    head: usize,
    reference: usize,
    kind: usize,
    cart: Option<usize>,
    currency: (usize, usize),
    gross: (usize, usize),
    fees: Vec<usize>,
    tax: Option<usize>,
    net: usize,
    date: Option<usize>,
}

impl Table {
    fn find(rows: &[Vec<String>], columns: &Columns) -> Option<Self> {
        rows.iter().take(MAX_PREFACE).enumerate().find_map(|(head, row)| {
            let is = |cell: &String, name: &str| cell.trim().eq_ignore_ascii_case(name);
            let first = |name: &str| row.iter().position(|cell| is(cell, name));
            let last = |name: &str| row.iter().rposition(|cell| is(cell, name));
            let both = |name: &str| Some((first(name)?, last(name)?));
            let fees: Option<Vec<usize>> = columns.fees.iter().map(|name| first(name)).collect();
            Some(Self {
                head,
                reference: first(&columns.reference)?,
                kind: first(&columns.kind)?,
                cart: first(&columns.cart),
                currency: both(&columns.currency)?,
                gross: both(&columns.gross)?,
                fees: fees?,
                tax: first(&columns.tax),
                net: first(&columns.net)?,
                date: first(&columns.date),
            })
        })
    }

    /// Whether a row is a line of its own: empty ones and the total are not.
    fn is_line(&self, row: &[String]) -> bool {
        let said = row.iter().map(|cell| cell.trim()).find(|cell| !cell.is_empty());
        let total = said.is_none_or(|said| said.to_ascii_lowercase().starts_with("total"));
        let named = [self.reference, self.kind].iter().any(|at| !cell(row, *at).is_empty());
        named && !total
    }

    fn told<'a>(&self, row: &'a [String]) -> Told<'a> {
        let at = |place: Option<usize>| place.map_or("", |place| cell(row, place));
        let paid = (cell(row, self.gross.0), cell(row, self.currency.0));
        Told {
            reference: cell(row, self.reference),
            word: cell(row, self.kind),
            cart: at(self.cart),
            currency: cell(row, self.currency.1),
            gross: cell(row, self.gross.1),
            fees: self.fees.iter().map(|place| cell(row, *place)).collect(),
            tax: at(self.tax),
            net: cell(row, self.net),
            original: (self.currency.0 != self.currency.1 && !paid.1.is_empty()).then_some(paid),
            date: at(self.date),
        }
    }
}

fn cell(row: &[String], place: usize) -> &str {
    row.get(place).map_or("", |cell| cell.trim())
}
